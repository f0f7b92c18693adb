/*
 * fuzz_token - tokens as a client may write them, and claims as an operator may.
 * Nothing that was not signed is taken, and all that can be signed is understood.
 */
#include "asset/token.h"
#include "base/check.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct token_keys keys = { { { "k1", "not the secret of a seed", 24 } }, 1 };
	struct span text = span_range((const char *)bytes, size);
	struct span rest = span_of("/bike/w=400/x.jpg"), id = span_of("bike");
	struct arena *arena = arena_new();
	struct failure why = { 0 };
	struct permit permit;
	struct text token;

	/* The fuzzer does not find 128 bits of a MAC. */
	CHECK(!token_verify(&keys, text, rest, id, 0, &permit, &why));
	CHECK(why.kind == FAIL_FORBIDDEN);

	failure_clear(&why);
	text_init(&token, arena, TOKEN_TEXT_MAX);
	if (token_sign(&keys.keys[0], text, token_claims_have_ops(text) ? id : rest, &token, &why)) {
		CHECK(!token.was_cut);
		CHECK(token_verify(&keys, text_span(&token), rest, id, 0, &permit, &why));
		CHECK(permit.is_signed && permit.covers_exact_url == !token_claims_have_ops(text));
		CHECK(permit.covers_exact_url || permit.operations != 0 || permit.may_read_original);
	}
	arena_free(arena);
	return 0;
}
