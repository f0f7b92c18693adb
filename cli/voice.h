/*
 * voice - how the program speaks: results on standard output, everything else
 * on standard error, one line each.
 *
 * What comes from outside (keys, file names, details that quote them) is
 * printed with control characters as \xHH, so that no object's name can move
 * the cursor or fake a line.
 */
#ifndef CLI_VOICE_H
#define CLI_VOICE_H

#include "base/failure.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>

/* "vitrine: ..." */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "vitrine: subject: detail" */
void complain_of(const char *subject, const struct failure *why);

/* "vitrine: ... (see: vitrine help COMMAND)" */
void complain_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* With control characters, backslash and what is no UTF-8 as \xHH. */
void print_safely(FILE *to, struct span text);

/* Whether standard output still takes what is written; ask after each line. */
bool output_is_fine(void);

/* What a command that worked so far returns last: flushes standard output.
 * That its reader has left (`vitrine list | head`) is no failure. */
int exit_status_of_output(void);

#endif
