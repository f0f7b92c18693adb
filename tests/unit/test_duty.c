/* test_duty - somebody is at the socket as long as anybody has nothing to do, and not many are. */
#include "fcgi-app/duty.h"

#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { RESPONDERS_MAX = 512 };

/* All of a generation in one process: what would block is looked at by poll(). */
static struct {
	struct roster roster;
	struct duty duties[RESPONDERS_MAX];
	unsigned count;
	int listener, leave[2], bell;
} house;

static int
open_house(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };	/* the kernel names it */

	(void)state;
	memset(&house, 0, sizeof(house));
	house.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	house.bell = bell_new();
	if (house.listener == -1 || house.bell == -1 || pipe(house.leave) == -1 ||
	    bind(house.listener, (struct sockaddr *)&address, sizeof(sa_family_t)) == -1)
		return -1;
	return listen(house.listener, RESPONDERS_MAX);
}

static int
close_house(void **state)
{
	(void)state;
	for (unsigned i = 0; i < house.count; i++)
		duty_close(&house.duties[i]);
	close(house.listener);
	close(house.bell);
	close(house.leave[0]);
	return close(house.leave[1]);
}

static struct duty *
new_responder(bool is_alone)
{
	const struct duty_config config = { .listener = house.listener, .leave = house.leave[0],
		.bell = is_alone ? -1 : house.bell, .roster = &house.roster, .number = house.count };
	struct duty *duty = &house.duties[house.count++];
	struct failure why = { 0 };

	assert_true(duty_open(duty, &config, &why));
	return duty;
}

static void
connect_to_house(void)
{
	struct sockaddr_un address;
	socklen_t length = sizeof(address);
	int client = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(getsockname(house.listener, (struct sockaddr *)&address, &length), 0);
	assert_int_equal(connect(client, (struct sockaddr *)&address, length), 0);
	close(client);		/* it stays in the queue */
}

static void
accept_one(struct duty *duty)
{
	int connection = accept(house.listener, NULL, NULL);

	assert_true(connection != -1);
	close(connection);
	duty_take(duty);
}

static void
accept_one_for_long(struct duty *duty)
{
	accept_one(duty);
	duty_hand_over(duty);
}

static bool
is_readable(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	return poll(&ready, 1, 0) == 1;
}

static unsigned
enough(void)
{
	cpu_set_t processors;

	assert_int_equal(sched_getaffinity(0, sizeof(processors), &processors), 0);
	return CPU_COUNT(&processors) > 2 ? (unsigned)CPU_COUNT(&processors) : 2;
}

/* As many as there is room for, with a connection in the queue that nobody has accepted yet. */
static void
fill_socket(void)
{
	connect_to_house();
	for (unsigned i = 0; i < enough(); i++)
		assert_int_equal(duty_wait(new_responder(false)), DUTY_CONNECTION);
}

/* Whom a connection does not wake: then duty_wait() says that it is time to leave. */
static bool
is_in_reserve(struct duty *duty)
{
	enum duty_call call;

	assert_true(is_readable(house.listener));
	assert_int_equal(write(house.leave[1], "", 1), 1);
	call = duty_wait(duty);
	assert_int_equal(read(house.leave[0], &(char){ 0 }, 1), 1);
	return call == DUTY_LEAVE && !duty->is_at_socket;
}

static void
test_no_more_than_enough_wait_at_the_socket(void **state)
{
	(void)state;
	fill_socket();
	assert_true(is_in_reserve(new_responder(false)));
	assert_false(is_readable(house.bell));
}

static void
test_the_last_who_hands_over_rings(void **state)
{
	(void)state;
	fill_socket();
	for (unsigned i = 0; i + 1 < enough(); i++) {
		accept_one_for_long(&house.duties[i]);
		assert_false(is_readable(house.bell));
		connect_to_house();
	}
	accept_one_for_long(&house.duties[enough() - 1]);
	assert_true(is_readable(house.bell));
}

