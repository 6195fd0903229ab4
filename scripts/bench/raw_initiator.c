/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initiator of iscsi_load that uses no library. It sends the same data with each WRITE and discards what
 * a READ returns, so that the measurement contains as little work of the initiator as possible. It has no
 * digests, no CHAP and no error recovery. The section numbers are those of RFC 7143.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "iscsi_load.h"

#define BHS_LENGTH   48
#define MAX_COMMANDS 1024
#define MAX_OUTPUTS  (4 * MAX_COMMANDS)
#define INPUT_LENGTH 65536

/* 11.2.1.2; requests that are sent during the login and the logout have the immediate bit. */
enum opcode {
	OP_SCSI_COMMAND = 0x01,
	OP_DATA_OUT = 0x05,
	OP_LOGIN_REQUEST = 0x43,
	OP_LOGOUT_REQUEST = 0x46,
	OP_NOP_IN = 0x20,
	OP_SCSI_RESPONSE = 0x21,
	OP_LOGIN_RESPONSE = 0x23,
	OP_DATA_IN = 0x25,
	OP_R2T = 0x31,
};

struct output {
	uint8_t header[BHS_LENGTH];
	const uint8_t *data; /* what follows the header */
	uint32_t length;
};

struct connection {
	int fd;
	uint8_t lun[8];
	uint32_t cmd_sn, max_cmd_sn, exp_stat_sn;
	uint32_t max_segment, max_immediate; /* bytes of data in one PDU, and in a command */

	struct output queue[MAX_OUTPUTS]; /* a ring of the PDUs that are not sent completely */
	unsigned first, queued;
	size_t sent;                      /* bytes of the first PDU in the ring that were sent */
	struct slot *slots[MAX_COMMANDS]; /* the index is the initiator task tag */
	unsigned free_tags[MAX_COMMANDS], nfree;

	uint8_t input[INPUT_LENGTH];
	size_t filled;
	size_t discard;       /* bytes of a data segment that are still to come */
	struct slot **ending; /* the command whose status the current PDU carries */
};

static void put32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t data_length(const uint8_t *header)
{
	return get32(header + 4) & 0xffffff;
}

static uint32_t padded(uint32_t length)
{
	return (length + 3) & ~3u;
}

/* Remembers the sequence numbers of a response (11.4). */
static void take_numbers(struct connection *connection, const uint8_t *header)
{
	connection->exp_stat_sn = get32(header + 24) + 1;
	connection->max_cmd_sn = get32(header + 32);
}

static void send_all(int fd, const void *data, size_t length)
{
	if (send(fd, data, length, MSG_NOSIGNAL) != (ssize_t)length)
		load_die("the target closed the connection while a request was sent");
}

static void receive_all(int fd, void *data, size_t length)
{
	if (length && recv(fd, data, length, MSG_WAITALL) != (ssize_t)length)
		load_die("the target closed the connection while an answer was received");
}

/* Receives one PDU. Of its data, the first `room` bytes are kept in `data`. */
static void receive_pdu(struct connection *connection, uint8_t *header, uint8_t *data, size_t room)
{
	receive_all(connection->fd, header, BHS_LENGTH);
	uint32_t length = padded(data_length(header));
	uint8_t *whole = calloc(1, length + 1);

	if (!whole)
		load_die("there is not enough memory");
	receive_all(connection->fd, whole, length);
	if (room)
		memcpy(data, whole, length < room ? length : room);
	free(whole);
}

static void fill_command(struct connection *connection, uint8_t *header, uint32_t tag, uint8_t flags,
			 uint32_t transfer_length)
{
	memset(header, 0, BHS_LENGTH);
	header[0] = OP_SCSI_COMMAND;
	header[1] = 0x80 | flags | 1; /* final, SIMPLE */
	memcpy(header + 8, connection->lun, 8);
	put32(header + 16, tag);
	put32(header + 20, transfer_length);
	put32(header + 24, connection->cmd_sn++);
	put32(header + 28, connection->exp_stat_sn);
}

