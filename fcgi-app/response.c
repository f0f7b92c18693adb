#include "fcgi-app/response.h"

#include "base/check.h"
#include "http/url.h"

#include <inttypes.h>
#include <string.h>

/* How a kind of failure looks from outside. */
static const struct {
	unsigned status;
	const char *title;
	bool detail_is_public;
	bool is_cacheable;
	unsigned retry_after_s;
} outcomes[FAIL_KIND_COUNT] = {
	[FAIL_NONE] = { 200, "OK", false, false, 0 },
	[FAIL_BAD_REQUEST] = { 400, "The URL is not valid", true, true, 0 },
	[FAIL_FORBIDDEN] = { 403, "This URL is not permitted", false, false, 0 },
	[FAIL_NOT_FOUND] = { 404, "There is no such picture", false, true, 0 },
	[FAIL_METHOD] = { 405, "Only GET and HEAD are answered", false, false, 0 },
	[FAIL_GONE] = { 410, "This picture or URL has expired", false, true, 0 },
	[FAIL_UNSUPPORTED] = { 415, "The original is no image that we read", true, true, 0 },
	[FAIL_UNPROCESSABLE] = { 422, "The original cannot be processed", true, true, 0 },
	[FAIL_CRASHED] = { 422, "The original cannot be processed", true, false, 2 },
	[FAIL_BUSY] = { 503, "Too busy, try again", false, false, 1 },
	[FAIL_UNAVAILABLE] = { 503, "Temporarily unavailable", false, false, 2 },
	[FAIL_UPSTREAM] = { 502, "A server behind this one failed", false, false, 0 },
	[FAIL_TIMEOUT] = { 504, "This took too long", false, false, 0 },
	[FAIL_INTERNAL] = { 500, "This server failed", false, false, 0 },
	[FAIL_ABANDONED] = { 499, "The client has gone", false, false, 0 },	/* as nginx logs it */
};

unsigned
response_status_of(enum failure_kind kind)
{
	CHECK(kind >= FAIL_NONE && kind < FAIL_KIND_COUNT);
	return outcomes[kind].status;
}

void
response_init(struct response *response)
{
	memset(response, 0, sizeof(*response));
	response->file_fd = -1;
}

void
response_add_header(struct response *response, const char *name, const char *value)
{
	CHECK(response->header_count < RESPONSE_HEADERS_MAX);
	for (const char *at = value; *at != '\0'; at++)
		CHECK((unsigned char)*at >= ' ' && *at != 0x7f);
	response->headers[response->header_count++] = (struct response_header){ name, value };
}

void
response_allow_origin(struct response *response, const struct http_settings *http)
{
	if (http->allow_origin[0] != '\0')
		response_add_header(response, "Access-Control-Allow-Origin", http->allow_origin);
}

void
response_text(struct response *response, struct arena *arena, unsigned status, const char *media_type,
    struct span body)
{
	response->status = status;
	response->body = body;
	response_add_header(response, "Content-Type", media_type);
	response_add_header(response, "Content-Length", arena_printf(arena, "%zu", body.length));
	response_add_header(response, "X-Content-Type-Options", "nosniff");
}

/* A JSON string: RFC 8259 section 7. */
static void
add_json_string(struct text *out, const char *string)
{
	text_add_char(out, '"');
	for (const unsigned char *at = (const unsigned char *)string; *at != '\0'; at++) {
		if (*at == '"' || *at == '\\')
			text_printf(out, "\\%c", *at);
		else if (*at < 0x20)
			text_printf(out, "\\u%04x", *at);
		else
			text_add_char(out, (char)*at);
	}
	text_add_char(out, '"');
}

void
response_failure(struct response *response, const struct request *request, const struct http_settings *http,
    const struct failure *why)
{
	struct text body;

	CHECK(why->kind > FAIL_NONE && why->kind < FAIL_KIND_COUNT);
	if (response->file_fd != -1)
		response->file_fd = -1;
	response->header_count = 0;
	response->is_sent_by_server = false;
	text_init(&body, request->arena, 4096);
	text_printf(&body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u", outcomes[why->kind].title,
	    outcomes[why->kind].status);
	if (outcomes[why->kind].detail_is_public && span_is_utf8(span_of(why->detail))) {
		text_add(&body, ",\"detail\":");
		add_json_string(&body, why->detail);
	}
	text_add(&body, ",\"instance\":");
	add_json_string(&body, request->id);
	text_add(&body, "}\n");
	response_text(response, request->arena, outcomes[why->kind].status, "application/problem+json",
	    text_span(&body));
	if (outcomes[why->kind].is_cacheable)
		response_add_header(response, "Cache-Control",
		    arena_printf(request->arena, "public, max-age=%u", http->error_max_age_s));
	else
		response_add_header(response, "Cache-Control", "no-store");
	if (outcomes[why->kind].retry_after_s > 0)
		response_add_header(response, "Retry-After",
		    arena_printf(request->arena, "%u", outcomes[why->kind].retry_after_s));
	if (request_vary(request) != NULL)
		response_add_header(response, "Vary", request_vary(request));
	/* Otherwise a script on another site would see no status at all. */
	response_allow_origin(response, http);
	if (why->kind == FAIL_METHOD)
		response_add_header(response, "Allow", "GET, HEAD");
	response->failure = failure_kind_name(why->kind);
	response->reason = arena_copy_string(request->arena, why->detail);
}

bool
response_carries_file(const struct request *request, const struct http_settings *http, const struct store_file *file)
{
	if (request->is_head)
		return false;
	/* Also one without a name: the disk refused it one. */
	if (http->send == SEND_BODY || request->needs_body || file->path[0] == '\0')
		return true;
	/* nginx would judge conditions by an entity tag and a date of the file, which are not
	 * ours; such requests are rare. */
	return request->has_precondition;
}

void
response_file(struct response *response, const struct request *request, const struct http_settings *http,
    const struct store_config *store, const struct store_file *file)
{
	response->status = 200;
	response->file_bytes = file->bytes;
	if (request->is_head || response_carries_file(request, http, file)) {
		response->file_fd = file->fd;
		response_add_header(response, "Content-Length", arena_printf(request->arena, "%" PRIu64, file->bytes));
		return;
	}
	response->is_sent_by_server = true;
	if (http->send == SEND_ACCEL) {
		response_add_header(response, "X-Accel-Redirect",
		    arena_printf(request->arena, "%s%s", http->accel_prefix, file->path));
	} else {
		struct text path;

		/* mod_xsendfile and lighttpd decode the value once. */
		text_init(&path, request->arena, 3 * 4096);
		url_encode(span_of(store->root), "/", &path);
		response_add_header(response, "X-Sendfile", arena_printf(request->arena, "%s/%s", path.at, file->path));
	}
}
