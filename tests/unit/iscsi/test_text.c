/* SPDX-License-Identifier: Apache-2.0 */
/* Text requests in full feature phase, RFC 7143 11.10 and Appendix C. */
#include "initiator.h"
#include "iscsi_login/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>

struct session {
	struct initiator *i;
	struct sockaddr_storage local;
	struct iscsi_params params;
	struct iscsi_text_context context;
	struct sockaddr_storage peer;
	char *out;
	long len;
};

static void set_address(struct sockaddr_storage *addr, const char *address, uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = 1};

	memset(addr, 0, sizeof(*addr));
	if (inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		memcpy(addr, &v4, sizeof(v4));
	else if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
		memcpy(addr, &v6, sizeof(v6));
	else
		fail();
}

static int setup(void **state)
{
	struct session *s = calloc(1, sizeof(*s));

	s->i = initiator_new();
	admit_host(s->i);
	iscsi_params_init(&s->params);
	set_address(&s->local, "127.0.0.1", 3260);
	set_address(&s->peer, "127.0.0.1", 40000);
	s->context = (struct iscsi_text_context){
	    .model = s->i->model,
	    .initiator_name = HOST,
	    .np = first_np(s->i->disk),
	    .local = &s->local,
	    .peer = &s->peer,
	    .params = &s->params,
	};
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct session *s = *state;

	initiator_free(s->i);
	free(s->out);
	free(s);
	return 0;
}

static long ask_bytes(struct session *s, const char *text, size_t len)
{
	uint8_t *in = malloc(len ? len : 1);

	memcpy(in, text, len);
	free(s->out);
	s->len = iscsi_text_request(&s->context, in, len, &s->out);
	free(in);
	return s->len;
}

/* Sends one pair. Its NUL is sent as well. */
static long ask(struct session *s, const char *pair)
{
	return ask_bytes(s, pair, strlen(pair) + 1);
}

/* Adds another portal to both targets. */
static void add_portal(struct session *s, const char *text)
{
	fixture_create(s->i->f, s->i->disk, MODEL_PORTAL, text, NULL);
	fixture_create(s->i->f, s->i->hidden, MODEL_PORTAL, text, NULL);
}

/* want is the whole answer, with newlines in place of NULs. */
static void assert_text(struct session *s, const char *want)
{
	assert_true(s->len >= 0);
	assert_int_equal(s->len, strlen(want));
	for (long at = 0; at < s->len; at++)
		assert_int_equal(s->out[at], want[at] == '\n' ? '\0' : want[at]);
}

static void all_shows_what_is_admitted(void **state)
{
	struct session *s = *state;

	ask(s, "SendTargets=All");
	assert_text(s, "TargetName=" DISK "\nTargetAddress=127.0.0.1:3260,1\n");
	add_portal(s, "[::1]:3261");
	allow_any(s->i, s->i->hidden);
	ask(s, "SendTargets=All");
	assert_text(s, "TargetName=" DISK "\nTargetAddress=127.0.0.1:3260,1\nTargetAddress=[::1]:3261,1\n"
		       "TargetName=" HIDDEN "\nTargetAddress=127.0.0.1:3260,1\nTargetAddress=[::1]:3261,1\n");
	s->context.initiator_name = OTHER;
	ask(s, "SendTargets=All");
	assert_text(s, "TargetName=" HIDDEN "\nTargetAddress=127.0.0.1:3260,1\nTargetAddress=[::1]:3261,1\n");
}

static void by_name_in_discovery(void **state)
{
	struct session *s = *state;

	ask(s, "SendTargets=" DISK);
	assert_text(s, "TargetName=" DISK "\nTargetAddress=127.0.0.1:3260,1\n");
	ask(s, "SendTargets=IQN.2026-11.io.tcmu-runner:DISK");
	assert_text(s, "TargetName=" DISK "\nTargetAddress=127.0.0.1:3260,1\n");
	ask(s, "SendTargets=" HIDDEN); /* the answer is the same as for a target that does not exist */
	assert_text(s, "");
	ask(s, "SendTargets=" DISK "0");
	assert_text(s, "");
	ask(s, "SendTargets=all");
	assert_text(s, "");
	ask(s, "SendTargets="); /* a discovery session has no target */
	assert_text(s, "SendTargets=Reject\n");
}

