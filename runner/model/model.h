/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target model: LIO's objects with LIO's names, for both front ends. It is a tree:
 *
 * 	root ─┬─ storage object ("user_0/disk")
 * 	      └─ target ("iqn...") ── TPG ("tpgt_1") ─┬─ portal ("127.0.0.1:3260")
 * 	                                              ├─ LUN ("lun_0") → storage object
 * 	                                              └─ ACL ("iqn...") ── mapped LUN ("lun_0") → LUN
 *
 * Every interface to the model (--export, saveconfig.json, the tree, the control socket) uses the operations
 * below and the table of attributes (attribute.h), which alone says what attributes exist.
 *
 * The model belongs to the main thread: every function of this header is called there, and every done() is
 * called there. What loops need of the model is in map.h and login.h.
 *
 * Each operation succeeds completely, or changes nothing and says why in one line that names the object. It
 * refuses what LIO refuses, with the same errno.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/lun.h"
#include "storage/storage.h"
#include "util/error.h"
#include "util/main_queue.h"

struct model;
struct model_object;

enum model_kind {
	MODEL_ROOT,
	MODEL_STORAGE,
	MODEL_TARGET,
	MODEL_TPG,
	MODEL_PORTAL,
	MODEL_LUN,
	MODEL_ACL,
	MODEL_MAPPED_LUN,
	MODEL_KINDS,
};

/* The largest tag of a TPG. */
#define MODEL_TAG_MAX 65535

/* Creates an empty model. context must exist longer than the model. Returns NULL if there is no memory. */
struct model *model_new(const struct storage_context *context);
/*
 * Says whether the objects of the configuration are still being created. As long as they are, an initiator
 * that finds no target is told to try again (login.h). A new model is not starting.
 */
void model_set_starting(struct model *model, bool starting);
/* Main thread. Frees the model. All storage objects must be closed, and the front end must have ended. */
void model_free(struct model *model);

/* --- reading the model --- */

struct model_object *model_root(struct model *model);
enum model_kind model_kind(const struct model_object *object);
/* Returns the name of the kind for messages, such as "storage object", "target" or "TPG". */
const char *model_kind_name(enum model_kind kind);
/* Returns the name of the object below its parent, as in the tree above. */
const char *model_name(const struct model_object *object);
/* Returns the number of a LUN or a mapped LUN, or the tag of a TPG. */
unsigned model_number(const struct model_object *object);
struct model_object *model_parent(const struct model_object *object);
/*
 * Writes the path of the object for messages, such as "iqn.2026-11.com.example:disks/tpgt_1/lun_0", and
 * returns path.
 */
#define MODEL_PATH_SIZE 1024
const char *model_path(const struct model_object *object, char path[MODEL_PATH_SIZE]);
/*
 * Returns the child with this name, or NULL. Names of targets and ACLs are compared without regard to case.
 */
struct model_object *model_find(struct model_object *parent, enum model_kind kind, const char *name);
/*
 * Iterates over the children of one kind: storage objects and targets in the order of their creation, LUNs by
 * number.
 */
struct model_object *model_first(struct model_object *parent, enum model_kind kind);
struct model_object *model_next(const struct model_object *object);
/* Returns the object to which a LUN or a mapped LUN points: its storage object, or its LUN. */
struct model_object *model_to(const struct model_object *object);
/* Returns how many LUNs point to a storage object, or how many mapped LUNs point to a LUN. */
unsigned model_users(const struct model_object *object);
/*
 * Returns the address of a portal. If its port is 0, the text contains the port that the kernel has chosen.
 */
const char *model_portal_text(const struct model_object *portal);
/*
 * Returns "listening", "no address" as long as no interface has the address of the portal, so that initiators
 * cannot reach it, or "closing" while the portal is being deleted.
 */
const char *model_portal_state(const struct model_object *portal);
/* Returns the storage of a storage object, or NULL for other kinds. */
struct storage *model_storage(const struct model_object *object);

/* --- operations ------------------------------------------------------------------------------------- */

/*
 * A function that is called exactly once when an operation has ended, possibly before the function that
 * started the operation returns. err is 0 or -errno, and error then says why in one line.
 */
typedef void model_done(void *arg, int err, const struct error *error);

/*
 * Creates an object. to is the object to which a LUN or a mapped LUN points, and NULL for other kinds.
 * Returns NULL with error set and errno set, for example EEXIST. A storage object is created without an open
 * disk, as by mkdir in LIO; it must be configured and enabled. A TPG is created disabled. A mapped LUN must
 * be in the TPG of its ACL; otherwise the error is EINVAL.
 */
struct model_object *model_create(struct model_object *parent, enum model_kind kind, const char *name,
				  struct model_object *to, struct error *error);
