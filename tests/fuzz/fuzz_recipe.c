/*
 * fuzz_recipe - URL texts.  What parses prints a text that parses to the same
 * recipe, and plans a picture whose parts lie within each other.
 */
#include "base/check.h"
#include "recipe/geometry.h"
#include "recipe/recipe.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct recipe
parse_again(const struct recipe *recipe, struct arena *arena)
{
	struct failure why = { 0 };
	struct recipe again;
	struct text canonical, twice;

	text_init(&canonical, arena, RECIPE_TEXT_MAX);
	recipe_print(recipe, &canonical);
	CHECK(!canonical.was_cut && canonical.length > 0);
	for (const char *c = canonical.at; *c != '\0'; c++)
		CHECK(*c > ' ' && *c <= '~');
	CHECK(recipe_parse(text_span(&canonical), NULL, &again, &why));
	text_init(&twice, arena, RECIPE_TEXT_MAX);
	recipe_print(&again, &twice);
	CHECK(strcmp(canonical.at, twice.at) == 0);
	again.asked = recipe->asked;
	again.asked_freely = recipe->asked_freely;
	again.presets = recipe->presets;
	return again;
}

/* At the limits of what is known before the pixels are: the policy, for one, plans
 * with every size that a row may have. */
static void
check_plan(const struct recipe *recipe, unsigned width, unsigned height, enum media media)
{
	unsigned orientation = width % 8 + 1;
	struct failure why = { 0 };
	struct geometry_source source;
	struct geometry g;

	geometry_source_init(&source, recipe, width, height, orientation, media);
	if (!geometry_plan(recipe, &source, &g, &why)) {
		CHECK(why.kind == FAIL_BAD_REQUEST || why.kind == FAIL_UNPROCESSABLE);
		return;
	}
	CHECK(g.width >= 1 && g.height >= 1);
	CHECK(g.width <= RECIPE_RESULT_SIDE_MAX && g.height <= RECIPE_RESULT_SIDE_MAX);
	CHECK(g.source.width >= 1 && g.source.x + g.source.width <= source.width);
	CHECK(g.source.height >= 1 && g.source.y + g.source.height <= source.height);
	CHECK(g.turned_width >= 1 && g.turned_height >= 1);
	CHECK(g.cut.width >= 1 && g.cut.x + g.cut.width <= g.scaled_width);
	CHECK(g.cut.height >= 1 && g.cut.y + g.cut.height <= g.scaled_height);
	CHECK(g.left + g.cut.width <= g.canvas_width && g.top + g.cut.height <= g.canvas_height);
	CHECK(g.width == g.canvas_width + 2 * g.border && g.height == g.canvas_height + 2 * g.border);
	CHECK(recipe->may_enlarge || media == MEDIA_SVG || g.scaled_width <= g.turned_width);
	CHECK(recipe->may_enlarge || media == MEDIA_SVG || g.scaled_height <= g.turned_height);
}

static void
check_plans(const struct recipe *recipe)
{
	static const unsigned sides[] = { 1, 2, 333, 6000, GEOMETRY_SIDE_MAX, GEOMETRY_SIDE_MAX + 1 };

	for (size_t i = 0; i < 6; i++) {
		for (size_t k = 0; k < 6; k++) {
			check_plan(recipe, sides[i], sides[k], MEDIA_JPEG);
			check_plan(recipe, sides[i], sides[k], MEDIA_SVG);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct preset_set presets = {
		.presets = { { "a", "w=300,h=200,fit=cover" }, { "b", "@a,dpr=2,g=n" },
		    { "c", "q=low,ar=3:2,round=9" } },
		.count = 3,
	};
	struct span text = span_range((const char *)bytes, size);
	struct arena *arena = arena_new();
	struct failure why = { 0 };
	struct recipe recipe, again;

	presets.default_name = size % 3 == 0 ? "c" : NULL;
	if (recipe_parse(text, &presets, &recipe, &why)) {
		CHECK((recipe.asked_freely & ~recipe.asked) == 0);
		again = parse_again(&recipe, arena);
		CHECK(memcmp(&again, &recipe, sizeof(recipe)) == 0);
		recipe_resolve_focus(&recipe, size % 2 == 1, (double)(size % 7) / 7, 0.3);
		again = parse_again(&recipe, arena);
		CHECK(recipe.is_original || memcmp(&again, &recipe, sizeof(recipe)) == 0);
		if (!recipe.is_original)
			check_plans(&recipe);
	} else {
		CHECK(why.kind == FAIL_BAD_REQUEST && why.detail[0] != '\0');
		for (const char *c = why.detail; *c != '\0'; c++)
			CHECK(*c >= ' ' && *c <= '~');
	}
	arena_free(arena);
	return 0;
}
