/*
 * import - what the importer's processes say to each other, and the plan that
 * all of them know.
 *
 *	listing (import.c) --items--> workers (import_worker.c) --results--> listing
 *	                                  |  one job each
 *	                              renderers
 *
 * One process lists the source and counts the results; workers fetch, have
 * described, upload and register one object at a time; renderers are the only
 * ones to look into a file.  Items and results are single datagrams, plain
 * structs, because all these processes are one program.
 */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include "asset/asset.h"
#include "base/failure.h"
#include "origin/origin.h"
#include "render/render_client.h"
#include "settings/settings.h"

#include <stdbool.h>
#include <stdint.h>

struct import_plan {
	const struct settings *settings;
	struct origin_config source;		/* is listed and read */
	const struct origin_config *target;	/* is what the rows will name */
	bool is_upload;				/* objects are copied to the target; else it is the source */
	const char *list_prefix;		/* of keys in the source */
	const char *key_prefix;			/* uploads: put before the key */
	enum asset_visibility visibility;	/* of new assets, like owner */
	const char *owner;
	unsigned jobs;
	bool is_dry_run, trusts_nothing, takes_any_name, is_verbose;
};

struct import_item {
	uint64_t bytes;
	int64_t modified;
	char etag[ASSET_ETAG_MAX + 1];
	bool wants_distinct_id;			/* an earlier key suggested the same id */
	char key[ASSET_KEY_MAX + 1];		/* in the source; sent up to its NUL */
};

enum import_outcome {
	IMPORT_NEW,
	IMPORT_UNCHANGED,
	IMPORT_CHANGED,
	IMPORT_REFUSED,		/* this file's fault */
	IMPORT_FAILED,		/* somebody else's: the database, the origin, this machine */
	IMPORT_OUTCOME_COUNT
};

struct import_result {
	enum import_outcome outcome;
	struct failure why;			/* of what was refused or failed */
	char id[ASSET_ID_MAX + 1];
	char key[ASSET_KEY_MAX + 1];		/* in the source; sent up to its NUL */
};

#endif
