/*
 * settings - the configuration, as values that the modules take.
 *
 * Read once at start from an INI file and from environment variables that
 * override it: [store] root is VITRINE_STORE_ROOT.  One table
 * (settings_table.c) drives parsing, range checks, --print-config and
 * docs/configuration.md, so a setting cannot exist without a default, a range
 * and a sentence.  Unknown names are errors that say file and line.
 *
 * A secret may be written "file:/path", and is then the content of that file
 * without its last line end.  Secrets are never printed.
 *
 * This is the one folder of lib/ that reads configuration; only the programs
 * include it, and every module below gets its part as a plain struct.
 */
#ifndef SETTINGS_SETTINGS_H
#define SETTINGS_SETTINGS_H

#include "asset/dressing.h"
#include "asset/policy.h"
#include "asset/token.h"
#include "base/arena.h"
#include "base/failure.h"
#include "catalog/catalog.h"
#include "http/media.h"
#include "image/description.h"
#include "origin/origin.h"
#include "peers/peers.h"
#include "recipe/preset.h"
#include "render/renderer_process.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

enum { SETTINGS_ORIGINS_MAX = 16, SETTINGS_AUTO_FORMATS_MAX = 4 };

/* How a file reaches the client. */
enum send_method {
	SEND_BODY = 0,	/* through FastCGI */
	SEND_ACCEL,	/* X-Accel-Redirect: nginx sends it */
	SEND_SENDFILE,	/* X-Sendfile: Apache's mod_xsendfile or lighttpd sends it */
	SEND_COUNT
};

struct server_settings {
	const char *listen;		/* "unix:/path" or "127.0.0.1:9000" */
	unsigned socket_mode;
	const char *socket_group;
	unsigned responders;
	unsigned slow_responders;
	unsigned row_lifetime_ms;
	uint64_t share_bytes;		/* variants up to this size are shared through the ring */
	unsigned request_timeout_ms;
	unsigned drain_s;
	unsigned requests_per_responder;
	const char *url_prefix;
};

struct http_settings {
	enum send_method send;
	const char *accel_prefix;
	unsigned max_age_s;
	unsigned interim_max_age_s;	/* of a picture whose better format is still to come */
	unsigned error_max_age_s;
	enum media auto_formats[SETTINGS_AUTO_FORMATS_MAX];	/* in order of preference */
	unsigned auto_format_count;
	bool obeys_save_data;
	bool uses_client_hints;
	const char *allow_origin;
};

struct render_settings {
	struct renderer_config process;	/* program as it was written: see renderer_find_program() */
	unsigned renderers;		/* at least 1: "0" has become the number of cores */
	unsigned queue;
	unsigned timeout_ms;
	unsigned backlog_ms;		/* of estimated work for each renderer */
	unsigned heavy_ms;		/* jobs estimated at more never take the last renderer */
	unsigned ahead;			/* jobs at once that nobody waits for */
	unsigned max_megapixels, max_animation_megapixels, max_frames;
	struct image_limits limits;	/* the same, as jobs carry it */
	struct sandbox_parts sandbox;	/* what this machine has of it: see renderer_check_sandbox() */
};

struct settings {
	struct server_settings server;
	struct http_settings http;
	struct render_settings render;
	struct store_config store;
	struct catalog_config catalog;
	struct peers_config peers;
	struct policy_config policy;
	struct origin_config origins[SETTINGS_ORIGINS_MAX];
	unsigned origin_count;
	struct dressing_config dressing;	/* files are not opened: see watermark_open() */
	struct preset_set presets;
	const char *default_preset;		/* as it was written: presets knows it too */
	struct token_keys keys;
};

/*
 * path may be NULL: defaults and the environment only.  Everything in
 * *settings lives in the arena.  FAIL_INTERNAL: "vitrine.ini:12: ...".
 */
bool settings_load(struct arena *arena, const char *path, char *const *environment,
    struct settings *settings, struct failure *why) __attribute__((warn_unused_result));

/* The effective settings as an INI file that settings_load() reads, without
 * the secrets. */
void settings_print(const struct settings *settings, struct text *out);

/* docs/configuration.md's tables. */
void settings_print_reference(struct text *out);

#endif
