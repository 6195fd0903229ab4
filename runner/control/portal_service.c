/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts and stops the iSCSI front end: creates the exports of the command line in the model, and runs the
 * server. exports.c decides what is served, and the model decides who may log in.
 */
#include "control/portal_service.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <sys/stat.h>

#include "control/exports.h"
#include "control/stop_limit.h"
#include "iscsi/iscsi.h"
#include "system/systemd_fd_store.h"
#include "tree/tree.h"
#include "util/log.h"

/* The part of the time limit of a stop that is reserved for flushing and closing the storage. */
#define STORAGE_MS 1400

struct portal_service {
	const struct config_options *options;
	struct exports *exports;
	struct model_host *host;
	struct iscsi_server *server;
	struct storage_inventories *inventories;
	/* The tree, or NULL if the user has not asked for one. */
	struct tree *tree;
};

struct portal_service *portal_service_new(const struct config_options *options, struct error *error)
{
	struct portal_service *s = g_new0(struct portal_service, 1);

	s->options = options;
	if (!options->exports)
		return s;
	s->exports = exports_new(options, error);
	if (s->exports)
		return s;
	g_free(s);
	return NULL;
}

static int start_server(struct portal_service *s, struct loop_set *loops, struct error *error)
{
	const struct config_options *o = s->options;
	const struct iscsi_options options = {
	    .max_connections = (unsigned)o->max_connections,
	    .max_half_open = (unsigned)o->max_half_open,
	    .login_timeout_s = (unsigned)o->login_timeout,
	    .nopin_interval_s = (unsigned)o->nop_interval,
	    .nopin_timeout_s = (unsigned)o->nop_timeout,
	    .fd_store = &system_fd_store,
	    .inventories = s->inventories,
	};
	struct model *model = model_host_model(s->host);

	s->server = iscsi_server_start(loops, model, model_host_context(s->host)->main, &options, error);
	if (s->server)
		return 0;
	model_discard(model);
	return -EINVAL;
}

/* A descriptor of /dev/fuse that was never mounted, or whose mount is gone, has an error. */
static bool is_mounted_fuse(int fd, const void *arg)
{
	struct pollfd event = {.fd = fd};
	struct stat st, fuse;

	(void)arg;
	return !stat("/dev/fuse", &fuse) && !fstat(fd, &st) && S_ISCHR(st.st_mode) &&
	       st.st_rdev == fuse.st_rdev && poll(&event, 1, 0) == 0;
}

/*
 * Returns the folder of the tree, or the path of a descriptor that systemd passes. The user of the service
 * may not mount, so a program with more rights, which systemd runs before the daemon, has mounted the tree
 * and given the descriptor to systemd.
 */
static const char *place_of_tree(const struct portal_service *s, char *fd_path, size_t size)
{
	struct fd_kept kept;

	if (!system_fd_store.take(is_mounted_fuse, NULL, &kept))
		return s->options->tree;
	g_snprintf(fd_path, size, "/dev/fd/%d", kept.fd);
	return fd_path;
}

/*
 * Starts the tree. Its requests are answered only when the main loop runs, so no client sees a model that is
 * only partly built.
 */
static int start_tree(struct portal_service *s, struct error *error)
{
	struct tree_options options = {
	    .model = model_host_model(s->host),
	    .main = model_host_context(s->host)->main,
	    .version = TCMUR_VERSION,
	};
	char fd_path[32];

	if (!s->options->tree)
		return 0;
	options.folder = place_of_tree(s, fd_path, sizeof(fd_path));
	s->tree = tree_start(&options, error);
	if (!s->tree) {
		model_discard(options.model);
		return error_prefix(error, -EINVAL, "--tree");
	}
	log_info(NULL, "the tree is mounted at %s", s->options->tree);
	return 0;
}

int portal_service_start(struct portal_service *s, struct loop_set *loops, struct model_host *host,
			 struct error *error)
{
	s->host = host;
	s->inventories = storage_inventories_open(model_host_context(host)->registry);
	int err = s->exports
		      ? exports_create(s->exports, model_host_model(host), model_host_context(host), error)
		      : 0;
	if (!err)
		err = start_tree(s, error);
	if (!err)
		err = start_server(s, loops, error);
	if (!err && s->exports)
		exports_log(s->exports);
	return err;
}

struct exports_address portal_service_address(const struct portal_service *s)
{
	return exports_first(s->exports);
}

bool portal_service_stop(struct portal_service *s)
{
	tree_stop(s->tree);
	if (s->server && !iscsi_server_stop(s->server, stop_limit_left_ms(STORAGE_MS)))
		return false;
	stop_limit_note("the state folder");
	storage_inventories_close(s->inventories);
	exports_free(s->exports);
	g_free(s);
	return true;
}
