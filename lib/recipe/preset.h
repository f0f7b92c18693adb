/*
 * preset - recipes that the configuration gives a name: "@card".
 *
 * A preset's text may begin with other presets, which must be defined before
 * it.  All are parsed when they are added, so a mistake is found at start.  A
 * preset asks for at least one operation, never for "original", and neither for
 * text nor dl, which are one URL's own words.
 *
 * One of them may be the default: it holds before every recipe but "original".
 */
#ifndef RECIPE_PRESET_H
#define RECIPE_PRESET_H

#include "base/failure.h"
#include "base/text.h"

enum {
	PRESET_MAX = 128,
	PRESET_NAME_MAX = 32,
	PRESET_DEPTH_MAX = 4	/* presets within presets: each level may multiply the work */
};

struct preset {
	const char *name;	/* [a-z0-9_-], without the "@" */
	const char *text;
};

/* Caller's struct, zero-initialised; the strings must outlive it. */
struct preset_set {
	struct preset presets[PRESET_MAX];
	unsigned count;
	const char *default_name;	/* without the "@"; NULL: none */
};

/* FAIL_BAD_REQUEST with the name when the name or the text is not valid, the
 * name is taken, or there are too many; the set is then unchanged. */
bool preset_add(struct preset_set *set, const char *name, const char *text, struct failure *why)
    __attribute__((warn_unused_result));

/* When all presets are added.  FAIL_BAD_REQUEST with the name when there is none of
 * that name, or when another preset cannot be had together with it; the set is then
 * unchanged. */
bool preset_set_default(struct preset_set *set, const char *name, struct failure *why)
    __attribute__((warn_unused_result));

/* NULL when there is none of that name. */
const struct preset *preset_find(const struct preset_set *set, struct span name);

#endif
