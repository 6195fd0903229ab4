/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions that the model requires of the iSCSI front end, which is a layer above it. The front end
 * calls model_set_front_end() when it starts. Before this call, the model can already be changed, but no
 * initiator can log in.
 */
#ifndef MODEL_FRONT_END_H
#define MODEL_FRONT_END_H

#include "model/map.h"
#include "model/model.h"
#include "model/np.h"

/* One session, for lists. The strings are valid only during the call. */
struct model_session {
	const char *target;
	unsigned tag;
	const char *initiator, *alias;
	/* The addresses of the initiator and of the portal, such as "10.0.0.1:4711" and "10.0.0.2:3260". */
	const char *peer, *local;
	uint8_t isid[6];
	uint16_t tsih, cid;
	bool discovery;
	/* The number of seconds since the login. */
	uint64_t age;
	uint64_t commands, read_bytes, write_bytes;
	/* The negotiated values, as lines "Key=Value". */
	const char *parameters;
};

struct model_front_end {
	/*
	 * Main thread. Visits all loops, where each session takes the current map of its view, and ends if
	 * its view is closed. done() is called on the main thread after all loops have been visited. The
	 * function may be called again before that.
	 */
	void (*update)(void *arg, struct main_work *done);
	/*
	 * Main thread. listen() begins to listen, and unlisten() stops. The np exists longer than the
	 * listening, because connections hold references to it.
	 */
	int (*listen)(void *arg, struct model_np *np, struct error *error);
	void (*unlisten)(void *arg, struct model_np *np);
	/*
	 * Main thread. Calls fn for each session with a lock held, so fn must not block and must not call the
	 * front end.
	 */
	void (*sessions)(void *arg, void (*fn)(void *fn_arg, const struct model_session *session),
			 void *fn_arg);
	/*
	 * Main thread. Asks the initiator of the session with this TSIH to log out, and ends the session.
	 * Returns -ENOENT if there is no such session.
	 */
	int (*kick)(void *arg, uint16_t tsih);
	void *arg;
};

/*
 * Main thread. Makes the front end listen at all portals that exist. Returns 0, or -errno with error set if
 * it cannot listen at one of them; in this case it listens at none. NULL means that there is no front end any
 * more. The structure must exist longer than the front end.
 */
int model_set_front_end(struct model *model, const struct model_front_end *front_end, struct error *error);
const struct model_front_end *model_front_end(const struct model *model);
#endif
