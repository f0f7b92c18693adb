/*
 * test_settings - from INI text and environment to values, and the errors.
 */
#include "settings/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct loaded {
	struct arena *arena;
	struct settings settings;
	struct failure why;
	bool worked;
};

static void
load(struct loaded *loaded, const char *ini, char *const *environment)
{
	char path[] = "/tmp/test_settings_XXXXXX";
	int fd = mkstemp(path);
	size_t length = strlen(ini);

	memset(loaded, 0, sizeof(*loaded));
	loaded->arena = arena_new();
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, ini, length), length);
	close(fd);
	loaded->worked = settings_load(loaded->arena, path, environment, &loaded->settings, &loaded->why);
	unlink(path);
}

static void
test_defaults_are_valid(void **state)
{
	struct loaded loaded;

	(void)state;
	load(&loaded, "", NULL);
	assert_true(loaded.worked);
	assert_int_equal(loaded.settings.server.responders, 64);
	assert_int_equal(loaded.settings.store.max_original_bytes, UINT64_C(10) << 30);
	assert_int_equal(loaded.settings.policy.unsigned_urls, UNSIGNED_LADDER);
	assert_int_equal(loaded.settings.policy.ladder_count, 9);
	arena_free(loaded.arena);
}

static void
test_reads_every_kind_of_value(void **state)
{
	struct loaded loaded;

	(void)state;
	load(&loaded,
	    "; a comment\n"
	    "[server]\nlisten = 127.0.0.1:9000 ; inline\nsocket_mode = 0600\n"
	    "[policy]\nunsigned = any\nladder = 100, 200 300\n"
	    "[store]\nmax_variant_bytes = 5M\n"
	    "[http]\nsend = accel\nauto_formats = avif webp\n"
	    "[catalog]\nprimary = db1:3307\nreplicas = 10.0.0.1 [::1]:3308,/run/mysqld.sock\nuser = shop\n"
	    "[origin.designs]\nkind = s3\nbucket = b\npath_style = yes\nfallback = old\n"
	    "[origin.old]\nkind = directory\nroot = /srv/designs\n"
	    "[presets]\ncard = w=400,h=300,fit=cover\n"
	    "[keys]\n2026a = 0123456789abcdef\n", NULL);
	assert_string_equal(loaded.why.detail, "");
	assert_true(loaded.worked);
	assert_string_equal(loaded.settings.server.listen, "127.0.0.1:9000");
	assert_int_equal(loaded.settings.server.socket_mode, 0600);
	assert_int_equal(loaded.settings.policy.unsigned_urls, UNSIGNED_ANY);
	assert_int_equal(loaded.settings.policy.ladder_count, 3);
	assert_int_equal(loaded.settings.policy.ladder[2], 300);
	assert_int_equal(loaded.settings.store.max_variant_bytes, 5 << 20);
	assert_int_equal(loaded.settings.http.send, SEND_ACCEL);
	assert_int_equal(loaded.settings.http.auto_format_count, 2);
	assert_int_equal(loaded.settings.http.auto_formats[0], MEDIA_AVIF);
	assert_string_equal(loaded.settings.catalog.primary.host, "db1");
	assert_int_equal(loaded.settings.catalog.primary.port, 3307);
	assert_int_equal(loaded.settings.catalog.replica_count, 3);
	assert_int_equal(loaded.settings.catalog.replicas[0].port, 3306);
	assert_string_equal(loaded.settings.catalog.replicas[1].host, "::1");
	assert_int_equal(loaded.settings.catalog.replicas[1].port, 3308);
	assert_string_equal(loaded.settings.catalog.replicas[2].host, "/run/mysqld.sock");
	assert_string_equal(loaded.settings.catalog.replicas[2].user, "shop");
	assert_int_equal(loaded.settings.origin_count, 2);
	assert_true(loaded.settings.origins[0].is_path_style);
	assert_int_equal(loaded.settings.origins[1].kind, ORIGIN_DIRECTORY);
	assert_ptr_equal(loaded.settings.origins[0].fallback, &loaded.settings.origins[1]);
	assert_null(loaded.settings.origins[1].fallback);
	assert_int_equal(loaded.settings.presets.count, 1);
	assert_int_equal(loaded.settings.keys.count, 1);
	arena_free(loaded.arena);
}

