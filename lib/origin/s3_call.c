#include "origin/s3_call.h"

#include "base/check.h"
#include "origin/backoff.h"
#include "origin/s3_body.h"
#include "origin/s3_error.h"
#include "origin/s3_request.h"
#include "origin/sigv4.h"
#include "origin/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct s3 {
	const struct origin_config *config;
	struct http_client *client;
	struct s3_address address;
	struct credentials credentials;
	char region[S3_REGION_MAX + 1];	/* the configured one, until S3 names a better */
	int64_t clock_offset_s;		/* the server's clock minus ours */
};

/* What one try came to. */
struct verdict {
	bool is_success;
	bool is_damaged;		/* complete, and not what was stored */
	enum s3_action action;
	enum failure_kind kind;
	struct s3_error error;
};

/* What has been put right in this operation; nothing is twice. */
struct repairs {
	bool clock, region, credentials;
	bool damage;
};

static bool
find_credentials(const struct origin_config *config, struct credentials *found, struct failure *why)
{
	const struct credentials_config wanted = {
		.access_key_id = config->access_key_id,
		.secret_access_key = config->secret_access_key,
		.session_token = config->session_token,
		.profile = config->profile,
	};

	return credentials_find(&wanted, found, why);
}

static bool
s3_init(struct s3 *s3, const struct origin_config *config, struct failure *why)
{
	const struct http_client_config client = {
		.tls_ca = config->tls_ca,
		.connect_timeout_ms = config->connect_timeout_ms,
		.stall_timeout_ms = config->stall_timeout_ms,
	};

	s3->config = config;
	if (!s3_address_parse(config->endpoint, config->bucket, config->is_path_style, &s3->address, why))
		return false;
	if (!s3_region_is_valid(span_of(config->region)))
		return fail(why, FAIL_INTERNAL, "malformed region: %.64s", config->region);
	memcpy(s3->region, config->region, strlen(config->region));
	if (strlen(config->prefix) >= ASSET_KEY_MAX)
		return fail(why, FAIL_INTERNAL, "prefix leaves no room for keys");
	if (config->tries < 1 || config->tries > 5 || config->connect_timeout_ms == 0 ||
	    config->stall_timeout_ms == 0)
		return fail(why, FAIL_INTERNAL, "tries must be 1 to 5, and timeouts more than 0");
	if (!find_credentials(config, &s3->credentials, why))
		return false;
	s3->client = http_client_open(&client, why);
	return s3->client != NULL;
}

struct s3 *
s3_open(const struct origin_config *config, struct failure *why)
{
	struct s3 *s3 = calloc(1, sizeof(*s3));

	CHECK(s3 != NULL);
	if (s3_init(s3, config, why))
		return s3;
	s3_close(s3);
	return NULL;
}

void
s3_close(struct s3 *s3)
{
	if (s3 == NULL)
		return;
	http_client_close(s3->client);
	explicit_bzero(&s3->credentials, sizeof(s3->credentials));
	free(s3);
}

const struct origin_config *
s3_config(const struct s3 *s3)
{
	return s3->config;
}

int64_t
s3_time(const struct s3 *s3)
{
	return time(NULL) + s3->clock_offset_s;
}

struct s3_call
s3_call_for(const struct s3 *s3, enum http_method method, struct span key)
{
	return (struct s3_call){
		.method = method, .key = key, .query = "", .payload_hash = SIGV4_EMPTY_PAYLOAD,
		.body_fd = -1, .sink_fd = -1, .max_bytes = HTTP_ERROR_BODY_MAX,
		.tries = s3->config->tries,
	};
}

/* ---- one try ---------------------------------------------------------------------- */

