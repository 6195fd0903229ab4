/* SPDX-License-Identifier: Apache-2.0 */
/* The initiator of live_initiator.h. It ends the test if the target breaks the protocol. */
#include "live_initiator.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model/lun.h"
#include "util/bytes.h"
#include "util/contract.h"

#define DATA_MAX 65536
/* A target that sends nothing for this time hangs. */
#define SILENCE_MS 120000

static bool send_all(struct live_initiator *i, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	while (len) {
		ssize_t n = send(i->fd, p, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool receive_all(struct live_initiator *i, void *bytes, size_t len)
{
	uint8_t *p = bytes;

	while (len) {
		struct pollfd ready = {.fd = i->fd, .events = POLLIN};
		ssize_t n;

		contract(poll(&ready, 1, SILENCE_MS) == 1 && "the target hangs");
		n = recv(i->fd, p, len, 0);
		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool send_pdu(struct live_initiator *i, void *bhs, const void *data, uint32_t len)
{
	static const uint8_t zeros[4];

	put_be24((uint8_t *)bhs + 5, len);
	return send_all(i, bhs, ISCSI_BHS_LEN) && send_all(i, data, len) && send_all(i, zeros, -len & 3);
}

static bool receive_pdu(struct live_initiator *i, uint8_t bhs[ISCSI_BHS_LEN], uint8_t *data, uint32_t *len)
{
	uint8_t pad[4];

	if (!receive_all(i, bhs, ISCSI_BHS_LEN))
		return false;
	*len = get_be24(bhs + 5);
	contract(*len <= DATA_MAX && !bhs[4]);
	return receive_all(i, data, *len) && receive_all(i, pad, -*len & 3);
}

/* --- login -------------------------------------------------------------------------------------------- */

static void reset(struct live_initiator *i)
{
	i->cmdsn = 1;
	i->expstatsn = 1;
	i->outstanding = 0;
	i->function_itt = 0;
	i->asked_to_leave = false;
	for (unsigned n = 0; n < LIVE_WINDOW; n++)
		i->slots[n].lun = -1;
}

static bool exchange_login(struct live_initiator *i, const char *target, int *status)
{
	struct iscsi_login_req req = {.opcode = ISCSI_OP_LOGIN | ISCSI_OP_IMMEDIATE,
				      .flags = ISCSI_LOGIN_TRANSIT | 1 << 2 | 3,
				      .isid = {0x80}};
	static _Thread_local uint8_t data[DATA_MAX];
	uint8_t bhs[ISCSI_BHS_LEN];
	char text[512];
	uint32_t len;
	int text_len = snprintf(text, sizeof(text),
				"InitiatorName=iqn.2026-11.test:i%u%cTargetName=%s%cSessionType=Normal",
				i->number, 0, target, 0);

	req.isid[5] = (uint8_t)i->number;
	put_be32(req.cmdsn, i->cmdsn);
	put_be32(req.expstatsn, i->expstatsn);
	if (!send_pdu(i, &req, text, (uint32_t)text_len + 1) || !receive_pdu(i, bhs, data, &len))
		return false;
	contract(bhs[0] == ISCSI_OP_LOGIN_RSP);
	*status = get_be16(bhs + 36);
	return !*status;
}

bool live_login(struct live_initiator *i, const struct sockaddr_in *portal, const char *target, int *status)
{
	reset(i);
	*status = -1;
	i->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	contract(i->fd >= 0);
	if (!connect(i->fd, (const struct sockaddr *)portal, sizeof(*portal)) &&
	    exchange_login(i, target, status)) {
		i->logins++;
		return true;
	}
	live_close(i);
	return false;
}

void live_close(struct live_initiator *i)
{
	if (i->fd >= 0)
		close(i->fd);
	i->fd = -1;
}

/* --- requests ------------------------------------------------------------------------------------------ */

static bool send_command(struct live_initiator *i, unsigned lun, uint8_t flags, const uint8_t cdb[16],
			 uint32_t bytes)
{
	struct iscsi_scsi_command pdu = {.opcode = ISCSI_OP_SCSI_COMMAND,
					 .flags = (uint8_t)(ISCSI_FINAL | flags)};

	contract(i->outstanding < LIVE_WINDOW);
	while (i->slots[++i->itt % LIVE_WINDOW].lun >= 0)
		;
	i->slots[i->itt % LIVE_WINDOW].lun = (int)lun;
	i->slots[i->itt % LIVE_WINDOW].itt = i->itt;
	i->slots[i->itt % LIVE_WINDOW].is_read = flags & ISCSI_CMD_READ;
	i->outstanding++;
	model_lun_encode(lun, pdu.lun);
	put_be32(pdu.itt, i->itt);
	put_be32(pdu.edtl, bytes);
	put_be32(pdu.cmdsn, i->cmdsn++);
	put_be32(pdu.expstatsn, i->expstatsn);
	memcpy(pdu.cdb, cdb, 16);
	return send_pdu(i, &pdu, NULL, 0);
}

bool live_test_unit_ready(struct live_initiator *i, unsigned lun)
{
	return send_command(i, lun, 0, (const uint8_t[16]){0}, 0);
}

static bool transfer(struct live_initiator *i, unsigned lun, uint8_t opcode, uint8_t flags, unsigned block,
		     unsigned nblocks)
{
	uint8_t cdb[16] = {opcode};

	put_be32(cdb + 2, block);
	put_be16(cdb + 7, (uint16_t)nblocks);
	return send_command(i, lun, flags, cdb, nblocks * 512);
}

bool live_read(struct live_initiator *i, unsigned lun, unsigned block, unsigned nblocks)
{
	return transfer(i, lun, 0x28, ISCSI_CMD_READ, block, nblocks);
}

bool live_write(struct live_initiator *i, unsigned lun, unsigned block, unsigned nblocks)
{
	return transfer(i, lun, 0x2a, ISCSI_CMD_WRITE, block, nblocks);
}

bool live_function(struct live_initiator *i, int lun, uint8_t function, uint32_t ref)
{
	struct iscsi_tmf_request pdu = {.opcode = ISCSI_OP_TASK_MGMT | ISCSI_OP_IMMEDIATE,
					.function = ISCSI_FINAL | function};

	contract(!i->function_itt);
	i->function = function;
	i->function_lun = lun;
	i->function_ref = ref;
	i->function_itt = ++i->itt;
	model_lun_encode(lun < 0 ? 0 : (unsigned)lun, pdu.lun);
	put_be32(pdu.itt, i->function_itt);
	put_be32(pdu.ref_task_tag, ref);
	put_be32(pdu.ref_cmdsn, i->cmdsn);
	put_be32(pdu.cmdsn, i->cmdsn);
	put_be32(pdu.expstatsn, i->expstatsn);
	return send_pdu(i, &pdu, NULL, 0);
}

bool live_logout(struct live_initiator *i)
{
	struct iscsi_logout_request pdu = {.opcode = ISCSI_OP_LOGOUT | ISCSI_OP_IMMEDIATE,
					   .reason = ISCSI_FINAL | ISCSI_LOGOUT_SESSION};

	put_be32(pdu.itt, ++i->itt);
	put_be32(pdu.cmdsn, i->cmdsn);
	put_be32(pdu.expstatsn, i->expstatsn);
	return send_pdu(i, &pdu, NULL, 0);
}

/* --- answers ------------------------------------------------------------------------------------------- */

static void count_sense(struct live_initiator *i, const uint8_t *sense)
{
	uint32_t code = (uint32_t)(sense[2] & 15) << 16 | get_be16(sense + 12);

	i->unit_attentions += code >> 16 == 6;
	i->luns_changed += code == 0x063f0e;
	i->no_lun += code == 0x052500;
	i->protections += code == 0x072700;
	i->timeouts += code == 0x0b2e02;
	if (code >> 16 != 6 && code != 0x052500 && code != 0x072700) {
		contract(code >> 16 == 11 && "ABORTED COMMAND is all that remains");
		i->aborted++;
	}
}

static void free_slot(struct live_initiator *i, unsigned slot)
{
	i->slots[slot].lun = -1;
	i->outstanding--;
}

static void end_command(struct live_initiator *i, const uint8_t *bhs)
{
	uint32_t itt = get_be32(bhs + 16);
	unsigned slot = itt % LIVE_WINDOW;

	contract(i->slots[slot].lun >= 0 && i->slots[slot].itt == itt && "no such command is outstanding");
	free_slot(i, slot);
}

static void on_response(struct live_initiator *i, const uint8_t *bhs, const uint8_t *data, uint32_t len)
{
	contract(!bhs[2]);
	switch (bhs[3]) {
	case 0x00:
		i->good++;
		break;
	case 0x02:
		contract(len >= 2 + 18);
		count_sense(i, data + 2);
		break;
	default:
		contract(bhs[3] == 0x40 || bhs[3] == 0x08 || bhs[3] == 0x28);
		i->others++;
	}
	end_command(i, bhs);
}

static void on_data_in(struct live_initiator *i, const uint8_t *bhs, const uint8_t *data, uint32_t len)
{
	unsigned slot = get_be32(bhs + 16) % LIVE_WINDOW;

	contract(i->slots[slot].lun >= 0 && i->slots[slot].is_read);
	for (uint32_t n = 0; n < len; n++)
		contract(data[n] == (uint8_t)i->slots[slot].lun && "the data of another disk");
	if (bhs[1] & ISCSI_DATA_IN_STATUS) {
		i->good++;
		end_command(i, bhs);
	}
}

static bool answer_r2t(struct live_initiator *i, const uint8_t *bhs)
{
	struct iscsi_data_out pdu = {.opcode = ISCSI_OP_DATA_OUT, .flags = ISCSI_FINAL};
	static _Thread_local uint8_t data[DATA_MAX];
	uint32_t len = get_be32(bhs + 44);
	unsigned slot = get_be32(bhs + 16) % LIVE_WINDOW;

	contract(len <= sizeof(data) && i->slots[slot].lun >= 0);
	memset(data, i->slots[slot].lun, len);
	memcpy(pdu.lun, bhs + 8, 8);
	memcpy(pdu.itt, bhs + 16, 4);
	memcpy(pdu.ttt, bhs + 20, 4);
	memcpy(pdu.offset, bhs + 40, 4);
	put_be32(pdu.expstatsn, i->expstatsn);
	return send_pdu(i, &pdu, data, len);
}

/* The commands that this function has aborted get no response any more. */
static void on_function(struct live_initiator *i, const uint8_t *bhs)
{
	contract(i->function_itt == get_be32(bhs + 16));
	for (unsigned n = 0; n < LIVE_WINDOW && bhs[2] == ISCSI_TMF_COMPLETE; n++) {
		bool concerned = i->function == ISCSI_TMF_ABORT_TASK
				     ? i->slots[n].itt == i->function_ref
				     : i->function_lun < 0 || i->slots[n].lun == i->function_lun;

		if (i->slots[n].lun >= 0 && concerned && (int32_t)(i->slots[n].itt - i->function_itt) < 0)
			free_slot(i, n);
	}
	i->function_itt = 0;
}

static bool handle(struct live_initiator *i, const uint8_t *bhs, const uint8_t *data, uint32_t len,
		   bool answers)
{
	if (bhs[0] != ISCSI_OP_R2T && !(bhs[0] == ISCSI_OP_DATA_IN && !(bhs[1] & ISCSI_DATA_IN_STATUS)))
		i->expstatsn = get_be32(bhs + 24) + 1;
	i->max_cmdsn = get_be32(bhs + 32);
	switch (bhs[0]) {
	case ISCSI_OP_SCSI_RESPONSE:
		on_response(i, bhs, data, len);
		return true;
	case ISCSI_OP_DATA_IN:
		on_data_in(i, bhs, data, len);
		return true;
	case ISCSI_OP_R2T:
		return !answers || answer_r2t(i, bhs);
	case ISCSI_OP_TASK_MGMT_RSP:
		on_function(i, bhs);
		return true;
	case ISCSI_OP_ASYNC:
		contract(bhs[36] == ISCSI_ASYNC_LOGOUT);
		i->asked_to_leave = true;
		return true;
	case ISCSI_OP_LOGOUT_RSP:
		return true;
	default:
		contract(bhs[0] == ISCSI_OP_NOP_IN);
		return true;
	}
}

bool live_receive(struct live_initiator *i, bool wait, bool answers)
{
	static _Thread_local uint8_t data[DATA_MAX];
	struct pollfd ready = {.fd = i->fd, .events = POLLIN};
	uint8_t bhs[ISCSI_BHS_LEN];
	uint32_t len;

	while (wait || poll(&ready, 1, 0) > 0) {
		if (!receive_pdu(i, bhs, data, &len) || !handle(i, bhs, data, len, answers))
			return false;
		wait = false;
	}
	return true;
}

bool live_finish(struct live_initiator *i)
{
	while (i->outstanding || i->function_itt)
		if (!live_receive(i, true, true))
			return false;
	return true;
}
