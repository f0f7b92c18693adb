/*
 * settings_table - every setting, one row each.  Private to lib/settings.
 */
#ifndef SETTINGS_SETTINGS_TABLE_H
#define SETTINGS_SETTINGS_TABLE_H

#include "settings/settings.h"

enum setting_type {
	SETTING_TEXT,		/* const char * */
	SETTING_STRING,		/* char[max + 1], not empty */
	SETTING_PATH,		/* const char *, absolute, or "" where min is 0 */
	SETTING_SECRET,		/* const char *, never printed, may be "file:/path" */
	SETTING_UNSIGNED,	/* unsigned */
	SETTING_OCTAL,		/* unsigned, written in octal */
	SETTING_BOOLEAN,	/* bool: yes or no */
	SETTING_BYTES,		/* uint64_t, with a suffix K, M, G or T (powers of 1024) */
	SETTING_CHOICE,		/* an enum, by name; its first value is min */
	SETTING_FRACTION,	/* double; min and max in thousandths */
	SETTING_COLOUR,		/* struct recipe_colour, as in a recipe */
	SETTING_WIDTHS,		/* policy.ladder: numbers separated by spaces */
	SETTING_FORMATS,	/* http.auto_formats: extensions separated by spaces */
	SETTING_SERVER,		/* host and port of a database: "host:port" or a socket's path */
	SETTING_SERVERS		/* catalog.replicas: the same, separated by spaces or commas */
};

struct setting {
	const char *section, *name;
	enum setting_type type;
	size_t offset;			/* in struct settings, or in one item of a family */
	uint64_t min, max;
	const char *fallback;		/* as it would be written */
	const char *const *choices;	/* for SETTING_CHOICE, ending in NULL, in the enum's order */
	const char *help;
};

/* In the order in which they are documented. */
extern const struct setting settings_table[];
extern const unsigned settings_table_count;

enum { FAMILIES_MAX = 4, FAMILY_ITEMS_MAX = 16 };

/* Sections of which there may be several, each with a name: [origin.NAME].  The
 * items are an array in struct settings, and each begins with its name. */
struct settings_family {
	const char *word;		/* "origin" */
	const char *alphabet;		/* of a name */
	size_t name_max;		/* bytes */
	const struct setting *rows;
	unsigned row_count;
	size_t items, item_size;	/* offset and size of one */
	size_t count;			/* offset of an unsigned */
	unsigned max;			/* items */
};

extern const struct settings_family settings_families[];
extern const unsigned settings_family_count;

/* Item i of the family, whether it is there or not. */
void *settings_item(const struct settings *settings, const struct settings_family *family, unsigned i);
/* How many there are. */
unsigned *settings_item_count(const struct settings *settings, const struct settings_family *family);
const char *settings_item_name(const struct settings *settings, const struct settings_family *family, unsigned i);

#endif
