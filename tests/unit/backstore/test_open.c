/* SPDX-License-Identifier: Apache-2.0 */
/* Opening backstores: what is checked, copied and refused. */
#include "backstore_fixture.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SIZE (64u << 10)

/* Opens the spec, after filling in its config. This must fail with an error that contains the text. */
static void refused(struct script *script, struct backstore_spec spec, const char *text)
{
	char config[64];
	struct error error = {""};

	if (!spec.config) {
		snprintf(config, sizeof(config), "async/%p", (void *)script);
		spec.config = config;
	}
	assert_null(backstore_open(&loops, &spec, &error));
	if (!strstr(error.text, text))
		fail_msg("expected \"%s\" in \"%s\"", text, error.text);
}

static void test_bad_configuration(void **state)
{
	static const struct tcmur_option_value option = {"no-such-option", "red"};
	struct script *script = script_new(SIZE);

	(void)state;
	refused(script, (struct backstore_spec){.config = "async"}, "HANDLER/CONFIG");
	refused(script, (struct backstore_spec){.config = "asyn/x"}, "no handler \"asyn\"");
	refused(script, (struct backstore_spec){.config = "asyn/x"}, "parallel");
	refused(script, (struct backstore_spec){.options = &option, .noptions = 1},
		"no option \"no-such-option\"");
	refused(script, (struct backstore_spec){.block_size = 1024}, "1024");
	refused(script, (struct backstore_spec){.block_size = 4096}, "512");
	refused(script, (struct backstore_spec){.size = SIZE + 1}, "65537");
	assert_int_equal(script->closes, 2); /* only the last two of the refused ones had been opened */
	script->open_error = EACCES;
	refused(script, (struct backstore_spec){0}, "scripted: Permission denied");
	assert_int_equal(script->closes, 2);
	script_free(script);
}

static void test_bad_info(void **state)
{
	static const struct {
		struct tcmur_info info;
		const char *text;
	} bad[] = {
	    {{.size = SIZE, .block_size = 0}, "block size of 0"},
	    {{.size = SIZE, .block_size = 1024}, "block size of 1024"},
	    {{.size = 511, .block_size = 512}, "size of 511"},
	    {{.size = 1ull << 63, .block_size = 512}, "cannot be served"},
	    {{.size = SIZE, .block_size = 4096, .physical_block_size = 512}, "physical block size of 512"},
	    {{.size = SIZE, .block_size = 512, .physical_block_size = 1536}, "physical block size of 1536"},
	    {{.size = SIZE, .block_size = 512, .physical_block_size = 1 << 25}, "physical block size of"},
	    {{.size = SIZE, .block_size = 512, .max_io = 100}, "max_io 100"},
	    {{.size = SIZE, .block_size = 4096, .max_unmap = 512}, "max_unmap 512"},
	    {{.size = SIZE, .block_size = 512, .unmap_granularity = 700}, "granularity 700"},
	    {{.size = SIZE, .block_size = 512, .unmap_alignment = 1}, "alignment 1"},
	};
	struct script *script = script_new(SIZE);

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		script->info = bad[i].info;
		refused(script, (struct backstore_spec){0}, bad[i].text);
		assert_int_equal(script->closes, i + 1);
	}
	script_free(script);
}

static void test_defaults(void **state)
{
	struct script *script = script_new(SIZE);

	(void)state;
	script->info = (struct tcmur_info){.size = SIZE - 1,
					   .block_size = 512,
					   .max_io = 1000,
					   .thin = true,
					   .unmap_zeroes = true,
					   .optimal_io = 5000};
	struct backstore *bs = script_open("async", script);
	const struct tcmur_info *info = backstore_info(bs);
	assert_int_equal(backstore_size(bs), SIZE - 512);
	assert_int_equal(info->physical_block_size, 512);
	assert_int_equal(info->unmap_granularity, 512);
	assert_int_equal(info->max_io, 512);
	assert_int_equal(info->optimal_io, 4608);
	assert_true(backstore_has_unmap(bs) && backstore_has_flush(bs) && backstore_has_scsi(bs));
	assert_string_equal(backstore_name(bs), "scripted");
	assert_memory_equal(backstore_config(bs), "async/", 6);
	backstore_close(bs);

	bs = script_open("minimal", script);
	assert_false(backstore_info(bs)->thin || backstore_info(bs)->unmap_zeroes);
	assert_false(backstore_has_unmap(bs) || backstore_has_flush(bs) || backstore_has_scsi(bs));
	backstore_close(bs);
	assert_int_equal(script->closes, 2);
	script_free(script);
}

