/*
 * inspect.c - everything that is known about one asset, for a person.
 *
 * Each part stands for itself: an origin that does not answer is told in its
 * line, and the rest is shown all the same.
 */
#include "asset/dressing.h"
#include "asset/policy.h"
#include "asset/variant.h"
#include "catalog/quarantine.h"
#include "cli/command.h"
#include "cli/voice.h"
#include "recipe/geometry.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { INSPECT_TIMEOUT_MS = 15000, LABEL_WIDTH = 12 };

struct inspection {
	struct context *context;
	struct catalog *catalog;
	struct store *store;		/* NULL: none on this machine */
	struct asset asset;
	struct deadline deadline;
};

static void
print_label(const char *label)
{
	printf("%-*s", LABEL_WIDTH, label);
}

static void
print_text(const char *label, const char *text)
{
	if (text[0] == '\0')
		return;
	print_label(label);
	print_safely(stdout, span_of(text));
	putchar('\n');
}

static void
print_time(const char *label, int64_t unix_seconds)
{
	time_t seconds = unix_seconds;
	char text[32] = "never";
	struct tm utc;

	if (seconds != 0 && gmtime_r(&seconds, &utc) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &utc);
	print_text(label, text);
}

/* ---- the row ------------------------------------------------------------------- */

static void
print_picture(const struct asset *asset)
{
	unsigned width, height;

	asset_upright_size(asset, &width, &height);
	print_label("picture");
	printf("%s, %u x %u", media_type(asset->media), width, height);
	if (asset->orientation != 1)
		printf(" upright, stored as %u x %u with orientation %u", asset->width, asset->height,
		    asset->orientation);
	if (asset->frames > 1)
		printf(", %u frames", asset->frames);
	printf("%s%s\n", asset->has_alpha ? ", with transparency" : "", asset->is_progressive ? ", progressive" : "");
}

static void
print_row(const struct asset *asset)
{
	print_text("asset", asset->id);
	print_label("version");
	printf("%" PRIu64 "\n", asset->version);
	print_picture(asset);
	print_label("bytes");
	printf("%" PRIu64 "\n", asset->bytes);
	print_text("visibility", asset_visibility_name(asset->visibility));
	if (asset->has_focus) {
		print_label("focus");
		printf("%g : %g\n", asset->focus_x, asset->focus_y);
	}
	print_text("watermark", asset->watermark);
	print_text("credit", asset->credit);
	print_text("", asset->credit_is_imposed ? "drawn on every picture" : "");
	print_text("owner", asset->owner);
	print_text("colours", asset->colours);
	print_text("blurhash", asset->blurhash);
	print_text("thumbhash", asset->thumbhash);
	print_text("placeholder", asset->placeholder);
	print_time("created", asset->created);
	print_time("updated", asset->updated);
	print_time("expires", asset->expires);
}

/* ---- where it is ----------------------------------------------------------------- */

static void
print_at_origin(struct inspection *inspection)
{
	const struct asset *asset = &inspection->asset;
	const struct origin_config *config = context_origin(inspection->context, asset->origin);
	struct failure why = { 0 };
	struct origin_object object;
	struct origin *origin;

	print_text("origin", asset->origin);
	print_text("key", asset->key);
	print_text("etag", asset->etag);
	print_label("at origin");
	if (config == NULL) {
		puts("no origin of that name is configured");
		return;
	}
	origin = origin_open(config, &why);
	if (origin == NULL || !origin_stat(origin, asset->key, inspection->deadline, &object, &why)) {
		print_safely(stdout, span_of(why.detail));
		putchar('\n');
	} else if (object.bytes == asset->bytes && strcmp(object.etag, asset->etag) == 0) {
		puts("there, as in the row");
	} else {
		printf("there, but with %" PRIu64 " bytes and etag ", object.bytes);
		print_safely(stdout, span_of(object.etag));
		puts(": import it again");
	}
	if (origin != NULL)
		origin_close(origin);
}

