/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens and closes the fixture of sbc_fixture.h, and builds the CDBs of block commands.
 */
#include "sbc_fixture.h"

#include <assert.h>

#include "scsi/nexus.h"
#include "util/bytes.h"
#include "util/iov.h"

void sbc_fixture_open(struct sbc_fixture *e, uint64_t nblocks, uint32_t block_size,
		      void (*change)(struct backstore *bs))
{
	static const struct scsi_identity identity = {.serial = "0123456789"};

	*e = (struct sbc_fixture){.block = block_size};
	e->bs = fake_backstore_new(nblocks * block_size, block_size);
	if (change)
		change(e->bs);
	e->lu = scsi_lu_new(fake_loops(1), e->bs, &identity, NULL);
	assert(e->lu);
	scsi_nexus_attach(&e->nexus, NULL, e->lu, fake_loop(0));
	scsi_ua_pop(&e->nexus);
}

void sbc_fixture_close(struct sbc_fixture *e)
{
	fake_cmd_free(&e->c);
	scsi_nexus_detach(&e->nexus);
	scsi_lu_free(e->lu);
	fake_backstore_free(e->bs);
}

uint8_t *sbc_fixture_block(struct sbc_fixture *e, uint64_t lba)
{
	return e->bs->data + lba * e->block;
}

size_t sbc_fixture_cdb(uint8_t cdb[16], uint8_t opcode, uint8_t flags, uint64_t lba, uint32_t n)
{
	memset(cdb, 0, 16);
	cdb[0] = opcode;
	switch (opcode >> 5) {
	case 0:
		put_be24(cdb + 1, (uint32_t)lba);
		cdb[4] = (uint8_t)n;
		return 6;
	case 1:
	case 2:
		put_be32(cdb + 2, (uint32_t)lba);
		put_be16(cdb + 7, (uint16_t)n);
		break;
	case 4:
		put_be64(cdb + 2, lba);
		put_be32(cdb + 10, n);
		break;
	case 5:
		put_be32(cdb + 2, (uint32_t)lba);
		put_be32(cdb + 6, n);
		break;
	}
	cdb[1] = flags;
	return opcode >> 5 == 4 ? 16 : opcode >> 5 == 5 ? 12 : 10;
}

enum scsi_status sbc_fixture_cdb_run(struct sbc_fixture *e, const uint8_t *cdb, size_t cdb_len,
				     const void *data, size_t len)
{
	unsigned pieces = e->c.pieces;
	bool may_lend = e->c.cmd.may_lend, no_memory = e->c.no_memory;

	fake_cmd_free(&e->c);
	fake_cmd_init(&e->c, e->lu, &e->nexus, cdb, cdb_len);
	e->c.pieces = pieces;
	e->c.no_memory = no_memory;
	e->c.cmd.may_lend = may_lend;
	return fake_cmd_exec(&e->c, data, len);
}

enum scsi_status sbc_fixture_run(struct sbc_fixture *e, uint8_t opcode, uint8_t flags, uint64_t lba,
				 uint32_t n, const void *data, size_t len)
{
	uint8_t cdb[16];
	size_t cdb_len = sbc_fixture_cdb(cdb, opcode, flags, lba, n);

	return sbc_fixture_cdb_run(e, cdb, cdb_len, data, len);
}

size_t sbc_fixture_data(struct sbc_fixture *e, void *to, size_t max)
{
	return iov_copy_from(e->c.cmd.iov, e->c.cmd.iovcnt, 0, to, MIN(max, e->c.cmd.data_in_len));
}
