/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes: each row of the table is consistent, and wrong values change nothing. */
#include "model_fixture.h"

#include "model/private.h"

/* Creates one object of each kind. */
static void make_all(struct fixture *f, struct model_object *objects[MODEL_KINDS])
{
	struct model_object *tpg = fixture_tpg(f, IQN), *disk = fixture_disk(f, "user_0/disk");
	struct model_object *lun = fixture_create(f, tpg, MODEL_LUN, "lun_0", disk);
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);

	objects[MODEL_ROOT] = f->root;
	objects[MODEL_STORAGE] = fixture_create(f, f->root, MODEL_STORAGE, "user_1/other", NULL);
	objects[MODEL_TARGET] = model_parent(tpg);
	objects[MODEL_TPG] = fixture_create(f, model_parent(tpg), MODEL_TPG, "tpgt_2", NULL);
	objects[MODEL_PORTAL] = model_first(tpg, MODEL_PORTAL);
	objects[MODEL_LUN] = lun;
	objects[MODEL_ACL] = acl;
	objects[MODEL_MAPPED_LUN] = fixture_create(f, acl, MODEL_MAPPED_LUN, "lun_0", lun);
}

static void every_default_can_be_set(void **state)
{
	struct fixture *f = *state;
	struct model_object *objects[MODEL_KINDS];
	char text[MODEL_TEXT_SIZE];

	make_all(f, objects);
	for (unsigned kind = 0; kind < MODEL_KINDS; kind++) {
		const struct model_attribute *a;

		for (unsigned i = 0; (a = model_attribute_at(kind, i)); i++) {
			assert_ptr_equal(model_attribute(kind, a->group, a->name), a);
			assert_true(strlen(a->help) > 10 && a->help[strlen(a->help) - 1] == '.');
			/* The help of exactly those attributes that have no effect says so. */
			assert_int_equal(!!(a->flags & MODEL_NO_EFFECT), !!strstr(a->help, "no effect"));
			if (!strcmp(a->name, "rtpi"))
				continue; /* The attribute is set when the TPG is created. */
			assert_false(model_is_set(objects[kind], a));
			if (a->flags & MODEL_READ_ONLY) {
				assert_int_equal(fixture_set(f, objects[kind], a->group, a->name, "0"),
						 -EPERM);
				continue;
			}
			assert_string_equal(model_get(objects[kind], a, text), a->fallback);
			assert_int_equal(fixture_set(f, objects[kind], a->group, a->name, a->fallback), 0);
			assert_string_equal(model_get(objects[kind], a, text), a->fallback);
		}
	}
}

static void wrong_values_change_nothing(void **state)
{
	static const struct {
		enum model_kind kind;
		const char *group, *name, *text;
	} cases[] = {
	    {MODEL_TPG, "attrib", "authentication", "2"},
	    {MODEL_TPG, "attrib", "authentication", ""},
	    {MODEL_TPG, "attrib", "default_cmdsn_depth", "0"},
	    {MODEL_TPG, "attrib", "default_cmdsn_depth", "-1"},
	    {MODEL_TPG, "attrib", "default_cmdsn_depth", "99999999999999999999"},
	    {MODEL_TPG, "attrib", "default_cmdsn_depth", "12x"},
	    {MODEL_TPG, "param", "InitialR2T", "yes"},
	    {MODEL_TPG, "param", "HeaderDigest", "CRC32C,MD5"},
	    {MODEL_TPG, "param", "HeaderDigest", ""},
	    {MODEL_TPG, "param", "TargetAlias", "two\nlines"},
	    {MODEL_TPG, "param", "AuthMethod", "CHAP,Kerberos"},
	    {MODEL_TPG, "param", "MaxBurstLength", "511"},
	    {MODEL_TPG, "param", "MaxBurstLength", "16777216"},
	    {MODEL_TPG, "param", "FirstBurstLength", "16777216"},
	    {MODEL_TPG, "param", "MaxXmitDataSegmentLength", "0"},
	    {MODEL_TPG, "param", "MaxOutstandingR2T", "0"},
	    {MODEL_TPG, "param", "MaxOutstandingR2T", "65536"},
	    {MODEL_TPG, "param", "DefaultTime2Wait", "3601"},
	    {MODEL_TPG, "param", "DefaultTime2Retain", "3601"},
	    {MODEL_TPG, "param", "ErrorRecoveryLevel", "3"},
	    {MODEL_TPG, "attrib", "login_timeout", "4"},
	    {MODEL_TPG, "auth", "more_accounts", "bob"},
	    {MODEL_TPG, "auth", "more_accounts", "bob "},
	    {MODEL_TPG, "auth", "more_accounts", " secret"},
	    {MODEL_TPG, "auth", "more_accounts", "bob secret,"},
	    {MODEL_TPG, "auth", "more_accounts", "bob secret,carol"},
	    {MODEL_ACL, "attrib", "nopin_timeout", "61"},
	    {MODEL_ACL, "attrib", "nopin_response_timeout", "2"},
	    {MODEL_ACL, "attrib", "authentication", "x"},
	    {MODEL_STORAGE, "control", "block_size", "1000"},
	    {MODEL_STORAGE, "wwn", "vendor_id", "more than eight"},
	    {MODEL_PORTAL, "", "advertise", "no port"},
	};
	struct fixture *f = *state;
	struct model_object *objects[MODEL_KINDS];
	char before[MODEL_TEXT_SIZE], after[MODEL_TEXT_SIZE];

	make_all(f, objects);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct model_object *object = objects[cases[i].kind];
		const struct model_attribute *a =
		    model_attribute(cases[i].kind, cases[i].group, cases[i].name);

		model_get(object, a, before);
		assert_int_equal(fixture_set(f, object, a->group, a->name, cases[i].text), -EINVAL);
		assert_non_null(strstr(f->error.text, model_kind_name(cases[i].kind)));
		assert_string_equal(model_get(object, a, after), before);
	}
	assert_int_equal(fixture_set(f, f->root, "attrib", "no_such", "1"), -ENOENT);
}

