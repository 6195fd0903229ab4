/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits the memory that requests and answers take in addition to data buffers: data segments that are
 * received as a whole, requests that wait for an earlier CmdSN, text, and messages that wait to be sent.
 * Every session can cause such memory, so a limit for each session would be multiplied by the number of
 * sessions. Therefore all sessions of a loop share one limit. Pieces of up to ISCSI_MEMORY_SMALL bytes are
 * not counted. These are ordinary requests and answers, which must not fail because another session has
 * exhausted the limit. Pieces of more than ISCSI_MEMORY_MEDIUM bytes leave a reserve for others, because it
 * costs an initiator nothing to announce a large data segment and then to send none of it.
 */
#ifndef ISCSI_MEMORY_H
#define ISCSI_MEMORY_H

#include "iscsi/server.h"

#define ISCSI_MEMORY_SMALL   4096u
#define ISCSI_MEMORY_MEDIUM  (32u << 10)
#define ISCSI_MEMORY_MAX     (32u << 20)
#define ISCSI_MEMORY_RESERVE (8u << 20)

static inline bool iscsi_memory_take(struct iscsi_loop *il, size_t bytes)
{
	size_t max = ISCSI_MEMORY_MAX - (bytes > ISCSI_MEMORY_MEDIUM ? ISCSI_MEMORY_RESERVE : 0);

	if (bytes <= ISCSI_MEMORY_SMALL)
		return true;
	if (il->request_bytes > max || bytes > max - il->request_bytes)
		return false;
	il->request_bytes += bytes;
	return true;
}

static inline void iscsi_memory_give(struct iscsi_loop *il, size_t bytes)
{
	if (bytes > ISCSI_MEMORY_SMALL)
		il->request_bytes -= bytes;
}
#endif
