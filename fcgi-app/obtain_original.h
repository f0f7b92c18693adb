/*
 * obtain_original - an original as a file on this server's disk, fetched from its
 * origin once, however many want it.
 */
#ifndef FCGI_APP_OBTAIN_ORIGINAL_H
#define FCGI_APP_OBTAIN_ORIGINAL_H

#include "fcgi-app/request.h"
#include "fcgi-app/server.h"
#include "fcgi-app/wish.h"
#include "store/store.h"

/* The caller closes the file.  Waits for its flight, and holds no lock afterwards.
 * Fails as origin_fetch() does; FAIL_UPSTREAM for another object than the row
 * describes, FAIL_UNSUPPORTED for what is no image. */
bool obtain_original(struct server *server, struct request *request, const struct asset *asset,
    const struct key *key, struct store_file *original, struct failure *why) __attribute__((warn_unused_result));

/* The part of it that fetches: by who holds the original's flight.  The file may be no image. */
bool fetch_original(struct server *server, struct request *request, const struct asset *asset,
    const struct key *key, struct store_file *original, struct failure *why) __attribute__((warn_unused_result));

/* The picture of the wish's watermark, open for reading; -1 when it has none.  The
 * caller closes it. */
bool obtain_mark(struct server *server, struct request *request, const struct wish *wish, int *mark,
    struct failure *why) __attribute__((warn_unused_result));

#endif
