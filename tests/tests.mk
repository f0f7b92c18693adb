# How everything is tested.  Included by the Makefile.

# ---- the fast part ----------------------------------------------------------------

.PHONY: check
check: $(programs) unit  ## style, layers and unit tests: seconds
	tests/check/layers.sh $(LAYERS)
	tests/check/style.sh

unit_programs := $(patsubst %.c,$(BUILD)/%,$(unit_tests))

.PHONY: unit
unit: $(unit_programs)
	@for test in $(unit_programs); do $$test || exit 1; done

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(BUILD)/libapplication.a $(BUILD)/libvitrine.a
	$(CC) $(link_flags) -o $@ $^ $(call packages_of,libs,$(service_packages) cmocka) -lfcgi -lm

# Small programs over one module each, which the integration tests drive.
probe_programs := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/integration/probe_*.c))
$(BUILD)/tests/integration/probe_%: $(BUILD)/tests/integration/probe_%.o $(BUILD)/libvitrine.a
	$(CC) $(link_flags) -o $@ $^ $(call packages_of,libs,$(service_packages)) -lm

# ---- fuzzing ----------------------------------------------------------------------

# Everything once more, by clang, with libFuzzer's coverage and both sanitizers.
fuzz_flags := $(language) -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz_objects := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(library_sources))
fuzz_programs := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(fuzz_targets))

$(BUILD)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(fuzz_flags) $(service_cflags) -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/libvitrine.a: $(fuzz_objects)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/tests/fuzz/fuzz_%.o $(BUILD)/fuzz/libvitrine.a
	$(CLANG) $(fuzz_flags) -fsanitize=fuzzer -o $@ $^ $(call packages_of,libs,$(service_packages)) -lm

.PHONY: fuzz-programs
fuzz-programs: $(fuzz_programs)
