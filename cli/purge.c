/*
 * purge.c - makes every variant of an asset stale, on every server.
 */
#include "cli/command.h"
#include "cli/tell_ring.h"
#include "cli/voice.h"

#include <inttypes.h>
#include <limits.h>

enum { PURGE_TIMEOUT_MS = 10000 };

static bool
purge(struct catalog *catalog, const char *id)
{
	struct failure why = { 0 };
	uint64_t version;

	if (!asset_id_is_valid(span_of(id)))
		fail(&why, FAIL_BAD_REQUEST, "no asset id: 1 to %d of A-Z a-z 0-9 _ -", ASSET_ID_MAX);
	else if (catalog_purge(catalog, span_of(id), deadline_in_ms(PURGE_TIMEOUT_MS), &version, &why)) {
		printf("%s\t%" PRIu64 "\n", id, version);
		return true;
	}
	complain_of(id, &why);
	return false;
}

static int
run_purge(struct invocation *invocation)
{
	struct catalog *catalog = context_catalog(invocation->context);
	bool all_were_purged = true;

	if (catalog == NULL)
		return EX_CONFIG;
	for (unsigned i = 0; i < invocation->operand_count; i++)
		all_were_purged &= purge(catalog, invocation->operands[i]);
	tell_ring(catalog, &invocation->context->settings);
	if (!all_were_purged) {
		(void)exit_status_of_output();
		return EXIT_FAILURE;
	}
	return exit_status_of_output();
}

static const struct command_option options[] = { { 0 } };

const struct command purge_command = {
	.name = "purge",
	.operands = "ASSET...",
	.min_operands = 1,
	.max_operands = UINT_MAX,
	.summary = "make every size and format of an asset stale",
	.manual =
	    "Bumps the version of each asset, so that every size and format of it is made anew\n"
	    "on every server, and gets another ETag. Prints each id with its new version,\n"
	    "separated by a tab. An asset that does not exist is told, the others are purged.\n\n"
	    TELL_RING_MANUAL
    "What browsers and CDNs hold, they hold until its max-age is over.",
	.options = options,
	.run = run_purge,
};
