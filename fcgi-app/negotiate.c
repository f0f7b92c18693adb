#include "fcgi-app/negotiate.h"

#include "asset/policy.h"
#include "http/accept.h"
#include "http/hints.h"
#include "recipe/operation.h"

#include <math.h>

/* ---- hints --------------------------------------------------------------------------- */

/* The ladder keeps the number of variants bounded. */
static unsigned
next_rung(const struct policy_config *policy, unsigned width)
{
	unsigned rung = 0;

	for (unsigned i = 0; i < policy->ladder_count && rung < width; i++)
		rung = policy->ladder[i];
	return rung;
}

/* Width counts the pixels of the screen, so dpr is in it. */
static bool
hint_fills_width(const struct policy_config *policy, struct request *request, struct recipe *recipe)
{
	struct span new_name = request_look_at(request, FIELD_SEC_CH_WIDTH);
	struct span old_name = request_look_at(request, FIELD_WIDTH);
	unsigned width;

	if (policy->ladder_count == 0 || (!hint_width(new_name, &width) && !hint_width(old_name, &width)))
		return false;
	recipe->width = next_rung(policy, width);
	recipe->asked |= operation_bit("w");
	recipe->asked_freely |= operation_bit("w");
	return true;
}

static bool
hint_fills_dpr(struct request *request, struct recipe *recipe)
{
	struct span new_name = request_look_at(request, FIELD_SEC_CH_DPR);
	struct span old_name = request_look_at(request, FIELD_DPR);
	double dpr;

	if (!hint_dpr(new_name, &dpr) && !hint_dpr(old_name, &dpr))
		return false;
	/* What URLs without a token may ask for. */
	recipe->dpr = fmin(ceil(dpr), 3);
	recipe->asked |= operation_bit("dpr");
	recipe->asked_freely |= operation_bit("dpr");
	return true;
}

void
negotiate_hints(const struct settings *settings, struct request *request, struct wish *wish)
{
	const struct policy_config *policy = &settings->policy;
	struct recipe hinted = wish->recipe;
	struct failure refusal = { 0 };
	bool has_size = hinted.width != 0 || hinted.height != 0 || hinted.width_fraction > 0 ||
	    hinted.height_fraction > 0;

	/* A token for one URL is for the size which that says: not for thrice as much. */
	if (!settings->http.uses_client_hints || !wish->route->is_auto || wish->permit.covers_exact_url ||
	    hinted.is_original || hinted.dpr != 1 || (hinted.asked & operation_bit("dpr")) != 0)
		return;
	if (has_size ? hint_fills_dpr(request, &hinted) : hint_fills_width(policy, request, &hinted))
		if (policy_allows(policy, &wish->asset, &wish->permit, &hinted, MEDIA_NONE, wish->now, &refusal))
			wish->recipe = hinted;
}

/* ---- the format ------------------------------------------------------------------------ */

static bool
shows_frames(const struct wish *wish, enum media format)
{
	return asset_is_animated(&wish->asset) && recipe_keeps_frames(&wish->recipe, wish->asset.frames, format);
}

/* Whether something may be left that JPEG would show white. */
static bool
may_be_transparent(const struct wish *wish)
{
	const struct recipe *recipe = &wish->recipe;

	if (recipe->has_background && recipe->background.alpha == UINT8_MAX)
		return false;
	return wish->asset.has_alpha || recipe->radius != 0 || recipe->is_round || fmod(recipe->rotation, 90) != 0 ||
	    (recipe->border != 0 && recipe->border_colour.alpha != UINT8_MAX) ||
	    (recipe->has_background && recipe->fit == FIT_PAD);
}

/* Whether it can do what is asked, and the token permits it. */
static bool
may_be_had(const struct wish *wish, enum media format, struct failure *why)
{
	if (!recipe_suits_format(&wish->recipe, format, why))
		return false;
	return permit_allows_format(&wish->permit, format) ||
	    fail(why, FAIL_FORBIDDEN, "the token does not permit %s", media_extension(format));
}

/* What everybody takes.  MEDIA_NONE with the reason when none of it may be had. */
static enum media
plain_format(const struct wish *wish, struct failure *why)
{
	struct failure because = { 0 };

	if (shows_frames(wish, MEDIA_GIF))
		return may_be_had(wish, MEDIA_GIF, why) ? MEDIA_GIF : MEDIA_NONE;
	if (!may_be_transparent(wish) && may_be_had(wish, MEDIA_JPEG, &because))
		return MEDIA_JPEG;
	return may_be_had(wish, MEDIA_PNG, why) ? MEDIA_PNG : MEDIA_NONE;
}

static bool
may_be_chosen(const struct wish *wish, enum media format)
{
	struct failure because = { 0 };

	return may_be_had(wish, format, &because) && (shows_frames(wish, format) || !shows_frames(wish, MEDIA_GIF));
}

/* Ten times as long as WebP, at the efforts that are worth it: docs/encoding.md. */
static bool
takes_long(enum media format)
{
	return format == MEDIA_AVIF || format == MEDIA_JXL;
}

static bool
choose_format(const struct http_settings *http, struct request *request, bool must_be_quick, struct wish *wish,
    struct failure *why)
{
	struct span accept = request_look_at(request, FIELD_ACCEPT);
	struct failure because = { 0 };
	enum media plain = plain_format(wish, &because);
	unsigned plain_weight = plain != MEDIA_NONE ? accept_weight(accept, plain) : 0, best_weight = 0;

	wish->format = plain;
	for (unsigned i = 0; i < http->auto_format_count; i++) {
		enum media media = http->auto_formats[i];
		unsigned weight = accept_weight_named(accept, media);

		if (must_be_quick && takes_long(media))
			continue;
		if (weight > best_weight && weight >= plain_weight && may_be_chosen(wish, media)) {
			wish->format = media;
			best_weight = weight;
		}
	}
	return wish->format != MEDIA_NONE || fail(why, because.kind, "%s", because.detail);
}

/* ---- quality --------------------------------------------------------------------------- */

static bool
has_quality(enum media format)
{
	return format != MEDIA_PNG && format != MEDIA_GIF;
}

static void
save_data(const struct http_settings *http, struct request *request, struct wish *wish)
{
	struct recipe *recipe = &wish->recipe;

	if (!http->obeys_save_data || recipe->quality_choice != QUALITY_DEFAULT || recipe->is_lossless)
		return;
	if (!hint_saves_data(request_look_at(request, FIELD_SAVE_DATA)) || !has_quality(wish->format))
		return;
	recipe->quality_choice = QUALITY_LOW;
	wish->saves_data = true;
}

bool
negotiate_format(const struct http_settings *http, struct request *request, struct wish *wish, struct failure *why)
{
	if (wish->recipe.is_original || !wish->route->is_auto) {
		wish->format = wish->recipe.is_original ? wish->asset.media : wish->route->format;
		return true;
	}
	if (!choose_format(http, request, false, wish, why))
		return false;
	save_data(http, request, wish);
	return true;
}

bool
negotiate_quicker(const struct http_settings *http, struct request *request, const struct wish *wish,
    struct wish *quicker)
{
	struct failure because = { 0 };

	if (wish->recipe.is_original || !wish->route->is_auto || !takes_long(wish->format))
		return false;
	*quicker = *wish;
	quicker->is_interim = true;
	if (wish->saves_data)
		quicker->recipe.quality_choice = QUALITY_DEFAULT;
	if (!choose_format(http, request, true, quicker, &because) ||
	    accept_weight(request_look_at(request, FIELD_ACCEPT), quicker->format) == 0)
		return false;
	save_data(http, request, quicker);
	return true;
}