/* Sends one command and returns its status. The data that the command reads are kept in `data`. */
static uint8_t run_command(struct connection *connection, const uint8_t *cdb, uint8_t *data, uint32_t length)
{
	uint8_t header[BHS_LENGTH];

	fill_command(connection, header, 0, length ? 0x40 : 0, length);
	memcpy(header + 32, cdb, 16);
	send_all(connection->fd, header, sizeof(header));
	for (;;) {
		receive_pdu(connection, header, data, length);
		bool has_status = header[0] == OP_SCSI_RESPONSE || (header[0] == OP_DATA_IN && header[1] & 1);
		if (!has_status)
			continue;
		take_numbers(connection, header);
		return header[3];
	}
}

static int connect_to(const char *address, const char *url)
{
	char host[256];
	const char *colon = strrchr(address, ':');
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *found;
	int fd = -1, one = 1;

	if (!colon)
		load_die("%s does not name a port", url);
	bool bracket = *address == '[';
	snprintf(host, sizeof(host), "%.*s", (int)(colon - address) - 2 * bracket, address + bracket);
	if (getaddrinfo(host, colon + 1, &hints, &found))
		load_die("%s: '%s' is not an address", url, host);
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen))
		load_die("%s: %s", url, strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	freeaddrinfo(found);
	return fd;
}

/* Returns the number that follows KEY= in the text of a login response, or the default of the key. */
static uint32_t login_number(const char *text, uint32_t length, const char *key, uint32_t by_default)
{
	for (uint32_t at = 0; at < length; at += (uint32_t)strlen(text + at) + 1)
		if (!strncmp(text + at, key, strlen(key)))
			return (uint32_t)strtoul(text + at + strlen(key), NULL, 10);
	return by_default;
}

/* 11.12: one login request, from the operational stage to the full feature phase. */
static void log_in(struct connection *connection, const char *name, const char *target, const char *url)
{
	uint8_t header[BHS_LENGTH] = {OP_LOGIN_REQUEST, 0x80 | 1 << 2 | 3};
	char text[4097] = {0};
	unsigned id = (unsigned)getpid();
	int length = snprintf(text, sizeof(text),
			      "InitiatorName=%s%cTargetName=%s%cSessionType=Normal%cHeaderDigest=None%c"
			      "DataDigest=None%cInitialR2T=No%cImmediateData=Yes%cMaxBurstLength=16776192%c"
			      "FirstBurstLength=16776192%cMaxRecvDataSegmentLength=16776192%c",
			      name, 0, target, 0, 0, 0, 0, 0, 0, 0, 0, 0);

	put32(header + 4, (uint32_t)length);
	header[8] = 0x80; /* ISID: a random one */
	put32(header + 10, id);
	send_all(connection->fd, header, sizeof(header));
	send_all(connection->fd, text, padded((uint32_t)length));
	memset(text, 0, sizeof(text));
	receive_pdu(connection, header, (uint8_t *)text, sizeof(text) - 1);
	if (header[0] != OP_LOGIN_RESPONSE || header[36] || (header[1] & 0x83) != 0x83)
		load_die("%s: the target refuses the login with status %02x%02x", url, header[36],
			 header[37]);
	take_numbers(connection, header);
	connection->cmd_sn = get32(header + 28);
	uint32_t segment = login_number(text, data_length(header), "MaxRecvDataSegmentLength=", 8192);
	uint32_t burst = login_number(text, data_length(header), "FirstBurstLength=", 65536);
	connection->max_segment = segment;
	connection->max_immediate = segment < burst ? segment : burst;
}

static struct connection *connect_session(const char *url, const char *name)
{
	static const uint8_t test_unit_ready[16];
	struct connection *connection = calloc(1, sizeof(*connection));
	char address[128], target[224];
	unsigned lun;

	if (!connection)
		load_die("there is not enough memory");
	if (sscanf(url, "iscsi://%127[^/]/%223[^/]/%u", address, target, &lun) != 3 || lun > 16383)
		load_die("%s is not iscsi://ADDRESS:PORT/TARGET/LUN", url);
	connection->lun[0] = (uint8_t)(lun > 255 ? 0x40 | lun >> 8 : 0); /* SAM-5 4.7 */
	connection->lun[1] = (uint8_t)lun;
	for (unsigned tag = MAX_COMMANDS; tag > 0; tag--)
		connection->free_tags[connection->nfree++] = tag - 1;
	connection->fd = connect_to(address, url);
	log_in(connection, name, target, url);
	for (int tries = 0; run_command(connection, test_unit_ready, NULL, 0); tries++)
		if (tries == 10)
			load_die("%s: the logical unit does not become ready", url);
	return connection;
}

