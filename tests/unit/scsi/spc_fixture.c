/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and closes the fixture of spc_fixture.h. */
#include "spc_fixture.h"

#include "scsi/nexus.h"

#define LUNS 3

static uint32_t report_luns(struct scsi_it_nexus *it_nexus, uint8_t (*luns)[8], uint32_t max)
{
	(void)it_nexus;
	for (uint32_t i = 0; i < MIN(max, LUNS); i++) {
		memset(luns[i], 0, 8);
		luns[i][1] = (uint8_t)(i * 2);
	}
	return LUNS;
}

void spc_fixture_open(struct spc_fixture *e, unsigned nloops, void (*change)(struct backstore *bs))
{
	static const struct scsi_identity identity = {.serial = "c0ffee-0123-4567-89ab"};

	*e = (struct spc_fixture){
	    .it_nexus = {.initiator_port = "iqn.2026-11.test:me,i,0x00023d000001",
			 .target_port = "iqn.2026-11.test:disk,t,0x0001",
			 .relative_port = 3,
			 .port_group = 5,
			 .report_luns = report_luns},
	};
	e->bs = fake_backstore_new(SPC_BLOCKS * 512, 512);
	if (change)
		change(e->bs);
	e->lu = scsi_lu_new(fake_loops(nloops), e->bs, &identity, NULL);
	assert_non_null(e->lu);
	for (unsigned i = 0; i < ARRAY_SIZE(e->nexus); i++) {
		scsi_nexus_attach(&e->nexus[i], &e->it_nexus, e->lu, fake_loop(0));
		scsi_ua_pop(&e->nexus[i]);
	}
}

void spc_fixture_close(struct spc_fixture *e)
{
	fake_cmd_free(&e->c);
	for (unsigned i = 0; i < ARRAY_SIZE(e->nexus); i++)
		scsi_nexus_detach(&e->nexus[i]);
	scsi_lu_free(e->lu);
	fake_backstore_free(e->bs);
}

enum scsi_status spc_fixture_run(struct spc_fixture *e, struct scsi_nexus *nexus, const uint8_t *cdb,
				 size_t cdb_len, const void *data, size_t len)
{
	fake_cmd_free(&e->c);
	fake_cmd_init(&e->c, e->lu, nexus, cdb, cdb_len);
	return fake_cmd_exec(&e->c, data, len);
}

void spc_fixture_assert_field(const struct scsi_cmd *cmd, bool in_cdb, unsigned byte, int bit)
{
	const uint8_t *sks = &cmd->sense[15];
	uint8_t expected = 0x80 | (in_cdb ? 0x40 : 0);

	if (bit >= 0)
		expected |= (uint8_t)(0x08 | bit);
	assert_int_equal(cmd->sense[0], 0x70);
	assert_int_equal(sks[0], expected);
	assert_int_equal(get_be16(&sks[1]), byte);
}
