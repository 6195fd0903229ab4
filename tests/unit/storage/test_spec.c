/* SPDX-License-Identifier: Apache-2.0 */
/* HANDLER/CONFIG;KEY=VALUE: what is accepted, what is refused, and names that need an escape. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage/spec.h"
#include "util/cleanup.h"

/* Checks that the text is divided into config, and into options as they are printed. */
static void assert_parsed(const char *text, const char *config, const char *options)
{
	struct storage_spec spec;
	struct error error = {""};
	char printed[256];

	if (storage_spec_parse(&spec, text, &error))
		fail_msg("%s", error.text);
	assert_string_equal(spec.config, config);
	storage_spec_print_options(&spec, printed, sizeof(printed));
	assert_string_equal(printed, options);
	storage_spec_free(&spec);
}

static void assert_refused(const char *text, const char *reason)
{
	struct storage_spec spec;
	struct error error = {""};

	assert_int_equal(storage_spec_parse(&spec, text, &error), -EINVAL);
	if (!strstr(error.text, reason) || strncmp(error.text, text, strlen(text)) != 0)
		fail_msg("the error for '%s' does not contain '%s': %s", text, reason, error.text);
	assert_null(spec.text);
}

static void options_follow_the_configuration(void **state)
{
	(void)state;
	assert_parsed("file//srv/disk.img", "file//srv/disk.img", "");
	assert_parsed("alloc/", "alloc/", "");
	assert_parsed("file//srv/disk.img;cache=none", "file//srv/disk.img", "cache=none");
	assert_parsed("file/a;grow;cache=writeback;x=", "file/a", "grow, cache=writeback, x");
	assert_parsed("rbd/pool/image@snap;id=a=b", "rbd/pool/image@snap", "id=a=b");
}

static void escapes_stand_for_bytes(void **state)
{
	(void)state;
	assert_parsed("file//srv/my~20disk~2c1~3A~25~3b~7e", "file//srv/my disk,1:%;~", "");
	assert_parsed("file/a;key=x~3By~3dz", "file/a", "key=x;y=z");
	assert_parsed("file/~c3~a9", "file/\xc3\xa9", "");
	/* A tilde that is not followed by two digits is an ordinary character. */
	assert_parsed("file/a.img~", "file/a.img~", "");
	assert_parsed("file/a~2", "file/a~2", "");
	assert_parsed("file/a~~20~zz", "file/a~ ~zz", "");
}

static void mistakes_are_named(void **state)
{
	char text[300] = "file/a";

	(void)state;
	assert_refused("", "HANDLER/CONFIG");
	assert_refused("file", "HANDLER/CONFIG");
	assert_refused("/a", "HANDLER/CONFIG");
	assert_refused("file;cache=none", "HANDLER/CONFIG");
	assert_refused("file/a;", "KEY=VALUE");
	assert_refused("file/a;=none", "KEY=VALUE");
	assert_refused("file/a;cache=none;cache=none", "cache is given twice");
	assert_refused("file/a~00b", "~00");
	assert_refused("file/a;key=~00", "~00");
	for (int i = 0; i <= STORAGE_SPEC_OPTIONS_MAX; i++)
		sprintf(text + strlen(text), ";k%d=v", i);
	assert_refused(text, "more than");
}

/* The options after a filter belong to this filter, and not to the handler or to another filter. */
static void filters_have_options_of_their_own(void **state)
{
	struct storage_spec spec;
	struct error error = {""};

	(void)state;
	if (storage_spec_parse(
		&spec, "file/a;cache=none;filter=delay;read=5~20ms;write=1ms;filter=error;filter=delay",
		&error))
		fail_msg("%s", error.text);
	assert_string_equal(spec.config, "file/a");
	assert_int_equal(spec.noptions, 1);
	assert_int_equal(spec.nfilters, 3);
	const struct backstore_filter_spec *filters = spec.backstore_filters;
	assert_string_equal(filters[0].name, "delay");
	assert_int_equal(filters[0].noptions, 2);
	assert_string_equal(filters[0].options[0].name, "read");
	assert_string_equal(filters[0].options[0].value, "5 ms");
	assert_string_equal(filters[0].options[1].name, "write");
	assert_string_equal(filters[1].name, "error");
	assert_int_equal(filters[1].noptions, 0);
	assert_string_equal(filters[2].name, "delay");
	storage_spec_free(&spec);
}

static void filters_begin_at_a_known_place(void **state)
{
	(void)state;
	assert_int_equal(storage_spec_filters_at("file/a"), strlen("file/a"));
	assert_int_equal(storage_spec_filters_at("file/a;x=filter=b"), strlen("file/a;x=filter=b"));
	assert_int_equal(storage_spec_filters_at("file/a;x=1;filter=b;filter=c"), strlen("file/a;x=1"));
}

static void mistakes_in_filters_are_named(void **state)
{
	char text[300] = "file/a";

	(void)state;
	assert_refused("file/a;cache=none;filter=", "filter= is not followed by the name of a filter");
	assert_refused("file/a;filter;read=1", "filter= is not followed by the name of a filter");
	assert_refused("file/a;filter=delay;read=1;read=2", "option read is given twice for filter delay");
	for (int i = 0; i <= TCMUR_FILTERS_MAX; i++)
		strcat(text, ";filter=delay");
	assert_refused(text, "more than 8 filters");
}

