/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration as a tree of nodes, apart from the model and from JSON. A file is read into such a tree,
 * and the running model is copied into such a tree; what is saved, compared and applied are trees. All
 * functions are called on the main thread.
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
	/* Of a secret: its placeholder (saveconfig_secrets.h). */
	char *text;
	/* Why the model has refused the text; NULL: it has not. */
	char *problem;
	/* With a problem: the text that the model had then. */
	char *running;
	/*
	 * The model has no value of its own: the text is what is in effect. It is neither compared nor
	 * applied.
	 */
	bool is_shown;
};

struct config_node {
	/* NULL: this is the root. */
	struct config_node *parent;
	enum model_kind kind;
	/*
	 * The name below the parent, as in the model. But a storage object is "PLUGIN/NAME", and a portal's
	 * address is canonical. An entry of a file that has no usable name is called by its place.
	 */
	char *name;
	/* What a LUN or a mapped LUN points to: "user/disk", "lun_0"; otherwise NULL. */
	char *to;
	/* A TPG: initiators may log in. A storage object of the model: it is enabled. */
	bool enable;
	/* struct config_value *, in no order. An attribute without a value has its default. */
	GPtrArray *values;
	/* struct config_node *, in the order of the file or of the model. */
	GPtrArray *children;
	/* The children by name; no two have the same. */
	GHashTable *index;

	/* The entry as it stood in the file, and the settings under tcmu_runner; NULL: there are none. */
	JsonNode *raw;
	JsonObject *ours;
	/* "targets[0].tpgs[1]", and its line in the file; NULL and 0: the node is from the model. */
	char *place;
	unsigned line;
	/* Why the entry could not be restored, so that the model has no such object; NULL: it has. */
	char *problem;
	/* A TPG: why it stays disabled though the file enables it, otherwise NULL. */
	char *closed;
	/*
	 * The problem, or what closes the TPG, is in the file itself: another try would end in the same
	 * way.
	 */
	bool is_unusable;
	/*
	 * A TPG that the user has enabled although "closed" gives a reason against it. The file that is saved
	 * still closes it, here and in LIO.
	 */
	bool is_opened;
	/* The object was deleted since, or its entry given up: the node no longer counts. */
	bool is_forgotten;
	/*
	 * The node has only settings under tcmu_runner, of an object that the file does not have. It has a
	 * problem, and config_node_find() does not find it.
	 */
	bool is_stray;
	/*
	 * A target or a TPG that is closed because settings of a missing object may be meant for it. A save
	 * must not add settings of its own, with which the next restore would leave it open.
	 */
	bool is_candidate;
	/* Another entry has the same name, and the two may contradict each other. */
	bool is_ambiguous;
	/*
	 * A storage object that runs and is left as it is: no LUN leads to it until its entry is corrected.
	 */
	bool is_withheld;
	/* Used while differences are applied: the model's object must be deleted. */
	bool is_gone;
	/* A storage object that the model has: its name there, "user_0/disk". */
	char *object;
	/* A storage object of the model: its contents are in memory, and end with the object. */
	bool is_in_memory;
	/* A storage object of the model: options of its filters can be changed. */
	bool is_served;
};

struct config_node *config_node_new(struct config_node *parent, enum model_kind kind, const char *name);
/* A node with settings of an object that the file does not have. */
struct config_node *config_node_new_stray(struct config_node *parent, enum model_kind kind, const char *name);
/* A copy of the node and everything below it, as a child of parent. */
struct config_node *config_node_copy(const struct config_node *node, struct config_node *parent);
/* Makes the node the child of this number, or the last one. */
void config_node_move(struct config_node *node, guint number);
/* The number of storage objects before this one: its place among the storage objects of the file. */
guint config_node_place(const struct config_node *storage);
/* Frees a node that has a parent. */
void config_node_remove(struct config_node *node);
/* NULL: nothing happens. */
void config_node_free(struct config_node *node);
/* The i-th child, or NULL after the last one. */
struct config_node *config_node_child(const struct config_node *node, guint i);
/* The child of this kind and name, or NULL. Names of targets and ACLs are in lower case in all trees. */
struct config_node *config_node_find(const struct config_node *parent, enum model_kind kind,
				     const char *name);
/* The node that stands for the same object in another tree, or NULL. */
struct config_node *config_node_twin(const struct config_node *node, const struct config_node *other_root);
/* The node or one of its parents could not be restored. */
bool config_node_is_lost(const struct config_node *node);
/* "storage object user/disk", "iqn...:disks/tpgt_1/lun_0". The caller frees it. */
char *config_node_path(const struct config_node *node);

/* Returns NULL if the node has no value for the attribute. */
struct config_value *config_node_value(const struct config_node *node,
				       const struct model_attribute *attribute);
/* Sets the value, or replaces it. text: as trees have it; a secret is its placeholder. */
struct config_value *config_node_set(struct config_node *node, const struct model_attribute *attribute,
				     const char *text);
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

/* "[::]:3260" for "[::0]:3260"; other names of portals are copied. The caller frees it. */
char *config_portal_name(const char *name);
/*
 * Whether it is "[::]:3260" for some port, which takes IPv6 connections only. The portal that takes IPv4
 * connections, too, is "*:3260" in the model, and "[::]:3260" in LIO.
 */
bool config_portal_is_ipv6_only(const char *name);
/* The name of a portal in LIO. The caller frees it. */
char *config_portal_lio_name(const char *name);
/*
 * The reason why the attribute of the object, which may be NULL, was refused, for a line that names both of
 * them already. To be freed with g_free().
 */
char *config_reason(const struct model_object *object, const struct model_attribute *attribute,
		    const char *error);
/* Turns the portal "[::]:3260" into "*:3260". Nothing happens to another portal. */
void config_node_set_dual_stack(struct config_node *portal);
#endif
