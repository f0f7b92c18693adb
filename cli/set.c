/*
 * set.c - changes what is decided about an asset: who may see it, what is laid
 * over it, where it must not be cut.
 *
 * Every value is checked before the first row is touched.
 */
#include "asset/dressing.h"
#include "cli/command.h"
#include "cli/tell_ring.h"
#include "cli/voice.h"
#include "recipe/overlay.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

enum { SET_TIMEOUT_MS = 10000, FOCUS_DECIMALS = 6 };

/* Less than this is a number of seconds from now that somebody took for a time;
 * more than the year 9999 is a time in milliseconds. */
#define EXPIRES_MIN 1000000000LL
#define EXPIRES_MAX 253402300799LL

static bool
is_none(const char *value)
{
	return value[0] == '\0' || strcmp(value, "none") == 0;
}

/* ---- one value of the command line ---------------------------------------------- */

static bool
read_visibility(const struct settings *settings, const char *value, struct asset *asset)
{
	(void)settings;
	return asset_visibility_find(span_of(value), &asset->visibility);
}

/* The row keeps as many decimals as its printed form. */
static bool
read_fraction(struct span text, double *fraction)
{
	struct span decimals = text;

	(void)span_cut(&decimals, '.');
	return decimals.length <= FOCUS_DECIMALS && span_to_double(text, 0, 1, fraction);
}

static bool
read_focus(const struct settings *settings, const char *value, struct asset *asset)
{
	struct span y = span_of(value), x = span_cut(&y, ':');

	(void)settings;
	asset->has_focus = !is_none(value);
	return !asset->has_focus ||
	    (y.at != NULL && read_fraction(x, &asset->focus_x) && read_fraction(y, &asset->focus_y));
}

static bool
read_watermark(const struct settings *settings, const char *value, struct asset *asset)
{
	if (is_none(value))
		return true;
	if (watermark_find(&settings->dressing, value) == NULL)
		return false;
	snprintf(asset->watermark, sizeof(asset->watermark), "%s", value);
	return true;
}

static bool
read_credit(const struct settings *settings, const char *value, struct asset *asset)
{
	(void)settings;
	if (is_none(value))
		return true;
	if (!caption_text_is_valid(span_of(value), ASSET_TEXT_MAX))
		return false;
	snprintf(asset->credit, sizeof(asset->credit), "%s", value);
	return true;
}

static bool
read_impose_credit(const struct settings *settings, const char *value, struct asset *asset)
{
	(void)settings;
	asset->credit_is_imposed = strcmp(value, "yes") == 0;
	return asset->credit_is_imposed || strcmp(value, "no") == 0;
}

static bool
read_owner(const struct settings *settings, const char *value, struct asset *asset)
{
	(void)settings;
	if (is_none(value))
		return true;
	if (!caption_text_is_valid(span_of(value), ASSET_TEXT_MAX))
		return false;
	snprintf(asset->owner, sizeof(asset->owner), "%s", value);
	return true;
}

static bool
read_expires(const struct settings *settings, const char *value, struct asset *asset)
{
	(void)settings;
	return strcmp(value, "never") == 0 || span_to_i64(span_of(value), EXPIRES_MIN, EXPIRES_MAX, &asset->expires);
}

/* Each function finds its field as it is in an empty asset: no text, no focus,
 * no end. */
static const struct change {
	const char *option;
	enum asset_field field;
	bool (*read)(const struct settings *settings, const char *value, struct asset *asset);
	const char *takes;
} changes[] = {
	{ "visibility", ASSET_VISIBILITY, read_visibility, "public, signed or gone" },
	{ "focus", ASSET_FOCUS, read_focus, "x:y, each 0 to 1 with at most six decimals, or none" },
	{ "watermark", ASSET_WATERMARK, read_watermark, "the name of a configured watermark, or none" },
	{ "credit", ASSET_CREDIT, read_credit, "one line of UTF-8 of at most 255 bytes, or none" },
	{ "impose-credit", ASSET_CREDIT_IS_IMPOSED, read_impose_credit, "yes or no" },
	{ "owner", ASSET_OWNER, read_owner, "one line of UTF-8 of at most 255 bytes, or none" },
	{ "expires", ASSET_EXPIRES, read_expires, "a Unix time, seconds since 1970, or never" },
};