/* A value that an object gets when it is created. */
struct model_setting {
	const struct model_attribute *attribute;
	const char *text;
};
/*
 * Creates a LUN or a mapped LUN that has these values from the beginning, so that no session sees it without
 * its protection. EINVAL: a text is not a value of its attribute.
 */
struct model_object *model_create_lun(struct model_object *parent, enum model_kind kind, const char *name,
				      struct model_object *to, const struct model_setting *settings,
				      unsigned nsettings, struct error *error);
/*
 * Deletes an object. If recursive is true, everything below it is deleted as well; otherwise an object with
 * children is refused with -ENOTEMPTY. An object to which others point is refused with -EBUSY in both cases.
 * done() is called with err 0 after the last command that uses the object has ended, so that nothing is
 * written to its storage any more. If storage hangs, done() is called with -EBUSY after 30 seconds, and a
 * storage object then stays in the state "removing".
 */
void model_delete(struct model_object *object, bool recursive, model_done *done, void *arg);
/*
 * If enable is true, enables a storage object, which opens its storage, or a TPG, so that initiators may log
 * in. If enable is false, disables a TPG, which ends its sessions. Enabling an enabled object succeeds.
 */
void model_enable(struct model_object *object, bool enable, model_done *done, void *arg);
bool model_is_enabled(const struct model_object *object);
/*
 * Does the same as model_enable() for a storage object. But if the storage cannot be opened, the object is
 * enabled nevertheless, in the state "failed", and the storage is tried again later. To be used when a
 * configuration is restored.
 */
void model_enable_patiently(struct model_object *storage, model_done *done, void *arg);
/*
 * Sets an attribute (attribute.h) from text. err is -ENOENT if the kind has no such attribute, and -EINVAL if
 * the text is not a valid value.
 */
void model_set(struct model_object *object, const char *group, const char *name, const char *text,
	       model_done *done, void *arg);
/*
 * Returns whether a new object of this kind changes the LUNs that sessions see. An ACL, for example, may take
 * LUNs from sessions. After the creation of such an object, the caller waits with model_visit_loops() until
 * the sessions have applied the change. Operations that call done() wait for this themselves.
 */
bool model_is_seen_by_sessions(enum model_kind kind);
/*
 * Calls done() when every loop has applied the changes that were made before, or at once if there is no front
 * end.
 */
void model_visit_loops(struct model *model, model_done *done, void *arg);
/*
 * Calls work->fn(work) soon, after other work of the main thread, so that a caller with much to do can let
 * others run in between.
 */
void model_post(struct model *model, struct main_work *work);
/*
 * Gives n TPGs, which are disabled, other relative target port identifiers at the same time, so that TPGs can
 * exchange them. Returns 0, or -errno with error set, and then no TPG has changed. Errors: -EEXIST if two of
 * them would have the same identifier, or if another TPG has one of these identifiers; -EBUSY if a TPG is
 * enabled.
 */
int model_set_ports(struct model_object *const *tpgs, const unsigned *ports, unsigned n, struct error *error);
/* Sets the size of a storage object in bytes. */
void model_resize(struct model_object *storage, uint64_t size, model_done *done, void *arg);
/*
 * Accepts the loss of the contents of a storage object if they are lost; otherwise opens its storage again.
 */
void model_replace(struct model_object *storage, model_done *done, void *arg);

/*
 * Ends everything when the daemon stops: sessions end, and storage is closed and not changed. When done() is
 * called with err 0, the model is empty. If some storage does not answer, done() is called with -EBUSY after
 * 30 seconds, and nothing that its commands use may be freed.
 */
void model_clear(struct model *model, model_done *done, void *arg);
/*
 * Does the same as model_clear() after a start that has failed before an initiator could see anything.
 * Storage that was created is removed again. Blocks.
 */
void model_discard(struct model *model);

/* --- changes ----------------------------------------------------------------------------------------- */

enum model_event {
	MODEL_CREATED,
	MODEL_DELETED,
	/* An attribute or the state of the object has changed, or it was enabled or disabled. */
	MODEL_CHANGED,
};
/*
 * A function that is called after each change. There may be several watches. The caller must keep the memory
 * until model_unwatch().
 */
struct model_watch {
	void (*fn)(struct model_watch *watch, enum model_event event, struct model_object *object);
	struct list node;
};
void model_watch(struct model *model, struct model_watch *watch);
void model_unwatch(struct model_watch *watch);
/*
 * Returns a number that increases with each change of the configuration. A save remembers the number, so that
 * unsaved changes can be detected.
 */
uint64_t model_generation(const struct model *model);

/* To be called every few seconds: tries failed storage objects again, and looks for changed sizes. */
void model_tick(struct model *model);
#endif
