/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target model inside the daemon: the queue of the main thread, which the main loop runs; the model; and
 * the start and stop of the model. Other code creates the objects (exports, saveconfig.json) and shows them
 * (the control socket, the tree). Main thread.
 */
#ifndef CONTROL_MODEL_HOST_H
#define CONTROL_MODEL_HOST_H

#include "model/model.h"
#include "storage/identity.h"
#include "util/error.h"

struct model_host;

/*
 * Creates an empty model. The default main context runs the queue of the main thread from now on. Returns
 * NULL with error set.
 */
struct model_host *model_host_new(struct loop_set *loops, struct storage_registry *registry,
				  struct error *error);
struct model *model_host_model(const struct model_host *host);
/* Returns the context that all storage objects share. It is valid as long as the model_host. */
const struct storage_context *model_host_context(const struct model_host *host);
/*
 * To be called after the front end has stopped. Flushes and closes all storage within the time that is left
 * for the stop. If hangs is true, something hangs already, and storage is flushed but not closed. Returns 0,
 * or -errno if some storage could not be flushed, which is in the log. Returns -EBUSY if something hangs; the
 * log names the objects. In this case commands in flight still use memory, so nothing may be freed, and the
 * process must end.
 */
int model_host_stop(struct model_host *host, bool hangs);
/* Must not be called after model_host_stop() has returned -EBUSY. */
void model_host_free(struct model_host *host);
#endif
