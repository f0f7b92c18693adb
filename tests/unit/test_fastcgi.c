/* test_fastcgi - what a peer says on a real connection becomes one request, and the answer arrives whole. */
#include "fcgi-app/fastcgi.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6, MANAGEMENT = 9,
	LIBFCGI_READS = 8192,
	RECORD_MAX = 60000,
	SAID_MAX = 300000,
	SOON_MS = 20, LATE_MS = 2000
};

/* What a peer says, record by record: FastCGI 1.0, section 3.3. */
struct words {
	unsigned char bytes[SAID_MAX];
	size_t length;
};

static void
say(struct words *words, unsigned char type, const void *content, size_t length)
{
	const unsigned char header[8] = { 1, type, 0, 1, (unsigned char)(length >> 8), (unsigned char)length };

	assert_true(words->length + sizeof(header) + length <= SAID_MAX);
	memcpy(words->bytes + words->length, header, sizeof(header));
	if (length > 0)
		memcpy(words->bytes + words->length + sizeof(header), content, length);
	words->length += sizeof(header) + length;
}

/* A stream of these bytes, with its end. */
static void
say_stream(struct words *words, unsigned char type, const unsigned char *content, size_t length)
{
	for (size_t at = 0; at < length; at += RECORD_MAX)
		say(words, type, content + at, length - at < RECORD_MAX ? length - at : RECORD_MAX);
	say(words, type, "", 0);
}

/* Lengths of four bytes: section 3.4. */
static size_t
add_pair(unsigned char *out, const char *name, const char *value, size_t value_length)
{
	size_t name_length = strlen(name);
	const unsigned char lengths[8] = { 0x80, 0, 0, (unsigned char)name_length,
		(unsigned char)(0x80 | value_length >> 24), (unsigned char)(value_length >> 16),
		(unsigned char)(value_length >> 8), (unsigned char)value_length };

	memcpy(out, lengths, sizeof(lengths));
	memcpy(out + sizeof(lengths), name, name_length);
	memcpy(out + sizeof(lengths) + name_length, value, value_length);
	return sizeof(lengths) + name_length + value_length;
}

/* A GET of target with a parameter of filler_bytes and a body. */
static void
say_request(struct words *words, const char *target, unsigned char flags, size_t filler_bytes, size_t body_bytes)
{
	static unsigned char pairs[SAID_MAX / 2];
	static char filler[SAID_MAX / 2];
	const unsigned char begin[8] = { 0, 1, flags };
	size_t length = add_pair(pairs, "REQUEST_METHOD", "GET", 3);

	memset(filler, 'x', sizeof(filler));
	length += add_pair(pairs + length, "REQUEST_URI", target, strlen(target));
	length += add_pair(pairs + length, "HTTP_X_FILLER", filler, filler_bytes);
	say(words, BEGIN, begin, sizeof(begin));
	say_stream(words, PARAMS, pairs, length);
	say_stream(words, STDIN, (const unsigned char *)filler, body_bytes);
}

/* The filler with which a request has exactly so many bytes. */
static size_t
filler_for(size_t bytes)
{
	static struct words words;

	words.length = 0;
	say_request(&words, "/exactly", 0, 0, 0);
	return bytes - words.length;
}

/* ---- both ends ----------------------------------------------------------------------- */

static struct {
	struct fastcgi *fastcgi;
	struct arena *arena;
	int listener, peer;
} ends;

static int
listen_on(int family)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };		/* the kernel names it */
	struct sockaddr_in loopback = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr *address = family == AF_UNIX ? (void *)&local : (void *)&loopback;
	socklen_t length = family == AF_UNIX ? sizeof(sa_family_t) : sizeof(loopback);

	ends.listener = socket(family, SOCK_STREAM, 0);
	ends.peer = -1;
	if (ends.listener == -1 || bind(ends.listener, address, length) == -1 || listen(ends.listener, 8) == -1)
		return -1;
	ends.fastcgi = fastcgi_open(ends.listener);
	ends.arena = arena_new();
	return 0;
}

static int
listen_on_unix(void **state)
{
	(void)state;
	return listen_on(AF_UNIX);
}

static int
listen_on_tcp(void **state)
{
	(void)state;
	return listen_on(AF_INET);
}

