/*
 * chance - numbers that differ between processes.
 *
 * Servers that do the same thing at the same moment do harm together; these
 * spread them.  Not for secrets.
 */
#ifndef CATALOG_CHANCE_H
#define CATALOG_CHANCE_H

#include <stdint.h>

/* 0 to limit - 1; limit is at least 1. */
uint64_t chance_below(uint64_t limit);

/* value, give or take at most 20 %. */
uint64_t chance_around(uint64_t value);

#endif
