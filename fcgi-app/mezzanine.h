/*
 * mezzanine - an original once more, as a file of which small sizes cost little.
 *
 * The first request that decodes a large original leaves one among the variants of the
 * store, small or large as its result needs, under a key of its own that follows from the
 * original's (image/mezzanine.c makes it); those who come meanwhile and could use it wait
 * for it, within limits; later variants are made of it.  It may be absent, damaged or evicted
 * at any time: then the original serves, and nobody is told.  In the moment after a small one
 * was left no large one is, because renderers have all pixels then (image/kept.c).
 */
#ifndef FCGI_APP_MEZZANINE_H
#define FCGI_APP_MEZZANINE_H

#include "fcgi-app/request.h"
#include "fcgi-app/server.h"
#include "fcgi-app/wish.h"
#include "render/job.h"
#include "store/store.h"

struct mezzanine {
	enum mezzanine_wish wish;	/* what the job is to do with it */
	int fd;				/* the job's file, -1 with MEZZANINE_WITHOUT */

	struct server *server;
	struct key key;			/* of the one that is used or left, */
	struct key other_key;		/* and of the original's other one, */
	bool other_serves;		/* of which the variant could be made too */
	bool can_use;			/* it may be made of one at all */
	bool is_kept_whole;		/* renderers have all pixels in memory, who have just decoded it */
	struct store_file file;		/* used */
	struct store_draft draft;	/* left */
	struct store_lock flight;	/* held by who leaves one */
	int leaving;			/* the renderer writes it: see job_result */
};

/* Whether one lies there that this variant could be made of: for an estimate. */
bool mezzanine_is_there(struct server *server, const struct wish *wish);

/* For a variant whose original is at hand: finds the mezzanine, or waits for it, or
 * prepares to leave it, or nothing of this.  It lives in the request's arena. */
struct mezzanine *mezzanine_begin(struct server *server, struct request *request, const struct wish *wish);

/* After it was used: false when it was damaged meanwhile, and what was made of it is of no use.
 * It is not there any more then, for nobody. */
bool mezzanine_is_unchanged(struct mezzanine *mezzanine) __attribute__((warn_unused_result));

/* When the variant has been made, or not, and then nothing is left.  A mezzanine that follows is put
 * into the store when the request has been answered and its connection closed. */
void mezzanine_end(struct mezzanine *mezzanine, struct request *request, const struct job_result *result,
    bool was_rendered);

#endif
