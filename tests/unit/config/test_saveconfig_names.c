/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of storage objects with the numbers of their HBAs, and relative target port identifiers: they are the
 * same after a save and a restart, and a reload chooses what a start chooses.
 */
#include "saveconfig_fixture.h"

#include <time.h>

#include "config/saveconfig_numbers.h"
#include "config/saveconfig_read.h"
#include "util/list.h"

/* The state folder, and the store that keeps the memory of disks, identify an object by its name. */
static void test_an_object_keeps_its_number(void **state)
{
	struct test *t = *state;

	fixture_disk(t->f, "user_0/first");
	fixture_disk(t->f, "user_0/second");
	fixture_disk(t->f, "user_7/third");
	fixture_disk(t->f, "user_3/fourth");
	assert_int_equal(save(t), 0);
	assert_no_lines(t);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
	assert_non_null(find(t, "user_0/first"));
	assert_non_null(find(t, "user_0/second"));
	assert_non_null(find(t, "user_7/third"));
	assert_non_null(find(t, "user_3/fourth"));
	/* The fourth object is now the third object of the file, and the file contains its number. */
	assert_int_equal(fixture_delete(t->f, find(t, "user_0/first"), true), 0);
	assert_int_equal(save(t), 0);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_non_null(find(t, "user_0/second"));
	assert_non_null(find(t, "user_3/fourth"));
	/* If the value is not a number, the position in the file is used. */
	edit_file(t, "\"hba\" : 7", "\"hba\" : \"x\"");
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_non_null(find(t, "user_1/third"));
}

/* LIO allows the same name in two HBAs, and rtslib does not. */
static void test_two_objects_of_one_name(void **state)
{
	struct test *t = *state;
	struct model_object *first = fixture_disk(t->f, "user_0/disk"), *tpg = fixture_tpg(t->f, OPEN);
	struct model_object *second = fixture_disk(t->f, "user_1/disk");

	fixture_disk(t->f, "user_0/disk.1");
	fixture_disk(t->f, "rd_mcp_4/disk");
	fixture_create(t->f, tpg, MODEL_LUN, "lun_0", second);
	fixture_create(t->f, tpg, MODEL_LUN, "lun_1", first);
	assert_int_equal(save(t), 0);
	assert_true(file_has(t, "/backstores/user/disk.1-2"));
	for (int i = 0; i < 3; i++) {
		g_autofree char *before = read_file(t);

		if (i)
			start_again(t);
		assert_int_equal(reload(t, i == 1), 0);
		assert_no_lines(t);
		assert_int_equal(diff(t), 0);
		assert_no_lines(t);
		assert_leads_to(t, OPEN " tpgt_1 lun_0", "user_1/disk");
		assert_leads_to(t, OPEN " tpgt_1 lun_1", "user_0/disk");
		assert_non_null(find(t, "user_0/disk.1"));
		assert_non_null(find(t, "rd_mcp_4/disk"));
		assert_int_equal(save(t), 0);
		g_autofree char *after = read_file(t);
		assert_string_equal(before, after);
	}
	/* A reload creates the deleted disk again, and the other disk stays. */
	second = find(t, "user_1/disk");
	assert_int_equal(fixture_delete(t->f, find(t, OPEN " tpgt_1 lun_1"), true), 0);
	assert_int_equal(fixture_delete(t->f, find(t, "user_0/disk"), true), 0);
	assert_int_equal(diff(t), 0);
	assert_true(said(t, "- user/disk"));
	assert_int_equal(g_strv_length(t->lines), 2);
	assert_int_equal(reload(t, true), 0);
	assert_ptr_equal(find(t, "user_1/disk"), second);
	assert_leads_to(t, OPEN " tpgt_1 lun_1", "user_0/disk");
	/* If only one of the disks is left, a save keeps its name. */
	assert_int_equal(fixture_delete(t->f, find(t, OPEN " tpgt_1 lun_1"), true), 0);
	assert_int_equal(fixture_delete(t->f, find(t, "user_0/disk"), true), 0);
	assert_int_equal(save(t), 0);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
	assert_leads_to(t, OPEN " tpgt_1 lun_0", "user_1/disk");
	assert_null(find(t, "user_0/disk"));
}

