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
	struct said *origin_said[SETTINGS_ORIGINS_MAX];		/* by row of origin_settings_table */
};

static const char *
position(const struct loader *loader)
{
	return arena_printf(loader->arena, "%s:%u", loader->path, loader->line);
}

static struct origin_config *
origin_named(struct loader *loader, const char *name)
{
	struct settings *settings = loader->settings;
	struct origin_config *origin;

	for (unsigned i = 0; i < settings->origin_count; i++)
		if (strcmp(settings->origins[i].name, name) == 0)
			return &settings->origins[i];
	if (settings->origin_count == SETTINGS_ORIGINS_MAX)
		return NULL;
	loader->origin_said[settings->origin_count] = arena_alloc(loader->arena,
	    origin_settings_table_count * sizeof(struct said));
	origin = &settings->origins[settings->origin_count++];
	origin->name = arena_copy_string(loader->arena, name);
	return origin;
}

static bool
origin_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (!islower((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) && name[i] != '_')
			return false;
	return length > 0 && length <= ASSET_ORIGIN_MAX;
}

static bool
say_origin(struct loader *loader, const char *origin_name, const char *name, const char *value)
{
	struct origin_config *origin;

	if (!origin_name_is_valid(origin_name))
		return fail(loader->why, FAIL_INTERNAL, "%s: an origin's name is 1 to %d of a-z, 0-9 and _",
		    position(loader), ASSET_ORIGIN_MAX);
	origin = origin_named(loader, origin_name);
	if (origin == NULL)
		return fail(loader->why, FAIL_INTERNAL, "%s: more than %d origins", position(loader),
		    SETTINGS_ORIGINS_MAX);
	for (unsigned row = 0; row < origin_settings_table_count; row++)
		if (strcmp(origin_settings_table[row].name, name) == 0) {
			loader->origin_said[origin - loader->settings->origins][row] = (struct said){
				arena_copy_string(loader->arena, value), position(loader) };
			return true;
		}
	return fail(loader->why, FAIL_INTERNAL, "%s: an origin has no setting '%.64s'", position(loader), name);
}

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
		*at = *at == '.' ? '_' : (char)toupper((unsigned char)*at);
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
	bool section_is_known = false;

	if (loader->why->kind != FAIL_NONE)
		return 0;
	if (strncmp(section, "origin.", 7) == 0)
		return say_origin(loader, section + 7, name, value);
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

static bool
read_environment(struct loader *loader)
{
	struct settings *settings = loader->settings;

	for (unsigned row = 0; row < settings_table_count; row++) {
		const char *variable = variable_of(loader->arena, settings_table[row].section,
		    settings_table[row].name);
		const char *value = environment_value(loader->environment, variable);

		if (value != NULL)
			loader->said[row] = (struct said){ value, variable };
	}
	for (unsigned i = 0; i < settings->origin_count; i++)
		for (unsigned row = 0; row < origin_settings_table_count; row++) {
			const char *section = arena_printf(loader->arena, "ORIGIN_%s", settings->origins[i].name);
			const char *variable = variable_of(loader->arena, section, origin_settings_table[row].name);
			const char *value = environment_value(loader->environment, variable);

			if (value != NULL)
				loader->origin_said[i][row] = (struct said){ value, variable };
		}
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
apply(struct loader *loader)
{
	struct settings *settings = loader->settings;

	for (unsigned row = 0; row < settings_table_count; row++)
		if (!apply_row(loader, &settings_table[row], &loader->said[row], settings))
			return false;
	for (unsigned i = 0; i < settings->origin_count; i++)
		for (unsigned row = 0; row < origin_settings_table_count; row++)
			if (!apply_row(loader, &origin_settings_table[row], &loader->origin_said[i][row],
			    &settings->origins[i]))
				return false;
	return true;
}

/* What no single row can know. */
static bool
check_together(struct settings *settings, struct failure *why)
{
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
	if (!read_environment(&loader) || !apply(&loader) || !check_together(settings, why))
		return false;
	complete_replicas(&settings->catalog);
	complete_renderers(&settings->render);
	return true;
}
