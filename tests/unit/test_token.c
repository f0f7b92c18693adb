/* test_token - signatures against vectors from Python's hmac, claims, and keys. */
#include "asset/token.h"
#include "http/url.h"
#include "recipe/operation.h"
#include "recipe/recipe.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static const char secret[] = "correct horse battery staple", other_secret[] = "0123456789abcdef";
static const char path[] = "/bike/w=400/x.jpg";

static struct arena *arena;
static struct token_keys keys;

static int
open_fixture(void **state)
{
	struct failure why = { 0 };

	(void)state;
	arena = arena_new();
	return token_keys_add(&keys, "k1", secret, strlen(secret), &why) &&
	    token_keys_add(&keys, "k2", other_secret, strlen(other_secret), &why) ? 0 : -1;
}

static int
close_fixture(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static enum failure_kind
verify(const char *token, const char *rest, const char *id, int64_t now, struct permit *permit)
{
	struct failure why = { 0 };

	if (!token_verify(&keys, span_of(token), span_of(rest), span_of(id), now, permit, &why)) {
		assert_int_not_equal(why.kind, FAIL_NONE);
		assert_null(strstr(why.detail, secret));
	}
	return why.kind;
}

static const char *
sign(const char *key_id, const char *claims, const char *covered)
{
	struct failure why = { 0 };
	struct text token;

	text_init(&token, arena, TOKEN_TEXT_MAX);
	if (!token_sign(token_keys_find(&keys, span_of(key_id)), span_of(claims), span_of(covered), &token,
	    &why))
		fail_msg("%s: %s", claims, why.detail);
	assert_false(token.was_cut);
	return token.at;
}

static void
test_signs_what_others_can_compute(void **state)
{
	static const struct {
		const char *claims, *covered, *want;
	} cases[] = {
		{ "", path, "k1..jli9_9eS4ztCVUxASM6L7A" },
		{ "exp=2000", path, "k1.exp=2000.owULUBcKYLy6GSlErx4o_A" },
		{ "ops=w+h+dpr,max=1600", "bike", "k1.ops=w+h+dpr,max=1600.QyKhhD1halUSgFcQlNjGkQ" },
		{ "ops=max-bytes+q+text", "bike", "k1.ops=max-bytes+q+text.nAyFXSuvkgDgtvNf_4CSnQ" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct permit permit;

		assert_string_equal(sign("k1", cases[i].claims, cases[i].covered), cases[i].want);
		assert_int_equal(verify(cases[i].want, path, "bike", 1999, &permit), FAIL_NONE);
		assert_true(permit.is_signed);
	}
}

static void
test_is_good_for_one_url_without_ops(void **state)
{
	const char *token = sign("k2", "", path);
	struct permit permit;

	(void)state;
	assert_int_equal(verify(token, path, "bike", 0, &permit), FAIL_NONE);
	assert_true(permit.is_signed && permit.covers_exact_url);
	assert_int_equal(verify(token, "/bike/w=401/x.jpg", "bike", 0, &permit), FAIL_FORBIDDEN);
	assert_int_equal(verify(token, "/bike/w=400/x.jp", "bike", 0, &permit), FAIL_FORBIDDEN);
	assert_int_equal(verify(token, "/bike/w%3D400/x.jpg", "bike", 0, &permit), FAIL_FORBIDDEN);
	assert_int_equal(verify(token, "", "bike", 0, &permit), FAIL_FORBIDDEN);
}

static void
test_is_good_for_one_asset_with_ops(void **state)
{
	const char *token = sign("k1", "ops=w+original,max=1600,fmt=jpg+webp", "bike");
	struct permit permit;

	(void)state;
	assert_int_equal(verify(token, path, "bike", 0, &permit), FAIL_NONE);
	assert_int_equal(verify(token, "/bike/w=9/y.png", "bike", 0, &permit), FAIL_NONE);
	assert_true(permit.is_signed && !permit.covers_exact_url && permit.may_read_original);
	assert_true(permit.operations == operation_bit("w"));
	assert_int_equal(permit.max_side, 1600);
	assert_true(permit_allows_format(&permit, MEDIA_JPEG) && permit_allows_format(&permit, MEDIA_WEBP));
	assert_false(permit_allows_format(&permit, MEDIA_PNG));
	assert_int_equal(verify(token, path, "car", 0, &permit), FAIL_FORBIDDEN);
	assert_int_equal(verify(token, path, "", 0, &permit), FAIL_FORBIDDEN);
}

static void
test_can_name_every_operation_at_once(void **state)
{
	struct permit permit;
	struct text claims;

	(void)state;
	text_init(&claims, arena, TOKEN_TEXT_MAX);
	text_add(&claims, "exp=253402300799,max=16384,fmt=jpg+png+webp+avif+gif+jxl,ops=original");
	for (unsigned i = 0; i < operation_count; i++)
		text_printf(&claims, "+%s", operations[i].name);
	assert_int_equal(verify(sign("k1", claims.at, "bike"), path, "bike", 0, &permit), FAIL_NONE);
	assert_true(permit.operations == (UINT64_C(1) << operation_count) - 1 && permit.may_read_original);
}

/* What covers a path must not pass for what covers an id, whatever their text. */
static void
test_never_takes_one_kind_for_the_other(void **state)
{
	struct permit permit;
	const char *exact = sign("k1", "", "/bike");
	struct text forged;

	(void)state;
	text_init(&forged, arena, TOKEN_TEXT_MAX);
	text_printf(&forged, "k1.ops=w.%s", exact + strlen("k1.."));
	assert_int_equal(verify(forged.at, "/bike", "bike", 0, &permit), FAIL_FORBIDDEN);
	assert_int_equal(verify(forged.at, "/bike", "/bike", 0, &permit), FAIL_FORBIDDEN);
}

static void
test_refuses_every_changed_character(void **state)
{
	const char *token = sign("k1", "exp=99999", path);
	struct permit permit;

	(void)state;
	for (size_t i = 0; token[i] != '\0'; i++) {
		char *changed = arena_copy_string(arena, token);

		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		assert_int_equal(verify(changed, path, "bike", 0, &permit), FAIL_FORBIDDEN);
		changed[i] = '\0';
		assert_int_equal(verify(changed, path, "bike", 0, &permit), FAIL_FORBIDDEN);
	}
	assert_int_equal(verify(token, path, "bike", 0, &permit), FAIL_NONE);
}

static void
test_refuses_malformed_tokens(void **state)
{
	static const char *const tokens[] = {
		"", ".", "..", "...", "k1", "k1.", "k1..", "jli9_9eS4ztCVUxASM6L7A",
		"k1.jli9_9eS4ztCVUxASM6L7A",
		".jli9_9eS4ztCVUxASM6L7A",
		"..jli9_9eS4ztCVUxASM6L7A",
		"k1...jli9_9eS4ztCVUxASM6L7A",
		"k1..jli9_9eS4ztCVUxASM6L7A.",
		"k1..jli9_9eS4ztCVUxASM6L7A=",
		"k1..jli9_9eS4ztCVUxASM6L7B",	/* the unused bits */
		"k1..jli9/9eS4ztCVUxASM6L7A",
		"k1. .jli9_9eS4ztCVUxASM6L7A",
		"k1.%2C.jli9_9eS4ztCVUxASM6L7A",
		"12345678901234567..jli9_9eS4ztCVUxASM6L7A",
		"nokey..jli9_9eS4ztCVUxASM6L7A",
		"k2..jli9_9eS4ztCVUxASM6L7A",
	};
	char long_one[TOKEN_TEXT_MAX + 2] = { 0 };
	struct permit permit;

	(void)state;
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		if (verify(tokens[i], path, "bike", 0, &permit) != FAIL_FORBIDDEN)
			fail_msg("'%s'", tokens[i]);
	memset(long_one, 'a', TOKEN_TEXT_MAX + 1);
	assert_int_equal(verify(long_one, path, "bike", 0, &permit), FAIL_FORBIDDEN);
}

static void
test_says_the_same_of_unknown_keys_and_wrong_signatures(void **state)
{
	struct failure unknown = { 0 }, wrong = { 0 };
	struct permit permit;

	(void)state;
	assert_false(token_verify(&keys, span_of("no..jli9_9eS4ztCVUxASM6L7A"), span_of(path),
	    span_of("bike"), 0, &permit, &unknown));
	assert_false(token_verify(&keys, span_of("k2..jli9_9eS4ztCVUxASM6L7A"), span_of(path),
	    span_of("bike"), 0, &permit, &wrong));
	assert_int_equal(unknown.kind, wrong.kind);
	assert_string_equal(unknown.detail, wrong.detail);
}

/* No key at all must not mean that everything is signed. */
static void
test_takes_nothing_without_keys(void **state)
{
	static const struct token_keys none;
	struct token_keys nobody = { 0 };
	struct failure why = { 0 };
	struct permit permit;
	struct text token;

	(void)state;
	/* Signed with the secret that stands in for unknown keys. */
	assert_true(token_keys_add(&nobody, "k1", "0123456789abcdef", 16, &why));
	text_init(&token, arena, TOKEN_TEXT_MAX);
	assert_true(token_sign(&nobody.keys[0], span_of(""), span_of(path), &token, &why));
	assert_false(token_verify(&none, text_span(&token), span_of(path), span_of("bike"), 0, &permit, &why));
	assert_int_equal(why.kind, FAIL_FORBIDDEN);
}

static void
test_is_gone_from_the_second_it_expires(void **state)
{
	const char *exact = sign("k1", "exp=2000", path), *wide = sign("k1", "ops=w,exp=2000", "bike");
	struct permit permit;

	(void)state;
	assert_int_equal(verify(exact, path, "bike", 1999, &permit), FAIL_NONE);
	assert_int_equal(verify(exact, path, "bike", 2000, &permit), FAIL_GONE);
	assert_int_equal(verify(wide, path, "bike", 1999, &permit), FAIL_NONE);
	assert_int_equal(verify(wide, path, "bike", 2001, &permit), FAIL_GONE);
	/* A wrong signature does not tell that its time would be over. */
	assert_int_equal(verify(exact, "/other", "bike", 2001, &permit), FAIL_FORBIDDEN);
}

static const char *const senseless[] = {
	"size=3", "exp", "exp=", "exp=0", "exp=-5", "exp=soon", "exp=253402300800", "exp=1,exp=2", ",",
	"exp=5,", ",exp=5", "EXP=5", "ops", "ops=", "ops=w+", "ops=+w", "ops=w+nosuch", "ops=w,ops=h",
	"ops=w,max=0", "ops=w,max=16385", "ops=w,max=", "ops=w,max=1,max=2", "ops=w,fmt=", "ops=w,fmt", "ops=w,max", "ops=w,fmt=bmp",
	"ops=w,fmt=svg", "ops=w,fmt=auto", "ops=w,fmt=jpg+", "max=100", "fmt=jpg", "exp=5,max=100", "=", "=5",
};

static void
test_refuses_to_sign_senseless_claims(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(senseless) / sizeof(senseless[0]); i++) {
		struct failure why = { 0 };
		struct text token;
		bool has_ops = token_claims_have_ops(span_of(senseless[i]));

		text_init(&token, arena, TOKEN_TEXT_MAX);
		if (token_sign(&keys.keys[0], span_of(senseless[i]), span_of(has_ops ? "bike" : path), &token,
		    &why))
			fail_msg("signed '%s'", senseless[i]);
		assert_int_equal(why.kind, FAIL_BAD_REQUEST);
		assert_int_equal(token.length, 0);
	}
}

/* Signed by somebody else's program, which did not refuse. */
static void
test_refuses_senseless_claims_under_a_valid_signature(void **state)
{
	static const struct {
		const char *token;
		enum failure_kind want;
	} cases[] = {
		{ "k1.size=3.-L0NcsacVyjnWDw9GEFv-g", FAIL_BAD_REQUEST },
		{ "k1.ops=w+nosuch.cAMvh9AVcuKiE8IaNxTy_g", FAIL_BAD_REQUEST },
		{ "k1.exp=1,exp=99999.8CPqrtcnU1lBSW2HrzJBig", FAIL_BAD_REQUEST },
		{ "k1.max=100.sY3-6j7dRXDpF0UG0ED6xA", FAIL_BAD_REQUEST },
		{ "k1.size=3.bZRDqFgJQL0m5BUonmA5nA", FAIL_FORBIDDEN },
	};
	struct permit permit;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (verify(cases[i].token, path, "bike", 0, &permit) != cases[i].want)
			fail_msg("%s", cases[i].token);
}

static void
test_refuses_to_sign_what_it_could_not_verify(void **state)
{
	static const struct {
		const char *claims, *covered;
	} cases[] = {
		{ "exp=5.6", path }, { "exp=5 ", path }, { "exp=%35", path }, { "", "bike" }, { "", "" },
		{ "ops=w", path }, { "ops=w", "" },
	};
	char long_path[URL_PATH_MAX + 2] = { 0 }, long_claims[TOKEN_TEXT_MAX] = "ops=w";
	struct failure why = { 0 };
	struct text token;

	(void)state;
	text_init(&token, arena, 2 * TOKEN_TEXT_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (token_sign(&keys.keys[0], span_of(cases[i].claims), span_of(cases[i].covered), &token, &why))
			fail_msg("signed '%s' '%s'", cases[i].claims, cases[i].covered);
		failure_clear(&why);
	}
	memset(long_path, '/', URL_PATH_MAX + 1);
	assert_false(token_sign(&keys.keys[0], span_of(""), span_of(long_path), &token, &why));
	failure_clear(&why);
	while (strlen(long_claims) + 2 < sizeof(long_claims))
		memcpy(long_claims + strlen(long_claims), "+w", 2);
	assert_false(token_sign(&keys.keys[0], span_of(long_claims), span_of("bike"), &token, &why));
	assert_int_equal(token.length, 0);
}

static void
test_sees_whether_claims_have_ops(void **state)
{
	(void)state;
	assert_true(token_claims_have_ops(span_of("ops=w")));
	assert_true(token_claims_have_ops(span_of("exp=5,ops=w,max=3")));
	assert_true(token_claims_have_ops(span_of("ops")));
	assert_false(token_claims_have_ops(span_of("")));
	assert_false(token_claims_have_ops(span_of("exp=5")));
	assert_false(token_claims_have_ops(span_of("exp=ops")));
	assert_false(token_claims_have_ops(span_of("xops=w,opsx=w")));
}

static void
test_keeps_keys_that_can_be_told_apart_and_not_guessed(void **state)
{
	static const char *const ids[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i" };
	static const char *const bad_ids[] = { "", "a.b", "a/b", "a b", "12345678901234567" };
	struct token_keys set = { 0 };
	struct failure why = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad_ids) / sizeof(bad_ids[0]); i++) {
		assert_false(token_keys_add(&set, bad_ids[i], secret, strlen(secret), &why));
		failure_clear(&why);
	}
	assert_false(token_keys_add(&set, "a", "topsecret", 9, &why));
	assert_null(strstr(why.detail, "topsecret"));
	failure_clear(&why);
	for (size_t i = 0; i < TOKEN_KEY_MAX; i++)
		assert_true(token_keys_add(&set, ids[i], secret, TOKEN_SECRET_MIN, &why));
	assert_false(token_keys_add(&set, ids[0], secret, TOKEN_SECRET_MIN, &why));
	assert_non_null(strstr(why.detail, "twice"));
	failure_clear(&why);
	assert_false(token_keys_add(&set, ids[TOKEN_KEY_MAX], secret, TOKEN_SECRET_MIN, &why));
	assert_int_equal(set.count, TOKEN_KEY_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signs_what_others_can_compute),
		cmocka_unit_test(test_is_good_for_one_url_without_ops),
		cmocka_unit_test(test_is_good_for_one_asset_with_ops),
		cmocka_unit_test(test_can_name_every_operation_at_once),
		cmocka_unit_test(test_never_takes_one_kind_for_the_other),
		cmocka_unit_test(test_refuses_every_changed_character),
		cmocka_unit_test(test_refuses_malformed_tokens),
		cmocka_unit_test(test_says_the_same_of_unknown_keys_and_wrong_signatures),
		cmocka_unit_test(test_takes_nothing_without_keys),
		cmocka_unit_test(test_is_gone_from_the_second_it_expires),
		cmocka_unit_test(test_refuses_to_sign_senseless_claims),
		cmocka_unit_test(test_refuses_senseless_claims_under_a_valid_signature),
		cmocka_unit_test(test_refuses_to_sign_what_it_could_not_verify),
		cmocka_unit_test(test_sees_whether_claims_have_ops),
		cmocka_unit_test(test_keeps_keys_that_can_be_told_apart_and_not_guessed),
	};

	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}
