/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The creation of objects for one call: objects are created, attributes of the last one are set one
 * after another, and the object is enabled. If a step is refused, all that was created is deleted
 * again, and the call is refused. Objects are looked up again at each step, because another call
 * may delete them meanwhile. Main thread.
 */
#ifndef CONTROL_SOCKET_CREATION_H
#define CONTROL_SOCKET_CREATION_H

#include "control_socket/call.h"

struct creation;

struct creation *creation_new(struct control_call *call);
/*
 * Creates an object. A LUN or a mapped LUN has the values, which may be NULL, from the beginning. Returns
 * NULL with error set and errno set; creation_refuse() then undoes the others.
 */
struct model_object *creation_add(struct creation *creation, struct model_object *parent,
				  enum model_kind kind, const char *name, struct model_object *to,
				  JsonObject *values, struct error *error);
/* Deletes what was created and refuses the call with this error. err: -errno. Ends the creation. */
void creation_refuse(struct creation *creation, int err, const struct error *error);
/*
 * Sets the attributes of the object, enables it if this is asked for, and finishes the call with
 * the result, which is consumed. values may be NULL and lives as long as the call. Ends the
 * creation.
 */
void creation_run(struct creation *creation, struct model_object *object, JsonObject *values, bool enable,
		  JsonObject *result);
/*
 * Checks that each value is of an attribute that the kind has, and that can be set. Returns 0, or -ENOENT or
 * -EPERM with error set. values may be NULL.
 */
int creation_check(enum model_kind kind, JsonObject *values, struct error *error);
/*
 * Whether an object has these values: 0, or -EEXIST with error set to the first difference. values
 * may be NULL.
 */
int creation_compare(struct model_object *object, JsonObject *values, struct error *error);
#endif