static enum http_outcome
send_once(struct s3 *s3, const struct s3_call *call, bool needs_fresh_connection,
    struct deadline deadline, struct arena *arena, struct http_response *response)
{
	static const char *const methods[] = {
		[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD", [HTTP_PUT] = "PUT",
	};
	const struct s3_draft draft = {
		.method = methods[call->method], .key = call->key, .query = call->query,
		.payload_hash = call->payload_hash, .extra_header = call->extra_header,
		.asks_for_checksum = call->sink_fd != -1, .time = s3_time(s3),
	};
	struct s3_request signed_request;

	s3_request_sign(&s3->address, s3->region, &s3->credentials, &draft, arena, &signed_request);
	const struct http_request request = {
		.method = call->method, .url = signed_request.url,
		.headers = signed_request.headers, .header_count = signed_request.header_count,
		.body_fd = call->body_fd, .body_bytes = call->body_bytes,
		.sink_fd = call->sink_fd, .max_bytes = call->max_bytes,
		.needs_fresh_connection = needs_fresh_connection,
	};

	return http_client_send(s3->client, &request, deadline, arena, response);
}

static struct verdict
judge_transport(const struct s3_call *call, enum http_outcome outcome)
{
	switch (outcome) {
	case HTTP_NO_CONNECTION:
		return (struct verdict){ .action = S3_TRY_AGAIN, .kind = FAIL_UNAVAILABLE };
	case HTTP_STALLED:
	case HTTP_TOO_LATE:
		return (struct verdict){ .action = S3_TRY_AGAIN, .kind = FAIL_TIMEOUT };
	case HTTP_BROKEN:
		return (struct verdict){ .action = S3_TRY_AGAIN, .kind = FAIL_UPSTREAM };
	case HTTP_TOO_LARGE:
		/* An object over our limit, or a listing that is none. */
		return (struct verdict){ .action = S3_GIVE_UP,
			.kind = call->sink_fd != -1 ? FAIL_UNPROCESSABLE : FAIL_UPSTREAM };
	case HTTP_FILE_FAILED:
		return (struct verdict){ .action = S3_GIVE_UP, .kind = FAIL_INTERNAL };
	default:
		return (struct verdict){ .action = S3_GIVE_UP, .kind = FAIL_UPSTREAM };
	}
}

/* An answer to HEAD has no body, so why it was refused is asked with a GET of
 * one byte; *response becomes that of the GET. */
static enum http_outcome
ask_why(struct s3 *s3, const struct s3_call *head, struct deadline deadline, struct arena *arena,
    struct http_response *response)
{
	struct s3_call get = *head;

	get.method = HTTP_GET;
	get.extra_header = "range: bytes=0-0";
	get.max_bytes = HTTP_ERROR_BODY_MAX;
	return send_once(s3, &get, false, deadline, arena, response);
}

/* What came with a 200. */
static struct verdict
judge_body(const struct s3 *s3, const struct s3_call *call, struct http_response *response)
{
	struct verdict verdict = { .action = S3_TRY_AGAIN, .kind = FAIL_UPSTREAM };

	switch (s3_body_check(response, s3->config->etag_is_md5, call->sink_fd, &verdict.error)) {
	case S3_BODY_IS_GOOD:
		verdict.is_success = true;
		break;
	case S3_BODY_IS_DAMAGED:
		snprintf(response->reason, sizeof(response->reason), "bytes do not fit their checksum");
		verdict.is_damaged = true;
		break;
	case S3_BODY_IS_ERROR:
		break;
	case S3_BODY_IS_UNREADABLE:
		snprintf(response->reason, sizeof(response->reason), "cannot read what arrived");
		verdict.action = S3_GIVE_UP;
		verdict.kind = FAIL_INTERNAL;
		break;
	}
	return verdict;
}

static struct verdict
judge_answer(struct s3 *s3, const struct s3_call *call, struct deadline deadline, struct arena *arena,
    struct http_response *response)
{
	struct verdict verdict = { .is_success = response->status == 200 };

