/*
 * settings.c - from the INI file and the environment to struct settings.
 *
 * Order: the table's defaults, the file, the environment; then what can only
 * be checked as a whole.  Values are kept as text until the end, so that the
 * last one that was said counts and only that one is parsed.
 */
#include "settings/settings.h"

#include "base/check.h"
#include "base/file.h"
#include "recipe/recipe.h"
#include "settings/settings_table.h"
#include "settings/settings_value.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 8192,
	SECRET_MAX_BYTES = 4096
};

/* What was said for a row of a table, and where. */
struct said {
	const char *value;
	const char *where;
};

struct loader {
	struct arena *arena;
	struct settings *settings;
	struct failure *why;
	const char *path;
	char *const *environment;
	FILE *file;
	unsigned line;
	bool line_was_too_long;
	struct said *said;					/* by row of settings_table */
	struct said *item_said[FAMILIES_MAX][FAMILY_ITEMS_MAX];	/* by row of the family */
};

static const char *
position(const struct loader *loader)
{
	return arena_printf(loader->arena, "%s:%u", loader->path, loader->line);
}

/* ---- sections with a name ------------------------------------------------------- */

/* The family of "origin.designs", with "designs" in *name; NULL when it is none. */
static const struct settings_family *
family_of(const char *section, const char **name)
{
	for (unsigned i = 0; i < settings_family_count; i++) {
		size_t length = strlen(settings_families[i].word);

		if (strncmp(section, settings_families[i].word, length) == 0 && section[length] == '.') {
			*name = section + length + 1;
			return &settings_families[i];
		}
	}
	return NULL;
}

/* Where the item of this name keeps what was said; made when it is new, NULL
 * when there is no room. */
static struct said *
said_of_item(struct loader *loader, const struct settings_family *family, const char *name)
{
	struct said **said = loader->item_said[family - settings_families];
	unsigned *count = settings_item_count(loader->settings, family);

	for (unsigned i = 0; i < *count; i++)
		if (strcmp(settings_item_name(loader->settings, family, i), name) == 0)
			return said[i];
	if (*count == family->max)
		return NULL;
	*(const char **)settings_item(loader->settings, family, *count) = arena_copy_string(loader->arena, name);
	said[*count] = arena_alloc(loader->arena, family->row_count * sizeof(struct said));
	return said[(*count)++];
}

static bool
say_item(struct loader *loader, const struct settings_family *family, const char *item_name, const char *name,
    const char *value)
{
	size_t length = strlen(item_name);
	struct said *said;

	if (length == 0 || length > family->name_max || strspn(item_name, family->alphabet) != length)
		return fail(loader->why, FAIL_INTERNAL, "%s: the name in [%s.%.64s] must be 1 to %zu of %s",
		    position(loader), family->word, item_name, family->name_max, family->alphabet);
	said = said_of_item(loader, family, item_name);
	if (said == NULL)
		return fail(loader->why, FAIL_INTERNAL, "%s: [%s.%s] is one too many, limit %u", position(loader),
		    family->word, item_name, family->max);
	for (unsigned row = 0; row < family->row_count; row++)
		if (strcmp(family->rows[row].name, name) == 0) {
			said[row] = (struct said){ arena_copy_string(loader->arena, value), position(loader) };
			return true;
		}
	return fail(loader->why, FAIL_INTERNAL, "%s: [%s.%s] has no setting '%.64s'", position(loader), family->word,
	    item_name, name);
}

/* ---- presets and keys ------------------------------------------------------------ */

static bool
add_preset(struct loader *loader, const char *name, const char *text)
{
	struct failure because = { 0 };

	if (preset_add(&loader->settings->presets, arena_copy_string(loader->arena, name),
	    arena_copy_string(loader->arena, text), &because))
		return true;
	return fail(loader->why, FAIL_INTERNAL, "%s: %.200s", position(loader), because.detail);
}

