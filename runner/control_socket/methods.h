/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of the table in methods.c: each runs one method (struct control_method.run). Main thread. */
#ifndef CONTROL_SOCKET_METHODS_H
#define CONTROL_SOCKET_METHODS_H

#include "control_socket/call.h"

/* method_objects.c */
void control_method_list(struct control_call *call);
void control_method_get(struct control_call *call);
void control_method_set(struct control_call *call);
void control_method_create(struct control_call *call);
void control_method_delete(struct control_call *call);
void control_method_enable(struct control_call *call);
void control_method_disable(struct control_call *call);

/* method_map.c */
void control_method_map(struct control_call *call);

/* method_unmap.c */
void control_method_unmap(struct control_call *call);

/* method_storage.c */
void control_method_resize(struct control_call *call);
void control_method_replace(struct control_call *call);

/* method_filters.c */
void control_method_filters(struct control_call *call);
void control_method_set_filter(struct control_call *call);

/* method_sessions.c */
void control_method_sessions(struct control_call *call);
void control_method_kick(struct control_call *call);

/* method_drain.c */
void control_method_drain(struct control_call *call);

/* method_config.c */
void control_method_save(struct control_call *call);
void control_method_restore(struct control_call *call);
void control_method_reload(struct control_call *call);
void control_method_diff(struct control_call *call);
void control_method_forget(struct control_call *call);

/* method_status.c */
void control_method_status(struct control_call *call);

/* schema.c */
void control_method_schema(struct control_call *call);
#endif
