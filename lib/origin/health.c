#include "origin/health.h"

#include <stddef.h>

bool
origin_health_allows(struct origin_health *health, unsigned pause_ms)
{
	return health == NULL || breaker_allows(&health->breaker, pause_ms);
}

bool
origin_health_is_bad(const struct origin_health *health)
{
	return health != NULL && breaker_is_open(&health->breaker);
}

void
origin_health_note_answer(struct origin_health *health)
{
	if (health == NULL)
		return;
	/* Looked at first: it is zero nearly always, and every process shares the cache line. */
	if (atomic_load_explicit(&health->failures, memory_order_relaxed) != 0)
		atomic_store(&health->failures, 0);
	breaker_close(&health->breaker);
}

/* The count goes on while the breaker is open, so the one that tries after the
 * pause opens it again with its first failure. */
void
origin_health_note_failure(struct origin_health *health, unsigned pause_ms)
{
	if (health != NULL && atomic_fetch_add(&health->failures, 1) + 1 >= HEALTH_FAILURES_MAX)
		breaker_open(&health->breaker, pause_ms);
}

void
origin_health_note_unreachable(struct origin_health *health, unsigned pause_ms)
{
	if (health != NULL)
		breaker_open(&health->breaker, pause_ms);
}
