/* SPDX-License-Identifier: Apache-2.0 */
/* Gathering: a command waits until its Data-Out is complete. Then the device server executes it. */
#ifndef ISCSI_GATHER_H
#define ISCSI_GATHER_H

#include <stdbool.h>
#include <stdint.h>

struct iscsi_conn;
struct iscsi_task;

/*
 * Prepares a command that scsi_parse() has parsed. final is the F bit of the command: no unsolicited data
 * follow.
 */
void iscsi_gather_begin(struct iscsi_task *task, uint32_t immediate_len, bool final);
/*
 * Is called when all data that were sent or requested so far have arrived. Requests more data, runs the
 * command, or answers it with its verdict.
 */
void iscsi_gather_next(struct iscsi_task *task);
/*
 * Refuses a command in the state GATHER. It is answered with this sense code as soon as the initiator has
 * sent the data that were requested. It does not use its LUN any more.
 */
void iscsi_gather_refuse(struct iscsi_task *task, uint32_t sense);
/*
 * Returns whether commands wait for Data-Out and the initiator has sent almost none within nopin_timeout_s.
 * The function must be called from time to time, because it compares the state with that of its last call.
 */
bool iscsi_gather_is_stalled(struct iscsi_conn *conn);
/*
 * Returns whether a command has waited for the next Data-Out PDU for longer than dataout_timeout_s. The
 * caller calls this function every period_ns nanoseconds. Each call compares the state of the command with
 * the state at the previous call, so that receiving a PDU costs no extra time.
 */
bool iscsi_gather_is_overdue(struct iscsi_task *task, uint64_t period_ns);
#endif