/* A literal, or "file:/path" for the content of that file. */
static bool
read_secret(struct loader *loader, const char *where, const char *text, const char **secret)
{
	struct failure because = { 0 };
	size_t length;
	char *content;

	if (strncmp(text, "file:", 5) != 0) {
		*secret = text;
		return true;
	}
	if (!file_read_small(loader->arena, text + 5, SECRET_MAX_BYTES, &content, &length, &because))
		return fail(loader->why, FAIL_INTERNAL, "%s: %.200s", where, because.detail);
	if (length > 0 && content[length - 1] == '\n')
		content[--length] = '\0';
	if (strlen(content) != length)
		return fail(loader->why, FAIL_INTERNAL, "%s: %.180s holds a NUL byte", where, text + 5);
	*secret = content;
	return true;
}

/* VITRINE_<SECTION>_<NAME>, both in upper case. */
static const char *
variable_of(struct arena *arena, const char *section, const char *name)
{
	char *variable = arena_printf(arena, "VITRINE_%s_%s", section, name);

	for (char *at = variable; *at != '\0'; at++)
		*at = *at == '.' || *at == '-' ? '_' : (char)toupper((unsigned char)*at);
	return variable;
}

static const char *
environment_value(char *const *environment, const char *variable)
{
	size_t length = strlen(variable);

	for (; environment != NULL && *environment != NULL; environment++)
		if (strncmp(*environment, variable, length) == 0 && (*environment)[length] == '=')
			return *environment + length + 1;
	return NULL;
}

static bool
add_key(struct loader *loader, const char *id, const char *value)
{
	const char *variable = variable_of(loader->arena, "KEYS", id);
	const char *override = environment_value(loader->environment, variable);
	const char *where = override != NULL ? variable : position(loader);
	struct failure because = { 0 };
	const char *secret;

	if (!read_secret(loader, where, override != NULL ? override : value, &secret))
		return false;
	secret = arena_copy_string(loader->arena, secret);
	if (token_keys_add(&loader->settings->keys, arena_copy_string(loader->arena, id), secret, strlen(secret),
	    &because))
		return true;
	return fail(loader->why, FAIL_INTERNAL, "%s: %.200s", where, because.detail);
}

/* ---- the file ------------------------------------------------------------------ */

static int
on_pair(void *state, const char *section, const char *name, const char *value)
{
	struct loader *loader = state;
	const struct settings_family *family;
	bool section_is_known = false;
	const char *item_name;

	if (loader->why->kind != FAIL_NONE)
		return 0;
	family = family_of(section, &item_name);
	if (family != NULL)
		return say_item(loader, family, item_name, name, value);
	if (strcmp(section, "presets") == 0)
		return add_preset(loader, name, value);
	if (strcmp(section, "keys") == 0)
		return add_key(loader, name, value);
	for (unsigned row = 0; row < settings_table_count; row++) {
		if (strcmp(settings_table[row].section, section) != 0)
			continue;
		section_is_known = true;
		if (strcmp(settings_table[row].name, name) == 0) {
			loader->said[row] = (struct said){ arena_copy_string(loader->arena, value), position(loader) };
			return 1;
		}
	}
	if (section_is_known)
		return fail(loader->why, FAIL_INTERNAL, "%s: [%s] has no setting '%.64s'", position(loader), section,
		    name);
	return fail(loader->why, FAIL_INTERNAL, "%s: there is no section [%.64s]", position(loader), section);
}

/* inih gives no line numbers to its handler, so we count. */
static char *
read_line(char *line, int size, void *state)
{
	struct loader *loader = state;
	char *got = fgets(line, size, loader->file);

	if (got != NULL) {
		loader->line++;
		if (strchr(line, '\n') == NULL && !feof(loader->file)) {
			loader->line_was_too_long = true;
			return NULL;
		}
	}
	return got;
}

