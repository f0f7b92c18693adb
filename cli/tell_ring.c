#include "cli/tell_ring.h"

#include "cli/voice.h"

void
tell_ring(struct catalog *catalog, const struct settings *settings)
{
	unsigned left = catalog_tell_ring(catalog, deadline_in_ms(TELL_RING_S * 1000));

	if (left > 0)
		complain("%u of the rows written could not be told to a memcached that does not answer: once it does, "
		    "servers that did not notice may go on with what it has for about %u s", left,
		    settings->catalog.soft_lifetime_s);
}