static int
close_ends(void **state)
{
	(void)state;
	fastcgi_close(ends.fastcgi);
	arena_free(ends.arena);
	if (ends.peer != -1)
		close(ends.peer);
	return close(ends.listener);
}

static void
hang_up(void)
{
	close(ends.peer);
	ends.peer = -1;
}

static void
connect_peer(void)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	assert_int_equal(getsockname(ends.listener, (struct sockaddr *)&address, &length), 0);
	ends.peer = socket(address.ss_family, SOCK_STREAM, 0);
	assert_int_equal(connect(ends.peer, (struct sockaddr *)&address, length), 0);
	while (fastcgi_accept(ends.fastcgi) != FASTCGI_CONNECTED)
		;
}

static void
send_bytes(const unsigned char *bytes, size_t length)
{
	assert_int_equal(send(ends.peer, bytes, length, MSG_NOSIGNAL), length);
}

/* Over TCP too it has to be here before anybody looks. */
static void
send_and_let_arrive(const unsigned char *bytes, size_t length)
{
	send_bytes(bytes, length);
	usleep(SOON_MS * 1000);
}

static bool
receive(int64_t ms, struct failure *why)
{
	*why = (struct failure){ 0 };
	return fastcgi_receive(ends.fastcgi, deadline_in_ms(ms), why);
}

static void
assert_received(const char *target)
{
	struct failure why;
	struct request request;

	if (!receive(LATE_MS, &why))
		fail_msg("%s", why.detail);
	fastcgi_read(ends.fastcgi, ends.arena, &request);
	assert_true(span_equals(request.method, "GET"));
	assert_true(span_equals(request.target, target));
}

/* Up to the end of the connection, which must not be a reset: that would take the answer from a web server. */
static void
assert_answer_arrives(void)
{
	struct request request = { .arena = ends.arena };
	struct response response;
	unsigned char answer[4096];
	size_t length = 0;
	uint64_t sent;
	ssize_t got;

	response_init(&response);
	response_text(&response, ends.arena, 200, "text/plain", span_of("all of it"));
	assert_true(fastcgi_send(ends.fastcgi, &request, &response, &sent));
	fastcgi_finish(ends.fastcgi);
	assert_int_equal(sent, strlen("all of it"));
	while ((got = recv(ends.peer, answer + length, sizeof(answer) - length, 0)) > 0)
		length += (size_t)got;
	assert_int_equal(got, 0);
	assert_int_equal(answer[1], STDOUT);
	assert_non_null(memmem(answer, length, "\r\n\r\nall of it", 13));
	assert_true(length > 16);
	assert_int_equal(answer[length - 15], END);
}

/* ---- the tests ------------------------------------------------------------------------ */

static void
test_a_request_of_any_size_is_read_and_answered(void **state)
{
	const struct { size_t filler_bytes, body_bytes; } requests[] = {
		{ 0, 0 }, { 1000, 0 }, { 0, 1 }, { 0, 1000 }, { 1000, 7000 }, { 1000, 8000 },
		{ filler_for(LIBFCGI_READS - 1), 0 }, { filler_for(LIBFCGI_READS), 0 },
		{ filler_for(LIBFCGI_READS + 1), 0 }, { filler_for(LIBFCGI_READS - 8), 8 },
		{ 20000, 0 }, { 100000, 0 }, { 0, 70000 }, { 20000, 70000 },
	};
	static struct words words;

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		words.length = 0;
		say_request(&words, "/exactly", 0, requests[i].filler_bytes, requests[i].body_bytes);
		connect_peer();
		send_and_let_arrive(words.bytes, words.length);
		assert_received("/exactly");
		assert_answer_arrives();
		hang_up();
	}
}

static void
test_what_is_behind_a_request_is_not_looked_at(void **state)
{
	static const unsigned char noise[20000] = { BEGIN };
	static struct words words;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		words.length = 0;
		say_request(&words, "/first", 0, 0, 0);
		if (i == 0)
			say_request(&words, "/second", 0, 0, 0);
		else if (i == 1)
			say(&words, MANAGEMENT, "\x0e\0FCGI_MPXS_CONNS", 17);
		else
			say(&words, BEGIN, noise, i == 2 ? 1000 : sizeof(noise));
		connect_peer();
		send_and_let_arrive(words.bytes, words.length);
		assert_received("/first");
		assert_answer_arrives();
		hang_up();
	}
}

