/* SPDX-License-Identifier: Apache-2.0 */
/* The initiator's side of a login, for tests: builds requests and reads responses. */
#ifndef TEST_INITIATOR_H
#define TEST_INITIATOR_H

#include "model_fixture.h"

#include <arpa/inet.h>

#include "iscsi_login/login.h"
#include "iscsi_login/pdu.h"
#include "model/private.h"
#include "util/bytes.h"
#include "util/log.h"

#define HOST   "iqn.1994-05.com.redhat:host"
#define OTHER  "iqn.1994-05.com.redhat:other"
#define DISK   "iqn.2026-11.io.tcmu-runner:disk"
#define HIDDEN "iqn.2026-11.io.tcmu-runner:hidden"

#define SECURITY    0
#define OPERATIONAL 1
#define FULL        3

/* The T bit, CSG and NSG. */
#define STAY(csg)    ((csg) << 2)
#define GO(csg, nsg) (ISCSI_LOGIN_TRANSIT | (csg) << 2 | (nsg))
#define PART(csg)    (ISCSI_LOGIN_CONTINUE | (csg) << 2)

struct initiator {
	struct fixture *f;
	struct model *model;
	/* TPGs. */
	struct model_object *disk, *hidden;
	struct sockaddr_storage peer;
	struct iscsi_login *login;
	struct iscsi_login_req req;
	struct iscsi_login_response response;
};

static inline void set(struct initiator *i, struct model_object *object, const char *group, const char *name,
		       const char *text)
{
	assert_int_equal(fixture_set(i->f, object, group, name, text), 0);
}

static inline void allow_any(struct initiator *i, struct model_object *tpg)
{
	set(i, tpg, "attrib", "generate_node_acls", "1");
}

/* Adds a TPG that discovery shows only to initiators that may log in. */
static inline struct model_object *add_tpg(struct initiator *i, const char *iqn)
{
	struct model_object *tpg = fixture_tpg(i->f, iqn);

	set(i, tpg, "attrib", "demo_mode_discovery", "0");
	set(i, tpg, "param", "TargetAlias", "");
	return tpg;
}

static inline struct model_object *admit_host(struct initiator *i)
{
	return fixture_create(i->f, i->disk, MODEL_ACL, HOST, NULL);
}

static inline struct model_np *first_np(const struct model_object *tpg)
{
	return model_first((struct model_object *)tpg, MODEL_PORTAL)->np;
}

/* Makes a model with two targets that admit no initiator, and with one portal for each. */
static inline struct initiator *initiator_new(void)
{
	struct initiator *i = calloc(1, sizeof(*i));
	struct sockaddr_in peer = {.sin_family = AF_INET};
	void *state;

	fixture_set_up(&state);
	i->f = state;
	i->model = i->f->model;
	i->disk = add_tpg(i, DISK);
	i->hidden = add_tpg(i, HIDDEN);
	inet_pton(AF_INET, "192.0.2.1", &peer.sin_addr);
	memcpy(&i->peer, &peer, sizeof(peer));
	i->req.opcode = ISCSI_OP_LOGIN | ISCSI_OP_IMMEDIATE;
	memcpy(i->req.isid, "\x80\x12\x34\x56\x00\x01", 6);
	put_be16(i->req.cid, 7);
	put_be32(i->req.itt, 0xabcd0001);
	put_be32(i->req.cmdsn, 42);
	put_be32(i->req.expstatsn, 43);
	return i;
}

static inline void initiator_free(struct initiator *i)
{
	iscsi_login_free(i->login);
	fixture_tear_down((void *[]){i->f});
	free(i);
}

/* Opens a new connection for the next request. */
static inline void reconnect(struct initiator *i)
{
	iscsi_login_free(i->login);
	i->login = iscsi_login_new(i->model, first_np(i->disk), &i->peer, "192.0.2.1:4711");
}

/* Sends data that lies in memory of exactly its size, so that a sanitizer notices every access beyond it. */
static inline enum iscsi_login_step send_bytes(struct initiator *i, unsigned flags, const void *text,
					       size_t len)
{
	uint8_t *data = malloc(len ? len : 1);
	enum iscsi_login_step step;

	if (!i->login)
		reconnect(i);
	memcpy(data, text, len);
	i->req.flags = (uint8_t)flags;
	put_be24(i->req.data_len, (uint32_t)len);
	memset(&i->response, 0xee, sizeof(i->response));
	step = iscsi_login_request(i->login, (uint8_t *)&i->req, data, len, &i->response);
	free(data);
	return step;
}

/*
 * text contains pairs that are separated by newlines, which makes them easier to read. Each newline is sent
 * as a NUL.
 */
static inline enum iscsi_login_step send_text(struct initiator *i, unsigned flags, const char *text)
{
	size_t len = strlen(text);
	char *data = malloc(len + 2);
	enum iscsi_login_step step;

	strcpy(data, text);
	for (size_t at = 0; at < len; at++)
		if (data[at] == '\n')
			data[at] = '\0';
	step = send_bytes(i, flags, data, len && text[len - 1] != '\n' ? len + 1 : len);
	free(data);
	return step;
}

static inline const struct iscsi_login_rsp *rsp(const struct initiator *i)
{
	return (const struct iscsi_login_rsp *)i->response.bhs;
}

static inline unsigned status(const struct initiator *i)
{
	return rsp(i)->status_class << 8 | rsp(i)->status_detail;
}

/* Returns the value of a key in an answer, or NULL. */
static inline const char *find_value(const void *text, size_t len, const char *key)
{
	const char *p = text, *end = p + len;

	while (p < end) {
		assert_non_null(memchr(p, '\0', (size_t)(end - p)));
		if (strncmp(p, key, strlen(key)) == 0 && p[strlen(key)] == '=')
			return p + strlen(key) + 1;
		p += strlen(p) + 1;
	}
	return NULL;
}

static inline const char *answer(const struct initiator *i, const char *key)
{
	return find_value(i->response.data, i->response.data_len, key);
}

static inline void assert_refused(const struct initiator *i, enum iscsi_login_step step, unsigned want)
{
	assert_int_equal(step, ISCSI_LOGIN_FAIL);
	assert_int_equal(status(i), want);
	assert_int_equal(rsp(i)->flags & (ISCSI_LOGIN_TRANSIT | ISCSI_LOGIN_CONTINUE), 0);
	assert_int_equal(i->response.data_len, 0);
	assert_int_equal(get_be24(rsp(i)->data_len), 0);
}

/* A setup function of cmocka: sets *state to an initiator that the target admits. */
static inline int initiator_set_up(void **state)
{
	struct initiator *i = initiator_new();

	log_set_level(LOG_LEVEL_CRIT);
	admit_host(i);
	*state = i;
	return 0;
}

static inline int initiator_tear_down(void **state)
{
	initiator_free(*state);
	return 0;
}

/* The names that the first login request contains. */
#define NAMES "InitiatorName=" HOST "\nTargetName=" DISK "\n"
#endif
