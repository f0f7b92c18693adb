#include "renderer/limits.h"

#include "renderer/sanitizer.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

enum {
	OPEN_FILES_MAX = 64,	/* sockets, one job's files, fonts; libvips keeps none open */
	NICENESS = 10,		/* a tenth of the share of a responder, whose hits go first on a busy machine */
	/*
	 * A decoder that was taken over can disarm its job's timer, but not this.  A
	 * renderer leaves by itself after the first, so that one job has the rest:
	 * five minutes, the longest that is configurable, on ten cores.
	 */
	CPU_WORK_S = 600,
	CPU_MAX_S = 3600
};

/* Only ever downwards: whoever started us may already be held to less. */
static bool
set_limit(int resource, const char *name, uint64_t value, struct failure *why)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) == -1)
		return fail(why, FAIL_INTERNAL, "cannot read the limit %s: %s", name, strerror(errno));
	if (limit.rlim_max > value)
		limit.rlim_max = value;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(resource, &limit) == -1)
		return fail(why, FAIL_INTERNAL, "cannot set the limit %s to %llu: %s", name,
		    (unsigned long long)limit.rlim_max, strerror(errno));
	return true;
}

static bool
lower_priority(struct failure *why)
{
	/* -1 is a priority too, and higher than ours. */
	if (getpriority(PRIO_PROCESS, 0) >= NICENESS)
		return true;
	if (setpriority(PRIO_PROCESS, 0, NICENESS) == -1)
		return fail(why, FAIL_INTERNAL, "setpriority: %s", strerror(errno));
	return true;
}

/*
 * Measured over 60 thumbnails: one arena is a tenth smaller and no slower than
 * one per thread.  Buffers of pixels stay in the heap from job to job, because to map each of them
 * anew takes 3 per cent of all time; a renderer without work gives the heap back (serve.c).
 */
static void
arrange_malloc(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 96 << 20);
}

bool
limits_enter(const struct limits *limits, struct failure *why)
{
	arrange_malloc();
	/* A write past RLIMIT_FSIZE shall fail (EFBIG) and be told, not kill. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return fail(why, FAIL_INTERNAL, "SIGXFSZ: %s", strerror(errno));
	if (!lower_priority(why))
		return false;
	/* The sanitizer maps terabytes of shadow memory. */
	if (!HAS_ADDRESS_SANITIZER && limits->memory_bytes != 0 &&
	    !set_limit(RLIMIT_AS, "RLIMIT_AS", limits->memory_bytes, why))
		return false;
	/* Of processes and threads there is no limit: it would count those of all our user's. */
	return set_limit(RLIMIT_CORE, "RLIMIT_CORE", 0, why) &&
	    set_limit(RLIMIT_CPU, "RLIMIT_CPU", CPU_MAX_S, why) &&
	    set_limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", OPEN_FILES_MAX, why) &&
	    set_limit(RLIMIT_FSIZE, "RLIMIT_FSIZE", limits->max_output_bytes, why);
}

bool
limits_are_near(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_utime.tv_sec + usage.ru_stime.tv_sec >= CPU_WORK_S;
}
