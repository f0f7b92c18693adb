/* test_sigv4 - signatures, against AWS's published examples and against botocore. */
#include "origin/s3_request.h"
#include "origin/sigv4.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

struct sigv4_case {
	const char *endpoint, *region;
	bool is_path_style;
	const char *method, *key;
	const char *continuation, *prefix;	/* of a listing, else NULL */
	const char *token, *payload_hash;
	const char *url, *signature;
};

#include "sigv4_table.h"

static const char *
signature_in(const char *authorization)
{
	const char *found = strstr(authorization, "Signature=");

	assert_non_null(found);
	return found + strlen("Signature=");
}

/* Amazon S3 API Reference, "Signature Calculations for the Authorization
 * Header", examples of 24 May 2013. */
static void
test_signs_as_the_manual_of_s3_shows(void **state)
{
	static const struct credentials credentials = {
		.access_key_id = "AKIAIOSFODNN7EXAMPLE",
		.secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	};
	static const char put_hash[] =
	    "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
	static const struct {
		const char *method, *path, *query, *payload_hash;
		struct sigv4_header extra[2];
		size_t extra_count;
		const char *signature;
	} table[] = {
		{ "GET", "/test.txt", "", SIGV4_EMPTY_PAYLOAD, { { "range", "bytes=0-9" } }, 1,
		    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
		{ "PUT", "/test%24file.text", "", put_hash,
		    { { "x-amz-storage-class", "REDUCED_REDUNDANCY" },
			{ "date", "Fri, 24 May 2013 00:00:00 GMT" } }, 2,
		    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
		{ "GET", "/", "lifecycle=", SIGV4_EMPTY_PAYLOAD, { { NULL, NULL } }, 0,
		    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
		{ "GET", "/", "max-keys=2&prefix=J", SIGV4_EMPTY_PAYLOAD, { { NULL, NULL } }, 0,
		    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct arena *arena = arena_new();
		struct sigv4_header headers[5] = {
			{ "x-amz-date", "20130524T000000Z" },
			{ "host", "examplebucket.s3.amazonaws.com" },
			{ "x-amz-content-sha256", table[i].payload_hash },
			table[i].extra[0], table[i].extra[1],
		};
		const struct sigv4_request request = {
			.method = table[i].method, .path = table[i].path, .query = table[i].query,
			.headers = headers, .header_count = 3 + table[i].extra_count,
			.payload_hash = table[i].payload_hash, .time = 1369353600,
			.region = "us-east-1", .service = "s3",
		};
		struct text out;

		text_init(&out, arena, 1024);
		sigv4_sign(&request, &credentials, &out);
		assert_string_equal(signature_in(out.at), table[i].signature);
		arena_free(arena);
	}
}

/* AWS's Signature Version 4 test suite, get-vanilla and get-header-value-trim. */
static void
test_signs_as_the_test_suite_of_aws_shows(void **state)
{
	static const struct credentials credentials = {
		.access_key_id = "AKIDEXAMPLE",
		.secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	};
	static const struct sigv4_header headers[] = {
		{ "host", "example.amazonaws.com" }, { "my-header1", " value1" },
		{ "my-header2", " \"a   b   c\"" }, { "x-amz-date", "20150830T123600Z" },
	};
	static const struct sigv4_header vanilla[] = {
		{ "host", "example.amazonaws.com" }, { "x-amz-date", "20150830T123600Z" },
	};
	struct sigv4_request request = {
		.method = "GET", .path = "/", .query = "", .headers = vanilla, .header_count = 2,
		.payload_hash = SIGV4_EMPTY_PAYLOAD, .time = 1440938160, .region = "us-east-1",
		.service = "service",
	};
	struct arena *arena = arena_new();
	struct text out;

	(void)state;
	text_init(&out, arena, 1024);
	sigv4_sign(&request, &credentials, &out);
	assert_string_equal(out.at, "AWS4-HMAC-SHA256 "
	    "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,"
	    "SignedHeaders=host;x-amz-date,"
	    "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");

	request.headers = headers;
	request.header_count = 4;
	text_init(&out, arena, 1024);
	sigv4_sign(&request, &credentials, &out);
	assert_string_equal(signature_in(out.at),
	    "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
	arena_free(arena);
}

/* Comparing "name:value" lines would put x-amz-a-md5 first. */
static void
test_sorts_headers_by_name_alone(void **state)
{
	static const struct sigv4_header headers[] = {
		{ "x-amz-a-md5", "1" }, { "x-amz-a", "2" }, { "host", "h" },
	};
	const struct sigv4_request request = {
		.method = "GET", .path = "/", .query = "", .headers = headers, .header_count = 3,
		.payload_hash = "UNSIGNED-PAYLOAD", .time = 0, .region = "r", .service = "s3",
	};
	const struct credentials credentials = { .access_key_id = "A", .secret_access_key = "B" };
	struct arena *arena = arena_new();
	struct text out;

	(void)state;
	text_init(&out, arena, 1024);
	sigv4_sign(&request, &credentials, &out);
	assert_non_null(strstr(out.at, "SignedHeaders=host;x-amz-a;x-amz-a-md5,"));
	arena_free(arena);
}

static void
sign_case(const struct sigv4_case *row, struct arena *arena, struct s3_request *request)
{
	struct credentials credentials = {
		.access_key_id = "AKIDEXAMPLE",
		.secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	};
	struct s3_address address;
	struct failure why = { 0 };
	struct text query;

	assert_true(s3_address_parse(row->endpoint, "photos", row->is_path_style, &address, &why));
	if (row->token != NULL)
		memcpy(credentials.session_token, row->token, strlen(row->token) + 1);
	text_init(&query, arena, 1024);
	if (row->continuation != NULL)
		s3_query_add(&query, "continuation-token", span_of(row->continuation));
	if (row->prefix != NULL) {
		s3_query_add(&query, "encoding-type", span_of("url"));
		s3_query_add(&query, "list-type", span_of("2"));
		s3_query_add(&query, "max-keys", span_of("1000"));
		s3_query_add(&query, "prefix", span_of(row->prefix));
	}
	const struct s3_draft draft = {
		.method = row->method, .key = span_of(row->key), .query = query.at,
		.payload_hash = row->payload_hash, .time = SIGV4_TABLE_TIME,
	};

	s3_request_sign(&address, row->region, &credentials, &draft, arena, request);
}

static void
test_addresses_and_signs_like_botocore(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sigv4_table) / sizeof(sigv4_table[0]); i++) {
		const struct sigv4_case *row = &sigv4_table[i];
		struct arena *arena = arena_new();
		struct s3_request request;

		sign_case(row, arena, &request);
		assert_string_equal(request.url, row->url);
		assert_int_equal(request.header_count, row->token != NULL ? 4 : 3);
		assert_string_equal(signature_in(request.headers[request.header_count - 1]),
		    row->signature);
		arena_free(arena);
	}
}

static void
test_reads_endpoints(void **state)
{
	static const struct {
		const char *endpoint, *bucket;
		bool is_path_style;
		const char *host;	/* NULL: refused */
	} table[] = {
		{ "https://s3.amazonaws.com", "b", false, "s3.amazonaws.com" },
		{ "https://host:443", "b", true, "host" },
		{ "http://host:80", "b", true, "host" },
		{ "http://host:443", "b", true, "host:443" },
		{ "https://host:80", "b", true, "host:80" },
		{ "http://[::1]:9000", "b", true, "[::1]:9000" },
		{ "http://[::1]", "b", true, "[::1]" },
		{ "http://10.0.0.1:1", "my.bucket_1", true, "10.0.0.1:1" },
		{ "", "b", true, NULL },
		{ "host", "b", true, NULL },
		{ "http://", "b", true, NULL },
		{ "HTTP://host", "b", true, NULL },
		{ "ftp://host", "b", true, NULL },
		{ "http://host/", "b", true, NULL },
		{ "http://host/path", "b", true, NULL },
		{ "http://user@host", "b", true, NULL },
		{ "http://host?x", "b", true, NULL },
		{ "http://host#x", "b", true, NULL },
		{ "http://ho st", "b", true, NULL },
		{ "http://host\r\nx: y", "b", true, NULL },
		{ "http://host:", "b", true, NULL },
		{ "http://host:0", "b", true, NULL },
		{ "http://host:65536", "b", true, NULL },
		{ "http://host:9x", "b", true, NULL },
		{ "http://.host", "b", true, NULL },
		{ "http://host:443a:443", "b", true, NULL },
		{ "http://::1", "b", true, NULL },
		{ "http://[host]", "b", true, NULL },
		{ "http://[]", "b", true, NULL },
		{ "http://host", "", true, NULL },
		{ "http://host", "a/b", true, NULL },
		{ "http://host", "..", true, NULL },
		{ "http://host", "a b", true, NULL },
		{ "http://host", "b?", true, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct s3_address address;
		struct failure why = { 0 };
		bool is_read = s3_address_parse(table[i].endpoint, table[i].bucket,
		    table[i].is_path_style, &address, &why);

		if (is_read != (table[i].host != NULL))
			print_error("%s %s\n", table[i].endpoint, table[i].bucket);
		assert_int_equal(is_read, table[i].host != NULL);
		if (is_read)
			assert_string_equal(address.host, table[i].host);
		else
			assert_int_equal(why.kind, FAIL_INTERNAL);
	}
}

static void
test_moves_an_endpoint_to_another_region(void **state)
{
	static const struct { const char *endpoint, *from, *to, *host; } table[] = {
		{ "https://s3.us-east-1.amazonaws.com", "us-east-1", "eu-west-3",
		    "s3.eu-west-3.amazonaws.com" },
		{ "https://s3.amazonaws.com", "us-east-1", "eu-west-3", "s3.eu-west-3.amazonaws.com" },
		{ "https://s3.dualstack.eu-west-1.amazonaws.com", "eu-west-1", "eu-west-3",
		    "s3.dualstack.eu-west-3.amazonaws.com" },
		{ "https://s3.de.io.cloud.ovh.net:8443", "de", "gra", "s3.gra.io.cloud.ovh.net:8443" },
		{ "http://127.0.0.1:9000", "us-east-1", "eu-west-3", "127.0.0.1:9000" },
		{ "https://minio.example.org", "us-east-1", "eu-west-3", "minio.example.org" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct s3_address address;
		struct failure why = { 0 };

		assert_true(s3_address_parse(table[i].endpoint, "b", true, &address, &why));
		s3_address_move(&address, table[i].from, table[i].to);
		assert_string_equal(address.host, table[i].host);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signs_as_the_manual_of_s3_shows),
		cmocka_unit_test(test_signs_as_the_test_suite_of_aws_shows),
		cmocka_unit_test(test_sorts_headers_by_name_alone),
		cmocka_unit_test(test_addresses_and_signs_like_botocore),
		cmocka_unit_test(test_reads_endpoints),
		cmocka_unit_test(test_moves_an_endpoint_to_another_region),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
