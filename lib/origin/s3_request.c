#include "origin/s3_request.h"

#include "asset/asset.h"
#include "base/check.h"
#include "http/url.h"
#include "origin/s3_error.h"
#include "origin/sigv4.h"
#include "origin/timestamp.h"

#include <string.h>

enum { PATH_MAX_BYTES = 1 + S3_BUCKET_MAX + 1 + 3 * ASSET_KEY_MAX, URL_MAX_BYTES = 16 * 1024 };

/* Enough for names, IPv4, and IPv6 in brackets; what DNS makes of it is its affair. */
static bool
host_is_valid(struct span host)
{
	static const char in_names[] = "-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char in_addresses[] = ":.abcdefABCDEF0123456789";
	bool is_address = host.length > 2 && host.at[0] == '[' && host.at[host.length - 1] == ']';

	if (is_address)
		host = span_range(host.at + 1, host.length - 2);
	else if (host.length == 0 || host.at[0] == '.')
		return false;
	for (size_t i = 0; i < host.length; i++)
		if (host.at[i] == '\0' || strchr(is_address ? in_addresses : in_names, host.at[i]) == NULL)
			return false;
	return true;
}

static bool
bucket_is_valid(struct span bucket)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

	if (bucket.length == 0 || bucket.length > S3_BUCKET_MAX || bucket.at[0] == '.')
		return false;
	for (size_t i = 0; i < bucket.length; i++)
		if (bucket.at[i] == '\0' || strchr(allowed, bucket.at[i]) == NULL)
			return false;
	return true;
}

/* "host", "host:9000", "[::1]:9000"; the port of the scheme is dropped,
 * because curl leaves it out of the Host header, which is signed. */
static bool
read_host(struct span text, bool is_https, char out[S3_HOST_MAX + 1])
{
	const char *bracket = memrchr(text.at, ']', text.length);
	const char *colon = memrchr(text.at, ':', text.length);
	size_t host_length = text.length;
	uint64_t port;

	if (colon != NULL && (bracket == NULL || colon > bracket)) {
		host_length = (size_t)(colon - text.at);
		if (!span_to_u64(span_range(colon + 1, text.length - host_length - 1), 1, 65535, &port))
			return false;
		if (port == (is_https ? 443 : 80))
			text.length = host_length;
	}
	if (!host_is_valid(span_range(text.at, host_length)) || text.length > S3_HOST_MAX)
		return false;
	memcpy(out, text.at, text.length);
	out[text.length] = '\0';
	return true;
}

bool
s3_address_parse(const char *endpoint, const char *bucket, bool is_path_style,
    struct s3_address *address, struct failure *why)
{
	struct span rest = span_of(endpoint);
	size_t scheme;

	*address = (struct s3_address){ .is_path_style = is_path_style };
	address->is_https = span_starts_with(rest, "https://");
	if (!address->is_https && !span_starts_with(rest, "http://"))
		return fail(why, FAIL_INTERNAL, "endpoint is no http:// or https:// address: %.100s",
		    endpoint);
	scheme = address->is_https ? strlen("https://") : strlen("http://");
	if (!read_host(span_range(rest.at + scheme, rest.length - scheme), address->is_https,
		address->host))
		return fail(why, FAIL_INTERNAL, "endpoint is not scheme://host[:port]: %.100s", endpoint);
	if (!bucket_is_valid(span_of(bucket)))
		return fail(why, FAIL_INTERNAL, "malformed bucket name: %.100s", bucket);
	if (!is_path_style && strlen(bucket) + 1 + strlen(address->host) > S3_HOST_MAX)
		return fail(why, FAIL_INTERNAL, "bucket and endpoint are too long for one host name");
	memcpy(address->bucket, bucket, strlen(bucket));
	return true;
}

void
s3_address_move(struct s3_address *address, const char *from, const char *to)
{
	char moved[2 * (S3_HOST_MAX + S3_REGION_MAX) + 2] = "";
	struct span rest = span_of(address->host);
	bool is_global = span_equals(rest, "s3.amazonaws.com");
	size_t length = 0;

	while (rest.at != NULL) {
		struct span label = span_cut(&rest, '.');
		struct span next = span_equals(label, from) ? span_of(to) : label;

		if (length + next.length + strlen(to) + 2 > S3_HOST_MAX)
			return;
		if (length > 0)
			moved[length++] = '.';
		memcpy(moved + length, next.at, next.length);
		length += next.length;
		if (is_global && span_equals(label, "s3")) {
			moved[length++] = '.';
			memcpy(moved + length, to, strlen(to));
			length += strlen(to);
		}
	}
	memcpy(address->host, moved, length);
	address->host[length] = '\0';
}

void
s3_query_add(struct text *query, const char *name, struct span value)
{
	if (query->length > 0)
		text_add_char(query, '&');
	text_add(query, name);
	text_add_char(query, '=');
	url_encode(value, "", query);
}

static const char *
host_of(const struct s3_address *address, struct arena *arena)
{
	if (address->is_path_style)
		return address->host;
	return arena_printf(arena, "%s.%s", address->bucket, address->host);
}

static const char *
path_of(const struct s3_address *address, struct span key, struct arena *arena)
{
	struct text path;

	text_init(&path, arena, PATH_MAX_BYTES);
	text_add_char(&path, '/');
	if (address->is_path_style) {
		text_add(&path, address->bucket);
		if (key.length > 0)
			text_add_char(&path, '/');
	}
	url_encode(key, "/", &path);
	CHECK(!path.was_cut);
	return path.at;
}

static void
add_header(struct s3_request *request, const char *line)
{
	CHECK(request->header_count < S3_REQUEST_HEADERS_MAX);
	request->headers[request->header_count++] = line;
}

void
s3_request_sign(const struct s3_address *address, const char *region,
    const struct credentials *credentials, const struct s3_draft *draft, struct arena *arena,
    struct s3_request *request)
{
	const char *path = path_of(address, draft->key, arena);
	const char *host = host_of(address, arena);
	char moment[TIMESTAMP_AMZ + 1];
	struct text authorization;

	timestamp_print_amz(draft->time, moment);
	struct sigv4_header signed_headers[5] = {
		{ "host", host },
		{ "x-amz-content-sha256", draft->payload_hash },
		{ "x-amz-date", moment },
	};
	size_t count = 3;

	if (credentials->session_token[0] != '\0')
		signed_headers[count++] =
		    (struct sigv4_header){ "x-amz-security-token", credentials->session_token };
	if (draft->asks_for_checksum)
		signed_headers[count++] = (struct sigv4_header){ "x-amz-checksum-mode", "ENABLED" };
	const struct sigv4_request to_sign = {
		.method = draft->method, .path = path, .query = draft->query,
		.headers = signed_headers, .header_count = count,
		.payload_hash = draft->payload_hash, .time = draft->time,
		.region = region, .service = "s3",
	};

	text_init(&authorization, arena, 1024);
	sigv4_sign(&to_sign, credentials, &authorization);
	CHECK(!authorization.was_cut);

	*request = (struct s3_request){ 0 };
	request->url = arena_printf(arena, "%s://%s%s%s%s", address->is_https ? "https" : "http",
	    host, path, draft->query[0] != '\0' ? "?" : "", draft->query);
	/* Host is left to curl, which makes the same text from the URL. */
	for (size_t i = 1; i < to_sign.header_count; i++)
		add_header(request, arena_printf(arena, "%s: %s", signed_headers[i].name,
					signed_headers[i].value));
	add_header(request, arena_printf(arena, "authorization: %s", authorization.at));
	if (draft->extra_header != NULL)
		add_header(request, draft->extra_header);
}