static void
test_environment_overrides_the_file(void **state)
{
	char *environment[] = { "VITRINE_STORE_ROOT=/fast", "VITRINE_ORIGIN_DESIGNS_BUCKET=other",
		"VITRINE_KEYS_A=fedcba9876543210", "VITRINE_URL=http://unrelated", NULL };
	struct loaded loaded;

	(void)state;
	load(&loaded, "[store]\nroot = /slow\n[origin.designs]\nbucket = b\n[keys]\na = 0123456789abcdef\n",
	    environment);
	assert_string_equal(loaded.why.detail, "");
	assert_string_equal(loaded.settings.store.root, "/fast");
	assert_string_equal(loaded.settings.origins[0].bucket, "other");
	assert_int_equal(loaded.settings.keys.count, 1);
	assert_string_equal(loaded.settings.keys.keys[0].secret, "fedcba9876543210");
	arena_free(loaded.arena);
}

static void
test_reads_watermarks_and_how_credits_look(void **state)
{
	char *environment[] = { "VITRINE_WATERMARK_BIG_LOGO_OPACITY=0.25", "VITRINE_CREDIT_COLOUR=ff000080", NULL };
	const struct watermark *logo, *stamp;
	const struct caption *credit;
	struct loaded loaded;

	(void)state;
	load(&loaded, "[presets]\nplain = watermark=stamp\n[policy]\ndefault_preset = plain\n"
	    "[watermark.big-logo]\nasset = logo_2\nposition = nw\nmargin = 0.05\nscale = 0.333333\nopacity = 0.5\n"
	    "tile = yes\nmin_width = 300\n[watermark.stamp]\nfile = /etc/vitrine/stamp.png\n"
	    "[credit]\nfont = Liberation Serif Italic\nsize = 0.05\nposition = s\nalways = yes\nmin_height = 7\n"
	    "[http]\nsave_data = no\nclient_hints = yes\n", environment);
	assert_string_equal(loaded.why.detail, "");
	logo = watermark_find(&loaded.settings.dressing, "big-logo");
	stamp = watermark_find(&loaded.settings.dressing, "stamp");
	assert_non_null(logo);
	assert_non_null(stamp);
	assert_null(watermark_find(&loaded.settings.dressing, "logo"));
	assert_string_equal(logo->asset, "logo_2");
	assert_string_equal(logo->file, "");
	assert_int_equal(logo->mark.position, GRAVITY_NORTH_WEST);
	assert_true(logo->mark.margin == 0.05 && logo->mark.scale == 0.333333 && logo->mark.opacity == 0.25);
	assert_true(logo->mark.is_tiled && logo->mark.min_width == 300 && logo->mark.min_height == 0);
	assert_string_equal(stamp->file, "/etc/vitrine/stamp.png");
	assert_true(stamp->mark.position == GRAVITY_SOUTH_EAST && stamp->mark.opacity == 1 && !stamp->mark.is_tiled);
	assert_int_equal(stamp->fd, -1);
	credit = &loaded.settings.dressing.credit;
	assert_string_equal(credit->font, "Liberation Serif Italic");
	assert_true(credit->size == 0.05 && credit->position == GRAVITY_SOUTH && credit->min_height == 7);
	assert_true(credit->colour.red == 255 && credit->colour.green == 0 && credit->colour.alpha == 128);
	assert_true(loaded.settings.dressing.credit_is_imposed && loaded.settings.policy.credit_is_imposed);
	assert_string_equal(loaded.settings.presets.default_name, "plain");
	assert_true(!loaded.settings.http.obeys_save_data && loaded.settings.http.uses_client_hints);
	arena_free(loaded.arena);
}

static void
test_takes_no_more_watermarks_than_it_has_room_for(void **state)
{
	struct loaded loaded;
	struct arena *arena = arena_new();
	struct text ini;

	(void)state;
	text_init(&ini, arena, 4096);
	for (unsigned i = 0; i < WATERMARKS_MAX; i++)
		text_printf(&ini, "[watermark.w%u]\nasset = a\n", i);
	load(&loaded, ini.at, NULL);
	assert_true(loaded.worked);
	arena_free(loaded.arena);
	text_add(&ini, "[watermark.more]\nasset = a\n");
	load(&loaded, ini.at, NULL);
	assert_false(loaded.worked);
	assert_non_null(strstr(loaded.why.detail, "[watermark.more] is one too many, limit 16"));
	arena_free(loaded.arena);
	arena_free(arena);
}

