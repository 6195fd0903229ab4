/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations that libfuse calls on the thread of the tree. Each of them copies the kernel's request and
 * posts it to the main thread. Nothing here reads the tree.
 */
#include "tree/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The longest write that is copied. Longer writes are refused in any case. */
#define COPY_MAX 8192

static struct tree_request *new_request(fuse_req_t fuse, fuse_ino_t number,
					void (*run)(struct tree_request *))
{
	struct tree_request *request = calloc(1, sizeof(*request));

	if (!request) {
		fuse_reply_err(fuse, ENOMEM);
		return NULL;
	}
	request->fuse = fuse;
	request->number = number;
	request->run = run;
	return request;
}

static void post(struct tree_request *request)
{
	tree_session_post(fuse_req_userdata(request->fuse), request);
}

static void post_plain(fuse_req_t fuse, fuse_ino_t number, int flags, void (*run)(struct tree_request *))
{
	struct tree_request *request = new_request(fuse, number, run);

	if (!request)
		return;
	request->flags = flags;
	post(request);
}

/* Posts a request that has a name. data may be NULL. */
static void post_name(fuse_req_t fuse, fuse_ino_t parent, const char *name, const char *data, int flags,
		      void (*run)(struct tree_request *))
{
	struct tree_request *request = new_request(fuse, parent, run);

	if (!request)
		return;
	request->flags = flags;
	request->name = strdup(name);
	request->data = data ? strdup(data) : NULL;
	if (request->name && (request->data || !data)) {
		post(request);
		return;
	}
	list_init(&request->node);
	tree_answer(request, -ENOMEM);
}

/* --- names ------------------------------------------------------------------------------------ */

static void on_lookup(fuse_req_t fuse, fuse_ino_t parent, const char *name)
{
	post_name(fuse, parent, name, NULL, 0, tree_run_lookup);
}

static void on_mkdir(fuse_req_t fuse, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)mode;
	post_name(fuse, parent, name, NULL, 0, tree_run_mkdir);
}

static void on_rmdir(fuse_req_t fuse, fuse_ino_t parent, const char *name)
{
	post_name(fuse, parent, name, NULL, 0, tree_run_rmdir);
}

static void on_symlink(fuse_req_t fuse, const char *destination, fuse_ino_t parent, const char *name)
{
	post_name(fuse, parent, name, destination, 0, tree_run_symlink);
}

static void on_unlink(fuse_req_t fuse, fuse_ino_t parent, const char *name)
{
	post_name(fuse, parent, name, NULL, 0, tree_run_unlink);
}

/* Opening a file that does not exist for writing fails with EACCES, as in configfs. */
static void on_create(fuse_req_t fuse, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *info)
{
	(void)mode;
	(void)info;
	post_name(fuse, parent, name, NULL, EACCES, tree_run_refuse);
}

static void on_mknod(fuse_req_t fuse, fuse_ino_t parent, const char *name, mode_t mode, dev_t device)
{
	(void)mode;
	(void)device;
	post_name(fuse, parent, name, NULL, EPERM, tree_run_refuse);
}

static void on_rename(fuse_req_t fuse, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		      const char *new_name, unsigned flags)
{
	(void)new_parent;
	(void)new_name;
	(void)flags;
	post_name(fuse, parent, name, NULL, EPERM, tree_run_refuse);
}

static void on_link(fuse_req_t fuse, fuse_ino_t number, fuse_ino_t parent, const char *name)
{
	(void)number;
	post_name(fuse, parent, name, NULL, EPERM, tree_run_refuse);
}

/* --- nodes ------------------------------------------------------------------------------------ */

static void on_getattr(fuse_req_t fuse, fuse_ino_t number, struct fuse_file_info *info)
{
	(void)info;
	post_plain(fuse, number, 0, tree_run_getattr);
}

