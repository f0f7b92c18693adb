/*
 * fuzz_settings - an operator's configuration.  What loads prints a file that loads and prints
 * the same, but for the secrets, which are not printed.
 */
#include "base/check.h"
#include "base/file.h"
#include "settings/settings.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { PRINTED_MAX = 1 << 20 };

static bool
load(struct span ini, struct arena *arena, struct settings *settings, struct failure *why)
{
	int file = memfd_create("settings", MFD_CLOEXEC);
	bool is_loaded;

	CHECK(file != -1 && file_write_all(file, ini.at, ini.length));
	is_loaded = settings_load(arena, arena_printf(arena, "/proc/self/fd/%d", file), NULL, settings, why);
	close(file);
	return is_loaded;
}

static void
check_printed(const struct settings *settings, struct arena *arena)
{
	struct settings again;
	struct failure why = { 0 };
	struct text once, twice;

	text_init(&once, arena, PRINTED_MAX);
	settings_print(settings, &once);
	CHECK(!once.was_cut);
	if (strstr(once.at, "(secret)") != NULL)
		return;
	CHECK(load(text_span(&once), arena, &again, &why));
	text_init(&twice, arena, PRINTED_MAX);
	settings_print(&again, &twice);
	CHECK(strcmp(once.at, twice.at) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span ini = span_range((const char *)bytes, size);
	struct arena *arena;
	struct settings settings;
	struct failure why = { 0 };

	/* No fuzzer is to open files by name. */
	if (memmem(bytes, size, "file:", 5) != NULL)
		return 0;
	arena = arena_new();
	if (load(ini, arena, &settings, &why))
		check_printed(&settings, arena);
	else
		CHECK(why.kind != FAIL_NONE && why.detail[0] != '\0');
	arena_free(arena);
	return 0;
}
