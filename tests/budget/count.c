/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This library is loaded into the daemon before the C library. For each thread, it counts the calls that a
 * command must not make. The counts are in the file that TCMUR_COUNTS names, with one row for each thread, so
 * that a test can read them while the daemon runs, and can identify a thread by its ID. The library uses
 * plain stores, because a lock would change what is measured.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define THREADS 64

enum kind { ALLOCATE, FREE, MAP, LOCK, SIGNAL, KINDS };

struct row {
	uint64_t tid;
	uint64_t counts[KINDS];
};

static struct row spare; /* used before the file is open, and by threads for which there is no row */
static struct row *rows = &spare;
static _Atomic unsigned nrows;
/* initial-exec is needed because the general model may allocate memory at the first use */
static _Thread_local struct row *mine __attribute__((tls_model("initial-exec")));

static void claim(void)
{
	unsigned n;

	mine = &spare;
	if (rows == &spare)
		return;
	n = atomic_fetch_add(&nrows, 1);
	if (n < THREADS)
		mine = &rows[n];
	mine->tid = (uint64_t)syscall(SYS_gettid);
}

static void count(enum kind kind)
{
	if (!mine || mine == &spare)
		claim();
	mine->counts[kind]++;
}

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("TCMUR_COUNTS");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0 || ftruncate(fd, THREADS * sizeof(struct row)) < 0)
		abort();
	map = mmap(NULL, THREADS * sizeof(struct row), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		abort();
	close(fd);
	rows = map;
}

/* --- memory: these functions call glibc's own names, since dlsym() allocates --- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

void *malloc(size_t size)
{
	count(ALLOCATE);
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	count(ALLOCATE);
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	count(ALLOCATE);
	return __libc_realloc(p, size);
}

void *memalign(size_t alignment, size_t size)
{
	count(ALLOCATE);
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	count(ALLOCATE);
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
	count(ALLOCATE);
	*p = __libc_memalign(alignment, size);
	return *p ? 0 : ENOMEM;
}

void free(void *p)
{
	if (p)
		count(FREE);
	__libc_free(p);
}

/* --- all other functions count the call and pass it on --- */

/* POSIX guarantees, and ISO C does not, that the pointer from dlsym() can be used as a function pointer. */
#define PASS(kind, type, name, params, ...)                        \
	type name params;                                          \
	type name params                                           \
	{                                                          \
		static type(*next) params;                         \
                                                                   \
		count(kind);                                       \
		if (!next)                                         \
			*(void **)&next = dlsym(RTLD_NEXT, #name); \
		return next(__VA_ARGS__);                          \
	}

PASS(MAP, void *, mmap, (void *p, size_t len, int prot, int flags, int fd, off_t offset), p, len, prot, flags,
     fd, offset)
PASS(MAP, int, munmap, (void *p, size_t len), p, len)
PASS(MAP, int, madvise, (void *p, size_t len, int advice), p, len, advice)

PASS(LOCK, int, pthread_mutex_lock, (pthread_mutex_t * m), m)
PASS(LOCK, int, pthread_mutex_trylock, (pthread_mutex_t * m), m)
PASS(LOCK, int, pthread_mutex_timedlock, (pthread_mutex_t * m, const struct timespec *t), m, t)
PASS(LOCK, int, pthread_rwlock_rdlock, (pthread_rwlock_t * l), l)
PASS(LOCK, int, pthread_rwlock_tryrdlock, (pthread_rwlock_t * l), l)
PASS(LOCK, int, pthread_rwlock_wrlock, (pthread_rwlock_t * l), l)
PASS(LOCK, int, pthread_rwlock_trywrlock, (pthread_rwlock_t * l), l)
PASS(LOCK, int, pthread_spin_lock, (pthread_spinlock_t * l), l)
PASS(LOCK, int, pthread_spin_trylock, (pthread_spinlock_t * l), l)
PASS(LOCK, int, sem_wait, (sem_t * s), s)
PASS(LOCK, int, sem_trywait, (sem_t * s), s)

/* Signalling a condition gives work to another thread. */
PASS(SIGNAL, int, pthread_cond_signal, (pthread_cond_t * c), c)
PASS(SIGNAL, int, pthread_cond_broadcast, (pthread_cond_t * c), c)
PASS(SIGNAL, int, sem_post, (sem_t * s), s)
PASS(SIGNAL, int, eventfd_write, (int fd, eventfd_t value), fd, value)
