/* SPDX-License-Identifier: Apache-2.0 */
/* Gathering: a command waits until its Data-Out is complete, then the device server gets it. */
#ifndef ISCSI_GATHER_H
#define ISCSI_GATHER_H

#include <stdbool.h>
#include <stdint.h>

struct iscsi_conn;
struct iscsi_task;

/* Prepares a command that scsi_parse() has seen. final: the command's F bit, no unsolicited data
 * follow. */
void iscsi_gather_begin(struct iscsi_task *task, uint32_t immediate_len, bool final);
/* What has come in so far is complete: asks for more, runs the command, or answers its verdict. */
void iscsi_gather_next(struct iscsi_task *task);
/* A command in the state GATHER will not run: it is answered with this sense code once the initiator
 * has sent what it was asked for. It does not use its LUN any more. */
void iscsi_gather_refuse(struct iscsi_task *task, uint32_t sense);
/*
 * Returns whether commands wait for Data-Out, and the initiator has sent next to none in the last
 * nopin_timeout_s. To be called from time to time: the function compares with its last call.
 */
bool iscsi_gather_is_stalled(struct iscsi_conn *conn);
/*
 * Returns whether a command has waited for the next Data-Out PDU for longer than dataout_timeout_s. To be
 * called from time to time: the function compares with its last call, so that PDUs cost nothing.
 */
bool iscsi_gather_is_overdue(struct iscsi_task *task, uint64_t now);
#endif
