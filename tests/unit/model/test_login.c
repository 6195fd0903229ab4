/* SPDX-License-Identifier: Apache-2.0 */
/* Which initiators may log in, which account they use, and what discovery shows them. */
#include "model_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "model/private.h"

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage address = {0};

	if (strchr(text, ':')) {
		address.ss_family = AF_INET6;
		assert_int_equal(inet_pton(AF_INET6, text, &((struct sockaddr_in6 *)&address)->sin6_addr), 1);
	} else {
		address.ss_family = AF_INET;
		assert_int_equal(inet_pton(AF_INET, text, &((struct sockaddr_in *)&address)->sin_addr), 1);
	}
	return address;
}

static void access_is_denied_by_default(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN);
	struct model_login *login;

	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_NOT_ADMITTED);
	assert_false(login->reveal);
	model_login_free(login);
	fixture_create(f, tpg, MODEL_ACL, "IQN.2026-11.com.example:HOST", NULL);
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_ADMITTED);
	assert_string_equal(login->target, IQN);
	assert_int_equal(login->tag, 1);
	assert_int_equal(login->queue_depth, 64);
	assert_false(login->authenticate);
	model_login_free(login);
	fixture_settle(f);
}

static void a_portal_selects_its_tpg(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN);
	struct model_object *other = fixture_create(f, model_parent(tpg), MODEL_TPG, "tpgt_7", NULL);
	struct model_object *portal = fixture_create(f, other, MODEL_PORTAL, "[::1]:3261", NULL);
	struct sockaddr_storage peer = address("::1");
	struct model_login *login;

	fixture_create(f, other, MODEL_ACL, INITIATOR, NULL);
	assert_int_equal(model_login(f->model, IQN, portal->np, INITIATOR, &peer, &login), MODEL_DISABLED);
	assert_int_equal(model_login(f->model, IQN, portal->np, INITIATOR "0", &peer, &login),
			 MODEL_NO_TARGET);
	assert_int_equal(fixture_enable(f, other, true), 0);
	assert_int_equal(model_login(f->model, IQN, portal->np, INITIATOR, &peer, &login), MODEL_ADMITTED);
	assert_int_equal(login->tag, 7);
	model_login_free(login);
	assert_int_equal(model_login(f->model, IQN "x", portal->np, INITIATOR, &peer, &login),
			 MODEL_NO_TARGET);
	fixture_settle(f);
}

static void accounts(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN);
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	struct model_login *login;
	char text[MODEL_TEXT_SIZE];

	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	assert_int_equal(fixture_set(f, tpg, "attrib", "authentication", "1"), 0);
	assert_int_equal(fixture_set(f, tpg, "auth", "userid", "everybody"), 0);
	assert_int_equal(fixture_set(f, tpg, "auth", "password", "secret of everybody"), 0);
	assert_int_equal(fixture_set(f, acl, "auth", "userid", "host"), 0);
	assert_int_equal(fixture_set(f, acl, "auth", "password", "secret of the host"), 0);
	assert_int_equal(fixture_set(f, acl, "auth", "password_mutual", "secret of the host"), -EINVAL);
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_ADMITTED);
	assert_true(login->authenticate);
	assert_string_equal(login->auth.user, "host");
	assert_string_equal(login->auth.secret, "secret of the host");
	assert_string_equal(login->auth.mutual_secret, "");
	model_login_free(login);
	assert_int_equal(fixture_login(f, tpg, INITIATOR "2", &login), MODEL_ADMITTED);
	assert_string_equal(login->auth.user, "everybody");
	model_login_free(login);
	assert_int_equal(fixture_set(f, acl, "attrib", "authentication", "0"), 0);
	assert_int_equal(fixture_set(f, tpg, "attrib", "default_cmdsn_depth", "9"), 0);
	assert_string_equal(model_get(acl, model_known(MODEL_A_ACL_CMDSN_DEPTH), text), "9");
	assert_int_equal(fixture_set(f, acl, "", "cmdsn_depth", "17"), 0);
	assert_string_equal(model_get(acl, model_known(MODEL_A_ACL_CMDSN_DEPTH), text), "17");
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_ADMITTED);
	assert_false(login->authenticate);
	assert_int_equal(login->queue_depth, 17);
	model_login_free(login);
	fixture_settle(f);
}

