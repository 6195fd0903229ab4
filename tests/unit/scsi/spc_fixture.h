/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of SPC commands share: an LU of 1024 blocks with two nexuses, and its commands. */
#ifndef TESTS_SCSI_SPC_FIXTURE_H
#define TESTS_SCSI_SPC_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fakes.h"
#include "scsi/cmd.h"
#include "util/bytes.h"

#define SPC_BLOCKS 1024

struct spc_fixture {
	struct backstore *bs;
	struct scsi_lu *lu;
	struct scsi_it_nexus it_nexus;
	struct scsi_nexus nexus[2]; /* Their first unit attention has been reported already. */
	struct fake_cmd c;          /* The last command. */
};

/* change, if not NULL, is called with the backstore before the LU is made. */
void spc_fixture_open(struct spc_fixture *e, unsigned nloops, void (*change)(struct backstore *bs));
void spc_fixture_close(struct spc_fixture *e);

enum scsi_status spc_fixture_run(struct spc_fixture *e, struct scsi_nexus *nexus, const uint8_t *cdb,
				 size_t cdb_len, const void *data, size_t len);
/* Executes a CDB through nexus n, without or with Data-Out. */
#define RUN(e, n, ...) RUN_OUT(e, n, NULL, 0, __VA_ARGS__)
#define RUN_OUT(e, n, data, len, ...)                                        \
	spc_fixture_run((e), &(e)->nexus[n], (const uint8_t[]){__VA_ARGS__}, \
			sizeof((const uint8_t[]){__VA_ARGS__}), (data), (len))

/* The last command has ended with this sense code. */
#define assert_sense(e, code)                                              \
	do {                                                               \
		assert_int_equal((e)->c.cmd.status, SCSI_CHECK_CONDITION); \
		assert_int_equal(fake_sense(&(e)->c.cmd), (code));         \
	} while (0)
/* The sense data also points to this byte and bit (-1: no field). */
#define assert_field(e, code, byte, bit)                                                                    \
	do {                                                                                                \
		assert_sense(e, code);                                                                      \
		spc_fixture_assert_field(&(e)->c.cmd, (code) == SENSE_INVALID_FIELD_IN_CDB, (byte), (bit)); \
	} while (0)
void spc_fixture_assert_field(const struct scsi_cmd *cmd, bool in_cdb, unsigned byte, int bit);
#endif
