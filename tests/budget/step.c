/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one thread of another process instruction by instruction. It reports which system calls the thread has
 * made and which atomic read-modify-write instructions it has executed, in the program and in its libraries.
 *   step TID        counts from now on
 *   SIGUSR1         counts again from zero
 *   SIGTERM         releases the thread, prints "steps N", "syscall NUMBER COUNT" and "rmw ADDRESS COUNT",
 *                   and ends
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* The number of different instructions that can be counted. It must be a power of two. */
#define SITES    65536
#define SYSCALLS 1024
#define INSN_MAX 15

enum insn { UNKNOWN, PLAIN, SYSCALL, RMW };

struct site {
	uint64_t rip;
	uint64_t count;
	enum insn insn;
};

static struct site sites[SITES];
static uint64_t syscalls[SYSCALLS];
static uint64_t steps;
static volatile sig_atomic_t zero, stop;

static void on_signal(int number)
{
	if (number == SIGUSR1)
		zero = 1;
	else
		stop = 1;
}

static void fail(const char *what)
{
	fprintf(stderr, "step: %s: %s\n", what, strerror(errno));
	exit(1);
}

/*
 * Intel's manual, volume 2, chapter 2.1: an instruction consists of up to four legacy prefixes, REX, and the
 * opcode. LOCK (F0) makes the instruction that follows atomic. XCHG with memory (86 and 87 with mod other
 * than 3) is always atomic.
 */
static enum insn decode(const uint8_t *p, const uint8_t *end)
{
	static const uint8_t prefixes[] = {0x66, 0x67, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65};

	while (p < end && (*p == 0xf0 || memchr(prefixes, *p, sizeof(prefixes)))) {
		if (*p++ == 0xf0)
			return RMW;
	}
	if (p < end && (*p & 0xf0) == 0x40)
		p++;
	if (p + 1 >= end)
		return PLAIN;
	if (p[0] == 0x0f && p[1] == 0x05)
		return SYSCALL;
	return (p[0] == 0x86 || p[0] == 0x87) && p[1] >> 6 != 3 ? RMW : PLAIN;
}

static enum insn fetch(pid_t tid, uint64_t rip)
{
	uint8_t bytes[INSN_MAX];
	struct iovec local = {bytes, sizeof(bytes)}, remote = {(void *)(uintptr_t)rip, sizeof(bytes)};
	ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);

	return n > 0 ? decode(bytes, bytes + n) : PLAIN;
}

static struct site *find(uint64_t rip)
{
	uint64_t at = (rip * 0x9e3779b97f4a7c15u) >> 48;

	for (unsigned tries = 0; tries < SITES; tries++, at++) {
		struct site *site = &sites[at % SITES];

		if (site->rip == rip || !site->rip) {
			site->rip = rip;
			return site;
		}
	}
	fail("more code than expected");
	return NULL;
}

static void count(pid_t tid)
{
	struct user_regs_struct regs;
	struct site *site;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &regs) < 0)
		fail("PTRACE_GETREGS");
	site = find(regs.rip);
	if (site->insn == UNKNOWN)
		site->insn = fetch(tid, regs.rip);
	steps++;
	site->count += site->insn == RMW;
	if (site->insn == SYSCALL && regs.rax < SYSCALLS)
		syscalls[regs.rax]++;
}

static void reset(void)
{
	zero = 0;
	steps = 0;
	memset(syscalls, 0, sizeof(syscalls));
	for (unsigned i = 0; i < SITES; i++)
		sites[i].count = 0;
}

/* Waits until the thread stops. Returns false if the thread has ended. */
static bool wait_stop(pid_t tid, int *status)
{
	bool interrupted = false;

	while (waitpid(tid, status, __WALL) < 0) {
		if (errno != EINTR)
			return false;
		if (zero) /* the thread sleeps in a system call */
			reset();
		if (stop && !interrupted) {
			ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
			interrupted = true;
		}
	}
	return WIFSTOPPED(*status);
}

static void run(pid_t tid)
{
	int status;

	while (wait_stop(tid, &status)) {
		int number = status >> 16 ? 0 : WSTOPSIG(status); /* otherwise it is PTRACE_EVENT_STOP */

		/*
		 * The thread is released only at a stop that follows a step. At other stops, the SIGTRAP of
		 * the step may still come, and would end the process when nobody traces it any more.
		 */
		if (stop && number == SIGTRAP) {
			ptrace(PTRACE_DETACH, tid, NULL, NULL);
			return;
		}
		if (zero)
			reset();
		if (number == SIGTRAP)
			number = 0;
		count(tid);
		if (ptrace(PTRACE_SINGLESTEP, tid, NULL, (void *)(intptr_t)number) < 0)
			return;
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	pid_t tid = argc == 2 ? atoi(argv[1]) : 0;

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0)
		return errno == EPERM ? 77 : (perror("step: PTRACE_SEIZE"), 1);
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0)
		fail("PTRACE_INTERRUPT");
	run(tid);
	printf("steps %" PRIu64 "\n", steps);
	for (unsigned i = 0; i < SYSCALLS; i++)
		if (syscalls[i])
			printf("syscall %u %" PRIu64 "\n", i, syscalls[i]);
	for (unsigned i = 0; i < SITES; i++)
		if (sites[i].count)
			printf("rmw %#" PRIx64 " %" PRIu64 "\n", sites[i].rip, sites[i].count);
	return 0;
}
