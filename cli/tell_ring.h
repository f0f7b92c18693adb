/*
 * tell_ring - what a command that has written rows does before it ends.
 *
 * A memcached that did not answer when a row was written may have an older one, and
 * answer with it later.  It is tried for TELL_RING_S; if that was in vain, one line on
 * standard error says so.  The rows are written all the same, so this is no failure.
 */
#ifndef CLI_TELL_RING_H
#define CLI_TELL_RING_H

#include "catalog/catalog.h"
#include "settings/settings.h"

enum { TELL_RING_S = 3 };

void tell_ring(struct catalog *catalog, const struct settings *settings);

/* For the manuals of those commands. */
#define TELL_RING_MANUAL \
	"When a memcached does not answer, it is tried for three seconds to tell it; then a line\n" \
	"on standard error says how long servers may go on with what it has. The rows are\n" \
	"written all the same, and the exit code is 0.\n\n"

#endif
