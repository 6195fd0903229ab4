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
 * Ends sessions, flushes and closes all storage. Blocks for up to a minute. Returns 0; or -errno, when some
 * storage could not be flushed, which is in the log; or -EBUSY: some storage does not answer, so what its
 * commands use must not be freed. The front end has stopped before.
 */
int model_host_stop(struct model_host *host);
/* Ends the process with status 1: nothing that commands in flight refer to can be freed. */
void model_host_give_up(void) __attribute__((noreturn));
/* Must not be called after model_host_stop() has returned -EBUSY. */
void model_host_free(struct model_host *host);
#endif
