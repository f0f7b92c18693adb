#include "cli/progress.h"

#include "base/deadline.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { TERMINAL_INTERVAL_US = 100 * 1000, FILE_INTERVAL_US = 5 * 1000 * 1000, USUAL_COLUMNS = 80 };

void
progress_init(struct progress *progress)
{
	*progress = (struct progress){ .is_terminal = isatty(STDERR_FILENO), .started_us = monotonic_us() };
	progress->shown_us = progress->started_us;
}

bool
progress_is_due(const struct progress *progress)
{
	return monotonic_us() - progress->shown_us >= (progress->is_terminal ? TERMINAL_INTERVAL_US : FILE_INTERVAL_US);
}

/* A line that wraps could not be taken back. */
static int
columns_of_terminal(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_col < 2)
		return USUAL_COLUMNS;
	return size.ws_col;
}

void
progress_show(struct progress *progress, const char *text)
{
	progress->shown_us = monotonic_us();
	progress->line_is_shown = progress->is_terminal;
	if (progress->is_terminal)
		fprintf(stderr, "\r\033[K%.*s", columns_of_terminal() - 1, text);
	else
		fprintf(stderr, "%s\n", text);
}

void
progress_clear(struct progress *progress)
{
	if (progress->line_is_shown)
		fputs("\r\033[K", stderr);
	progress->line_is_shown = false;
}

double
progress_elapsed_s(const struct progress *progress)
{
	return (double)(monotonic_us() - progress->started_us) / 1e6;
}
