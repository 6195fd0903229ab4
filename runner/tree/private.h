/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations that the files of this folder share. Except for the functions of session.c, everything runs on
 * the main thread, to which the model belongs, so no lock guards the folders.
 */
#ifndef TREE_PRIVATE_H
#define TREE_PRIVATE_H

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "model/attribute.h"
#include "tree/tree.h"
#include "util/list.h"

/* --- folders that mkdir creates, and the root --------------------------------------------------  */

enum tree_kind {
	TREE_NONE,
	TREE_ROOT,
	/* core/user_0, which LIO calls an HBA. The model has no such object. */
	TREE_HBA,
	TREE_DEVICE,
	TREE_TARGET,
	TREE_TPG,
	TREE_PORTAL,
	TREE_LUN,
	TREE_ACL,
	TREE_MAPPED_LUN,
	TREE_KINDS,
};

/* Strings that LIO keeps for other programs. They have no effect on the disk. */
enum tree_note {
	TREE_NOTE_UDEV_PATH,
	TREE_NOTE_ALIAS,
	TREE_NOTES,
};

/*
 * A folder that can be created and removed. The folders and files inside it that always exist are described
 * by layout.c and need no memory.
 */
struct tree_folder {
	/* A part of the inode number. It is never used again. The root has 0. */
	uint64_t id;
	enum tree_kind kind;
	struct tree_folder *parent;
	/* The index, in the layout of the parent, of the directory that contains this folder. */
	unsigned slot;
	char *name;
	/*
	 * The object of the model. It is NULL for HBAs, and for LUNs and mapped LUNs without a link: in LIO,
	 * mkdir creates only the folder of a LUN, and the link creates the LUN.
	 */
	struct model_object *object;
	/*
	 * Whether mkdir has created the folder, which then stays when another interface deletes its contents.
	 * Only for HBAs and LUNs.
	 */
	bool made;
	/* For devices: the texts that were written to udev_path and alias, or NULL. */
	char *notes[TREE_NOTES];
	/* Links the folder into its parent's children, which are in the order of their creation. */
	struct list sibling;
	struct list children;
	/* Link the folder into the hash tables of struct tree. */
	struct list by_id, by_name, by_object;
};

#define TREE_BUCKETS 1024

struct tree_session;

struct tree {
	struct model *model;
	struct main_queue *main;
	char *mount_point;
	char *version;
	/* The owner of all files, and their time, which is the start of the tree. */
	uid_t uid;
	gid_t gid;
	struct timespec started;
	struct model_watch watch;
	struct tree_folder *root;
	uint64_t last_id;
	struct list by_id[TREE_BUCKETS], by_name[TREE_BUCKETS], by_object[TREE_BUCKETS];
	/* The contents of last_error and dbroot. */
	char last_error[sizeof(((struct error *)NULL)->text)];
	char dbroot[256];
	/* A list of the requests that wait for the model, and the wait_id of the last of them. */
	struct list waiting;
	uint64_t last_wait;
	/* A list of the open files and directories. */
	struct list opens;
	struct tree_session *session;
};

/* --- folder.c */
/* Creates the folders of everything that the model contains. Returns 0 or -ENOMEM. */
int tree_folders_init(struct tree *tree);
void tree_folders_free(struct tree *tree);
struct tree_folder *tree_folder_by_id(struct tree *tree, uint64_t id);
/*
 * Returns the folder with this name in a directory of parent. Names of targets, portals and ACLs are compared
 * in the same way as in the model.
 */
struct tree_folder *tree_folder_find(struct tree *tree, struct tree_folder *parent, unsigned slot,
				     const char *name);
/*
 * Returns the folder of an object of the model, which is created if it does not exist yet. Returns NULL if
 * there is no memory.
 */
struct tree_folder *tree_folder_of(struct tree *tree, struct model_object *object);
/*
 * Creates a folder without an object: an HBA, or a LUN or mapped LUN without a link. Returns NULL if there is
 * no memory.
 */
struct tree_folder *tree_folder_new(struct tree *tree, struct tree_folder *parent, unsigned slot,
				    const char *name);
