/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creates objects for one call: creates them, sets the attributes of the last one after another, and enables
 * this object. If a step is refused, all objects that were created are deleted again, and the call is
 * refused. Each step looks up the objects again, because another call may have deleted them meanwhile. Main
 * thread.
 */
#ifndef CONTROL_SOCKET_CREATION_H
#define CONTROL_SOCKET_CREATION_H

#include "control_socket/call.h"

struct creation;

struct creation *creation_new(struct control_call *call);
/*
 * Creates an object. A LUN or a mapped LUN has the values, which may be NULL, from the beginning. Returns
 * NULL with error set and errno set; the caller must then call creation_refuse(), which deletes the objects
 * that were created before.
 */
struct model_object *creation_add(struct creation *creation, struct model_object *parent,
				  enum model_kind kind, const char *name, struct model_object *to,
				  JsonObject *values, struct error *error);
/*
 * Deletes the objects that were created, and refuses the call with this error. err is a negative errno. Ends
 * the creation.
 */
void creation_refuse(struct creation *creation, int err, const struct error *error);
/*
 * Sets the attributes of the object, enables the object if the call asks for it, and finishes the call with
 * the result, which is consumed. values may be NULL, and must exist as long as the call. Ends the creation.
 */
void creation_run(struct creation *creation, struct model_object *object, JsonObject *values, bool enable,
		  JsonObject *result);
/*
 * Checks that the kind has each attribute in values, and that these attributes can be set. Returns 0, or
 * -ENOENT or -EPERM with error set. values may be NULL.
 */
int creation_check(enum model_kind kind, JsonObject *values, struct error *error);
/*
 * Compares values with an object. Returns 0 if the object has these values, or -EEXIST with error set to the
 * first difference. values may be NULL.
 */
int creation_compare(struct model_object *object, JsonObject *values, struct error *error);
#endif