/* An attribute that was set applies. Otherwise the option of the daemon applies. */
static void time_limits(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN);
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	struct model_login *login;

	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_ADMITTED);
	assert_int_equal(login->login_timeout_s, MODEL_UNSET);
	assert_int_equal(login->nopin_interval_s, MODEL_UNSET);
	assert_int_equal(login->nopin_timeout_s, MODEL_UNSET);
	assert_int_equal(login->dataout_timeout_s, MODEL_UNSET);
	model_login_free(login);
	assert_int_equal(fixture_set(f, tpg, "attrib", "login_timeout", "15"), 0);
	assert_int_equal(fixture_set(f, acl, "attrib", "nopin_timeout", "0"), 0);
	assert_int_equal(fixture_set(f, acl, "attrib", "nopin_response_timeout", "60"), 0);
	assert_int_equal(fixture_set(f, acl, "attrib", "dataout_timeout", "2"), 0);
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_ADMITTED);
	assert_int_equal(login->login_timeout_s, 15);
	assert_int_equal(login->nopin_interval_s, 0);
	assert_int_equal(login->nopin_timeout_s, 60);
	assert_int_equal(login->dataout_timeout_s, 2);
	model_login_free(login);
	fixture_settle(f);
}

static const char *dynamic_sessions(const struct model_object *tpg)
{
	static char text[MODEL_TEXT_SIZE];

	return model_get(tpg, model_attribute(MODEL_TPG, "", "dynamic_sessions"), text);
}

/* Begins and ends a session of the initiator. Returns its queue depth, or 0 if the login was refused. */
static unsigned log_in_and_out(struct fixture *f, struct model_object *tpg, const char *initiator)
{
	struct model_login *login;
	struct model_dynamic *dynamic;
	unsigned depth = 0;

	if (fixture_login(f, tpg, initiator, &login) == MODEL_ADMITTED) {
		depth = login->queue_depth;
		assert_int_equal(model_dynamic_begin(login->view, initiator, depth, &dynamic), 0);
		model_dynamic_end(dynamic);
	}
	model_login_free(login);
	fixture_settle(f);
	return depth;
}

/* Without cache_dynamic_acls, the end of the session is the end of the dynamic ACL. */
static void initiators_are_forgotten(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN);

	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR), 64);
	assert_string_equal(dynamic_sessions(tpg), "");
	assert_int_equal(fixture_set(f, tpg, "attrib", "default_cmdsn_depth", "8"), 0);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR), 8);
	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "0"), 0);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR), 0);
}

static void initiators_are_remembered(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN), *acl;

	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	assert_int_equal(fixture_set(f, tpg, "attrib", "cache_dynamic_acls", "1"), 0);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR "2"), 64);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR), 64);
	assert_string_equal(dynamic_sessions(tpg), INITIATOR "2\n" INITIATOR);
	assert_int_equal(fixture_set(f, tpg, "attrib", "default_cmdsn_depth", "8"), 0);
	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "0"), 0);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR "3"), 0);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR), 64);
	/* The ACL of an initiator replaces the values that the TPG has remembered. */
	acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	assert_int_equal(model_known_number(acl, MODEL_A_ACL_CMDSN_DEPTH), 64);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR), 64);
	assert_string_equal(dynamic_sessions(tpg), INITIATOR "2");
	assert_int_equal(fixture_delete(f, acl, false), 0);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR), 0);
	/* Address rules also apply to remembered initiators, and a disabled TPG still remembers them. */
	assert_int_equal(fixture_set(f, tpg, "attrib", "denied_addresses", "127.0.0.1"), 0);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR "2"), 0);
	assert_int_equal(fixture_set(f, tpg, "attrib", "denied_addresses", ""), 0);
	assert_int_equal(fixture_enable(f, tpg, false), 0);
	assert_int_equal(fixture_enable(f, tpg, true), 0);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR "2"), 64);
	assert_int_equal(fixture_set(f, tpg, "attrib", "cache_dynamic_acls", "0"), 0);
	assert_string_equal(dynamic_sessions(tpg), "");
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR "2"), 0);
}

