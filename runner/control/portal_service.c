/* SPDX-License-Identifier: Apache-2.0 */
#include "control/portal_service.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backstore/backstore.h"
#include "control/flush.h"
#include "control/portal_access.h"
#include "config/export_list.h"
#include "system/systemd_fd_store.h"
#include "iscsi/iscsi.h"
#include "scsi/scsi.h"
#include "storage/contents.h"
#include "model/portal.h"
#include "model/target.h"
#include "util/bytes.h"
#include "util/log.h"

#define IQN_PREFIX     "iqn.2026-11.io.tcmu-runner:"
#define SESSIONS_END_S 10 /* commands in flight and logouts at stop */
#define FLUSH_S        20 /* a flush at stop */

/* One export being served. */
struct lun {
	const char *export_text; /* as it was given */
	struct control_export export;
	struct storage_contents *contents;
	struct backstore *bs;
	struct scsi_lu *lu;
	struct storage_unit *unit; /* its place in the list of all units */
	struct target *target;
};

struct portal_service {
	const struct control_options *options;
	struct loop_set *loops;
	struct storage_registry *registry;
	struct target_model *model;
	struct target_auth auth;
	struct iscsi_server *server;
	struct lun *luns;
	unsigned nluns;
};

static int parse_exports(struct portal_service *s, struct error *error)
{
	unsigned n = g_strv_length(s->options->exports);

	s->luns = g_new0(struct lun, n);
	for (; s->nluns < n; s->nluns++) {
		struct control_export *export = &s->luns[s->nluns].export;
		int err = control_export_parse(export, s->options->exports[s->nluns], error);

		s->luns[s->nluns].export_text = s->options->exports[s->nluns];
		if (err)
			return err;
		export->spec.state_dir = "."; /* relative paths start in the current folder */
	}
	return 0;
}

/* Two machines that run the same command line serve two targets, so the name contains the machine. */
static int place_exports(struct portal_service *s, struct error *error)
{
	g_autofree struct control_export **exports = g_new(struct control_export *, s->nluns);
	char host[STORAGE_HOST_SIZE];

	storage_registry_host(s->registry, host);
	g_autofree char *prefix = g_strconcat(IQN_PREFIX, host, ":", NULL);
	for (unsigned i = 0; i < s->nluns; i++)
		exports[i] = &s->luns[i].export;
	return control_exports_place(exports, s->nluns, s->options->iqn, prefix, error);
}

/* Finds the target of this export, or creates it for the first export of the target. */
static struct target *target_for(struct portal_service *s, const struct control_export *export,
				 struct error *error)
{
	struct target *target = target_find(s->model, export->target);

	if (target)
		return target;
	target = target_add(s->model, export->target, error);
	if (target && portal_access_set(s->options, &s->auth, target, error))
		return NULL;
	return target;
}

static int add_targets(struct portal_service *s, struct error *error)
{
	for (unsigned i = 0; i < s->nluns; i++) {
		struct lun *lun = &s->luns[i];

		lun->target = target_for(s, &lun->export, error);
		if (!lun->target)
			return error_prefix(error, -EINVAL, "--export %s", s->options->exports[i]);
	}
	return 0;
}

/*
 * The contents were lost that initiators know under a fixed serial number: the unit is not ready until somebody accepts that.
 * Under a new serial number, initiators see a new disk.
 */
static void settle_contents(struct lun *lun)
{
	struct control_export *export = &lun->export;

	if (!storage_contents_are_lost(lun->contents, lun->bs))
		return;
	if (export->identity.serial && !(backstore_info(lun->bs)->flags & TCMUR_INFO_LOSS_ACCEPTED)) {
		log_err(export->spec.name, "not ready: its contents were lost with the memory of the daemon; "
					   "start once with lost=accept, or with "
					   "another serial=, to serve an empty disk");
		scsi_lu_set_blocked(lun->lu, true);
		return;
	}
	log_warn(export->spec.name,
		 "its contents were lost with the memory of the daemon; it is an empty disk now");
	scsi_lu_set_medium_changed(lun->lu);
	storage_contents_accept_loss(lun->contents);
}

