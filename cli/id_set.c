#include "cli/id_set.h"

#include "base/check.h"
#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024 };

void
id_set_init(struct id_set *set)
{
	*set = (struct id_set){ .slots = calloc(FIRST_CAPACITY, sizeof(uint64_t)), .capacity = FIRST_CAPACITY };
	CHECK(set->slots != NULL);
}

void
id_set_release(struct id_set *set)
{
	free(set->slots);
}

static bool
put(struct id_set *set, uint64_t hash)
{
	size_t slot = hash & (set->capacity - 1);

	while (set->slots[slot] != 0) {
		if (set->slots[slot] == hash)
			return false;
		slot = (slot + 1) & (set->capacity - 1);
	}
	set->slots[slot] = hash;
	set->count++;
	return true;
}

/* At half full, so that probing stays short. */
static void
grow(struct id_set *set)
{
	struct id_set larger = { .capacity = set->capacity * 2 };

	larger.slots = calloc(larger.capacity, sizeof(uint64_t));
	CHECK(larger.slots != NULL);
	for (size_t i = 0; i < set->capacity; i++)
		if (set->slots[i] != 0)
			(void)put(&larger, set->slots[i]);
	free(set->slots);
	*set = larger;
}

bool
id_set_add(struct id_set *set, const char *id)
{
	unsigned char digest[SHA256_BYTES];
	uint64_t hash;

	sha256(id, strlen(id), digest);
	memcpy(&hash, digest, sizeof(hash));
	if (set->count * 2 >= set->capacity)
		grow(set);
	return put(set, hash != 0 ? hash : 1);
}
