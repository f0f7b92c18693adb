#include "origin/s3_error.h"

#include "origin/xml_scan.h"

#include <string.h>

bool
s3_region_is_valid(struct span region)
{
	if (region.length == 0 || region.length > S3_REGION_MAX || region.at[0] == '-')
		return false;
	for (size_t i = 0; i < region.length; i++) {
		char c = region.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return true;
}

static bool
code_is_valid(struct span code)
{
	if (code.length == 0 || code.length > S3_CODE_MAX)
		return false;
	for (size_t i = 0; i < code.length; i++) {
		char c = code.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    c == '.'))
			return false;
	}
	return true;
}

void
s3_error_parse(struct span body, struct s3_error *error)
{
	struct xml_scan scan;
	enum xml_token token;

	*error = (struct s3_error){ 0 };
	xml_scan_init(&scan, body);
	while ((token = xml_scan_next(&scan)) != XML_END && token != XML_MALFORMED) {
		if (token != XML_TEXT || scan.depth != 2 || !span_equals(scan.name[0], "Error"))
			continue;
		if (xml_scan_is_in(&scan, 2, "Code") && code_is_valid(scan.text))
			memcpy(error->code, scan.text.at, scan.text.length);
		if (xml_scan_is_in(&scan, 2, "Region") && s3_region_is_valid(scan.text))
			memcpy(error->region, scan.text.at, scan.text.length);
	}
}

enum s3_action
s3_error_judge(unsigned status, const char *code, enum failure_kind *kind)
{
	/* The first row that fits decides; status 0 and code NULL fit all.  S3's
	 * manual: "List of error codes" and "Best practices for errors". */
	static const struct {
		unsigned status;
		const char *code;
		enum s3_action action;
		enum failure_kind kind;
	} table[] = {
		{ 404, "NoSuchKey", S3_GIVE_UP, FAIL_NOT_FOUND },
		{ 0, "RequestTimeTooSkewed", S3_FIX_CLOCK, FAIL_UPSTREAM },
		{ 0, "ExpiredToken", S3_FIX_CREDENTIALS, FAIL_UPSTREAM },
		{ 0, "TokenRefreshRequired", S3_FIX_CREDENTIALS, FAIL_UPSTREAM },
		{ 0, "AuthorizationHeaderMalformed", S3_FIX_REGION, FAIL_UPSTREAM },
		{ 301, NULL, S3_FIX_REGION, FAIL_UPSTREAM },
		{ 302, NULL, S3_FIX_REGION, FAIL_UPSTREAM },
		{ 307, NULL, S3_FIX_REGION, FAIL_UPSTREAM },
		{ 400, "RequestTimeout", S3_TRY_AGAIN, FAIL_UPSTREAM },
		{ 409, "OperationAborted", S3_TRY_AGAIN, FAIL_UPSTREAM },
		{ 429, NULL, S3_TRY_AGAIN, FAIL_UNAVAILABLE },
		{ 503, NULL, S3_TRY_AGAIN, FAIL_UNAVAILABLE },
		{ 500, NULL, S3_TRY_AGAIN, FAIL_UPSTREAM },
		{ 502, NULL, S3_TRY_AGAIN, FAIL_UPSTREAM },
		{ 504, NULL, S3_TRY_AGAIN, FAIL_UPSTREAM },
		{ 0, NULL, S3_GIVE_UP, FAIL_UPSTREAM },
	};
	size_t row = 0;

	while ((table[row].status != 0 && table[row].status != status) ||
	    (table[row].code != NULL && strcmp(table[row].code, code) != 0))
		row++;
	*kind = table[row].kind;
	return table[row].action;
}