	if (verdict.is_success)
		return call->sink_fd != -1 ? judge_body(s3, call, response) : verdict;
	if (call->method == HTTP_HEAD && response->status >= 300 && response->status < 500) {
		enum http_outcome outcome = ask_why(s3, call, deadline, arena, response);

		if (outcome != HTTP_ANSWERED && outcome != HTTP_TOO_LARGE)
			return judge_transport(call, outcome);
		if (outcome == HTTP_TOO_LARGE || response->status == 416 || response->status < 300)
			/* It appeared between the two requests. */
			return (struct verdict){ .action = S3_TRY_AGAIN, .kind = FAIL_UPSTREAM };
	}
	s3_error_parse(text_span(&response->body), &verdict.error);
	verdict.action = s3_error_judge(response->status, verdict.error.code, &verdict.kind);
	return verdict;
}

/* ---- what can be put right ---------------------------------------------------------- */

static bool
repair_clock(struct s3 *s3, const struct http_response *response)
{
	struct span date;
	int64_t server_time;

	if (!http_response_header(response, "date", &date) || !timestamp_parse_http(date, &server_time))
		return false;
	s3->clock_offset_s = server_time - time(NULL);
	return true;
}

static bool
repair_region(struct s3 *s3, const struct http_response *response, const struct s3_error *error)
{
	struct span named;
	char region[S3_REGION_MAX + 1] = "";

	if (!http_response_header(response, "x-amz-bucket-region", &named))
		named = span_of(error->region);
	if (!s3_region_is_valid(named) || span_equals(named, s3->region))
		return false;
	memcpy(region, named.at, named.length);
	s3_address_move(&s3->address, s3->region, region);
	memcpy(s3->region, region, sizeof(s3->region));
	return true;
}

static bool
repair_credentials(struct s3 *s3)
{
	struct credentials found;
	struct failure ignored = { 0 };

	if (!find_credentials(s3->config, &found, &ignored) ||
	    memcmp(&found, &s3->credentials, sizeof(found)) == 0)
		return false;
	s3->credentials = found;
	return true;
}

/* Marks the repair as tried; true when the request is worth sending again at once. */
static bool
repair(struct s3 *s3, const struct verdict *verdict, const struct http_response *response,
    struct repairs *done)
{
	bool *mark = verdict->action == S3_FIX_CLOCK	     ? &done->clock
		     : verdict->action == S3_FIX_REGION	     ? &done->region
		     : verdict->action == S3_FIX_CREDENTIALS ? &done->credentials
							     : NULL;

	if (mark == NULL || *mark)
		return false;
	*mark = true;
	if (verdict->action == S3_FIX_CLOCK)
		return repair_clock(s3, response);
	if (verdict->action == S3_FIX_REGION)
		return repair_region(s3, response, &verdict->error);
	return repair_credentials(s3);
}

/* ---- what it says of the origin ------------------------------------------------------- */

/* Who came late, or went away meanwhile, did not give the origin what it may take. */
static bool
gave_time(const struct s3 *s3, struct deadline deadline, int given_ms)
{
	bool was_abandoned = deadline.vigil != NULL && deadline.vigil->was_over;

	return !was_abandoned && given_ms >= (int)s3->config->connect_timeout_ms;
}

/* A failure after the connection is noted when the operation's first try has
 * failed, so that many that hang at once are noticed after one stall. */
static void
note_health(const struct s3 *s3, enum http_outcome outcome, const struct http_response *response,
    bool had_time, unsigned failed_tries)
{
	struct origin_health *health = s3->config->health;
	bool is_first = failed_tries == 0;

	switch (outcome) {
	case HTTP_ANSWERED:
		if (response->status < 500 && response->status != 429)
			origin_health_note_answer(health);
		else if (is_first)
			origin_health_note_failure(health, s3->config->retry_after_ms);
		return;
	case HTTP_TOO_LARGE:
		origin_health_note_answer(health);
		return;
	case HTTP_STALLED:
	case HTTP_BROKEN:
		if (is_first)
			origin_health_note_failure(health, s3->config->retry_after_ms);
		return;
	case HTTP_TOO_LATE:
		/* Once it has begun to answer, only the object may be too large for the time. */
		if (is_first && response->status == 0 && had_time)
			origin_health_note_failure(health, s3->config->retry_after_ms);
		return;
	case HTTP_NO_CONNECTION:	/* noted when all tries have failed */
	case HTTP_NOT_TRUSTED:
	case HTTP_FILE_FAILED:
		return;
	}
}

/* ---- all tries ---------------------------------------------------------------------- */

/* Waits, if there is budget and time left to use another try. */
static bool
wait_for_next_try(unsigned failed_tries, struct deadline deadline)
{
	unsigned wait_ms = backoff_wait_ms(failed_tries);

	if ((unsigned)deadline_left_ms(deadline) <= wait_ms || !backoff_take_token())
		return false;
	/* In slices, because sleeping knows no vigil. */
	for (struct deadline pause = deadline_within_ms(deadline, wait_ms); !deadline_has_passed(pause);)
		deadline_sleep_ms(pause, VIGIL_MS / 4);
	return !deadline_has_passed(deadline);
}

/* Details of these two kinds may reach the client: no host, no reason of curl's. */
static bool
call_fail(const struct s3 *s3, const struct s3_call *call, const struct verdict *verdict,
    const struct http_response *response, unsigned tries, struct failure *why)
{
	const char *name = s3->config->name;

	if (verdict->kind == FAIL_NOT_FOUND)
		return fail(why, FAIL_NOT_FOUND, "origin %s has no such object", name);
	if (verdict->kind == FAIL_UNPROCESSABLE)
		return fail(why, FAIL_UNPROCESSABLE, "original is larger than the limit of %llu bytes",
		    (unsigned long long)call->max_bytes);
	if (response->reason[0] != '\0')
		return fail(why, verdict->kind, "origin %s: %s (%u tries)", name, response->reason, tries);
	return fail(why, verdict->kind, "origin %s answered %u %s (%u tries)", name, response->status,
	    verdict->error.code[0] != '\0' ? verdict->error.code : "without a code", tries);
}

bool
s3_call_run(struct s3 *s3, const struct s3_call *call, struct deadline deadline, struct arena *arena,
    struct http_response *response, struct failure *why)
{
	const struct origin_config *config = s3->config;
	struct repairs repairs = { 0 };
	unsigned failed_tries = 0;

