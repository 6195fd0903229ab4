/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Portals. Each portal object refers to the np of its address. The first portal object with an address makes
 * the front end listen there. portal.c converts addresses to text.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/portal.h"
#include "model/private.h"
#include "util/cleanup.h"

struct model_np *model_np_get(struct model_np *np)
{
	atomic_fetch_add_explicit(&np->refs, 1, memory_order_relaxed);
	return np;
}

void model_np_put(struct model_np *np)
{
	if (np && atomic_fetch_sub_explicit(&np->refs, 1, memory_order_acq_rel) == 1)
		free(np);
}

const char *model_portal_text(const struct model_object *portal)
{
	return portal->np->text;
}

const char *model_portal_state(const struct model_object *portal)
{
	/* A deletion closes the portals first, and may then wait for the sessions of the TPG. */
	if (!portal->np)
		return "closing";
	return model_address_is_local(&portal->np->addr) ? "listening" : "no address";
}

/* ":3260" */
static const char *port_of(const struct model_np *np)
{
	return strrchr(np->text, ':');
}

static struct model_np *find_np(struct model *model, const char *text)
{
	struct list *node, *tmp;

	list_for_each (&model->nps, node, tmp) {
		struct model_np *np = list_entry(node, struct model_np, node);

		if (!strcmp(np->text, text))
			return np;
	}
	return NULL;
}

/*
 * Returns whether a listens at all addresses of its family, or of both families, and thereby at the address
 * of b.
 */
static bool covers(const struct model_np *a, const struct model_np *b)
{
	return model_address_is_wildcard(&a->addr) &&
	       (a->dual_stack || a->addr.ss_family == b->addr.ss_family);
}

/* Returns a text with both names, such as "*:3260 ([::]:3260 in LIO)". */
static const char *both_names(const struct model_np *np, char text[2 * MODEL_PORTAL_SIZE])
{
	char lio[MODEL_PORTAL_SIZE];

	if (np->dual_stack)
		snprintf(text, 2 * MODEL_PORTAL_SIZE, "%s (%s in LIO)", np->text,
			 model_portal_to_lio(np->text, lio));
	else
		snprintf(text, 2 * MODEL_PORTAL_SIZE, "%s", np->text);
	return text;
}

/*
 * Refuses a portal if another one has the same port and one of the two listens at all addresses. The system
 * does not allow this combination.
 */
static int check_others(struct model *model, const struct model_np *np, struct error *error)
{
	char name[2 * MODEL_PORTAL_SIZE], other_name[2 * MODEL_PORTAL_SIZE];
	struct list *node, *tmp;

	list_for_each (&model->nps, node, tmp) {
		const struct model_np *other = list_entry(node, struct model_np, node);

		if (!model_address_has_port(&np->addr) || strcmp(port_of(np), port_of(other)) ||
		    !(covers(np, other) || covers(other, np)))
			continue;
		return error_set(error, EADDRINUSE,
				 "cannot listen on %s: the portal %s of this daemon takes the same "
				 "connections; delete that portal first, or choose another port",
				 both_names(np, name), both_names(other, other_name));
	}
	return 0;
}

static struct model_np *new_np(struct model_object *portal, struct error *error)
{
	struct model *model = portal->model;
	struct model_np *np = calloc(1, sizeof(*np));
	int err =
	    np ? model_np_parse(np, portal->name, error) : error_set(error, ENOMEM, "there is no memory");

	if (!err)
		err = check_others(model, np, error);
	if (!err) {
		atomic_init(&np->refs, 1);
		if (model->front_end)
			err = model->front_end->listen(model->front_end->arg, np, error);
	}
	if (err) {
		free(np);
		errno = -err;
		return NULL;
	}
	lock_take(&model->lock);
	list_add_tail(&model->nps, &np->node);
	lock_drop(&model->lock);
	return np;
}

int model_portal_create(struct model_object *portal, struct error *error)
{
	struct model_np *np = find_np(portal->model, portal->name);

	if (!np)
		np = new_np(portal, error);
	if (!np)
		return -errno;
	np->portals++;
	portal->np = np;
	return 0;
}

void model_portal_close(struct model_object *portal)
{
	struct model *model = portal->model;
	struct model_np *np = portal->np;

	lock_take(&model->lock);
	portal->np = NULL;
	if (!--np->portals)
		list_del(&np->node);
	lock_drop(&model->lock);
	if (np->portals)
		return;
	if (model->front_end)
		model->front_end->unlisten(model->front_end->arg, np);
	model_np_put(np);
}