static bool has_unsaved_changes(struct test *t)
{
	return saveconfig_has_changed(t->config);
}

/* Entries that are inserted in the file by hand get the same numbers from a reload as from a start. */
static void test_numbers_do_not_depend_on_a_restart(void **state)
{
	static const char target[] =
	    "{\"fabric\": \"iscsi\", \"wwn\": \"iqn.2026-11.com.example:new\", \"tpgs\": "
	    "[{\"tag\": 1}]}, ";
	static const char disk[] =
	    "{\"plugin\": \"user\", \"name\": \"new\", \"config\": \"file//srv/new\"}, ";
	const struct model_attribute *rtpi = model_attribute(MODEL_TPG, "", "rtpi");
	struct test *t = *state;

	write_file(t, "{\"storage_objects\": [ {\"plugin\": \"user\", \"name\": \"old\", \"config\": "
		      "\"file//srv/old\"}], \"targets\": [ {\"fabric\": \"iscsi\", \"wwn\": \"" OPEN
		      "\", \"tpgs\": [{\"tag\": 1}, {\"tag\": 2}]}]}");
	for (int is_saved = 0; is_saved < 2; is_saved++) {
		start_again(t);
		assert_int_equal(restore(t), 0);
		if (is_saved)
			assert_int_equal(save(t), 0);
		g_autofree char *text = read_file(t);
		g_autofree char *storage =
		    g_strconcat("\"storage_objects\"", is_saved ? " " : "", ": [", NULL);
		g_autofree char *targets = g_strconcat("\"targets\"", is_saved ? " " : "", ": [", NULL);
		g_autofree char *more_storage = g_strconcat(storage, disk, NULL);
		g_autofree char *more_targets = g_strconcat(targets, target, NULL);
		edit_file(t, storage, more_storage);
		edit_file(t, targets, more_targets);
		assert_int_equal(reload(t, true), 0);
		assert_no_lines(t);
		assert_int_equal(model_get_number(find(t, OPEN " tpgt_1"), rtpi), 1);
		assert_int_equal(model_get_number(find(t, OPEN " tpgt_2"), rtpi), 2);
		assert_int_equal(model_get_number(find(t, "iqn.2026-11.com.example:new tpgt_1"), rtpi), 3);
		assert_non_null(find(t, "user_0/old"));
		assert_non_null(find(t, "user_0/new"));
		/* Before a save, the file does not contain the numbers. */
		assert_int_equal(has_unsaved_changes(t), !is_saved);
		assert_int_equal(diff(t), 0);
		if (is_saved)
			assert_no_lines(t);
		else
			assert_true(
			    said(t, "~ " OPEN "/tpgt_1 has the relative target port identifier 1, and 2"));
		if (is_saved) {
			start_again(t);
			assert_int_equal(restore(t), 0);
			assert_no_lines(t);
			assert_int_equal(model_get_number(find(t, OPEN " tpgt_1"), rtpi), 1);
			assert_int_equal(model_get_number(find(t, OPEN " tpgt_2"), rtpi), 2);
			assert_int_equal(
			    model_get_number(find(t, "iqn.2026-11.com.example:new tpgt_1"), rtpi), 3);
			assert_non_null(find(t, "user_0/old"));
			assert_non_null(find(t, "user_0/new"));
			assert_false(has_unsaved_changes(t));
		}
		write_file(t, text);
	}
}

/* --- identifiers that TPGs exchange --- */

#define NTPGS 4