/* Removes the folder and everything in it. */
void tree_folder_remove(struct tree *tree, struct tree_folder *folder);
/* Returns whether the folder contains a folder that mkdir has created. */
bool tree_folder_has_children(const struct tree_folder *folder);
/*
 * Returns the object of the folder or, if it has none, of the next folder above it that has one. The root
 * folder has the root of the model.
 */
struct model_object *tree_object(const struct tree *tree, const struct tree_folder *folder);
/* Sets *string to a copy of text. Returns 0, or -ENOMEM; in this case *string is unchanged. */
int tree_set_string(char **string, const char *text);
/* Names a directory for messages, such as "core/user_0/disk/attrib". Returns path. */
#define TREE_PATH_SIZE 1024
const char *tree_path(const struct tree_folder *folder, unsigned directory, char path[TREE_PATH_SIZE]);

/* --- link.c */
/*
 * Returns the name of the link in a LUN or mapped LUN, or NULL if there is none. name has room for
 * MODEL_TEXT_SIZE bytes.
 */
const char *tree_link_name(const struct tree_folder *folder, char *name);
/* Writes the destination of this link, as a path relative to the folder. Returns false if it is too long. */
bool tree_link_text(struct tree *tree, const struct tree_folder *folder, char *text, size_t size);
/* Returns the object that the destination of a new link names. Returns NULL with error set and errno set. */
struct model_object *tree_link_destination(struct tree *tree, const char *destination, struct error *error);

/* --- layout: directories and files that always exist in a folder ------------------------------  */

/* One directory of a folder. The first one, with the index 0, is the folder itself. */
struct tree_directory {
	const char *name;
	/* The index of the directory that contains it. */
	unsigned parent;
	/* The kind of folder that mkdir creates in this directory, or TREE_NONE if mkdir is refused. */
	enum tree_kind child;
};

struct tree_request;

/* A file that is not an attribute of the model. */
struct tree_file {
	const char *name;
	/* The index of the directory that contains it. */
	unsigned directory;
	mode_t mode;
	/* Writes the contents to out. Returns 0 or -errno. argument is the argument of the row. */
	int (*show)(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out);
	/* Handles a write, and ends the request. text ends with a NUL and has no newline at its end. */
	void (*store)(struct tree_request *request, struct tree_folder *folder, int argument, char *text);
	int argument;
	/* The only plug-in whose devices have the file, such as "user_", or NULL if all devices have it. */
	const char *plugin;
};

struct tree_files {
	const struct tree_file *files;
	unsigned count;
};

struct tree_layout {
	const struct tree_directory *directories;
	unsigned directory_count;
	const struct tree_files *files;
	/* The kind of object whose attributes are in the folder, or MODEL_KINDS if there are none. */
	enum model_kind model_kind;
};

/* The indexes of the directories. */
enum {
	TREE_ROOT_SELF,
	TREE_ROOT_CORE,
	TREE_ROOT_CORE_ALUA,
	TREE_ROOT_LU_GPS,
	TREE_ROOT_DEFAULT_LU_GP,
	TREE_ROOT_ISCSI,
	TREE_ROOT_DISCOVERY_AUTH,
};
enum {
	TREE_DEVICE_SELF,
	TREE_DEVICE_ATTRIB,
	TREE_DEVICE_WWN,
	TREE_DEVICE_HEALTH,
	TREE_DEVICE_ACTION,
	TREE_DEVICE_ALUA,
	TREE_DEVICE_TG_PT_GP,
	TREE_DEVICE_STATISTICS,
	TREE_DEVICE_SCSI_LU,
};
enum {
	TREE_TPG_SELF,
	TREE_TPG_ACLS,
	TREE_TPG_LUN,
	TREE_TPG_NP,
	TREE_TPG_ATTRIB,
	TREE_TPG_AUTH,
	TREE_TPG_PARAM,
};
enum {
	TREE_LUN_SELF,
	TREE_LUN_STATISTICS,
	TREE_LUN_SCSI_TGT_PORT,
};
enum {
	TREE_ACL_SELF,
	TREE_ACL_ATTRIB,
	TREE_ACL_AUTH,
	TREE_ACL_PARAM,
};