/* The ACL is created while the initiator has a session without it, and is logging in a second time. */
static void acl_of_a_session(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN);
	struct model_dynamic *dynamic, *other, *none;
	struct model_login *login;

	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	assert_int_equal(fixture_set(f, tpg, "attrib", "cache_dynamic_acls", "1"), 0);
	assert_int_equal(fixture_set(f, tpg, "attrib", "default_cmdsn_depth", "8"), 0);
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_ADMITTED);
	assert_int_equal(model_dynamic_begin(login->view, INITIATOR, login->queue_depth, &dynamic), 0);
	assert_int_equal(model_dynamic_begin(login->view, INITIATOR "2", login->queue_depth, &other), 0);

	assert_int_equal(fixture_set(f, tpg, "attrib", "default_cmdsn_depth", "9"), 0);
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	assert_int_equal(model_known_number(acl, MODEL_A_ACL_CMDSN_DEPTH), 8);
	assert_int_equal(model_dynamic_begin(acl->view, INITIATOR, 8, &none), 0);
	assert_null(none);
	assert_int_equal(model_dynamic_begin(login->view, INITIATOR, 8, &none), -ESTALE);
	/* Sessions notice the ACL together with the changes that follow at the same time. */
	assert_false(model_dynamic_is_replaced(dynamic));
	fixture_settle(f);
	assert_true(model_dynamic_is_replaced(dynamic));
	assert_false(model_dynamic_is_replaced(other));
	assert_false(model_dynamic_is_replaced(NULL));

	struct model_view *view = model_dynamic_acl_view(dynamic);
	assert_ptr_equal(view, acl->view);
	model_view_put(view);
	model_dynamic_end(dynamic);
	model_dynamic_end(other);
	model_login_free(login);
	fixture_settle(f);
	assert_string_equal(dynamic_sessions(tpg), INITIATOR "2");
}

/*
 * An ACL is created and deleted while a session has not noticed it yet. This session does not prevent the
 * initiator from logging in again.
 */
static void acl_is_deleted_again(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN);
	struct model_dynamic *old, *fresh;
	struct model_login *login;

	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_ADMITTED);
	assert_int_equal(model_dynamic_begin(login->view, INITIATOR, 8, &old), 0);
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	assert_int_equal(fixture_delete(f, acl, false), 0);
	assert_null(model_dynamic_acl_view(old));
	assert_int_equal(model_dynamic_begin(login->view, INITIATOR, 8, &fresh), 0);
	assert_true(model_dynamic_is_replaced(old));
	assert_false(model_dynamic_is_replaced(fresh));
	model_dynamic_end(old);
	model_dynamic_end(fresh);
	model_login_free(login);
	fixture_settle(f);
	assert_string_equal(dynamic_sessions(tpg), "");
}

/* If an ACL is newer than a session, the initiator of the session has not proved its identity for the ACL. */
static void view_demands_login(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN);
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);

	assert_false(model_view_demands_login(acl->view));
	assert_int_equal(fixture_set(f, tpg, "attrib", "authentication", "1"), 0);
	assert_true(model_view_demands_login(acl->view));
	assert_false(model_view_demands_login(tpg->view));
	assert_int_equal(fixture_set(f, acl, "attrib", "authentication", "0"), 0);
	assert_false(model_view_demands_login(acl->view));
	assert_int_equal(fixture_set(f, tpg, "attrib", "authentication", "0"), 0);
	assert_int_equal(fixture_set(f, tpg, "param", "AuthMethod", "CHAP"), 0);
	assert_false(model_view_demands_login(acl->view));
	assert_int_equal(fixture_set(f, acl, "attrib", "authentication", "-1"), 0);
	assert_true(model_view_demands_login(acl->view));
}

