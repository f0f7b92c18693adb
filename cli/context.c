#include "cli/context.h"

#include "base/check.h"
#include "cli/voice.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SETTINGS_PATH "/etc/vitrine/vitrine.ini"

bool
context_load_settings(struct context *context)
{
	struct failure why = { 0 };
	const char *path = context->settings_path;

	if (path == NULL)
		path = getenv("VITRINE_CONFIG");
	if (path == NULL || path[0] == '\0')
		path = DEFAULT_SETTINGS_PATH;
	if (settings_load(context->arena, path, environ, &context->settings, &why))
		return true;
	complain("%s", why.detail);
	return false;
}

struct catalog *
context_catalog(struct context *context)
{
	struct peers_config peers = context->settings.peers;
	struct failure why = { 0 };

	if (context->catalog != NULL)
		return context->catalog;
	/* Somebody waits while we tell the ring what was written. */
	peers.retry_after_s = 1;
	context->peers = peers_open(&peers, &why);
	if (context->peers == NULL) {
		complain("%s", why.detail);
		return NULL;
	}
	context->catalog = catalog_open(&context->settings.catalog, context->peers);
	CHECK(context->catalog != NULL);
	return context->catalog;
}

const struct origin_config *
context_origin(const struct context *context, const char *name)
{
	for (unsigned i = 0; i < context->settings.origin_count; i++)
		if (strcmp(context->settings.origins[i].name, name) == 0)
			return &context->settings.origins[i];
	return NULL;
}

void
context_release(struct context *context)
{
	if (context->catalog != NULL)
		catalog_close(context->catalog);
	if (context->peers != NULL)
		peers_close(context->peers);
	arena_free(context->arena);
}
