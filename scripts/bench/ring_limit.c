/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring_limit UIO FILE
 *
 * Does the least that a process can do for a TCMU device. tcmu.sh measures the daemon against this limit. The
 * program fetches commands, copies from and to the mapped FILE in the same thread, completes commands in
 * batches of 32, rings the doorbell, and sleeps in poll. It trusts the kernel, and knows only the commands
 * that Linux needs for a disk of 512-byte blocks below 2 TiB.
 */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ring/uapi.h"
#include "util/bytes.h"

#define BATCH 32
#define BLOCK 512u

enum {
	TEST_UNIT_READY = 0x00,
	INQUIRY = 0x12,
	MODE_SENSE_6 = 0x1a,
	READ_CAPACITY_10 = 0x25,
	READ_10 = 0x28,
	WRITE_10 = 0x2a,
	SYNCHRONIZE_CACHE_10 = 0x35,
};

static uint8_t *map, *disk;
static uint64_t disk_size;

static void *map_shared(int fd, size_t len)
{
	void *mapped = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (mapped == MAP_FAILED)
		err(1, "mmap of %zu bytes", len);
	return mapped;
}

static size_t uio_len(const char *uio)
{
	char path[128], text[32] = "";

	snprintf(path, sizeof(path), "/sys/class/uio/%s/maps/map0/size", uio + strlen("/dev/"));
	FILE *file = fopen(path, "r");
	if (!file || !fgets(text, sizeof(text), file))
		err(1, "%s", path);
	fclose(file);
	return strtoull(text, NULL, 16);
}

/* Copies Data-In into the command's buffers, at most as much as the initiator accepts. */
static uint8_t copy_data_in(const struct tcmu_cmd_request *cmd, const uint8_t *from, size_t len)
{
	for (uint32_t i = 0; i < cmd->iov_cnt && len; i++) {
		size_t n = MIN(len, cmd->iov[i].len);

		memcpy(map + cmd->iov[i].base, from, n);
		from += n;
		len -= n;
	}
	return 0;
}

static uint8_t copy_data_out(const struct tcmu_cmd_request *cmd, uint8_t *to)
{
	for (uint32_t i = 0; i < cmd->iov_cnt; i++) {
		memcpy(to, map + cmd->iov[i].base, cmd->iov[i].len);
		to += cmd->iov[i].len;
	}
	return 0;
}

/* Runs a command and returns its SCSI status. */
static uint8_t run(const struct tcmu_cmd_request *cmd)
{
	static const uint8_t inquiry[36] = {0,   0,   5,   2,   31,  0,   0,   2,   'B', 'E', 'N',
					    'C', 'H', ' ', ' ', ' ', 'l', 'i', 'm', 'i', 't'};
	const uint8_t *cdb = map + cmd->cdb_off;
	uint8_t answer[8] = {0};

	switch (cdb[0]) {
	case READ_10:
		return copy_data_in(cmd, disk + (uint64_t)get_be32(cdb + 2) * BLOCK,
				    get_be16(cdb + 7) * BLOCK);
	case WRITE_10:
		return copy_data_out(cmd, disk + (uint64_t)get_be32(cdb + 2) * BLOCK);
	case TEST_UNIT_READY:
	case SYNCHRONIZE_CACHE_10:
		return 0;
	case INQUIRY:
		if (!(cdb[1] & 1)) /* this program has no VPD pages */
			return copy_data_in(cmd, inquiry, sizeof(inquiry));
		break;
	case MODE_SENSE_6:
		answer[0] = 3;
		return copy_data_in(cmd, answer, 4);
	case READ_CAPACITY_10:
		put_be32(answer, (uint32_t)(disk_size / BLOCK - 1));
		put_be32(answer + 4, BLOCK);
		return copy_data_in(cmd, answer, sizeof(answer));
	}
	return 2;
}

static void complete(struct tcmu_cmd_request *cmd)
{
	/* SPC-4 4.5.3: ILLEGAL REQUEST, INVALID COMMAND OPERATION CODE */
	static const uint8_t sense[TCMU_SENSE_LEN] = {0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x20};
	uint8_t status = run(cmd);
	struct tcmu_cmd_response *slot = (void *)cmd;

	slot->hdr.uflags = 0;
	slot->scsi_status = status;
	if (status)
		memcpy(slot->sense, sense, sizeof(sense));
}

static void ring_doorbell(int fd, struct tcmu_mailbox *mailbox, uint32_t tail)
{
	__atomic_store_n(&mailbox->cmd_tail, tail, __ATOMIC_RELEASE);
	if (write(fd, &(uint32_t){0}, 4) != 4)
		err(1, "doorbell");
}

/* Serves commands until the ring is empty. */
static void serve(int fd)
{
	struct tcmu_mailbox *mailbox = (void *)map;
	uint32_t tail = mailbox->cmd_tail, batch = 0;

	while (tail != __atomic_load_n(&mailbox->cmd_head, __ATOMIC_ACQUIRE)) {
		struct tcmu_hdr *hdr = (void *)(map + mailbox->cmdr_off + tail);

		if ((hdr->len_op & TCMU_OP_MASK) == TCMU_OP_CMD)
			complete((void *)hdr);
		tail = (tail + (hdr->len_op & ~TCMU_OP_MASK)) % mailbox->cmdr_size;
		if (++batch % BATCH == 0)
			ring_doorbell(fd, mailbox, tail);
	}
	if (batch % BATCH)
		ring_doorbell(fd, mailbox, tail);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: ring_limit /dev/uioN FILE");
	int file = open(argv[2], O_RDWR);
	struct stat st;
	if (file < 0 || fstat(file, &st) < 0)
		err(1, "%s", argv[2]);
	disk_size = (uint64_t)st.st_size;
	disk = map_shared(file, disk_size);

	struct pollfd uio = {.fd = open(argv[1], O_RDWR), .events = POLLIN};
	int32_t events;
	if (uio.fd < 0)
		err(1, "%s", argv[1]);
	map = map_shared(uio.fd, uio_len(argv[1]));
	for (;;) {
		serve(uio.fd);
		if (poll(&uio, 1, -1) < 0 || read(uio.fd, &events, sizeof(events)) != sizeof(events))
			err(1, "%s", argv[1]);
	}
}