static bool
read_ini_file(struct loader *loader)
{
	int bad_line;

	/* Debian's inih takes these at run time; its own limit would cut lines silently. */
	ini_use_stack = false;
	ini_max_line = LINE_MAX_BYTES;
	ini_initial_alloc = LINE_MAX_BYTES;
	ini_allow_multiline = false;
	loader->file = fopen(loader->path, "re");
	if (loader->file == NULL)
		return fail(loader->why, FAIL_INTERNAL, "cannot open %s: %s", loader->path, strerror(errno));
	bad_line = ini_parse_stream(read_line, loader, on_pair, loader);
	fclose(loader->file);
	if (loader->why->kind != FAIL_NONE)
		return false;
	if (loader->line_was_too_long)
		return fail(loader->why, FAIL_INTERNAL, "%s: longer than %d bytes", position(loader), LINE_MAX_BYTES);
	if (bad_line != 0)
		return fail(loader->why, FAIL_INTERNAL, "%s:%d: neither a [section], nor name = value, nor a comment",
		    loader->path, bad_line);
	return true;
}

/* ---- the environment ----------------------------------------------------------- */

/* A variable that carries one of our section names must be a setting: a
 * misspelt override that is silently ignored costs somebody a night. */
static bool
refuse_unknown_variables(struct loader *loader)
{
	char *const *environment = loader->environment;

	for (; environment != NULL && *environment != NULL; environment++) {
		const char *equals = strchr(*environment, '=');
		bool names_a_section = false, is_known = false;
		char *name;

		if (equals == NULL || strncmp(*environment, "VITRINE_", 8) != 0)
			continue;
		name = arena_copy_bytes(loader->arena, *environment, (size_t)(equals - *environment));
		for (unsigned row = 0; row < settings_table_count; row++) {
			const char *prefix = variable_of(loader->arena, settings_table[row].section, "");

			names_a_section |= strncmp(name, prefix, strlen(prefix)) == 0;
			is_known |= strcmp(name, variable_of(loader->arena, settings_table[row].section,
			    settings_table[row].name)) == 0;
		}
		if (names_a_section && !is_known)
			return fail(loader->why, FAIL_INTERNAL, "the environment variable %.64s is no setting", name);
	}
	return true;
}

static void
override(struct loader *loader, const char *section, const struct setting *setting, struct said *said)
{
	const char *variable = variable_of(loader->arena, section, setting->name);
	const char *value = environment_value(loader->environment, variable);

	if (value != NULL)
		*said = (struct said){ value, variable };
}

static void
override_family(struct loader *loader, const struct settings_family *family)
{
	for (unsigned i = 0; i < *settings_item_count(loader->settings, family); i++) {
		const char *section = arena_printf(loader->arena, "%s.%s", family->word,
		    settings_item_name(loader->settings, family, i));

		for (unsigned row = 0; row < family->row_count; row++)
			override(loader, section, &family->rows[row],
			    &loader->item_said[family - settings_families][i][row]);
	}
}

static bool
read_environment(struct loader *loader)
{
	for (unsigned row = 0; row < settings_table_count; row++)
		override(loader, settings_table[row].section, &settings_table[row], &loader->said[row]);
	for (unsigned i = 0; i < settings_family_count; i++)
		override_family(loader, &settings_families[i]);
	return refuse_unknown_variables(loader);
}

/* ---- all together -------------------------------------------------------------- */

static bool
apply_row(struct loader *loader, const struct setting *setting, const struct said *said, void *base)
{
	const char *text = said->value != NULL ? said->value : setting->fallback;
	const char *where = said->where != NULL ? said->where : "default";
	struct failure because = { 0 };

	if (setting->type == SETTING_SECRET && !read_secret(loader, where, text, &text))
		return false;
	if (setting_parse(setting, text, loader->arena, base, &because))
		return true;
	return fail(loader->why, FAIL_INTERNAL, "%s: %s: %.180s", where, setting->name, because.detail);
}

