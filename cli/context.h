/*
 * context - what every command stands on: the settings, and handles made of
 * them when a command asks for one.
 *
 * A handle that cannot be had ends the command; the reason has then been told
 * on standard error.  The importer forks before it asks for any: connections
 * belong to one process.
 */
#ifndef CLI_CONTEXT_H
#define CLI_CONTEXT_H

#include "base/arena.h"
#include "catalog/catalog.h"
#include "origin/origin.h"
#include "peers/peers.h"
#include "settings/settings.h"

struct context {
	struct arena *arena;		/* lives as long as the program */
	const char *settings_path;	/* --config, or NULL */
	struct settings settings;	/* after context_load_settings() */
	struct peers *peers;
	struct catalog *catalog;
};

/* Reads --config, else $VITRINE_CONFIG, else /etc/vitrine/vitrine.ini. */
bool context_load_settings(struct context *context) __attribute__((warn_unused_result));

/* NULL when it cannot be opened. */
struct catalog *context_catalog(struct context *context) __attribute__((warn_unused_result));

/* The configured origin of that name, or NULL. */
const struct origin_config *context_origin(const struct context *context, const char *name);

void context_release(struct context *context);

#endif
