/*
 * settings_print.c - the effective settings, and the reference for people.
 */
#include "settings/settings.h"

#include "settings/settings_table.h"
#include "settings/settings_value.h"

#include <inttypes.h>
#include <string.h>

static void
print_rows(const struct setting *table, unsigned count, const void *base, struct text *out)
{
	for (unsigned row = 0; row < count; row++) {
		const struct setting *setting = &table[row];

		/* A secret that is set must not come back as the word "(secret)". */
		if (setting->type == SETTING_SECRET)
			text_add(out, "; ");
		text_printf(out, "%s = ", setting->name);
		setting_print(setting, base, out);
		text_add_char(out, '\n');
	}
}

/* How many rows from this one on belong to its section. */
static unsigned
rows_of_section(unsigned first)
{
	unsigned count = 1;

	while (first + count < settings_table_count &&
	    strcmp(settings_table[first + count].section, settings_table[first].section) == 0)
		count++;
	return count;
}

static void
print_family(const struct settings *settings, const struct settings_family *family, struct text *out)
{
	for (unsigned i = 0; i < *settings_item_count(settings, family); i++) {
		text_printf(out, "\n[%s.%s]\n", family->word, settings_item_name(settings, family, i));
		print_rows(family->rows, family->row_count, settings_item(settings, family, i), out);
	}
}

void
settings_print(const struct settings *settings, struct text *out)
{
	for (unsigned row = 0; row < settings_table_count; row += rows_of_section(row)) {
		text_printf(out, "%s[%s]\n", row > 0 ? "\n" : "", settings_table[row].section);
		print_rows(&settings_table[row], rows_of_section(row), settings, out);
	}
	for (unsigned i = 0; i < settings_family_count; i++)
		print_family(settings, &settings_families[i], out);
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
	case SETTING_FRACTION:
		text_add_double(out, (double)setting->min / 1000);
		text_add(out, " to ");
		text_add_double(out, (double)setting->max / 1000);
		break;
	case SETTING_COLOUR:
		text_add(out, "hex, such as `ffffff` or `000000b3`");
		break;
	case SETTING_STRING:
		text_printf(out, "1 to %" PRIu64 " bytes", setting->max);
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
	for (unsigned i = 0; i < settings_family_count; i++)
		print_reference_rows(settings_families[i].rows, settings_families[i].row_count, out);
}
