#include "catalog/untold.h"

#include "asset/asset.h"
#include "base/check.h"

#include <stdlib.h>
#include <string.h>

enum { TELL_AGAIN_MS = 250 };

struct untold {
	char ids[UNTOLD_MAX][ASSET_ID_MAX + 1];
	unsigned count;
	unsigned beyond;
};

void
untold_add(struct untold **untold, struct span id)
{
	struct untold *all = *untold;

	CHECK(id.length <= ASSET_ID_MAX);
	if (all == NULL)
		all = *untold = calloc(1, sizeof(*all));
	CHECK(all != NULL);
	if (all->count == UNTOLD_MAX) {
		all->beyond++;
		return;
	}
	memcpy(all->ids[all->count], id.at, id.length);
	all->ids[all->count++][id.length] = '\0';
}

unsigned
untold_tell(struct untold *untold, bool (*tell)(void *state, struct span id, struct deadline deadline), void *state,
    struct deadline deadline)
{
	if (untold == NULL)
		return 0;
	while (untold->count > 0 && !deadline_has_passed(deadline)) {
		unsigned left = 0;

		for (unsigned i = 0; i < untold->count; i++)
			if (deadline_has_passed(deadline) || !tell(state, span_of(untold->ids[i]), deadline))
				memmove(untold->ids[left++], untold->ids[i], sizeof(untold->ids[i]));
		untold->count = left;
		if (left > 0)
			deadline_sleep_ms(deadline, TELL_AGAIN_MS);
	}
	return untold->count + untold->beyond;
}