/* Writes a file with NTPGS enabled TPGs with these identifiers. */
static void write_ports(struct test *t, const unsigned ports[NTPGS])
{
	g_autoptr(GString) lio =
	    g_string_new("{\"storage_objects\": [], \"targets\": [{\"fabric\": \"iscsi\", "
			 "\"wwn\": \"" OPEN "\", \"tpgs\": [");
	g_autoptr(GString) ours = g_string_new("");

	for (unsigned i = 0; i < NTPGS; i++) {
		g_string_append_printf(lio, "%s{\"tag\": %u, \"enable\": true}", i ? ", " : "", i + 1);
		g_string_append_printf(ours, "%s\"%u\": {\"rtpi\": %u}", i ? ", " : "", i + 1, ports[i]);
	}
	g_string_append_printf(
	    lio, "]}], \"tcmu_runner\": {\"version\": 1, \"targets\": {\"" OPEN "\": {\"tpgs\": {%s}}}}}",
	    ours->str);
	write_file(t, lio->str);
}

static struct model_object *tpg(struct test *t, unsigned i)
{
	g_autofree char *path = g_strdup_printf(OPEN " tpgt_%u", i + 1);

	return find(t, path);
}

static void assert_ports(struct test *t, const unsigned ports[NTPGS])
{
	for (unsigned i = 0; i < NTPGS; i++) {
		assert_int_equal(model_get_number(tpg(t, i), model_attribute(MODEL_TPG, "", "rtpi")),
				 ports[i]);
		assert_true(model_is_enabled(tpg(t, i)));
	}
}

struct disabling {
	struct model_watch watch;
	bool is_disabled[NTPGS];
	unsigned count;
};

static void count_disabled(struct model_watch *watch, enum model_event event, struct model_object *object)
{
	struct disabling *disabling = container_of(watch, struct disabling, watch);

	if (event != MODEL_CHANGED || model_kind(object) != MODEL_TPG)
		return;
	bool *is_disabled = &disabling->is_disabled[model_number(object) - 1];

	disabling->count += !*is_disabled && !model_is_enabled(object);
	*is_disabled = !model_is_enabled(object);
}

/*
 * Reloads a file with these identifiers. Returns how many TPGs the reload has disabled, so that their
 * initiators log in again.
 */
static unsigned reload_ports(struct test *t, const unsigned ports[NTPGS])
{
	struct disabling disabling = {.watch.fn = count_disabled};

	write_ports(t, ports);
	model_watch(t->f->model, &disabling.watch);
	assert_int_equal(reload(t, true), 0);
	model_unwatch(&disabling.watch);
	return disabling.count;
}

static void test_tpgs_exchange_identifiers(void **state)
{
	static const unsigned first[] = {1, 2, 3, 4}, pair[] = {2, 1, 3, 4}, cycle[] = {4, 2, 1, 3},
			      chain[] = {2, 5, 3, 1}, pairs[] = {5, 2, 1, 3}, all[] = {9, 8, 7, 6};
	static const struct {
		const unsigned *ports;
		unsigned changed;
	} steps[] = {{pair, 2},  {first, 2}, {cycle, 3}, {chain, 4},
		     {pairs, 4}, {first, 3}, {all, 4},   {all, 0}};
	struct test *t = *state;

	write_ports(t, first);
	assert_int_equal(restore(t), 0);
	assert_ports(t, first);
	for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
		const unsigned disabled = reload_ports(t, steps[i].ports);

		assert_no_lines(t);
		assert_ports(t, steps[i].ports);
		assert_int_equal(disabled, steps[i].changed);
		assert_int_equal(diff(t), 0);
		assert_no_lines(t);
	}
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_ports(t, all);
}

/*
 * If a TPG cannot get its identifier, it and the TPGs that wait for its old one keep their identifiers and
 * their sessions. The other TPGs get the identifiers of the file.
 */