static void
print_on_disk(const struct inspection *inspection)
{
	struct key original = variant_original_key(inspection->context->arena, &inspection->asset);
	const struct store_config *config = &inspection->context->settings.store;

	print_label("on disk");
	if (inspection->store == NULL)
		printf("no store at %s that we can use\n", config->root);
	else if (store_has(inspection->store, STORE_ORIGINALS, &original))
		printf("%s/originals/%.2s/%.2s/%s\n", config->root, original.hex, original.hex + 2, original.hex);
	else
		printf("the original is not in %s\n", config->root);
}

/* What a server would be told now, which may be older than the row. */
static void
print_in_ring(struct inspection *inspection)
{
	static const char *const tiers[CATALOG_TIER_COUNT] = {
		"the ring", "a replica", "the primary", "a replica that lags"
	};
	struct failure why = { 0 };
	unsigned configured, alive;
	enum catalog_tier tier;
	struct asset asset;

	peers_count(inspection->context->peers, &configured, &alive);
	print_label("ring");
	printf("%u of %u peers answer; ", alive, configured);
	if (!catalog_find(inspection->catalog, span_of(inspection->asset.id), 0, inspection->deadline, &asset, &tier,
	    &why)) {
		printf("servers are told: ");
		print_safely(stdout, span_of(why.detail));
		putchar('\n');
		return;
	}
	printf("servers are told version %" PRIu64 " by %s%s\n", asset.version, tiers[tier],
	    asset.version == inspection->asset.version ? "" : ", which is out of date");
}

static void
print_quarantine(const struct inspection *inspection)
{
	struct quarantine quarantine;
	struct failure why = { 0 };

	quarantine_find(inspection->context->peers, &inspection->asset, &quarantine);
	if (quarantine.deaths == 0)
		return;
	print_label("quarantine");
	printf("%s: it has ended %u renderers, the last time: ",
	    quarantine_permits(&quarantine, &why) ? "not yet" : "yes", quarantine.deaths);
	print_safely(stdout, span_of(quarantine.reason));
	putchar('\n');
}

/* ---- which URL gives what -------------------------------------------------------- */

static void
print_size(const struct asset *asset, const struct recipe *recipe)
{
	struct failure why = { 0 };
	struct geometry_source source;
	struct geometry geometry;
	char size[32] = "-";

	asset_geometry_source(asset, recipe, &source);
	if (source.width == 0 || source.height == 0 || recipe_size_needs_pixels(recipe))
		;	/* a row that somebody else wrote: the size is not known */
	else if (recipe->is_original)
		snprintf(size, sizeof(size), "%ux%u", asset->width, asset->height);
	else if (geometry_plan(recipe, &source, &geometry, &why))
		snprintf(size, sizeof(size), "%ux%u", geometry.width, geometry.height);
	printf("%-12s", size);
}

static bool
name_mark(const struct inspection *inspection, const struct watermark *watermark, struct key *key)
{
	struct watermark opened = *watermark;
	struct failure why = { 0 };
	enum catalog_tier tier;
	struct asset asset;

	if (watermark->asset[0] != '\0') {
		if (!catalog_find(inspection->catalog, span_of(watermark->asset), 0, inspection->deadline, &asset,
		    &tier, &why))
			return false;
		*key = variant_original_key(inspection->context->arena, &asset);
		return true;
	}
	if (!watermark_open(&opened, &why))
		return false;
	*key = opened.key;
	close(opened.fd);
	return true;
}

/* As a server names the file.  False when it cannot be made: a watermark is missing. */
static bool
name_result(const struct inspection *inspection, struct recipe *recipe, enum media format, struct key *key)
{
	const struct asset *asset = &inspection->asset;
	struct failure why = { 0 };
	struct dressing dressing;
	struct variant variant;
	struct key mark;

	if (!dressing_choose(&inspection->context->settings.dressing, asset, recipe, &dressing, &why) ||
	    (dressing.watermark != NULL && !name_mark(inspection, dressing.watermark, &mark)))
		return false;
	variant_init(&variant, inspection->context->arena, &(struct variant_parts){ .asset = asset,
	    .recipe = recipe, .overlays = &dressing.overlays, .mark = &mark, .format = format });
	*key = variant.key;
	return true;
}

