#include "fcgi-app/access_log.h"

#include <inttypes.h>
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

/* RFC 3339, UTC, with milliseconds. */
static void
print_time(char *out, size_t size)
{
	struct timespec now;
	struct tm parts;
	size_t length;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	length = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(out + length, size - length, ".%03dZ", (int)(now.tv_nsec / 1000000));
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

/* name="value" with quotes, backslashes and what is not printable escaped. */
static void
add_quoted(struct text *line, const char *name, struct span value)
{
	text_printf(line, " %s=\"", name);
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
	if (value != NULL)
		text_printf(line, " %s=%s", name, value);
}

static void
add_milliseconds(struct text *line, const char *name, int64_t us)
{
	text_printf(line, " %s=%" PRId64 ".%03d", name, us / 1000, (int)(us % 1000));
}

void
access_log_write(const struct request *request, const struct response *response, uint64_t sent_bytes,
    bool client_is_gone)
{
	char now[40];
	struct text line;

	print_time(now, sizeof(now));
	text_init(&line, request->arena, LINE_MAX_BYTES);
	text_printf(&line, "time=%s id=%s status=%u tier=%s", now, request->id, response->status,
	    request_tier_name(request->tier));
	add_milliseconds(&line, "ms", monotonic_us() - request->started_us);
	text_printf(&line, " bytes=%" PRIu64, sent_bytes);
	add_quoted(&line, "method", request->method);
	add_path(&line, request);
	add_plain(&line, "asset", request->asset);
	add_plain(&line, "recipe", request->recipe);
	add_plain(&line, "format", request->format);
	add_plain(&line, "variant", request->variant);
	add_plain(&line, "from", request->is_from_mezzanine ? "mezzanine" : NULL);
	add_plain(&line, "catalog", request->row_tier);
	for (unsigned step = 0; step < STEP_COUNT; step++) {
		char name[32];

		if (request->step_us[step] == 0)
			continue;
		snprintf(name, sizeof(name), "%s_ms", request_step_name(step));
		add_milliseconds(&line, name, request->step_us[step]);
	}
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
	char now[40], rest[1024];
	struct text line;
	va_list args;

	print_time(now, sizeof(now));
	va_start(args, format);
	vsnprintf(rest, sizeof(rest), format, args);
	va_end(args);
	text_init(&line, arena, LINE_MAX_BYTES);
	text_printf(&line, "time=%s event=%s pid=%d%s%s", now, name, (int)getpid(), rest[0] != '\0' ? " " : "", rest);
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
