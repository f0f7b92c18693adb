/*
 * find_asset - what the catalog knows of an asset, asked as seldom as may be.
 *
 * What was last said of an asset is kept in memory that all responders of this server
 * share, and in its store.  For row_lifetime_ms that is the answer, without the network.
 * After it one request asks the catalog again, and the others use what is there for the quarter
 * of a second that this may take; then a purge holds on every server.  When the catalog cannot
 * answer, the last known row is used, however old: what was served once is served again while
 * MySQL and memcached are gone.
 *
 * That nobody has it is remembered too, for a second at most, and those who ask at the same time
 * for what is not known here are answered by what the first of them is told.
 *
 * A row that is known is refreshed within that quarter of a second or not at all: a hit
 * does not wait for a database that hangs.  One that is not known takes three seconds at most.
 */
#ifndef FCGI_APP_FIND_ASSET_H
#define FCGI_APP_FIND_ASSET_H

#include "asset/asset.h"
#include "fcgi-app/request.h"
#include "fcgi-app/server.h"

/* The time, and for the first one where it was found, are noted in the request.
 * Fails as catalog_find() does, when nothing is known. */
bool find_asset(struct server *server, struct request *request, struct span id, struct asset *asset,
    struct failure *why) __attribute__((warn_unused_result));

#endif
