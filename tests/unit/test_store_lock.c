/* Single flight and lanes, between descriptors and between processes. */
#include "store_fixture.h"

#include "base/deadline.h"

#include <signal.h>
#include <sys/mman.h>

/* Of all who share the store: the children of a test. */
static struct store_bells *bells;

/* As who follows does, when no file is made. */
static bool
lock_until(struct store *store, enum store_part part, const struct key *key, struct deadline deadline,
    struct store_lock *lock, struct failure *why)
{
	while (!store_try_lock(store, part, key, lock))
		if (!store_await(store, part, key, deadline, why))
			return false;
	return true;
}

/* Takes the lock of a key in a child that then sleeps; returns when it is held. */
static pid_t
hold_in_child(struct store *store, unsigned number)
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		struct key key = key_number(number);
		struct failure why = { 0 };
		struct store_lock lock;

		if (!lock_until(store, STORE_VARIANTS, &key, deadline_in_ms(5000), &lock, &why) ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		sleep(30);
		_exit(2);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static bool
lock_within_ms(struct store *store, enum store_part part, unsigned number, int ms, struct store_lock *lock,
    struct failure *why)
{
	struct key key = key_number(number);

	failure_clear(why);
	return lock_until(store, part, &key, deadline_in_ms(ms), lock, why);
}

static void
test_gives_one_key_to_one_holder(void **state)
{
	struct store *store = *state;
	struct store_lock first, second;
	struct failure why = { 0 };

	assert_true(lock_within_ms(store, STORE_VARIANTS, 1, 0, &first, &why));
	assert_int_equal(fcntl(first.fd, F_GETFD), FD_CLOEXEC);
	assert_false(lock_within_ms(store, STORE_VARIANTS, 1, 30, &second, &why));
	assert_int_equal(why.kind, FAIL_TIMEOUT);
	assert_int_equal(second.fd, -1);
	store_unlock(&first);
	assert_int_equal(first.fd, -1);
	assert_true(lock_within_ms(store, STORE_VARIANTS, 1, 0, &second, &why));
	store_unlock(&second);
	store_unlock(&second);
}

static void
test_other_keys_and_parts_do_not_wait(void **state)
{
	struct store *store = *state;
	struct store_lock locks[3];
	struct failure why = { 0 };

	assert_true(lock_within_ms(store, STORE_VARIANTS, 1, 0, &locks[0], &why));
	assert_true(lock_within_ms(store, STORE_VARIANTS, 2, 0, &locks[1], &why));
	assert_true(lock_within_ms(store, STORE_ORIGINALS, 1, 0, &locks[2], &why));
	for (size_t i = 0; i < 3; i++)
		store_unlock(&locks[i]);
}

static void
test_waits_no_longer_than_the_deadline(void **state)
{
	struct store *store = *state;
	struct store_lock first, second;
	struct failure why = { 0 };
	int64_t begun, waited_ms;

	assert_true(lock_within_ms(store, STORE_VARIANTS, 1, 0, &first, &why));
	begun = monotonic_us();
	assert_false(lock_within_ms(store, STORE_VARIANTS, 1, 100, &second, &why));
	waited_ms = (monotonic_us() - begun) / 1000;
	assert_in_range(waited_ms, 100, 1000);
	store_unlock(&first);
}

static void
test_a_killed_holder_lets_go(void **state)
{
	struct store *store = *state;
	pid_t holder = hold_in_child(store, 7);
	struct store_lock lock;
	struct failure why = { 0 };
	int64_t begun;

	assert_false(lock_within_ms(store, STORE_VARIANTS, 7, 20, &lock, &why));
	begun = monotonic_us();
	kill(holder, SIGKILL);
	assert_true(lock_within_ms(store, STORE_VARIANTS, 7, 10000, &lock, &why));
	assert_true(monotonic_us() - begun < 2000000);
	store_unlock(&lock);
	assert_int_equal(end_of(holder), 128 + SIGKILL);
}

/* A waiter in another process gets the lock when the holder is killed. */
static void
test_a_waiting_process_goes_on_when_the_holder_is_killed(void **state)
{
	struct store *store = *state;
	pid_t holder = hold_in_child(store, 8);
	pid_t waiter = fork();

	assert_int_not_equal(waiter, -1);
	if (waiter == 0) {
		struct store_lock lock;
		struct failure why = { 0 };

		_exit(lock_within_ms(store, STORE_VARIANTS, 8, 10000, &lock, &why) ? 0 : 1);
	}
	usleep(50000);
	assert_int_equal(waitpid(waiter, NULL, WNOHANG), 0);
	kill(holder, SIGKILL);
	assert_int_equal(end_of(waiter), 0);
	assert_int_equal(end_of(holder), 128 + SIGKILL);
}

static void
test_unlocks_although_a_child_has_a_copy(void **state)
{
	struct store *store = *state;
	struct store_lock lock;
	struct failure why = { 0 };
	pid_t child;

	assert_true(lock_within_ms(store, STORE_VARIANTS, 9, 0, &lock, &why));
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		sleep(30);
		_exit(0);
	}
	store_unlock(&lock);
	assert_true(lock_within_ms(store, STORE_VARIANTS, 9, 0, &lock, &why));
	store_unlock(&lock);
	kill(child, SIGKILL);
	end_of(child);
}

