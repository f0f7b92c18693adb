/*
 * settings_print.c - the effective settings, and the reference for people.
 */
#include "settings/settings.h"

#include "settings/settings_table.h"
#include "settings/settings_value.h"

#include <inttypes.h>
#include <string.h>

static void
print_rows(const struct setting *table, unsigned count, const void *base, const char *origin, struct text *out)
{
	for (unsigned row = 0; row < count; row++) {
		const struct setting *setting = &table[row];

		if (origin != NULL && row == 0)
			text_printf(out, "\n[origin.%s]\n", origin);
		else if (row == 0 || strcmp(setting->section, table[row - 1].section) != 0)
			text_printf(out, "%s[%s]\n", row > 0 ? "\n" : "", setting->section);
		/* A secret that is set must not come back as the word "(secret)". */
		if (setting->type == SETTING_SECRET)
			text_add(out, "; ");
		text_printf(out, "%s = ", setting->name);
		setting_print(setting, base, out);
		text_add_char(out, '\n');
	}
}

void
settings_print(const struct settings *settings, struct text *out)
{
	print_rows(settings_table, settings_table_count, settings, NULL, out);
	for (unsigned i = 0; i < settings->origin_count; i++)
		print_rows(origin_settings_table, origin_settings_table_count, &settings->origins[i],
		    settings->origins[i].name, out);
	if (settings->presets.count > 0)
		text_add(out, "\n[presets]\n");
	for (unsigned i = 0; i < settings->presets.count; i++)
		text_printf(out, "%s = %s\n", settings->presets.presets[i].name, settings->presets.presets[i].text);
	if (settings->keys.count > 0)
		text_add(out, "\n[keys]\n");
	for (unsigned i = 0; i < settings->keys.count; i++)
		text_printf(out, "; %s = (secret)\n", settings->keys.keys[i].id);
}

static void
print_range(const struct setting *setting, struct text *out)
{
	switch (setting->type) {
	case SETTING_UNSIGNED:
		text_printf(out, "%" PRIu64 " to %" PRIu64, setting->min, setting->max);
		break;
	case SETTING_BYTES:
		text_add(out, "bytes, with K, M, G or T");
		break;
	case SETTING_CHOICE:
		for (unsigned i = 0; setting->choices[i] != NULL; i++)
			text_printf(out, "%s`%s`", i > 0 ? ", " : "", setting->choices[i]);
		break;
	case SETTING_BOOLEAN:
		text_add(out, "`yes`, `no`");
		break;
	case SETTING_SECRET:
		text_add(out, "text, or `file:/path`");
		break;
	case SETTING_PATH:
		text_add(out, "absolute path");
		break;
	default:
		break;
	}
}

static void
print_reference_rows(const struct setting *table, unsigned count, struct text *out)
{
	for (unsigned row = 0; row < count; row++) {
		const struct setting *setting = &table[row];

		if (row == 0 || strcmp(setting->section, table[row - 1].section) != 0)
			text_printf(out, "\n### [%s]\n\n| setting | default | range | meaning |\n|---|---|---|---|\n",
			    setting->section);
		text_printf(out, "| `%s` | ", setting->name);
		if (setting->fallback[0] != '\0')
			text_printf(out, "`%s`", setting->fallback);
		text_add(out, " | ");
		print_range(setting, out);
		text_printf(out, " | %s |\n", setting->help);
	}
}

void
settings_print_reference(struct text *out)
{
	print_reference_rows(settings_table, settings_table_count, out);
	print_reference_rows(origin_settings_table, origin_settings_table_count, out);
}
