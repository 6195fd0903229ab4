/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "model/target.h"

#define A     "iqn.2026-11.io.tcmu-runner:a"
#define B     "iqn.2026-11.io.tcmu-runner:b"
#define HOST  "iqn.1994-05.com.redhat:host"
#define OTHER "iqn.1994-05.com.redhat:other"

static int setup(void **state)
{
	*state = target_model_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	target_model_free(*state);
	return 0;
}

static void targets(void **state)
{
	struct target_model *model = *state;
	struct error error = {""};
	struct target *a = target_add(model, "IQN.2026-11.io.tcmu-runner:A", &error);
	struct target *b = target_add(model, B, &error);

	assert_string_equal(a->name, A);
	assert_int_equal(a->tpg_tag, 1);
	assert_int_equal(a->relative_port, 1);
	assert_int_equal(b->relative_port, 2);
	assert_ptr_equal(target_find(model, A), a);
	assert_ptr_equal(target_find(model, B), b);
	assert_null(target_find(model, "iqn.2026-11.io.tcmu-runner:c"));
	assert_ptr_equal(target_first(model), a);
	assert_ptr_equal(target_next(a), b);
	assert_null(target_next(b));

	assert_null(target_add(model, A, &error));
	assert_non_null(strstr(error.text, "a target with this name exists already"));
	assert_null(target_add(model, "disk", &error));
	assert_non_null(strstr(error.text, "disk: no iSCSI name"));
}

static void default_is_deny(void **state)
{
	struct target *target = target_add(*state, A, NULL);
	const struct target_auth *auth;

	assert_false(target_admits(target, HOST, &auth));
	assert_int_equal(target_add_acl(target, "IQN.1994-05.com.redhat:HOST", NULL, NULL), 0);
	assert_true(target_admits(target, HOST, &auth));
	assert_null(auth);
	assert_false(target_admits(target, OTHER, &auth));
	target->allow_any = true;
	assert_true(target_admits(target, OTHER, &auth));
}

static void accounts(void **state)
{
	struct target *target = target_add(*state, A, NULL);
	const struct target_auth own = {.user = "host", .secret = "host secret 123"};
	const struct target_auth *auth;

	strcpy(target->auth.user, "all");
	strcpy(target->auth.secret, "everyone's secret");
	target->allow_any = true;
	assert_int_equal(target_add_acl(target, HOST, &own, NULL), 0);
	assert_true(target_admits(target, HOST, &auth));
	assert_string_equal(auth->user, "host");
	assert_true(target_admits(target, OTHER, &auth));
	assert_ptr_equal(auth, &target->auth);
}

static void bad_acls(void **state)
{
	struct target *target = target_add(*state, A, NULL);
	const struct target_auth no_secret = {.user = "u"};
	const struct target_auth no_user = {.secret = "s"};
	const struct target_auth only_mutual = {.mutual_user = "u", .mutual_secret = "s"};
	const struct target_auth half_mutual = {.user = "u", .secret = "s", .mutual_user = "m"};
	const struct target_auth same = {
	    .user = "u", .secret = "s", .mutual_user = "m", .mutual_secret = "s"};
	const struct target_auth *const bad[] = {&no_secret, &no_user, &only_mutual, &half_mutual, &same};
	struct error error = {""};
	char longname[400];
	const struct target_auth *auth;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(target_add_acl(target, HOST, bad[i], &error), -EINVAL);
		assert_non_null(strstr(error.text, HOST));
		assert_false(target_admits(target, HOST, &auth));
	}
	assert_non_null(strstr(error.text, "must differ"));
	assert_int_equal(target_add_acl(target, "host", NULL, &error), -EINVAL);
	memset(longname, 'a', sizeof(longname) - 1);
	longname[sizeof(longname) - 1] = '\0';
	assert_int_equal(target_add_acl(target, longname, NULL, &error), -EINVAL);
	assert_int_equal(target_add_acl(target, HOST, NULL, &error), 0);
	assert_int_equal(target_add_acl(target, HOST, NULL, &error), -EEXIST);
}

static void luns(void **state)
{
	struct target *target = target_add(*state, A, NULL);
	int place;
	struct scsi_lu *lu = (struct scsi_lu *)&place; /* never looked into */

	assert_int_equal(target_set_lun(target, 0, lu, NULL), 0);
	assert_int_equal(target_set_lun(target, TARGET_MAX_LUNS - 1, lu, NULL), 0);
	assert_ptr_equal(target->luns[TARGET_MAX_LUNS - 1], lu);
	assert_int_equal(target_set_lun(target, 0, lu, NULL), -EEXIST);
	assert_int_equal(target_set_lun(target, TARGET_MAX_LUNS, lu, NULL), -ERANGE);
	assert_int_equal(target_set_lun(target, 0, NULL, NULL), 0);
	assert_null(target->luns[0]);
}

static void portals(void **state)
{
	struct target_model *model = *state;
	struct error error = {""};

	assert_null(target_portals(model));
	assert_int_equal(target_add_portal(model, "127.0.0.1", &error), 0);
	assert_int_equal(target_add_portal(model, "[::1]:3261", &error), 0);
	assert_int_equal(target_add_portal(model, "127.0.0.1:3260", &error), -EEXIST);
	assert_int_equal(target_add_portal(model, "127.0.0.1:x", &error), -EINVAL);
	assert_string_equal(target_portals(model)->text, "127.0.0.1:3260");
	assert_string_equal(target_portals(model)->next->text, "[::1]:3261");
	assert_null(target_portals(model)->next->next);
	assert_int_equal(target_portals(model)->tpg_tag, 1);
}

static void discovery_account(void **state)
{
	const struct target_auth auth = {.user = "disco", .secret = "discovery secret"};
	const struct target_auth none = {.user = ""};

	assert_null(target_discovery_auth(*state));
	target_set_discovery_auth(*state, &auth);
	assert_string_equal(target_discovery_auth(*state)->user, "disco");
	target_set_discovery_auth(*state, &none);
	assert_null(target_discovery_auth(*state));
}

/* What a loop does at login and discovery, while the main thread adds to the model. */
static void *look_around(void *arg)
{
	struct target_model *model = arg;
	const struct target_auth *auth;
	unsigned seen = 0;

	while (seen < 200) {
		seen = 0;
		for (struct target *target = target_first(model); target; target = target_next(target)) {
			seen++;
			if (target_find(model, target->name) != target)
				return "a target is listed, but not found";
			if (target_admits(target, HOST, &auth) && strcmp(auth->user, "host") != 0)
				return "an ACL is seen half made";
		}
	}
	return NULL;
}

static void read_while_it_grows(void **state)
{
	const struct target_auth auth = {.user = "host", .secret = "host secret 123"};
	pthread_t reader[2];
	void *wrong;
	char name[64];

	for (unsigned r = 0; r < 2; r++)
		assert_int_equal(pthread_create(&reader[r], NULL, look_around, *state), 0);
	for (unsigned t = 0; t < 200; t++) {
		snprintf(name, sizeof(name), "%s%u", A, t);
		assert_int_equal(target_add_acl(target_add(*state, name, NULL), HOST, &auth, NULL), 0);
	}
	for (unsigned r = 0; r < 2; r++) {
		assert_int_equal(pthread_join(reader[r], &wrong), 0);
		assert_null(wrong);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(targets), TEST(default_is_deny), TEST(accounts),          TEST(bad_acls),
	    TEST(luns),    TEST(portals),         TEST(discovery_account), TEST(read_while_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
