#include "base/arena.h"

#include "base/check.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ONE_BLOCK_PER_OBJECT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ONE_BLOCK_PER_OBJECT 1
#endif
#endif

/* One request rarely needs more; what is larger gets a block of its own. */
enum { BLOCK_BYTES = 16 * 1024 };

struct block {
	struct block *next;
	size_t used, capacity;
	alignas(max_align_t) unsigned char bytes[];
};

struct release {
	struct release *next;
	void (*call)(void *object);
	void *object;
};

struct arena {
	struct block *newest;
	struct release *releases;
};

static struct block *
block_new(size_t capacity)
{
	struct block *block = malloc(sizeof(*block) + capacity);

	CHECK(block != NULL);
	block->next = NULL;
	block->used = 0;
	block->capacity = capacity;
	return block;
}

struct arena *
arena_new(void)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	CHECK(arena != NULL);
	return arena;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	size_t step = alignof(max_align_t);
	struct block *block = arena->newest;
	void *object;

	CHECK(size <= SIZE_MAX - step);
#ifdef ARENA_ONE_BLOCK_PER_OBJECT
	block = NULL;
	step = 1;
#endif
	size = (size + step - 1) / step * step;
	if (block == NULL || block->capacity - block->used < size) {
		size_t capacity = size;
#ifndef ARENA_ONE_BLOCK_PER_OBJECT
		if (capacity < BLOCK_BYTES)
			capacity = BLOCK_BYTES;
#endif
		block = block_new(capacity);
		block->next = arena->newest;
		arena->newest = block;
	}
	object = block->bytes + block->used;
	block->used += size;
	memset(object, 0, size);
	return object;
}

char *
arena_copy_bytes(struct arena *arena, const void *bytes, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);

	if (length > 0)
		memcpy(copy, bytes, length);
	return copy;
}

char *
arena_copy_string(struct arena *arena, const char *text)
{
	return arena_copy_bytes(arena, text, strlen(text));
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args, again;
	int length;
	char *text;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	CHECK(length >= 0);
	text = arena_alloc(arena, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	va_end(args);
	return text;
}

void
arena_defer(struct arena *arena, void (*release)(void *object), void *object)
{
	struct release *entry = arena_alloc(arena, sizeof(*entry));

	entry->call = release;
	entry->object = object;
	entry->next = arena->releases;
	arena->releases = entry;
}

static void
close_descriptor(void *object)
{
	close((int)(intptr_t)object);
}

void
arena_defer_close(struct arena *arena, int fd)
{
	arena_defer(arena, close_descriptor, (void *)(intptr_t)fd);
}

void
arena_release(struct arena *arena)
{
	while (arena->releases != NULL) {
		struct release *entry = arena->releases;

		arena->releases = entry->next;
		entry->call(entry->object);
	}
}

void
arena_reset(struct arena *arena)
{
	struct block *keep = NULL;

	arena_release(arena);
	while (arena->newest != NULL) {
		struct block *block = arena->newest;

		arena->newest = block->next;
#ifndef ARENA_ONE_BLOCK_PER_OBJECT
		if (keep == NULL && block->capacity == BLOCK_BYTES) {
			keep = block;
			continue;
		}
#endif
		free(block);
	}
	if (keep != NULL) {
		keep->next = NULL;
		keep->used = 0;
	}
	arena->newest = keep;
}

void
arena_free(struct arena *arena)
{
	if (arena == NULL)
		return;
	arena_reset(arena);
	free(arena->newest);
	free(arena);
}
