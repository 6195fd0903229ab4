/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live target model inside the daemon: the queue of the main thread, which the main loop runs, the model,
 * and its start and stop. What opens the objects (exports, saveconfig.json) and what shows them (the control
 * socket, the tree) use it. Main thread.
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
/* What storage objects share; valid as long as the host. */
const struct storage_context *model_host_context(const struct model_host *host);
/*
 * Flushes and closes all storage, in what is left of the time of the stop. hangs: something hangs already, so
 * that storage is only flushed. Returns 0; or -errno, when some storage could not be flushed, which is in the
 * log; or -EBUSY: something hangs, and the log names the objects, so nothing that commands in flight refer to
 * may be freed, and the process must end. The front end has stopped before.
 */
int model_host_stop(struct model_host *host, bool hangs);
/* Must not be called after model_host_stop() has returned -EBUSY. */
void model_host_free(struct model_host *host);
#endif
