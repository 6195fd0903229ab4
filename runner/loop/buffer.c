/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data buffers, in classes whose sizes are powers of two. Free buffers are kept, and the last one that was
 * freed is used first, because it may still be in the CPU's cache. Every TRIM_NS, the buffers that were not
 * needed in this time are returned to the system.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "loop/internal.h"
#include "util/bytes.h"
#include "util/clock.h"

#define PAGE         4096u
#define MMAP_FROM    (128u << 10) /* The C library needs fewer mappings for smaller buffers. */
#define TRIM_NS      (10 * NS_PER_S)
#define BUFFER_LIMIT (256u << 20)

#if defined(__SANITIZE_ADDRESS__)
#define BUFFER_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BUFFER_POISON 1
#endif
#endif
/* Kept buffers are poisoned, so that AddressSanitizer detects their use after loop_buffer_put(). */
#ifdef BUFFER_POISON
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

/*
 * Returns the index of the smallest class whose buffers have room for len bytes, or a number that is not less
 * than BUFFER_CLASSES if there is none.
 */
static unsigned class_of(size_t len)
{
	if (len <= PAGE)
		return 0;
	return 64 - (unsigned)__builtin_clzll((unsigned long long)len - 1) - BUFFER_MIN_SHIFT;
}

static size_t class_size(unsigned class)
{
	return (size_t)PAGE << class;
}

size_t loop_buffer_size(size_t len)
{
	unsigned class = class_of(len);

	return class < BUFFER_CLASSES ? class_size(class) : (len + PAGE - 1) / PAGE * PAGE;
}

static void *allocate(size_t size)
{
	void *buffer;

	if (size < MMAP_FROM)
		return aligned_alloc(PAGE, size);
	buffer = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return buffer == MAP_FAILED ? NULL : buffer;
}

static void give_back(void *buffer, size_t size)
{
	if (size < MMAP_FROM)
		free(buffer);
	else
		munmap(buffer, size);
}

static void *pop(struct buffers *buffers, unsigned class)
{
	struct buffer_class *c = &buffers->classes[class];
	void *buffer = c->free;

	ASAN_UNPOISON_MEMORY_REGION(buffer, class_size(class));
	c->free = *(void **)buffer;
	c->nfree--;
	c->low = MIN(c->low, c->nfree);
	buffers->kept -= class_size(class);
	return buffer;
}

static void push(struct buffers *buffers, unsigned class, void *buffer)
{
	struct buffer_class *c = &buffers->classes[class];

	*(void **)buffer = c->free;
	c->free = buffer;
	c->nfree++;
	buffers->kept += class_size(class);
	ASAN_POISON_MEMORY_REGION(buffer, class_size(class));
}

static void trim_class(struct buffers *buffers, unsigned class)
{
	struct buffer_class *c = &buffers->classes[class];

	for (unsigned unused = c->low; unused; unused--)
		give_back(pop(buffers, class), class_size(class));
	c->low = c->nfree;
}

static void trim(struct loop_timer *timer)
{
	struct buffers *buffers = container_of(timer, struct buffers, trim);

	for (unsigned class = 0; class < BUFFER_CLASSES; class ++)
		trim_class(buffers, class);
	if (buffers->kept)
		loop_timer_arm(timer->loop, timer, TRIM_NS);
}

void buffers_init(struct buffers *buffers, size_t limit)
{
	*buffers = (struct buffers){.limit = limit ? limit : BUFFER_LIMIT, .trim.fn = trim};
}

void buffers_destroy(struct buffers *buffers)
{
	contract(buffers->handed_out == 0);
	for (unsigned class = 0; class < BUFFER_CLASSES; class ++) {
		buffers->classes[class].low = buffers->classes[class].nfree;
		trim_class(buffers, class);
	}
}

size_t loop_buffer_left(const struct loop *loop)
{
	return loop->buffers.limit - loop->buffers.handed_out;
}

size_t loop_buffer_limit(const struct loop *loop)
{
	return loop->buffers.limit;
}

void *loop_buffer_get(struct loop *loop, size_t len)
{
	struct buffers *buffers = &loop->buffers;
	unsigned class = class_of(len);
	size_t size;
	void *buffer;

	if (len > buffers->limit)
		return NULL;
	size = loop_buffer_size(len);
	if (size > loop_buffer_left(loop))
		return NULL;
	if (class < BUFFER_CLASSES && buffers->classes[class].free)
		buffer = pop(buffers, class);
	else
		buffer = allocate(size);
	if (buffer)
		buffers->handed_out += size;
	return buffer;
}

void loop_buffer_put(struct loop *loop, void *buffer, size_t len)
{
	struct buffers *buffers = &loop->buffers;
	unsigned class = class_of(len);
	size_t size = loop_buffer_size(len);

	contract(size <= buffers->handed_out);
	buffers->handed_out -= size;
	if (class >= BUFFER_CLASSES || buffers->handed_out + buffers->kept + size > buffers->limit) {
		give_back(buffer, size);
		return;
	}
	push(buffers, class, buffer);
	if (!loop_timer_is_armed(&buffers->trim))
		loop_timer_arm(loop, &buffers->trim, TRIM_NS);
}

static bool account_has_room(const struct loop_buffer_account *account, size_t size)
{
	return !account->limit || (account->used <= account->limit && size <= account->limit - account->used);
}

void *loop_buffer_get_charged(struct loop *loop, struct loop_buffer_account *account, size_t len)
{
	void *buffer;

	if (account && (len > loop->buffers.limit || !account_has_room(account, loop_buffer_size(len))))
		return NULL;
	buffer = loop_buffer_get(loop, len);
	if (buffer && account)
		account->used += loop_buffer_size(len);
	return buffer;
}

void loop_buffer_put_charged(struct loop *loop, struct loop_buffer_account *account, void *buffer, size_t len)
{
	if (account) {
		contract(account->used >= loop_buffer_size(len));
		account->used -= loop_buffer_size(len);
	}
	loop_buffer_put(loop, buffer, len);
}

void *loop_scratch(struct loop *loop)
{
	return loop->scratch;
}