/* The storage is open. Makes the logical unit, with an identity that no other unit has. */
static int make_unit(struct portal_service *s, struct lun *lun, const char *name, struct error *error)
{
	struct control_export *export = &lun->export;
	const struct storage_object object = {
	    .config = export->spec.config,
	    .storage = backstore_identity(lun->bs),
	    .name = name,
	    .configured = export->identity.serial,
	    .is_new = storage_contents_are_new(lun->contents, lun->bs),
	};
	struct scsi_identity identity = export->identity;
	struct storage_identity chosen;

	if (storage_identity_choose(s->registry, &object, true, &chosen, error))
		return -EINVAL;
	lun->unit = storage_unit_enter(s->registry, lun, lun->export_text, &chosen, error);
	if (!lun->unit)
		return -EEXIST;
	identity.serial = chosen.serial;
	identity.naa = chosen.naa;
	lun->lu = scsi_lu_new(s->loops, lun->bs, &identity, error);
	if (!lun->lu)
		return -EINVAL;
	settle_contents(lun);
	return 0;
}

/* file/srv/disk.img is a relative path. If only the absolute one can be meant, the error says how it is written. */
static void hint_at_absolute_path(const struct control_export *export, struct error *error)
{
	const char *path = strchr(export->spec.config, '/');
	const char *last = strrchr(path, '/');
	g_autofree char *folder = g_strndup(path, (size_t)(last - path));
	g_autofree char *reason = g_strdup(error->text);

	if (errno == ENOENT && path[1] != '/' && *folder && g_file_test(folder, G_FILE_TEST_IS_DIR))
		error_set(error, ENOENT, "%s (did you mean %.*s/%s?)", reason,
			  (int)(path - export->spec.config), export->spec.config, path);
}

static int open_storage(struct portal_service *s, struct lun *lun, const char *name, struct error *error)
{
	lun->contents = storage_contents_new(s->registry, lun->export.spec.config, name);
	if (!lun->contents)
		return error_set(error, ENOMEM, "out of memory");
	lun->export.spec.keeper = storage_contents_keeper(lun->contents);
	lun->bs = backstore_open(s->loops, &lun->export.spec, error);
	if (lun->bs)
		return 0;
	hint_at_absolute_path(&lun->export, error);
	return -EINVAL;
}

static int serve(struct portal_service *s, struct lun *lun, struct error *error)
{
	g_autofree char *name = g_strdup_printf("%s/%u", lun->export.name, lun->export.lun);
	int err = open_storage(s, lun, name, error);
	if (!err)
		err = make_unit(s, lun, name, error);
	return err ? err : target_set_lun(lun->target, lun->export.lun, lun->lu, error);
}

/* Opens the exports that may create files, or the others. */
static int serve_those(struct portal_service *s, bool create, struct error *error)
{
	for (unsigned i = 0; i < s->nluns; i++) {
		struct lun *lun = &s->luns[i];
		int err = lun->export.spec.create == create ? serve(s, lun, error) : 0;

		if (err)
			return error_prefix(error, err, "--export %s", s->options->exports[i]);
	}
	return 0;
}

/* Nothing is created before everything else is known to be in order. */
static int serve_all(struct portal_service *s, struct error *error)
{
	int err = serve_those(s, false, error);

	return err ? err : serve_those(s, true, error);
}

/* Only now: a start that fails says one line, the reason. */
static void say_what_is_served(const struct portal_service *s)
{
	for (unsigned i = 0; i < s->nluns; i++) {
		const struct lun *lun = &s->luns[i];
		char filters[512];

		if (lun->export.spec.create && backstore_info(lun->bs)->flags & TCMUR_INFO_CREATED)
			log_info(lun->export.spec.name, "did not exist and was created");
		backstore_print_filters(lun->bs, filters, sizeof(filters));
		log_info(lun->export.spec.name, "LUN %u of %s, %" G_GUINT64_FORMAT " bytes%s%s",
			 lun->export.lun, lun->target->name, backstore_size(lun->bs),
			 *filters ? ", filters: " : "", filters);
	}
	for (const struct target_portal *p = target_portals(s->model); p; p = p->next) {
		bool all_ipv6 = p->addr.ss_family == AF_INET6 && target_portal_is_wildcard(&p->addr);

		log_info(NULL, "listening on %s%s", p->text,
			 all_ipv6 ? ", for IPv6 only; --portal 0.0.0.0 with a port listens for IPv4" : "");
	}
}

