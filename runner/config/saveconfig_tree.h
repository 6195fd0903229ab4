/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration as a tree of nodes, which is independent of the model and of JSON. A file is read into such
 * a tree, and the running model is copied into such a tree. Saving, comparing and applying a configuration
 * are operations on trees. All functions are called on the main thread.
 */
#ifndef CONFIG_SAVECONFIG_TREE_H
#define CONFIG_SAVECONFIG_TREE_H

#include <glib.h>
#include <stdbool.h>

#include "config/saveconfig_json.h"
#include "model/attribute.h"
#include "model/model.h"

/* The value of one attribute. */
struct config_value {
	const struct model_attribute *attribute;
	/* The value as text. A secret is represented by its placeholder (saveconfig_secrets.h). */
	char *text;
	/* Why the reader or the model has refused the text, or NULL if nobody has refused it. */
	char *problem;
	/* The text that the model kept when the text above was refused, or NULL. */
	char *running;
	/* The reader has refused the text, so the model never gets it. */
	bool is_unreadable;
	/*
	 * Nobody has set this attribute of the model's object, or nobody can: the text is only the value that
	 * is in effect at the moment. Comparisons use the default instead, and no step applies the text.
	 */
	bool is_unset;
};

struct config_node {
	/* The root has no parent. */
	struct config_node *parent;
	enum model_kind kind;
	/*
	 * The name of the object below its parent. It is the name in the model, with two exceptions: a
	 * storage object is called "PLUGIN/NAME", as in the file, and the address of a portal is in its
	 * canonical form. An entry of a file that has no usable name is called by its place in the file.
	 */
	char *name;
	/*
	 * The name of the object to which a LUN or a mapped LUN leads, "user/disk" or "lun_0"; otherwise
	 * NULL.
	 */
	char *to;
	/* Whether initiators may log in to the TPG, or whether the model's storage object is enabled. */
	bool enable;
	/* struct config_value *, in no order. An attribute without a value has its default. */
	GPtrArray *values;
	/* struct config_node *, in the order of the file or of the model. */
	GPtrArray *children;
	/*
	 * The cache of config_storage_position(): nstorage of the first ncounted children are storage
	 * objects.
	 */
	guint ncounted, nstorage;
	/* The children by name. No two children in this table have the same name. */
	GHashTable *index;

	/* --- Fields that the reader of a file sets, and that a merge copies to nodes of the model. */

	/* The JSON value of the entry in the file, or NULL if the node does not come from a file. */
	JsonNode *raw;
	/* The settings of the object under the key tcmu_runner, or NULL if the file has no such settings. */
	JsonObject *ours;
	/* Where the entry is in the file: "targets[0].tpgs[1]" and the line. NULL and 0 without a file. */
	char *place;
	unsigned line;
	/*
	 * The file has settings under tcmu_runner for an object that it does not describe anywhere else. This
	 * node has these settings and a problem. config_node_find() does not find it.
	 */
	bool is_stray;
	/*
	 * The object has no settings under tcmu_runner, and the settings of a stray node may be meant for it,
	 * so it is refused or its TPG stays disabled. If a save added settings for this object, the next
	 * restore would no longer see that those of the stray node may be meant for it, and would enable the
	 * TPG.
	 */
	bool may_own_stray_settings;
	/*
	 * Another entry, or other settings, are for the same object, and the two may contradict each other.
	 */
	bool is_ambiguous;

	/* --- What a restore has found out about the entry. */

	/* Why the entry could not be restored, so that it has no object in the model; otherwise NULL. */
	char *problem;
	/* Why a TPG stays disabled although the file enables it; otherwise NULL. */
	char *closing_reason;
	/*
	 * The problem or the closing reason lasts until the user corrects the file or restores it again. The
	 * daemon does not try such an entry again by itself.
	 */
	bool is_permanent;
	/*
	 * The user has enabled the TPG in spite of the closing reason. A save still writes the TPG as
	 * disabled, because LIO and the next restore would have the same reason to disable it.
	 */
	bool is_enabled_by_user;
	/*
	 * The user has had the entry forgotten (saveconfig_forget()), or has deleted its object after the
	 * restore. Later operations pass over the node.
	 */
	bool is_forgotten;
	/*
	 * The entry of a running storage object cannot be used, so the object stays unchanged, although it
	 * may allow more than the entry does. No LUN may lead to it until the entry is corrected.
	 */
	bool is_withheld;
	/* The name of the model's storage object, "user_0/disk"; NULL until a restore has chosen one. */
	char *object;

	/* --- Fields of nodes that saveconfig_dump() has made of the model. */

