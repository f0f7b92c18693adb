/*
 * intruder - a renderer that was taken over.
 *
 * The shipped renderer, linked with one operation more: describing a file that
 * begins with "attempt NAME ARGUMENT" tries that on the kernel and fails with
 * "allowed", or with "refused: " and the reason.  Nothing here does harm: a call
 * that would is made with arguments that the kernel finds wrong only after it
 * has decided whether we may.  Some calls end the process instead.
 */
#include "image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <unistd.h>

bool __wrap_image_describe(int input, const struct image_limits *limits, struct image_description *description,
    struct image_portrait *portrait, struct failure *why);
bool __real_image_describe(int input, const struct image_limits *limits, struct image_description *description,
    struct image_portrait *portrait, struct failure *why);

/* Each returns -1 with errno when it was refused. */

/* The kernel came as far as looking at what we gave it. */
static int
unless(long result, int got_through)
{
	return result == -1 && errno != got_through ? -1 : 0;
}

static int
number(const char *argument)
{
	return (int)strtol(argument, NULL, 10);
}

/* ---- files ------------------------------------------------------------------------------ */

static int
open_and_read(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY);

	return fd == -1 || read(fd, &byte, 1) == -1 ? -1 : 0;
}

static int
open_to_write(const char *path)
{
	return open(path, O_WRONLY);
}

static int
create(const char *path)
{
	return open(path, O_RDONLY | O_CREAT | O_EXCL, 0600);
}

static int
open_path_only(const char *path)
{
	return open(path, O_PATH);
}

static int
list(const char *path)
{
	char entries[4096];
	int fd = open(path, O_RDONLY | O_DIRECTORY);

	return fd == -1 || syscall(SYS_getdents64, fd, entries, sizeof(entries)) == -1 ? -1 : 0;
}

static int
cut(const char *path)
{
	return truncate(path, 0);
}

static int
make_folder(const char *path)
{
	return mkdir(path, 0700);
}

static int
remove_file(const char *path)
{
	return unlink(path);
}

/* A file outside, under a name where files can be read. */
static int
link_among_fonts(const char *path)
{
	int result = link(path, "/usr/share/fonts/vitrine-intruder");

	if (result == 0)
		unlink("/usr/share/fonts/vitrine-intruder");
	return unless(result, EXDEV);
}

static int
rename_among_fonts(const char *path)
{
	return unless(renameat2(AT_FDCWD, path, AT_FDCWD, "/usr/share/fonts", RENAME_NOREPLACE), EEXIST);
}

static int
open_by_handle(const char *path)
{
	struct {
		struct file_handle handle;
		unsigned char room[MAX_HANDLE_SZ];
	} file = { .handle = { .handle_bytes = MAX_HANDLE_SZ } };
	int mount;

	return unless(name_to_handle_at(AT_FDCWD, path, &file.handle, &mount, 0), EOPNOTSUPP);
}

static int
change_mode(const char *path)
{
	return chmod(path, 0777);
}

/* ---- other processes ---------------------------------------------------------------------- */

static int
run_program(const char *path)
{
	char *nothing[] = { NULL };

	return unless(execve(path, nothing, nothing), ENOENT);
}

static int
run_from_memory(const char *argument)
{
	char *nothing[] = { NULL };
	int memory = memfd_create("intruder", 0);

	(void)argument;
	if (memory == -1)
		return -1;
	return unless(syscall(SYS_execveat, memory, "", nothing, nothing, AT_EMPTY_PATH), ENOEXEC);
}

static int
execute_descriptor(const char *argument)
{
	char *nothing[] = { NULL };

	(void)argument;
	return unless(syscall(SYS_execveat, -1, "", nothing, nothing, AT_EMPTY_PATH), EBADF);
}

/* Waiting for it may be refused where making it was not. */
static int
leave_child(pid_t pid)
{
	if (pid == 0)
		_exit(0);
	if (pid == -1)
		return -1;
	waitpid(pid, NULL, 0);
	return 0;
}

static int
make_process(const char *argument)
{
	(void)argument;
	return leave_child(fork());
}

static int
make_user_namespace(const char *argument)
{
	(void)argument;
	return leave_child((pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
}

static int
trace(const char *argument)
{
	int pid = number(argument);

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == -1)
		return -1;
	/* It can be let go only when it stands still. */
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	waitpid(pid, NULL, __WALL);
	return (int)ptrace(PTRACE_DETACH, pid, NULL, NULL);
}

static int
read_memory(const char *argument)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { NULL, 1 };

	return unless(process_vm_readv(number(argument), &here, 1, &there, 1, 0), EFAULT);
}

static int
signal_process(const char *argument)
{
	return kill(number(argument), 0);
}

static int
signal_thread(const char *argument)
{
	return (int)syscall(SYS_tgkill, number(argument), number(argument), 0);
}

static int
have_signals_sent(const char *argument)
{
	return fcntl(STDIN_FILENO, F_SETOWN, number(argument));
}

static int
open_process(const char *argument)
{
	return (int)syscall(SYS_pidfd_open, number(argument), 0);
}

static int
change_limit(const char *argument)
{
	struct rlimit limit = { 64, 64 };

	return prlimit(number(argument), RLIMIT_NOFILE, &limit, NULL);
}

/* ---- the network ---------------------------------------------------------------------------- */

