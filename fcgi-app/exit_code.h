/*
 * exit_code - why a program of ours ended, as sysexits.h numbers it, so that
 * a service manager can tell a bad configuration (do not restart) from bad
 * luck (do).  Documented in docs/operations.md.
 */
#ifndef FCGI_APP_EXIT_CODE_H
#define FCGI_APP_EXIT_CODE_H

enum {
	EXIT_USAGE = 64,	/* unknown option */
	EXIT_ENVIRONMENT = 71,	/* socket in use, store not writable, no renderer program */
	EXIT_CONFIGURATION = 78	/* the configuration is not valid */
};

#endif