/* Initiators choose their names, so the memory for them is limited. */
static void remembered_initiators_are_limited(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN);
	struct model_dynamic *first;
	struct model_login *login;
	char name[64];

	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	assert_int_equal(fixture_set(f, tpg, "attrib", "cache_dynamic_acls", "1"), 0);
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_ADMITTED);
	assert_int_equal(model_dynamic_begin(login->view, INITIATOR, login->queue_depth, &first), 0);
	for (unsigned i = 0; i < MODEL_DYNAMIC_MAX + 2; i++) {
		snprintf(name, sizeof(name), "%s%u", INITIATOR, i);
		assert_int_equal(log_in_and_out(f, tpg, name), 64);
	}
	assert_int_equal(tpg->ncached, MODEL_DYNAMIC_MAX);
	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "0"), 0);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR "1"), 0);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR "2"), 64);
	/* The session that began first has ended last. */
	model_dynamic_end(first);
	model_login_free(login);
	assert_int_equal(tpg->ncached, MODEL_DYNAMIC_MAX);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR "3"), 0);
	assert_int_equal(log_in_and_out(f, tpg, INITIATOR), 64);
}

/* The attribute write-protects the mapped LUNs that are created while it is set, and no others. */
static void prod_mode_write_protect(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN);
	struct model_object *acl = fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	struct model_object *lun = fixture_create(f, tpg, MODEL_LUN, "lun_0", fixture_disk(f, "user_0/disk"));
	struct model_login *login;

	fixture_create(f, acl, MODEL_MAPPED_LUN, "lun_0", lun);
	assert_int_equal(fixture_set(f, tpg, "attrib", "prod_mode_write_protect", "1"), 0);
	struct model_object *mapped = fixture_create(f, acl, MODEL_MAPPED_LUN, "lun_1", lun);
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_ADMITTED);
	struct model_map *map = model_view_map(login->view);

	assert_false(model_entry_is_write_protected(model_map_entry(map, 0)));
	assert_true(model_entry_is_write_protected(model_map_entry(map, 1)));
	assert_int_equal(fixture_set(f, mapped, "", "write_protect", "0"), 0);
	assert_false(model_entry_is_write_protected(model_map_entry(map, 1)));
	model_map_put(map);
	model_login_free(login);
	fixture_settle(f);
}

static void address_rules(void **state)
{
	static const struct {
		const char *list, *address;
		bool has;
	} cases[] = {
	    {"10.0.0.0/8", "10.255.1.2", true},
	    {"10.0.0.0/8", "11.0.0.1", false},
	    {"192.0.2.7", "192.0.2.7", true},
	    {"192.0.2.7", "192.0.2.8", false},
	    {"192.0.2.0/25", "192.0.2.127", true},
	    {"192.0.2.0/25", "192.0.2.128", false},
	    {"0.0.0.0/0", "192.0.2.128", true},
	    {"0.0.0.0/0", "2001:db8::1", false},
	    {"2001:db8::/32,10.0.0.0/8", "2001:db8:1::1", true},
	    {"2001:db8::/33", "2001:db8:8000::1", false},
	    {"10.0.0.0/8", "::ffff:10.1.2.3", true},
	    {"::ffff:10.1.2.3", "10.1.2.3", true},
	    {"::ffff:10.1.2.3", "10.1.2.4", false},
	    {"::ffff:10.0.0.0/104", "::ffff:10.1.2.3", true},
	    {"::ffff:10.0.0.0/104", "11.1.2.3", false},
	    {"::ffff:0:0/96", "192.0.2.128", true},
	    {"::ffff:0:0/96", "2001:db8::1", false},
	    {"", "10.1.2.3", false},
	};
	static const char *const bad[] = {"10.0.0.0/33", "10.0.0/8",    "10.0.0.0/",
					  "x",           "10.0.0.0/8,", ",10.0.0.0/8",
					  "::/129",      "10.0.0.0/-1", "10.0.0.0/ 8"};
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sockaddr_storage peer = address(cases[i].address);

		assert_int_equal(model_addresses_check(cases[i].list, &error), 0);
		assert_int_equal(model_addresses_have(cases[i].list, &peer), cases[i].has);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(model_addresses_check(bad[i], &error), -EINVAL);
}

