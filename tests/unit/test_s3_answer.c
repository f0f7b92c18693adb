/* test_s3_answer - the XML that S3 answers with: errors, listings, and nonsense. */
#include "origin/s3_error.h"
#include "origin/s3_listing.h"
#include "origin/xml_scan.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

/* The walk as text: "<a><b>t</b></a>." - "!" when malformed. */
static const char *
walk(const char *document, struct arena *arena)
{
	struct xml_scan scan;
	struct text out;

	text_init(&out, arena, 1000);
	xml_scan_init(&scan, span_of(document));
	for (;;) {
		switch (xml_scan_next(&scan)) {
		case XML_OPEN:
			text_printf(&out, "<%.*s>", SPAN_ARGS(scan.name[scan.depth - 1]));
			break;
		case XML_TEXT:
			text_printf(&out, "%.*s", SPAN_ARGS(scan.text));
			break;
		case XML_CLOSE:
			text_add(&out, "</>");
			break;
		case XML_END:
			text_add_char(&out, '.');
			return out.at;
		case XML_MALFORMED:
			text_add_char(&out, '!');
			return out.at;
		}
	}
}

static void
test_walks_through_documents(void **state)
{
	static const struct { const char *document, *want; } table[] = {
		{ "<a>t</a>", "<a>t</>." },
		{ "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<a/>\n", "<a></>." },
		{ "<a><b>1</b><c/></a>", "<a><b>1</><c></></>." },
		{ "<a x=\"1>2\" y='\"'><b z=\"/\"/></a >", "<a><b></></>." },
		{ "<n:a>&amp;</n:a>", "<n:a>&amp;</>." },
		{ "<1><2><3><4><5><6><7><8/></7></6></5></4></3></2></1>",
		    "<1><2><3><4><5><6><7><8></></></></></></></></>." },
		{ "<1><2><3><4><5><6><7><8><9/></8></7></6></5></4></3></2></1>", "<1><2><3><4><5><6><7><8>!" },
		{ "", "!" },
		{ "text", "!" },
		{ "<a>", "<a>!" },
		{ "<a></b>", "<a>!" },
		{ "<a></a></a>", "<a></>!" },
		{ "<a/><b/>", "<a></>!" },
		{ "<a/>text", "<a></>!" },
		{ "<a x></a>", "!" },
		{ "<a x=1></a>", "!" },
		{ "<a x=\"<\"></a>", "!" },
		{ "<a", "!" }, { "<a ", "!" }, { "<a x=\"", "!" }, { "<a/", "!" }, { "<", "!" }, { "</", "!" },
		{ "<a>t", "<a>!" }, { "<a></", "<a>!" }, { "<a></a", "<a>!" },
		{ "<a><!-- --></a>", "<a>!" },
		{ "<a><![CDATA[x]]></a>", "<a>!" },
		{ "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "!" },
		{ "<?php x?>", "!" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct arena *arena = arena_new();

		assert_string_equal(walk(table[i].document, arena), table[i].want);
		arena_free(arena);
	}
}

static void
test_resolves_entities(void **state)
{
	static const struct { const char *raw, *want; } table[] = {
		{ "", "" }, { "plain", "plain" },
		{ "&amp;&lt;&gt;&quot;&apos;", "&<>\"'" }, { "&amp;amp;", "&amp;" },
		{ "&#38;&#x26;&#x1F600;&#233;&#x20AC;", "&&\xF0\x9F\x98\x80\xC3\xA9\xE2\x82\xAC" },
		{ "&", NULL }, { "&amp", NULL }, { "&;", NULL }, { "&AMP;", NULL }, { "&nbsp;", NULL },
		{ "&#;", NULL }, { "&#x;", NULL }, { "&#0;", NULL }, { "&#x0;", NULL }, { "&#xD800;", NULL },
		{ "&#xDFFF;", NULL }, { "&#x110000;", NULL }, { "&#1114112;", NULL }, { "&#-1;", NULL },
		{ "&#x1F600000000;", NULL }, { "&#xg;", NULL }, { "&#99999999999999999999;", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct arena *arena = arena_new();
		struct text out;

		text_init(&out, arena, 100);
		assert_int_equal(xml_text_decode(span_of(table[i].raw), &out), table[i].want != NULL);
		if (table[i].want != NULL)
			assert_string_equal(out.at, table[i].want);
		arena_free(arena);
	}
}

static void
test_finds_the_code_of_an_error(void **state)
{
	static const struct { const char *body, *code, *region; } table[] = {
		{ "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>m</Message></Error>",
		    "NoSuchKey", "" },
		{ "<Error><Region>eu-west-3</Region><Code>AuthorizationHeaderMalformed</Code></Error>",
		    "AuthorizationHeaderMalformed", "eu-west-3" },
		{ "<Error><Code>SlowDown</Code><Mess", "SlowDown", "" },
		{ "<Error><Code>Has Space</Code></Error>", "", "" },
		{ "<Error><Code>x\r\ny</Code></Error>", "", "" },
		{ "<Error><Region>a.evil.example</Region><Code>X</Code></Error>", "X", "" },
		{ "<Error><Region>EU</Region></Error>", "", "" },
		{ "<Error><Resource><Code>NoSuchKey</Code></Resource></Error>", "", "" },
		{ "<Other><Code>NoSuchKey</Code></Other>", "", "" },
		{ "<html><body>404 Not Found NoSuchKey</body></html>", "", "" },
		{ "NoSuchKey", "", "" }, { "", "", "" },
		{ "<Error><Code>A23456789012345678901234567890123456789012345678901234567890123X5</Code></Error>",
		    "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct s3_error error;

		s3_error_parse(span_of(table[i].body), &error);
		assert_string_equal(error.code, table[i].code);
		assert_string_equal(error.region, table[i].region);
	}
}

static void
test_knows_what_to_do_about_errors(void **state)
{
	static const struct {
		unsigned status;
		const char *code;
		enum s3_action action;
		enum failure_kind kind;
	} table[] = {
		{ 404, "NoSuchKey", S3_GIVE_UP, FAIL_NOT_FOUND },
		{ 404, "", S3_GIVE_UP, FAIL_UPSTREAM },
		{ 404, "NoSuchBucket", S3_GIVE_UP, FAIL_UPSTREAM },
		{ 500, "NoSuchKey", S3_TRY_AGAIN, FAIL_UPSTREAM },
		{ 403, "AccessDenied", S3_GIVE_UP, FAIL_UPSTREAM },
		{ 403, "SignatureDoesNotMatch", S3_GIVE_UP, FAIL_UPSTREAM },
		{ 403, "RequestTimeTooSkewed", S3_FIX_CLOCK, FAIL_UPSTREAM },
		{ 400, "ExpiredToken", S3_FIX_CREDENTIALS, FAIL_UPSTREAM },
		{ 400, "AuthorizationHeaderMalformed", S3_FIX_REGION, FAIL_UPSTREAM },
		{ 400, "RequestTimeout", S3_TRY_AGAIN, FAIL_UPSTREAM },
		{ 400, "KeyTooLongError", S3_GIVE_UP, FAIL_UPSTREAM },
		{ 301, "PermanentRedirect", S3_FIX_REGION, FAIL_UPSTREAM },
		{ 307, "", S3_FIX_REGION, FAIL_UPSTREAM },
		{ 429, "", S3_TRY_AGAIN, FAIL_UNAVAILABLE },
		{ 503, "SlowDown", S3_TRY_AGAIN, FAIL_UNAVAILABLE },
		{ 503, "", S3_TRY_AGAIN, FAIL_UNAVAILABLE },
		{ 500, "InternalError", S3_TRY_AGAIN, FAIL_UPSTREAM },
		{ 502, "", S3_TRY_AGAIN, FAIL_UPSTREAM },
		{ 206, "", S3_GIVE_UP, FAIL_UPSTREAM },
		{ 304, "", S3_GIVE_UP, FAIL_UPSTREAM },
		{ 501, "NotImplemented", S3_GIVE_UP, FAIL_UPSTREAM },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		enum failure_kind kind;

		assert_int_equal(s3_error_judge(table[i].status, table[i].code, &kind), table[i].action);
		assert_int_equal(kind, table[i].kind);
	}
}

#define ENTRY(key, size, date) "<Contents><Key>" key "</Key><LastModified>" date "</LastModified>" \
	"<ETag>&quot;e&quot;</ETag><Size>" size "</Size><Owner><ID>i</ID></Owner></Contents>"
#define DATE "2013-05-24T00:00:00.000Z"
#define PAGE(inside) "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" \
	"<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" inside "</ListBucketResult>"
#define LAST "<IsTruncated>false</IsTruncated>"

static void
test_reads_a_listing(void **state)
{
	static const struct { const char *xml, *keys; } table[] = {	/* NULL: refused */
		{ PAGE(LAST), "" },
		{ PAGE(LAST ENTRY("a", "1", DATE) ENTRY("b", "2", DATE)), "a 1|b 2|" },
		{ PAGE(ENTRY("a", "1", DATE) LAST), "a 1|" },
		{ PAGE(LAST ENTRY("a+b%20&amp;", "0", DATE)), "a+b%20& 0|" },
		{ PAGE("<EncodingType>url</EncodingType>" LAST ENTRY("a+b%20%2B%25%C3%A9", "0", DATE)),
		    "a b +%\xC3\xA9 0|" },
		{ PAGE(LAST ENTRY("a+%2f", "9223372036854775807", DATE) "<EncodingType>url</EncodingType>"),
		    "a / 9223372036854775807|" },
		{ PAGE("<IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;/+=</NextContinuationToken>"),
		    "> t&/+=" },
		{ PAGE(LAST "<CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>"), "" },
		{ PAGE(""), NULL },
		{ PAGE("<IsTruncated>true</IsTruncated>"), NULL },
		{ PAGE("<IsTruncated>true</IsTruncated><NextContinuationToken/>"), NULL },
		{ PAGE("<IsTruncated>maybe</IsTruncated>"), NULL },
		{ PAGE(LAST ENTRY("", "1", DATE)), NULL },
		{ PAGE(LAST ENTRY("a", "", DATE)), NULL },
		{ PAGE(LAST ENTRY("a", "-1", DATE)), NULL },
		{ PAGE(LAST ENTRY("a", "9223372036854775808", DATE)), NULL },
		{ PAGE(LAST ENTRY("a", "1", "yesterday")), NULL },
		{ PAGE(LAST "<Contents><Key>a</Key></Contents>"), NULL },
		{ PAGE(LAST "<Contents/>"), NULL },
		{ PAGE("<EncodingType>url</EncodingType>" LAST ENTRY("a%2", "0", DATE)), NULL },
		{ PAGE("<EncodingType>url</EncodingType>" LAST ENTRY("%zz", "0", DATE)), NULL },
		{ PAGE("<EncodingType>other</EncodingType>" LAST), NULL },
		{ PAGE(LAST ENTRY("&nbsp;", "0", DATE)), NULL },
		{ PAGE(LAST) "x", NULL },
		{ "<Error>" LAST "</Error>", NULL },
		{ "<ListBucketResult>" LAST ENTRY("a", "1", DATE), NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct arena *arena = arena_new();
		struct s3_listing listing;
		struct failure why = { 0 };
		struct text keys;
		bool is_read = s3_listing_parse(span_of(table[i].xml), arena, &listing, &why);

		if (is_read != (table[i].keys != NULL))
			print_error("%s\n", table[i].xml);
		assert_int_equal(is_read, table[i].keys != NULL);
		text_init(&keys, arena, 1000);
		for (size_t entry = 0; is_read && entry < listing.count; entry++) {
			assert_true(span_equals(listing.entries[entry].etag, "\"e\""));
			assert_int_equal(listing.entries[entry].modified, 1369353600);
			text_printf(&keys, "%.*s %llu|", SPAN_ARGS(listing.entries[entry].key),
			    (unsigned long long)listing.entries[entry].bytes);
		}
		if (is_read && listing.is_truncated)
			text_printf(&keys, "> %.*s", SPAN_ARGS(listing.next_token));
		if (is_read)
			assert_string_equal(keys.at, table[i].keys);
		else
			assert_int_equal(why.kind, FAIL_UPSTREAM);
		arena_free(arena);
	}
}

static void
test_refuses_more_entries_than_a_page_has(void **state)
{
	(void)state;
	for (size_t count = S3_PAGE_ENTRIES_MAX; count <= S3_PAGE_ENTRIES_MAX + 1; count++) {
		struct arena *arena = arena_new();
		struct s3_listing listing;
		struct failure why = { 0 };
		struct text xml;

		text_init(&xml, arena, 1 << 20);
		text_add(&xml, "<ListBucketResult>" LAST);
		for (size_t i = 0; i < count; i++)
			text_add(&xml, ENTRY("k", "1", DATE));
		text_add(&xml, "</ListBucketResult>");
		assert_int_equal(s3_listing_parse(text_span(&xml), arena, &listing, &why),
		    count == S3_PAGE_ENTRIES_MAX);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_walks_through_documents),
		cmocka_unit_test(test_resolves_entities),
		cmocka_unit_test(test_finds_the_code_of_an_error),
		cmocka_unit_test(test_knows_what_to_do_about_errors),
		cmocka_unit_test(test_reads_a_listing),
		cmocka_unit_test(test_refuses_more_entries_than_a_page_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
