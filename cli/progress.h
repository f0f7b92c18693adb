/*
 * progress - how far a long command is, on standard error: one line that is
 * refreshed on a terminal, a line every few seconds elsewhere.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool is_terminal, line_is_shown;
	int64_t started_us, shown_us;
};

void progress_init(struct progress *progress);

/* Whether it is time to show something; ask before making the text. */
bool progress_is_due(const struct progress *progress);
void progress_show(struct progress *progress, const char *text);

/* Removes the line, so that something else can be printed. */
void progress_clear(struct progress *progress);

double progress_elapsed_s(const struct progress *progress);

#endif
