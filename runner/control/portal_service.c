/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts and stops the iSCSI front end: creates the exports of the command line in the model, and runs the
 * server. exports.c decides what is served, and the model decides who may log in.
 */
#include "control/portal_service.h"

#include <errno.h>
#include <glib.h>

#include "control/exports.h"
#include "control/stop_limit.h"
#include "iscsi/iscsi.h"
#include "system/systemd_fd_store.h"
#include "tree/tree.h"
#include "util/log.h"

/* The part of the time limit of a stop that is reserved for flushing and closing the storage. */
#define STORAGE_MS 1400

struct portal_service {
	const struct control_options *options;
	struct exports *exports;
	struct model_host *host;
	struct iscsi_server *server;
	/* The tree, or NULL if the user has not asked for one. */
	struct tree *tree;
};

struct portal_service *portal_service_new(const struct control_options *options, struct error *error)
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
	const struct control_options *o = s->options;
	const struct iscsi_options options = {
	    .max_connections = (unsigned)o->max_connections,
	    .max_half_open = (unsigned)o->max_half_open,
	    .login_timeout_s = (unsigned)o->login_timeout,
	    .nopin_interval_s = (unsigned)o->nop_interval,
	    .nopin_timeout_s = (unsigned)o->nop_timeout,
	    .fd_store = &control_fd_store,
	};
	struct model *model = model_host_model(s->host);

	s->server = iscsi_server_start(loops, model, model_host_context(s->host)->main, &options, error);
	if (s->server)
		return 0;
	model_discard(model);
	return -EINVAL;
}

/*
 * Starts the tree. Its requests are answered only when the main loop runs, so no client sees a model that is
 * only partly built.
 */
static int start_tree(struct portal_service *s, struct error *error)
{
	const struct tree_options options = {
	    .model = model_host_model(s->host),
	    .main = model_host_context(s->host)->main,
	    .folder = s->options->tree,
	    .version = TCMUR_VERSION,
	};

	if (!s->options->tree)
		return 0;
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
	exports_free(s->exports);
	g_free(s);
	return true;
}
