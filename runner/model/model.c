/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model as a whole: creation and end, watchers, and the front end. Objects and operations are left to
 * object.c and operations.c.
 */
#include "model/model.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>

#include "model/private.h"
#include "util/cleanup.h"
#include "util/contract.h"

struct model *model_new(const struct storage_context *context)
{
	struct model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model_values_init();
	model->root = model_object_new(NULL, MODEL_ROOT, "", 0);
	if (!model->root) {
		free(model);
		return NULL;
	}
	model->root->model = model;
	model->context = *context;
	pthread_mutex_init(&model->lock, NULL);
	list_init(&model->nps);
	list_init(&model->watches);
	list_init(&model->ops);
	list_init(&model->visits);
	list_init(&model->replaced);
	return model;
}

void model_set_starting(struct model *model, bool starting)
{
	atomic_store(&model->starting, starting);
}

void model_post(struct model *model, struct main_work *work)
{
	main_queue_post(model->context.main, work);
}

void model_free(struct model *model)
{
	if (!model)
		return;
	contract(!model_first(model->root, MODEL_TARGET) && !model_first(model->root, MODEL_STORAGE));
	contract(list_empty(&model->nps) && list_empty(&model->ops) && !model->update_queued);
	model_object_free(model->root);
	pthread_mutex_destroy(&model->lock);
	free(model);
}

/* --- changes --- */

void model_watch(struct model *model, struct model_watch *watch)
{
	list_add_tail(&model->watches, &watch->node);
}

void model_unwatch(struct model_watch *watch)
{
	list_del(&watch->node);
}

void model_notify(struct model *model, enum model_event event, struct model_object *object)
{
	struct list *node, *tmp;

	list_for_each (&model->watches, node, tmp) {
		struct model_watch *watch = list_entry(node, struct model_watch, node);

		watch->fn(watch, event, object);
	}
}

void model_count_change(struct model *model)
{
	model->generation++;
	atomic_fetch_add(&model->discovery_generation, 1);
}

uint64_t model_generation(const struct model *model)
{
	return model->generation;
}

void model_tick(struct model *model)
{
	struct model_object *object = model_first(model->root, MODEL_STORAGE), *next;

	model_ops_expire(model);
	for (; object; object = next) {
		next = model_next(object);
		storage_tick(object->storage);
	}
}

/* --- the front end --- */

const struct model_front_end *model_front_end(const struct model *model)
{
	return model->front_end;
}

static void unlisten_before(struct model *model, const struct model_front_end *front_end,
			    const struct list *end)
{
	for (struct list *node = model->nps.next; node != end; node = node->next)
		front_end->unlisten(front_end->arg, list_entry(node, struct model_np, node));
}

int model_set_front_end(struct model *model, const struct model_front_end *front_end, struct error *error)
{
	struct list *node, *tmp;

	if (!front_end && model->front_end)
		unlisten_before(model, model->front_end, &model->nps);
	model->front_end = front_end;
	if (!front_end)
		return 0;
	list_for_each (&model->nps, node, tmp) {
		int err = front_end->listen(front_end->arg, list_entry(node, struct model_np, node), error);

		if (!err)
			continue;
		unlisten_before(model, front_end, node);
		model->front_end = NULL;
		return err;
	}
	return 0;
}