static void test_option_reaches_the_handler(void **state)
{
	static const struct tcmur_option_value option = {"text", "100%s"};
	struct script *script = script_new(SIZE);
	char config[64];
	struct backstore_spec spec = {.name = "disk1", .config = config, .options = &option, .noptions = 1};
	struct error error;

	(void)state;
	log_forget();
	snprintf(config, sizeof(config), "async/%p", (void *)script);
	struct backstore *bs = backstore_open(&loops, &spec, &error);
	assert_non_null(bs);
	assert_non_null(strstr(logged(), "text=100%s"));
	assert_non_null(strstr(logged(), "disk1"));
	backstore_close(bs);
	script_free(script);
}

static void resized(void *arg, uint64_t size)
{
	assert_int_equal(size, SIZE / 2);
	sem_post(arg);
}

static void test_refresh(void **state)
{
	struct script *script = script_new(SIZE);
	struct backstore *bs = script_open("parallel", script);
	uint8_t block[BLOCK];
	sem_t done;

	(void)state;
	sem_init(&done, 0, 0);
	backstore_on_resize(bs, resized, &done);
	backstore_refresh(bs); /* nothing has changed, so there is no notification */
	__atomic_store_n(&script->info.size, SIZE / 2 + 1, __ATOMIC_RELAXED);
	tcmur_lun_changed((struct tcmur_lun *)bs);
	backstore_refresh(bs);
	while (sem_wait(&done) < 0)
		;
	assert_int_equal(backstore_size(bs), SIZE / 2);
	assert_int_equal(run_simple(bs, BACKSTORE_READ, SIZE / 2, BLOCK, block, BLOCK), TCMUR_OUT_OF_RANGE);
	assert_int_equal(run_simple(bs, BACKSTORE_READ, SIZE / 2 - BLOCK, BLOCK, block, BLOCK), TCMUR_OK);

	/*
	 * The refresh is requested, and the backstore is closed at once: the refresh runs before close() or
	 * never.
	 */
	for (unsigned i = 0; i < 50; i++) {
		backstore_refresh(bs);
		backstore_close(bs);
		bs = script_open("async", script);
	}
	backstore_close(bs);
	assert_int_equal(sem_trywait(&done), -1);
	sem_destroy(&done);
	script_free(script);
}

static bool listened; /* Atomic. */

static void resized_slowly(void *arg, uint64_t size)
{
	(void)size;
	sem_post(arg);
	usleep(50000);
	__atomic_store_n(&listened, true, __ATOMIC_RELAXED);
}

/* When this returns, the listener is not running any more, so it may be freed. */
static void test_stop_listening(void **state)
{
	struct script *script = script_new(SIZE);
	struct backstore *bs = script_open("parallel", script);
	sem_t begun;

	(void)state;
	sem_init(&begun, 0, 0);
	backstore_on_resize(bs, resized_slowly, &begun);
	__atomic_store_n(&script->info.size, SIZE / 2, __ATOMIC_RELAXED);
	backstore_refresh(bs);
	while (sem_wait(&begun) < 0)
		;
	backstore_on_resize(bs, NULL, NULL);
	assert_true(__atomic_load_n(&listened, __ATOMIC_RELAXED));
	backstore_close(bs);
	sem_destroy(&begun);
	script_free(script);
}

static void count_resize(void *arg, uint64_t size)
{
	*(uint64_t *)arg = size;
}

static void assert_refused(struct backstore *bs, uint64_t size, int err, const char *text)
{
	struct error error = {""};

	assert_int_equal(backstore_resize(bs, size, &error), -err);
	if (!strstr(error.text, text))
		fail_msg("expected \"%s\" in \"%s\"", text, error.text);
}

static void test_resize(void **state)
{
	struct script *script = script_new(4 * SIZE);
	struct backstore *bs;
	uint64_t told = 0;

	(void)state;
	script->info.size = SIZE;
	bs = script_open("parallel", script);
	backstore_on_resize(bs, count_resize, &told);
	assert_int_equal(backstore_resize(bs, SIZE, NULL), 0);
	assert_int_equal(told, 0);
	/* an incomplete block is not served */
	assert_int_equal(backstore_resize(bs, 2 * SIZE + 100, NULL), 0);
	assert_int_equal(told, 2 * SIZE);
	assert_int_equal(backstore_size(bs), 2 * SIZE);
	assert_refused(bs, SIZE, EINVAL, "never made smaller");
	assert_refused(bs, 1ull << 63, EFBIG, "cannot be served");
	script->resize_error = ENOSPC;
	assert_refused(bs, 4 * SIZE, ENOSPC, "No space left");
	assert_int_equal(backstore_size(bs), 2 * SIZE);
	backstore_close(bs);
	script_free(script);
}