static void
test_names_the_line_of_a_mistake(void **state)
{
	static const struct {
		const char *ini, *want;
	} cases[] = {
		{ "[server]\n\nrespnders = 4\n", ":3: [server] has no setting 'respnders'" },
		{ "[sever]\nresponders = 4\n", ":2: there is no section [sever]" },
		{ "[server]\nresponders = 0\n", ":2: responders: '0' is no number from 1 to 512" },
		{ "[server]\nresponders = -1\n", ":2: responders: '-1' is no number" },
		{ "[server]\nresponders = 1e3\n", ":2: responders: '1e3' is no number" },
		{ "[server]\nresponders\n", ":2: neither a [section]" },
		{ "[store]\nroot = relative\n", ":2: root: 'relative' is no absolute path" },
		{ "[store]\nmax_variant_bytes = 20X\n", ":2: max_variant_bytes: '20X' is no size" },
		{ "[http]\nsend = magic\n", ":2: send: 'magic' is not one of body, accel, sendfile" },
		{ "[http]\nauto_formats = jpg\n", ":2: auto_formats: formats are avif, webp and jxl" },
		{ "[policy]\nladder = 200 100\n", ":2: ladder: widths are" },
		{ "[catalog]\nprimary = :3306\n", ":2: primary:" },
		{ "[catalog]\nreplicas = a:99999\n", ":2: replicas: 'a:99999' is no host:port" },
		{ "[server]\nlisten =;x\n", ":2: listen: ';x' has a line end or the start of a comment" },
		{ "[credit]\nfont =;x\n", ":2: font: takes 1 to" },
		{ "[catalog]\nreplicas = a,;b\n", ":2: replicas: ';b' is no host:port" },
		{ "[catalog]\npassword = file:/nonexistent/secret\n", ":2: cannot open /nonexistent/secret" },
		{ "[origin.Bad]\nbucket = b\n", ":2: the name in [origin.Bad] must be 1 to 32 of abc" },
		{ "[origin.a]\nbuckt = b\n", ":2: [origin.a] has no setting 'buckt'" },
		{ "[origin.a]\nregion = x\n", "[origin.a] needs a bucket" },
		{ "[origin.a]\nkind = directory\n", "[origin.a] needs a root" },
		{ "[origin.a]\nbucket = b\nfallback = b\n", "[origin.a] fallback: there is no [origin.b]" },
		{ "[origin.a]\nbucket = b\nfallback = a\n", "[origin.a] fallback: it goes in a circle" },
		{ "[origin.a]\nbucket = a\nfallback = c\n[origin.b]\nbucket = b\nfallback = a\n"
		  "[origin.c]\nbucket = c\nfallback = b\n", "[origin.c] fallback: it goes in a circle" },
		{ "[presets]\ncard = w=0\n", ":2: " },
		{ "[presets]\ncard = w=5,watermark=logo\n", "preset @card: there is no [watermark.logo]" },
		{ "[policy]\ndefault_preset = card\n", "[policy] default_preset: " },
		{ "[watermark.logo]\nscale = 0.1\n", "[watermark.logo] needs an asset or a file" },
		{ "[watermark.logo]\nasset = a\nfile = /b\n", "[watermark.logo] needs an asset or a file, and not" },
		{ "[watermark.logo]\nasset = a/b\n", "[watermark.logo] asset: 'a/b' is no asset's id" },
		{ "[watermark.logo]\nfile = b.png\n", ":2: file: 'b.png' is no absolute path" },
		{ "[watermark.logo]\nscale = 2\n", ":2: scale: '2' is no number from 0.01 to 1" },
		{ "[watermark.logo]\nopacity = 0.0000001\n", ":2: opacity: '0.0000001' is no number" },
		{ "[watermark.logo]\nposition = focus\n", ":2: position: 'focus' is not one of n, ne, e, se, s" },
		{ "[watermark.logo]\ncolour = red\n", ":2: [watermark.logo] has no setting 'colour'" },
		{ "[watermark.Logo]\nasset = a\n", ":2: the name in [watermark.Logo] must be" },
		{ "[watermark]\nasset = a\n", ":2: there is no section [watermark]" },
		{ "[credit]\ncolour = red\n", ":2: colour: 'red' is no colour" },
		{ "[credit]\nsize = 0.6\n", ":2: size: '0.6' is no number from 0.005 to 0.5" },
		{ "[credit]\nfont =\n", ":2: font: takes 1 to 63 bytes" },
		{ "[credit]\nalways = 1\n", ":2: always: '1' is neither yes nor no" },
		{ "[keys]\na = 0123456789abcdef\na = 0123456789abcdef\n", ":3: key 'a' is given twice" },
		{ "[keys]\nshort = abc\n", ":2: the secret of key 'short' has 3 bytes, at least 16" },
		{ "[server]\nresponders = 4\nslow_responders = 4\n", "slow_responders (4) must be below responders" },
		{ "[server]\nurl_prefix = assets\n", "url_prefix begins with a slash" },
		{ "[server]\nurl_prefix = /\xff\n", "[server] url_prefix may hold printable ASCII" },
		{ "[http]\nallow_origin = a\tb\n", "[http] allow_origin may hold printable ASCII" },
		{ "[http]\naccel_prefix = /in side/\n", "[http] accel_prefix may hold printable ASCII" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct loaded loaded;

		load(&loaded, cases[i].ini, NULL);
		if (loaded.worked || strstr(loaded.why.detail, cases[i].want) == NULL)
			fail_msg("for \"%s\" got \"%s\", want \"%s\"", cases[i].ini, loaded.why.detail, cases[i].want);
		arena_free(loaded.arena);
	}
}

static void
test_refuses_misspelt_variables_of_known_sections(void **state)
{
	char *environment[] = { "VITRINE_STORE_ROTO=/x", NULL };
	struct loaded loaded;

	(void)state;
	load(&loaded, "", environment);
	assert_false(loaded.worked);
	assert_non_null(strstr(loaded.why.detail, "VITRINE_STORE_ROTO"));
	arena_free(loaded.arena);
}

static void
test_reads_a_secret_from_a_file(void **state)
{
	char path[] = "/tmp/test_settings_secret_XXXXXX", *ini;
	int fd = mkstemp(path);
	struct loaded loaded;

	(void)state;
	assert_int_equal(write(fd, "hush hush\n", 10), 10);
	close(fd);
	assert_true(asprintf(&ini, "[catalog]\npassword = file:%s\n", path) > 0);
	load(&loaded, ini, NULL);
	assert_string_equal(loaded.settings.catalog.primary.password, "hush hush");
	free(ini);
	unlink(path);
	arena_free(loaded.arena);
}

static void
test_printed_settings_read_back_without_secrets(void **state)
{
	struct loaded first, second;
	struct text printed, again;

	(void)state;
	load(&first, "[peers]\nsecret = nor-this-seal-of-ours\n[catalog]\npassword = tell-nobody\nreplicas = a:1 [::1]:2\n[origin.x]\nbucket = b\n"
	    "secret_access_key = also-not-this\n[keys]\nk = not-this-key-either\n[presets]\np = w=3\n"
	    "[watermark.l]\nasset = a\nposition = c\nscale = 0.125\n[credit]\nshadow = transparent\nposition = nw\n"
	    "[policy]\ndefault_preset = p\n", NULL);
	assert_true(first.worked);
	text_init(&printed, first.arena, 1 << 20);
	settings_print(&first.settings, &printed);
	assert_null(strstr(printed.at, "tell-nobody"));
	assert_null(strstr(printed.at, "also-not-this"));
	assert_null(strstr(printed.at, "nor-this-seal"));
	assert_null(strstr(printed.at, "not-this-key"));
	load(&second, printed.at, NULL);
	assert_string_equal(second.why.detail, "");
	text_init(&again, second.arena, 1 << 20);
	settings_print(&second.settings, &again);
	/* Only what is secret may differ. */
	assert_int_equal(second.settings.catalog.replica_count, 2);
	assert_string_equal(second.settings.origins[0].bucket, "b");
	assert_int_equal(second.settings.presets.count, 1);
	assert_int_equal(second.settings.keys.count, 0);
	assert_memory_equal(&second.settings.dressing.watermarks[0].mark, &first.settings.dressing.watermarks[0].mark,
	    sizeof(struct mark));
	assert_memory_equal(&second.settings.dressing.credit, &first.settings.dressing.credit, sizeof(struct caption));
	assert_string_equal(second.settings.presets.default_name, "p");
	arena_free(first.arena);
	arena_free(second.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_valid),
		cmocka_unit_test(test_reads_every_kind_of_value),
		cmocka_unit_test(test_environment_overrides_the_file),
		cmocka_unit_test(test_reads_watermarks_and_how_credits_look),
		cmocka_unit_test(test_takes_no_more_watermarks_than_it_has_room_for),
		cmocka_unit_test(test_names_the_line_of_a_mistake),
		cmocka_unit_test(test_refuses_misspelt_variables_of_known_sections),
		cmocka_unit_test(test_reads_a_secret_from_a_file),
		cmocka_unit_test(test_printed_settings_read_back_without_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
