/*
 * watchdog - ends this process when its work takes far longer than it may.
 *
 * It is an alarm, and SIGALRM's default action: no handler, so nothing is ever interrupted, and no
 * cooperation of what hangs is needed.  To set and stop it for each request would take two system
 * calls; so it is set a little late, and one alarm serves the requests of WATCHDOG_LATE_S.
 */
#ifndef FCGI_APP_WATCHDOG_H
#define FCGI_APP_WATCHDOG_H

enum { WATCHDOG_LATE_S = 2 };

/* From now on, instead of what was set before: the process ends after so many seconds, at most
 * WATCHDOG_LATE_S later, unless this or watchdog_rest() is called before. */
void watchdog_set(unsigned seconds);

/* Before waiting for work, which may take for ever. */
void watchdog_rest(void);

#endif
