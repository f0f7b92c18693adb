# Vitrine - `make help` lists what there is.
#
# The source lists below draw the house from the ground up.  A file may include
# headers of its own folder and of folders that stand above it in LAYERS;
# `make check` holds everybody to that (tests/check/layers.sh).

# ---- the house -----------------------------------------------------------------

# One line per storey; folders on the same storey do not know each other.
LAYERS := \
	lib/base \
	lib/http \
	lib/recipe \
	lib/asset,lib/peers,lib/image \
	lib/catalog,lib/origin,lib/store \
	lib/render \
	lib/settings \
	fcgi-app,renderer,cli

comma := ,
folders := $(subst $(comma), ,$(LAYERS))

# libvips is linked into the renderer only, so image/ is kept apart.
image_sources := $(wildcard lib/image/*.c)
library_sources := $(filter-out $(image_sources),$(wildcard lib/*/*.c))
responder_sources := $(wildcard fcgi-app/*.c)
renderer_sources := $(wildcard renderer/*.c)
cli_sources := $(wildcard cli/*.c)

unit_tests := $(wildcard tests/unit/test_*.c)
fuzz_targets := $(wildcard tests/fuzz/fuzz_*.c)

# ---- tools and flags -----------------------------------------------------------

CC ?= cc
CLANG ?= clang
PKG_CONFIG ?= pkg-config
PYTHON ?= /usr/bin/python3

# make SANITIZE=address,undefined test builds and tests in a folder of its own.
SANITIZE ?=
BUILD := build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))

CFLAGS ?= -O2 -g
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	-Wconversion -Wno-sign-conversion
hardening := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
ifneq ($(SANITIZE),)
CFLAGS := -O1 -g -fno-omit-frame-pointer
hardening := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fPIE
endif
ifneq ($(DEVELOPER),)
warnings += -Werror
endif
# make V=1 shows the commands.
show = $(if $(V),,@echo "  $(1)  $@";)

language := -std=gnu17 -D_GNU_SOURCE -Ilib -I.

service_packages := libmemcached libmariadb libcurl openssl inih libxxhash jansson
packages_of = $(shell $(PKG_CONFIG) --$(1) $(2) 2>/dev/null)
service_cflags := $(call packages_of,cflags,$(service_packages))
image_cflags := $(call packages_of,cflags,vips libseccomp)

compile_flags = $(language) $(warnings) $(hardening) $(CFLAGS) $(CPPFLAGS) -MMD -MP
link_flags = $(CFLAGS) $(hardening) -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

# ---- programs ------------------------------------------------------------------

programs := $(BUILD)/vitrine.fcgi $(BUILD)/vitrine-renderer $(BUILD)/vitrine

.PHONY: all
all: $(programs)  ## build the three programs (the default)

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

$(BUILD)/libvitrine.a: $(call objects,$(library_sources))
	@mkdir -p $(@D) && rm -f $@
	$(call show,AR)ar rcs $@ $^

# What the fuzzers and tests need of the programs' own folders is linked as an archive too.
$(BUILD)/libapplication.a: $(filter-out %/main.o,$(call objects,$(responder_sources)))
	@mkdir -p $(@D) && rm -f $@
	$(call show,AR)ar rcs $@ $^

$(BUILD)/vitrine.fcgi: $(call objects,$(responder_sources)) $(BUILD)/libvitrine.a
	$(call show,LD)$(CC) $(link_flags) -o $@ $^ $(call packages_of,libs,$(service_packages)) -lfcgi -lm

$(BUILD)/vitrine: $(call objects,$(cli_sources)) $(BUILD)/libvitrine.a
	$(call show,LD)$(CC) $(link_flags) -o $@ $^ $(call packages_of,libs,$(service_packages)) -lm -pthread

# Note what is missing here: curl, MariaDB, memcached.
$(BUILD)/vitrine-renderer: $(call objects,$(renderer_sources) $(image_sources)) $(BUILD)/libvitrine.a
	$(call show,LD)$(CC) $(link_flags) -o $@ $^ $(call packages_of,libs,vips libcrypto libseccomp) -lm

$(BUILD)/lib/image/%.o $(BUILD)/renderer/%.o: package_cflags = $(image_cflags)
# Loops over pixels, which gcc does not turn into vectors by itself.
$(BUILD)/lib/image/halve.o $(BUILD)/lib/image/narrow.o: package_cflags = $(image_cflags) -O3
package_cflags = $(service_cflags)
$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call show,CC)$(CC) $(compile_flags) $(package_cflags) -c -o $@ $<

.SECONDARY:	# keep the objects of tests

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

include tests/tests.mk tests/stack/stack.mk

.PHONY: clean
clean:  ## remove everything that was built
	rm -rf build build-*

.PHONY: help
help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { sub(/:.*/, "", $$1); printf "  make %-12s %s\n", $$1, $$2 }' \
		Makefile tests/tests.mk tests/stack/stack.mk
	@echo "  SANITIZE=address,undefined and DEVELOPER=1 go with any of them."
