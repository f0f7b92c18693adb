/* Memory that renderers share: who may use a slot, who gets one, and what goes back. */
#include "image/slots.h"

#include "base/deadline.h"
#include "image/description.h"
#include "render/renderer_process.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SLOTS = 3 };

static int memory;
static struct slots *slots;

static int
set_up(void **state)
{
	struct failure why = { 0 };

	(void)state;
	memory = renderer_pixels(SLOTS, &why);
	slots = slots_open(memory);
	return slots == NULL;
}

static int
tear_down(void **state)
{
	(void)state;
	slots_close(slots);
	return close(memory);
}

static struct stat
file_number(unsigned number)
{
	struct stat file = { .st_dev = 1, .st_ino = number, .st_size = 1000 };

	return file;
}

static struct slot *
find(struct slots *whose, unsigned number, bool *is_known)
{
	struct stat file = file_number(number);

	return slots_find(whose, &file, is_known);
}

static struct slot *
claim(struct slots *whose, unsigned number)
{
	struct stat file = file_number(number);

	return slots_claim(whose, &file);
}

/* Whether it has a slot that can be read. */
static bool
has(unsigned number)
{
	bool is_known, is_there = find(slots, number, &is_known) != NULL;

	slots_leave(slots);
	return is_there;
}

/* Puts pixels of a file there. */
static void
put(struct slots *whose, unsigned number)
{
	struct slot *slot = claim(whose, number);

	assert_non_null(slot);
	memset(slots_pixels(whose), (int)number, SLOT_BYTES);
	atomic_store(&slot->levels, 1);
	slots_leave(whose);
}

static int64_t
memory_bytes(void)
{
	struct stat status;

	assert_int_equal(fstat(memory, &status), 0);
	return (int64_t)status.st_blocks * 512;
}

/* A neighbour that does one thing and keeps the lock that it got, until it is ended. */
typedef void action(struct slots *theirs);

