#include "fcgi-app/duty.h"

#include "base/check.h"
#include "base/deadline.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	ROSTER_WORDS = ROSTER_MAX / 64,
	ENOUGH_MIN = 2,
	GO_ON_US = 10000
};

enum event { EVENT_CONNECTION, EVENT_BELL, EVENT_LEAVE };

/* ---- the roster and the bell --------------------------------------------------------- */

static unsigned
count_at_socket(const struct roster *roster)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ROSTER_WORDS; i++)
		count += (unsigned)__builtin_popcountll(atomic_load(&roster->at_socket[i]));
	return count;
}

static uint64_t
bit_of(const struct duty_config *config)
{
	return UINT64_C(1) << config->number % 64;
}

static void
sign_on(const struct duty_config *config)
{
	atomic_fetch_or(&config->roster->at_socket[config->number / 64], bit_of(config));
}

static void
sign_off(const struct duty_config *config)
{
	atomic_fetch_and(&config->roster->at_socket[config->number / 64], ~bit_of(config));
}

static bool
is_signed_on(const struct duty_config *config)
{
	return (atomic_load(&config->roster->at_socket[config->number / 64]) & bit_of(config)) != 0;
}

int
bell_new(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

/* Rung twice is rung once: who comes will ring for the next one, if that is needed. */
static void
ring(int bell)
{
	CHECK(write(bell, &(uint64_t){ 1 }, sizeof(uint64_t)) != -1 || errno == EAGAIN);
}

static void
silence(int bell)
{
	uint64_t rung;

	CHECK(read(bell, &rung, sizeof(rung)) != -1 || errno == EAGAIN);
}

void
roster_call(struct roster *roster, int bell)
{
	for (unsigned i = 0; i < ROSTER_WORDS; i++)
		atomic_store(&roster->at_socket[i], 0);
	ring(bell);
}

/* ---- a responder ----------------------------------------------------------------------- */

/* Those that we may run on: in a container they are fewer than the machine's. */
static unsigned
count_processors(void)
{
	cpu_set_t processors;

	return sched_getaffinity(0, sizeof(processors), &processors) == 0 ? (unsigned)CPU_COUNT(&processors) : 1;
}

static bool
watch(const struct duty *duty, int fd, enum event event, uint32_t how)
{
	struct epoll_event wanted = { .events = EPOLLIN | how, .data.u32 = event };

	return epoll_ctl(duty->epoll, EPOLL_CTL_ADD, fd, &wanted) == 0;
}

/* Exclusively: a connection wakes one of us. */
static bool
watch_socket(const struct duty *duty)
{
	return watch(duty, duty->config.listener, EVENT_CONNECTION, EPOLLEXCLUSIVE);
}

static unsigned
enough_responders(void)
{
	unsigned processors = count_processors();

	return processors > ENOUGH_MIN ? processors : ENOUGH_MIN;
}

bool
duty_open(struct duty *duty, const struct duty_config *config, struct failure *why)
{
	*duty = (struct duty){
		.config = *config,
		.enough = enough_responders(),
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.is_at_socket = true,
	};
	/* The bell also wakes who is at the socket: whom a connection had woken may have been frozen just then. */
	return (duty->epoll != -1 && watch_socket(duty) && watch(duty, config->leave, EVENT_LEAVE, 0) &&
	    (config->bell == -1 || watch(duty, config->bell, EVENT_BELL, EPOLLEXCLUSIVE))) ||
	    fail(why, FAIL_INTERNAL, "cannot watch the listening socket: %s", strerror(errno));
}

static void
move(struct duty *duty, bool to_socket)
{
	if (duty->is_at_socket == to_socket)
		return;
	if (to_socket)
		CHECK(watch_socket(duty));
	else
		CHECK(epoll_ctl(duty->epoll, EPOLL_CTL_DEL, duty->config.listener, NULL) == 0);
	duty->is_at_socket = to_socket;
}

/* Signed on before looking at the socket: who hands over meanwhile leaves his connections to us. */
static void
take_place(struct duty *duty)
{
	if (duty->config.bell == -1)
		return;
	sign_off(&duty->config);
	move(duty, count_at_socket(duty->config.roster) < duty->enough);
	if (duty->is_at_socket)
		sign_on(&duty->config);
}

enum duty_call
duty_wait(struct duty *duty)
{
	for (;;) {
		struct epoll_event event;
		int count;

		take_place(duty);
		count = epoll_wait(duty->epoll, &event, 1, -1);
		if (count == -1 && errno == EINTR)
			continue;
		CHECK(count == 1);
		duty->looked_us = monotonic_us();
		if (event.data.u32 != EVENT_BELL)
			return event.data.u32 == EVENT_LEAVE ? DUTY_LEAVE : DUTY_CONNECTION;
		silence(duty->config.bell);
		/* A connection that had woken somebody else is not seen by waiting for the next, but by coming anew. */
		move(duty, false);
	}
}

void
duty_take(struct duty *duty)
{
	duty->had_connection = true;
}

/* Who is not counted has handed over already, or the parent has rung. */
void
duty_hand_over(struct duty *duty)
{
	if (duty->config.bell == -1 || !is_signed_on(&duty->config))
		return;
	sign_off(&duty->config);
	if (count_at_socket(duty->config.roster) == 0)
		ring(duty->config.bell);
}

void
duty_close(struct duty *duty)
{
	duty_hand_over(duty);
	close(duty->epoll);
}

bool
duty_goes_on(struct duty *duty)
{
	bool is_called = duty->had_connection && monotonic_us() - duty->looked_us < GO_ON_US;

	duty->had_connection = false;
	if (!is_called)
		return false;
	if (duty->config.bell != -1 && !is_signed_on(&duty->config))
		take_place(duty);
	return duty->is_at_socket;
}
