/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TPGs and their ACLs: the views that they have, and the end of sessions when a TPG is disabled or deleted,
 * or an ACL is deleted. login.c decides who may log in.
 */
#include <errno.h>
#include <stdio.h>

#include "model/private.h"
#include "util/bytes.h"
#include "util/cleanup.h"

/* --- relative target port identifiers (SPC-4 3.1.124): unique among all TPGs of the daemon --- */

static bool port_is_used(const struct model *model, unsigned port)
{
	return model->ports_used[port / 8] & 1u << port % 8;
}

static void mark_port(struct model *model, unsigned port, bool used)
{
	model->ports_used[port / 8] =
	    (uint8_t)((model->ports_used[port / 8] & ~(1u << port % 8)) | (unsigned)used << port % 8);
	if (!used && port < model->next_port)
		model->next_port = port;
}

static int refuse_port(const struct model_object *tpg, unsigned port, struct error *error)
{
	return model_refuse(error, tpg, EEXIST, "another TPG has the relative target port identifier %u",
			    port);
}

int model_tpg_set_port(struct model_object *tpg, unsigned port, struct error *error)
{
	if (port == tpg->relative_port)
		return 0;
	if (port && port_is_used(tpg->model, port))
		return refuse_port(tpg, port, error);
	if (tpg->relative_port)
		mark_port(tpg->model, tpg->relative_port, false);
	if (port)
		mark_port(tpg->model, port, true);
	tpg->relative_port = port;
	return 0;
}

int model_set_ports(struct model_object *const *tpgs, const unsigned *ports, unsigned n, struct error *error)
{
	struct model *model = n ? tpgs[0]->model : NULL;
	unsigned marked = 0;
	int err = 0;

	for (unsigned i = 0; i < n; i++)
		mark_port(model, tpgs[i]->relative_port, false);
	for (; marked < n && !port_is_used(model, ports[marked]); marked++)
		mark_port(model, ports[marked], true);
	if (marked < n)
		err = refuse_port(tpgs[marked], ports[marked], error);
	for (unsigned i = 0; i < n && !err; i++)
		if (tpgs[i]->enabled)
			err = model_refuse(error, tpgs[i], EBUSY,
					   "it is enabled; disable it before its rtpi is changed");
	if (!err && model_value_store_numbers(tpgs, model_known(MODEL_A_RTPI), ports, n))
		err = model_refuse(error, tpgs[0], ENOMEM, "there is no memory");
	for (unsigned i = 0; i < marked && err; i++)
		mark_port(model, ports[i], false);
	for (unsigned i = 0; i < n && err; i++)
		mark_port(model, tpgs[i]->relative_port, true);
	for (unsigned i = 0; i < n && !err; i++) {
		tpgs[i]->relative_port = ports[i];
		model_count_change(model);
		model_notify(model, MODEL_CHANGED, tpgs[i]);
	}
	return err;
}

/* Takes the smallest identifier that no TPG has. */
static int take_port(struct model_object *tpg, struct error *error)
{
	unsigned port = MAX(tpg->model->next_port, 1);
	char text[8];

	while (port <= UINT16_MAX && port_is_used(tpg->model, port))
		port++;
	tpg->model->next_port = port;
	if (port > UINT16_MAX)
		return model_refuse(error, tpg, ENOSPC,
				    "all 65,535 relative target port identifiers are in use");
	snprintf(text, sizeof(text), "%u", port);
	if (model_value_store(tpg, model_known(MODEL_A_RTPI), text))
		return model_refuse(error, tpg, ENOMEM, "there is no memory");
	return model_tpg_set_port(tpg, port, error);
}

bool model_tpg_is_slow(const struct model_object *tpg)
{
	return model_known_number(tpg, MODEL_A_PARAMETER + MODEL_P_INITIAL_R2T - 1) &&
	       model_known_number(tpg, MODEL_A_PARAMETER + MODEL_P_MAX_OUTSTANDING_R2T - 1) == 1;
}

