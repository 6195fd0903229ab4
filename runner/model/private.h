/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations that the files of this folder share: the model, an object, and the functions of each file.
 * README.md explains them.
 */
#ifndef MODEL_PRIVATE_H
#define MODEL_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "model/attribute.h"
#include "model/front_end.h"
#include "model/login.h"
#include "model/map.h"
#include "model/model.h"
#include "model/name.h"
#include "model/np.h"
#include "util/list.h"

/* How many seconds a deletion waits for commands in flight. */
#define MODEL_DELETE_S 30

/* The value of an attribute; text is NULL while the value is the default. */
struct model_value {
	char *text;
	uint64_t number;
};

/* An operation that waits until nothing uses an object any more, or until its time limit has passed. */
struct model_op {
	struct list node; /* Links the operation into model->ops. */
	struct model_object *object;
	uint64_t deadline_ns;
	/* Is called once when nothing uses the object any more. The object may be freed in this call. */
	void (*finish)(struct model_object *object);
	model_done *done;
	void *arg;
};

struct model_object {
	enum model_kind kind;
	struct model *model;
	struct model_object *parent;
	char *name;
	unsigned number;
	/* Links the object into parent->children[kind]. */
	struct list node;
	/*
	 * The lists of children by kind (member node). A list that is all zero is empty and was never used.
	 */
	struct list children[MODEL_KINDS];
	/* The object to which a LUN or a mapped LUN points, and the node in to->pointers. */
	struct model_object *to;
	struct list to_node;
	struct list pointers;
	unsigned npointers;
	bool enabled;
	/*
	 * Whether the object is being deleted. Nothing can be created below it, and nothing can be made to
	 * point to it.
	 */
	bool removing;
	/* The values, by the index of the attribute in the table of the kind. */
	struct model_value *values;
	/*
	 * The number of entries and views that were made for this object or for objects below it, and that
	 * are not released yet.
	 */
	unsigned live;
	/* The operation that waits until live is 0, or NULL. */
	struct model_op *op;

	/* STORAGE */
	struct storage *storage;
	/* For a storage object: whether its unit serial number is being changed. */
	bool is_being_renamed;
	/*
	 * For a storage object: whether it is being closed, and the caller that waits for this in addition to
	 * the one that closes it, or NULL.
	 */
	bool is_being_closed;
	model_done *closed;
	void *closed_arg;
	/* For a storage object: the logical unit that serves the disk, with a reference, or NULL. */
	struct storage_lu *served;
	/* For a TPG: the view of initiators without an ACL. For an ACL: the view of its initiator. */
	struct model_view *view;
	/*
	 * For a LUN: its entry in the view of its TPG. For a mapped LUN: its entry in the view of its ACL. Or
	 * NULL.
	 */
	struct model_entry *entry;
	/* PORTAL */
	struct model_np *np;
	/* For a TPG: its relative target port identifier, or 0 if it has none yet. */
	unsigned relative_port;
	/*
	 * For a TPG, under the lock of the model: a list of struct model_dynamic, in which those without a
	 * session have the order in which their sessions have ended, a tree of tsearch(3) with the same
	 * records, and the number of records without a session.
	 */
	struct list dynamics;
	void *dynamics_by_name;
	unsigned ncached;
};

struct model {
	struct storage_context context;
	struct model_object *root;
	const struct model_front_end *front_end;
	/*
	 * Guards the data that loops read: the tree of objects; the values of targets, TPGs, portals and
	 * ACLs; the current map of each view; and the list of nps. Only the main thread changes them, so it
	 * takes the lock only for changes. No other lock is taken while it is held.
	 */
	pthread_mutex_t lock;
	/*
	 * All objects by parent, kind and name, in a tree of tsearch(3), so that finding an object takes
	 * little time even if there are many.
	 */
	void *by_name;
	/* The relative target port identifiers in use, with one bit for each. */
	uint8_t ports_used[65536 / 8];
	/* All smaller relative target port identifiers are in use. */
	unsigned next_port;
	struct list nps;
	struct list watches;
	struct list ops;
	/* A list of struct visit: the callers that wait until the front end has visited the loops. */
	struct list visits;
	/*
	 * A list of struct model_dynamic, under the lock: the records that ACLs have replaced since the last
	 * visit of the loops.
	 */
	struct list replaced;
	uint64_t generation;
	atomic_uint discovery_generation;
	/* See model_set_starting(). */
	atomic_bool starting;
	/* Whether the front end will visit the loops soon. The work update then runs on the main thread. */
	bool update_queued;
	struct main_work update;
};

/* --- object.c: the tree of objects */

/* Creates an object that is not in the tree yet. Returns NULL if there is no memory. */
struct model_object *model_object_new(struct model_object *parent, enum model_kind kind, const char *name,
				      unsigned number);