/*
 * A network has no bits after its length, as saveconfig.md says. The error contains both networks that may be
 * meant.
 */
static void networks_with_host_bits(void **state)
{
	static const char *const cases[][3] = {
	    {"192.0.2.7,10.0.0.1/8", "10.0.0.0/8", "10.0.0.1 "},
	    {"192.0.2.129/25", "192.0.2.128/25", "192.0.2.129 "},
	    {"0.0.0.1/0", "0.0.0.0/0", "0.0.0.1 "},
	    {"2001:db8::1/32", "2001:db8::/32", "2001:db8::1 "},
	    {"2001:db8:8000::/32", "2001:db8::/32", "2001:db8:8000:: "},
	    {"::ffff:10.0.0.1/104", "10.0.0.0/8", "10.0.0.1 "},
	};
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(model_addresses_check(cases[i][0], &error), -EINVAL);
		for (size_t part = 1; part < 3; part++)
			if (!strstr(error.text, cases[i][part]))
				fail_msg("'%s' gave '%s'", cases[i][0], error.text);
	}
	assert_int_equal(model_addresses_check("10.0.0.1/32,::1/128,0.0.0.0/0,::/0,10.64.0.0/10", &error), 0);
}

/* The name and the address must both be allowed. If one of them is denied, the login is refused. */
static void names_and_addresses(void **state)
{
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN);
	struct model_login *login;

	fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	assert_int_equal(fixture_set(f, tpg, "attrib", "allowed_addresses", "10.0.0.0/8,nonsense"), -EINVAL);
	assert_int_equal(fixture_set(f, tpg, "attrib", "allowed_addresses", "10.0.0.0/8"), 0);
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_NOT_ADMITTED);
	model_login_free(login);
	assert_int_equal(fixture_set(f, tpg, "attrib", "allowed_addresses", "10.0.0.0/8,127.0.0.0/8"), 0);
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_ADMITTED);
	model_login_free(login);
	assert_int_equal(fixture_set(f, tpg, "attrib", "denied_addresses", "127.0.0.1"), 0);
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_NOT_ADMITTED);
	model_login_free(login);
	fixture_settle(f);
}

/* What an administrator changes while an initiator is logging in. */
static void logins_in_progress(void **state)
{
	static const struct {
		const char *group, *name, *before, *after;
		bool holds;
	} cases[] = {
	    {"attrib", "denied_addresses", "", "127.0.0.1", false},
	    {"attrib", "denied_addresses", "", "127.0.0.2", true},
	    {"attrib", "allowed_addresses", "", "192.0.2.0/24", false},
	    {"attrib", "generate_node_acls", "1", "0", false},
	    {"attrib", "authentication", "0", "1", false},
	    {"param", "AuthMethod", "CHAP,None", "CHAP", false},
	    {"auth", "password", "secret-before", "secret-after", false},
	    {"auth", "more_accounts", "", "other secret-of-other", false},
	    {"attrib", "default_cmdsn_depth", "64", "8", true},
	    {"attrib", "authentication", "1", "0", true},
	};
	struct fixture *f = *state;
	struct model_object *tpg = fixture_tpg(f, IQN);
	struct model_login *login;

	assert_int_equal(fixture_set(f, tpg, "attrib", "generate_node_acls", "1"), 0);
	assert_int_equal(fixture_set(f, tpg, "auth", "userid", "user"), 0);
	assert_int_equal(fixture_set(f, tpg, "auth", "password", "secret-before"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(fixture_set(f, tpg, cases[i].group, cases[i].name, cases[i].before), 0);
		assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_ADMITTED);
		assert_true(model_login_holds(login, INITIATOR));
		assert_int_equal(fixture_set(f, tpg, cases[i].group, cases[i].name, cases[i].after), 0);
		if (model_login_holds(login, INITIATOR) != cases[i].holds)
			fail_msg("%s=%s", cases[i].name, cases[i].after);
		model_login_free(login);
		assert_int_equal(fixture_set(f, tpg, cases[i].group, cases[i].name, cases[i].before), 0);
	}
	assert_int_equal(fixture_login(f, tpg, INITIATOR, &login), MODEL_ADMITTED);
	fixture_create(f, tpg, MODEL_ACL, INITIATOR, NULL);
	assert_false(model_login_holds(login, INITIATOR));
	model_login_free(login);
	fixture_settle(f);
}