static void own_target_in_a_normal_session(void **state)
{
	struct session *s = *state;

	allow_any(s->i, s->i->hidden);
	s->context.target = DISK;
	ask(s, "SendTargets=");
	assert_text(s, "TargetName=" DISK "\nTargetAddress=127.0.0.1:3260,1\n");
	ask(s, "SendTargets=" DISK);
	assert_text(s, "TargetName=" DISK "\nTargetAddress=127.0.0.1:3260,1\n");
	ask(s, "SendTargets=All");
	assert_text(s, "SendTargets=Reject\n");
	ask(s, "SendTargets=" HIDDEN);
	assert_text(s, "SendTargets=Reject\n");
	ask(s, "SendTargets=nobody");
	assert_text(s, "SendTargets=Reject\n");
}

/* A wildcard is shown as the address that received this connection. */
static void wildcards(void **state)
{
	static const struct {
		const char *portals[3], *local, *shown;
		unsigned mine;
	} cases[] = {
	    {{"0.0.0.0:3270"}, "192.0.2.7", "TargetAddress=192.0.2.7:3270,1\n", 0},
	    {{"[::]:3270"}, "2001:db8::7", "TargetAddress=[2001:db8::7]:3270,1\n", 0},
	    {{"[::]:3270"}, "fe80::7", "TargetAddress=[fe80::7]:3270,1\n", 0},
	    {{"[::]:3270"}, "::ffff:192.0.2.7", "TargetAddress=192.0.2.7:3270,1\n", 0},
	    {{"0.0.0.0:3270", "[::]:3271"}, "192.0.2.7", "TargetAddress=192.0.2.7:3270,1\n", 0},
	    {{"0.0.0.0:3270", "*:3271"},
	     "192.0.2.7",
	     "TargetAddress=192.0.2.7:3270,1\nTargetAddress=192.0.2.7:3271,1\n",
	     0},
	    {{"0.0.0.0:3270", "0.0.0.0:3271"},
	     "192.0.2.7",
	     "TargetAddress=192.0.2.7:3270,1\nTargetAddress=192.0.2.7:3271,1\n",
	     0},
	    {{"192.0.2.7:3270", "0.0.0.0:3271", "192.0.2.8:3270"},
	     "192.0.2.7",
	     "TargetAddress=192.0.2.7:3270,1\nTargetAddress=192.0.2.7:3271,1\nTargetAddress=192.0.2.8:3270,"
	     "1\n",
	     1},
	};

	(void)state;
	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		struct session s = {.i = initiator_new()};
		struct model_object *mine;
		char want[300];

		allow_any(s.i, s.i->disk);
		assert_int_equal(fixture_delete(s.i->f, model_first(s.i->disk, MODEL_PORTAL), false), 0);
		for (size_t p = 0; p < 3 && cases[c].portals[p]; p++)
			fixture_create(s.i->f, s.i->disk, MODEL_PORTAL, cases[c].portals[p], NULL);
		mine = model_first(s.i->disk, MODEL_PORTAL);
		for (unsigned n = 0; n < cases[c].mine; n++)
			mine = model_next(mine);
		set_address(&s.local, cases[c].local, 3270);
		set_address(&s.peer, "192.0.2.99", 40000);
		s.context = (struct iscsi_text_context){
		    .model = s.i->model,
		    .initiator_name = HOST,
		    .np = mine->np,
		    .local = &s.local,
		    .peer = &s.peer,
		    .params = &s.params,
		};
		ask(&s, "SendTargets=All");
		snprintf(want, sizeof(want), "TargetName=" DISK "\n%s", cases[c].shown);
		assert_text(&s, want);
		initiator_free(s.i);
		free(s.out);
	}
}

/* Each TPG has its own portals, and each address is shown with the tag of its TPG. */
static void several_tpgs(void **state)
{
	struct session *s = *state;
	struct model_object *other =
	    fixture_create(s->i->f, model_parent(s->i->disk), MODEL_TPG, "tpgt_9", NULL);

	fixture_create(s->i->f, other, MODEL_PORTAL, "127.0.0.1:3262", NULL);
	fixture_create(s->i->f, other, MODEL_ACL, HOST, NULL);
	ask(s, "SendTargets=All"); /* the TPG is disabled */
	assert_text(s, "TargetName=" DISK "\nTargetAddress=127.0.0.1:3260,1\n");
	assert_int_equal(fixture_enable(s->i->f, other, true), 0);
	ask(s, "SendTargets=All");
	assert_text(s,
		    "TargetName=" DISK "\nTargetAddress=127.0.0.1:3260,1\nTargetAddress=127.0.0.1:3262,9\n");
	s->context.target = DISK;
	ask(s, "SendTargets=");
	assert_text(s,
		    "TargetName=" DISK "\nTargetAddress=127.0.0.1:3260,1\nTargetAddress=127.0.0.1:3262,9\n");
}

