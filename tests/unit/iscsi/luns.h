/* SPDX-License-Identifier: Apache-2.0 */
/* Adds and removes LUNs of the TPG of wire_fixture.h, and sends commands for them. */
#ifndef LUNS_H
#define LUNS_H

#include "dialogue.h"

#define READ  0x28
#define WRITE 0x2a

extern uint8_t pattern[8192];
/* The number of LUNs whose removal, by remove_lun() or with on_deleted(), has ended. */
extern unsigned deleted;

/* Sets wire.params to limits that no test of LUNs reaches. */
int setup(void **state);
/* Sends a command for a LUN with the first bytes of the pattern as immediate data. */
void send_command(unsigned lun, struct iscsi_scsi_command cmd, uint32_t immediate);
void send_tmf(unsigned lun, uint32_t itt, uint8_t function, uint32_t ref);
void send_test_unit_ready(unsigned lun, uint32_t itt);
/* These check the next answer: GOOD, LOGICAL UNIT NOT SUPPORTED, or a task management response. */
void assert_good(uint32_t itt);
void assert_no_such_lun(uint32_t itt);
void assert_tmf_answer(uint8_t answer);
struct model_object *lun_object(unsigned lun);
void on_deleted(void *arg, int err, const struct error *error);
/* Begins to remove a LUN, with deleted = 0. */
void remove_lun(unsigned lun);
void add_lun(unsigned lun, const char *disk);
#endif
