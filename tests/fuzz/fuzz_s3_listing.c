/*
 * A listing that was read, printed again as XML with encoded keys, reads as
 * the same listing.
 */
#include "base/check.h"
#include "http/url.h"
#include "origin/s3_listing.h"

#include <string.h>
#include <time.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
add_escaped(struct text *out, struct span text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.at[i];

		if (c == '&' || c == '<')
			text_printf(out, "&#%u;", c);
		else
			text_add_char(out, text.at[i]);
	}
}

static void
print_entry(const struct s3_entry *entry, struct text *out)
{
	struct tm parts;
	time_t modified = entry->modified;
	char date[32];

	CHECK(gmtime_r(&modified, &parts) != NULL);
	CHECK(strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &parts) > 0);
	text_add(out, "<Contents><Key>");
	url_encode(entry->key, "/", out);
	text_printf(out, "</Key><Size>%llu</Size><LastModified>%s</LastModified><ETag>",
	    (unsigned long long)entry->bytes, date);
	add_escaped(out, entry->etag);
	text_add(out, "</ETag></Contents>");
}

static struct span
print(const struct s3_listing *listing, struct arena *arena)
{
	struct text out;

	text_init(&out, arena, S3_PAGE_MAX);
	text_printf(&out, "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>%s</IsTruncated>",
	    listing->is_truncated ? "true" : "false");
	text_add(&out, "<NextContinuationToken>");
	add_escaped(&out, listing->next_token);
	text_add(&out, "</NextContinuationToken>");
	for (size_t i = 0; i < listing->count; i++)
		print_entry(&listing->entries[i], &out);
	text_add(&out, "</ListBucketResult>");
	CHECK(!out.was_cut);
	return text_span(&out);
}

static void
check_same(struct span a, struct span b)
{
	CHECK(a.length == b.length && (a.length == 0 || memcmp(a.at, b.at, a.length) == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *arena = arena_new();
	struct s3_listing listing, again;
	struct failure why = { 0 };

	if (s3_listing_parse(span_range((const char *)bytes, size), arena, &listing, &why)) {
		CHECK(s3_listing_parse(print(&listing, arena), arena, &again, &why));
		CHECK(listing.count == again.count && listing.is_truncated == again.is_truncated);
		check_same(listing.next_token, again.next_token);
		for (size_t i = 0; i < listing.count; i++) {
			CHECK(listing.entries[i].key.length > 0);
			CHECK(listing.entries[i].bytes == again.entries[i].bytes);
			CHECK(listing.entries[i].modified == again.entries[i].modified);
			check_same(listing.entries[i].key, again.entries[i].key);
			check_same(listing.entries[i].etag, again.entries[i].etag);
		}
	} else {
		CHECK(why.kind == FAIL_UPSTREAM);
	}
	arena_free(arena);
	return 0;
}
