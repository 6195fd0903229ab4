/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of uml_xstate.c on a fake host, which is this file: its ptrace system call and its CPUID describe a
 * CPU whose extended state has the size and components that a test sets. The test kernel/amx shows that a
 * guest starts.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <cpuid.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <unistd.h>

long xstate_ptrace(enum __ptrace_request request, ...);
static long fake_syscall(long number, long request, long pid, void *addr, void *data);
static void fake_cpuid(unsigned int component, unsigned int *size, unsigned int *offset);

#undef __cpuid_count
#define __cpuid_count(leaf, component, a, b, c, d) (fake_cpuid(component, &(a), &(b)), (void)((c) = (d) = 0))
#define syscall                                    fake_syscall
#define ptrace                                     xstate_ptrace
#include "uml_xstate.c" /* NOLINT(bugprone-suspicious-include): the macros above stand for the host */
#undef ptrace
#undef syscall

#define GUEST_SIZE 2696
#define AMX_SIZE   11008
#define TRACED     1234

/* Components of the extended state: the protection keys are the last one that the guest kernel knows. */
#define AVX             2
#define PROTECTION_KEYS 9
#define TILE_CONFIG     17
#define TILE_DATA       18
/* APX reuses the offset of MPX, so that it lies in the guest kernel's part in spite of its number. */
#define APX            19
#define BIT(component) (UINT64_C(1) << (component))

static struct {
	size_t size;
	unsigned char state[AMX_SIZE];
	/* The last write of the extended state, and how many there were. */
	unsigned char written[AMX_SIZE];
	size_t written_size;
	int writes;
	/* If not 0, every request fails with this errno. */
	int error;
	/* The last request of any other kind. */
	long request;
	void *addr, *data;
} host;

static unsigned char guest[GUEST_SIZE];

static void fake_cpuid(unsigned int component, unsigned int *size, unsigned int *offset)
{
	static const struct {
		unsigned int size, offset;
	} components[] = {
	    [AVX] = {256, 576},
	    [5] = {64, 1088},
	    [6] = {512, 1152},
	    [7] = {1024, 1664},
	    [PROTECTION_KEYS] = {8, 2688},
	    [TILE_CONFIG] = {64, 2752},
	    [TILE_DATA] = {8192, 2816},
	    [APX] = {128, 960},
	};

	*size = *offset = 0;
	if (component < sizeof(components) / sizeof(components[0])) {
		*size = components[component].size;
		*offset = components[component].offset;
	}
}

/* Behaves like the host: reads as much as fits, and refuses to write less than the whole block. */
static long fake_regset(long request, struct iovec *block_of_caller)
{
	/* The compiler does not know that the tests set no larger size, and warns. */
	const size_t size = host.size < AMX_SIZE ? host.size : AMX_SIZE;

	if (block_of_caller->iov_len > size)
		block_of_caller->iov_len = size;
	if (request == PTRACE_GETREGSET) {
		memcpy(block_of_caller->iov_base, host.state, block_of_caller->iov_len);
		return 0;
	}
	if (block_of_caller->iov_len < size) {
		errno = EFAULT;
		return -1;
	}
	memcpy(host.written, block_of_caller->iov_base, size);
	host.written_size = block_of_caller->iov_len;
	host.writes++;
	return 0;
}

static long fake_syscall(long number, long request, long pid, void *addr, void *data)
{
	assert_int_equal(number, SYS_ptrace);
	assert_int_equal(pid, TRACED);
	if (host.error) {
		errno = host.error;
		return -1;
	}
	if (addr == (void *)NT_X86_XSTATE && (request == PTRACE_GETREGSET || request == PTRACE_SETREGSET))
		return fake_regset(request, data);
	host.request = request;
	host.addr = addr;
	host.data = data;
	if (request == PTRACE_PEEKUSER)
		*(long *)data = -1;
	return 0;
}

static void set_xstate_bv(unsigned char *state, uint64_t components)
{
	memcpy(state + XSTATE_BV_OFFSET, &components, sizeof(components));
}

static uint64_t xstate_bv(const unsigned char *state)
{
	uint64_t components;

	memcpy(&components, state + XSTATE_BV_OFFSET, sizeof(components));
	return components;
}

/* Begins a test with a host whose block has SIZE bytes, all of them different from 0. */
static void start_host(size_t size)
{
	memset(&host, 0, sizeof(host));
	host.size = size;
	memset(host.state, 0x5a, size);
	memset(guest, 0xc3, sizeof(guest));
	host_size = 0;
}

static long guest_request(enum __ptrace_request request, struct iovec *part)
{
	return xstate_ptrace(request, TRACED, (void *)NT_X86_XSTATE, part);
}

static void read_gives_the_part_that_fits(void **state)
{
	struct iovec part = {guest, sizeof(guest)};

	(void)state;
	start_host(AMX_SIZE);
	assert_int_equal(guest_request(PTRACE_GETREGSET, &part), 0);
	assert_int_equal(part.iov_len, GUEST_SIZE);
	assert_memory_equal(guest, host.state, GUEST_SIZE);
}

static void write_gives_the_host_its_whole_block(void **state)
{
	struct iovec part = {guest, sizeof(guest)};

	(void)state;
	start_host(AMX_SIZE);
	set_xstate_bv(guest, BIT(0) | BIT(1) | BIT(AVX) | BIT(PROTECTION_KEYS));
	assert_int_equal(guest_request(PTRACE_SETREGSET, &part), 0);
	assert_int_equal(host.written_size, AMX_SIZE);
	assert_memory_equal(host.written, guest, GUEST_SIZE);
	for (size_t i = GUEST_SIZE; i < AMX_SIZE; i++)
		assert_int_equal(host.written[i], 0);
}

