/* SPDX-License-Identifier: Apache-2.0 */
/* Events: changes of the model, for the peers that have subscribed. Main thread. */
#ifndef CONTROL_SOCKET_EVENTS_H
#define CONTROL_SOCKET_EVENTS_H

#include "control_socket/call.h"

/* Begins to watch the model of the context. */
void control_events_begin(struct control_context *context);
/* Ends the watch. No peer may be subscribed any more. */
void control_events_end(struct control_context *context);
/* Runs the method "subscribe". */
void control_method_subscribe(struct control_call *call);
#endif