static int
connect_tcp(const char *argument)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)number(argument)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return fd == -1 ? -1 : connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static int
connect_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return fd == -1 ? -1 : connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static int
make_socket(const char *argument)
{
	return socket(number(argument), SOCK_DGRAM, 0);
}

static int
make_socket_pair(const char *argument)
{
	int pair[2];

	(void)argument;
	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

/* ---- memory ------------------------------------------------------------------------------------ */

static int
map_code(const char *argument)
{
	(void)argument;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
	    ? -1 : 0;
}

static int
turn_into_code(const char *argument)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)argument;
	return page == MAP_FAILED ? -1 : mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int
make_memory_file(const char *argument)
{
	(void)argument;
	return memfd_create("intruder", 0);
}

/* ---- the kernel ---------------------------------------------------------------------------------- */

static int
ring(const char *argument)
{
	struct io_uring_params parameters = { 0 };

	(void)argument;
	return (int)syscall(SYS_io_uring_setup, 1, &parameters);
}

static int
load_bpf(const char *argument)
{
	union bpf_attr map = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };

	(void)argument;
	return (int)syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map));
}

static int
measure(const char *argument)
{
	struct perf_event_attr clock = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(clock), .config = PERF_COUNT_SW_CPU_CLOCK
	};

	(void)argument;
	return (int)syscall(SYS_perf_event_open, &clock, 0, -1, -1, 0);
}

static int
handle_faults(const char *argument)
{
	(void)argument;
	return (int)syscall(SYS_userfaultfd, 0);
}

static int
look_at_keys(const char *argument)
{
	(void)argument;
	return (int)syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -3, 1);
}

static int
leave_network(const char *argument)
{
	(void)argument;
	return unshare(CLONE_NEWNET);
}

static int
enter_namespace(const char *argument)
{
	(void)argument;
	return unless(setns(-1, 0), EBADF);
}

static int
mount_something(const char *argument)
{
	(void)argument;
	return unless(mount("none", "/nonexistent", "tmpfs", 0, NULL), ENOENT);
}

static int
change_root(const char *argument)
{
	(void)argument;
	return unless(chroot("/nonexistent"), ENOENT);
}

static int
become_root(const char *argument)
{
	(void)argument;
	return setuid(0);
}

static int
become_dumpable(const char *argument)
{
	(void)argument;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int
rename_host(const char *argument)
{
	(void)argument;
	return unless(syscall(SYS_sethostname, NULL, 1), EFAULT);
}

static int
control_terminal(const char *argument)
{
	int count;

	(void)argument;
	return unless(syscall(SYS_ioctl, STDIN_FILENO, 0x541b /* FIONREAD */, &count), ENOTTY);
}

static const struct attempt {
	const char *name;
	int (*make)(const char *argument);
} attempts[] = {
	{ "read", open_and_read },
	{ "write", open_to_write },
	{ "create", create },
	{ "open-path", open_path_only },
	{ "list", list },
	{ "truncate", cut },
	{ "mkdir", make_folder },
	{ "unlink", remove_file },
	{ "link", link_among_fonts },
	{ "rename", rename_among_fonts },
	{ "file-handle", open_by_handle },
	{ "chmod", change_mode },
	{ "exec", run_program },
	{ "exec-memory", run_from_memory },
	{ "exec-descriptor", execute_descriptor },
	{ "fork", make_process },
	{ "user-namespace", make_user_namespace },
	{ "trace", trace },
	{ "read-memory", read_memory },
	{ "kill", signal_process },
	{ "signal-thread", signal_thread },
	{ "signal-owner", have_signals_sent },
	{ "pidfd", open_process },
	{ "limit", change_limit },
	{ "tcp", connect_tcp },
	{ "unix", connect_unix },
	{ "socket", make_socket },
	{ "socketpair", make_socket_pair },
	{ "code", map_code },
	{ "turn-into-code", turn_into_code },
	{ "memfd", make_memory_file },
	{ "io-uring", ring },
	{ "bpf", load_bpf },
	{ "perf", measure },
	{ "userfaultfd", handle_faults },
	{ "keys", look_at_keys },
	{ "unshare", leave_network },
	{ "setns", enter_namespace },
	{ "mount", mount_something },
	{ "chroot", change_root },
	{ "setuid", become_root },
	{ "dumpable", become_dumpable },
	{ "hostname", rename_host },
	{ "ioctl", control_terminal },
};

static bool
attempt(char *words, struct failure *why)
{
	char *name = words + strlen("attempt "), *argument = strchr(name, ' ');

	*strchrnul(name, '\n') = '\0';
	if (argument == NULL)
		return fail(why, FAIL_UNPROCESSABLE, "no argument");
	*argument++ = '\0';
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		if (strcmp(attempts[i].name, name) == 0) {
			if (attempts[i].make(argument) == -1)
				return fail(why, FAIL_UNPROCESSABLE, "refused: %s", strerror(errno));
			return fail(why, FAIL_UNPROCESSABLE, "allowed");
		}
	return fail(why, FAIL_UNPROCESSABLE, "unknown attempt %.32s", name);
}

bool
__wrap_image_describe(int input, const struct image_limits *limits, struct image_description *description,
    struct image_portrait *portrait, struct failure *why)
{
	char words[512] = "";

	if (pread(input, words, sizeof(words) - 1, 0) > 0 && strncmp(words, "attempt ", strlen("attempt ")) == 0)
		return attempt(words, why);
	return __real_image_describe(input, limits, description, portrait, why);
}
