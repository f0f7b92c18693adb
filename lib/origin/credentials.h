/*
 * credentials - who we are to S3.
 *
 * Looked for in this order; the first place that has a key id decides:
 *	1. the configuration: access_key_id and secret_access_key;
 *	2. the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
 *	   AWS_SESSION_TOKEN - unless the configuration names a profile, which is
 *	   the more explicit wish (the AWS tools decide the same way);
 *	3. the shared credentials file: AWS_SHARED_CREDENTIALS_FILE, else
 *	   ~/.aws/credentials, in the section of the profile.
 * Web identity belongs between 2 and 3 and the instance metadata after 3, in
 * credentials_find(); neither is built.
 *
 * No failure and no log line ever holds a secret or a token.
 */
#ifndef ORIGIN_CREDENTIALS_H
#define ORIGIN_CREDENTIALS_H

#include "base/failure.h"
#include "base/text.h"

#include <stdbool.h>

enum {
	CREDENTIALS_KEY_MAX = 128,
	CREDENTIALS_TOKEN_MAX = 4096,	/* AWS gives no limit; theirs have 350 to 2000 bytes */
	CREDENTIALS_FILE_MAX = 64 * 1024
};

struct credentials {
	char access_key_id[CREDENTIALS_KEY_MAX + 1];
	char secret_access_key[CREDENTIALS_KEY_MAX + 1];
	char session_token[CREDENTIALS_TOKEN_MAX + 1];	/* may be "" */
};

/* What the configuration says; each may be "" or NULL. */
struct credentials_config {
	const char *access_key_id, *secret_access_key, *session_token, *profile;
};

/* FAIL_INTERNAL: nothing anywhere, half of a pair, an unreadable file, a value
 * that cannot stand in a header. */
bool credentials_find(const struct credentials_config *config, struct credentials *found,
    struct failure *why) __attribute__((warn_unused_result));

/* The text of a shared credentials file: "[profile]" lines, "name = value"
 * lines, comments after # and ; at the start of a line.  Names do not mind
 * case, the last value of a name counts, indented lines (nested settings) are
 * skipped.  False when the section has no complete pair. */
bool credentials_parse(struct span text, const char *profile, struct credentials *found)
    __attribute__((warn_unused_result));

#endif
