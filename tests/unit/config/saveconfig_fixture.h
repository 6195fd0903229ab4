/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model on fake storage with a saveconfig.json in a folder of its own, and operations that the test waits
 * for.
 */
#ifndef TESTS_SAVECONFIG_FIXTURE_H
#define TESTS_SAVECONFIG_FIXTURE_H

#include "model_fixture.h"

#include "config/saveconfig.h"
#include "config/saveconfig_json.h"

#define TARGET "iqn.2003-01.org.linux-iscsi.host.x8664:sn.7a1b2c3d4e5f"
#define OPEN   "iqn.2026-11.com.example:open"
#define ACL    "iqn.1993-08.org.debian:01:aaaa"

struct test {
	struct fixture *f;
	struct saveconfig *config;
	char *folder, *path;
	/* The last operation. */
	bool done;
	int err;
	struct error error;
	char **lines;
	/* What the last operation has reported of its progress. */
	unsigned steps_done;
};

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

void on_done(void *arg, int err, const struct error *error, const char *const *lines);
int finish(struct test *t);
int save(struct test *t);
int restore(struct test *t);
int reload(struct test *t, bool discard);
int diff(struct test *t);
/* Returns whether a line of the last operation contains the text. */
bool said(const struct test *t, const char *text);
void assert_no_lines(const struct test *t);
void write_file(struct test *t, const char *text);
char *read_file(struct test *t);
void copy_file(struct test *t, const char *name);
/* Replaces text in the file. The text must be in the file. */
void edit_file(struct test *t, const char *old, const char *fresh);
JsonNode *parse_file(struct test *t);
bool file_has(struct test *t, const char *text);
/* Finds an object by "user_0/disk", or by "IQN tpgt_1 lun_0" with blanks between the names. */
struct model_object *find(struct test *t, const char *path);
void assert_value(struct test *t, const char *path, const char *group, const char *name, const char *text);
void assert_leads_to(struct test *t, const char *path, const char *to);
int set_up(void **state);
int tear_down(void **state);
/* Starts the daemon again, with an empty model. */
void start_again(struct test *t);
/*
 * Everything in the first value must be in the second one, in the same way. Lists must have the same
 * elements; elements that have a name may have another order.
 */
void assert_is_part(const char *place, JsonNode *part, JsonNode *whole);
#endif
