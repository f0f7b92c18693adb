#include "settings/settings_value.h"

#include "base/check.h"
#include "recipe/argument.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As many as overlays carry, so that what is printed is what was meant. */
enum { FRACTION_DECIMALS = 6 };

static bool
parse_bytes(const char *text, uint64_t min, uint64_t max, uint64_t *bytes)
{
	static const char suffixes[] = "KMGT";
	struct span number = span_of(text);
	const char *suffix = NULL;
	uint64_t value;
	unsigned shift = 0;

	if (number.length > 0)
		suffix = strchr(suffixes, number.at[number.length - 1]);
	if (suffix != NULL && *suffix != '\0') {
		shift = 10 * (unsigned)(suffix - suffixes + 1);
		number.length--;
	}
	if (!span_to_u64(number, 0, UINT64_MAX >> shift, &value))
		return false;
	*bytes = value << shift;
	return *bytes >= min && *bytes <= max;
}

static bool
parse_octal(const char *text, uint64_t max, unsigned *value)
{
	size_t length = strlen(text);

	if (length == 0 || length > 6 || strspn(text, "01234567") != length)
		return false;
	*value = (unsigned)strtoul(text, NULL, 8);
	return *value <= max;
}

/* A path is the operator's affair; anything odd in a name or an address is a typing error. */
static bool
host_is_sensible(struct span host)
{
	static const char sensible[] = ".-_:%abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	for (size_t i = 0; i < host.length; i++)
		if (strchr(sensible, host.at[i]) == NULL)
			return false;
	return host.length > 0;
}

/* "127.0.0.1:3306", "[::1]:3306", "db1" (port 3306), or "/run/mysqld/mysqld.sock". */
static bool
parse_server(struct span text, struct arena *arena, struct database_config *server)
{
	struct span host = text;
	uint64_t port = 3306;

	if (text.length == 0 || text.length > 255)
		return false;
	if (text.at[0] == '[') {
		const char *end = memchr(text.at, ']', text.length);
		size_t after;

		if (end == NULL)
			return false;
		after = (size_t)(end - text.at) + 1;
		host = span_range(text.at + 1, after - 2);
		if (after < text.length && (text.at[after] != ':' ||
		    !span_to_u64(span_range(text.at + after + 1, text.length - after - 1), 1, 65535, &port)))
			return false;
	} else if (text.at[0] != '/') {
		struct span rest = text;

		host = span_cut(&rest, ':');
		if (rest.at != NULL && !span_to_u64(rest, 1, 65535, &port))
			return false;
	}
	if (text.at[0] != '/' && !host_is_sensible(host))
		return false;
	server->host = arena_copy_bytes(arena, host.at, host.length);
	server->port = (unsigned)port;
	return true;
}

/* The next word of a list separated by spaces or commas; false at its end. */
static bool
next_word(const char **at, struct span *word)
{
	*at += strspn(*at, " \t,");
	*word = span_range(*at, strcspn(*at, " \t,"));
	*at += word->length;
	return word->length > 0;
}

static bool
parse_servers(const char *text, struct arena *arena, struct catalog_config *catalog, struct failure *why)
{
	struct span word;

	catalog->replica_count = 0;
	while (next_word(&text, &word)) {
		if (catalog->replica_count == CATALOG_REPLICAS_MAX)
			return fail(why, FAIL_INTERNAL, "at most %d servers", CATALOG_REPLICAS_MAX);
		if (!parse_server(word, arena, &catalog->replicas[catalog->replica_count++]))
			return fail(why, FAIL_INTERNAL, "'%.*s' is no host:port", SPAN_ARGS(word));
	}
	return true;
}

static bool
parse_widths(const struct setting *setting, const char *text, struct policy_config *policy, struct failure *why)
{
	struct span word;
	uint64_t width;

	policy->ladder_count = 0;
	while (next_word(&text, &word)) {
		if (policy->ladder_count == POLICY_LADDER_MAX)
			return fail(why, FAIL_INTERNAL, "at most %d widths", POLICY_LADDER_MAX);
		if (!span_to_u64(word, setting->min, setting->max, &width) ||
		    (policy->ladder_count > 0 && width <= policy->ladder[policy->ladder_count - 1]))
			return fail(why, FAIL_INTERNAL, "widths are %" PRIu64 " to %" PRIu64 ", in rising order",
			    setting->min, setting->max);
		policy->ladder[policy->ladder_count++] = (unsigned)width;
	}
	return true;
}

