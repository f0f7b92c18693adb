/*
 * renderer_process - starts one vitrine-renderer, with nothing of its parent's.
 *
 * A renderer parses bytes from strangers, so it is executed, not only forked:
 * an empty address space, a fixed environment, and these descriptors alone:
 *
 *	0, 1	/dev/null
 *	2	the parent's standard error
 *	3	the listening socket of jobs
 *	4	the lifeline: the read end of a pipe; its end of file means "leave"
 *	5	the memory that it shares with others for the pixels of files that are asked for again
 *
 * Signals that people and supervisors send are blocked in it, so a job is
 * never interrupted half way: it ends by its lifeline, by its own timer
 * (SIGALRM) or by SIGKILL.  The parent reaps it; there are no handlers here.
 *
 * What a renderer gives up before it takes its first job (renderer/sandbox.h)
 * depends on the kernel, so a starter asks once: renderer_check_sandbox().
 */
#ifndef RENDER_RENDERER_PROCESS_H
#define RENDER_RENDERER_PROCESS_H

#include "base/arena.h"
#include "base/failure.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What a renderer does where the kernel lacks a part of the sandbox: work with
 * the other parts, or refuse to start.  Off is for looking for faults. */
enum sandbox_wish { SANDBOX_PREFERRED, SANDBOX_REQUIRED, SANDBOX_OFF };

/* Their names, as settings and renderers read them; NULL at the end. */
extern const char *const sandbox_wishes[];

/* What is in force. */
struct sandbox_parts {
	bool has_seccomp;	/* a filter of system calls */
	unsigned landlock_abi;	/* of the rules for files, TCP, signals; 0: none */
};

struct renderer_config {
	const char *program;		/* absolute path of vitrine-renderer */
	unsigned memory_mb;		/* address space; 0: no limit */
	unsigned recycle_memory_mb;	/* it leaves after a job that leaves more than this; 0: never */
	unsigned jobs;			/* it leaves after so many; 0: never */
	uint64_t max_output_bytes;
	enum sandbox_wish sandbox;
};

/* The configured program, or when that is "" the vitrine-renderer beside the
 * running program.  FAIL_INTERNAL when it cannot be executed. */
bool renderer_find_program(const char *configured, struct arena *arena, const char **program,
    struct failure *why) __attribute__((warn_unused_result));

/* Runs the program only as far as its sandbox, and tells which parts were there.
 * FAIL_INTERNAL, in the renderer's words, when it would not start. */
bool renderer_check_sandbox(const struct renderer_config *config, struct sandbox_parts *parts,
    struct failure *why) __attribute__((warn_unused_result));

/* Memory for the pixels of so many renderers: a descriptor, close-on-exec, or -1 and FAIL_INTERNAL.  It takes
 * 73 MB for each of them at most, nothing before they use it, and nothing again two seconds after. */
int renderer_pixels(unsigned renderers, struct failure *why) __attribute__((warn_unused_result));

/* The pid once the program has been executed; -1 and FAIL_INTERNAL when it
 * could not be.  The descriptors stay the caller's, who must hold the
 * write end of the lifeline close-on-exec; pixels may be -1: then it keeps none. */
pid_t renderer_start(const struct renderer_config *config, int listener, int lifeline, int pixels,
    struct failure *why) __attribute__((warn_unused_result));

#endif
