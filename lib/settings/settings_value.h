/*
 * settings_value - one setting between text and value.  Private to lib/settings.
 */
#ifndef SETTINGS_SETTINGS_VALUE_H
#define SETTINGS_SETTINGS_VALUE_H

#include "settings/settings_table.h"

/* Parses text into the field of *base that the row describes.  FAIL_INTERNAL
 * says what would have been right. */
bool setting_parse(const struct setting *setting, const char *text, struct arena *arena, void *base,
    struct failure *why) __attribute__((warn_unused_result));

/* The field as it would be written; "(secret)" for a secret that is set. */
void setting_print(const struct setting *setting, const void *base, struct text *out);

#endif
