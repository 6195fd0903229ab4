/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dynamic ACLs: what a TPG knows about initiators without an ACL that are logged in, or that were logged in
 * and are remembered because of cache_dynamic_acls. As in LIO, they are not objects of the model: nobody
 * can set them, and they are not saved. Who may log in is left to login.c.
 */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/apply.h"
#include "model/private.h"
#include "util/cleanup.h"

struct model_dynamic {
	/* In tpg->dynamics. */
	struct list node;
	struct model_object *tpg;
	/* The number of commands that each session of the initiator may have outstanding. */
	unsigned queue_depth;
	unsigned nsessions;
	/* In lower case. */
	const char *name;
	char name_memory[MODEL_NAME_SIZE];
};

/* --- with the lock of the model held --- */

static int compare(const void *left, const void *right)
{
	const struct model_dynamic *a = left, *b = right;

	return strcmp(a->name, b->name);
}

static struct model_dynamic *find(const struct model_object *tpg, const char *initiator)
{
	const struct model_dynamic key = {.name = initiator};
	struct model_dynamic *const *found = tfind(&key, &tpg->dynamics_by_name, compare);

	return found ? *found : NULL;
}

static void forget(struct model_dynamic *dynamic)
{
	tdelete(dynamic, &dynamic->tpg->dynamics_by_name, compare);
	list_del(&dynamic->node);
	free(dynamic);
}

static struct model_dynamic *add(struct model_object *tpg, const char *initiator, unsigned queue_depth)
{
	struct model_dynamic *dynamic = calloc(1, sizeof(*dynamic));

	if (!dynamic)
		return NULL;
	dynamic->tpg = tpg;
	dynamic->queue_depth = queue_depth;
	dynamic->name = dynamic->name_memory;
	snprintf(dynamic->name_memory, sizeof(dynamic->name_memory), "%s", initiator);
	if (!tsearch(dynamic, &tpg->dynamics_by_name, compare)) {
		free(dynamic);
		return NULL;
	}
	list_add_tail(&tpg->dynamics, &dynamic->node);
	return dynamic;
}

/* Forgets initiators without a session, the first in the list first, until no more than max are left. */
static void forget_cached(struct model_object *tpg, unsigned max)
{
	struct list *node, *tmp;

	list_for_each (&tpg->dynamics, node, tmp) {
		struct model_dynamic *dynamic = list_entry(node, struct model_dynamic, node);

		if (tpg->ncached <= max)
			return;
		if (dynamic->nsessions)
			continue;
		forget(dynamic);
		tpg->ncached--;
	}
}

unsigned model_dynamic_depth(const struct model_object *tpg, const char *initiator)
{
	const struct model_dynamic *dynamic =
	    model_known_number(tpg, MODEL_A_CACHE_DYNAMIC) ? find(tpg, initiator) : NULL;

	return dynamic ? dynamic->queue_depth : 0;
}

/* --- sessions --- */

struct model_dynamic *model_dynamic_begin(struct model_view *view, const char *initiator,
					  unsigned queue_depth)
{
	struct model_object *tpg = model_view_object(view);
	SCOPE_LOCK(&tpg->model->lock);

	if (tpg->kind != MODEL_TPG || model_find(tpg, MODEL_ACL, initiator))
		return NULL;
	struct model_dynamic *dynamic = find(tpg, initiator);
	if (!dynamic) {
		dynamic = add(tpg, initiator, queue_depth);
		tpg->ncached += dynamic != NULL;
	}
	if (dynamic && !dynamic->nsessions++)
		tpg->ncached--;
	return dynamic;
}

void model_dynamic_end(struct model_dynamic *dynamic)
{
	if (!dynamic)
		return;
	struct model_object *tpg = dynamic->tpg;
	SCOPE_LOCK(&tpg->model->lock);

	if (--dynamic->nsessions)
		return;
	tpg->ncached++;
	if (!model_known_number(tpg, MODEL_A_CACHE_DYNAMIC) || model_find(tpg, MODEL_ACL, dynamic->name)) {
		forget(dynamic);
		tpg->ncached--;
		return;
	}
	forget_cached(tpg, MODEL_DYNAMIC_MAX);
}

/* --- main thread --- */

int model_dynamic_convert(struct model_object *acl)
{
	struct model_object *tpg = acl->parent;
	char text[16] = "";

	lock_take(&tpg->model->lock);
	struct model_dynamic *dynamic = find(tpg, acl->name);
	if (dynamic && dynamic->queue_depth != model_known_number(tpg, MODEL_A_DEFAULT_CMDSN_DEPTH))
		snprintf(text, sizeof(text), "%u", dynamic->queue_depth);
	lock_drop(&tpg->model->lock);
	return *text ? model_value_store(acl, model_known(MODEL_A_ACL_CMDSN_DEPTH), text) : 0;
}

void model_dynamic_forget(struct model_object *acl)
{
	struct model_object *tpg = acl->parent;
	SCOPE_LOCK(&tpg->model->lock);
	struct model_dynamic *dynamic = find(tpg, acl->name);

	if (!dynamic || dynamic->nsessions)
		return;
	forget(dynamic);
	tpg->ncached--;
}

int model_apply_cache_dynamic(struct model_object *tpg, const struct model_attribute *attribute,
			      struct error *error)
{
	(void)error;
	if (!model_get_number(tpg, attribute))
		model_dynamic_clear(tpg);
	return 0;
}

void model_dynamic_clear(struct model_object *tpg)
{
	SCOPE_LOCK(&tpg->model->lock);

	forget_cached(tpg, 0);
}

void model_dynamic_list(const struct model_object *tpg, void (*fn)(void *arg, const char *initiator),
			void *arg)
{
	struct list *node, *tmp;
	SCOPE_LOCK(&tpg->model->lock);

	list_for_each (&tpg->dynamics, node, tmp) {
		const struct model_dynamic *dynamic = list_entry(node, struct model_dynamic, node);

		if (!dynamic->nsessions)
			fn(arg, dynamic->name);
	}
}
