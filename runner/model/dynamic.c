/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dynamic ACLs: the records of a TPG about initiators without an ACL. The initiators are logged in, or they
 * were logged in and are remembered because of cache_dynamic_acls. As in LIO, these records are not objects
 * of the model: nobody can set them, and they are not saved. When an ACL is created for such an initiator,
 * the initiator's sessions change to the view of the ACL. login.c decides who may log in.
 */
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/apply.h"
#include "model/private.h"
#include "util/cleanup.h"

struct model_dynamic {
	/* Links the record into tpg->dynamics or, if is_replaced is set, into model->replaced or no list. */
	struct list node;
	struct model_object *tpg;
	/*
	 * Whether an ACL of the initiator has replaced this record. The record is freed when its last session
	 * has left it.
	 */
	bool is_replaced;
	/* Whether the sessions may see that the record is replaced. model_dynamic_publish() sets this. */
	atomic_bool is_published;
	/* The number of commands that each session of the initiator may have outstanding. */
	unsigned queue_depth;
	unsigned nsessions;
	/* The name of the initiator in lower case. */
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

static void take_out(struct model_dynamic *dynamic)
{
	tdelete(dynamic, &dynamic->tpg->dynamics_by_name, compare);
	list_del(&dynamic->node);
}

static void forget(struct model_dynamic *dynamic)
{
	take_out(dynamic);
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

/*
 * Forgets initiators without a session, beginning with the one whose last session ended first, until at most
 * max of them are left.
 */
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

int model_dynamic_begin(struct model_view *view, const char *initiator, unsigned queue_depth,
			struct model_dynamic **result)
{
	struct model_object *tpg = model_view_object(view);
	SCOPE_LOCK(&tpg->model->lock);

	*result = NULL;
	if (tpg->kind != MODEL_TPG)
		return 0;
	if (model_acl_find(tpg, initiator))
		return -ESTALE;
	struct model_dynamic *dynamic = find(tpg, initiator);
	if (!dynamic) {
		dynamic = add(tpg, initiator, queue_depth);
		tpg->ncached += dynamic != NULL;
	}
	if (!dynamic)
		return -ENOMEM;
	if (!dynamic->nsessions++)
		tpg->ncached--;
	*result = dynamic;
	return 0;
}

void model_dynamic_end(struct model_dynamic *dynamic)
{
	if (!dynamic)
		return;
	struct model_object *tpg = dynamic->tpg;
	SCOPE_LOCK(&tpg->model->lock);

	if (--dynamic->nsessions)
		return;
	if (dynamic->is_replaced) {
		list_del(&dynamic->node);
		free(dynamic);
		return;
	}
	tpg->ncached++;
	/* The first one in the list is forgotten first. */
	list_del(&dynamic->node);
	list_add_tail(&tpg->dynamics, &dynamic->node);
	forget_cached(tpg, model_known_number(tpg, MODEL_A_CACHE_DYNAMIC) ? MODEL_DYNAMIC_MAX : 0);
}

bool model_dynamic_is_replaced(const struct model_dynamic *dynamic)
{
	return dynamic && atomic_load_explicit(&dynamic->is_published, memory_order_relaxed);
}

struct model_view *model_dynamic_acl_view(const struct model_dynamic *dynamic)
{
	SCOPE_LOCK(&dynamic->tpg->model->lock);
	const struct model_object *acl = model_acl_find(dynamic->tpg, dynamic->name);

	return acl && acl->view ? model_view_get(acl->view) : NULL;
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

void model_dynamic_replace(struct model_object *acl)
{
	struct model_object *tpg = acl->parent;
	bool has_sessions = false;

	lock_take(&tpg->model->lock);
	struct model_dynamic *dynamic = find(tpg, acl->name);
	if (dynamic && dynamic->nsessions) {
		has_sessions = true;
		take_out(dynamic);
		dynamic->is_replaced = true;
		list_add_tail(&tpg->model->replaced, &dynamic->node);
	} else if (dynamic) {
		forget(dynamic);
		tpg->ncached--;
	}
	lock_drop(&tpg->model->lock);
	if (has_sessions)
		model_visit_soon(tpg->model);
}

void model_dynamic_publish(struct model *model)
{
	struct list *node;
	SCOPE_LOCK(&model->lock);

	while ((node = list_pop(&model->replaced)))
		atomic_store(&list_entry(node, struct model_dynamic, node)->is_published, true);
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