static void every_name_has_an_escaped_form(void **state)
{
	struct storage_spec spec;
	char name[256], text[800];

	(void)state;
	for (unsigned i = 0; i < 255; i++)
		name[i] = (char)(i + 1);
	name[255] = '\0';
	CLEANUP_FREE char *escaped = storage_spec_escape(name);
	assert_non_null(escaped);
	assert_null(strpbrk(escaped, " ,:;%\"'`^|{}\\$&*?#!()<>[]=\n\x7f\xc3"));
	sprintf(text, "file/%s", escaped);
	assert_int_equal(storage_spec_parse(&spec, text, NULL), 0);
	assert_string_equal(spec.config + strlen("file/"), name);
	storage_spec_free(&spec);
}

/* --- file names that are older than the escape --- */

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/spec.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

/* Checks CONFIG while a file with this name is in the folder. */
static int check_beside(const char *name, const char *config, struct error *error)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	int err = storage_spec_check_literal(config, folder, error);
	assert_int_equal(unlink(path), 0);
	return err;
}

static void no_text_silently_changes_its_meaning(void **state)
{
	struct error error;
	char text[128], expected[128];

	(void)state;
	assert_int_equal(check_beside("a;b", "file/a;b", &error), -EINVAL);
	assert_non_null(strstr(error.text, "'a;b' exists"));
	assert_non_null(strstr(error.text, "write file/a~3bb"));
	assert_int_equal(check_beside("a;b", "file/a;b;cache=none", &error), -EINVAL);
	assert_int_equal(check_beside("a~20b", "file/a~20b", &error), -EINVAL);
	assert_non_null(strstr(error.text, "write file/a~7e20b"));
	snprintf(text, sizeof(text), "file/%s/a;b=c d", folder);
	assert_int_equal(check_beside("a;b=c d", text, &error), -EINVAL);
	snprintf(expected, sizeof(expected), "write file/%s/a~3bb~3dc~20d", folder);
	assert_non_null(strstr(error.text, expected));
}

static void other_files_do_not_matter(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(check_beside("a", "file/a;cache=none", &error), 0);
	assert_int_equal(check_beside("a b", "file/a~20b", &error), 0);
	assert_int_equal(check_beside("a~", "file/a~", &error), 0);
	assert_int_equal(check_beside("a,b", "file/a,b", &error), 0);
	assert_int_equal(storage_spec_check_literal("file", folder, &error), 0);
}

static void an_option_of_a_filter_changes(void **state)
{
	static const char text[] =
	    "file//a~20b;cache=none;filter=delay;read=1ms;write=2ms;filter=error;read=3";
	static const struct {
		unsigned number;
		const char *name, *value, *changed;
	} cases[] = {
	    {0, "read", "5ms", "file//a~20b;cache=none;filter=delay;write=2ms;read=5ms;filter=error;read=3"},
	    {0, "flush", "1 ;%",
	     "file//a~20b;cache=none;filter=delay;read=1ms;write=2ms;flush=1~20~3b~25;filter=error;read=3"},
	    {0, "write", NULL, "file//a~20b;cache=none;filter=delay;read=1ms;filter=error;read=3"},
	    {1, "read", NULL, "file//a~20b;cache=none;filter=delay;read=1ms;write=2ms;filter=error"},
	    {1, "lba", "9",
	     "file//a~20b;cache=none;filter=delay;read=1ms;write=2ms;filter=error;read=3;lba=9"},
	    {1, "cache", NULL, text},
	    {2, "read", "9", text},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *changed =
		    storage_spec_with_filter_option(text, cases[i].number, cases[i].name, cases[i].value);

		assert_string_equal(changed, cases[i].changed);
		assert_true(storage_spec_has_same_chain(text, changed));
		free(changed);
	}
}

static void the_chain_is_the_storage_and_its_filters(void **state)
{
	static const char text[] = "alloc/a;hugepages=no;filter=delay;read=1ms;filter=error";

	(void)state;
	assert_true(storage_spec_has_same_chain("alloc/a", "alloc/a"));
	assert_true(
	    storage_spec_has_same_chain(text, "alloc/a;hugepages=no;filter=delay;filter=error;count=1"));
	assert_false(storage_spec_has_same_chain(text, "alloc/b;hugepages=no;filter=delay;filter=error"));
	assert_false(storage_spec_has_same_chain(text, "alloc/a;filter=delay;filter=error"));
	assert_false(storage_spec_has_same_chain(text, "alloc/a;hugepages=no;filter=error;filter=delay"));
	assert_false(storage_spec_has_same_chain(text, "alloc/a;hugepages=no;filter=delay"));
	assert_false(
	    storage_spec_has_same_chain(text, "alloc/a;hugepages=no;filter=delay;filter=error;x=1;x=2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_follow_the_configuration),
	    cmocka_unit_test(escapes_stand_for_bytes),
	    cmocka_unit_test(mistakes_are_named),
	    cmocka_unit_test(filters_have_options_of_their_own),
	    cmocka_unit_test(filters_begin_at_a_known_place),
	    cmocka_unit_test(mistakes_in_filters_are_named),
	    cmocka_unit_test(an_option_of_a_filter_changes),
	    cmocka_unit_test(the_chain_is_the_storage_and_its_filters),
	    cmocka_unit_test(every_name_has_an_escaped_form),
	    cmocka_unit_test(no_text_silently_changes_its_meaning),
	    cmocka_unit_test(other_files_do_not_matter),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