static void
test_who_is_back_at_once_is_missed_by_nobody(void **state)
{
	(void)state;
	fill_socket();
	for (unsigned i = 0; i < enough(); i++) {
		accept_one(&house.duties[i]);
		connect_to_house();
	}
	assert_true(is_in_reserve(new_responder(false)));
	assert_false(is_readable(house.bell));
	for (unsigned i = 0; i < enough(); i++)
		assert_true(duty_goes_on(&house.duties[i]));
}

static void
test_who_hands_over_again_does_not_ring_again(void **state)
{
	(void)state;
	fill_socket();
	for (unsigned i = 0; i < enough(); i++)
		duty_hand_over(&house.duties[i]);
	assert_int_equal(read(house.bell, &(uint64_t){ 0 }, sizeof(uint64_t)), sizeof(uint64_t));
	duty_hand_over(&house.duties[0]);
	assert_false(is_readable(house.bell));
}

static void
test_one_of_the_reserve_goes_to_the_socket_when_there_is_room(void **state)
{
	struct duty *reserve;

	(void)state;
	fill_socket();
	reserve = new_responder(false);
	assert_true(is_in_reserve(reserve));
	accept_one_for_long(&house.duties[0]);
	connect_to_house();
	assert_int_equal(duty_wait(reserve), DUTY_CONNECTION);
}

static void
test_a_bell_that_rings_for_nothing_leaves_the_reserve_where_it_is(void **state)
{
	struct duty *reserve;

	(void)state;
	fill_socket();
	reserve = new_responder(false);
	assert_int_equal(write(house.bell, &(uint64_t){ 1 }, sizeof(uint64_t)), sizeof(uint64_t));
	assert_true(is_in_reserve(reserve));
}

/* Those on the roster could be dead or frozen. */
static void
test_a_call_by_the_parent_fetches_one_although_enough_are_on_the_roster(void **state)
{
	struct duty *first, *second;

	(void)state;
	fill_socket();
	first = new_responder(false);
	second = new_responder(false);
	assert_true(is_in_reserve(first));
	roster_call(&house.roster, house.bell);
	assert_int_equal(duty_wait(first), DUTY_CONNECTION);
	accept_one_for_long(first);
	connect_to_house();
	assert_int_equal(duty_wait(second), DUTY_CONNECTION);
}

static void
test_who_leaves_is_not_counted_any_more(void **state)
{
	(void)state;
	fill_socket();
	duty_close(&house.duties[--house.count]);
	assert_int_equal(duty_wait(new_responder(false)), DUTY_CONNECTION);
}

static void
test_the_last_who_leaves_rings(void **state)
{
	(void)state;
	fill_socket();
	while (house.count > 0) {
		assert_false(is_readable(house.bell));
		duty_close(&house.duties[--house.count]);
	}
	assert_true(is_readable(house.bell));
}

static void
test_one_that_is_alone_is_always_at_the_socket_and_rings_nobody(void **state)
{
	struct duty *alone = new_responder(true);

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		connect_to_house();
		assert_int_equal(duty_wait(alone), DUTY_CONNECTION);
		accept_one(alone);
	}
	assert_false(is_readable(house.bell));
}

static void
test_who_has_served_goes_on_without_waiting_but_only_for_a_moment(void **state)
{
	struct duty *duty;

	(void)state;
	fill_socket();
	duty = &house.duties[0];
	assert_false(duty_goes_on(duty));	/* it has not accepted anything yet */
	accept_one(duty);
	assert_true(duty_goes_on(duty));
	assert_false(duty_goes_on(duty));	/* somebody else was quicker */
	connect_to_house();
	assert_int_equal(duty_wait(duty), DUTY_CONNECTION);
	accept_one(duty);
	usleep(20000);
	assert_false(duty_goes_on(duty));
}