/*
 * If the storage has more than the requested size, the requested size is served until a larger one is
 * requested.
 */
static void test_storage_larger_than_requested(void **state)
{
	struct script *script = script_new(4 * SIZE);
	char config[64];
	struct backstore_spec spec = {.config = config, .size = SIZE};
	struct backstore *bs;

	(void)state;
	snprintf(config, sizeof(config), "minimal/%p", (void *)script);
	bs = backstore_open(&loops, &spec, NULL);
	assert_int_equal(backstore_size(bs), 4 * SIZE);
	backstore_close(bs);
	spec.existing = true;
	bs = backstore_open(&loops, &spec, NULL);
	assert_int_equal(backstore_size(bs), SIZE);
	assert_int_equal(backstore_resize(bs, 3 * SIZE, NULL), 0);
	assert_int_equal(backstore_size(bs), 3 * SIZE);
	backstore_close(bs);
	script_free(script);
}

/* A handler without resize() only accepts a size that the storage already has. */
static void test_resize_without_a_handler_for_it(void **state)
{
	struct script *script = script_new(4 * SIZE);
	struct backstore *bs;

	(void)state;
	script->info.size = SIZE;
	bs = script_open("minimal", script);
	__atomic_store_n(&script->info.size, SIZE / 2,
			 __ATOMIC_RELAXED); /* the result does not matter if nothing changes */
	assert_int_equal(backstore_resize(bs, SIZE, NULL), 0);
	__atomic_store_n(&script->info.size, SIZE, __ATOMIC_RELAXED);
	assert_refused(bs, 2 * SIZE, EOPNOTSUPP, "cannot be enlarged");
	__atomic_store_n(&script->info.size, 3 * SIZE, __ATOMIC_RELAXED);
	assert_int_equal(backstore_resize(bs, 2 * SIZE, NULL), 0);
	assert_int_equal(backstore_size(bs), 2 * SIZE);
	backstore_close(bs);
	script_free(script);
}

static void test_stand_in(void **state)
{
	const struct backstore_spec spec = {
	    .name = "away", .config = "async/away", .size = SIZE, .block_size = 512};
	struct backstore *bs = backstore_open_absent(&loops, &spec, NULL);
	uint8_t block[BLOCK] = {0};

	(void)state;
	assert_non_null(bs);
	assert_true(backstore_is_absent(bs));
	assert_int_equal(backstore_size(bs), SIZE);
	assert_string_equal(backstore_name(bs), "away");
	assert_int_equal(run_simple(bs, BACKSTORE_READ, 0, BLOCK, block, BLOCK), TCMUR_NOT_READY);
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE, 0, BLOCK, block, BLOCK), TCMUR_NOT_READY);
	assert_int_equal(run_simple(bs, BACKSTORE_FLUSH, 0, 0, NULL, 0), TCMUR_NOT_READY);
	assert_int_equal(run_simple(bs, BACKSTORE_WRITE_ZEROES, 0, BLOCK, NULL, 0), TCMUR_NOT_READY);
	assert_refused(bs, 2 * SIZE, EOPNOTSUPP, "cannot be enlarged");
	backstore_close(bs);

	const struct backstore_spec bad = {.config = "async/away", .size = SIZE, .block_size = 1000};

	assert_null(backstore_open_absent(&loops, &bad, NULL));
	assert_int_equal(errno, EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bad_configuration),
	    cmocka_unit_test(test_bad_info),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_option_reaches_the_handler),
	    cmocka_unit_test(test_refresh),
	    cmocka_unit_test(test_stop_listening),
	    cmocka_unit_test(test_resize),
	    cmocka_unit_test(test_storage_larger_than_requested),
	    cmocka_unit_test(test_resize_without_a_handler_for_it),
	    cmocka_unit_test(test_stand_in),
	};

	return cmocka_run_group_tests(tests, fixture_up, fixture_down);
}