static bool
apply_family(struct loader *loader, const struct settings_family *family)
{
	for (unsigned i = 0; i < *settings_item_count(loader->settings, family); i++)
		for (unsigned row = 0; row < family->row_count; row++)
			if (!apply_row(loader, &family->rows[row],
			    &loader->item_said[family - settings_families][i][row],
			    settings_item(loader->settings, family, i)))
				return false;
	return true;
}

static bool
apply(struct loader *loader)
{
	for (unsigned row = 0; row < settings_table_count; row++)
		if (!apply_row(loader, &settings_table[row], &loader->said[row], loader->settings))
			return false;
	for (unsigned i = 0; i < settings_family_count; i++)
		if (!apply_family(loader, &settings_families[i]))
			return false;
	return true;
}

static bool
check_watermarks(const struct dressing_config *dressing, struct failure *why)
{
	for (unsigned i = 0; i < dressing->watermark_count; i++) {
		const struct watermark *watermark = &dressing->watermarks[i];

		if ((watermark->asset[0] != '\0') == (watermark->file[0] != '\0'))
			return fail(why, FAIL_INTERNAL, "[watermark.%s] needs an asset or a file, and not both",
			    watermark->name);
		if (watermark->asset[0] != '\0' && !asset_id_is_valid(span_of(watermark->asset)))
			return fail(why, FAIL_INTERNAL, "[watermark.%s] asset: '%.80s' is no asset's id",
			    watermark->name, watermark->asset);
	}
	return true;
}

/* A preset is parsed when it is added, but it may stand before the watermarks. */
static bool
check_presets(const struct settings *settings, struct failure *why)
{
	for (unsigned i = 0; i < settings->presets.count; i++) {
		const struct preset *preset = &settings->presets.presets[i];
		struct recipe recipe;

		if (!recipe_parse(span_of(preset->text), &settings->presets, &recipe, why))
			return false;
		if (recipe.watermark[0] != '\0' && watermark_find(&settings->dressing, recipe.watermark) == NULL)
			return fail(why, FAIL_INTERNAL, "preset @%s: there is no [watermark.%s]", preset->name,
			    recipe.watermark);
	}
	return true;
}

static bool
set_default_preset(struct settings *settings, struct failure *why)
{
	struct failure because = { 0 };

	if (settings->default_preset[0] == '\0' ||
	    preset_set_default(&settings->presets, settings->default_preset, &because))
		return true;
	return fail(why, FAIL_INTERNAL, "[policy] default_preset: %.200s", because.detail);
}

/* What we write into headers and URLs. */
static bool
check_printable(const char *name, const char *value, struct failure *why)
{
	for (const char *at = value; *at != '\0'; at++)
		if (*at <= ' ' || *at > '~')
			return fail(why, FAIL_INTERNAL, "%s may hold printable ASCII without spaces only", name);
	return true;
}

static struct origin_config *
find_origin(struct settings *settings, const char *name)
{
	for (unsigned i = 0; i < settings->origin_count; i++)
		if (strcmp(settings->origins[i].name, name) == 0)
			return &settings->origins[i];
	return NULL;
}

static bool
find_fallbacks(struct settings *settings, struct failure *why)
{
	for (unsigned i = 0; i < settings->origin_count; i++) {
		struct origin_config *origin = &settings->origins[i];

		if (origin->fallback_name[0] == '\0')
			continue;
		origin->fallback = find_origin(settings, origin->fallback_name);
		if (origin->fallback == NULL)
			return fail(why, FAIL_INTERNAL, "[origin.%s] fallback: there is no [origin.%.64s]",
			    origin->name, origin->fallback_name);
		/* Ends: what was linked before has no circle. */
		for (const struct origin_config *next = origin->fallback; next != NULL; next = next->fallback)
			if (next == origin)
				return fail(why, FAIL_INTERNAL, "[origin.%s] fallback: it goes in a circle",
				    origin->name);
	}
	return true;
}

