#include "fcgi-app/access_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 4000,		/* below PIPE_BUF, so that a line stays whole in a pipe */
	VALUE_MAX_BYTES = 512,
	REFUSED_PEERS_US = 1000000
};

static void
add_thousandths(struct text *line, unsigned thousandths)
{
	const char digits[] = { '.', (char)('0' + thousandths / 100), (char)('0' + thousandths / 10 % 10),
		(char)('0' + thousandths % 10) };

	text_add_bytes(line, digits, sizeof(digits));
}

/* RFC 3339, UTC, with milliseconds. */
static void
add_time(struct text *line)
{
	static char second[32];
	static time_t printed_s;
	struct timespec now;
	struct tm parts;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != printed_s) {
		gmtime_r(&now.tv_sec, &parts);
		strftime(second, sizeof(second), "time=%Y-%m-%dT%H:%M:%S", &parts);
		printed_s = now.tv_sec;
	}
	text_add(line, second);
	add_thousandths(line, (unsigned)(now.tv_nsec / 1000000));
	text_add_char(line, 'Z');
}

static void
write_line(struct text *line)
{
	ssize_t written;

	text_add_char(line, '\n');
	if (line->was_cut)
		line->at[line->length - 1] = '\n';
	/* A log that nobody reads must not stop the service. */
	written = write(STDERR_FILENO, line->at, line->length);
	(void)written;
}

static void
add_escaped(struct text *line, struct span value)
{
	size_t length = value.length < VALUE_MAX_BYTES ? value.length : VALUE_MAX_BYTES, plain = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)value.at[i];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
			continue;
		text_add_bytes(line, value.at + plain, i - plain);
		plain = i + 1;
		text_printf(line, c >= 0x20 && c < 0x7f ? "\\%c" : "\\x%02x", c);
	}
	if (plain < length)
		text_add_bytes(line, value.at + plain, length - plain);
}

static void
add_name(struct text *line, const char *name)
{
	text_add_char(line, ' ');
	text_add(line, name);
	text_add_char(line, '=');
}

/* name="value" with quotes, backslashes and what is not printable escaped. */
static void
add_quoted(struct text *line, const char *name, struct span value)
{
	add_name(line, name);
	text_add_char(line, '"');
	add_escaped(line, value);
	text_add_char(line, '"');
}

/* A signature in the log would be a key for whoever reads it. */
static void
add_path(struct text *line, const struct request *request)
{
	struct span target = request->target, secret = request->secret;
	size_t before;

	if (secret.length == 0) {
		add_quoted(line, "path", target);
		return;
	}
	before = (size_t)(secret.at - target.at);
	text_add(line, " path=\"");
	add_escaped(line, span_range(target.at, before));
	text_add(line, "***");
	add_escaped(line, span_range(secret.at + secret.length, target.length - before - secret.length));
	text_add_char(line, '"');
}

static void
add_plain(struct text *line, const char *name, const char *value)
{
	if (value == NULL)
		return;
	add_name(line, name);
	text_add(line, value);
}

static void
add_number(struct text *line, const char *name, uint64_t value)
{
	add_name(line, name);
	text_add_u64(line, value);
}

static void
add_milliseconds(struct text *line, int64_t us)
{
	text_add_u64(line, (uint64_t)us / 1000);
	add_thousandths(line, (unsigned)(us % 1000));
}

static void
add_step(struct text *line, const char *name, int64_t us)
{
	if (us == 0)
		return;
	text_add_char(line, ' ');
	text_add(line, name);
	text_add(line, "_ms=");
	add_milliseconds(line, us);
}

void
access_log_write(const struct request *request, const struct response *response, uint64_t sent_bytes,
    bool client_is_gone)
{
	struct text line;

	text_init(&line, request->arena, LINE_MAX_BYTES);
	add_time(&line);
	add_plain(&line, "id", request->id);
	add_number(&line, "status", response->status);
	add_plain(&line, "tier", request_tier_name(request->tier));
	add_name(&line, "ms");
	add_milliseconds(&line, monotonic_us() - request->started_us);
	add_number(&line, "bytes", sent_bytes);
	add_quoted(&line, "method", request->method);
	add_path(&line, request);
	add_plain(&line, "asset", request->asset);
	add_plain(&line, "recipe", request->recipe);
	add_plain(&line, "format", request->format);
	add_plain(&line, "variant", request->variant);
	add_plain(&line, "from", request->is_from_mezzanine ? "mezzanine" : NULL);
	add_plain(&line, "catalog", request->row_tier);
	for (unsigned step = 0; step < STEP_COUNT; step++)
		add_step(&line, request_step_name(step), request->step_us[step]);
	if (request->remote_address.length > 0)
		add_quoted(&line, "client", request->remote_address);
	add_plain(&line, "failure", response->failure);
	if (response->reason != NULL)
		add_quoted(&line, "reason", span_of(response->reason));
	if (request->is_in_memory)
		add_plain(&line, "kept", "no");
	if (client_is_gone)
		add_plain(&line, "client_gone", "yes");
	write_line(&line);
}

void
log_event(const char *name, const char *reason, const char *format, ...)
{
	struct arena *arena = arena_new();
	char rest[1024];
	struct text line;
	va_list args;

	va_start(args, format);
	vsnprintf(rest, sizeof(rest), format, args);
	va_end(args);
	text_init(&line, arena, LINE_MAX_BYTES);
	add_time(&line);
	text_printf(&line, " event=%s pid=%d%s%s", name, (int)getpid(), rest[0] != '\0' ? " " : "", rest);
	if (reason != NULL)
		add_quoted(&line, "reason", span_of(reason));
	write_line(&line);
	arena_free(arena);
}

void
log_refused_peer(const char *reason)
{
	static int64_t last_us;
	static unsigned left_out;

	if (last_us != 0 && monotonic_us() - last_us < REFUSED_PEERS_US) {
		left_out++;
		return;
	}
	log_event("peer-refused", reason, "left_out=%u", left_out);
	last_us = monotonic_us();
	left_out = 0;
}