static void lists_ignore_case(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN);

	assert_int_equal(fixture_set(f, tpg, "param", "HeaderDigest", "None"), 0);
	assert_int_equal(fixture_set(f, tpg, "param", "HeaderDigest", "crc32c,none"), 0);
}

static void computed_values(void **state)
{
	struct fixture *f = *state;
	struct model_object *disk = fixture_disk(f, "user_0/disk");
	char text[MODEL_TEXT_SIZE];

	assert_string_equal(model_get(disk, model_attribute(MODEL_STORAGE, "health", "state"), text),
			    "served");
	assert_string_equal(model_get(disk, model_attribute(MODEL_STORAGE, "health", "sense_keys"), text),
			    "3=2");
	assert_string_equal(model_get(disk, model_attribute(MODEL_STORAGE, "attrib", "dev_size"), text),
			    "1048576");
	assert_string_equal(model_get(disk, model_attribute(MODEL_STORAGE, "attrib", "hw_max_sectors"), text),
			    "32768");
}

/* A value that was taken back is as if it had never been set. */
static void a_value_is_taken_back(void **state)
{
	struct fixture *f = *state;
	struct model_object *disk = fixture_create(f, f->root, MODEL_STORAGE, "user_0/disk", NULL);
	const struct model_attribute *a = model_attribute(MODEL_STORAGE, "attrib", "emulate_write_cache");

	assert_int_equal(fixture_set(f, disk, "attrib", "emulate_write_cache", "1"), 0);
	assert_true(model_is_set(disk, a));
	assert_int_equal(fixture_set(f, disk, "attrib", "emulate_write_cache", "auto"), 0);
	assert_false(model_is_set(disk, a));
	assert_int_equal(fixture_set(f, disk, "attrib", "emulate_write_cache", "automatic"), -EINVAL);
	assert_non_null(strstr(f->error.text, "0, 1 or auto"));
	assert_int_equal(fixture_set(f, disk, "attrib", "time_limit", "auto"), -EINVAL);
}

/* --- sessions --- */

#define MANY 40

static void list_many(void *arg, void (*fn)(void *fn_arg, const struct model_session *session), void *fn_arg)
{
	const unsigned *n = arg;
	char parameters[600];

	memset(parameters, 'p', sizeof(parameters));
	memcpy(&parameters[sizeof(parameters) - 2], "\n", 2);
	for (unsigned i = 0; i < *n; i++) {
		const struct model_session session = {
		    .target = IQN,
		    .tag = 1,
		    .initiator = INITIATOR,
		    .alias = "",
		    .peer = "192.0.2.1:4711",
		    .local = "192.0.2.2:3260",
		    .tsih = (uint16_t)(i + 1),
		    .parameters = parameters,
		};

		fn(fn_arg, &session);
	}
}

static unsigned count_lines(const char *text, const char *beginning)
{
	unsigned n = 0;

	for (const char *at = strstr(text, beginning); at; at = strstr(at + 1, beginning))
		n++;
	return n;
}

/* If the text has no room for all sessions, it has complete sessions and the number of those left out. */
static void many_sessions(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN);
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	const struct model_attribute *info = model_attribute(MODEL_ACL, "", "info");
	unsigned n = 1, more = 0;
	const struct model_front_end front_end = {.sessions = list_many, .arg = &n};
	char text[MODEL_TEXT_SIZE];

	f->model->front_end = &front_end;
	model_get(acl, info, text);
	assert_int_equal(count_lines(text, "InitiatorName: "), 1);
	assert_null(strstr(text, " more;"));
	n = MANY;
	model_get(acl, info, text);
	f->model->front_end = NULL;
	unsigned shown = count_lines(text, "InitiatorName: ");

	assert_int_equal(count_lines(text, "   Address 192.0.2.1:4711 TCP\n"), shown);
	assert_true(shown >= 2 && shown < MANY);
	assert_int_equal(
	    sscanf(strrchr(text, '\n'), "\n(and %u more; tcmuctl sessions lists all sessions)", &more), 1);
	assert_int_equal(shown + more, MANY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(every_default_can_be_set), TEST(wrong_values_change_nothing), TEST(lists_ignore_case),
	    TEST(computed_values),          TEST(a_value_is_taken_back),       TEST(many_sessions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
