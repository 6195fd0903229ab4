/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_SOCKET_CALL_LOG_H
#define CONTROL_SOCKET_CALL_LOG_H

#include "control_socket/call.h"

/*
 * Main thread. Describes a call for the log, without secrets, for example as "set
 * path=iqn.2026-11.com.example:disks/tpgt_1 attribute=attrib/authentication value=1". The caller frees the
 * text with g_free().
 */
char *control_call_describe(const struct control_call *call);
#endif