/* What no single row can know. */
static bool
check_together(struct settings *settings, struct failure *why)
{
	if (!check_watermarks(&settings->dressing, why) || !check_presets(settings, why) ||
	    !find_fallbacks(settings, why) ||
	    !check_printable("[server] url_prefix", settings->server.url_prefix, why) ||
	    !check_printable("[http] accel_prefix", settings->http.accel_prefix, why) ||
	    !check_printable("[http] allow_origin", settings->http.allow_origin, why))
		return false;
	for (unsigned i = 0; i < settings->origin_count; i++) {
		const struct origin_config *origin = &settings->origins[i];

		if (origin->kind == ORIGIN_S3 && origin->bucket[0] == '\0')
			return fail(why, FAIL_INTERNAL, "[origin.%s] needs a bucket", origin->name);
		if (origin->kind == ORIGIN_DIRECTORY && origin->root[0] == '\0')
			return fail(why, FAIL_INTERNAL, "[origin.%s] needs a root", origin->name);
	}
	if (settings->server.slow_responders >= settings->server.responders && settings->server.responders > 1)
		return fail(why, FAIL_INTERNAL,
		    "[server] slow_responders (%u) must be below responders (%u), so that some stay free for hits",
		    settings->server.slow_responders, settings->server.responders);
	if (settings->catalog.soft_lifetime_s > settings->catalog.hard_lifetime_s)
		return fail(why, FAIL_INTERNAL, "[catalog] soft_lifetime_s is longer than hard_lifetime_s");
	if (settings->server.url_prefix[0] != '\0' &&
	    (settings->server.url_prefix[0] != '/' ||
	     settings->server.url_prefix[strlen(settings->server.url_prefix) - 1] == '/'))
		return fail(why, FAIL_INTERNAL, "[server] url_prefix begins with a slash and ends without one");
	return true;
}

/* All servers of the catalog share name, user, password and time limits. */
static void
complete_replicas(struct catalog_config *catalog)
{
	for (unsigned i = 0; i < catalog->replica_count; i++) {
		struct database_config replica = catalog->primary;

		replica.host = catalog->replicas[i].host;
		replica.port = catalog->replicas[i].port;
		catalog->replicas[i] = replica;
	}
}

static void
complete_dressing(struct settings *settings)
{
	for (unsigned i = 0; i < settings->dressing.watermark_count; i++)
		settings->dressing.watermarks[i].fd = -1;
	/* What is drawn on every picture must not be missing from an original. */
	settings->policy.credit_is_imposed = settings->dressing.credit_is_imposed;
}

enum {
	RENDERERS_MAX = 256,	/* as the table says of the setting */
	PIXELS_PER_MEGAPIXEL = 1000 * 1000
};

static void
complete_renderers(struct render_settings *render)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	render->limits = (struct image_limits){
		.max_pixels = (uint64_t)render->max_megapixels * PIXELS_PER_MEGAPIXEL,
		.max_animation_pixels = (uint64_t)render->max_animation_megapixels * PIXELS_PER_MEGAPIXEL,
		.max_frames = render->max_frames,
		.max_output_bytes = render->process.max_output_bytes,
	};
	if (render->renderers == 0)
		render->renderers = cores < 1 ? 1 : cores > RENDERERS_MAX ? RENDERERS_MAX : (unsigned)cores;
}

bool
settings_load(struct arena *arena, const char *path, char *const *environment, struct settings *settings,
    struct failure *why)
{
	struct loader loader = { .arena = arena, .settings = settings, .why = why, .path = path,
		.environment = environment };

	memset(settings, 0, sizeof(*settings));
	loader.said = arena_alloc(arena, settings_table_count * sizeof(struct said));
	if (path != NULL && !read_ini_file(&loader))
		return false;
	if (!read_environment(&loader) || !apply(&loader) || !set_default_preset(settings, why) ||
	    !check_together(settings, why))
		return false;
	complete_replicas(&settings->catalog);
	complete_dressing(settings);
	complete_renderers(&settings->render);
	return true;
}
