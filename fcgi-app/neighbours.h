/*
 * neighbours - the other servers, as far as variants are concerned.
 *
 * Small variants are shared through the ring, and servers that want the same one at the same
 * time agree by a lease who makes it.  Everything here fails open: without a ring,
 * or with one that answers nonsense, each server works alone.
 */
#ifndef FCGI_APP_NEIGHBOURS_H
#define FCGI_APP_NEIGHBOURS_H

#include "asset/variant.h"
#include "fcgi-app/request.h"
#include "fcgi-app/server.h"
#include "store/store.h"

/*
 * True when a neighbour has made the variant, perhaps while we waited, for a quarter of our
 * time at most: then it is in our store, and *file is open.  False: make it, and tell with neighbours_tell().
 * *has_lease says whether the others wait for us meanwhile: then call neighbours_hold()
 * at least once a second.
 */
bool neighbours_obtain(struct server *server, struct request *request, const struct variant *variant,
    struct store_file *file, bool *has_lease) __attribute__((warn_unused_result));

void neighbours_hold(struct server *server, const struct variant *variant);

/* What became of it: the file, or NULL when it could not be made. */
void neighbours_tell(struct server *server, struct request *request, const struct variant *variant,
    const struct store_file *file, bool has_lease);

#endif