static bool
parse_formats(const char *text, struct http_settings *http, struct failure *why)
{
	struct span word;

	http->auto_format_count = 0;
	while (next_word(&text, &word)) {
		enum media media = media_of_extension(word);

		if (!media_is_writable(media) || media == MEDIA_JPEG || media == MEDIA_PNG || media == MEDIA_GIF)
			return fail(why, FAIL_INTERNAL, "formats are avif, webp and jxl");
		if (http->auto_format_count == SETTINGS_AUTO_FORMATS_MAX)
			return fail(why, FAIL_INTERNAL, "a format is named twice");
		http->auto_formats[http->auto_format_count++] = media;
	}
	return true;
}

static bool
parse_choice(const struct setting *setting, const char *text, unsigned *choice, struct failure *why)
{
	char known[128] = "";
	size_t length = 0;

	for (unsigned i = 0; setting->choices[i] != NULL; i++) {
		if (strcmp(setting->choices[i], text) == 0) {
			*choice = (unsigned)setting->min + i;
			return true;
		}
		length += (size_t)snprintf(known + length, sizeof(known) - length, "%s%s", i > 0 ? ", " : "",
		    setting->choices[i]);
		CHECK(length < sizeof(known));
	}
	return fail(why, FAIL_INTERNAL, "'%.64s' is not one of %s", text, known);
}

/* Whether settings_print() can say it: an INI file has no quotes, and ";" at the start or
 * after a space begins a comment.  From the environment anything may come. */
static bool
text_can_be_written(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if (*c == '\n' || *c == '\r' || (*c == ';' && (c == text || c[-1] == ' ' || c[-1] == '\t')))
			return false;
	return true;
}

static bool
parse_text(const char *text, struct arena *arena, const char **copy, struct failure *why)
{
	if (!text_can_be_written(text))
		return fail(why, FAIL_INTERNAL, "'%.64s' has a line end or the start of a comment", text);
	*copy = arena_copy_string(arena, text);
	return true;
}

static bool
parse_string(const struct setting *setting, const char *text, char *string, struct failure *why)
{
	if (!caption_text_is_valid(span_of(text), setting->max) || !text_can_be_written(text))
		return fail(why, FAIL_INTERNAL, "takes 1 to %" PRIu64 " bytes of UTF-8 in one line", setting->max);
	snprintf(string, setting->max + 1, "%s", text);
	return true;
}

static bool
parse_fraction(const struct setting *setting, const char *text, double *fraction, struct failure *why)
{
	double min = (double)setting->min / 1000, max = (double)setting->max / 1000;

	return argument_to_decimal(span_of(text), min, max, FRACTION_DECIMALS, fraction) ||
	    fail(why, FAIL_INTERNAL, "'%.64s' is no number from %g to %g with at most %d decimals", text, min, max,
		FRACTION_DECIMALS);
}

bool
setting_parse(const struct setting *setting, const char *text, struct arena *arena, void *base,
    struct failure *why)
{
	void *field = (char *)base + setting->offset;
	uint64_t number;