static void
print_url(const struct inspection *inspection, const char *recipe_text, enum media format)
{
	const struct settings *settings = &inspection->context->settings;
	const struct permit nothing = { 0 };
	struct failure why = { 0 };
	struct recipe recipe;
	enum store_part part;
	bool is_stored;
	struct key key;

	if (!recipe_parse(span_of(recipe_text), &settings->presets, &recipe, &why))
		return;		/* it came from the configuration, which has been checked */
	recipe_resolve_focus(&recipe, inspection->asset.has_focus, inspection->asset.focus_x,
	    inspection->asset.focus_y);
	part = recipe.is_original ? STORE_ORIGINALS : STORE_VARIANTS;
	is_stored = inspection->store != NULL && name_result(inspection, &recipe, format, &key) &&
	    store_has(inspection->store, part, &key);
	printf("  ");
	print_size(&inspection->asset, &recipe);
	printf("%-10s%-8s%s/a/%s/%s/%s.%s\n",
	    policy_allows(&settings->policy, &inspection->asset, &nothing, &recipe,
	    recipe.is_original ? MEDIA_NONE : format, time(NULL), &why) ? "public" :
	    why.kind == FAIL_GONE ? "gone" : "signed", is_stored ? "yes" : "no", settings->server.url_prefix,
	    inspection->asset.id, recipe_text, inspection->asset.id, media_extension(format));
}

static void
print_urls(const struct inspection *inspection)
{
	const struct settings *settings = &inspection->context->settings;
	struct arena *arena = inspection->context->arena;
	enum media format = settings->http.auto_format_count > 0 ? settings->http.auto_formats[0] : MEDIA_JPEG;

	printf("\n  %-12s%-10s%-8sURL\n", "size", "needs", "on disk");
	for (unsigned i = 0; i < settings->policy.ladder_count; i++)
		print_url(inspection, arena_printf(arena, "w=%u", settings->policy.ladder[i]), format);
	for (unsigned i = 0; i < settings->presets.count; i++)
		print_url(inspection, arena_printf(arena, "@%s", settings->presets.presets[i].name), format);
	print_url(inspection, "original", inspection->asset.media);
	printf("\nThe same with .jpg .png .webp .avif .gif, or .auto, which chooses by Accept.\n"
	    "What is \"signed\" needs a token: vitrine sign PATH.\n");
}

/* Opening a store makes its folders: an administrator who looks at an asset
 * on a machine without one, or as another user, must not leave any behind. */
static struct store *
open_store_if_there(const struct store_config *config)
{
	struct failure why = { 0 };
	char probe[PATH_MAX];

	snprintf(probe, sizeof(probe), "%s/originals", config->root);
	if (access(probe, W_OK | X_OK) == -1)
		return NULL;
	return store_open(config, &why);
}

static int
run_inspect(struct invocation *invocation)
{
	struct inspection inspection = {
		.context = invocation->context,
		.deadline = deadline_in_ms(INSPECT_TIMEOUT_MS)
	};
	struct failure why = { 0 };

	inspection.catalog = context_catalog(invocation->context);
	if (inspection.catalog == NULL)
		return EX_CONFIG;
	if (!catalog_find_fresh(inspection.catalog, span_of(invocation->operands[0]), inspection.deadline,
	    &inspection.asset, &why)) {
		complain_of(invocation->operands[0], &why);
		return EXIT_FAILURE;
	}
	inspection.store = open_store_if_there(&invocation->context->settings.store);
	print_row(&inspection.asset);
	print_at_origin(&inspection);
	print_on_disk(&inspection);
	print_in_ring(&inspection);
	print_quarantine(&inspection);
	print_urls(&inspection);
	if (inspection.store != NULL)
		store_close(inspection.store);
	return exit_status_of_output();
}

static const struct command_option options[] = { { 0 } };

const struct command inspect_command = {
	.name = "inspect",
	.operands = "ASSET",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "show all that is known about one asset",
	.manual =
	    "Shows the row as the primary database has it, whether the object is at its origin\n"
	    "as the row says, whether the original is on this machine's disk, which version\n"
	    "the servers are told at this moment, and what the common URLs give: their size in\n"
	    "pixels, whether everybody may ask for them or a signature is needed, and whether\n"
	    "this machine has them.\n\n"
	    "Of the colours, the first is the dominant one, the others are a palette, the\n"
	    "largest area first.",
	.options = options,
	.run = run_inspect,
};
