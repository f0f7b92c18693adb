/*
 * sign.c - makes signed URLs, without asking any server.
 *
 * What the token covers is decided in asset/token.h; here the command line
 * becomes claims, and the path is read the way the server will read it, so
 * that nothing is signed that could never be answered.
 */
#include "asset/token.h"
#include "cli/command.h"
#include "cli/voice.h"
#include "http/media.h"
#include "http/url.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { SECONDS_MAX = 10 * 365 * 86400 };	/* larger numbers are points in time */

/* What is to be signed. */
struct signing {
	struct span rest;	/* raw: "/ID/w=400/name.webp", or "/ID" for a whole asset */
	struct span asset;
	const struct token_key *key;
	const char *claims;
};

/* Without the prefix and the "/a" that a path may have been copied with. */
static struct span
strip_path(struct span path, const char *prefix)
{
	size_t length = strlen(prefix);

	if (length > 0 && span_starts_with(path, prefix) && path.length > length && path.at[length] == '/')
		path = span_range(path.at + length, path.length - length);
	if (span_starts_with(path, "/a/"))
		path = span_range(path.at + 2, path.length - 2);
	return path;
}

static bool
check_recipe_and_name(struct context *context, struct span recipe_segment, struct span name_segment,
    struct failure *why)
{
	struct span text, name;
	struct recipe recipe;
	const char *dot;

	if (!recipe_decode_segment(recipe_segment, context->arena, &text, why) ||
	    !recipe_parse(text, &context->settings.presets, &recipe, why) ||
	    !url_decode_segment(name_segment, context->arena, &name, why))
		return false;
	dot = name.length > 0 ? memrchr(name.at, '.', name.length) : NULL;
	if (dot != NULL)
		name = span_range(dot + 1, name.length - (size_t)(dot + 1 - name.at));
	if (recipe.is_original || span_equals(name, "auto") || media_is_writable(media_of_extension(name)))
		return true;
	return fail(why, FAIL_BAD_REQUEST, "the path must end in the extension of a format we write, or in .auto");
}

/* A token with operations is good for any recipe, so the path may end early. */
static bool
read_path(struct context *context, const char *text, bool has_operations, struct signing *signing, struct failure *why)
{
	struct span left, recipe, name;

	if (!url_path(span_of(text), &left, why))
		return false;
	if (left.length != strlen(text))
		return fail(why, FAIL_BAD_REQUEST, "a path has no query and no fragment");
	signing->rest = strip_path(left, context->settings.server.url_prefix);
	left = span_range(signing->rest.at + 1, signing->rest.length - 1);
	signing->asset = span_cut(&left, '/');
	if (!asset_id_is_valid(signing->asset))
		return fail(why, FAIL_BAD_REQUEST, "the path must begin with /a/ASSET/ or /ASSET/");
	if ((has_operations && left.length == 0) || span_equals(left, "info.json"))
		return true;
	recipe = span_cut(&left, '/');
	name = span_cut(&left, '/');
	if (left.at != NULL || name.at == NULL || name.length == 0)
		return fail(why, FAIL_BAD_REQUEST,
		    "the path must be /a/ASSET/RECIPE/NAME.FORMAT or /a/ASSET/info.json");
	return check_recipe_and_name(context, recipe, name, why);
}

/* The named key, or the first. */
static const struct token_key *
choose_key(const struct token_keys *keys, const char *id, struct failure *why)
{
	const struct token_key *key = NULL;

	if (keys->count == 0)
		(void)fail(why, FAIL_INTERNAL, "the configuration has no [keys]");
	else if (id == NULL)
		key = &keys->keys[0];
	else if ((key = token_keys_find(keys, span_of(id))) == NULL)
		(void)fail(why, FAIL_BAD_REQUEST, "the configuration has no key of that name");
	return key;
}

static bool
read_claims(const struct invocation *invocation, struct text *claims)
{
	static const struct {
		const char *option, *claim;
	} copied[] = { { "ops", "ops" }, { "max", "max" }, { "formats", "fmt" } };
	uint64_t expires = 0;

	if (!invocation_number(invocation, "expires", 1, INT64_MAX, &expires))
		return false;
	if (expires > 0 && expires <= SECONDS_MAX)
		expires += (uint64_t)time(NULL);
	if (expires > 0)
		text_printf(claims, "exp=%" PRIu64, expires);
	for (unsigned i = 0; i < sizeof(copied) / sizeof(copied[0]); i++) {
		const char *value = invocation_option(invocation, copied[i].option);

		if (value == NULL)
			continue;
		if (i > 0 && !invocation_has(invocation, "ops")) {
			complain_usage("sign", "--%s goes with --ops", copied[i].option);
			return false;
		}
		text_printf(claims, "%s%s=%s", claims->length > 0 ? "," : "", copied[i].claim, value);
	}
	return true;
}

static int
run_sign(struct invocation *invocation)
{
	struct context *context = invocation->context;
	bool has_operations = invocation_has(invocation, "ops");
	const char *url = invocation_option(invocation, "url");
	struct failure why = { 0 };
	struct text claims, token;
	struct signing signing;

	text_init(&claims, context->arena, TOKEN_TEXT_MAX);
	text_init(&token, context->arena, TOKEN_TEXT_MAX);
	if (!read_claims(invocation, &claims))
		return EX_USAGE;
	if (!read_path(context, invocation->operands[0], has_operations, &signing, &why) ||
	    (signing.key = choose_key(&context->settings.keys, invocation_option(invocation, "key"), &why)) == NULL ||
	    !token_sign(signing.key, text_span(&claims), has_operations ? signing.asset : signing.rest, &token, &why)) {
		complain("%s", why.detail);
		return why.kind == FAIL_INTERNAL ? EX_CONFIG : EX_USAGE;
	}
	printf("%s%s/s/%s%.*s\n", url != NULL ? url : "", context->settings.server.url_prefix, token.at,
	    SPAN_ARGS(signing.rest));
	return exit_status_of_output();
}

static const struct command_option options[] = {
	{ "key", "ID", "The key to sign with, of [keys]; the first when it is not said." },
	{ "expires", "WHEN", "Seconds from now (up to ten years), or a Unix time." },
	{ "ops", "LIST", "Operations that may be used with any values, as w+h+dpr; \"original\" is one." },
	{ "max", "PIXELS", "With --ops: the longest side of the result." },
	{ "formats", "LIST", "With --ops: the formats that may be asked for, as jpg+webp; all when it is not said." },
	{ "url", "BASE", "Put before the path, as http://localhost:8080." },
	{ 0 }
};

const struct command sign_command = {
	.name = "sign",
	.operands = "PATH",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "make a signed URL",
	.manual =
	    "PATH is the path of an unsigned URL, /a/ASSET/RECIPE/NAME.FORMAT, percent-encoded\n"
	    "as it will be requested. The result is good for exactly that URL.\n\n"
	    "With --ops the token is good for the asset: the recipe may use these operations\n"
	    "with any values, up to --max pixels for each side of the result, so that one\n"
	    "signature serves a whole srcset. PATH may then end after the asset.\n\n"
	    "    vitrine sign /a/lion/w=1234/lion.webp --expires=3600\n"
	    "    vitrine sign /a/lion --ops=w+h+fit+dpr --max=1600\n\n"
	    "Nothing is asked of any server: the asset need not exist yet.",
	.options = options,
	.run = run_sign,
};
