/*
 * list.c - the assets, one a line, for people and scripts.
 */
#include "cli/command.h"
#include "cli/voice.h"

#include <inttypes.h>
#include <string.h>

#define LIST_TIMEOUT_MS (24 * 60 * 60 * 1000LL)	/* whoever reads our output may be slow */

struct listing {
	const char *origin;		/* only of this one; NULL: all */
	bool is_long;
};

static void
print_columns(const struct asset *asset)
{
	printf("%s\t%" PRIu64 "\t%s\t%ux%u\t%" PRIu64 "\t%s\t%s\t", asset->id, asset->version,
	    media_extension(asset->media), asset->width, asset->height, asset->bytes,
	    asset_visibility_name(asset->visibility), asset->origin);
	print_safely(stdout, span_of(asset->key));
	putchar('\n');
}

static bool
print_asset(void *state, const struct asset *asset)
{
	const struct listing *listing = state;

	if (listing->origin != NULL && strcmp(asset->origin, listing->origin) != 0)
		return true;
	if (listing->is_long)
		print_columns(asset);
	else
		puts(asset->id);
	return output_is_fine();
}

static int
run_list(struct invocation *invocation)
{
	struct listing listing = { invocation_option(invocation, "origin"), invocation_has(invocation, "long") };
	const char *after = invocation_option(invocation, "after");
	struct catalog *catalog = context_catalog(invocation->context);
	struct failure why = { 0 };

	if (catalog == NULL)
		return EX_CONFIG;
	if (!catalog_list(catalog, span_of(after != NULL ? after : ""), deadline_in_ms(LIST_TIMEOUT_MS), print_asset,
	    &listing, &why)) {
		(void)exit_status_of_output();
		complain("%s", why.detail);
		return EXIT_FAILURE;
	}
	return exit_status_of_output();
}

static const struct command_option options[] = {
	{ "long", NULL, "More columns, separated by tabs." },
	{ "origin", "NAME", "Only assets of this origin." },
	{ "after", "ID", "Only ids that come after this one, to continue a list." },
	{ 0 }
};

const struct command list_command = {
	.name = "list",
	.operands = "",
	.summary = "list the assets, one a line",
	.manual =
	    "Prints the ids of all assets, in order, read in pages from a replica, so that\n"
	    "millions are no burden; what was written a moment ago may be missing.\n\n"
	    "With --long the columns are: id, version, format, stored size in pixels, bytes,\n"
	    "visibility, origin, key. Control characters and backslashes in a key are written\n"
	    "\\xHH.",
	.options = options,
	.run = run_list,
};
