/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into User-Mode Linux after uml_xstate.so, this library makes any x86 machine look like one with
 * AMX: a block of extended state has 11,008 bytes and must be written as a whole, in XSAVE's standard format.
 * Components that the real CPU does not have must be in their initial state. Without uml_xstate.so the guest
 * kernel therefore panics in the same way as on a CPU with AMX. amx.sh uses this library.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define AMX_SIZE         11008
#define XSTATE_BV_OFFSET 512
#define TILE_COMPONENTS  (UINT64_C(3) << 17)

static unsigned char block[AMX_SIZE] __attribute__((aligned(64)));
static size_t real_size;

static long real_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	static long (*next)(long number, ...);

	if (!next)
		*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	return next(number, a, b, c, d, e, f);
}

static long xstate_read(long pid, struct iovec *part)
{
	struct iovec real = {.iov_base = block, .iov_len = sizeof(block)};

	memset(block, 0, sizeof(block));
	if (real_syscall(SYS_ptrace, PTRACE_GETREGSET, pid, NT_X86_XSTATE, (long)&real, 0, 0) < 0)
		return -1;
	real_size = real.iov_len;
	if (part->iov_len > AMX_SIZE)
		part->iov_len = AMX_SIZE;
	memcpy(part->iov_base, block, part->iov_len);
	return 0;
}

static int is_initial_beyond_real_size(const unsigned char *state)
{
	uint64_t present;

	memcpy(&present, state + XSTATE_BV_OFFSET, sizeof(present));
	for (size_t i = real_size; i < AMX_SIZE; i++)
		if (state[i])
			return 0;
	return !(present & TILE_COMPONENTS);
}

static long xstate_write(long pid, struct iovec *whole)
{
	struct iovec real = {.iov_base = whole->iov_base};
	struct iovec current = {.iov_base = block, .iov_len = 0};

	if (!real_size && xstate_read(pid, &current) < 0)
		return -1;
	if (whole->iov_len < AMX_SIZE || !is_initial_beyond_real_size(whole->iov_base)) {
		errno = EFAULT;
		return -1;
	}
	real.iov_len = real_size;
	return real_syscall(SYS_ptrace, PTRACE_SETREGSET, pid, NT_X86_XSTATE, (long)&real, 0, 0);
}

long syscall(long number, ...)
{
	long a[6];
	va_list arguments;

	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(arguments, long);
	va_end(arguments);
	if (number == SYS_ptrace && a[0] == PTRACE_GETREGSET && a[2] == NT_X86_XSTATE)
		return xstate_read(a[1], (struct iovec *)a[3]);
	if (number == SYS_ptrace && a[0] == PTRACE_SETREGSET && a[2] == NT_X86_XSTATE)
		return xstate_write(a[1], (struct iovec *)a[3]);
	return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* This is used if uml_xstate.so is not loaded. It does what glibc does, with the system call above. */
long ptrace(enum __ptrace_request request, ...)
{
	long word, result, pid, addr, data;
	int peek = request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER;
	va_list arguments;

	va_start(arguments, request);
	pid = va_arg(arguments, pid_t);
	addr = (long)va_arg(arguments, void *);
	data = (long)va_arg(arguments, void *);
	va_end(arguments);
	result = syscall(SYS_ptrace, request, pid, addr, peek ? (long)&word : data);
	return peek && result >= 0 ? word : result;
}
