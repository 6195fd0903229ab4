/* SPDX-License-Identifier: Apache-2.0 */
/* Adds and removes LUNs of the TPG of wire_fixture.h, and sends commands for them. */
#include "luns.h"

#include "model/lun.h"

#define TUR    0x00
#define NO_LUN 0x2500

uint8_t pattern[8192];

int setup(void **state)
{
	(void)state;
	fill_pattern(pattern, sizeof(pattern), 5);
	wire.params = (struct iscsi_params){
	    .immediate_data = true,
	    .max_recv_data_segment = 8192,
	    .max_xmit_data_segment = 8192,
	    .max_burst = 8192,
	    .first_burst = 8192,
	    .max_outstanding_r2t = 1,
	};
	return 0;
}

void send_command(unsigned lun, struct iscsi_scsi_command cmd, uint32_t immediate)
{
	model_lun_encode(lun, cmd.lun);
	send_pdu(&cmd, pattern, immediate);
}

void send_tmf(unsigned lun, uint32_t itt, uint8_t function, uint32_t ref)
{
	struct iscsi_tmf_request pdu = wire_tmf(itt, function, ref);

	model_lun_encode(lun, pdu.lun);
	send_pdu(&pdu, NULL, 0);
}

void assert_good(uint32_t itt)
{
	struct reply reply = next(ISCSI_OP_SCSI_RESPONSE);

	assert_int_equal(get_be32(reply.bhs + 16), itt);
	assert_int_equal(reply.bhs[3], SCSI_GOOD);
}

void assert_no_such_lun(uint32_t itt)
{
	struct reply reply = next(ISCSI_OP_SCSI_RESPONSE);

	assert_int_equal(get_be32(reply.bhs + 16), itt);
	assert_int_equal(reply.bhs[3], SCSI_CHECK_CONDITION);
	assert_int_equal(reply.data[2 + 2], 0x05);
	assert_int_equal(get_be16(reply.data + 2 + 12), NO_LUN);
}

void assert_tmf_answer(uint8_t answer)
{
	assert_int_equal(next(ISCSI_OP_TASK_MGMT_RSP).bhs[2], answer);
}

void send_test_unit_ready(unsigned lun, uint32_t itt)
{
	send_command(lun, wire_command(itt, ISCSI_FINAL, 0, TUR, 0, 0), 0);
}

struct model_object *lun_object(unsigned lun)
{
	char name[16];

	snprintf(name, sizeof(name), "lun_%u", lun);
	return model_find(wire.tpg, MODEL_LUN, name);
}

unsigned deleted;

void on_deleted(void *arg, int err, const struct error *error)
{
	(void)arg, (void)error;
	assert_int_equal(err, 0);
	deleted++;
}

void remove_lun(unsigned lun)
{
	deleted = 0;
	model_delete(lun_object(lun), false, on_deleted, NULL);
	wire_update();
	wire_receive(&in);
}

void add_lun(unsigned lun, const char *disk)
{
	char name[16];

	snprintf(name, sizeof(name), "lun_%u", lun);
	fixture_create(wire.model, wire.tpg, MODEL_LUN, name, fixture_disk(wire.model, disk));
	wire_update();
}
