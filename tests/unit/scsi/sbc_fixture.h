/* SPDX-License-Identifier: Apache-2.0 */
/* An LU on the fake backstore, and functions that execute commands on it, for the tests of block commands. */
#ifndef TESTS_SCSI_SBC_FIXTURE_H
#define TESTS_SCSI_SBC_FIXTURE_H

#include "scsi/cmd.h"
#include "fakes.h"

struct sbc_fixture {
	struct backstore *bs;
	struct scsi_lu *lu;
	struct scsi_nexus nexus;
	uint32_t block;
	struct fake_cmd c; /* The last command. */
};

/* Opens an LU of nblocks blocks. change, if not NULL, is called with the backstore before the LU is made. */
void sbc_fixture_open(struct sbc_fixture *e, uint64_t nblocks, uint32_t block_size,
		      void (*change)(struct backstore *bs));
void sbc_fixture_close(struct sbc_fixture *e);
/* Returns byte i of block lba of the medium. */
uint8_t *sbc_fixture_block(struct sbc_fixture *e, uint64_t lba);

/*
 * Builds a CDB with flags in byte 1, and with LBA and length in the places that the opcode's group defines.
 * Returns its length.
 */
size_t sbc_fixture_cdb(uint8_t cdb[16], uint8_t opcode, uint8_t flags, uint64_t lba, uint32_t n);
/* Executes a command whose CDB sbc_fixture_cdb() builds, with len bytes of Data-Out. */
enum scsi_status sbc_fixture_run(struct sbc_fixture *e, uint8_t opcode, uint8_t flags, uint64_t lba,
				 uint32_t n, const void *data, size_t len);
/* Executes any CDB. */
enum scsi_status sbc_fixture_cdb_run(struct sbc_fixture *e, const uint8_t *cdb, size_t cdb_len,
				     const void *data, size_t len);
/* Copies the Data-In of the last command, which may consist of pieces. Returns its length. */
size_t sbc_fixture_data(struct sbc_fixture *e, void *to, size_t max);
#endif