enum { CHANGE_COUNT = sizeof(changes) / sizeof(changes[0]) };

/* False when a value makes no sense, and the user has then been told. */
static bool
read_changes(const struct invocation *invocation, struct asset *asset, unsigned *fields)
{
	for (unsigned i = 0; i < CHANGE_COUNT; i++) {
		const char *value = invocation_option(invocation, changes[i].option);

		if (value == NULL)
			continue;
		if (!changes[i].read(&invocation->context->settings, value, asset)) {
			complain_usage("set", "--%s takes %s", changes[i].option, changes[i].takes);
			return false;
		}
		*fields |= changes[i].field;
	}
	if (*fields == 0)
		complain_usage("set", "set needs something to change");
	return *fields != 0;
}

/* ---- the rows -------------------------------------------------------------------- */

static bool
set(struct catalog *catalog, const char *id, const struct asset *changed, unsigned fields)
{
	struct failure why = { 0 };
	struct asset asset = *changed;

	if (!asset_id_is_valid(span_of(id))) {
		fail(&why, FAIL_BAD_REQUEST, "no asset id: 1 to %d of A-Z a-z 0-9 _ -", ASSET_ID_MAX);
		complain_of(id, &why);
		return false;
	}
	snprintf(asset.id, sizeof(asset.id), "%s", id);
	if (!catalog_set(catalog, &asset, fields, deadline_in_ms(SET_TIMEOUT_MS), &why)) {
		complain_of(id, &why);
		return false;
	}
	printf("%s\t%" PRIu64 "\n", id, asset.version);
	return true;
}

static int
run_set(struct invocation *invocation)
{
	struct asset changed = { 0 };
	bool all_were_set = true;
	struct catalog *catalog;
	unsigned fields = 0;

	if (!read_changes(invocation, &changed, &fields))
		return EX_USAGE;
	catalog = context_catalog(invocation->context);
	if (catalog == NULL)
		return EX_CONFIG;
	for (unsigned i = 0; i < invocation->operand_count; i++)
		all_were_set &= set(catalog, invocation->operands[i], &changed, fields);
	tell_ring(catalog, &invocation->context->settings);
	if (!all_were_set) {
		(void)exit_status_of_output();
		return EXIT_FAILURE;
	}
	return exit_status_of_output();
}

static const struct command_option options[] = {
	{ "visibility", "WORD", "public; signed: every URL needs a token; gone: taken down, answered with 410." },
	{ "focus", "X:Y", "The point that must not be cut off, as fractions of the upright picture: 0.5:0.3. none "
	    "forgets it." },
	{ "watermark", "NAME", "Laid over every picture made of it, whatever the URL says; none takes it off." },
	{ "credit", "TEXT", "The line that credit=1 draws; none removes it." },
	{ "impose-credit", "WORD", "yes draws the credit on every picture made of it, whatever the URL says; no leaves "
	    "that to the URL." },
	{ "owner", "TEXT", "Whose it is, for people and other programs; none removes it." },
	{ "expires", "TIME", "Unix seconds from which on it is answered with 410; never takes that back." },
	{ 0 }
};

const struct command set_command = {
	.name = "set",
	.operands = "ASSET...",
	.min_operands = 1,
	.max_operands = UINT_MAX,
	.summary = "change who may see assets and what is laid over them",
	.manual =
	    "Changes what is given, for each asset, and leaves everything else as it is. The\n"
	    "version is bumped, so that every size and format is made anew on every server:\n"
	    "none that was made before shows what is no longer wanted. Prints each id with its\n"
	    "new version, separated by a tab. An asset that does not exist is told, the others\n"
	    "are changed.\n\n"
	    "    vitrine set summer-lion --focus=0.5:0.3\n"
	    "    vitrine set lion-1 lion-2 --watermark=proof --credit='A. Body'\n"
	    "    vitrine set summer-lion --visibility=gone\n\n"
	    TELL_RING_MANUAL
    "What browsers and CDNs hold, they hold until its max-age is over.",
	.options = options,
	.run = run_set,
};
