/* SPDX-License-Identifier: Apache-2.0 */
/* The connection of wire_fixture.h with its fake login, and the PDUs that tests send and receive. */
#include "wire_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "iscsi/task.h"
#include "model/private.h"
#include "iscsi_login/text.h"
#include "util/crc32c.h"

struct wire wire;
uint32_t wire_cmdsn;

struct loop_set *wire_loop_set(void);

/* --- the fake login --- */

static struct iscsi_login_result result;

struct iscsi_login *iscsi_login_new(struct model *model, const struct model_np *np,
				    const struct sockaddr_storage *peer, const char *peer_text)
{
	(void)model, (void)np, (void)peer, (void)peer_text;
	return malloc(1);
}

void iscsi_login_free(struct iscsi_login *login)
{
	free(login);
}

enum iscsi_login_step iscsi_login_request(struct iscsi_login *login, const uint8_t bhs[48],
					  const uint8_t *data, size_t data_len,
					  struct iscsi_login_response *response)
{
	(void)login, (void)data, (void)data_len;
	memset(response, 0, sizeof(*response));
	response->bhs[0] = ISCSI_OP_LOGIN_RSP;
	memcpy(response->bhs + 16, bhs + 16, 4);
	return wire.login_goes_on ? ISCSI_LOGIN_MORE : ISCSI_LOGIN_COMPLETE;
}

const struct iscsi_login_result *iscsi_login_result(const struct iscsi_login *login)
{
	(void)login;
	if (!wire.login)
		assert_int_equal(fixture_login(wire.model, wire.tpg, INITIATOR, &wire.login), MODEL_ADMITTED);
	wire.login->queue_depth = 16;
	result.target = wire.login;
	result.params = wire.params;
	snprintf(result.initiator_name, sizeof(result.initiator_name), "%s", INITIATOR);
	return &result;
}

void iscsi_login_inherit(struct iscsi_login *login, const struct iscsi_params *params)
{
	(void)login, (void)params;
}

void iscsi_login_refuse(struct iscsi_login_response *response, unsigned status)
{
	put_be16(response->bhs + 36, (uint16_t)status);
}

long iscsi_text_request(const struct iscsi_text_context *context, const uint8_t *in, size_t in_len,
			char **answer)
{
	(void)context, (void)in, (void)in_len;
	*answer = wire.text_len > 0 ? malloc((size_t)wire.text_len) : NULL;
	if (*answer)
		memset(*answer, 'x', (size_t)wire.text_len);
	return wire.text_len;
}

struct sockaddr_storage iscsi_plain_address(const struct sockaddr_storage *addr)
{
	return *addr;
}

const char *iscsi_params_show(const struct iscsi_params *params, bool discovery,
			      char text[ISCSI_PARAMS_TEXT_SIZE])
{
	(void)params, (void)discovery;
	return strcpy(text, "");
}

/* --- the connection ------------------------------------------------------------------------------- */

static void start_server(void)
{
	static struct iscsi_loop il;
	struct iscsi_server *server = &wire.server;

	server->set = wire_loop_set();
	server->options = (struct iscsi_options){.max_connections = 8,
						 .max_half_open = 8,
						 .login_timeout_s = 1,
						 .nopin_interval_s = 1,
						 .nopin_timeout_s = 1};
	server->model = wire.model->model;
	server->main = wire.model->main;
	server->loops = &il;
	pthread_mutex_init(&server->lock, NULL);
	list_init(&server->listeners);
	iscsi_places_init(server);
	iscsi_session_table_init(&server->sessions);
	memset(&il, 0, sizeof(il));
	il.server = server;
	il.loop = server->set->loops[0];
	list_init(&il.conns);
	list_init(&il.answers);
	slab_init(&il.tasks, sizeof(struct iscsi_task));
	assert_int_equal(iscsi_tx_batch_new(&il.batch), 0);
}

