# How everything is tested.  Included by the Makefile.

# ---- the fast part ----------------------------------------------------------------

run_tests = $(PYTHON) tests/run.py $(BUILD) --layers="$(LAYERS)"

.PHONY: check
check: $(programs) unit-programs  ## style, layers and unit tests: seconds
	$(run_tests) --only=style,unit

unit_programs := $(patsubst %.c,$(BUILD)/%,$(unit_tests))

.PHONY: unit-programs unit
unit-programs: $(unit_programs)
unit: $(unit_programs)
	@for test in $(unit_programs); do $$test || exit 1; done

# Some of them start a renderer.
$(unit_programs): | $(BUILD)/vitrine-renderer
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libapplication.a $(BUILD)/libvitrine.a
	$(call show,LD)$(CC) $(link_flags) -o $@ $^ $(call packages_of,libs,$(service_packages) cmocka) -lfcgi -lm

# The image folder belongs to the renderer; what of it needs plain bytes only is tested by itself.
$(BUILD)/tests/unit/test_miniature: $(call objects,$(addprefix lib/image/,blurhash.c palette.c srgb.c thumbhash.c))
$(BUILD)/tests/unit/test_slots: $(call objects,lib/image/slots.c)

# Small programs over one module each, which the integration tests drive.
probe_programs := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/integration/probe_*.c))
$(BUILD)/tests/integration/probe_%: $(BUILD)/tests/integration/probe_%.o $(BUILD)/libvitrine.a
	$(call show,LD)$(CC) $(link_flags) -o $@ $^ $(call packages_of,libs,$(service_packages)) -lm

# The shipped renderer with one operation more, which tries to get out.
intruder := $(BUILD)/tests/integration/intruder
$(intruder): $(BUILD)/tests/integration/intruder.o $(call objects,$(renderer_sources) $(image_sources)) $(BUILD)/libvitrine.a
	$(call show,LD)$(CC) $(link_flags) -Wl,--wrap=image_describe -o $@ $^ \
		$(call packages_of,libs,vips libcrypto libseccomp) -lm

# ---- fuzzing ----------------------------------------------------------------------

# Everything once more, by clang, with libFuzzer's coverage and both sanitizers.
# `make fuzz-coverage` builds it another time, to see which lines the inputs reach.
fuzz_folder := $(BUILD)/fuzz
fuzz_instruments := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz_flags = $(language) -O1 -g $(fuzz_instruments)
fuzz_objects = $(patsubst %.c,$(fuzz_folder)/%.o,$(1))
fuzz_programs := $(patsubst tests/fuzz/%.c,$(fuzz_folder)/%,$(fuzz_targets))
fuzz_libraries = $(call packages_of,libs,$(service_packages))

$(fuzz_folder)/lib/image/%.o $(fuzz_folder)/tests/fuzz/fuzz_bomb.o: package_cflags = $(image_cflags)
$(fuzz_folder)/%.o: %.c
	@mkdir -p $(@D)
	$(call show,FC)$(CLANG) $(fuzz_flags) $(package_cflags) -MMD -MP -c -o $@ $<

$(fuzz_folder)/libvitrine.a: $(call fuzz_objects,$(library_sources))
	@rm -f $@
	$(call show,AR)ar rcs $@ $^

$(fuzz_folder)/fuzz_%: $(fuzz_folder)/tests/fuzz/fuzz_%.o $(fuzz_folder)/libvitrine.a
	$(call show,FL)$(CLANG) $(fuzz_flags) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(filter %.a,$^) $(fuzz_libraries) -lm

# Of the image folder, what parses bytes without libvips; and all of it, as the renderer has it.
$(fuzz_folder)/fuzz_rewrap: $(call fuzz_objects,$(wildcard lib/image/rewrap*.c))
$(fuzz_folder)/fuzz_gif: $(call fuzz_objects,lib/image/gif.c)
$(fuzz_folder)/fuzz_riff: $(call fuzz_objects,lib/image/riff.c)
$(fuzz_folder)/fuzz_miniature: $(call fuzz_objects,$(addprefix lib/image/,blurhash.c palette.c srgb.c thumbhash.c))
$(fuzz_folder)/fuzz_bomb: $(call fuzz_objects,lib/image/bomb.c)
$(fuzz_folder)/fuzz_image: $(call fuzz_objects,$(image_sources) renderer/sanitizer.c)
$(fuzz_folder)/fuzz_bomb $(fuzz_folder)/fuzz_image: fuzz_libraries = $(call packages_of,libs,vips libcrypto)
$(fuzz_folder)/fuzz_route: $(call fuzz_objects,fcgi-app/route.c)
$(fuzz_folder)/fuzz_fastcgi_head: $(call fuzz_objects,fcgi-app/fastcgi_head.c)
$(fuzz_folder)/fuzz_fastcgi_head: fuzz_libraries = -lfcgi

