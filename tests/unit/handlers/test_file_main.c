/* SPDX-License-Identifier: Apache-2.0 */
/* The handler file, on a file system on disk and on tmpfs, in a fake daemon. */
#include "test_file.h"

#include <errno.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <unistd.h>

char dir[64];
long fs_type = XFS_SUPER_MAGIC;

bool can_lock = true;

int __wrap_fstatfs(int fd, struct statfs *fs);
int __real_mlock(const void *memory, size_t len);
int __wrap_mlock(const void *memory, size_t len);

int __wrap_mlock(const void *memory, size_t len)
{
	if (can_lock)
		return __real_mlock(memory, len);
	errno = ENOMEM;
	return -1;
}

int __wrap_fstatfs(int fd, struct statfs *fs)
{
	(void)fd;
	*fs = (struct statfs){.f_type = fs_type};
	return 0;
}

#if __SIZEOF_POINTER__ == 4
/* With 64-bit offsets, the C library of a 32-bit system calls the function by this name. */
int __wrap_fstatfs64(int fd, struct statfs *fs) __attribute__((alias("__wrap_fstatfs")));
#endif

enum { FAULT_PAGE = 4096 };
static sigjmp_buf after_fault;
static volatile uintptr_t fault;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	fault = (uintptr_t)info->si_addr;
	siglongjmp(after_fault, 1);
}

bool kernel_tells_which_page_is_gone(void)
{
	struct sigaction own = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, previous;
	int fd = memfd_create("cut", MFD_CLOEXEC);
	volatile char *page;

	assert_int_equal(ftruncate(fd, FAULT_PAGE), 0);
	page = mmap(NULL, FAULT_PAGE, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(sigaction(SIGBUS, &own, &previous), 0);
	if (!sigsetjmp(after_fault, 1))
		(void)*page;
	sigaction(SIGBUS, &previous, NULL);
	munmap((void *)page, FAULT_PAGE);
	close(fd);
	return (fault & ~(uintptr_t)(FAULT_PAGE - 1)) == (uintptr_t)page;
}

char *in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

void *open_new(const char *name, const char *const *options, uint32_t block_size)
{
	struct opening opening;
	struct wanted wanted = {
	    .config = name, .size = FILE_SIZE, .block_size = block_size, .options = options};

	if (fake_daemon_open(&opening, dir, wanted) < 0)
		fail_msg("%s", opening.open.error);
	return opening.open.handle;
}

void close_and_remove(void *handle, const char *name)
{
	tcmur_handler_entry()->close(handle);
	assert_int_equal(unlink(in_dir(name)), 0);
}

static int run_in(const char *parent)
{
	int failed;

	snprintf(dir, sizeof(dir), "%s/tcmur-file-XXXXXX", parent);
	if (!mkdtemp(dir)) {
		perror(dir);
		return 1;
	}
	failed = test_file_open(parent) + test_file_io(parent) + test_file_map(parent) +
		 test_file_tail(parent) + test_file_use(parent);
	rmdir(dir);
	return failed;
}

static int run_in_memory(const char *parent)
{
	can_lock = false;
	return run_in(parent);
}

int main(void)
{
	int failed = run_in("/var/tmp");

	if (access("/dev/shm", W_OK) == 0)
		failed += run_in_memory("/dev/shm");
	return failed;
}
