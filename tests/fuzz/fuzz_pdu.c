/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes a connection in full feature phase. The input is a script: the parameters of the login, and then
 * PDUs that are nearly correct, in order or ahead of an earlier CmdSN, and incorrect bytes, cut into pieces
 * anywhere; commands that end late; few or no buffers; silence; LUNs that are added, removed or lead to
 * another unit; and an initiator that reads late or leaves. The fuzzer checks that all received PDUs are
 * framed and digested correctly, that no command is answered twice, and that nothing is left when the
 * connection has ended. The fakes of the fixture and the sanitizers check the rest.
 */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"
#include "input.h"
#include "util/crc32c.h"
#include "wire_fixture.h"

#define TAGS        8
#define LUNS        2u
#define DATA_MAX    9000u
#define BUFFERS_MIN 16384u
#define PDU_MAX     (ISCSI_BHS_LEN + ISCSI_AHS_MAX + DATA_MAX + 16)

struct fuzz {
	struct input in;
	struct iscsi_r2t r2t; /* The last R2T. */
	uint32_t datasn;
	bool known; /* The CmdSN is known, because no incorrect bytes were sent. */
	unsigned commands[TAGS], answers[TAGS];
};

static struct fuzz f;
static struct stream came; /* The data that the target has sent. */

/* --- set up ----------------------------------------------------------------------------------- */