static void
test_a_connection_that_is_to_be_kept_ends_all_the_same(void **state)
{
	static struct words words;

	(void)state;
	words.length = 0;
	say_request(&words, "/kept", 1, 0, 0);
	connect_peer();
	send_and_let_arrive(words.bytes, words.length);
	assert_received("/kept");
	assert_answer_arrives();
}

/* Wherever it is cut, and whether the first part is waited for in vain or not. */
static void
test_a_request_in_two_parts_is_read_when_both_are_here(void **state)
{
	static struct words words;
	struct failure why;

	(void)state;
	words.length = 0;
	say_request(&words, "/parts", 0, 100, 20);
	for (size_t cut = 1; cut < words.length; cut += cut < 40 || cut + 40 > words.length ? 1 : 13) {
		connect_peer();
		send_bytes(words.bytes, cut);
		assert_false(receive(1, &why));
		assert_int_equal(why.kind, FAIL_TIMEOUT);
		send_bytes(words.bytes + cut, words.length - cut);
		assert_received("/parts");
		assert_answer_arrives();
		hang_up();
	}
}

/* The second one looks like a request of its own; it is none. */
static void
test_a_whole_request_behind_a_part_of_one_is_refused(void **state)
{
	static struct words words;
	struct failure why;

	(void)state;
	words.length = 0;
	say_request(&words, "/second", 0, 0, 0);
	connect_peer();
	send_bytes(words.bytes, 16);
	assert_false(receive(1, &why));
	send_bytes(words.bytes, words.length);
	assert_false(receive(LATE_MS, &why));
	assert_int_equal(why.kind, FAIL_BAD_REQUEST);
	assert_non_null(strstr(why.detail, "type 1, not 4"));
	fastcgi_finish(ends.fastcgi);
}

static void
test_a_peer_that_leaves_is_told_from_one_that_says_nothing(void **state)
{
	static struct words words;
	struct failure why;

	(void)state;
	connect_peer();
	assert_false(receive(1, &why));
	assert_int_equal(why.kind, FAIL_TIMEOUT);
	hang_up();
	assert_false(receive(LATE_MS, &why));
	assert_int_equal(why.kind, FAIL_ABANDONED);
	fastcgi_finish(ends.fastcgi);

	words.length = 0;
	say_request(&words, "/half", 0, 0, 0);
	connect_peer();
	send_bytes(words.bytes, words.length - 1);
	hang_up();
	assert_false(receive(LATE_MS, &why));
	assert_int_equal(why.kind, FAIL_BAD_REQUEST);
	fastcgi_finish(ends.fastcgi);
}

/* Its request is here all the same; that the answer reaches nobody is found when it is sent. */
static void
test_a_peer_that_leaves_behind_its_request_harms_nobody(void **state)
{
	static struct words words;

	(void)state;
	words.length = 0;
	say_request(&words, "/left", 0, 0, 0);
	connect_peer();
	send_and_let_arrive(words.bytes, words.length);
	hang_up();
	assert_received("/left");
	fastcgi_finish(ends.fastcgi);
	connect_peer();
	send_and_let_arrive(words.bytes, words.length);
	assert_received("/left");
	assert_answer_arrives();
}

#define ON_BOTH(test) \
	{ #test " (unix)", test, listen_on_unix, close_ends, NULL }, \
	{ #test " (TCP)", test, listen_on_tcp, close_ends, NULL }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BOTH(test_a_request_of_any_size_is_read_and_answered),
		ON_BOTH(test_what_is_behind_a_request_is_not_looked_at),
		ON_BOTH(test_a_connection_that_is_to_be_kept_ends_all_the_same),
		ON_BOTH(test_a_request_in_two_parts_is_read_when_both_are_here),
		ON_BOTH(test_a_whole_request_behind_a_part_of_one_is_refused),
		ON_BOTH(test_a_peer_that_leaves_is_told_from_one_that_says_nothing),
		ON_BOTH(test_a_peer_that_leaves_behind_its_request_harms_nobody),
	};

	alarm(30);		/* libfcgi's reads have no end, and it does not let SIGTERM end us */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