/* layout.c */
const struct tree_layout *tree_layout(enum tree_kind kind);
/* Return the kind of folder that represents an object, and the directory of the parent that contains it. */
enum tree_kind tree_kind_of(enum model_kind kind);
unsigned tree_slot_of(enum tree_kind kind);
/* Returns the directory that contains an attribute, or -1 if the tree does not show it. */
int tree_directory_of(enum tree_kind kind, const struct model_attribute *attribute);
mode_t tree_attribute_mode(const struct model_attribute *attribute);

/* The tables of files. */
extern const struct tree_files tree_root_files, tree_hba_files, tree_device_files, tree_target_files,
    tree_tpg_files, tree_portal_files, tree_lun_files, tree_acl_files, tree_mapped_lun_files;

/* --- files.c and control.c: files that two kinds of folders have, and files with a source of their own */
int tree_show_enable(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out);
void tree_store_enable(struct tree_request *request, struct tree_folder *folder, int argument, char *text);
void tree_store_control(struct tree_request *request, struct tree_folder *folder, int argument, char *text);

/* --- plugin.c */
/*
 * Returns "user", "fileio", "iblock" or "rd_mcp" if hba is the name of such an HBA, for example "user_0",
 * otherwise NULL.
 */
const char *tree_plugin_of(const char *hba);
unsigned tree_plugin_index(const char *hba);
/* A block device. */
struct tree_disk {
	unsigned major, minor;
	/* The kernel's name, such as "sda1". */
	char name[64];
};
/*
 * Finds the block device of a path. Does not block. Returns false if the path names no block device below
 * /dev, or if this cannot be found out without blocking.
 */
bool tree_disk_find(const char *path, struct tree_disk *disk);
/*
 * Returns the path that the device serves, or "" if its storage is neither a file nor a block device. The
 * caller frees it. Returns NULL if there is no memory.
 */
char *tree_device_path(const struct tree_folder *folder);

/* --- nodes: the objects that inode numbers name ------------------------------------------------  */

enum tree_node_type {
	TREE_NODE_DIRECTORY,
	TREE_NODE_FILE,
	TREE_NODE_ATTRIBUTE,
	TREE_NODE_LINK,
};

struct tree_node {
	struct tree_folder *folder;
	enum tree_node_type type;
	/* The index of the directory, file or attribute. */
	unsigned index;
	/* Whether the node is seen through the folder for targetcli (view.c). */
	bool for_targetcli;
};

/* node.c */
fuse_ino_t tree_node_number(const struct tree_node *node);
/* Finds the node of an inode number. Returns false if its object was deleted. */
bool tree_node_find(struct tree *tree, fuse_ino_t number, struct tree_node *node);
/* Looks up a name in a directory. Returns false if there is none. */
bool tree_node_lookup(struct tree *tree, const struct tree_node *directory, const char *name,
		      struct tree_node *node);
void tree_node_stat(const struct tree *tree, const struct tree_node *node, struct stat *st);
mode_t tree_node_mode(const struct tree_node *node);
/* Returns whether the name is that of a directory, file or attribute that always exists in the directory. */
bool tree_node_is_fixed(const struct tree_node *directory, const char *name);
/* Calls fn for each name in a directory. */
typedef void tree_node_fn(void *arg, const struct tree_node *node, const char *name);
void tree_node_list(const struct tree_node *directory, tree_node_fn *fn, void *arg);

/* --- view: the folder .targetcli -------------------------------------------------------------- */

#define TREE_VIEW_NAME ".targetcli"
/* Returns why targetcli cannot handle the folder, or NULL if it can. */
const char *tree_view_fault(const struct tree_folder *folder);
int tree_view_show(const struct tree *tree, const struct tree_folder *folder, int argument, FILE *out);

/* --- requests --------------------------------------------------------------------------------- */

/*
 * One request of the kernel. The thread of the tree fills it in, and the main thread handles and answers it.
 */
