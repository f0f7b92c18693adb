#include "origin/sigv4.h"

#include "base/check.h"
#include "base/digest.h"
#include "origin/timestamp.h"

#include <stdlib.h>
#include <string.h>

/* By name alone: comparing whole lines puts "a-key-md5:" before "a-key:". */
static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const struct sigv4_header *)a)->name, ((const struct sigv4_header *)b)->name);
}

/* Without spaces at the ends, and runs of spaces as one. */
static void
add_header_value(struct text *out, const char *value)
{
	struct span rest = span_trim(span_of(value));

	for (size_t i = 0; i < rest.length; i++)
		if (rest.at[i] != ' ' || rest.at[i - 1] != ' ')
			text_add_char(out, rest.at[i]);
}

static void
add_signed_names(struct text *out, const struct sigv4_header *headers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			text_add_char(out, ';');
		text_add(out, headers[i].name);
	}
}

static void
add_hash_of(struct text *out, struct span bytes)
{
	unsigned char digest[SHA256_BYTES];
	char hex[SHA256_HEX + 1];

	sha256(bytes.at, bytes.length, digest);
	hex_print(digest, sizeof(digest), hex);
	text_add(out, hex);
}

static struct span
canonical_request(const struct sigv4_request *request, const struct sigv4_header *sorted,
    struct arena *arena)
{
	struct text text;

	text_init(&text, arena, SIGV4_CANONICAL_MAX);
	text_printf(&text, "%s\n%s\n%s\n", request->method, request->path, request->query);
	for (size_t i = 0; i < request->header_count; i++) {
		text_add(&text, sorted[i].name);
		text_add_char(&text, ':');
		add_header_value(&text, sorted[i].value);
		text_add_char(&text, '\n');
	}
	text_add_char(&text, '\n');
	add_signed_names(&text, sorted, request->header_count);
	text_add_char(&text, '\n');
	text_add(&text, request->payload_hash);
	CHECK(!text.was_cut);
	return text_span(&text);
}

static void
derive(unsigned char key[SHA256_BYTES], const char *part)
{
	unsigned char next[SHA256_BYTES];

	hmac_sha256(key, SHA256_BYTES, part, strlen(part), next);
	memcpy(key, next, SHA256_BYTES);
}

static void
signing_key(const struct sigv4_request *request, const char *secret, const char *date,
    unsigned char key[SHA256_BYTES])
{
	char first[CREDENTIALS_KEY_MAX + 8] = "AWS4";

	memcpy(first + 4, secret, strlen(secret));
	hmac_sha256(first, strlen(first), date, strlen(date), key);
	derive(key, request->region);
	derive(key, request->service);
	derive(key, "aws4_request");
	explicit_bzero(first, sizeof(first));
}

void
sigv4_sign(const struct sigv4_request *request, const struct credentials *credentials,
    struct text *out)
{
	struct sigv4_header sorted[SIGV4_HEADERS_MAX];
	char moment[TIMESTAMP_AMZ + 1], date[TIMESTAMP_AMZ_DATE + 1] = "";
	unsigned char key[SHA256_BYTES], mac[SHA256_BYTES];
	char signature[SHA256_HEX + 1];
	struct text scope, to_sign;

	CHECK(request->header_count <= SIGV4_HEADERS_MAX);
	memcpy(sorted, request->headers, request->header_count * sizeof(*sorted));
	qsort(sorted, request->header_count, sizeof(*sorted), compare_names);
	timestamp_print_amz(request->time, moment);
	memcpy(date, moment, TIMESTAMP_AMZ_DATE);

	text_init(&scope, out->arena, 256);
	text_printf(&scope, "%s/%s/%s/aws4_request", date, request->region, request->service);
	text_init(&to_sign, out->arena, 512);
	text_printf(&to_sign, "AWS4-HMAC-SHA256\n%s\n%s\n", moment, scope.at);
	add_hash_of(&to_sign, canonical_request(request, sorted, out->arena));
	CHECK(!scope.was_cut && !to_sign.was_cut);

	signing_key(request, credentials->secret_access_key, date, key);
	hmac_sha256(key, sizeof(key), to_sign.at, to_sign.length, mac);
	explicit_bzero(key, sizeof(key));
	hex_print(mac, sizeof(mac), signature);
	text_printf(out, "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=",
	    credentials->access_key_id, scope.at);
	add_signed_names(out, sorted, request->header_count);
	text_printf(out, ",Signature=%s", signature);
}
