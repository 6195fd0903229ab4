/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts and stops the iSCSI front end: the model, the exports of the command line in it, and the server.
 * What is served and who may log in is left to exports.c and to the model.
 */
#include "control/portal_service.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/exports.h"
#include "iscsi/iscsi.h"
#include "system/systemd_fd_store.h"
#include "tree/tree.h"
#include "util/log.h"

#define SESSIONS_END_S 10 /* commands in flight and logouts at stop */
#define FLUSH_S        10 /* a flush while storage hangs */

struct portal_service {
	const struct control_options *options;
	struct exports *exports;
	struct model_host *host;
	struct iscsi_server *server;
	/* NULL: not asked for. */
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

/* Its requests are answered when the main loop runs, so no client sees what is half started. */
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

static void on_flushed(void *arg, int err, const struct error *error)
{
	unsigned *pending = arg;

	--*pending;
	if (err)
		log_err(NULL, "flush at stop: %s", error->text);
}

/*
 * Commands hang in some storage, which cannot be closed. What the others have not written yet is written at
 * least.
 */
static void flush_what_answers(struct portal_service *s)
{
	static unsigned pending; /* flushes that hang outlive this call */
	struct model_object *object = model_first(model_root(model_host_model(s->host)), MODEL_STORAGE);
	gint64 end = g_get_monotonic_time() + FLUSH_S * G_USEC_PER_SEC;

	for (; object; object = model_next(object)) {
		if (!model_is_enabled(object))
			continue;
		pending++;
		storage_flush(model_storage(object), on_flushed, &pending);
	}
	while (pending && g_get_monotonic_time() < end)
		main_queue_wait(model_host_context(s->host)->main, 100);
}

void portal_service_stop(struct portal_service *s)
{
	tree_stop(s->tree);
	if (s->server && !iscsi_server_stop(s->server, SESSIONS_END_S)) {
		flush_what_answers(s);
		model_host_give_up();
	}
	exports_free(s->exports);
	g_free(s);
}