	if (deadline_has_passed(deadline))
		return fail(why, FAIL_TIMEOUT, "origin %s: no time left", config->name);
	if (!origin_health_allows(config->health, config->retry_after_ms))
		return fail(why, FAIL_UNAVAILABLE, "origin %s failed a moment ago", config->name);
	for (;;) {
		int given_ms = deadline_left_ms(deadline);
		enum http_outcome outcome =
		    send_once(s3, call, failed_tries > 0, deadline, arena, response);
		struct verdict verdict = outcome == HTTP_ANSWERED
		    ? judge_answer(s3, call, deadline, arena, response)
		    : judge_transport(call, outcome);

		note_health(s3, outcome, response, gave_time(s3, deadline, given_ms), failed_tries);
		if (verdict.is_success) {
			backoff_earn();
			return true;
		}
		if (repair(s3, &verdict, response, &repairs))
			continue;
		failed_tries++;
		/* Twice: then it is no accident of the way, and the object may be large. */
		if (verdict.is_damaged && repairs.damage)
			verdict.action = S3_GIVE_UP;
		repairs.damage = verdict.is_damaged;
		/* Bad health: others have given up, or we are the one that tries it. */
		if (verdict.action == S3_TRY_AGAIN && failed_tries < call->tries &&
		    !origin_health_is_bad(config->health) && wait_for_next_try(failed_tries, deadline))
			continue;
		if (outcome == HTTP_NO_CONNECTION)
			origin_health_note_unreachable(config->health, config->retry_after_ms);
		return call_fail(s3, call, &verdict, response, failed_tries, why);
	}
}

void
s3_etag_copy(struct span etag, char out[ASSET_ETAG_MAX + 1])
{
	out[0] = '\0';
	if (etag.length >= 2 && etag.at[0] == '"' && etag.at[etag.length - 1] == '"')
		etag = span_range(etag.at + 1, etag.length - 2);
	if (etag.length > ASSET_ETAG_MAX)
		return;
	for (size_t i = 0; i < etag.length; i++)
		if (etag.at[i] <= ' ' || etag.at[i] > '~' || etag.at[i] == '"')
			return;
	memcpy(out, etag.at, etag.length);
	out[etag.length] = '\0';
}