	/* The plan is to delete the model's object (saveconfig_plan.c). */
	bool is_gone;
	/* The contents of the storage object are in memory, and are lost when the object is deleted. */
	bool is_in_memory;
	/* The storage object is open and served, so options of its filters can be changed. */
	bool is_served;
};

struct config_node *config_node_new(struct config_node *parent, enum model_kind kind, const char *name);
/* Creates a stray node (is_stray). */
struct config_node *config_node_new_stray(struct config_node *parent, enum model_kind kind, const char *name);
/* Copies the node and everything below it. The copy becomes the last child of parent, which may be NULL. */
struct config_node *config_node_copy(const struct config_node *node, struct config_node *parent);
/* Moves the node forward among the children of its parent, so that number other children precede it. */
void config_node_move(struct config_node *node, guint number);
/* Returns how many storage objects precede this one in the file. */
guint config_storage_position(const struct config_node *storage);
/* Frees a node that has a parent. */
void config_node_remove(struct config_node *node);
/* Frees the node and everything below it. If node is NULL, nothing happens. */
void config_node_free(struct config_node *node);
/* Returns the i-th child, or NULL after the last one. */
struct config_node *config_node_child(const struct config_node *node, guint i);
/*
 * Returns the child of this kind and name that is not stray, or NULL. Names of targets and ACLs are in lower
 * case in all trees.
 */
struct config_node *config_node_find(const struct config_node *parent, enum model_kind kind,
				     const char *name);
/* Returns the node of another tree that represents the same object, or NULL. */
struct config_node *config_node_twin(const struct config_node *node, const struct config_node *other_root);
/* Returns whether the node or one of its parents could not be restored. */
bool config_node_is_lost(const struct config_node *node);
/* Returns whether the entry has a problem that another try does not solve. */
bool config_node_is_unusable(const struct config_node *node);
/*
 * Returns whether the settings of the TPG in the file cannot be understood and keep it disabled. A save then
 * leaves the file's values of "enable" unchanged.
 */
bool config_tpg_is_kept_closed(const struct config_node *tpg);
/* Returns a path such as "user/disk" or "iqn...:disks/tpgt_1/lun_0". The caller frees it. */
char *config_node_path(const struct config_node *node);

/* Returns NULL if the node has no value for the attribute. */
struct config_value *config_node_value(const struct config_node *node,
				       const struct model_attribute *attribute);
/* Sets or replaces the value. If it is a secret, text is its placeholder. */
struct config_value *config_node_set(struct config_node *node, const struct model_attribute *attribute,
				     const char *text);
/* Returns whether the model has, or would have, a value of its own. NULL: it has none. */
bool config_value_is_set(const struct config_value *value);
/*
 * Returns whether the value of the attribute differs between two nodes that stand for the same object. A
 * value that the first node does not have, and that the daemon then chooses itself, does not differ.
 */
bool config_value_differs(const struct config_node *want, const struct config_node *have,
			  const struct model_attribute *attribute);
/* Returns whether two texts are the same value of the attribute: "1" and "01" are the same number. */
bool config_text_is_same(const struct model_attribute *attribute, const char *a, const char *b);
/* Sets *text to a new text. */
void config_set_text(char **text, const char *format, ...) G_GNUC_PRINTF(2, 3);

/*
 * Returns the name of a portal with its IPv6 address in canonical form, "[::]:3260" for "[::0]:3260". Other
 * names are copied. The caller frees the name.
 */
char *config_portal_name(const char *name);
/*
 * Returns whether the name is "[::]:PORT", which in the model is a portal for IPv6 connections only. A portal
 * for IPv4 and IPv6 connections is "*:PORT" in the model, and "[::]:PORT" in LIO.
 */
bool config_portal_is_ipv6_only(const char *name);
/* Returns the name that LIO uses for the portal. The caller frees it. */
char *config_portal_lio_name(const char *name);
/*
 * Returns the error without the names of the object, which may be NULL, and of the attribute at its
 * beginning, for a line that already contains these names. The caller frees the text.
 */
char *config_reason(const struct model_object *object, const struct model_attribute *attribute,
		    const char *error);
/* Records the value that the model has in place of the refused one, if it has any. */
void config_note_kept(struct config_value *value, const struct model_object *object);
/* Records that the object has refused the value text for this reason, and the value that it has kept. */
void config_note_refused(struct config_node *node, const struct model_attribute *attribute, const char *text,
			 const struct model_object *object, const char *reason);
/* Changes the name "[::]:PORT" of a portal to "*:PORT". Other names stay as they are. */
void config_node_set_dual_stack(struct config_node *portal);
#endif
