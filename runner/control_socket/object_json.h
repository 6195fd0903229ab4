/* SPDX-License-Identifier: Apache-2.0 */
/* Objects of the model as JSON. Main thread. The results are to be freed with json_object_unref(). */
#ifndef CONTROL_SOCKET_OBJECT_JSON_H
#define CONTROL_SOCKET_OBJECT_JSON_H

#include <json-glib/json-glib.h>

#include "model/front_end.h"
#include "model/model.h"

/*
 * Returns an object together with the objects below it. depth says how many levels below it, 0 for the object
 * alone. If attributes is true, the values of all attributes are included.
 */
JsonObject *object_json(struct model_object *object, unsigned depth, bool attributes);
/* Returns one session. Its id consists of ISID and TSIH, in the form that iscsi-scst-adm uses. */
JsonObject *session_json(const struct model_session *session);
/*
 * Returns one line that says why a storage object does not serve its disk as it should, or NULL if it does.
 * The caller frees the text with g_free().
 */
char *storage_problem(struct model_object *object);
#endif
