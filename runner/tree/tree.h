/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree: a FUSE file system with the layout and the semantics of /sys/kernel/config/target, over
 * the target model. mkdir creates an object, rmdir deletes it, a symbolic link maps a disk, a write
 * sets an attribute and a read shows it. README.md explains the folder.
 */
#ifndef TREE_TREE_H
#define TREE_TREE_H

#include <stdbool.h>

#include "model/model.h"
#include "util/error.h"
#include "util/main_queue.h"

struct tree;

struct tree_options {
	/* Both members exist longer than the tree. */
	struct model *model;
	struct main_queue *main;
	/*
	 * The folder in which the tree is mounted. It is created if it does not exist, and a mount that a
	 * killed daemon has left there is removed. If the folder is "/dev/fd/N", N is a descriptor of
	 * /dev/fuse that another program has mounted.
	 */
	const char *folder;
	/* The version of the daemon, for the files that contain it. */
	const char *version;
};

/*
 * Main thread. Mounts the tree and starts its thread. The tree answers as soon as the main thread runs the
 * work of the main queue. Returns NULL with error set and errno set; ENOTSUP means that this build has no
 * FUSE.
 */
struct tree *tree_start(const struct tree_options *options, struct error *error);
/*
 * Main thread. Answers all requests that are in progress with ENODEV, removes the mount, and ends the thread.
 * The model may still complete operations that the tree has started. If tree is NULL, nothing happens.
 */
void tree_stop(struct tree *tree);
#endif
