/* SPDX-License-Identifier: Apache-2.0 */
/* Backstores whose handlers are scripted by the tests (SCRIPTED_HANDLERS), with real loops. */
#include "backstore_fixture.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/log.h"

struct loop_set loops;

int fixture_up(void **state)
{
	const struct loop_options options = {.nloops = NLOOPS, .npool = 4};
	struct error error;

	(void)state;
	log_keep();
	if (loop_set_start(&loops, &options, &error) < 0)
		fail_msg("%s", error.text);
	if (backstore_load_handlers(SCRIPTED_HANDLERS, &error) < 0 ||
	    backstore_load_filters(SCRIPTED_HANDLERS, &error) < 0)
		fail_msg("%s", error.text);
	return 0;
}

int fixture_down(void **state)
{
	(void)state;
	loop_set_stop(&loops);
	backstore_unload_filters();
	backstore_unload_handlers();
	log_set_sink(NULL);
	return 0;
}

struct script *script_new(uint64_t size)
{
	struct script *script = calloc(1, sizeof(*script));

	assert_non_null(script);
	script->media = calloc(1, size);
	assert_non_null(script->media);
	script->info =
	    (struct tcmur_info){.size = size, .block_size = BLOCK, .thin = true, .unmap_zeroes = true};
	return script;
}

void script_free(struct script *script)
{
	free(script->media);
	free(script);
}

struct backstore *script_open(const char *handler, struct script *script)
{
	char config[64];
	struct backstore_spec spec = {.name = "scripted", .config = config, .state_dir = "/"};
	struct error error;

	snprintf(config, sizeof(config), "%s/%p", handler, (void *)script);
	struct backstore *bs = backstore_open(&loops, &spec, &error);
	if (!bs)
		fail_msg("%s", error.text);
	return bs;
}

struct wait {
	struct loop_work work;
	struct backstore_io *bio;
	enum tcmur_status status;
	sem_t done;
};

static void submit(struct loop_work *work)
{
	backstore_submit(container_of(work, struct wait, work)->bio);
}

static void done(struct backstore_io *bio, enum tcmur_status status)
{
	struct wait *wait = bio->owner;

	wait->status = status;
	sem_post(&wait->done);
}

enum tcmur_status run_io(struct backstore *bs, unsigned i, struct backstore_io *bio)
{
	struct wait wait = {.work.fn = submit, .bio = bio};

	bio->bs = bs;
	bio->loop = loops.loops[i];
	bio->done = done;
	bio->owner = &wait;
	sem_init(&wait.done, 0, 0);
	loop_post(bio->loop, &wait.work);
	while (sem_wait(&wait.done) < 0)
		;
	sem_destroy(&wait.done);
	return wait.status;
}

enum tcmur_status run_simple(struct backstore *bs, enum backstore_op op, uint64_t offset, uint64_t len,
			     void *data, size_t data_len)
{
	struct iovec iov = {data, data_len};
	struct backstore_io bio = {.op = op, .io = {.offset = offset, .len = len}};

	if (data) {
		bio.io.iov = &iov;
		bio.io.iovcnt = 1;
	}
	return run_io(bs, 0, &bio);
}