static pid_t
neighbour(action *act)
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		/* Locks are not inherited. */
		act(slots_open(memory));
		if (write(ready[1], "x", 1) == 1)
			sleep(30);
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void
end(pid_t child)
{
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void
read_one(struct slots *theirs)
{
	bool is_known;

	if (find(theirs, 1, &is_known) == NULL)
		_exit(1);
}

static void
write_one(struct slots *theirs)
{
	if (claim(theirs, 1) == NULL)
		_exit(1);
}

static void
write_all(struct slots *theirs)
{
	for (unsigned number = 1; number <= SLOTS; number++)
		if (claim(theirs, number) == NULL)
			_exit(1);
}

static void
share_one(struct slots *theirs)
{
	write_one(theirs);
	slots_read_only(theirs);
}

static void
put_one(struct slots *theirs)
{
	put(theirs, 1);
}

/* ---- one renderer ---------------------------------------------------------------------- */

static void
test_a_file_is_found_again(void **state)
{
	struct slot *slot;
	bool is_known;

	(void)state;
	assert_null(find(slots, 1, &is_known));
	assert_false(is_known);
	put(slots, 1);
	slot = find(slots, 1, &is_known);
	assert_non_null(slot);
	assert_true(is_known);
	assert_int_equal(slot->levels, 1);
	assert_int_equal(((unsigned char *)slots_pixels(slots))[SLOT_BYTES - 1], 1);
	slots_leave(slots);
	assert_false(has(2));
}

static void
test_any_change_makes_another_file(void **state)
{
	const struct stat same = file_number(1);
	struct stat others[] = { same, same, same, same, same, same, same };
	bool is_known;

	(void)state;
	put(slots, 1);
	others[0].st_dev++;
	others[1].st_ino++;
	others[2].st_size++;
	others[3].st_mtim.tv_sec++;
	others[4].st_mtim.tv_nsec++;
	others[5].st_ctim.tv_sec++;
	others[6].st_ctim.tv_nsec++;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_null(slots_find(slots, &others[i], &is_known));
	assert_true(has(1));
}

static void
test_who_was_used_least_lately_makes_room(void **state)
{
	(void)state;
	for (unsigned number = 1; number <= SLOTS; number++)
		put(slots, number);
	usleep(1000);
	assert_true(has(1));
	put(slots, SLOTS + 1);
	assert_true(has(1));
	assert_false(has(2));
	assert_true(has(3));
	assert_true(has(SLOTS + 1));
}

static void
test_what_is_claimed_has_no_levels(void **state)
{
	struct slot *slot;

	(void)state;
	for (unsigned number = 1; number <= SLOTS; number++)
		put(slots, number);
	slot = claim(slots, SLOTS + 1);
	assert_non_null(slot);
	assert_int_equal(slot->levels, 0);
	slots_leave(slots);
}

static void
test_slots_do_not_overlap(void **state)
{
	bool is_known;

	(void)state;
	for (unsigned number = 1; number <= SLOTS; number++)
		put(slots, number);
	for (unsigned number = 1; number <= SLOTS; number++) {
		unsigned char *pixels;

		assert_non_null(find(slots, number, &is_known));
		pixels = slots_pixels(slots);
		for (size_t i = 0; i < SLOT_BYTES; i += 4096)
			assert_int_equal(pixels[i], number);
		slots_leave(slots);
	}
}

/* ---- several --------------------------------------------------------------------------- */

static void
test_what_one_has_put_all_have(void **state)
{
	pid_t child = neighbour(put_one);
	bool is_known;

	(void)state;
	assert_non_null(find(slots, 1, &is_known));
	assert_int_equal(((unsigned char *)slots_pixels(slots))[SLOT_BYTES / 2], 1);
	slots_leave(slots);
	end(child);
	assert_true(has(1));
}

static void
test_while_one_writes_nobody_reads(void **state)
{
	bool is_known;
	pid_t child = neighbour(write_one);

	(void)state;
	assert_null(find(slots, 1, &is_known));
	assert_true(is_known);
	end(child);
	/* It had not said that there is anything. */
	assert_int_equal(find(slots, 1, &is_known)->levels, 0);
	slots_leave(slots);
}

static void
test_who_has_written_lets_others_read(void **state)
{
	bool is_known;
	pid_t child = neighbour(share_one);

	(void)state;
	assert_non_null(find(slots, 1, &is_known));
	assert_false(slots_write(slots));
	end(child);
	assert_true(slots_write(slots));
	assert_true(slots_write(slots));
	slots_leave(slots);
}

static void
test_what_is_read_makes_no_room(void **state)
{
	pid_t child;

	(void)state;
	for (unsigned number = 1; number <= SLOTS; number++)
		put(slots, number);
	child = neighbour(read_one);
	put(slots, SLOTS + 1);
	assert_true(has(1));
	assert_false(has(2));
	end(child);
}

/* A process has one slot at a time: this needs as many neighbours. */
static void
test_all_can_be_in_use(void **state)
{
	pid_t children[SLOTS];

	(void)state;
	for (unsigned i = 0; i < SLOTS; i++)
		children[i] = neighbour(write_one);
	assert_null(claim(slots, SLOTS + 1));
	for (unsigned i = 0; i < SLOTS; i++)
		end(children[i]);
	assert_non_null(claim(slots, SLOTS + 1));
	slots_leave(slots);
}

/* ---- giving back ------------------------------------------------------------------------- */

static void
test_what_is_forgotten_takes_no_memory(void **state)
{
	int64_t before = memory_bytes();

	(void)state;
	put(slots, 1);
	put(slots, 2);
	assert_true(memory_bytes() - before >= 2 * (int64_t)SLOT_BYTES);
	assert_true(slots_forget(slots, 0));
	assert_true(memory_bytes() - before < 65536);
	assert_false(has(1));
	assert_false(has(2));
	assert_true(slots_forget(slots, 0));
}

static void
test_what_was_just_used_is_not_forgotten(void **state)
{
	(void)state;
	put(slots, 1);
	assert_false(slots_forget(slots, 60000));
	assert_true(has(1));
}

static void
test_what_is_read_is_not_forgotten(void **state)
{
	pid_t child;
	bool is_known;

	(void)state;
	put(slots, 1);
	child = neighbour(read_one);
	assert_false(slots_forget(slots, 0));
	assert_non_null(find(slots, 1, &is_known));
	assert_int_equal(((unsigned char *)slots_pixels(slots))[0], 1);
	slots_leave(slots);
	end(child);
	assert_true(slots_forget(slots, 0));
}

static void
lie(int64_t used_us)
{
	struct slot *all[SLOTS];
	bool is_known;

	for (unsigned i = 0; i < SLOTS; i++)
		put(slots, i + 1);
	for (unsigned i = 0; i < SLOTS; i++) {
		all[i] = find(slots, i + 1, &is_known);
		assert_non_null(all[i]);
		slots_leave(slots);
	}
	for (unsigned i = 0; i < SLOTS; i++)
		atomic_store(&all[i]->used_us, used_us);
}

/* By who was taken over, and may be dead. */
static void
test_lies_about_the_last_use_keep_no_slot(void **state)
{
	static const int64_t lies[] = { -1, INT64_MIN, INT64_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		lie(lies[i]);
		assert_non_null(claim(slots, SLOTS + 1));
		slots_leave(slots);
		assert_true(slots_forget(slots, 0));
		lie(lies[i]);
		assert_true(slots_forget(slots, 1000));
	}
}

static void
test_what_the_dead_have_left_is_forgotten(void **state)
{
	(void)state;
	end(neighbour(write_all));
	assert_true(slots_forget(slots, 0));
	assert_false(has(1));
}

/* ---- bad memory ------------------------------------------------------------------------- */

static void
test_memory_that_is_too_small_is_refused(void **state)
{
	int small = memfd_create("small", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(small, 4096), 0);
	assert_null(slots_open(small));
	close(small);
	assert_null(slots_open(small));
}

static void
test_nobody_can_cut_it(void **state)
{
	(void)state;
	assert_int_equal(ftruncate(memory, 0), -1);
	assert_int_equal(ftruncate(memory, (off_t)1 << 40), -1);
}

#define WITH_SLOTS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SLOTS(test_a_file_is_found_again),
		WITH_SLOTS(test_any_change_makes_another_file),
		WITH_SLOTS(test_who_was_used_least_lately_makes_room),
		WITH_SLOTS(test_what_is_claimed_has_no_levels),
		WITH_SLOTS(test_slots_do_not_overlap),
		WITH_SLOTS(test_what_one_has_put_all_have),
		WITH_SLOTS(test_while_one_writes_nobody_reads),
		WITH_SLOTS(test_who_has_written_lets_others_read),
		WITH_SLOTS(test_what_is_read_makes_no_room),
		WITH_SLOTS(test_all_can_be_in_use),
		WITH_SLOTS(test_what_is_forgotten_takes_no_memory),
		WITH_SLOTS(test_what_was_just_used_is_not_forgotten),
		WITH_SLOTS(test_what_is_read_is_not_forgotten),
		WITH_SLOTS(test_lies_about_the_last_use_keep_no_slot),
		WITH_SLOTS(test_what_the_dead_have_left_is_forgotten),
		WITH_SLOTS(test_memory_that_is_too_small_is_refused),
		WITH_SLOTS(test_nobody_can_cut_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