/* However long the list is, it is complete. */
static void a_long_list(void **state)
{
	struct session *s = *state;
	char name[64];
	unsigned n = 0;

	for (unsigned t = 0; t < 3000; t++) {
		snprintf(name, sizeof(name), "iqn.2026-11.io.tcmu-runner:many-%04u", t);
		allow_any(s->i, add_tpg(s->i, name));
	}
	assert_true(ask(s, "SendTargets=All") > 3 * 65536);
	for (long at = 0; at < s->len; at += (long)strlen(s->out + at) + 1)
		n += strncmp(s->out + at, "TargetName=", 11) == 0;
	assert_int_equal(n, 3001);
}

/*
 * A loopback address would lead an initiator to its own machine, and a link-local address to a machine on its
 * own link.
 */
static void shows_only_usable_portals(void **state)
{
	static const struct {
		const char *peer, *shown;
	} cases[] = {
	    {"127.0.0.1", "TargetAddress=127.0.0.1:3260,1\nTargetAddress=[::1]:3261,1\n"},
	    {"::1", "TargetAddress=127.0.0.1:3260,1\nTargetAddress=[::1]:3261,1\n"},
	    {"::ffff:127.0.0.2", "TargetAddress=127.0.0.1:3260,1\nTargetAddress=[::1]:3261,1\n"},
	    {"192.0.2.99", ""},
	    {"::ffff:192.0.2.99", ""},
	    {"169.254.7.7", "TargetAddress=169.254.1.1:3262,1\n"},
	    {"fe80::99", "TargetAddress=[fe80::1]:3263,1\n"},
	};
	struct session *s = *state;
	char want[300];

	add_portal(s, "[::1]:3261");
	add_portal(s, "169.254.1.1:3262");
	add_portal(s, "[fe80::1%1]:3263");
	add_portal(s, "[fe80::1%2]:3264");
	add_portal(s, "192.0.2.1:3265");
	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		set_address(&s->peer, cases[c].peer, 40000);
		ask(s, "SendTargets=All");
		snprintf(want, sizeof(want), "TargetName=" DISK "\n%sTargetAddress=192.0.2.1:3265,1\n",
			 cases[c].shown);
		assert_text(s, want);
	}
}

/* If the target is behind NAT, the administrator sets the address to which initiators must connect. */
static void shows_the_public_address(void **state)
{
	struct session *s = *state;

	set(s->i, model_first(s->i->disk, MODEL_PORTAL), "", "advertise", "203.0.113.5:13260");
	set_address(&s->peer, "198.51.100.1", 40000);
	ask(s, "SendTargets=All");
	assert_text(s, "TargetName=" DISK "\nTargetAddress=203.0.113.5:13260,1\n");
}

static void late_negotiation(void **state)
{
	struct session *s = *state;

	s->context.target = DISK;
	ask(s, "MaxRecvDataSegmentLength=65536");
	assert_text(s, "");
	assert_int_equal(s->params.max_xmit_data_segment, 65536);
	ask(s, "MaxRecvDataSegmentLength=511");
	assert_text(s, "MaxRecvDataSegmentLength=Reject\n");
	assert_int_equal(s->params.max_xmit_data_segment, 65536);
	ask(s, "HeaderDigest=CRC32C");
	assert_text(s, "HeaderDigest=Reject\n");
	assert_false(s->params.header_digest);
	ask(s, "CHAP_A=5");
	assert_text(s, "CHAP_A=Reject\n");
	ask(s, "X-key=1");
	assert_text(s, "X-key=NotUnderstood\n");
	ask(s, "InitiatorAlias=me");
	assert_text(s, "");
	ask_bytes(s, "", 0);
	assert_text(s, "");
}

static void no_text(void **state)
{
	struct session *s = *state;
	char *big = calloc(1, ISCSI_TEXT_MAX + 1);

	assert_int_equal(ask(s, "SendTargets"), -1);
	assert_int_equal(ask(s, ""), -1);
	assert_int_equal(ask_bytes(s, "SendTargets=All", 15), -1);
	assert_int_equal(ask_bytes(s, "SendTargets=All\0SendTargets=All", 32), -1);
	memset(big, 'x', ISCSI_TEXT_MAX);
	assert_int_equal(ask_bytes(s, big, ISCSI_TEXT_MAX + 1), -1);
	free(big);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(all_shows_what_is_admitted),
	    TEST(by_name_in_discovery),
	    TEST(own_target_in_a_normal_session),
	    cmocka_unit_test(wildcards),
	    TEST(several_tpgs),
	    TEST(a_long_list),
	    TEST(shows_only_usable_portals),
	    TEST(shows_the_public_address),
	    TEST(late_negotiation),
	    TEST(no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