static void start_model(unsigned nluns)
{
	void *state;

	fixture_set_up(&state);
	wire.model = state;
	wire.tpg = fixture_tpg(wire.model, IQN);
	assert_int_equal(fixture_set(wire.model, wire.tpg, "attrib", "generate_node_acls", "1"), 0);
	for (unsigned i = 0; i < nluns; i++) {
		char name[32];

		snprintf(name, sizeof(name), "user_0/disk%u", i);
		struct model_object *disk = fixture_disk(wire.model, name);
		snprintf(name, sizeof(name), "lun_%u", i);
		fixture_create(wire.model, wire.tpg, MODEL_LUN, name, disk);
	}
	fixture_settle(wire.model);
}

void wire_start(void)
{
	wire_start_luns(1);
}

void wire_start_luns(unsigned n)
{
	struct iscsi_params params = wire.params;
	const struct sockaddr_storage nowhere = {.ss_family = AF_UNIX};
	struct iscsi_conn *conn;
	int fds[2];

	memset(&wire, 0, sizeof(wire));
	wire.params = params;
	wire.buffer_limit = SIZE_MAX;
	start_model(n);
	wire_cmdsn = 1;
	start_server();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	wire.fd = fds[1];
	conn = iscsi_conn_new(wire.server.loops, fds[0], model_first(wire.tpg, MODEL_PORTAL)->np, &nowhere);
	assert_non_null(conn);
	assert_true(iscsi_place_enter(conn, &nowhere));
	wire_turn();
}

void wire_update(void)
{
	fixture_settle(wire.model);
	if (wire_conn())
		iscsi_conn_update(wire_conn());
	wire_turn();
	fixture_settle(wire.model);
}

struct iscsi_conn *wire_conn(void)
{
	struct list *conns = &wire.server.loops->conns;

	return list_empty(conns) ? NULL : list_entry(conns->next, struct iscsi_conn, node);
}

void wire_stop(void)
{
	if (wire.fd >= 0)
		close(wire.fd);
	wire_turn();
	wire_complete();
	wire_tmf_done();
	wire_turn();
	assert_null(wire_conn());
	assert_int_equal(atomic_load(&wire.server.connections), 0);
	assert_int_equal(wire.server.places.nhalf_open, 0);
	assert_int_equal(wire.attached, 0);
	assert_int_equal(wire.buffers, 0);
	model_login_free(wire.login);
	fixture_tear_down((void *[]){wire.model});
	slab_destroy(&wire.server.loops->tasks);
	free(wire.server.loops->batch);
	pthread_mutex_destroy(&wire.server.lock);
}

void wire_send(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	while (len) {
		ssize_t n = send(wire.fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			wire_turn();
			continue;
		}
		if (n < 0)
			return; /* the target has closed the connection */
		p += n;
		len -= (size_t)n;
	}
	wire_turn();
}

void wire_send_stream(const struct stream *s)
{
	wire_send(s->bytes, s->len);
}

void wire_receive(struct stream *s)
{
	ssize_t n;

	while ((n = recv(wire.fd, s->bytes + s->len, STREAM_MAX - s->len, 0)) > 0) {
		s->len += (size_t)n;
		wire_turn();
	}
}

/* --- PDUs ----------------------------------------------------------------------------------------- */

static void add(struct stream *s, const void *bytes, size_t len)
{
	assert_true(s->len + len <= STREAM_MAX);
	if (len)
		memcpy(s->bytes + s->len, bytes, len);
	s->len += len;
}

static void add_digest(struct stream *s, size_t from)
{
	uint32_t crc = htole32(~crc32c_update(CRC32C_INIT, s->bytes + from, s->len - from));

	add(s, &crc, sizeof(crc));
}

void stream_add(struct stream *s, const void *bhs, const void *data, uint32_t len)
{
	size_t head = s->len, body;
	bool login = (*(const uint8_t *)bhs & ISCSI_OP_MASK) == ISCSI_OP_LOGIN;

	add(s, bhs, ISCSI_BHS_LEN);
	put_be24(s->bytes + head + 5, len);
	if (wire.params.header_digest && !login)
		add_digest(s, head);
	body = s->len;
	add(s, data, len);
	add(s, "\0\0\0", -len & 3);
	if (len && wire.params.data_digest && !login)
		add_digest(s, body);
}

