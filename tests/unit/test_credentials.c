/* test_credentials - where credentials are looked for, and what a file may say. */
#include "origin/credentials.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
test_reads_a_profile_of_the_file(void **state)
{
	static const struct { const char *text, *profile, *id, *secret, *token; } table[] = {
		{ "[default]\naws_access_key_id = A\naws_secret_access_key = B\n", "default", "A", "B", "" },
		{ "[default]\naws_access_key_id=A\naws_secret_access_key=B=/+=\naws_session_token=C==",
		    "default", "A", "B=/+=", "C==" },
		{ "[a]\naws_access_key_id=A\naws_secret_access_key=B\n[b]\naws_access_key_id=C\n"
		  "aws_secret_access_key=D\n", "b", "C", "D", "" },
		{ "[ spaced ]\r\nAWS_ACCESS_KEY_ID=A\r\nAws_Secret_Access_Key=B\r\n", "spaced", "A", "B", "" },
		{ "# [default]\n; x\n\n[default]\n#aws_access_key_id=no\naws_access_key_id=A\n"
		  "  aws_access_key_id=nested\nregion = x\nno equals sign\naws_secret_access_key=B",
		    "default", "A", "B", "" },
		{ "[x]\naws_access_key_id=old\naws_secret_access_key=B\naws_access_key_id=new\n", "x",
		    "new", "B", "" },
		{ "aws_access_key_id=A\naws_secret_access_key=B\n", "default", NULL, NULL, NULL },
		{ "[default]\naws_access_key_id=A\n", "default", NULL, NULL, NULL },
		{ "[default]\naws_secret_access_key=A\n", "default", NULL, NULL, NULL },
		{ "[default]\naws_access_key_id=A\naws_secret_access_key=B\n", "other", NULL, NULL, NULL },
		{ "[default]\naws_access_key_id=A B\naws_secret_access_key=B\n", "default", NULL, NULL, NULL },
		{ "[default]\naws_access_key_id=A\x01\naws_secret_access_key=B\n", "default", NULL, NULL, NULL },
		{ "[default\naws_access_key_id=A\naws_secret_access_key=B\n", "default", NULL, NULL, NULL },
		{ "", "default", NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct credentials found;
		bool is_found = credentials_parse(span_of(table[i].text), table[i].profile, &found);

		assert_int_equal(is_found, table[i].id != NULL);
		if (!is_found)
			continue;
		assert_string_equal(found.access_key_id, table[i].id);
		assert_string_equal(found.secret_access_key, table[i].secret);
		assert_string_equal(found.session_token, table[i].token);
	}
}

static void
test_refuses_values_over_their_limits(void **state)
{
	char text[CREDENTIALS_TOKEN_MAX + 200];
	struct credentials found;

	(void)state;
	for (int excess = 0; excess <= 1; excess++) {
		snprintf(text, sizeof(text), "[p]\naws_secret_access_key=B\naws_access_key_id=%0*d\n",
		    CREDENTIALS_KEY_MAX + excess, 0);
		assert_int_equal(credentials_parse(span_of(text), "p", &found), excess == 0);
		snprintf(text, sizeof(text),
		    "[p]\naws_secret_access_key=B\naws_access_key_id=A\naws_session_token=%0*d\n",
		    CREDENTIALS_TOKEN_MAX + excess, 0);
		assert_int_equal(credentials_parse(span_of(text), "p", &found), excess == 0);
	}
}

/* The environment of these tests: nothing, and a file with two profiles. */
static int
prepare(void **state)
{
	static char path[] = "/tmp/vitrine-credentials-XXXXXX";
	static const char text[] = "[default]\naws_access_key_id=FILE\naws_secret_access_key=s\n"
				   "[other]\naws_access_key_id=OTHER\naws_secret_access_key=s\n";
	int fd = mkstemp(path);

	if (fd == -1 || write(fd, text, sizeof(text) - 1) != (ssize_t)sizeof(text) - 1 || close(fd) == -1)
		return -1;
	*state = path;
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	unsetenv("AWS_SESSION_TOKEN");
	unsetenv("AWS_PROFILE");
	return setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
}

static int
clean(void **state)
{
	return unlink(*state);
}

static const char *
found_id(const struct credentials_config *config)
{
	static struct credentials found;
	struct failure why = { 0 };

	if (!credentials_find(config, &found, &why)) {
		assert_int_equal(why.kind, FAIL_INTERNAL);
		assert_null(strstr(why.detail, "secret-value"));
		return NULL;
	}
	return found.access_key_id;
}

static void
test_looks_in_order(void **state)
{
	const struct credentials_config nothing = { "", "", "", "" };
	const struct credentials_config missing = { NULL, NULL, NULL, NULL };
	const struct credentials_config configured = { "CONFIG", "secret-value", "", "other" };
	const struct credentials_config half = { "CONFIG", "", "", "" };
	const struct credentials_config profile = { "", "", "", "other" };
	const struct credentials_config unknown = { "", "", "", "unknown" };
	const struct credentials_config injected = { "A", "secret-value\r\nx: y", "", "" };

	(void)state;
	assert_string_equal(found_id(&nothing), "FILE");
	assert_string_equal(found_id(&missing), "FILE");
	assert_string_equal(found_id(&profile), "OTHER");
	assert_null(found_id(&unknown));
	assert_string_equal(found_id(&configured), "CONFIG");
	assert_null(found_id(&half));
	assert_null(found_id(&injected));

	setenv("AWS_PROFILE", "other", 1);
	assert_string_equal(found_id(&nothing), "OTHER");
	setenv("AWS_ACCESS_KEY_ID", "ENVIRONMENT", 1);
	assert_null(found_id(&nothing));
	setenv("AWS_SECRET_ACCESS_KEY", "secret-value", 1);
	assert_string_equal(found_id(&nothing), "ENVIRONMENT");
	assert_string_equal(found_id(&profile), "OTHER");
	assert_string_equal(found_id(&configured), "CONFIG");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads_a_profile_of_the_file),
		cmocka_unit_test(test_refuses_values_over_their_limits),
		cmocka_unit_test_setup_teardown(test_looks_in_order, prepare, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