static void write_marks_unknown_components_as_initial(void **state)
{
	struct iovec part = {guest, sizeof(guest)};
	uint64_t known = BIT(0) | BIT(1) | BIT(AVX) | BIT(PROTECTION_KEYS) | BIT(APX);

	(void)state;
	start_host(AMX_SIZE);
	set_xstate_bv(guest, known | BIT(TILE_CONFIG) | BIT(TILE_DATA));
	assert_int_equal(guest_request(PTRACE_SETREGSET, &part), 0);
	assert_int_equal(xstate_bv(host.written), known);
	assert_int_equal(xstate_bv(guest),
			 known | BIT(TILE_CONFIG) | BIT(TILE_DATA)); /* the guest's copy is unchanged */
}

static void no_bytes_of_an_earlier_read_are_written(void **state)
{
	struct iovec part = {guest, sizeof(guest)};

	(void)state;
	start_host(AMX_SIZE);
	assert_int_equal(guest_request(PTRACE_GETREGSET, &part), 0);
	assert_int_equal(guest_request(PTRACE_SETREGSET, &part), 0);
	assert_int_equal(host.writes, 1);
	for (size_t i = GUEST_SIZE; i < AMX_SIZE; i++)
		assert_int_equal(host.written[i], 0);
}

static void nothing_changes_where_the_block_fits(void **state)
{
	static const size_t sizes[] = {GUEST_SIZE, 2440, 832};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct iovec part = {guest, sizeof(guest)};

		start_host(sizes[i]);
		assert_int_equal(guest_request(PTRACE_GETREGSET, &part), 0);
		assert_int_equal(part.iov_len, sizes[i]);
		assert_memory_equal(guest, host.state, sizes[i]);
		part.iov_len = sizeof(guest);
		assert_int_equal(guest_request(PTRACE_SETREGSET, &part), 0);
		assert_int_equal(host.written_size, sizes[i]);
		assert_memory_equal(host.written, guest, sizes[i]); /* this includes XSTATE_BV */
	}
}

static void the_host_judges_a_part_without_header(void **state)
{
	struct iovec part = {guest, XSTATE_BV_OFFSET};

	(void)state;
	start_host(AMX_SIZE);
	assert_int_equal(guest_request(PTRACE_SETREGSET, &part), -1);
	assert_int_equal(errno, EFAULT);
}

static void errors_of_the_host_reach_the_guest_kernel(void **state)
{
	struct iovec part = {guest, sizeof(guest)};

	(void)state;
	start_host(AMX_SIZE);
	host.error = ESRCH;
	errno = 0;
	assert_int_equal(guest_request(PTRACE_GETREGSET, &part), -1);
	assert_int_equal(errno, ESRCH);
	errno = 0;
	assert_int_equal(guest_request(PTRACE_SETREGSET, &part), -1);
	assert_int_equal(errno, ESRCH);
	errno = 0;
	assert_int_equal(xstate_ptrace(PTRACE_PEEKUSER, TRACED, (void *)8, NULL), -1);
	assert_int_equal(errno, ESRCH);
	host.error = 0; /* a failure must not be remembered */
	assert_int_equal(guest_request(PTRACE_SETREGSET, &part), 0);
}

static void a_peeked_word_is_the_result(void **state)
{
	(void)state;
	start_host(AMX_SIZE);
	errno = EIO;
	assert_int_equal(xstate_ptrace(PTRACE_PEEKUSER, TRACED, (void *)8, NULL),
			 -1); /* the word that was read */
	assert_int_equal(errno, 0);
	assert_int_equal(host.request, PTRACE_PEEKUSER);
	assert_ptr_equal(host.addr, (void *)8);
}

static void other_requests_pass_unchanged(void **state)
{
	struct iovec part = {guest, sizeof(guest)};

	(void)state;
	start_host(AMX_SIZE);
	assert_int_equal(xstate_ptrace(PTRACE_GETREGSET, TRACED, (void *)NT_PRSTATUS, &part), 0);
	assert_int_equal(host.request, PTRACE_GETREGSET);
	assert_ptr_equal(host.addr, (void *)NT_PRSTATUS);
	assert_ptr_equal(host.data, &part);
	assert_int_equal(xstate_ptrace(PTRACE_CONT, TRACED, NULL, (void *)SIGKILL), 0);
	assert_int_equal(host.request, PTRACE_CONT);
	assert_ptr_equal(host.data, (void *)SIGKILL);
	assert_int_equal(host.writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(read_gives_the_part_that_fits),
	    cmocka_unit_test(write_gives_the_host_its_whole_block),
	    cmocka_unit_test(write_marks_unknown_components_as_initial),
	    cmocka_unit_test(no_bytes_of_an_earlier_read_are_written),
	    cmocka_unit_test(nothing_changes_where_the_block_fits),
	    cmocka_unit_test(the_host_judges_a_part_without_header),
	    cmocka_unit_test(errors_of_the_host_reach_the_guest_kernel),
	    cmocka_unit_test(a_peeked_word_is_the_result),
	    cmocka_unit_test(other_requests_pass_unchanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
