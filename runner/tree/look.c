/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that change nothing: looking for names, listing directories, and reading links. */
#include "tree/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void tree_run_lookup(struct tree_request *request)
{
	struct tree_node parent, node;

	if (!tree_node_find(request->tree, request->number, &parent) ||
	    !tree_node_lookup(request->tree, &parent, request->name, &node))
		tree_answer(request, -ENOENT);
	else
		tree_answer_entry(request, &node);
}

void tree_run_getattr(struct tree_request *request)
{
	struct tree_node node;

	if (!tree_node_find(request->tree, request->number, &node))
		tree_answer(request, -ENOENT);
	else
		tree_answer_attr(request, &node);
}

/*
 * Answers setattr. A write with O_TRUNC, and touch, have no effect; chmod and chown are refused. flags says
 * which attributes are to be set.
 */
void tree_run_setattr(struct tree_request *request)
{
	const int refused = FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID;

	if (request->flags & refused)
		tree_refuse(request, EPERM, "the owner and the mode of a file in the tree cannot be changed");
	else
		tree_run_getattr(request);
}

void tree_run_readlink(struct tree_request *request)
{
	char text[TREE_PATH_SIZE];
	struct tree_node node;

	if (!tree_node_find(request->tree, request->number, &node) || node.type != TREE_NODE_LINK ||
	    !tree_link_text(request->tree, node.folder, text, sizeof(text))) {
		tree_answer(request, -ENOENT);
		return;
	}
	fuse_reply_readlink(request->fuse, text);
	tree_request_free(request);
}

/* --- directories ------------------------------------------------------------------------------ */

/*
 * The entries of a directory are collected when it is opened. Therefore, no entry is left out or repeated if
 * the tree changes while a program reads the directory.
 */
struct listing {
	struct tree_open *open;
	size_t capacity;
	bool failed;
};

static void add_entry(void *arg, const struct tree_node *node, const char *name)
{
	struct listing *listing = arg;
	struct tree_open *open = listing->open;
	const struct stat st = {.st_ino = tree_node_number(node), .st_mode = tree_node_mode(node)};
	size_t size = fuse_add_direntry(NULL, NULL, 0, name, NULL, 0);

	if (open->size + size > listing->capacity) {
		size_t capacity = 2 * listing->capacity + 4096;
		char *data = realloc(open->data, capacity);

		listing->failed |= !data;
		if (!data)
			return;
		open->data = data;
		listing->capacity = capacity;
	}
	fuse_add_direntry(NULL, open->data + open->size, size, name, &st, (off_t)(open->size + size));
	open->size += size;
}

void tree_run_opendir(struct tree_request *request)
{
	struct tree_node directory;
	struct listing listing = {.open = request->open};

	if (!tree_node_find(request->tree, request->number, &directory) ||
	    directory.type != TREE_NODE_DIRECTORY) {
		tree_open_free(request->open);
		tree_answer(request, -ENOENT);
		return;
	}
	add_entry(&listing, &directory, ".");
	add_entry(&listing, &directory, ".."); /* The kernel ignores the number of this entry. */
	tree_node_list(&directory, add_entry, &listing);
	if (listing.failed) {
		tree_open_free(request->open);
		tree_answer(request, -ENOMEM);
		return;
	}
	tree_answer_open(request);
}

/* Answers readdir. The offset of an entry is the number of bytes up to the next entry. */
void tree_run_readdir(struct tree_request *request)
{
	const struct tree_open *open = request->open;
	size_t begin = request->offset < open->size ? (size_t)request->offset : open->size, end = begin;

	while (end < open->size) {
		const char *entry = open->data + end;
		uint64_t next;

		memcpy(&next, entry + sizeof(uint64_t), sizeof(next)); /* fuse_dirent.off */
		if (next - begin > request->size)
			break;
		end = (size_t)next;
	}
	fuse_reply_buf(request->fuse, open->data + begin, end - begin);
	tree_request_free(request);
}
