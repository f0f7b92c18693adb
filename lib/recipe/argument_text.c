/*
 * Arguments that are texts: names, what is written on the picture, and what it
 * is called when somebody saves it.  Canonical texts have them percent-encoded.
 */
#include "recipe/argument.h"

#include "http/url.h"
#include "recipe/overlay.h"

#include <string.h>

/* The text fits: its kind has a limit below the field's size.  All of the field is
 * set, so that equal recipes are equal as memory. */
static void
keep_text(struct span text, char *field, size_t size)
{
	memset(field, 0, size);
	memcpy(field, text.at, text.length);
}

/* ---- watermark ---------------------------------------------------------------------------- */

static bool
is_watermark_name(struct span text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

	if (text.length < 1 || text.length > RECIPE_WATERMARK_MAX)
		return false;
	for (size_t i = 0; i < text.length; i++)
		if (memchr(allowed, text.at[i], strlen(allowed)) == NULL)
			return false;
	return true;
}

bool
argument_parse_watermark(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	if (!is_watermark_name(argument))
		return argument_refuse(operation, argument, why);
	keep_text(argument, recipe->watermark, sizeof(recipe->watermark));
	return true;
}

void
argument_print_watermark(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	(void)operation;
	text_add(out, recipe->watermark);
}

/* ---- text --------------------------------------------------------------------------------- */

bool
argument_parse_caption(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	if (!caption_text_is_valid(argument, RECIPE_CAPTION_MAX))
		return argument_refuse(operation, argument, why);
	keep_text(argument, recipe->caption, sizeof(recipe->caption));
	return true;
}

void
argument_print_caption(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	(void)operation;
	url_encode(span_of(recipe->caption), "", out);
}

/* ---- dl ----------------------------------------------------------------------------------- */

/* The name travels in a header and ends up in a folder of somebody's computer:
 * no separators of folders, and none of the names that stand for a folder. */
static bool
is_file_name(struct span text)
{
	bool has_more_than_dots = false;

	if (!caption_text_is_valid(text, RECIPE_DOWNLOAD_MAX))
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] == '/' || text.at[i] == '\\')
			return false;
		if (text.at[i] != '.')
			has_more_than_dots = true;
	}
	return has_more_than_dots;
}

bool
argument_parse_download(const struct operation *operation, struct span argument, struct recipe *recipe,
    struct failure *why)
{
	if (!is_file_name(argument))
		return argument_refuse(operation, argument, why);
	keep_text(argument, recipe->download, sizeof(recipe->download));
	return true;
}

void
argument_print_download(const struct operation *operation, const struct recipe *recipe, struct text *out)
{
	(void)operation;
	url_encode(span_of(recipe->download), "", out);
}