void stream_login(struct stream *s)
{
	struct iscsi_login_req pdu = {.opcode = ISCSI_OP_LOGIN | ISCSI_OP_IMMEDIATE};

	put_be32(pdu.cmdsn, wire_cmdsn);
	stream_add(s, &pdu, "x=y", 4);
}

struct iscsi_scsi_command wire_command(uint32_t itt, uint8_t flags, uint32_t edtl, uint8_t opcode,
				       uint32_t lba, uint16_t nblocks)
{
	struct iscsi_scsi_command pdu = {.opcode = ISCSI_OP_SCSI_COMMAND, .flags = flags};

	put_be32(pdu.itt, itt);
	put_be32(pdu.edtl, edtl);
	put_be32(pdu.cmdsn, wire_cmdsn++);
	pdu.cdb[0] = opcode;
	put_be32(pdu.cdb + 2, lba);
	put_be16(pdu.cdb + 7, nblocks);
	return pdu;
}

struct iscsi_data_out wire_data(uint32_t itt, uint32_t ttt, uint32_t datasn, uint32_t offset, bool final)
{
	struct iscsi_data_out pdu = {.opcode = ISCSI_OP_DATA_OUT, .flags = final ? ISCSI_FINAL : 0};

	put_be32(pdu.itt, itt);
	put_be32(pdu.ttt, ttt);
	put_be32(pdu.datasn, datasn);
	put_be32(pdu.offset, offset);
	return pdu;
}

struct iscsi_nop wire_ping(uint32_t itt)
{
	struct iscsi_nop pdu = {.opcode = ISCSI_OP_NOP_OUT | ISCSI_OP_IMMEDIATE, .flags = ISCSI_FINAL};

	put_be32(pdu.itt, itt);
	put_be32(pdu.ttt, ISCSI_TAG_NONE);
	return pdu;
}

struct iscsi_tmf_request wire_tmf(uint32_t itt, uint8_t function, uint32_t ref)
{
	struct iscsi_tmf_request pdu = {.opcode = ISCSI_OP_TASK_MGMT | ISCSI_OP_IMMEDIATE,
					.function = ISCSI_FINAL | function};

	put_be32(pdu.itt, itt);
	put_be32(pdu.ref_task_tag, ref);
	put_be32(pdu.cmdsn, wire_cmdsn);
	return pdu;
}

static void check_digest(const uint8_t *bytes, size_t len)
{
	uint32_t crc;

	memcpy(&crc, bytes + len, sizeof(crc));
	assert_int_equal(le32toh(crc), ~crc32c_update(CRC32C_INIT, bytes, len));
}

bool stream_next(const struct stream *s, size_t *at, struct reply *reply)
{
	const uint8_t *p = s->bytes + *at;
	bool login;

	if (s->len - *at < ISCSI_BHS_LEN)
		return false;
	memcpy(reply->bhs, p, ISCSI_BHS_LEN);
	login = p[0] == ISCSI_OP_LOGIN_RSP;
	if (wire.params.header_digest && !login) {
		check_digest(p, ISCSI_BHS_LEN);
		p += ISCSI_DIGEST_LEN;
	}
	p += ISCSI_BHS_LEN;
	reply->len = get_be24(reply->bhs + 5);
	reply->data = p;
	p += (reply->len + 3) & ~3u;
	if (reply->len && wire.params.data_digest && !login) {
		check_digest(reply->data, (reply->len + 3) & ~3u);
		p += ISCSI_DIGEST_LEN;
	}
	*at = (size_t)(p - s->bytes);
	assert_true(*at <= s->len);
	return true;
}

void stream_after_login(const struct stream *s, size_t *at)
{
	struct reply reply;

	*at = 0;
	assert_true(stream_next(s, at, &reply));
	assert_int_equal(reply.bhs[0], ISCSI_OP_LOGIN_RSP);
	assert_int_equal(get_be16(reply.bhs + 36), 0);
}

void fill_pattern(uint8_t *bytes, size_t len, unsigned seed)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(seed + i * 7 + (i >> 8));
}
