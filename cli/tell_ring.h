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
	"A memcached that does not answer is tried again for three seconds at the end; if\n" \
	"that was in vain, a line on standard error says how long servers may go on with\n" \
	"what it has. The rows are written all the same: this changes no exit code.\n\n"

#endif
