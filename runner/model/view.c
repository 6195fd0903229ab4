/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views: the current LUN map of a group of initiators. Notifies the front end of new maps: one notification
 * is for all changes that the main thread makes before it returns to its main loop.
 */
#include <errno.h>
#include <stdlib.h>

#include "model/private.h"
#include "util/cleanup.h"

struct model_view {
	atomic_uint refs;
	atomic_bool closed;
	/* Guarded by model->lock. */
	struct model_map *map;
	/* The object for which the view was made. */
	struct model_object *object;
	struct main_work released;
};

static void on_released(struct main_work *work)
{
	struct model_view *view = container_of(work, struct model_view, released);
	struct model_object *object = view->object;

	model_map_put(view->map);
	free(view);
	model_object_released(object);
}

struct model_view *model_view_new(struct model_object *object)
{
	struct model_view *view = calloc(1, sizeof(*view));

	if (!view)
		return NULL;
	view->map = model_map_new();
	if (!view->map) {
		free(view);
		return NULL;
	}
	atomic_init(&view->refs, 1);
	view->object = object;
	view->released.fn = on_released;
	model_object_retain(object);
	return view;
}

struct model_view *model_view_get(struct model_view *view)
{
	atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
	return view;
}

void model_view_put(struct model_view *view)
{
	if (view && atomic_fetch_sub_explicit(&view->refs, 1, memory_order_acq_rel) == 1)
		main_queue_post(view->object->model->context.main, &view->released);
}

struct model_map *model_view_map(struct model_view *view)
{
	SCOPE_LOCK(&view->object->model->lock);

	return model_map_get(view->map);
}

struct model_object *model_view_object(const struct model_view *view)
{
	return view->object;
}

bool model_view_is_closed(const struct model_view *view)
{
	return atomic_load(&view->closed);
}

/*
 * --- Notifying the front end: it visits the loops soon, once for all changes so far. The visit never begins
 * while the main thread is making changes, so that a session sees either none of them or all.
 */

static void on_updated(struct main_work *work)
{
	free(work);
}

struct visit {
	/* In model->visits. */
	struct list node;
	struct main_work visited;
	model_done *done;
	void *arg;
};

static void on_visited(struct main_work *work)
{
	struct visit visit = *container_of(work, struct visit, visited);

	free(container_of(work, struct visit, visited));
	visit.done(visit.arg, 0, NULL);
}

/* Those who wait for the visit. Returns whether there are any. */
static bool visit_waiters(struct model *model)
{
	struct list *node = list_pop(&model->visits);
	bool found = node != NULL;

	for (; node; node = list_pop(&model->visits)) {
		struct visit *visit = list_entry(node, struct visit, node);

		if (model->front_end)
			model->front_end->update(model->front_end->arg, &visit->visited);
		else
			on_visited(&visit->visited);
	}
	return found;
}

static void update(struct main_work *work)
{
	struct model *model = container_of(work, struct model, update);

	model->update_queued = false;
	model_dynamic_publish(model);
	if (visit_waiters(model) || !model->front_end)
		return;
	struct main_work *updated = calloc(1, sizeof(*updated));
	if (!updated) {
		/* There is no memory now, but the loops must be notified nevertheless. */
		model_visit_soon(model);
		return;
	}
	updated->fn = on_updated;
	model->front_end->update(model->front_end->arg, updated);
}

void model_visit_soon(struct model *model)
{
	if (model->update_queued)
		return;
	model->update_queued = true;
	model->update.fn = update;
	main_queue_post(model->context.main, &model->update);
}

bool model_is_seen_by_sessions(enum model_kind kind)
{
	return kind == MODEL_LUN || kind == MODEL_ACL || kind == MODEL_MAPPED_LUN;
}

void model_visit_loops(struct model *model, model_done *done, void *arg)
{
	struct visit *visit = model->front_end ? malloc(sizeof(*visit)) : NULL;

	if (model->front_end)
		model_visit_soon(model);
	/* Without memory, the loops are visited soon nevertheless. */
	if (!visit) {
		done(arg, 0, NULL);
		return;
	}
	*visit = (struct visit){.visited.fn = on_visited, .done = done, .arg = arg};
	list_add_tail(&model->visits, &visit->node);
}

/* --- changes --- */

int model_view_change(struct model_view *view, unsigned lun, struct model_entry *entry)
{
	struct model *model = view->object->model;
	struct model_map *old = view->map, *map = model_map_change(old, lun, entry);

	if (!map)
		return -ENOMEM;
	lock_take(&model->lock);
	view->map = map;
	lock_drop(&model->lock);
	model_map_put(old);
	model_visit_soon(model);
	return 0;
}

void model_view_close(struct model_view *view)
{
	struct model *model = view->object->model;

	atomic_store(&view->closed, true);
	model_view_put(view);
	model_visit_soon(model);
}
