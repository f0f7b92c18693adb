#include "cli/voice.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 2048 };

__attribute__((format(printf, 3, 0))) static void
say_line(const char *subject, const char *hint, const char *format, va_list values)
{
	char line[LINE_MAX_BYTES];

	vsnprintf(line, sizeof(line), format, values);
	fputs("vitrine: ", stderr);
	if (subject != NULL) {
		print_safely(stderr, span_of(subject));
		fputs(": ", stderr);
	}
	print_safely(stderr, span_of(line));
	if (hint != NULL)
		fprintf(stderr, " (see: vitrine help%s%s)", hint[0] != '\0' ? " " : "", hint);
	fputc('\n', stderr);
}

void
complain(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	say_line(NULL, NULL, format, values);
	va_end(values);
}

__attribute__((format(printf, 2, 3))) static void
complain_about(const char *subject, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	say_line(subject, NULL, format, values);
	va_end(values);
}

void
complain_of(const char *subject, const struct failure *why)
{
	complain_about(subject, "%s", why->detail);
}

void
complain_usage(const char *command, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	say_line(NULL, command, format, values);
	va_end(values);
}

/* The length of the UTF-8 character at the beginning; 0 when there is none. */
static size_t
character_length(struct span text)
{
	for (size_t length = 1; length <= 4 && length <= text.length; length++)
		if (span_is_utf8(span_range(text.at, length)))
			return length;
	return 0;
}

/* C0, DEL, and C1, which some terminals obey in UTF-8 too. */
static bool
is_control(const char *at, size_t length)
{
	unsigned char first = (unsigned char)at[0];

	return first < 0x20 || first == 0x7F || (length == 2 && first == 0xC2 && (unsigned char)at[1] < 0xA0);
}

void
print_safely(FILE *to, struct span text)
{
	while (text.length > 0) {
		size_t length = character_length(text);
		bool is_plain = length > 0 && text.at[0] != '\\' && !is_control(text.at, length);

		length = length == 0 ? 1 : length;
		if (is_plain)
			fwrite(text.at, 1, length, to);
		else
			for (size_t i = 0; i < length; i++)
				fprintf(to, "\\x%02X", (unsigned char)text.at[i]);
		text = span_range(text.at + length, text.length - length);
	}
}

/* The first thing that went wrong with standard output. */
static int output_error;

bool
output_is_fine(void)
{
	if (ferror(stdout) && output_error == 0)
		output_error = errno;
	return output_error == 0;
}

int
exit_status_of_output(void)
{
	if (fflush(stdout) != 0 && output_error == 0)
		output_error = errno;
	if (output_error == 0 || output_error == EPIPE)
		return EXIT_SUCCESS;
	complain("cannot write the output: %s", strerror(output_error));
	return EXIT_FAILURE;
}