static void read_capacity(struct connection *connection, uint32_t *block_size, uint64_t *blocks)
{
	static const uint8_t cdb[16] = {0x9e, 0x10, [13] = 32};
	uint8_t data[32] = {0};

	if (run_command(connection, cdb, data, sizeof(data)))
		load_die("READ CAPACITY(16) fails");
	*blocks = ((uint64_t)get32(data) << 32 | get32(data + 4)) + 1;
	*block_size = get32(data + 8);
}

static struct output *add_output(struct connection *connection, const uint8_t *data, uint32_t length)
{
	struct output *output = &connection->queue[(connection->first + connection->queued) % MAX_OUTPUTS];

	if (connection->queued++ == MAX_OUTPUTS)
		load_die("the target asks for more data at a time than expected");
	output->data = data;
	output->length = length;
	return output;
}

static void start(struct slot *slot, bool write, uint64_t lba, uint32_t blocks, uint32_t bytes)
{
	struct connection *connection = slot->connection;
	uint32_t immediate = bytes < connection->max_immediate ? bytes : connection->max_immediate;

	if (!connection->nfree || (int32_t)(connection->max_cmd_sn - connection->cmd_sn) < 0)
		load_die("the target allows fewer commands in flight; use a smaller depth");
	uint32_t tag = connection->free_tags[--connection->nfree];
	struct output *output = add_output(connection, slot->buffer, write ? immediate : 0);
	uint8_t *header = output->header;
	connection->slots[tag] = slot;
	fill_command(connection, header, tag, write ? 0x20 : 0x40, bytes);
	put32(header + 4, output->length);
	header[32] = write ? 0x8a : 0x88;
	put32(header + 34, (uint32_t)(lba >> 32));
	put32(header + 38, (uint32_t)lba);
	put32(header + 42, blocks);
}

/* 11.7 and 11.8: sends the data that an R2T asks for. */
static void answer_r2t(struct connection *connection, const uint8_t *r2t, const uint8_t *data)
{
	uint32_t offset = get32(r2t + 40), left = get32(r2t + 44);

	for (uint32_t data_sn = 0; left; data_sn++) {
		uint32_t length = left < connection->max_segment ? left : connection->max_segment;
		struct output *output = add_output(connection, data + offset, length);
		uint8_t *header = output->header;
		memset(header, 0, BHS_LENGTH);
		header[0] = OP_DATA_OUT;
		header[1] = length == left ? 0x80 : 0;
		put32(header + 4, length);
		memcpy(header + 8, connection->lun, 8);
		memcpy(header + 16, r2t + 16, 8); /* both task tags */
		put32(header + 28, connection->exp_stat_sn);
		put32(header + 36, data_sn);
		put32(header + 40, offset);
		offset += length;
		left -= length;
	}
}

static struct pollfd wait_for(struct connection *connection)
{
	return (struct pollfd){.fd = connection->fd,
			       .events = connection->queued ? POLLIN | POLLOUT : POLLIN};
}

static void drop_sent(struct connection *connection, size_t sent)
{
	connection->sent += sent;
	while (connection->queued) {
		size_t length = BHS_LENGTH + connection->queue[connection->first].length;
		if (connection->sent < length)
			return;
		connection->sent -= length;
		connection->first = (connection->first + 1) % MAX_OUTPUTS;
		connection->queued--;
	}
}

