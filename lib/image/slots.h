/*
 * slots - memory that the renderers of one host share, for the pixels of one file in each slot.
 *
 * It is a memfd that whoever starts renderers makes (render/renderer_process.h): first an index with
 * what each slot has, then the slots.  A slot is used under a lock of its own, by many who read or one
 * who writes; locks are fcntl(2)'s, so the kernel ends those of who dies, and nobody waits for one.
 * Who dies while he writes leaves a slot without pixels, because what it has is said last.
 *
 * Other renderers may have been taken over by a picture: whatever is read here is checked before it
 * becomes a size or an address.  Pixels can be false, as those that such a renderer makes can.
 */
#ifndef IMAGE_SLOTS_H
#define IMAGE_SLOTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* To be raised when something else lies in a slot, or is decoded differently: after an upgrade old and new
 * renderers share them until the reload. */
enum { SLOTS_REVISION = 1 };

/* Which file, as long as nobody wrote to it.  No descriptor is held of it, so its inode may become
 * another's; but not one of the same size with the same time of change. */
struct slot_key {
	uint64_t revision, device, inode, size;
	int64_t modified_s, modified_ns, changed_s, changed_ns;
};

/* What the slot's pixels are, below each other in levels: kept.c. */
struct slot_about {
	uint32_t width, height, bands;	/* of the first level */
	uint32_t shrink;		/* how much smaller than the picture that is */
	uint32_t has_lost;		/* 1: something that a mezzanine loses too */
};

/* An entry of the index. */
struct slot {
	struct slot_key key;		/* all zero: no file's */
	struct slot_about about;	/* if there are levels */
	_Atomic uint32_t levels;	/* a bit for each that is there */
	_Atomic int64_t used_us;	/* monotonic_us() */
};

struct slots;

/* The memory stays the caller's, who closes no other descriptor of it as long as slots are used:
 * that would end the locks.  NULL where it cannot be mapped. */
struct slots *slots_open(int memory);
void slots_close(struct slots *slots);

/* The file's slot, to read; NULL: none has it, or it is being written to.  *is_known: it has a slot. */
struct slot *slots_find(struct slots *slots, const struct stat *file, bool *is_known);

/* The slot that was used least lately, to write, with the file's key and no levels; NULL: all are in use. */
struct slot *slots_claim(struct slots *slots, const struct stat *file);

/* Of the slot that is in use: whether it can be written to from now on, its pixels (SLOT_BYTES; NULL: no
 * address space), the same with memory for so many bytes that are about to be written (NULL: there is none),
 * that it is only read from now on, that it is used no longer. */
bool slots_write(struct slots *slots);
void *slots_pixels(struct slots *slots);
void *slots_room(struct slots *slots, size_t offset, size_t bytes);
void slots_read_only(struct slots *slots);
void slots_leave(struct slots *slots);

/* Gives the memory of slots back that nobody has used for so long.  False when some are left that have a
 * file.  None may be in use by the caller. */
bool slots_forget(struct slots *slots, int64_t unused_ms);

#endif
