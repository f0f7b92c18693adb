/*
 * arena - memory that lives exactly as long as one request.
 *
 * Everything a request needs is taken from its arena and nothing is given
 * back one by one: arena_reset() runs the deferred releases, newest first,
 * and recycles the memory.  arena_alloc() never returns NULL; running out of
 * memory ends the process, and the supervisor starts another.
 *
 * Sizes that come from a client or an origin must be checked against a named
 * limit before they reach this module.  Under AddressSanitizer each object is
 * allocated on its own, so that every overflow is seen.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull));
char *arena_copy_string(struct arena *arena, const char *text) __attribute__((returns_nonnull));
/* Copies length bytes and adds a NUL. */
char *arena_copy_bytes(struct arena *arena, const void *bytes, size_t length)
    __attribute__((returns_nonnull));
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));

/* Call release(object) when the request ends: for what libraries gave us and
 * the arena cannot hold itself. */
void arena_defer(struct arena *arena, void (*release)(void *object), void *object);

/* Close this descriptor when the request ends. */
void arena_defer_close(struct arena *arena, int fd);

/* Runs the deferred releases now; the memory stays. */
void arena_release(struct arena *arena);
void arena_reset(struct arena *arena);

#endif
