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

# Small programs over one module each, which the integration tests drive.
probe_programs := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/integration/probe_*.c))
$(BUILD)/tests/integration/probe_%: $(BUILD)/tests/integration/probe_%.o $(BUILD)/libvitrine.a
	$(call show,LD)$(CC) $(link_flags) -o $@ $^ $(call packages_of,libs,$(service_packages)) -lm

# ---- fuzzing ----------------------------------------------------------------------

# Everything once more, by clang, with libFuzzer's coverage and both sanitizers.
fuzz_flags := $(language) -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
fuzz_objects := $(patsubst %.c,$(BUILD)/fuzz/%.o,$(library_sources))
fuzz_programs := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(fuzz_targets))

$(BUILD)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(call show,FC)$(CLANG) $(fuzz_flags) $(service_cflags) -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/libvitrine.a: $(fuzz_objects)
	@rm -f $@
	$(call show,AR)ar rcs $@ $^

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/tests/fuzz/fuzz_%.o $(BUILD)/fuzz/libvitrine.a
	$(call show,FL)$(CLANG) $(fuzz_flags) -fsanitize=fuzzer -o $@ $^ $(call packages_of,libs,$(service_packages)) -lm

# Of the image folder, what parses files without libvips.
$(BUILD)/fuzz/fuzz_rewrap: $(patsubst %.c,$(BUILD)/fuzz/%.o,$(wildcard lib/image/rewrap*.c))

.PHONY: fuzz-programs
fuzz-programs: $(fuzz_programs)

# ---- everything -------------------------------------------------------------------

# Under SANITIZE the fuzzers are left out: they always run with sanitizers.
test_parts := style,unit,$(if $(SANITIZE),,fuzz,)integration

.PHONY: test-programs
test-programs: $(programs) $(unit_programs) $(probe_programs) $(if $(SANITIZE),,$(fuzz_programs))

.PHONY: test
test: deps  ## everything that CI runs: installs what it needs, minutes
	$(MAKE) test-programs
	$(run_tests) --only=$(test_parts)

.PHONY: integration
integration: $(programs) $(probe_programs)  ## the tests with real servers: make integration TESTS="-k purge"
	$(run_tests) --only=integration --pytest='$(TESTS)'

.PHONY: docs
docs: demo-deps $(programs)  ## fill in the generated parts of docs/, draw the sheet of all operations
	$(PYTHON) docs/generate.py $(BUILD)
	VITRINE_BUILD=$(BUILD) $(PYTHON) docs/contact_sheet.py