static void send_queue(struct connection *connection)
{
	struct iovec iov[128];
	struct msghdr message = {.msg_iov = iov};
	size_t skip = connection->sent;

	for (unsigned i = 0; i < connection->queued && message.msg_iovlen < 126; i++) {
		struct output *output = &connection->queue[(connection->first + i) % MAX_OUTPUTS];
		size_t in_header = skip < BHS_LENGTH ? skip : BHS_LENGTH, in_data = skip - in_header;
		if (in_header < BHS_LENGTH)
			iov[message.msg_iovlen++] = (struct iovec){.iov_base = output->header + in_header,
								   .iov_len = BHS_LENGTH - in_header};
		if (in_data < output->length)
			iov[message.msg_iovlen++] =
			    (struct iovec){.iov_base = (uint8_t *)output->data + in_data,
					   .iov_len = output->length - in_data};
		skip = 0;
	}
	ssize_t sent = sendmsg(connection->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		load_die("send: %s", strerror(errno));
	drop_sent(connection, sent < 0 ? 0 : (size_t)sent);
}

static void take_header(struct connection *connection, const uint8_t *header)
{
	uint8_t opcode = header[0] & 0x3f;
	uint32_t tag = get32(header + 16);

	connection->discard = padded(data_length(header));
	if (opcode == OP_NOP_IN || (opcode == OP_DATA_IN && !(header[1] & 1)))
		return;
	if (tag >= MAX_COMMANDS || !connection->slots[tag] ||
	    (opcode != OP_SCSI_RESPONSE && opcode != OP_DATA_IN && opcode != OP_R2T))
		load_die("the target sent a PDU with opcode %#x and tag %#x, which was not expected", opcode,
			 tag);
	if (opcode == OP_R2T) {
		answer_r2t(connection, header, connection->slots[tag]->buffer);
		return;
	}
	if (header[3] || (opcode == OP_SCSI_RESPONSE && header[2]))
		load_die("a command ended with response %#x and status %#x", header[2], header[3]);
	take_numbers(connection, header);
	connection->ending = &connection->slots[tag];
}

/* A command has ended when the whole PDU that carries its status has arrived. */
static void end_command(struct connection *connection)
{
	struct slot *slot = *connection->ending;

	connection->free_tags[connection->nfree++] = (unsigned)(connection->ending - connection->slots);
	*connection->ending = NULL;
	connection->ending = NULL;
	load_command_done(slot);
}

static void take_input(struct connection *connection)
{
	size_t at = 0;

	for (;;) {
		size_t left = connection->filled - at;
		size_t step = connection->discard < left ? connection->discard : left;
		connection->discard -= step;
		at += step;
		left -= step;
		if (connection->ending && !connection->discard)
			end_command(connection);
		if (connection->discard || left < BHS_LENGTH)
			break;
		take_header(connection, connection->input + at);
		at += BHS_LENGTH;
	}
	connection->filled -= at;
	memmove(connection->input, connection->input + at, connection->filled);
}

/* MSG_TRUNC makes TCP drop the bytes instead of copying them; see tcp(7). */
static void receive(struct connection *connection)
{
	ssize_t got;

	if (connection->discard) {
		got = recv(connection->fd, NULL, connection->discard, MSG_DONTWAIT | MSG_TRUNC);
		if (got > 0)
			connection->discard -= (size_t)got;
	} else {
		got = recv(connection->fd, connection->input + connection->filled,
			   sizeof(connection->input) - connection->filled, MSG_DONTWAIT);
		if (got > 0)
			connection->filled += (size_t)got;
	}
	if (!got || (got < 0 && errno != EAGAIN && errno != EINTR))
		load_die("receive: %s", got ? strerror(errno) : "the target closed the connection");
	take_input(connection);
}

static void serve(struct connection *connection, short events)
{
	if (events & ~POLLOUT)
		receive(connection);
	if (connection->queued)
		send_queue(connection);
}

static void log_out(struct connection *connection)
{
	uint8_t header[BHS_LENGTH] = {OP_LOGOUT_REQUEST, 0x80};

	put32(header + 24, connection->cmd_sn);
	put32(header + 28, connection->exp_stat_sn);
	send_all(connection->fd, header, sizeof(header));
	receive_all(connection->fd, header, sizeof(header));
	close(connection->fd);
	free(connection);
}

const struct initiator raw_initiator = {.connect = connect_session,
					.read_capacity = read_capacity,
					.start = start,
					.wait_for = wait_for,
					.serve = serve,
					.disconnect = log_out};
