/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list with a lock, and an eventfd that wakes the main thread. Work is not posted on the data path, so
 * nothing here needs to be fast. The owner of the queue decides how the main thread waits for the descriptor.
 */
#include "util/main_queue.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/contract.h"

struct main_queue {
	/* Guards works. No other lock is taken while it is held. */
	pthread_mutex_t lock;
	struct list works;
	int fd;
};

struct main_queue *main_queue_new(void)
{
	struct main_queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return NULL;
	queue->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->fd < 0) {
		free(queue);
		return NULL;
	}
	pthread_mutex_init(&queue->lock, NULL);
	list_init(&queue->works);
	return queue;
}

void main_queue_free(struct main_queue *queue)
{
	if (!queue)
		return;
	contract(list_empty(&queue->works));
	pthread_mutex_destroy(&queue->lock);
	close(queue->fd);
	free(queue);
}

void main_queue_post(struct main_queue *queue, struct main_work *work)
{
	const uint64_t one = 1;
	SCOPE_LOCK(&queue->lock);

	list_add_tail(&queue->works, &work->node);
	/*
	 * The counter cannot overflow, because it is the number of posts since the last run. The write is
	 * done under the lock, so that the queue is not freed before it.
	 */
	while (write(queue->fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

int main_queue_fd(const struct main_queue *queue)
{
	return queue->fd;
}

static unsigned count_works(struct main_queue *queue)
{
	struct list *node, *tmp;
	unsigned n = 0;
	SCOPE_LOCK(&queue->lock);

	list_for_each (&queue->works, node, tmp)
		n++;
	return n;
}

/* Returns the next work, or NULL if there is none. The descriptor is readable as long as work is queued. */
static struct main_work *take(struct main_queue *queue)
{
	uint64_t count;
	SCOPE_LOCK(&queue->lock);
	struct list *node = list_pop(&queue->works);

	while (list_empty(&queue->works) && read(queue->fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	return node ? list_entry(node, struct main_work, node) : NULL;
}

void main_queue_run(struct main_queue *queue)
{
	struct main_work *work;

	/* fn may also run the queue, so the remaining work stays in the queue while fn is called. */
	for (unsigned left = count_works(queue); left && (work = take(queue)); left--)
		work->fn(work);
}

bool main_queue_wait(struct main_queue *queue, int ms)
{
	struct pollfd wait = {.fd = queue->fd, .events = POLLIN};

	if (poll(&wait, 1, ms) <= 0)
		return false;
	main_queue_run(queue);
	return true;
}