static void test_exchange_that_is_impossible(void **state)
{
	static const unsigned first[] = {1, 2, 3, 4}, taken[] = {2, 9, 4, 3}, both[] = {5, 5, 3, 4},
			      kept[] = {1, 2, 4, 3}, one[] = {5, 2, 3, 4};
	struct test *t = *state;
	struct model_object *other, *stranger;

	write_ports(t, first);
	assert_int_equal(restore(t), 0);
	/* A restore keeps objects that the file does not contain. */
	other = fixture_create(t->f, t->f->root, MODEL_TARGET, "iqn.2026-11.com.example:other", NULL);
	stranger = fixture_create(t->f, other, MODEL_TPG, "tpgt_1", NULL);
	assert_int_equal(fixture_set(t->f, stranger, "", "rtpi", "9"), 0);
	write_ports(t, taken);
	saveconfig_restore_at_start(t->config, on_done, t);
	assert_int_equal(finish(t), 0);
	assert_true(said(t, "rtpi"));
	assert_true(said(t, "another TPG has the relative target port identifier 9"));
	assert_ports(t, kept);
	assert_int_equal(model_get_number(stranger, model_attribute(MODEL_TPG, "", "rtpi")), 9);

	/* The first of two that want the same identifier gets it. */
	assert_int_equal(reload_ports(t, first), 2);
	assert_no_lines(t);
	assert_int_equal(reload_ports(t, both), 1);
	assert_true(said(t, "another TPG has the relative target port identifier 5"));
	assert_ports(t, one);
	assert_int_equal(reload_ports(t, first), 1);
	assert_no_lines(t);
	assert_ports(t, first);
}

/*
 * Returns the CPU time, in nanoseconds, that it takes to read a file with settings for each of its targets.
 */
static gint64 time_to_read(unsigned targets)
{
	g_autoptr(GString) lio = g_string_new("{\"targets\": [");
	g_autoptr(GString) own_settings = g_string_new("], \"tcmu_runner\": {\"version\": 1, \"targets\": {");
	struct timespec start, end;
	struct error error;

	for (unsigned i = 0; i < targets; i++) {
		const char *comma = i ? "," : "";

		g_string_append_printf(lio,
				       "%s{\"fabric\": \"iscsi\", \"wwn\": \"iqn.2026-11.com.example:%u\", "
				       "\"tpgs\": [{\"tag\": 1}]}",
				       comma, i);
		g_string_append_printf(
		    own_settings, "%s\"iqn.2026-11.com.example:%u\": {\"tpgs\": {\"1\": {\"rtpi\": %u}}}",
		    comma, i, i + 1);
	}
	g_string_append(lio, own_settings->str);
	g_string_append(lio, "}}}");
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	struct config_node *root = saveconfig_read("many", lio->str, lio->len, NULL, &error);

	assert_non_null(root);
	assert_int_equal(root->children->len, targets);
	struct config_node *last = config_node_child(root, targets - 1);
	const struct model_attribute *rtpi = model_attribute(MODEL_TPG, "", "rtpi");
	g_autofree char *number = g_strdup_printf("%u", targets);

	config_choose_ports(root, root);
	assert_string_equal(config_node_value(config_node_child(last, 0), rtpi)->text, number);
	config_node_free(root);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	return (end.tv_sec - start.tv_sec) * 1000000000LL + end.tv_nsec - start.tv_nsec;
}

/* Eight times as many targets take about eight times as long, and not 64 times. */
static void test_many_targets(void **state)
{
	(void)state;
	gint64 few = time_to_read(3000), many = time_to_read(24000);

	print_message("3,000 targets: %" G_GINT64_FORMAT " ms, 24,000: %" G_GINT64_FORMAT " ms\n",
		      few / 1000000, many / 1000000);
	assert_true(many < 20 * few);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_an_object_keeps_its_number),         TEST(test_two_objects_of_one_name),
	    TEST(test_numbers_do_not_depend_on_a_restart), TEST(test_tpgs_exchange_identifiers),
	    TEST(test_exchange_that_is_impossible),        cmocka_unit_test(test_many_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