static void
test_who_goes_on_is_at_the_socket(void **state)
{
	(void)state;
	fill_socket();
	for (unsigned i = 0; i < enough(); i++) {
		if (i > 0)
			connect_to_house();
		accept_one_for_long(&house.duties[i]);
	}
	assert_true(is_readable(house.bell));
	assert_int_equal(house.roster.at_socket[0], 0);
	assert_true(duty_goes_on(&house.duties[1]));
	assert_int_equal(house.roster.at_socket[0], 2);
}

static void
test_who_has_served_does_not_go_on_where_enough_others_wait(void **state)
{
	struct duty *late;

	(void)state;
	fill_socket();
	late = new_responder(true);
	late->config.bell = house.bell;		/* it came to the socket in spite of them */
	assert_int_equal(duty_wait(&house.duties[0]), DUTY_CONNECTION);
	late->looked_us = house.duties[0].looked_us;
	duty_take(late);
	assert_false(duty_goes_on(late));
}

/* Whatever they do, in any order: nobody at the socket means that the bell has been rung. */
static void
test_the_socket_is_never_left_without_a_call(void **state)
{
	unsigned seed = 1;

	(void)state;
	fill_socket();
	for (unsigned i = 0; i < 8; i++)
		new_responder(false);
	for (unsigned round = 0; round < 2000; round++) {
		struct duty *duty = &house.duties[(seed = seed * 1103515245 + 12345) / 65536 % house.count];
		unsigned at_socket = 0;

		if (!is_readable(house.listener))
			connect_to_house();
		assert_int_equal(write(house.leave[1], "", 1), 1);
		if ((duty_goes_on(duty) || duty_wait(duty) == DUTY_CONNECTION) && is_readable(house.listener) &&
		    seed / 65536 % 3 != 0)
			(seed / 65536 % 3 == 1 ? accept_one : accept_one_for_long)(duty);
		assert_int_equal(read(house.leave[0], &(char){ 0 }, 1), 1);
		for (unsigned i = 0; i < ROSTER_MAX / 64; i++)
			at_socket += (unsigned)__builtin_popcountll(house.roster.at_socket[i]);
		assert_true(at_socket > 0 || is_readable(house.bell));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_more_than_enough_wait_at_the_socket, open_house, close_house),
		cmocka_unit_test_setup_teardown(test_the_last_who_hands_over_rings, open_house, close_house),
		cmocka_unit_test_setup_teardown(test_who_is_back_at_once_is_missed_by_nobody, open_house, close_house),
		cmocka_unit_test_setup_teardown(test_who_hands_over_again_does_not_ring_again, open_house, close_house),
		cmocka_unit_test_setup_teardown(
		    test_one_of_the_reserve_goes_to_the_socket_when_there_is_room, open_house, close_house),
		cmocka_unit_test_setup_teardown(
		    test_a_bell_that_rings_for_nothing_leaves_the_reserve_where_it_is, open_house, close_house),
		cmocka_unit_test_setup_teardown(
		    test_a_call_by_the_parent_fetches_one_although_enough_are_on_the_roster, open_house, close_house),
		cmocka_unit_test_setup_teardown(test_who_leaves_is_not_counted_any_more, open_house, close_house),
		cmocka_unit_test_setup_teardown(test_the_last_who_leaves_rings, open_house, close_house),
		cmocka_unit_test_setup_teardown(
		    test_one_that_is_alone_is_always_at_the_socket_and_rings_nobody, open_house, close_house),
		cmocka_unit_test_setup_teardown(
		    test_who_has_served_goes_on_without_waiting_but_only_for_a_moment, open_house, close_house),
		cmocka_unit_test_setup_teardown(test_who_goes_on_is_at_the_socket, open_house, close_house),
		cmocka_unit_test_setup_teardown(
		    test_who_has_served_does_not_go_on_where_enough_others_wait, open_house, close_house),
		cmocka_unit_test_setup_teardown(test_the_socket_is_never_left_without_a_call, open_house, close_house),
	};

	return cmocka_run_group_tests_name("duty", tests, NULL, NULL);
}