static int start_portals(struct portal_service *s, struct error *error)
{
	const struct control_options *o = s->options;
	const struct iscsi_options options = {
	    .max_connections = (unsigned)o->max_connections,
	    .max_half_open = (unsigned)o->max_half_open,
	    .login_timeout_s = (unsigned)o->login_timeout,
	    .nopin_interval_s = (unsigned)o->nop_interval,
	    .nopin_timeout_s = (unsigned)o->nop_timeout,
	    .queue_depth = (unsigned)o->queue_depth,
	    .fd_store = &control_fd_store,
	};

	s->server = iscsi_server_start(s->loops, s->model, &options, error);
	if (!s->server)
		return -EINVAL;
	say_what_is_served(s);
	return 0;
}

struct portal_service *portal_service_new(const struct control_options *options, struct error *error)
{
	struct portal_service *s = g_new0(struct portal_service, 1);
	int err;

	s->options = options;
	s->model = target_model_new();
	err = parse_exports(s, error);
	if (!err)
		err = portal_access_read_auth(options, &s->auth, error);
	if (!err)
		err = portal_access_add_portals(options, s->model, error);
	if (!err && options->chap_discovery)
		target_set_discovery_auth(s->model, &s->auth);
	if (!err)
		return s;
	portal_service_stop(s);
	return NULL;
}

int portal_service_start(struct portal_service *s, struct loop_set *loops, struct storage_registry *registry,
			 struct error *error)
{
	s->loops = loops;
	s->registry = registry;
	int err = place_exports(s, error);

	if (!err)
		err = add_targets(s, error);
	if (!err)
		err = serve_all(s, error);
	return err ? err : start_portals(s, error);
}

struct portal_service_address portal_service_address(const struct portal_service *s)
{
	const struct lun *first = &s->luns[0];

	return (struct portal_service_address){
	    .portal = target_portals(s->model)->text,
	    .target = first->target->name,
	    .lun = first->export.lun,
	};
}

void portal_service_refresh(struct portal_service *s)
{
	for (unsigned i = 0; i < s->nluns; i++)
		backstore_refresh(s->luns[i].bs);
}

static int flush_luns(struct portal_service *s)
{
	int err = 0;

	for (unsigned i = 0; i < s->nluns; i++) {
		struct lun *lun = &s->luns[i];
		int flushed = lun->bs ? control_flush(s->loops, lun->bs, FLUSH_S) : 0;

		if (flushed) {
			log_err(lun->export.spec.name, "flush at stop: %s", strerror(-flushed));
			err = flushed;
		}
	}
	return err;
}

static void close_luns(struct portal_service *s)
{
	for (unsigned i = 0; i < s->nluns; i++) {
		struct lun *lun = &s->luns[i];

		storage_unit_leave(lun->unit);
		if (lun->lu)
			scsi_lu_free(lun->lu);
		if (lun->bs && s->server)
			backstore_close(lun->bs);
		else if (lun->bs)
			backstore_discard(
			    lun->bs); /* the start has failed: no initiator has seen this storage */
		storage_contents_free(lun->contents, false);
		control_export_free(&lun->export);
	}
	g_free(s->luns);
}

int portal_service_stop(struct portal_service *s)
{
	bool over = !s->server || iscsi_server_stop(s->server, SESSIONS_END_S);
	int err = flush_luns(s);

	if (!over) {
		/* Nothing that the commands in flight refer to can be freed, and loops with such do not end.
		 */
		log_crit(NULL, "giving up: storage does not answer");
		_exit(EXIT_FAILURE);
	}
	close_luns(s);
	target_model_free(s->model);
	explicit_bzero(&s->auth, sizeof(s->auth));
	g_free(s);
	return err;
}
