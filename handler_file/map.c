/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mapping of a file in memory. If the file is shortened, a thread that copies from or to a page that no
 * longer exists gets SIGBUS, and the signal handler in this file ends the copy. watch.c and fdio.c decide how
 * the I/O then ends.
 */
#include "map.h"
#include "copy.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

/* --- SIGBUS: a page is gone because the file was shortened ----------------------------------- */

/*
 * The memory that the thread is copying from or to, and the place where the thread continues if a page no
 * longer exists.
 */
static _Thread_local struct {
	uintptr_t begin, end;
	sigjmp_buf back;
} guard;

static struct sigaction previous;

static void on_sigbus(int signal, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr;

	if (at >= guard.begin && at < guard.end) {
		/*
		 * sigsetjmp() did not save the signal mask, because that would be one system call for each
		 * copy.
		 */
		pthread_sigmask(SIG_SETMASK, &((ucontext_t *)context)->uc_sigmask, NULL);
		siglongjmp(guard.back, 1);
	}
	/*
	 * The fault is not in the mapping. It occurs again when this function returns, and the signal handler
	 * that was installed before then handles it.
	 */
	sigaction(signal, &previous, NULL);
}

int map_load(void)
{
	const struct sigaction ours = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO};

	return sigaction(SIGBUS, &ours, &previous) < 0 ? -errno : 0;
}

void map_unload(void)
{
	sigaction(SIGBUS, &previous, NULL);
}

/*
 * Makes on_sigbus() handle faults of this thread in these pages. The fences prevent the compiler from moving
 * the copy out of this section.
 */
static void guard_set(uintptr_t begin, uintptr_t end)
{
	atomic_signal_fence(memory_order_seq_cst);
	/* Some processors report only the page of a fault. */
	guard.begin = begin & ~(uintptr_t)(PAGE_MARKS_PAGE - 1);
	guard.end = end;
	atomic_signal_fence(memory_order_seq_cst);
}

/* --- open and close --------------------------------------------------------------------------- */

static void mark_extents(struct map *map, int fd)
{
	off_t data = 0, hole, end = (off_t)map->len;

	while (data < end && (data = lseek(fd, data, SEEK_DATA)) >= 0 && data < end) {
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0 || hole > end)
			hole = end;
		page_marks_set(&map->data, (uint64_t)data, (uint64_t)(hole - data));
		data = hole;
	}
}

void map_open(struct map *map, int fd, uint64_t len, bool read_only)
{
	void *base = mmap(NULL, len, read_only ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (base == MAP_FAILED)
		return;
	if (page_marks_init(&map->data, len) < 0) {
		munmap(base, len);
		return;
	}
	map->base = base;
	map->len = len;
	mark_extents(map, fd);
}

void map_close(struct map *map)
{
	if (!map->base)
		return;
	munmap(map->base, map->len);
	page_marks_destroy(&map->data);
}

/* --- I/O -------------------------------------------------------------------------------------- */

static bool inside(const struct map *map, const struct tcmur_io *io)
{
	return map->base && io->len && io->offset < map->len && io->len <= map->len - io->offset;
}

static bool holds_data(const struct map *map, const struct tcmur_io *io)
{
	bool marked;

	return inside(map, io) && page_marks_run(&map->data, io->offset, io->len, &marked) == io->len &&
	       marked;
}

typedef void copy_way(void *memory, const struct tcmur_io *io);

/*
 * These functions are not inlined, so that none of their variables is in a register when longjmp() leaves
 * them.
 */
static __attribute__((noinline)) void copy_out(void *memory, const struct tcmur_io *io)
{
	copy_to_iov(io->iov, memory, io->len);
}

static __attribute__((noinline)) void copy_in(void *memory, const struct tcmur_io *io)
{
	copy_from_iov(memory, io->iov, io->len);
}

/* No variable that is used after the jump is changed after sigsetjmp(). */
static bool move(const struct map *map, const struct tcmur_io *io, copy_way *copy)
{
	if (!holds_data(map, io))
		return false;
	char *memory = map->base + io->offset;

	guard_set((uintptr_t)memory, (uintptr_t)memory + io->len);
	bool moved = !sigsetjmp(guard.back, 0);
	if (moved)
		copy(memory, io);
	guard_set(0, 0);
	return moved;
}

bool map_read(const struct map *map, const struct tcmur_io *io)
{
	return move(map, io, copy_out);
}

bool map_write(const struct map *map, const struct tcmur_io *io)
{
	return move(map, io, copy_in);
}

static __attribute__((noinline)) void load_byte(const char *page)
{
	(void)*(const volatile char *)page;
}

bool map_has_page(const char *page)
{
	guard_set((uintptr_t)page, (uintptr_t)page + 1);
	bool is_there = !sigsetjmp(guard.back, 0);
	if (is_there)
		load_byte(page);
	guard_set(0, 0);
	return is_there;
}

void map_filled(struct map *map, const struct tcmur_io *io)
{
	if (inside(map, io))
		page_marks_set(&map->data, io->offset, io->len);
}

void map_emptied(struct map *map, const struct tcmur_io *io)
{
	if (inside(map, io))
		page_marks_clear(&map->data, io->offset, io->len);
}
