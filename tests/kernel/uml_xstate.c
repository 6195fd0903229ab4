/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ptrace() for User-Mode Linux, preloaded by uml.sh, so that the guest kernel starts on CPUs with AMX.
 *
 * User-Mode Linux runs each guest program in a traced process of the host and switches programs by reading
 * and writing the registers of such a process. The extended state (NT_X86_XSTATE: x87, SSE, AVX, ...) is one
 * block in the XSAVE standard format (Intel SDM volume 1, section 13.4), in which each component of the state
 * has a fixed offset. The kernel 6.1 has room for 2,696 bytes, which end with the protection keys. On a CPU
 * with AMX the block has 11,008 bytes. The host reads any part of the block, but refuses to write less than
 * all of it, so User-Mode Linux panics when it starts its first program.
 *
 * This ptrace() gives the guest kernel the part that fits. When the guest kernel writes that part, the host
 * gets the whole block, in which the components that the guest kernel does not know are in their initial
 * state. A guest program cannot lose anything by this: it would have to ask for AMX by arch_prctl(), which
 * the guest kernel does not offer. Where the host's block is not larger than the guest kernel's, nothing
 * changes.
 *
 * Only the register sets are treated here. Which CPU needs this, and what happens where it does not help, is
 * decided in uml.sh and guest.sh.
 */
#include <cpuid.h>
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

/* The XSAVE header's first field, XSTATE_BV: which components are not in their initial state. */
#define XSTATE_BV_OFFSET         512
#define FIRST_EXTENDED_COMPONENT 2
#define COMPONENTS               63
#define CPUID_XSTATE             0xd

/*
 * The host's whole block. It is static because the guest kernel's stacks are small; only one thread traces.
 */
static unsigned char block[65536] __attribute__((aligned(64)));
/* The size of that block, which is the same for all processes of a host; 0 if it is not known yet. */
static ssize_t host_size;

static long host_ptrace(long request, pid_t pid, void *addr, void *data)
{
	return syscall(SYS_ptrace, request, (long)pid, addr, data);
}

/* Returns the XSTATE_BV bits of the components that lie in the first SIZE bytes. */
static uint64_t components_within(size_t size)
{
	uint64_t components = (1 << FIRST_EXTENDED_COMPONENT) - 1; /* x87 and SSE, in the legacy region */

	for (unsigned int i = FIRST_EXTENDED_COMPONENT; i < COMPONENTS; i++) {
		unsigned int length, offset, flags, reserved;

		__cpuid_count(CPUID_XSTATE, i, length, offset, flags, reserved);
		(void)flags, (void)reserved;
		if (length && (size_t)offset + length <= size)
			components |= UINT64_C(1) << i;
	}
	return components;
}

/* Reads the host's whole block and returns its size, or -1 with errno set. */
static ssize_t block_read(pid_t pid)
{
	struct iovec whole = {.iov_base = block, .iov_len = sizeof(block)};

	return host_ptrace(PTRACE_GETREGSET, pid, (void *)NT_X86_XSTATE, &whole) < 0 ? -1
										     : (ssize_t)whole.iov_len;
}

static long xstate_read(pid_t pid, struct iovec *guest)
{
	ssize_t size = block_read(pid);

	if (size < 0)
		return -1;
	if ((size_t)size < guest->iov_len)
		guest->iov_len = size;
	memcpy(guest->iov_base, block, guest->iov_len);
	return 0;
}

static long xstate_write(pid_t pid, struct iovec *guest)
{
	struct iovec whole = {.iov_base = block};
	uint64_t present;

	if (host_size <= 0)
		host_size = block_read(pid);
	if (host_size < 0)
		return -1;
	/*
	 * A block that ends before XSTATE_BV, or that is complete, is passed on unchanged, and the host
	 * checks it.
	 */
	if (guest->iov_len < XSTATE_BV_OFFSET + sizeof(present) || guest->iov_len >= (size_t)host_size)
		return host_ptrace(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE, guest);
	memset(block, 0, host_size);
	memcpy(block, guest->iov_base, guest->iov_len);
	memcpy(&present, block + XSTATE_BV_OFFSET, sizeof(present));
	present &= components_within(guest->iov_len);
	memcpy(block + XSTATE_BV_OFFSET, &present, sizeof(present));
	whole.iov_len = host_size;
	return host_ptrace(PTRACE_SETREGSET, pid, (void *)NT_X86_XSTATE, &whole);
}

/* glibc's ptrace() returns the word that a PEEK request reads; the system call stores it. */
static long word_read(long request, pid_t pid, void *addr)
{
	long word;

	if (host_ptrace(request, pid, addr, &word) < 0)
		return -1;
	errno = 0;
	return word;
}

long ptrace(enum __ptrace_request request, ...)
{
	va_list arguments;
	pid_t pid;
	void *addr, *data;

	va_start(arguments, request);
	pid = va_arg(arguments, pid_t);
	addr = va_arg(arguments, void *);
	data = va_arg(arguments, void *);
	va_end(arguments);

	if (request == PTRACE_PEEKTEXT || request == PTRACE_PEEKDATA || request == PTRACE_PEEKUSER)
		return word_read(request, pid, addr);
	if (request == PTRACE_GETREGSET && addr == (void *)NT_X86_XSTATE)
		return xstate_read(pid, data);
	if (request == PTRACE_SETREGSET && addr == (void *)NT_X86_XSTATE)
		return xstate_write(pid, data);
	return host_ptrace(request, pid, addr, data);
}
