/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of the model as JSON. Main thread. The results are to be freed with json_object_unref(). */
#ifndef CONTROL_SOCKET_OBJECT_JSON_H
#define CONTROL_SOCKET_OBJECT_JSON_H

#include <json-glib/json-glib.h>

#include "model/front_end.h"
#include "model/model.h"

/*
 * Returns an object with the objects below it. depth: how many levels below it, 0 for the object alone.
 * attributes: with the values of all attributes.
 */
JsonObject *object_json(struct model_object *object, unsigned depth, bool attributes);
/* Returns one session, with its id as iscsi-scst-adm writes it: ISID and TSIH. */
JsonObject *session_json(const struct model_session *session);
/*
 * Returns why a storage object does not serve its disk as it should, in one line, or NULL if it does. The
 * caller frees the text with g_free().
 */
char *storage_problem(struct model_object *object);
#endif
