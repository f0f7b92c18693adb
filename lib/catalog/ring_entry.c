#include "catalog/ring_entry.h"

#include <inttypes.h>
#include <string.h>

/* To be raised with every change of this line; the asset has a version of its own. */
static const char first_words[] = "vitrine-row 2 ";

void
ring_entry_print(const struct ring_entry *entry, struct text *out)
{
	text_printf(out, "%s%s %" PRId64 " %" PRId64 " %" PRId64, first_words, entry->is_missing ? "missing" : "found",
	    entry->written_at, entry->fresh_until, entry->valid_until);
	if (entry->is_missing) {
		text_printf(out, " %s\n", entry->asset.id);
	} else {
		text_add_char(out, '\n');
		asset_print(&entry->asset, out);
	}
}

static bool
parse_missing(struct span id, struct ring_entry *entry)
{
	if (!asset_id_is_valid(id))
		return false;
	memset(&entry->asset, 0, sizeof(entry->asset));
	memcpy(entry->asset.id, id.at, id.length);
	return true;
}

/* The next word of the line as a time. */
static bool
take_time(struct span *line, int64_t *at)
{
	return line->at != NULL && span_to_i64(span_cut(line, ' '), 0, INT64_MAX, at);
}

bool
ring_entry_parse(struct span text, struct span id, struct ring_entry *entry)
{
	struct span line, word;

	if (!span_starts_with(text, first_words))
		return false;
	text = span_range(text.at + strlen(first_words), text.length - strlen(first_words));
	line = span_cut(&text, '\n');
	if (text.at == NULL)
		return false;
	word = span_cut(&line, ' ');
	entry->is_missing = span_equals(word, "missing");
	if (!entry->is_missing && !span_equals(word, "found"))
		return false;
	if (!take_time(&line, &entry->written_at) || !take_time(&line, &entry->fresh_until) ||
	    !take_time(&line, &entry->valid_until))
		return false;
	if (entry->is_missing ? line.at == NULL || text.length > 0 || !parse_missing(line, entry) :
	    line.at != NULL || !asset_parse(text, &entry->asset))
		return false;
	return span_equals(id, entry->asset.id);
}
