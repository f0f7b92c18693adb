#include "renderer/system_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

static const int allowed[] = {
	/* the descriptors it has */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(pwritev),
	SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(ftruncate), SCMP_SYS(dup), SCMP_SYS(close),
	SCMP_SYS(poll), SCMP_SYS(ppoll),

	/* jobs */
	SCMP_SYS(accept4), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(getsockopt), SCMP_SYS(setitimer),

	/* fonts: Landlock says which paths, openat() below how */
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(stat), SCMP_SYS(lstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(getdents64), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),

	/* memory and threads; new code and new processes are excluded below */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(membarrier),
	SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler),
	SCMP_SYS(exit), SCMP_SYS(exit_group),

	/* its own signals */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),

	/* time, chance, and who it is */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(getrandom), SCMP_SYS(getrusage),
	SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(getcpu), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
};

/* Allowed where (argument & mask) == value. */
static const struct condition {
	int call;
	unsigned argument;
	uint64_t mask, value;
} conditions[] = {
	{ SCMP_SYS(openat), 2, O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | O_PATH, O_RDONLY },
	/* No new code: what libvips compiles has had its place since image_init(). */
	{ SCMP_SYS(mmap), 2, PROT_EXEC, 0 },
	{ SCMP_SYS(mprotect), 2, PROT_EXEC, 0 },
	/* Threads only, in the namespaces they are in.  clone3() has its flags in
	 * memory, where a filter cannot look; glibc falls back to clone(). */
	{ SCMP_SYS(clone), 0, CLONE_VM | CLONE_THREAD | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
	    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET, CLONE_VM | CLONE_THREAD },
	{ SCMP_SYS(prctl), 0, UINT32_MAX, PR_SET_NAME },
	/* Not F_SETOWN, which makes the kernel send signals. */
	{ SCMP_SYS(fcntl), 1, UINT32_MAX, F_GETFD },
	{ SCMP_SYS(fcntl), 1, UINT32_MAX, F_SETFD },
	{ SCMP_SYS(fcntl), 1, UINT32_MAX, F_GETFL },
	{ SCMP_SYS(fcntl), 1, UINT32_MAX, F_DUPFD_CLOEXEC },
	/* The locks of slots: nobody waits for one. */
	{ SCMP_SYS(fcntl), 1, UINT32_MAX, F_SETLK },
	/* getrlimit(), not setrlimit() */
	{ SCMP_SYS(prlimit64), 2, UINT64_MAX, 0 },
};

/* Whoever makes one of these is no decoder. */
static const int deadly[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat),
	SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(pidfd_getfd),
	SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(fsopen), SCMP_SYS(open_tree),
	SCMP_SYS(move_mount), SCMP_SYS(pivot_root), SCMP_SYS(chroot),
	SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
	SCMP_SYS(setresgid), SCMP_SYS(setgroups), SCMP_SYS(capset),
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register),
	SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
	SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at),
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff),
	SCMP_SYS(modify_ldt), SCMP_SYS(iopl), SCMP_SYS(ioperm),
};

/* Calls that an architecture does not have are passed over. */
static int
add_calls(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++)
		error = seccomp_rule_add(filter, action, calls[i], 0);
	return error;
}

static int
add_conditions(scmp_filter_ctx filter)
{
	int error = 0;

	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]) && error == 0; i++) {
		const struct condition *condition = &conditions[i];
		struct scmp_arg_cmp when =
		    SCMP_CMP(condition->argument, SCMP_CMP_MASKED_EQ, condition->mask, condition->value);

		error = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, condition->call, 1, &when);
	}
	/* abort() signals its own thread. */
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
		    SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint64_t)getpid()));
	return error;
}

/* 0, or a negative errno. */
static int
fill(scmp_filter_ctx filter)
{
	int error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	/* The kernel's own error, not ECANCELED for all. */
	if (error == 0)
		error = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (error == 0)
		error = add_calls(filter, SCMP_ACT_ALLOW, allowed, sizeof(allowed) / sizeof(allowed[0]));
	if (error == 0)
		error = add_conditions(filter);
	if (error == 0)
		error = add_calls(filter, SCMP_ACT_KILL_PROCESS, deadly, sizeof(deadly) / sizeof(deadly[0]));
	return error;
}

bool
system_calls_restrict(bool *is_in_force, struct failure *why)
{
	scmp_filter_ctx filter;
	int error;

	*is_in_force = false;
	/* The kernel is asked before libseccomp, which does not tell this failure from others. */
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == -1 && errno == EINVAL)
		return true;
	filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (filter == NULL)
		return fail(why, FAIL_INTERNAL, "seccomp_init failed");
	error = fill(filter);
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	*is_in_force = error == 0;
	if (error != 0 && error != -ENOSYS && error != -EINVAL)
		return fail(why, FAIL_INTERNAL, "seccomp: %s", strerror(-error));
	return true;
}
