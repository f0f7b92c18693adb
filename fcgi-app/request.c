#include "fcgi-app/request.h"

const char *
request_tier_name(enum request_tier tier)
{
	static const char *const names[TIER_COUNT] = {
		[TIER_NONE] = "none",
		[TIER_CONDITIONAL] = "conditional",
		[TIER_INFO] = "info",
		[TIER_STORE] = "store",
		[TIER_JOINED] = "joined",
		[TIER_NEIGHBOUR] = "neighbour",
		[TIER_FETCHED] = "fetched",
		[TIER_RENDERED] = "rendered",
	};

	return names[tier];
}

const char *
request_step_name(enum request_step step)
{
	static const char *const names[STEP_COUNT] = {
		[STEP_CATALOG] = "catalog",
		[STEP_WAIT] = "wait",
		[STEP_ORIGIN] = "origin",
		[STEP_RENDER] = "render",
		[STEP_STORE] = "store",
		[STEP_SEND] = "send",
	};

	return names[step];
}

struct span
request_look_at(struct request *request, enum request_field field)
{
	request->looked_at[field] = true;
	return request->fields[field];
}

const char *
request_vary(const struct request *request)
{
	static const char *const names[FIELD_COUNT] = {
		[FIELD_ACCEPT] = "Accept",
		[FIELD_SAVE_DATA] = "Save-Data",
		[FIELD_SEC_CH_WIDTH] = "Sec-CH-Width",
		[FIELD_WIDTH] = "Width",
		[FIELD_SEC_CH_DPR] = "Sec-CH-DPR",
		[FIELD_DPR] = "DPR",
	};
	const char *vary = NULL;	/* without spaces, as Apache would rewrite it */

	for (enum request_field field = 0; field < FIELD_COUNT; field++)
		if (request->looked_at[field])
			vary = vary == NULL ? names[field] : arena_printf(request->arena, "%s,%s", vary, names[field]);
	return vary;
}

bool
request_client_is_gone(const struct request *request)
{
	struct pollfd ends[2] = { request->ends[0], request->ends[1] };

	return poll(ends, 2, 0) > 0;
}

void
request_note_step(struct request *request, enum request_step step, int64_t *from_us)
{
	int64_t now_us = monotonic_us();

	request->step_us[step] += now_us - *from_us;
	*from_us = now_us;
}
