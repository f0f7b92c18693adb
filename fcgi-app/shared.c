#include "fcgi-app/shared.h"

#include "base/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bumped when struct shared changes in a way its size does not show. */
enum { LAYOUT = 1 };

static void *
map_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	struct stat status;
	void *page = MAP_FAILED;

	if (fd == -1)
		return NULL;
	/* Only ever grown: cutting a file that others have mapped would kill them. */
	if (fstat(fd, &status) == 0 && (status.st_size >= (off_t)sizeof(struct shared) ||
	    posix_fallocate(fd, 0, sizeof(struct shared)) == 0))
		page = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return page == MAP_FAILED ? NULL : page;
}

struct shared *
shared_open(const char *store_root)
{
	char path[4096];
	void *page = NULL;

	/* The layout is in the name, so that an upgrade never meets old numbers. */
	if (snprintf(path, sizeof(path), "%s/shared.%d.%zu", store_root, LAYOUT, sizeof(struct shared)) <
	    (int)sizeof(path))
		page = map_file(path);
	if (page == NULL) {
		page = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(page != MAP_FAILED);
	}
	return page;
}

struct shortcuts *
shortcuts_new(void)
{
	void *page = mmap(NULL, sizeof(struct shortcuts), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(page != MAP_FAILED);
	return page;
}

void
shared_close(struct shared *shared)
{
	munmap(shared, sizeof(*shared));
}
