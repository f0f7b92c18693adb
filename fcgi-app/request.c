#include "fcgi-app/request.h"

const char *
request_tier_name(enum request_tier tier)
{
	static const char *const names[TIER_COUNT] = {
		[TIER_NONE] = "none",
		[TIER_CONDITIONAL] = "conditional",
		[TIER_STORE] = "store",
		[TIER_JOINED] = "joined",
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

void
request_note_step(struct request *request, enum request_step step, int64_t *from_us)
{
	int64_t now_us = monotonic_us();

	request->step_us[step] += now_us - *from_us;
	*from_us = now_us;
}