static bool count_portal(void *arg, const char *target, uint16_t tag, const struct model_np *np,
			 const char *public_text)
{
	unsigned *count = arg;

	(void)target, (void)tag, (void)np, (void)public_text;
	++*count;
	return true;
}

static unsigned discover(struct fixture *f, const char *initiator, const char *target)
{
	struct sockaddr_storage peer = address("127.0.0.1");
	unsigned count = 0;

	assert_true(model_discover(f->model, initiator, &peer, target, count_portal, &count));
	return count;
}

static void discovery(void **state)
{
	struct fixture *f = *state;
	struct model_object *open = fixture_tpg(f, IQN), *closed = fixture_tpg(f, IQN "2");
	struct sockaddr_storage peer = address("127.0.0.1");
	unsigned generation = model_discovery_generation(f->model);

	fixture_create(f, open, MODEL_PORTAL, "[::1]:3260", NULL);
	assert_int_equal(discover(f, INITIATOR, NULL), 3); /* LIO's demo_mode_discovery */
	assert_int_equal(fixture_set(f, open, "attrib", "demo_mode_discovery", "0"), 0);
	assert_int_equal(fixture_set(f, closed, "attrib", "demo_mode_discovery", "0"), 0);
	assert_int_equal(discover(f, INITIATOR, NULL), 0);
	assert_false(model_knows_initiator(f->model, INITIATOR, &peer));
	fixture_create(f, open, MODEL_ACL, INITIATOR, NULL);
	assert_true(model_knows_initiator(f->model, INITIATOR, &peer));
	assert_int_equal(discover(f, INITIATOR, NULL), 2);
	assert_int_equal(discover(f, INITIATOR, IQN), 2);
	assert_int_equal(discover(f, INITIATOR, IQN "2"), 0);
	assert_int_equal(fixture_enable(f, open, false), 0);
	assert_int_equal(discover(f, INITIATOR, NULL), 0);
	assert_int_equal(fixture_set(f, open, "attrib", "tpg_enabled_sendtargets", "0"), 0);
	assert_int_equal(discover(f, INITIATOR, NULL), 2);
	assert_int_not_equal(model_discovery_generation(f->model), generation);
}

static void discovery_account(void **state)
{
	struct fixture *f = *state;
	struct model_auth auth;

	assert_false(model_discovery_auth(f->model, &auth));
	assert_int_equal(fixture_set(f, f->root, "discovery_auth", "userid", "host"), 0);
	assert_int_equal(fixture_set(f, f->root, "discovery_auth", "password", "secret of the host"), 0);
	assert_int_equal(fixture_set(f, f->root, "discovery_auth", "enforce_discovery_auth", "1"), 0);
	assert_true(model_discovery_auth(f->model, &auth));
	assert_string_equal(auth.user, "host");
	assert_string_equal(auth.secret, "secret of the host");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(access_is_denied_by_default),
	    TEST(a_portal_selects_its_tpg),
	    TEST(accounts),
	    TEST(time_limits),
	    TEST(initiators_are_forgotten),
	    TEST(initiators_are_remembered),
	    TEST(acl_of_a_session),
	    TEST(acl_is_deleted_again),
	    TEST(view_demands_login),
	    TEST(remembered_initiators_are_limited),
	    TEST(prod_mode_write_protect),
	    TEST(address_rules),
	    TEST(networks_with_host_bits),
	    TEST(names_and_addresses),
	    TEST(logins_in_progress),
	    TEST(discovery),
	    TEST(discovery_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
