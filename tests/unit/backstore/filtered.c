/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of filtered.h, which the tests of filters share. */
#include "filtered.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct backstore *filtered_open_specs(const char *handler, struct script *script,
				      const struct backstore_filter_spec *filters, unsigned nfilters)
{
	char config[64];
	const struct backstore_spec spec = {
	    .name = "filtered", .config = config, .filters = filters, .nfilters = nfilters};
	struct error error;

	snprintf(config, sizeof(config), "%s/%p", handler, (void *)script);
	struct backstore *bs = backstore_open(&loops, &spec, &error);
	if (!bs)
		fail_msg("%s", error.text);
	return bs;
}

struct backstore *filtered_open(const char *handler, struct script *script,
				const struct filter_of_test *filters, unsigned nfilters)
{
	char address[TCMUR_FILTERS_MAX][32];
	struct tcmur_option_value options[TCMUR_FILTERS_MAX];
	struct backstore_filter_spec specs[TCMUR_FILTERS_MAX];

	for (unsigned i = 0; i < nfilters; i++) {
		snprintf(address[i], sizeof(address[i]), "%p", (void *)filters[i].script);
		options[i] = (struct tcmur_option_value){"script", address[i]};
		specs[i] = (struct backstore_filter_spec){filters[i].name, &options[i], 1};
	}
	return filtered_open_specs(handler, script, specs, nfilters);
}

/* The filters of a backstore, as backstore_set_filters() takes them. */
struct chain {
	struct backstore_filter_spec specs[TCMUR_FILTERS_MAX];
	struct tcmur_option_value options[TCMUR_FILTERS_MAX][BACKSTORE_OPTIONS_MAX + 1];
	uint32_t n;
};

/* The names and values of the options stay valid until somebody changes the options. */
static void note_filter(void *arg, const struct backstore_filter *filter)
{
	struct chain *chain = arg;

	memcpy(chain->options[chain->n], filter->options, filter->noptions * sizeof(*filter->options));
	chain->specs[chain->n] = (struct backstore_filter_spec){
	    .name = filter->filter->name, .options = chain->options[chain->n], .noptions = filter->noptions};
	chain->n++;
}

int filtered_set_option(struct backstore *bs, unsigned number, const char *name, const char *value,
			struct error *error)
{
	struct chain chain = {.n = 0};

	backstore_show_filters(bs, note_filter, &chain);
	assert_true(number < chain.n);

	struct tcmur_option_value *options = chain.options[number];
	uint32_t n = 0;

	for (uint32_t i = 0; i < chain.specs[number].noptions; i++)
		if (strcmp(options[i].name, name) != 0)
			options[n++] = options[i];
	if (value)
		options[n++] = (struct tcmur_option_value){name, value};
	chain.specs[number].noptions = n;
	return backstore_set_filters(bs, chain.specs, chain.n, error);
}

static void call_fn(struct loop_work *work)
{
	struct pending *pending = container_of(work, struct pending, work);

	pending->fn(pending);
	sem_post(&pending->passed);
}

/* Returns when fn has returned. */
static void run_on_loop(struct pending *pending, void (*fn)(struct pending *pending))
{
	pending->work = (struct loop_work){.fn = call_fn};
	pending->fn = fn;
	sem_init(&pending->passed, 0, 0);
	loop_post(loops.loops[0], &pending->work);
	while (sem_wait(&pending->passed) < 0)
		;
	sem_destroy(&pending->passed);
}

static void ended(struct backstore_io *bio, enum tcmur_status status)
{
	struct pending *pending = bio->owner;

	pending->status = status;
	__atomic_add_fetch(&pending->ended, 1, __ATOMIC_RELEASE);
}

static void submit(struct pending *pending)
{
	backstore_submit(&pending->bio);
}

void pending_submit(struct pending *pending, struct backstore *bs, enum backstore_op op, unsigned block,
		    unsigned nblocks)
{
	*pending = (struct pending){.iov = {pending->data, nblocks * BLOCK}};
	memset(pending->data, 7, sizeof(pending->data));
	pending->bio = (struct backstore_io){
	    .io = {.offset = block * BLOCK, .len = nblocks * BLOCK, .iov = &pending->iov, .iovcnt = 1},
	    .bs = bs,
	    .loop = loops.loops[0],
	    .op = op,
	    .done = ended,
	    .owner = pending,
	};
	run_on_loop(pending, submit);
}

static void cancel(struct pending *pending)
{
	assert_false(pending_is_over(pending));
	backstore_cancel(&pending->bio);
	backstore_cancel(&pending->bio);
	assert_false(pending_is_over(pending));
}

void pending_cancel(struct pending *pending)
{
	run_on_loop(pending, cancel);
}

bool pending_is_over(const struct pending *pending)
{
	return __atomic_load_n(&pending->ended, __ATOMIC_ACQUIRE);
}

void pending_await(const struct pending *pending, enum tcmur_status status)
{
	for (int i = 0; i < 60000 && !pending_is_over(pending); i++)
		usleep(1000);
	assert_int_equal(__atomic_load_n(&pending->ended, __ATOMIC_ACQUIRE), 1);
	assert_int_equal(pending->status, status);
}
