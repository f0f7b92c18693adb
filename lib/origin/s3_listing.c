#include "origin/s3_listing.h"

#include "origin/percent.h"
#include "origin/timestamp.h"
#include "origin/xml_scan.h"

#include <string.h>

/* What has been seen of the entry that is being read. */
struct draft {
	struct s3_entry entry;
	bool has_key, has_bytes, has_modified;
};

struct reader {
	struct arena *arena;
	struct s3_listing *listing;
	struct draft draft;
	bool keys_are_encoded, has_truncated;
};

static bool
decode_keys(struct s3_listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		struct span *key = &listing->entries[i].key;

		if (!percent_decode((char *)key->at, &key->length))
			return false;
	}
	return true;
}

/* The values of one <Contents>, two levels below the root. */
static bool
take_entry_value(struct reader *reader, const struct xml_scan *scan, struct span value)
{
	struct draft *draft = &reader->draft;

	if (xml_scan_is_in(scan, 3, "Key")) {
		draft->entry.key = value;
		draft->has_key = true;
	} else if (xml_scan_is_in(scan, 3, "Size")) {
		draft->has_bytes = span_to_u64(value, 0, INT64_MAX, &draft->entry.bytes);
		return draft->has_bytes;
	} else if (xml_scan_is_in(scan, 3, "ETag")) {
		draft->entry.etag = value;
	} else if (xml_scan_is_in(scan, 3, "LastModified")) {
		draft->has_modified = timestamp_parse_iso(value, &draft->entry.modified);
		return draft->has_modified;
	}
	return true;
}

static bool
take_page_value(struct reader *reader, const struct xml_scan *scan, struct span value)
{
	if (xml_scan_is_in(scan, 2, "IsTruncated")) {
		reader->has_truncated = true;
		reader->listing->is_truncated = span_equals(value, "true");
		return span_equals(value, "true") || span_equals(value, "false");
	}
	if (xml_scan_is_in(scan, 2, "EncodingType")) {
		reader->keys_are_encoded = span_equals(value, "url");
		return reader->keys_are_encoded;
	}
	if (xml_scan_is_in(scan, 2, "NextContinuationToken")) {
		reader->listing->next_token = value;
		return value.length <= S3_TOKEN_MAX;
	}
	return true;
}

static bool
take_text(struct reader *reader, const struct xml_scan *scan)
{
	struct text value;

	if (scan->depth != 2 && !(scan->depth == 3 && span_equals(scan->name[1], "Contents")))
		return true;
	text_init(&value, reader->arena, scan->text.length);
	if (!xml_text_decode(scan->text, &value) || value.was_cut)
		return false;
	return scan->depth == 2 ? take_page_value(reader, scan, text_span(&value))
				: take_entry_value(reader, scan, text_span(&value));
}

static bool
take_entry(struct reader *reader)
{
	struct s3_listing *listing = reader->listing;
	const struct draft *draft = &reader->draft;

	if (!draft->has_key || draft->entry.key.length == 0 || !draft->has_bytes ||
	    !draft->has_modified || listing->count == S3_PAGE_ENTRIES_MAX)
		return false;
	listing->entries[listing->count++] = draft->entry;
	return true;
}

static bool
take_token(struct reader *reader, const struct xml_scan *scan, enum xml_token token,
    bool *is_in_entry)
{
	switch (token) {
	case XML_OPEN:
		if (scan->depth == 1)
			return span_equals(scan->name[0], "ListBucketResult");
		if (xml_scan_is_in(scan, 2, "Contents")) {
			reader->draft = (struct draft){ 0 };
			*is_in_entry = true;
		}
		return true;
	case XML_TEXT:
		return take_text(reader, scan);
	case XML_CLOSE:
		if (scan->depth != 1 || !*is_in_entry)
			return true;
		*is_in_entry = false;
		return take_entry(reader);
	default:
		return false;
	}
}

bool
s3_listing_parse(struct span xml, struct arena *arena, struct s3_listing *listing,
    struct failure *why)
{
	struct reader reader = { .arena = arena, .listing = listing };
	struct xml_scan scan;
	enum xml_token token;
	bool is_in_entry = false;

	*listing = (struct s3_listing){ 0 };
	listing->entries = arena_alloc(arena, S3_PAGE_ENTRIES_MAX * sizeof(*listing->entries));
	xml_scan_init(&scan, xml);
	while ((token = xml_scan_next(&scan)) != XML_END)
		if (!take_token(&reader, &scan, token, &is_in_entry))
			return fail(why, FAIL_UPSTREAM, "malformed listing near byte %zu of %zu",
			    xml.length - scan.rest.length, xml.length);
	if (!reader.has_truncated || (listing->is_truncated && listing->next_token.length == 0))
		return fail(why, FAIL_UPSTREAM, "listing does not say whether it goes on");
	if (reader.keys_are_encoded && !decode_keys(listing))
		return fail(why, FAIL_UPSTREAM, "listing holds a malformed key");
	for (size_t i = 0; i < listing->count; i++)
		if (listing->entries[i].key.length == 0)
			return fail(why, FAIL_UPSTREAM, "listing holds an empty key");
	return true;
}
