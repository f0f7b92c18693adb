#include "recipe/preset.h"

#include "http/quote.h"
#include "recipe/recipe.h"

#include <stdio.h>
#include <string.h>

static bool
name_is_valid(const char *name)
{
	size_t length = strlen(name);

	return length >= 1 && length <= PRESET_NAME_MAX &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

/* Parses "@name" as a URL would, so that the depth is counted as it will be. */
static bool
parse_by_name(const struct preset_set *set, const char *name, struct recipe *recipe, struct failure *why)
{
	char text[1 + PRESET_NAME_MAX + 1];
	struct failure cause = { 0 };

	snprintf(text, sizeof(text), "@%s", name);
	return recipe_parse(span_of(text), set, recipe, &cause) ||
	    fail(why, FAIL_BAD_REQUEST, "preset @%s: %s", name, cause.detail);
}

static bool
newest_is_valid(const struct preset_set *set, struct failure *why)
{
	const char *name = set->presets[set->count - 1].name;
	struct recipe recipe;

	if (!parse_by_name(set, name, &recipe, why))
		return false;
	/* policy.c knows a preset by the operations it brought, and "original" is
	 * not for a preset to give away. */
	if (recipe.asked == 0)
		return fail(why, FAIL_BAD_REQUEST, "preset @%s asks for no operation", name);
	if (recipe.caption[0] != '\0' || recipe.download[0] != '\0')
		return fail(why, FAIL_BAD_REQUEST, "preset @%s asks for text or dl, which only a URL can", name);
	return true;
}

bool
preset_add(struct preset_set *set, const char *name, const char *text, struct failure *why)
{
	if (!name_is_valid(name))
		return fail(why, FAIL_BAD_REQUEST, "preset name '%s' must be 1 to %d of a-z 0-9 _ -",
		    quote_of(span_of(name)).text, PRESET_NAME_MAX);
	if (preset_find(set, span_of(name)) != NULL)
		return fail(why, FAIL_BAD_REQUEST, "preset @%s is defined twice", name);
	if (set->count == PRESET_MAX)
		return fail(why, FAIL_BAD_REQUEST, "preset @%s is one too many, limit %d", name, PRESET_MAX);
	set->presets[set->count++] = (struct preset){ name, text };
	if (newest_is_valid(set, why))
		return true;
	set->count--;
	return false;
}

bool
preset_set_default(struct preset_set *set, const char *name, struct failure *why)
{
	const char *before = set->default_name;
	struct recipe recipe;

	if (preset_find(set, span_of(name)) == NULL)
		return fail(why, FAIL_BAD_REQUEST, "there is no preset '%s' to be the default",
		    quote_of(span_of(name)).text);
	set->default_name = name;
	for (unsigned i = 0; i < set->count; i++) {
		if (!parse_by_name(set, set->presets[i].name, &recipe, why)) {
			set->default_name = before;
			return false;
		}
	}
	return true;
}

const struct preset *
preset_find(const struct preset_set *set, struct span name)
{
	for (unsigned i = 0; i < set->count; i++)
		if (span_equals(name, set->presets[i].name))
			return &set->presets[i];
	return NULL;
}
