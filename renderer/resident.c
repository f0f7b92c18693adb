#include "renderer/resident.h"

#include "base/check.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int statm = -1;

bool
resident_open(struct failure *why)
{
	statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (statm == -1)
		return fail(why, FAIL_INTERNAL, "/proc/self/statm: %s", strerror(errno));
	return true;
}

/* "total resident shared ..." in pages (proc(5)). */
uint64_t
resident_bytes(void)
{
	char line[128];
	ssize_t got = pread(statm, line, sizeof(line), 0);
	struct span rest, pages;
	uint64_t count;

	CHECK(got > 0);
	rest = span_range(line, (size_t)got);
	span_cut(&rest, ' ');
	pages = span_cut(&rest, ' ');
	CHECK(span_to_u64(pages, 0, UINT64_MAX / 65536, &count));
	return count * (uint64_t)sysconf(_SC_PAGESIZE);
}
