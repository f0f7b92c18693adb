/*
 * release.c - takes assets out of quarantine, on every server.
 */
#include "catalog/quarantine.h"
#include "cli/command.h"
#include "cli/voice.h"

#include <limits.h>

enum { RELEASE_TIMEOUT_MS = 10000 };

static bool
release(struct context *context, struct catalog *catalog, const char *id)
{
	struct failure why = { 0 };
	struct asset asset;

	if (!catalog_find_fresh(catalog, span_of(id), deadline_in_ms(RELEASE_TIMEOUT_MS), &asset, &why)) {
		complain_of(id, &why);
		return false;
	}
	switch (quarantine_release(context->peers, &asset)) {
	case PEER_HIT:
		printf("%s\treleased\n", id);
		return true;
	case PEER_MISS:
		printf("%s\thad no record\n", id);
		return true;
	default:
		fail(&why, FAIL_UNAVAILABLE, "the memcached that keeps its record does not answer");
		complain_of(id, &why);
		return false;
	}
}

static int
run_release(struct invocation *invocation)
{
	struct catalog *catalog = context_catalog(invocation->context);
	bool all_were_released = true;

	if (catalog == NULL)
		return EX_CONFIG;
	for (unsigned i = 0; i < invocation->operand_count; i++)
		all_were_released &= release(invocation->context, catalog, invocation->operands[i]);
	if (!all_were_released) {
		(void)exit_status_of_output();
		return EXIT_FAILURE;
	}
	return exit_status_of_output();
}

static const struct command_option options[] = { { 0 } };

const struct command release_command = {
	.name = "release",
	.operands = "ASSET...",
	.min_operands = 1,
	.max_operands = UINT_MAX,
	.summary = "take an asset out of quarantine",
	.manual =
	    "An asset whose original has ended three renderers is refused with 422 for an hour\n"
	    "after the last time, on every server; `vitrine inspect` shows it. This forgets\n"
	    "the record, so that it is tried again. A new version of the asset (`import`,\n"
	    "`purge`, `set`) has a clean record anyway.\n\n"
	    "Servers that have refused the picture go on doing so for as long as clients may\n"
	    "keep the refusal (`error_max_age_s`).",
	.options = options,
	.run = run_release,
};
