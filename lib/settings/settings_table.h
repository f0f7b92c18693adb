/*
 * settings_table - every setting, one row each.  Private to lib/settings.
 */
#ifndef SETTINGS_SETTINGS_TABLE_H
#define SETTINGS_SETTINGS_TABLE_H

#include "settings/settings.h"

enum setting_type {
	SETTING_TEXT,		/* const char * */
	SETTING_PATH,		/* const char *, absolute, or "" where min is 0 */
	SETTING_SECRET,		/* const char *, never printed, may be "file:/path" */
	SETTING_UNSIGNED,	/* unsigned */
	SETTING_OCTAL,		/* unsigned, written in octal */
	SETTING_BOOLEAN,	/* bool: yes or no */
	SETTING_BYTES,		/* uint64_t, with a suffix K, M, G or T (powers of 1024) */
	SETTING_CHOICE,		/* an enum, by name */
	SETTING_WIDTHS,		/* policy.ladder: numbers separated by spaces */
	SETTING_FORMATS,	/* http.auto_formats: extensions separated by spaces */
	SETTING_SERVER,		/* host and port of a database: "host:port" or a socket's path */
	SETTING_SERVERS		/* catalog.replicas: the same, separated by spaces or commas */
};

struct setting {
	const char *section, *name;
	enum setting_type type;
	size_t offset;			/* in struct settings, or in struct origin_config */
	uint64_t min, max;
	const char *fallback;		/* as it would be written */
	const char *const *choices;	/* for SETTING_CHOICE, ending in NULL, in the enum's order */
	const char *help;
};

/* In the order in which they are documented. */
extern const struct setting settings_table[];
extern const unsigned settings_table_count;

/* What every [origin.NAME] section may say. */
extern const struct setting origin_settings_table[];
extern const unsigned origin_settings_table_count;

#endif
