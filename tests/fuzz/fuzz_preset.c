/*
 * fuzz_preset - the presets of a configuration, one "name text" a line.  Whatever the
 * set takes, each of its names is a recipe, also with one of them as the default.
 */
#include "base/check.h"
#include "recipe/preset.h"
#include "recipe/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
check_names(const struct preset_set *set, struct arena *arena)
{
	for (unsigned i = 0; i < set->count; i++) {
		const struct preset *preset = &set->presets[i];
		struct failure why = { 0 };
		struct recipe recipe;

		CHECK(preset_find(set, span_of(preset->name)) == preset);
		CHECK(recipe_parse(span_of(arena_printf(arena, "@%s", preset->name)), set, &recipe, &why));
		CHECK(recipe.asked != 0 && recipe.asked_freely == 0 && recipe.presets == 1 && !recipe.is_original);
	}
}

static char *
copy(struct arena *arena, struct span span)
{
	return arena_copy_bytes(arena, span.at != NULL ? span.at : "", span.length);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct span rest = span_range((const char *)bytes, size);
	struct arena *arena = arena_new();
	struct preset_set set = { 0 };
	struct failure why = { 0 };

	while (rest.at != NULL) {
		struct span text = span_cut(&rest, '\n'), name = span_cut(&text, ' ');
		unsigned count = set.count;

		failure_clear(&why);
		if (!preset_add(&set, copy(arena, name), copy(arena, text), &why))
			CHECK(why.kind == FAIL_BAD_REQUEST && set.count == count);
	}
	check_names(&set, arena);
	failure_clear(&why);
	if (set.count > 0 && preset_set_default(&set, set.presets[size % set.count].name, &why))
		check_names(&set, arena);
	arena_free(arena);
	return 0;
}