static void drop_line(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static void set_up(void)
{
	uint8_t how = take(&f.in), sizes = take(&f.in);

	wire.params = (struct iscsi_params){
	    .header_digest = how & 1,
	    .data_digest = how & 2,
	    .initial_r2t = how & 4,
	    .immediate_data = how & 8,
	    .data_pdu_in_order = true,
	    .data_sequence_in_order = true,
	    .max_connections = 1,
	    .max_recv_data_segment = 512u << (sizes & 3),
	    .max_xmit_data_segment = 512u << (sizes >> 2 & 3),
	    .first_burst = 512u << (sizes >> 4 & 1),
	    .max_burst = 1024u << (sizes >> 5 & 3),
	    .max_outstanding_r2t = 1u + (how >> 4 & 3),
	};
	log_set_sink(drop_line);
	wire_start_luns(LUNS);
	if (sizes & 0x80) /* few buffers, so that commands end with TASK SET FULL */
		wire.buffer_limit = BUFFERS_MIN;
	wire.text_len = how >> 6 == 3 ? 5000 : how >> 6;
}

static void log_in(void)
{
	static struct stream s;

	s.len = 0;
	stream_login(&s);
	wire_send_stream(&s);
}

/* --- what comes back -------------------------------------------------------------------------- */

static uint32_t wire_len(const uint8_t *bhs)
{
	uint32_t len = (get_be24(bhs + 5) + 3) & ~3u;
	bool login = bhs[0] == ISCSI_OP_LOGIN_RSP;

	return ISCSI_BHS_LEN + len + (wire.params.header_digest && !login ? ISCSI_DIGEST_LEN : 0) +
	       (wire.params.data_digest && len && !login ? ISCSI_DIGEST_LEN : 0);
}

static void check_reply(const struct reply *reply)
{
	uint32_t itt = get_be32(reply->bhs + 16);
	bool answer = reply->bhs[0] == ISCSI_OP_SCSI_RESPONSE ||
		      (reply->bhs[0] == ISCSI_OP_DATA_IN && reply->bhs[1] & ISCSI_DATA_IN_STATUS);

	assert(reply->bhs[4] == 0);
	assert(reply->len <= wire.params.max_xmit_data_segment);
	if (reply->bhs[0] == ISCSI_OP_R2T)
		memcpy(&f.r2t, reply->bhs, sizeof(f.r2t));
	if (answer && f.known) {
		assert(itt < TAGS);
		f.answers[itt]++;
		assert(f.answers[itt] <= f.commands[itt]);
	}
}

/* The end of the connection may cut off the last PDU. */
static void receive(void)
{
	struct reply reply;
	size_t at = 0;

	if (wire.fd < 0)
		return;
	wire_receive(&came);
	while (came.len - at >= ISCSI_BHS_LEN && came.len - at >= wire_len(came.bytes + at) &&
	       stream_next(&came, &at, &reply))
		check_reply(&reply);
	memmove(came.bytes, came.bytes + at, came.len - at);
	came.len -= at;
}

/* --- what is sent ----------------------------------------------------------------------------- */

static void send_cut(const uint8_t *bytes, size_t len)
{
	size_t cut = take16(&f.in) % (len + 1);

	if (wire.fd < 0)
		return;
	wire_send(bytes, cut);
	wire_send(bytes + cut, len - cut);
}

static size_t add_digest(uint8_t *from, size_t len)
{
	uint32_t crc = htole32(~crc32c_update(CRC32C_INIT, from, len));

	memcpy(from + len, &crc, sizeof(crc));
	return len + sizeof(crc);
}

/* Sends a PDU with the lengths that bhs contains. */
static void send_pdu(const uint8_t *bhs)
{
	static uint8_t pdu[PDU_MAX];
	uint32_t len = MIN(get_be24(bhs + 5), DATA_MAX), padded = (len + 3) & ~3u;
	size_t head = ISCSI_BHS_LEN + bhs[4] * 4u, body = padded;
	uint8_t *data;

	memcpy(pdu, bhs, ISCSI_BHS_LEN);
	memset(pdu + ISCSI_BHS_LEN, 0, sizeof(pdu) - ISCSI_BHS_LEN);
	take_bytes(&f.in, pdu + ISCSI_BHS_LEN, bhs[4] * 4u);
	if (wire.params.header_digest)
		head = add_digest(pdu, head);
	data = pdu + head;
	memset(data, 'd', len);
	if (wire.params.data_digest && len)
		body = add_digest(data, padded);
	send_cut(pdu, head + body);
}

static void fill_command(struct iscsi_scsi_command *pdu)
{
	static const uint8_t opcodes[] = {0x28, 0x2a, 0x00, 0xc0};
	uint8_t nblocks = take(&f.in);

	pdu->cdb[0] = opcodes[take(&f.in) % 4u];
	pdu->lun[1] = nblocks >> 5 & 1;
	pdu->cdb[5] = take(&f.in);
	pdu->cdb[8] = nblocks % 32u;
	put_be32(pdu->edtl, pdu->cdb[8] * 512u);
}

static void fill_data(struct iscsi_data_out *pdu, uint32_t len)
{
	uint32_t offset = get_be32(f.r2t.offset);

	memcpy(pdu->itt, f.r2t.itt, sizeof(pdu->itt));
	memcpy(pdu->ttt, f.r2t.ttt, sizeof(pdu->ttt));
	put_be32(pdu->datasn, f.datasn++);
	put_be32(pdu->offset, offset);
	put_be32(f.r2t.offset, offset + len);
	if (pdu->flags & ISCSI_FINAL)
		f.datasn = 0;
}

static uint32_t data_len(void)
{
	uint8_t how = take(&f.in);

	if (how & 1)
		return 512u << (how >> 1 & 3);
	return how & 2 ? take16(&f.in) % DATA_MAX : how >> 2;
}

static void do_pdu(void)
{
	static const uint8_t opcodes[16] = {
	    ISCSI_OP_SCSI_COMMAND, ISCSI_OP_SCSI_COMMAND, ISCSI_OP_SCSI_COMMAND, ISCSI_OP_SCSI_COMMAND,
	    ISCSI_OP_DATA_OUT,     ISCSI_OP_DATA_OUT,     ISCSI_OP_DATA_OUT,     ISCSI_OP_DATA_OUT,
	    ISCSI_OP_TASK_MGMT,    ISCSI_OP_TASK_MGMT,    ISCSI_OP_TEXT,         ISCSI_OP_TEXT,
	    ISCSI_OP_NOP_OUT,      ISCSI_OP_LOGOUT,       ISCSI_OP_SNACK,        ISCSI_OP_LOGIN};
	uint8_t how = take(&f.in), opcode = opcodes[how & 15], bhs[ISCSI_BHS_LEN] = {opcode, take(&f.in)};
	uint32_t len = opcode == ISCSI_OP_SCSI_COMMAND && !(how & 64) ? 0 : data_len();

	bhs[0] |= how & 16 ? ISCSI_OP_IMMEDIATE : 0;
	put_be24(bhs + 5, len);
	put_be32(bhs + 16, take(&f.in) % TAGS);
	put_be32(bhs + 20, ISCSI_TAG_NONE);
	if (opcode == ISCSI_OP_SCSI_COMMAND)
		fill_command((struct iscsi_scsi_command *)bhs);
	if (opcode == ISCSI_OP_TASK_MGMT)
		bhs[9] = how >> 6 & 1;
	if (opcode == ISCSI_OP_DATA_OUT)
		fill_data((struct iscsi_data_out *)bhs, len);
	else /* ahead: these requests must wait for an earlier CmdSN */
		put_be32(bhs + 24, wire_cmdsn + (how & 128 ? 1 + (take(&f.in) & 3u) : 0));
	for (unsigned n = how & 32 ? take(&f.in) & 3u : 0; n; n--) {
		uint8_t at = take(&f.in) % ISCSI_BHS_LEN;

		bhs[at] = take(&f.in);
	}
	/* Counts the CmdSN as the target does, unless the change was to the CmdSN. */
	wire_cmdsn +=
	    !(bhs[0] & ISCSI_OP_IMMEDIATE) && opcode != ISCSI_OP_DATA_OUT && get_be32(bhs + 24) == wire_cmdsn;
	if ((bhs[0] & ISCSI_OP_MASK) == ISCSI_OP_SCSI_COMMAND && get_be32(bhs + 16) < TAGS)
		f.commands[get_be32(bhs + 16)]++;
	else
		f.known &= (bhs[0] & ISCSI_OP_MASK) != ISCSI_OP_SCSI_COMMAND;
	f.known &= get_be24(bhs + 5) <= DATA_MAX;
	send_pdu(bhs);
}

static void do_raw(void)
{
	uint8_t bytes[256];
	size_t len = take_bytes(&f.in, bytes, take(&f.in));

	f.known = false;
	send_cut(bytes, len);
}

static void do_time(void)
{
	wire.now_ns += take(&f.in) * 100000000ull;
	wire_expire();
	wire_turn();
}

static void on_deleted(void *arg, int err, const struct error *error)
{
	(void)arg, (void)err, (void)error;
}

static void do_change(void)
{
	uint8_t how = take(&f.in);
	char lun_name[16], disk_name[32];
	struct model_object *lun, *disk;

	snprintf(lun_name, sizeof(lun_name), "lun_%u", how % LUNS);
	snprintf(disk_name, sizeof(disk_name), "user_0/disk%u", how % LUNS);
	lun = model_find(wire.tpg, MODEL_LUN, lun_name);
	disk = model_find(wire.model->root, MODEL_STORAGE, disk_name);
	switch (how >> 1 & 3) {
	case 0:
		if (lun)
			model_delete(lun, false, on_deleted, NULL);
		break;
	case 1:
		if (!lun)
			fixture_create(wire.model, wire.tpg, MODEL_LUN, lun_name, disk);
		break;
	case 2:
		fake_storage_swap(model_storage(disk));
		break;
	default:
		fixture_set(wire.model, wire.tpg, "attrib", "demo_mode_write_protect", how & 8 ? "1" : "0");
	}
	if (how & 16)
		wire_update();
}

static void go_away(void)
{
	if (wire.fd >= 0)
		close(wire.fd);
	wire.fd = -1;
	wire_turn();
}

static void step(void)
{
	uint8_t what = take(&f.in) % 16u;

	switch (what) {
	case 0:
		wire.hold = true;
		break;
	case 1:
		wire.hold = false;
		wire_complete();
		wire_tmf_done();
		wire_turn();
		break;
	case 2:
		wire.no_buffers = take(&f.in) % 4u;
		break;
	case 3:
		do_time();
		break;
	case 4:
		do_raw();
		break;
	case 5:
		if (take(&f.in) == 0xff)
			go_away();
		break;
	case 6:
		do_change();
		break;
	default:
		do_pdu();
	}
	if (what & 1)
		receive();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&f, 0, sizeof(f));
	came.len = 0;
	f.in = (struct input){data, size};
	f.known = true;
	set_up();
	log_in();
	while (f.in.left && wire_conn())
		step();
	receive();
	wire_stop();
	return 0;
}
