/*
 * test_response - every kind of failure has its status, its cacheability and
 * a body that gives nothing away.
 */
#include "fcgi-app/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const char *
header(const struct response *response, const char *name)
{
	for (unsigned i = 0; i < response->header_count; i++)
		if (strcmp(response->headers[i].name, name) == 0)
			return response->headers[i].value;
	return NULL;
}

static void
test_every_kind_has_its_answer(void **state)
{
	static const struct {
		enum failure_kind kind;
		unsigned status;
		const char *cache;
		bool shows_detail, has_retry;
	} cases[] = {
		{ FAIL_BAD_REQUEST, 400, "public, max-age=60", true, false },
		{ FAIL_FORBIDDEN, 403, "no-store", false, false },
		{ FAIL_NOT_FOUND, 404, "public, max-age=60", false, false },
		{ FAIL_METHOD, 405, "no-store", false, false },
		{ FAIL_GONE, 410, "public, max-age=60", false, false },
		{ FAIL_UNSUPPORTED, 415, "public, max-age=60", true, false },
		{ FAIL_UNPROCESSABLE, 422, "public, max-age=60", true, false },
		{ FAIL_CRASHED, 422, "no-store", true, true },
		{ FAIL_BUSY, 503, "no-store", false, true },
		{ FAIL_UNAVAILABLE, 503, "no-store", false, true },
		{ FAIL_UPSTREAM, 502, "no-store", false, false },
		{ FAIL_TIMEOUT, 504, "no-store", false, false },
		{ FAIL_INTERNAL, 500, "no-store", false, false },
		{ FAIL_ABANDONED, 499, "no-store", false, false },
	};
	struct http_settings http = { .error_max_age_s = 60, .allow_origin = "https://shop.example" };

	(void)state;
	assert_int_equal(sizeof(cases) / sizeof(cases[0]), FAIL_KIND_COUNT - 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request request = { .arena = arena_new(), .id = "request-1" };
		struct failure why = { 0 };
		struct response response;
		const char *body;

		assert_false((fail)(&why, cases[i].kind, "the \"secret\" detail"));
		response_init(&response);
		response_failure(&response, &request, &http, &why);
		body = arena_copy_bytes(request.arena, response.body.at, response.body.length);
		assert_int_equal(response.status, cases[i].status);
		assert_string_equal(header(&response, "Cache-Control"), cases[i].cache);
		assert_string_equal(header(&response, "Content-Type"), "application/problem+json");
		assert_int_equal(strstr(body, "the \\\"secret\\\" detail") != NULL, cases[i].shows_detail);
		assert_string_equal(header(&response, "Access-Control-Allow-Origin"), "https://shop.example");
		assert_int_equal(header(&response, "Retry-After") != NULL, cases[i].has_retry);
		assert_int_equal(header(&response, "Allow") != NULL, cases[i].kind == FAIL_METHOD);
		assert_non_null(strstr(body, "\"instance\":\"request-1\""));
		assert_string_equal(response.reason, "the \"secret\" detail");
		arena_free(request.arena);
	}
}

static void
test_vary_tells_what_was_looked_at_also_of_a_failure(void **state)
{
	struct request request = { .arena = arena_new(), .id = "request-1" };
	struct http_settings http = { .allow_origin = "" };
	struct failure why = { 0 };
	struct response response;

	(void)state;
	request.fields[FIELD_DPR] = span_of("2");
	assert_null(request_vary(&request));
	assert_true(span_equals(request_look_at(&request, FIELD_DPR), "2"));
	assert_string_equal(request_vary(&request), "DPR");
	/* Also of what was not sent, in one order. */
	assert_int_equal(request_look_at(&request, FIELD_SAVE_DATA).length, 0);
	(void)request_look_at(&request, FIELD_ACCEPT);
	(void)request_look_at(&request, FIELD_ACCEPT);
	assert_string_equal(request_vary(&request), "Accept,Save-Data,DPR");
	assert_false((fail)(&why, FAIL_FORBIDDEN, "no"));
	response_init(&response);
	response_failure(&response, &request, &http, &why);
	assert_string_equal(header(&response, "Vary"), "Accept,Save-Data,DPR");
	assert_null(header(&response, "Access-Control-Allow-Origin"));
	arena_free(request.arena);
}

static void
test_a_file_goes_the_configured_way(void **state)
{
	struct store_config store = { .root = "/srv/my store" };
	struct store_file file = { .fd = 7, .bytes = 123, .path = "variants/ab/cd/abcd" };
	struct request request = { .arena = arena_new() };
	struct http_settings http = { .send = SEND_BODY, .accel_prefix = "/inside/" };
	struct response response;

	(void)state;
	response_init(&response);
	response_file(&response, &request, &http, &store, &file);
	assert_int_equal(response.file_fd, 7);
	assert_string_equal(header(&response, "Content-Length"), "123");

	http.send = SEND_ACCEL;
	response_init(&response);
	response_file(&response, &request, &http, &store, &file);
	assert_int_equal(response.file_fd, -1);
	assert_true(response.is_sent_by_server);
	assert_string_equal(header(&response, "X-Accel-Redirect"), "/inside/variants/ab/cd/abcd");

	http.send = SEND_SENDFILE;
	response_init(&response);
	response_file(&response, &request, &http, &store, &file);
	assert_string_equal(header(&response, "X-Sendfile"), "/srv/my%20store/variants/ab/cd/abcd");

	request.has_precondition = true;
	response_init(&response);
	response_file(&response, &request, &http, &store, &file);
	assert_int_equal(response.file_fd, 7);

	request.has_precondition = false;
	request.needs_body = true;
	response_init(&response);
	response_file(&response, &request, &http, &store, &file);
	assert_int_equal(response.file_fd, 7);
	arena_free(request.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_has_its_answer),
		cmocka_unit_test(test_vary_tells_what_was_looked_at_also_of_a_failure),
		cmocka_unit_test(test_a_file_goes_the_configured_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