struct tree_request {
	struct tree *tree;
	/* NULL after the request was answered. Its operation may still be in progress. */
	fuse_req_t fuse;
	/* Identifies a request in tree->waiting. */
	uint64_t wait_id;
	/* Links the request into the list of the session, and later into tree->waiting. */
	struct list node;
	void (*run)(struct tree_request *request);
	fuse_ino_t number;
	uint64_t offset;
	size_t size;
	int flags;
	/* For requests about an open file. */
	struct tree_open *open;
	/*
	 * The name in a directory. If the request creates a link, data is its destination. Both texts belong
	 * to the request.
	 */
	char *name;
	char *data;
};

/* An open file or directory, with the contents as they were at the first read. */
struct tree_open {
	/* Links the structure into tree->opens while the kernel uses it. */
	struct list node;
	char *data;
	size_t size;
	bool is_filled;
};

/*
 * Returns whether the request comes from root or from the user of the daemon. The kernel passes on no
 * requests of other users, unless another program has made the mount and has permitted them.
 */
bool tree_request_is_owners(const struct tree_request *request);

/* --- request.c: each of these functions answers the request and frees it */
void tree_answer(struct tree_request *request, int err);
/* Refuses with -err, and stores the reason for last_error. */
void tree_refuse(struct tree_request *request, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void tree_refuse_error(struct tree_request *request, int err, const struct error *error);
void tree_answer_entry(struct tree_request *request, const struct tree_node *node);
void tree_answer_attr(struct tree_request *request, const struct tree_node *node);
/* Answers the opening of a file or directory. The kernel uses request->open until it is released. */
void tree_answer_open(struct tree_request *request);
void tree_open_free(struct tree_open *open);
/* Answers that the whole write was accepted. */
void tree_answer_write(struct tree_request *request);
/* A function of the type model_done, for operations whose answer is only an error. */
void tree_done(void *request, int err, const struct error *error);
/*
 * Makes the request wait for tree_done(). To be called before the operation of the model. If the program that
 * waits is interrupted or killed meanwhile, it gets EINTR, and the operation continues.
 */
void tree_wait(struct tree_request *request);
/*
 * Answers all requests that wait. Their memory is freed when the model has ended their operations. Closes
 * open files, because the kernel does not do this for a mount that disappears.
 */
void tree_requests_end(struct tree *tree);
void tree_request_free(struct tree_request *request);

/* --- look.c, change.c and file.c: handle the requests */
void tree_run_lookup(struct tree_request *request);
void tree_run_getattr(struct tree_request *request);
void tree_run_setattr(struct tree_request *request);
void tree_run_readlink(struct tree_request *request);
void tree_run_opendir(struct tree_request *request);
void tree_run_readdir(struct tree_request *request);
void tree_run_mkdir(struct tree_request *request);
void tree_run_rmdir(struct tree_request *request);
void tree_run_symlink(struct tree_request *request);
void tree_run_unlink(struct tree_request *request);
void tree_run_refuse(struct tree_request *request);
void tree_run_open(struct tree_request *request);
void tree_run_read(struct tree_request *request);
void tree_run_write(struct tree_request *request);
void tree_run_release(struct tree_request *request);

/* --- session.c and mount.c -------------------------------------------------------------------- */

/* Main thread. Mounts the tree and starts its thread. Returns 0, or -errno with error set. */
int tree_session_start(struct tree *tree, const char *folder, struct error *error);
/* Main thread. Ends the thread, handles the requests that it has posted, and removes the mount. */
void tree_session_stop(struct tree *tree);
/* --- session.c */
/* Any thread. The operations of libfuse, which post requests to the main thread. */
extern const struct fuse_lowlevel_ops tree_operations;
void tree_session_post(struct tree_session *session, struct tree_request *request);

/* --- mount.c */
/*
 * Main thread, before the mount; may block. Creates the folder for the mount if it does not exist, removes
 * the mount of a daemon that has died, and checks that the folder is empty. Returns 0, or -errno with error
 * set.
 */
int tree_mount_prepare(const char *folder, struct error *error);
#endif
