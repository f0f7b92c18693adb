/*
 * job - what a responder asks of a renderer, and the answer, as messages.
 *
 * A job is one datagram on a unix socket (SOCK_SEQPACKET): lines "name value"
 * and, beside it, the descriptors of its files (struct job_files), in this order.
 * The answer is one datagram too, and before it comes JOB_STARTED when the job has
 * left the queue.  Jobs and answers begin with a line that carries
 * the protocol's version, because after a reload old responders may speak to
 * new renderers: an unknown version is a failure that names it.  Both sides
 * treat the other as untrusted: every field has a range, and a message that
 * breaks one is refused as a whole.
 */
#ifndef RENDER_JOB_H
#define RENDER_JOB_H

#include "base/deadline.h"
#include "base/failure.h"
#include "base/text.h"
#include "http/media.h"
#include "image/description.h"
#include "recipe/overlay.h"
#include "recipe/recipe.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	JOB_VERSION = 5,
	JOB_MESSAGE_MAX = 8192,		/* bytes */
	JOB_DESCRIPTORS_MAX = 4,
	JOB_TIMEOUT_MS_MAX = 600 * 1000,
	JOB_SIDE_MAX = 10000000,	/* pixels: VIPS_MAX_COORD, no decoder goes further */
	JOB_FRAMES_MAX = 1000000
};

/* What a job can allow at most, whatever it says: the renderer is bound to the
 * first by the kernel, from its start (RLIMIT_FSIZE). */
#define JOB_OUTPUT_BYTES_MAX ((uint64_t)4 << 30)
#define JOB_PIXELS_MAX ((uint64_t)1 << 40)

/* From renderers to clients: the timer runs. */
#define JOB_STARTED "started"

/* And after the answer, when that says that a mezzanine follows: it is complete. */
#define JOB_LEFT "left"

enum job_operation {
	JOB_DESCRIBE,	/* what is this file, and how does it look?  Input only. */
	JOB_RENDER	/* make the variant.  Input, output and, as far as the job says so, mark and mezzanine. */
};

/* What a job works on; -1: none. */
struct job_files {
	int input, output, mark;
	int mezzanine;		/* not looked at unless the job says what to do with it */
};

struct job {
	enum job_operation operation;
	const char *recipe;	/* canonical text; "-" when describing */
	const char *overlays;	/* as overlays_print() says it; "-": none */
	enum media format;	/* of the output; MEDIA_NONE when describing */
	struct image_limits limits;
	unsigned timeout_ms;	/* the kernel ends the renderer after this much work, */
	struct deadline deadline;	/* or at this moment, when nobody waits any longer;
				 * CLOCK_MONOTONIC is one clock for all processes of a machine */
	enum mezzanine_wish mezzanine;	/* MEZZANINE_WITHOUT when describing */
};

struct job_result {
	bool ended_renderer;			/* it died of this job: told by the client, not by the message */
	int leaving;				/* by the client too: for render_wait_left(), else -1 */
	struct failure failure;			/* FAIL_NONE: it worked */
	struct image_outcome outcome;		/* valid when it worked; describing: its source */
	struct image_portrait portrait;		/* describing: valid when it worked */
};

/* How many files a valid job comes with. */
unsigned job_file_count(const struct job *job);

void job_print(const struct job *job, struct text *out);
bool job_parse(struct span text, struct arena *arena, struct job *job, struct failure *why)
    __attribute__((warn_unused_result));

void job_result_print(const struct job_result *result, struct text *out);
/* The answer to a job of this operation: only describing gives a portrait, and then
 * all of it.  A result whose own failure is set parses successfully. */
bool job_result_parse(struct span text, enum job_operation operation, struct job_result *result,
    struct failure *why)
    __attribute__((warn_unused_result));

#endif
