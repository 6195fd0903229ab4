/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of the memory that the kernel's target_core_user shares with the daemon. All numbers except
 * those in CDBs are in host byte order. cdb_off and base in struct tcmu_uiov are offsets from the start of
 * the mapping.
 */
#ifndef RING_UAPI_H
#define RING_UAPI_H

#include <stddef.h>
#include <stdint.h>

#define TCMU_UAPI_VERSION 2

/* The flags of the mailbox, which say what the kernel supports. */
#define TCMU_FLAG_OOOC     0x1 /* The kernel supports out-of-order completion. */
#define TCMU_FLAG_READ_LEN 0x2
#define TCMU_FLAG_TMR      0x4
#define TCMU_FLAG_KEEP_BUF 0x8

enum tcmu_op { TCMU_OP_PAD = 0, TCMU_OP_CMD = 1, TCMU_OP_TMR = 2 };
#define TCMU_OP_MASK 0x7u

/* The uflags of an entry, which tell the kernel something about its completion. */
#define TCMU_UFLAG_UNKNOWN_OP 0x1
#define TCMU_UFLAG_READ_LEN   0x2

#define TCMU_SENSE_LEN 96

struct tcmu_mailbox {
	uint16_t version;
	uint16_t flags;
	uint32_t cmdr_off;
	uint32_t cmdr_size;
	uint32_t cmd_head; /* The kernel writes this field. */
	uint8_t pad[48];
	uint32_t cmd_tail; /* The daemon writes this field. */
	uint8_t pad2[60];
};

struct tcmu_hdr {
	/* The low three bits are an enum tcmu_op. The other bits are the size of the entry in bytes. */
	uint32_t len_op;
	uint16_t cmd_id;
	uint8_t kflags;
	uint8_t uflags;
};

struct tcmu_uiov {
	uint64_t base;
	uint64_t len;
};

struct tcmu_cmd_request {
	struct tcmu_hdr hdr;
	uint32_t iov_cnt;
	uint32_t iov_bidi_cnt;
	uint32_t iov_dif_cnt;
	uint32_t pad;
	uint64_t cdb_off;
	uint64_t pad1, pad2;
	struct tcmu_uiov iov[];
};

struct tcmu_cmd_response {
	struct tcmu_hdr hdr;
	uint8_t scsi_status;
	uint8_t pad1;
	uint16_t pad2;
	uint32_t read_len;
	uint8_t sense[TCMU_SENSE_LEN];
};

struct tcmu_tmr {
	struct tcmu_hdr hdr;
	uint8_t type;
	uint8_t pad1;
	uint16_t pad2;
	uint32_t cmd_cnt;
	uint64_t pad3, pad4;
	uint16_t cmd_ids[];
};

_Static_assert(sizeof(struct tcmu_mailbox) == 128, "mailbox size");
_Static_assert(offsetof(struct tcmu_mailbox, cmdr_off) == 4, "cmdr_off");
_Static_assert(offsetof(struct tcmu_mailbox, cmdr_size) == 8, "cmdr_size");
_Static_assert(offsetof(struct tcmu_mailbox, cmd_head) == 12, "cmd_head");
_Static_assert(offsetof(struct tcmu_mailbox, cmd_tail) == 64, "cmd_tail");
_Static_assert(sizeof(struct tcmu_hdr) == 8, "header size");
_Static_assert(offsetof(struct tcmu_hdr, cmd_id) == 4, "cmd_id");
_Static_assert(offsetof(struct tcmu_hdr, uflags) == 7, "uflags");
_Static_assert(offsetof(struct tcmu_cmd_request, iov_cnt) == 8, "iov_cnt");
_Static_assert(offsetof(struct tcmu_cmd_request, cdb_off) == 24, "cdb_off");
_Static_assert(offsetof(struct tcmu_cmd_request, iov) == 48, "iov");
_Static_assert(offsetof(struct tcmu_cmd_response, scsi_status) == 8, "scsi_status");
_Static_assert(offsetof(struct tcmu_cmd_response, read_len) == 12, "read_len");
_Static_assert(offsetof(struct tcmu_cmd_response, sense) == 16, "sense");
_Static_assert(sizeof(struct tcmu_cmd_response) == 112, "response size");
_Static_assert(offsetof(struct tcmu_tmr, cmd_cnt) == 12, "cmd_cnt");
_Static_assert(offsetof(struct tcmu_tmr, cmd_ids) == 32, "cmd_ids");
#endif