/* Adds the object to the tree, so that it can be found. Returns false if there is no memory. */
bool model_object_link(struct model_object *object);
void model_object_unlink(struct model_object *object);
/* Frees an object that is not in the tree and to which nothing refers. */
void model_object_free(struct model_object *object);
/* To be called when an entry or a view is made for the object. */
void model_object_retain(struct model_object *object);
/* To be called after an entry or a view of the object was released. Ends operations that wait for this. */
void model_object_released(struct model_object *object);
/* Returns whether neither the object nor an object below it has an entry or a view. */
bool model_object_is_unused(const struct model_object *object);
/* Calls finish() when nothing uses the object and everything below it any more. */
void model_object_drain(struct model_object *object, void (*finish)(struct model_object *object),
			model_done *done, void *arg);
/* Ends operations whose time limit has passed, with -EBUSY. */
void model_ops_expire(struct model *model);
void model_notify(struct model *model, enum model_event event, struct model_object *object);
/* Records a change of the configuration, and of what discovery may show. */
void model_count_change(struct model *model);
int model_refuse(struct error *error, const struct model_object *object, int err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* --- map.c, view.c */

/* Makes an entry for the object. Returns NULL if there is no memory. */
struct model_entry *model_entry_new(struct model_object *object, unsigned lun, struct storage_lu *lu,
				    bool write_protected);
void model_entry_protect(struct model_entry *entry, bool write_protected);
struct storage_lu *model_entry_storage(const struct model_entry *entry);
struct model_map *model_map_new(void);
/*
 * Returns a new map with one entry changed. If entry is NULL, the LUN is removed. Takes over no reference.
 * Returns NULL if there is no memory.
 */
struct model_map *model_map_change(const struct model_map *map, unsigned lun, struct model_entry *entry);
/* Makes a view with an empty map for the object. Returns NULL if there is no memory. */
struct model_view *model_view_new(struct model_object *object);
/* Sets the entry of a LUN in the view's map. Returns 0 or -ENOMEM. */
int model_view_change(struct model_view *view, unsigned lun, struct model_entry *entry);
/* Makes the front end visit the loops soon. One visit serves all changes that were made before it. */
void model_visit_soon(struct model *model);
/* Ends the sessions of this view, and releases it. */
void model_view_close(struct model_view *view);

/* --- mapping.c */

/*
 * Updates the entries of a LUN, and of the mapped LUNs that point to it, after a change of its storage
 * object. Returns 0 or -ENOMEM.
 */
int model_mapping_refresh(struct model_object *lun);
/* Removes the LUN or mapped LUN from its view. */
void model_mapping_remove(struct model_object *object);
/* Applies the write protection of a LUN for initiators without an ACL, or of a mapped LUN. */
void model_mapping_protect(struct model_object *object);

/*
 * Returns the TPG or ACL for which the view was made. It is valid as long as a reference to the view is held.
 */
struct model_object *model_view_object(const struct model_view *view);

/* --- login.c */

/*
 * With the lock of the model held, or on the main thread. Returns the ACL of an initiator unless it is being
 * deleted, or NULL.
 */
struct model_object *model_acl_find(struct model_object *tpg, const char *initiator);

/* --- dynamic.c: initiators without an ACL */

/* The number of initiators without a session that a TPG remembers. */
#define MODEL_DYNAMIC_MAX 1024
/*
 * The lock of the model must be held. Returns the queue depth of an initiator that is remembered because of
 * cache_dynamic_acls, or 0 if it is not remembered.
 */
unsigned model_dynamic_depth(const struct model_object *tpg, const char *initiator);
/*
 * Copies the settings of the dynamic ACL of an initiator to its new ACL, which is not in the tree yet.
 * Returns 0 or -ENOMEM.
 */
int model_dynamic_convert(struct model_object *acl);
/*
 * To be called when the ACL has been added to the tree. Replaces the dynamic ACL of its initiator: the
 * initiator's sessions change to the view of the ACL.
 */
void model_dynamic_replace(struct model_object *acl);
/* Makes the sessions of all records that were replaced since the last call notice this. */
void model_dynamic_publish(struct model *model);
/* Forgets the initiators without a session. */
void model_dynamic_clear(struct model_object *tpg);
/* Calls fn for each initiator without a session, with the lock of the model held. */
void model_dynamic_list(const struct model_object *tpg, void (*fn)(void *arg, const char *initiator),
			void *arg);

/* --- values.c: attributes of an object */

/* The attributes that the model itself uses. */
enum model_known {
	MODEL_A_AUTHENTICATION,
	MODEL_A_AUTH_METHOD,
	MODEL_A_LOGIN_TIMEOUT,
	MODEL_A_PROD_MODE_WRITE_PROTECT,
	MODEL_A_GENERATE_NODE_ACLS,
	MODEL_A_DEMO_MODE_WRITE_PROTECT,
	MODEL_A_DEMO_MODE_DISCOVERY,
	MODEL_A_SENDTARGETS,
	MODEL_A_DEFAULT_CMDSN_DEPTH,
	MODEL_A_CACHE_DYNAMIC,
	MODEL_A_KEYS_WORKAROUND,
	MODEL_A_REVEAL,
	MODEL_A_COLD_RESET,
	MODEL_A_ALLOWED,
	MODEL_A_DENIED,
	MODEL_A_RTPI,
	MODEL_A_ALIAS,
	/* The attributes of enum model_parameter, in its order. */
	MODEL_A_PARAMETER,
	MODEL_A_PARAMETER_LAST = MODEL_A_PARAMETER + MODEL_PARAMETERS - 2,
	MODEL_A_USERID,
	MODEL_A_PASSWORD,
	MODEL_A_USERID_MUTUAL,
	MODEL_A_PASSWORD_MUTUAL,
	MODEL_A_MORE_ACCOUNTS,
	MODEL_A_ACL_AUTHENTICATION,
	MODEL_A_ACL_CMDSN_DEPTH,
	MODEL_A_ACL_DATAOUT_TIMEOUT,
	MODEL_A_ACL_NOPIN_TIMEOUT,
	MODEL_A_ACL_NOPIN_RESPONSE_TIMEOUT,
	MODEL_A_ACL_USERID,
	MODEL_A_ACL_PASSWORD,
	MODEL_A_ACL_USERID_MUTUAL,
	MODEL_A_ACL_PASSWORD_MUTUAL,
	MODEL_A_ACL_MORE_ACCOUNTS,
	MODEL_A_DISCOVERY_ENFORCE,
	MODEL_A_DISCOVERY_USERID,
	MODEL_A_DISCOVERY_PASSWORD,
	MODEL_A_DISCOVERY_USERID_MUTUAL,
	MODEL_A_DISCOVERY_PASSWORD_MUTUAL,
	MODEL_A_DISCOVERY_MORE_ACCOUNTS,
	MODEL_A_WRITE_PROTECT,
	MODEL_A_LUN_WRITE_PROTECT,
	MODEL_A_ACL_ONLY,
	MODEL_A_ADVERTISE,
	MODEL_A_CONFIG,
	MODEL_A_FOLDER,
	MODEL_A_SIZE,
	MODEL_A_BLOCK_SIZE,
	MODEL_A_READ_ONLY,
	MODEL_A_CREATE,
	MODEL_A_EXACT_SIZE,
	MODEL_A_MAX_SECTORS,
	MODEL_A_WRITE_CACHE,
	MODEL_A_TIME_LIMIT,
	MODEL_A_SERIAL,
	MODEL_A_VENDOR,
	MODEL_A_PRODUCT,
	MODEL_A_REVISION,
	MODEL_KNOWN,
};
/* The value of AuthMethod is a set with these bits. */
#define MODEL_AUTH_CHAP 1u
#define MODEL_AUTH_NONE 2u
const struct model_attribute *model_known(enum model_known known);
/* Returns the stored value or the default. The text is valid until the attribute is set again. */
const char *model_text(const struct model_object *object, const struct model_attribute *attribute);
const char *model_known_text(const struct model_object *object, enum model_known known);
uint64_t model_known_number(const struct model_object *object, enum model_known known);
/* Finds the attributes of enum model_known in the table. To be called once. */
void model_values_init(void);
unsigned model_attribute_count(enum model_kind kind);
/* Stores a value without making it effective. Returns 0 or -ENOMEM. */
int model_value_store(struct model_object *object, const struct model_attribute *attribute, const char *text);
/* Does the same for n objects with a number for each, or changes none of them. */
int model_value_store_numbers(struct model_object *const *objects, const struct model_attribute *attribute,
			      const unsigned *numbers, unsigned n);

/* --- storage_object.c, tpg.c, portal_object.c: creating, deleting and enabling one kind of object --- */

int model_storage_create(struct model_object *object, struct error *error);
/* Closes the disk and frees the object. If forget is true, the disk is removed forever. */
void model_storage_close(struct model_object *object, bool forget, model_done *done, void *arg);
/*
 * Closes the disk at the end of the model and frees the object. If it is being closed already, waits for
 * this.
 */
void model_storage_end(struct model_object *object, model_done *done, void *arg);
/* Closes a disk that nobody has used yet. Storage that was created for it is removed again. Blocks. */
void model_storage_discard(struct model_object *object);
void model_storage_enable(struct model_object *object, bool patient, model_done *done, void *arg);
int model_tpg_create(struct model_object *object, struct error *error);
/*
 * Gives the TPG another relative target port identifier, or none if port is 0. Returns 0, or -EEXIST with
 * error set.
 */
int model_tpg_set_port(struct model_object *tpg, unsigned port, struct error *error);
void model_tpg_enable(struct model_object *tpg, bool enable, model_done *done, void *arg);
/* Ends the sessions of the TPG. */
void model_tpg_close(struct model_object *object);
void model_acl_close(struct model_object *object);
int model_acl_create(struct model_object *object, struct error *error);
/* Write-protects the new mapped LUN if prod_mode_write_protect says so. */
int model_mapped_lun_create(struct model_object *object, struct error *error);
int model_portal_create(struct model_object *object, struct error *error);
void model_portal_close(struct model_object *object);

/* --- address_rules.c */

/*
 * Checks whether a list of prefixes, such as "10.0.0.0/8,2001:db8::/32", is well-formed. Returns 0, or
 * -EINVAL with error set.
 */
int model_addresses_check(const char *list, struct error *error);
/* Returns whether the list contains the address. */
bool model_addresses_have(const char *list, const struct sockaddr_storage *address);
#endif