/* --- views --- */

static int add_view(struct model_object *object, struct error *error)
{
	object->view = model_view_new(object);
	return object->view ? 0 : model_refuse(error, object, ENOMEM, "there is no memory");
}

int model_tpg_create(struct model_object *tpg, struct error *error)
{
	int err = take_port(tpg, error);

	return err ? err : add_view(tpg, error);
}

int model_acl_create(struct model_object *acl, struct error *error)
{
	if (model_dynamic_convert(acl))
		return model_refuse(error, acl, ENOMEM, "there is no memory");
	return add_view(acl, error);
}

int model_mapped_lun_create(struct model_object *mapped, struct error *error)
{
	const struct model_object *tpg = mapped->parent->parent;

	if (model_known_number(tpg, MODEL_A_PROD_MODE_WRITE_PROTECT) &&
	    model_value_store(mapped, model_known(MODEL_A_WRITE_PROTECT), "1"))
		return model_refuse(error, mapped, ENOMEM, "there is no memory");
	return 0;
}

static void close_view(struct model_object *object)
{
	struct model_view *view = object->view;

	lock_take(&object->model->lock);
	object->view = NULL;
	lock_drop(&object->model->lock);
	if (view)
		model_view_close(view);
}

/* Removes the entries of the LUNs, or mapped LUNs, together with the view. */
static void drop_entries(struct model_object *object, enum model_kind kind)
{
	for (struct model_object *lun = model_first(object, kind); lun; lun = model_next(lun)) {
		model_entry_put(lun->entry);
		lun->entry = NULL;
	}
}

void model_acl_close(struct model_object *acl)
{
	drop_entries(acl, MODEL_MAPPED_LUN);
	close_view(acl);
}

void model_tpg_close(struct model_object *tpg)
{
	for (struct model_object *acl = model_first(tpg, MODEL_ACL); acl; acl = model_next(acl))
		model_acl_close(acl);
	drop_entries(tpg, MODEL_LUN);
	close_view(tpg);
}

static int open_views(struct model_object *tpg, struct error *error)
{
	int err = tpg->view ? 0 : add_view(tpg, error);

	for (struct model_object *acl = model_first(tpg, MODEL_ACL); acl && !err; acl = model_next(acl))
		err = acl->view || acl->removing ? 0 : add_view(acl, error);
	for (struct model_object *lun = model_first(tpg, MODEL_LUN); lun && !err; lun = model_next(lun))
		if (model_mapping_refresh(lun))
			err = model_refuse(error, lun, ENOMEM, "there is no memory");
	return err;
}

/* --- enable and disable --- */

static void set_enabled(struct model_object *tpg, bool enabled)
{
	lock_take(&tpg->model->lock);
	tpg->enabled = enabled;
	lock_drop(&tpg->model->lock);
	model_count_change(tpg->model);
	model_notify(tpg->model, MODEL_CHANGED, tpg);
}

/*
 * Gives the TPG new views after its last session has ended, so that it can be changed and enabled again. If
 * its target is being deleted meanwhile, the deletion would wait for the new views for ever.
 */
static void on_sessions_ended(struct model_object *tpg)
{
	if (!tpg->removing)
		open_views(tpg, NULL);
}

void model_tpg_enable(struct model_object *tpg, bool enable, model_done *done, void *arg)
{
	struct error error;

	if (tpg->op) {
		done(arg,
		     model_refuse(&error, tpg, EBUSY, "its sessions are still ending; try again in a moment"),
		     &error);
		return;
	}
	if (enable) {
		int err = open_views(tpg, &error);

		if (!err)
			set_enabled(tpg, true);
		done(arg, err, &error);
		return;
	}
	set_enabled(tpg, false);
	model_tpg_close(tpg);
	model_object_drain(tpg, on_sessions_ended, done, arg);
}