/* Many processes raise one number in a file, each under the lock. */
static void
test_lets_one_process_at_a_time_in(void **state)
{
	enum { CHILDREN = 4, TURNS = 50 };
	struct store *store = *state;
	int fd = open(below_root("number"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	pid_t children[CHILDREN];
	int number = 0;

	assert_int_equal(pwrite(fd, &number, sizeof(number), 0), sizeof(number));
	for (size_t i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		assert_int_not_equal(children[i], -1);
		for (int turn = 0; children[i] == 0 && turn < TURNS; turn++) {
			struct store_lock lock;
			struct failure why = { 0 };

			if (!lock_within_ms(store, STORE_VARIANTS, 10, 20000, &lock, &why) ||
			    pread(fd, &number, sizeof(number), 0) != sizeof(number))
				_exit(1);
			usleep(100);
			number++;
			if (pwrite(fd, &number, sizeof(number), 0) != sizeof(number))
				_exit(1);
			store_unlock(&lock);
		}
		if (children[i] == 0)
			_exit(0);
	}
	for (size_t i = 0; i < CHILDREN; i++)
		assert_int_equal(end_of(children[i]), 0);
	assert_int_equal(pread(fd, &number, sizeof(number), 0), sizeof(number));
	assert_int_equal(number, CHILDREN * TURNS);
	close(fd);
}

static void
test_a_lane_has_so_many_places(void **state)
{
	struct store *store = *state;
	struct store_lock places[3], other;

	assert_int_equal(store_places_taken(store, 1, 3), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(store_take_place(store, 1, 3, &places[i]));
		assert_int_equal(store_places_taken(store, 1, 3), i + 1);
	}
	assert_false(store_take_place(store, 1, 3, &other));
	assert_int_equal(other.fd, -1);
	assert_true(store_take_place(store, 2, 3, &other));
	assert_int_equal(store_places_taken(store, 2, 3), 1);
	store_unlock(&other);
	store_unlock(&places[1]);
	assert_int_equal(store_places_taken(store, 1, 3), 2);
	assert_true(store_take_place(store, 1, 3, &places[1]));
	for (unsigned i = 0; i < 3; i++)
		store_unlock(&places[i]);
	assert_int_equal(store_places_taken(store, 1, 3), 0);
}

static void
test_a_killed_process_frees_its_place(void **state)
{
	struct store *store = *state;
	struct store_lock place;
	int64_t give_up;
	pid_t child = fork();

	assert_int_not_equal(child, -1);
	if (child == 0) {
		if (!store_take_place(store, 3, 1, &place))
			_exit(1);
		sleep(30);
		_exit(2);
	}
	give_up = monotonic_us() + 5000000;
	while (store_places_taken(store, 3, 1) == 0 && monotonic_us() < give_up)
		usleep(1000);
	assert_false(store_take_place(store, 3, 1, &place));
	kill(child, SIGKILL);
	assert_int_equal(end_of(child), 128 + SIGKILL);
	assert_true(store_take_place(store, 3, 1, &place));
	store_unlock(&place);
}

static void
test_makes_the_lock_file_again_when_it_was_removed(void **state)
{
	struct store *store = *state;
	struct store_lock lock;
	struct failure why = { 0 };

	assert_true(lock_within_ms(store, STORE_VARIANTS, 1, 0, &lock, &why));
	assert_int_equal(unlink(below_root("lock")), 0);
	store_unlock(&lock);
	assert_true(lock_within_ms(store, STORE_VARIANTS, 1, 0, &lock, &why));
	store_unlock(&lock);
	assert_int_equal(access(below_root("lock"), F_OK), 0);
}

static void
test_leaves_no_descriptor_open(void **state)
{
	struct store *store = *state;
	struct store_lock lock, other;
	struct failure why = { 0 };
	unsigned before = open_descriptors();

	assert_true(lock_within_ms(store, STORE_VARIANTS, 1, 0, &lock, &why));
	assert_false(lock_within_ms(store, STORE_VARIANTS, 1, 0, &other, &why));
	store_unlock(&lock);
	assert_true(store_take_place(store, 1, 1, &lock));
	assert_false(store_take_place(store, 1, 1, &other));
	assert_int_equal(store_places_taken(store, 1, 1), 1);
	store_unlock(&lock);
	assert_int_equal(open_descriptors(), before);
}

static int
set_up(void **state)
{
	if (make_root(state) == -1)
		return -1;
	bells = mmap(NULL, sizeof(*bells), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*state = open_large_store();
	if (bells == MAP_FAILED || *state == NULL)
		return -1;
	store_share_bells(*state, bells);
	return 0;
}

static int
tear_down(void **state)
{
	store_close(*state);
	munmap(bells, sizeof(*bells));
	return remove_root(state);
}

static void
test_tries_without_waiting(void **state)
{
	struct store *store = *state;
	struct key key = key_number(20);
	struct store_lock first, second;
	int64_t before_us = monotonic_us();

	assert_true(store_try_lock(store, STORE_VARIANTS, &key, &first));
	assert_false(store_try_lock(store, STORE_VARIANTS, &key, &second));
	assert_int_equal(second.fd, -1);
	assert_in_range(monotonic_us() - before_us, 0, 1000000);
	store_unlock(&first);
	assert_true(store_try_lock(store, STORE_VARIANTS, &key, &second));
	store_unlock(&second);
}

/* Waits for the lock in a child, which is killed in the middle. */
static void
test_knows_whether_somebody_waits(void **state)
{
	struct store *store = *state;
	struct key key = key_number(21);
	struct deadline end = deadline_in_ms(5000);
	struct store_lock lock;
	pid_t child;

	assert_true(store_try_lock(store, STORE_VARIANTS, &key, &lock));
	assert_false(store_is_awaited(store, STORE_VARIANTS, &key));
	child = fork();
	if (child == 0) {
		struct failure why = { 0 };

		_exit(store_await(store, STORE_VARIANTS, &key, deadline_in_ms(30000), &why) ? 0 : 1);
	}
	while (!store_is_awaited(store, STORE_VARIANTS, &key) && !deadline_has_passed(end))
		deadline_sleep_ms(end, 1);
	assert_true(store_is_awaited(store, STORE_VARIANTS, &key));
	assert_false(store_is_awaited(store, STORE_ORIGINALS, &key));
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_false(store_is_awaited(store, STORE_VARIANTS, &key));
	store_unlock(&lock);
}

/* Who got it waits no longer, nor who has waited. */
static void
test_a_holder_does_not_wait_for_itself(void **state)
{
	struct store *store = *state;
	struct key key = key_number(22);
	struct failure why = { 0 };
	struct store_lock lock;

	assert_false(store_await(store, STORE_VARIANTS, &key, deadline_in_ms(0), &why));
	failure_clear(&why);
	assert_true(store_await(store, STORE_VARIANTS, &key, deadline_in_ms(1000), &why));
	assert_true(store_try_lock(store, STORE_VARIANTS, &key, &lock));
	assert_false(store_is_awaited(store, STORE_VARIANTS, &key));
	store_unlock(&lock);
}

enum { WAITERS = 20 };

/* How long it takes from the end of the lock until all who have waited have gone on for `work_ms`. */
static int64_t
ms_until_all_are_done(struct store *store, int work_ms)
{
	struct key key = key_number(23);
	pid_t children[WAITERS];
	struct store_lock lock;
	int64_t begun_us;

	assert_true(store_try_lock(store, STORE_VARIANTS, &key, &lock));
	for (size_t i = 0; i < WAITERS; i++) {
		struct failure why = { 0 };

		children[i] = fork();
		assert_int_not_equal(children[i], -1);
		if (children[i] == 0)
			_exit(store_await(store, STORE_VARIANTS, &key, deadline_in_ms(20000), &why) &&
			    usleep((useconds_t)work_ms * 1000) == 0 ? 0 : 1);
	}
	usleep(BELL_SLEEP_MS * 1000 / 3);
	for (size_t i = 0; i < WAITERS; i++)
		assert_int_equal(waitpid(children[i], NULL, WNOHANG), 0);
	begun_us = monotonic_us();
	store_unlock(&lock);
	for (size_t i = 0; i < WAITERS; i++)
		assert_int_equal(end_of(children[i]), 0);
	return (monotonic_us() - begun_us) / 1000;
}

/* None of them has to wait for the others to be done. */
static void
test_all_who_wait_are_let_go_together(void **state)
{
	assert_in_range(ms_until_all_are_done(*state, 100), 100, WAITERS * 100 / 2);
}

static void
test_all_who_wait_are_woken(void **state)
{
	int64_t least_ms = INT64_MAX;

	for (int i = 0; i < 5; i++) {	/* the machine may be busy */
		int64_t ms = ms_until_all_are_done(*state, 0);

		least_ms = ms < least_ms ? ms : least_ms;
	}
	assert_in_range(least_ms, 0, BELL_SLEEP_MS / 3);
}

/* Takes the lock in a child for a moment, and tells how long somebody in here waited for it. */
static int64_t
ms_until_let_go(struct store *store, struct store *waiting)
{
	struct key key = key_number(24);
	struct failure why = { 0 };
	int64_t begun_us = monotonic_us();
	struct store_lock lock;
	pid_t child;

	assert_true(store_try_lock(store, STORE_VARIANTS, &key, &lock));
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		usleep(BELL_SLEEP_MS * 1000 / 4);
		store_unlock(&lock);
		_exit(0);
	}
	assert_true(store_await(waiting, STORE_VARIANTS, &key, deadline_in_ms(5000), &why));
	close(lock.fd);
	assert_int_equal(end_of(child), 0);
	return (monotonic_us() - begun_us) / 1000;
}

static void
test_who_waits_is_woken_and_need_not_look(void **state)
{
	int64_t least_ms = INT64_MAX;

	for (int i = 0; i < 10; i++) {	/* the machine may be busy */
		int64_t ms = ms_until_let_go(*state, *state);

		assert_true(ms >= BELL_SLEEP_MS / 4);
		least_ms = ms < least_ms ? ms : least_ms;
	}
	assert_in_range(least_ms, BELL_SLEEP_MS / 4, BELL_SLEEP_MS / 2);
}

/* Between looking and sleeping. */
static void
test_a_bell_that_was_rung_meanwhile_is_not_slept_for(void **state)
{
	_Atomic uint32_t bell = 0;
	uint32_t seen = bell_read(&bell);
	int64_t begun_us = monotonic_us();

	(void)state;
	bell_sleep(&bell, seen, deadline_in_ms(5000));
	assert_in_range(monotonic_us() - begun_us, BELL_SLEEP_MS * 1000, 5000000);
	bell_ring(&bell);
	begun_us = monotonic_us();
	for (int i = 0; i < 50; i++)
		bell_sleep(&bell, seen, deadline_in_ms(5000));
	assert_in_range(monotonic_us() - begun_us, 0, 50 * BELL_SLEEP_MS * 1000 / 2);
}

static void
test_who_has_other_bells_looks(void **state)
{
	struct store *other = open_large_store();

	assert_in_range(ms_until_let_go(*state, other), BELL_SLEEP_MS, 20 * BELL_SLEEP_MS);
	store_close(other);
}

static void
test_takes_amounts_or_nothing(void **state)
{
	struct store *store = *state;
	struct store_lock first, second;

	assert_true(store_take_places(store, 9, 8, 5, &first));
	assert_int_equal(store_places_taken(store, 9, 8), 5);
	assert_false(store_take_places(store, 9, 8, 4, &second));
	assert_int_equal(second.fd, -1);
	assert_int_equal(store_places_taken(store, 9, 8), 5);
	assert_true(store_take_places(store, 9, 8, 3, &second));
	store_unlock(&first);
	assert_int_equal(store_places_taken(store, 9, 8), 3);
	store_unlock(&second);
	assert_int_equal(store_places_taken(store, 9, 8), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_one_key_to_one_holder),
		cmocka_unit_test(test_other_keys_and_parts_do_not_wait),
		cmocka_unit_test(test_waits_no_longer_than_the_deadline),
		cmocka_unit_test(test_a_killed_holder_lets_go),
		cmocka_unit_test(test_a_waiting_process_goes_on_when_the_holder_is_killed),
		cmocka_unit_test(test_unlocks_although_a_child_has_a_copy),
		cmocka_unit_test(test_lets_one_process_at_a_time_in),
		cmocka_unit_test(test_a_lane_has_so_many_places),
		cmocka_unit_test(test_a_killed_process_frees_its_place),
		cmocka_unit_test(test_makes_the_lock_file_again_when_it_was_removed),
		cmocka_unit_test(test_leaves_no_descriptor_open),
		cmocka_unit_test(test_tries_without_waiting),
		cmocka_unit_test(test_knows_whether_somebody_waits),
		cmocka_unit_test(test_a_holder_does_not_wait_for_itself),
		cmocka_unit_test(test_all_who_wait_are_let_go_together),
		cmocka_unit_test(test_all_who_wait_are_woken),
		cmocka_unit_test(test_who_waits_is_woken_and_need_not_look),
		cmocka_unit_test(test_a_bell_that_was_rung_meanwhile_is_not_slept_for),
		cmocka_unit_test(test_who_has_other_bells_looks),
		cmocka_unit_test(test_takes_amounts_or_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
