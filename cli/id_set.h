/*
 * id_set - which ids an import has already suggested, eight bytes each.
 *
 * A set of 64-bit hashes: it may say "seen" of an id that was not, once in
 * 2^64 / n, and the object then gets a longer id than it needed.
 */
#ifndef CLI_ID_SET_H
#define CLI_ID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_set {
	uint64_t *slots;	/* 0: empty */
	size_t capacity, count;	/* a power of two */
};

void id_set_init(struct id_set *set);
void id_set_release(struct id_set *set);

/* Whether it was new. */
bool id_set_add(struct id_set *set, const char *id);

#endif
