#include "fcgi-app/listener.h"

#include "base/text.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	/* nginx takes a full backlog of a unix socket for a refused connection
	 * and answers 502, so it must hold a burst. */
	BACKLOG = 1024
};

static bool
unix_address(const char *path, struct sockaddr_un *address, struct failure *why)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (path[0] != '/' || strlen(path) >= sizeof(address->sun_path))
		return fail(why, FAIL_INTERNAL, "[server] listen: '%.128s' is no absolute path of at most %zu bytes",
		    path, sizeof(address->sun_path) - 1);
	snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
	return true;
}

/*
 * Whether a supervisor lives behind the socket.  The peer's credentials are
 * those of the process that called listen() (unix(7)): the supervisor, whose id
 * a reload keeps.  After its death a responder may hold the socket for as long
 * as its request takes, but will take no other.
 */
static bool
is_served(int probe, const struct sockaddr_un *address)
{
	struct ucred server;
	socklen_t size = sizeof(server);

	if (connect(probe, (const struct sockaddr *)address, sizeof(*address)) == -1)
		return errno != ECONNREFUSED;
	/* Id 0: it lives in another namespace of processes. */
	return getsockopt(probe, SOL_SOCKET, SO_PEERCRED, &server, &size) == -1 || server.pid == 0 ||
	    kill(server.pid, 0) == 0 || errno != ESRCH;
}

/* A socket file that nobody serves is left from a crash. */
static bool
remove_stale_socket(const struct sockaddr_un *address, struct failure *why)
{
	struct stat status;
	bool is_in_use;
	int probe;

	if (lstat(address->sun_path, &status) == -1)
		return true;
	if (!S_ISSOCK(status.st_mode))
		return fail(why, FAIL_INTERNAL, "%s exists and is no socket", address->sun_path);
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe == -1)
		return fail(why, FAIL_INTERNAL, "cannot make a socket: %s", strerror(errno));
	is_in_use = is_served(probe, address);
	close(probe);
	if (is_in_use)
		return fail(why, FAIL_INTERNAL, "%s is in use by another instance", address->sun_path);
	unlink(address->sun_path);
	return true;
}

static bool
give_to_group(const char *path, const struct server_settings *settings, struct failure *why)
{
	struct group *group;

	if (settings->socket_group[0] != '\0') {
		group = getgrnam(settings->socket_group);
		if (group == NULL)
			return fail(why, FAIL_INTERNAL, "[server] socket_group: there is no group '%.64s'",
			    settings->socket_group);
		if (chown(path, (uid_t)-1, group->gr_gid) == -1)
			return fail(why, FAIL_INTERNAL, "cannot give %s to the group %.64s: %s", path,
			    settings->socket_group, strerror(errno));
	}
	if (chmod(path, settings->socket_mode) == -1)
		return fail(why, FAIL_INTERNAL, "cannot set the mode of %s: %s", path, strerror(errno));
	return true;
}

static int
open_unix(const struct server_settings *settings, const char *path, struct failure *why)
{
	struct sockaddr_un address;
	mode_t old_mask;
	int fd, bound;

	if (!unix_address(path, &address, why) || !remove_stale_socket(&address, why))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1) {
		fail(why, FAIL_INTERNAL, "cannot make a socket: %s", strerror(errno));
		return -1;
	}
	old_mask = umask(0777);		/* nobody connects before owner and mode are right */
	bound = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(old_mask);
	if (bound == -1) {
		fail(why, FAIL_INTERNAL, "cannot bind %s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	if (!give_to_group(path, settings, why) || listen(fd, BACKLOG) == -1) {
		if (why->kind == FAIL_NONE)
			fail(why, FAIL_INTERNAL, "cannot listen on %s: %s", path, strerror(errno));
		close(fd);
		unlink(path);
		return -1;
	}
	return fd;
}

static int
open_tcp(const char *listen_text, struct failure *why)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *address;
	char host[64];
	const char *colon = strrchr(listen_text, ':');
	size_t length = colon != NULL ? (size_t)(colon - listen_text) : 0;
	int fd, on = 1;

	if (length == 0 || length >= sizeof(host)) {
		fail(why, FAIL_INTERNAL, "[server] listen: '%.128s' is neither unix:/path nor address:port",
		    listen_text);
		return -1;
	}
	if (listen_text[0] == '[' && listen_text[length - 1] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)length - 2, listen_text + 1);
	else
		snprintf(host, sizeof(host), "%.*s", (int)length, listen_text);
	if (getaddrinfo(host, colon + 1, &hints, &address) != 0) {
		fail(why, FAIL_INTERNAL, "[server] listen: '%.128s' is no address:port", listen_text);
		return -1;
	}
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
	    bind(fd, address->ai_addr, address->ai_addrlen) == -1 || listen(fd, BACKLOG) == -1) {
		fail(why, FAIL_INTERNAL, "cannot listen on %.128s: %s", listen_text, strerror(errno));
		if (fd != -1)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(address);
	return fd;
}

int
listener_open(const struct server_settings *settings, struct failure *why)
{
	if (strncmp(settings->listen, "unix:", 5) == 0)
		return open_unix(settings, settings->listen + 5, why);
	return open_tcp(settings->listen, why);
}

void
listener_unlink(const char *listen)
{
	if (strncmp(listen, "unix:", 5) == 0)
		unlink(listen + 5);
}

bool
descriptor_is_listener(int fd)
{
	int accepts = 0;
	socklen_t size = sizeof(accepts);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) == 0 && accepts != 0;
}
