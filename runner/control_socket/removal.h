/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_SOCKET_REMOVAL_H
#define CONTROL_SOCKET_REMOVAL_H

#include <glib.h>

#include "control_socket/call.h"

/*
 * Main thread. Deletes the objects with these paths one after another, and finishes the call with
 * their paths, or refuses it at the first object that cannot be deleted. The array, whose elements
 * are freed with g_free(), is consumed.
 */
void removal_run(struct control_call *call, GPtrArray *paths);
#endif