	switch (setting->type) {
	case SETTING_TEXT:
		return parse_text(text, arena, field, why);
	case SETTING_SECRET:
		*(const char **)field = arena_copy_string(arena, text);
		return true;
	case SETTING_STRING:
		return parse_string(setting, text, field, why);
	case SETTING_FRACTION:
		return parse_fraction(setting, text, field, why);
	case SETTING_COLOUR:
		return argument_to_colour(span_of(text), field) ||
		    fail(why, FAIL_INTERNAL, "'%.64s' is no colour, such as ffffff or 000000b3", text);
	case SETTING_PATH:
		if (text[0] != '/' && (text[0] != '\0' || setting->min > 0))
			return fail(why, FAIL_INTERNAL, "'%.128s' is no absolute path", text);
		*(const char **)field = arena_copy_string(arena, text);
		return true;
	case SETTING_UNSIGNED:
		if (!span_to_u64(span_of(text), setting->min, setting->max, &number))
			return fail(why, FAIL_INTERNAL, "'%.64s' is no number from %" PRIu64 " to %" PRIu64, text,
			    setting->min, setting->max);
		*(unsigned *)field = (unsigned)number;
		return true;
	case SETTING_OCTAL:
		if (!parse_octal(text, setting->max, field))
			return fail(why, FAIL_INTERNAL, "'%.64s' is no octal number up to 0%o", text,
			    (unsigned)setting->max);
		return true;
	case SETTING_BOOLEAN:
		*(bool *)field = strcmp(text, "yes") == 0;
		return *(bool *)field || strcmp(text, "no") == 0 ||
		    fail(why, FAIL_INTERNAL, "'%.64s' is neither yes nor no", text);
	case SETTING_BYTES:
		return parse_bytes(text, setting->min, setting->max, field) ||
		    fail(why, FAIL_INTERNAL, "'%.64s' is no size of at least %" PRIu64 " bytes, such as 500M or 20G",
			text, setting->min);
	case SETTING_CHOICE:
		return parse_choice(setting, text, field, why);
	case SETTING_WIDTHS:
		return parse_widths(setting, text, &((struct settings *)base)->policy, why);
	case SETTING_FORMATS:
		return parse_formats(text, &((struct settings *)base)->http, why);
	case SETTING_SERVER:
		return parse_server(span_of(text), arena, field) ||
		    fail(why, FAIL_INTERNAL, "'%.128s' is no host:port", text);
	case SETTING_SERVERS:
		return parse_servers(text, arena, &((struct settings *)base)->catalog, why);
	}
	CHECK(false);
	return false;
}

static void
print_server(const struct database_config *server, struct text *out)
{
	if (server->host[0] == '/')
		text_add(out, server->host);
	else if (strchr(server->host, ':') != NULL)
		text_printf(out, "[%s]:%u", server->host, server->port);
	else
		text_printf(out, "%s:%u", server->host, server->port);
}

static void
print_bytes(uint64_t bytes, struct text *out)
{
	static const char suffixes[] = "\0KMGT";
	unsigned step = 0;

	while (bytes > 0 && bytes % 1024 == 0 && step < 4) {
		bytes /= 1024;
		step++;
	}
	text_printf(out, "%" PRIu64, bytes);
	if (step > 0)
		text_add_char(out, suffixes[step]);
}

void
setting_print(const struct setting *setting, const void *base, struct text *out)
{
	const void *field = (const char *)base + setting->offset;
	const struct settings *settings = base;

	switch (setting->type) {
	case SETTING_TEXT:
	case SETTING_PATH:
		text_add(out, *(const char *const *)field);
		break;
	case SETTING_STRING:
		text_add(out, field);
		break;
	case SETTING_FRACTION:
		text_add_double(out, *(const double *)field);
		break;
	case SETTING_COLOUR:
		argument_add_colour(*(const struct recipe_colour *)field, out);
		break;
	case SETTING_SECRET:
		if ((*(const char *const *)field)[0] != '\0')
			text_add(out, "(secret)");
		break;
	case SETTING_UNSIGNED:
		text_printf(out, "%u", *(const unsigned *)field);
		break;
	case SETTING_OCTAL:
		text_printf(out, "%04o", *(const unsigned *)field);
		break;
	case SETTING_BOOLEAN:
		text_add(out, *(const bool *)field ? "yes" : "no");
		break;
	case SETTING_BYTES:
		print_bytes(*(const uint64_t *)field, out);
		break;
	case SETTING_CHOICE:
		text_add(out, setting->choices[*(const unsigned *)field - setting->min]);
		break;
	case SETTING_WIDTHS:
		for (unsigned i = 0; i < settings->policy.ladder_count; i++)
			text_printf(out, "%s%u", i > 0 ? " " : "", settings->policy.ladder[i]);
		break;
	case SETTING_FORMATS:
		for (unsigned i = 0; i < settings->http.auto_format_count; i++)
			text_printf(out, "%s%s", i > 0 ? " " : "", media_extension(settings->http.auto_formats[i]));
		break;
	case SETTING_SERVER:
		print_server(field, out);
		break;
	case SETTING_SERVERS:
		for (unsigned i = 0; i < settings->catalog.replica_count; i++) {
			text_add(out, i > 0 ? " " : "");
			print_server(&settings->catalog.replicas[i], out);
		}
		break;
	}
}