.PHONY: fuzz-programs
fuzz-programs: $(fuzz_programs)

# What they find beyond the seeds is kept in the build folder, for the next time.
FUZZ_SECONDS ?= 600
FUZZ_ONLY ?=

.PHONY: fuzz
fuzz: $(fuzz_programs)  ## run each fuzzer for FUZZ_SECONDS, two at a time: hours
	$(PYTHON) tests/fuzz/run.py $(fuzz_folder) --seconds=$(FUZZ_SECONDS) $(FUZZ_ONLY)

.PHONY: fuzz-coverage
fuzz-coverage:  ## which lines the fuzzers' inputs reach, after make fuzz
	$(MAKE) fuzz-programs fuzz_folder=$(BUILD)/fuzz-coverage \
	    fuzz_instruments="-fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping"
	$(PYTHON) tests/fuzz/coverage.py $(BUILD)/fuzz-coverage --inputs=$(fuzz_folder)/corpus

# ---- everything -------------------------------------------------------------------

# Under SANITIZE the fuzzers are left out: they always run with sanitizers.
test_parts := style,unit,$(if $(SANITIZE),,fuzz,)integration

.PHONY: test-programs
test-programs: $(programs) $(unit_programs) $(probe_programs) $(intruder) $(if $(SANITIZE),,$(fuzz_programs))

.PHONY: test
test: deps  ## everything that CI runs: installs what it needs, minutes
	$(MAKE) -j$$(nproc) test-programs
	$(run_tests) --only=$(test_parts)

.PHONY: integration
integration: $(programs) $(probe_programs) $(intruder)  ## the tests with real servers: make integration TESTS="-k purge"
	$(run_tests) --only=integration --pytest='$(TESTS)'

# Takes root; needs network namespaces.  CHAOS=--only=disk for some of it.
CHAOS ?=

.PHONY: chaos
chaos: deps  ## three servers, one fault after another, a table in docs/operations.md: a quarter of an hour
	$(MAKE) -j$$(nproc) $(programs)
	VITRINE_BUILD=$(BUILD) $(PYTHON) tests/chaos/run.py $(CHAOS)

# ---- speed --------------------------------------------------------------------------

bench_folder := $(BUILD)/tests/bench
bench_programs := $(addprefix $(bench_folder)/,fill_store hollow in_process load)

$(bench_folder)/in_process.o: package_cflags = $(image_cflags)
$(bench_folder)/in_process: $(bench_folder)/in_process.o $(call objects,$(image_sources)) $(BUILD)/libvitrine.a
	$(call show,LD)$(CC) $(link_flags) -o $@ $^ $(call packages_of,libs,vips libcrypto) -lm
$(bench_folder)/fill_store $(bench_folder)/hollow $(bench_folder)/load: %: %.o $(BUILD)/libvitrine.a
	$(call show,LD)$(CC) $(link_flags) -o $@ $^ $(call packages_of,libs,libcrypto libxxhash) -lm

# BENCH="--only=hit --quick" for some of it.
BENCH ?=

.PHONY: bench
bench:  ## how fast it is, beside what people use instead; a table in docs/benchmarks.md: a quarter of an hour
	@tests/stack/install.sh build run bench
	$(MAKE) -j$$(nproc) $(programs) $(bench_programs)
	VITRINE_BUILD=$(BUILD) $(PYTHON) tests/bench/run.py $(BENCH)

# Takes root too.  SOAK=--seconds=300 for less; it runs at a low priority.
SOAK ?=

.PHONY: soak
soak: deps  ## three servers, an hour of mixed load and faults: does anything grow? a table in docs/operations.md
	$(MAKE) -j$$(nproc) $(programs) $(BUILD)/tests/integration/probe_origin
	VITRINE_BUILD=$(BUILD) $(PYTHON) tests/soak/run.py $(SOAK)

.PHONY: docs
docs: demo-deps $(programs)  ## fill in the generated parts of docs/, draw the sheet of all operations
	$(PYTHON) docs/generate.py $(BUILD)
	VITRINE_BUILD=$(BUILD) $(PYTHON) docs/contact_sheet.py