static void on_setattr(fuse_req_t fuse, fuse_ino_t number, struct stat *st, int to_set,
		       struct fuse_file_info *info)
{
	(void)st;
	(void)info;
	post_plain(fuse, number, to_set, tree_run_setattr);
}

static void on_readlink(fuse_req_t fuse, fuse_ino_t number)
{
	post_plain(fuse, number, 0, tree_run_readlink);
}

/* --- open files and directories --------------------------------------------------------------- */

static struct tree_open *open_of(const struct fuse_file_info *info)
{
	return (struct tree_open *)(uintptr_t)info->fh;
}

static void post_open(fuse_req_t fuse, fuse_ino_t number, int flags, void (*run)(struct tree_request *))
{
	struct tree_request *request = new_request(fuse, number, run);

	if (!request)
		return;
	request->flags = flags;
	request->open = calloc(1, sizeof(*request->open));
	if (request->open) {
		list_init(&request->open->node);
		post(request);
		return;
	}
	list_init(&request->node);
	tree_answer(request, -ENOMEM);
}

static void on_open(fuse_req_t fuse, fuse_ino_t number, struct fuse_file_info *info)
{
	post_open(fuse, number, info->flags, tree_run_open);
}

static void on_opendir(fuse_req_t fuse, fuse_ino_t number, struct fuse_file_info *info)
{
	post_open(fuse, number, info->flags, tree_run_opendir);
}

static void post_at(fuse_req_t fuse, fuse_ino_t number, size_t size, off_t offset,
		    struct fuse_file_info *info, void (*run)(struct tree_request *))
{
	struct tree_request *request = new_request(fuse, number, run);

	if (!request)
		return;
	request->size = size;
	request->offset = (uint64_t)offset;
	request->open = open_of(info);
	post(request);
}

static void on_read(fuse_req_t fuse, fuse_ino_t number, size_t size, off_t offset,
		    struct fuse_file_info *info)
{
	post_at(fuse, number, size, offset, info, tree_run_read);
}

static void on_readdir(fuse_req_t fuse, fuse_ino_t number, size_t size, off_t offset,
		       struct fuse_file_info *info)
{
	post_at(fuse, number, size, offset, info, tree_run_readdir);
}

static void on_release(fuse_req_t fuse, fuse_ino_t number, struct fuse_file_info *info)
{
	post_at(fuse, number, 0, 0, info, tree_run_release);
}

static void on_write(fuse_req_t fuse, fuse_ino_t number, const char *data, size_t size, off_t offset,
		     struct fuse_file_info *info)
{
	struct tree_request *request = new_request(fuse, number, tree_run_write);
	size_t copied = size < COPY_MAX ? size : COPY_MAX;

	(void)offset;
	(void)info;
	if (!request)
		return;
	request->size = size;
	request->data = calloc(1, copied + 1);
	if (request->data) {
		memcpy(request->data, data, copied);
		post(request);
		return;
	}
	list_init(&request->node);
	tree_answer(request, -ENOMEM);
}

static void on_init(void *userdata, struct fuse_conn_info *connection)
{
	(void)userdata;
	connection->want |= connection->capable & FUSE_CAP_ATOMIC_O_TRUNC;
	/*
	 * The main thread may be busy for a moment. The kernel must not hold back other requests because of
	 * this.
	 */
	connection->max_background = 64;
	connection->time_gran = 1;
}

const struct fuse_lowlevel_ops tree_operations = {
    .init = on_init,
    .lookup = on_lookup,
    .getattr = on_getattr,
    .setattr = on_setattr,
    .readlink = on_readlink,
    .mknod = on_mknod,
    .mkdir = on_mkdir,
    .unlink = on_unlink,
    .rmdir = on_rmdir,
    .symlink = on_symlink,
    .rename = on_rename,
    .link = on_link,
    .open = on_open,
    .read = on_read,
    .write = on_write,
    .release = on_release,
    .opendir = on_opendir,
    .readdir = on_readdir,
    .releasedir = on_release,
    .create = on_create,
};
