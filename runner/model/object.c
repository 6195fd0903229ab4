/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of objects: creates, finds and frees objects, and waits until nothing uses an object any more.
 * Everything that depends on the kind of an object is left to other files.
 */
#include <ctype.h>
#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/private.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/contract.h"
#include "util/secret_memory.h"

static const char *const kind_names[MODEL_KINDS] = {
    [MODEL_ROOT] = "root", [MODEL_STORAGE] = "storage object", [MODEL_TARGET] = "target",
    [MODEL_TPG] = "TPG",   [MODEL_PORTAL] = "portal",          [MODEL_LUN] = "LUN",
    [MODEL_ACL] = "ACL",   [MODEL_MAPPED_LUN] = "mapped LUN",
};

const char *model_kind_name(enum model_kind kind)
{
	return kind_names[kind];
}

/* --- finding ------------------------------------------------------------------------------------- */

static bool ignores_case(enum model_kind kind)
{
	return kind == MODEL_TARGET || kind == MODEL_ACL;
}

static int compare(const void *left, const void *right)
{
	const struct model_object *a = left, *b = right;

	if (a->parent != b->parent)
		return (uintptr_t)a->parent < (uintptr_t)b->parent ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return ignores_case(a->kind) ? strcasecmp(a->name, b->name) : strcmp(a->name, b->name);
}

struct model_object *model_find(struct model_object *parent, enum model_kind kind, const char *name)
{
	const struct model_object key = {.kind = kind, .parent = parent, .name = (char *)name};
	struct model_object *const *found = tfind(&key, &parent->model->by_name, compare);

	return found ? *found : NULL;
}

/* --- creating and freeing -------------------------------------------------------------------------- */

struct model_object *model_object_new(struct model_object *parent, enum model_kind kind, const char *name,
				      unsigned number)
{
	unsigned nvalues = model_attribute_count(kind);
	struct model_object *object = calloc(1, sizeof(*object));

	if (!object)
		return NULL;
	object->kind = kind;
	object->parent = parent;
	object->model = parent ? parent->model : NULL;
	object->number = number;
	object->name = strdup(name);
	object->values = calloc(nvalues ? nvalues : 1, sizeof(*object->values));
	list_init(&object->node);
	list_init(&object->to_node);
	list_init(&object->pointers);
	list_init(&object->dynamics);
	for (unsigned i = 0; i < MODEL_KINDS; i++)
		list_init(&object->children[i]);
	if (object->name && object->values)
		return object;
	model_object_free(object);
	return NULL;
}

static bool is_numbered(enum model_kind kind)
{
	return kind == MODEL_LUN || kind == MODEL_MAPPED_LUN || kind == MODEL_TPG;
}

/*
 * Inserts the object. Numbered objects are kept in the order of their numbers. Most of them are created in
 * this order, so the search begins at the end.
 */
static void insert(struct list *head, struct model_object *object)
{
	struct list *after = head->prev;

	while (is_numbered(object->kind) && after != head &&
	       list_entry(after, struct model_object, node)->number > object->number)
		after = after->prev;
	list_add_head(after, &object->node);
}

bool model_object_link(struct model_object *object)
{
	struct model *model = object->model;
	SCOPE_LOCK(&model->lock);

	if (!tsearch(object, &model->by_name, compare))
		return false;
	insert(&object->parent->children[object->kind], object);
	if (object->to) {
		list_add_tail(&object->to->pointers, &object->to_node);
		object->to->npointers++;
	}
	return true;
}

void model_object_unlink(struct model_object *object)
{
	struct model *model = object->model;
	SCOPE_LOCK(&model->lock);

	tdelete(object, &model->by_name, compare);
	list_del(&object->node);
	if (object->to) {
		list_del(&object->to_node);
		object->to->npointers--;
		object->to = NULL;
	}
}

void model_object_free(struct model_object *object)
{
	if (!object)
		return;
	contract(!object->live && list_empty(&object->pointers) && list_empty(&object->node));
	for (unsigned i = 0; object->values && i < model_attribute_count(object->kind); i++) {
		if (model_attribute_at(object->kind, i)->type == MODEL_SECRET)
			secret_free(object->values[i].text, MODEL_TEXT_SIZE);
		else
			free(object->values[i].text);
	}
	free(object->values);
	free(object->name);
	free(object);
}

/* --- looking around ------------------------------------------------------------------------------ */

struct model_object *model_root(struct model *model)
{
	return model->root;
}

enum model_kind model_kind(const struct model_object *object)
{
	return object->kind;
}

const char *model_name(const struct model_object *object)
{
	return object->name;
}

unsigned model_number(const struct model_object *object)
{
	return object->number;
}

struct model_object *model_parent(const struct model_object *object)
{
	return object->parent;
}

const char *model_path(const struct model_object *object, char path[MODEL_PATH_SIZE])
{
	size_t len;

	if (!object->parent)
		return strcpy(path, "/");
	if (!object->parent->parent) {
		snprintf(path, MODEL_PATH_SIZE, "%s", object->name);
		return path;
	}
	model_path(object->parent, path);
	len = strlen(path);
	snprintf(path + len, MODEL_PATH_SIZE - len, "/%s", object->name);
	return path;
}

struct model_object *model_first(struct model_object *parent, enum model_kind kind)
{
	struct list *head = &parent->children[kind];

	return list_empty(head) ? NULL : list_entry(head->next, struct model_object, node);
}

struct model_object *model_next(const struct model_object *object)
{
	struct list *head = &object->parent->children[object->kind];

	return object->node.next == head ? NULL : list_entry(object->node.next, struct model_object, node);
}

struct model_object *model_to(const struct model_object *object)
{
	return object->to;
}

unsigned model_users(const struct model_object *object)
{
	return object->npointers;
}

struct storage *model_storage(const struct model_object *object)
{
	return object->storage;
}

bool model_is_enabled(const struct model_object *object)
{
	return object->enabled;
}

int model_refuse(struct error *error, const struct model_object *object, int err, const char *format, ...)
{
	char text[sizeof(error->text)], path[MODEL_PATH_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	errno = err;
	/* The root has no name. */
	return error_set(error, err, "%s%s%s: %s", object->parent ? model_kind_name(object->kind) : "",
			 object->parent ? " " : "", model_path(object, path), text);
}

/* --- waiting until an object is unused ----------------------------------------------------------------- */

void model_object_retain(struct model_object *object)
{
	for (; object; object = object->parent)
		object->live++;
}

bool model_object_is_unused(const struct model_object *object)
{
	return !object->live;
}

static void end_op(struct model_op *op, int err, const struct error *error)
{
	list_del(&op->node);
	op->done(op->arg, err, error);
	free(op);
}

static void finish_op(struct model_op *op)
{
	struct model_object *object = op->object;

	object->op = NULL;
	op->finish(object);
	end_op(op, 0, NULL);
}

void model_object_released(struct model_object *object)
{
	struct model_object *parent;

	for (struct model_object *above = object; above; above = above->parent) {
		contract(above->live);
		above->live--;
	}
	for (; object; object = parent) {
		parent = object->parent;
		if (object->op && model_object_is_unused(object))
			finish_op(object->op);
	}
}

static void ignore_result(void *arg, int err, const struct error *error)
{
	(void)arg, (void)err, (void)error;
}

void model_object_drain(struct model_object *object, void (*finish)(struct model_object *object),
			model_done *done, void *arg)
{
	struct model_op *op = malloc(sizeof(*op));
	struct error error;

	if (!op) {
		done(arg, model_refuse(&error, object, ENOMEM, "there is no memory"), &error);
		return;
	}
	contract(!object->op);
	*op = (struct model_op){.object = object,
				.deadline_ns = clock_now_ns() + MODEL_DELETE_S * NS_PER_S,
				.finish = finish,
				.done = done ? done : ignore_result,
				.arg = arg};
	list_add_tail(&object->model->ops, &op->node);
	object->op = op;
	if (model_object_is_unused(object))
		finish_op(op);
}

/*
 * Reports that the time limit has passed. The operation continues in the background, and finish() is called
 * when nothing uses the object any more.
 */
static void expire(struct model_op *op)
{
	struct error error;
	int err = model_refuse(
	    &error, op->object, EBUSY,
	    "commands are still in flight after %d seconds, because its storage does not answer; it "
	    "will be gone when they have ended",
	    MODEL_DELETE_S);
	model_done *done = op->done;

	op->done = ignore_result;
	op->deadline_ns = UINT64_MAX;
	done(op->arg, err, &error);
}

void model_ops_expire(struct model *model)
{
	uint64_t now = clock_now_ns();
	struct list *node, *tmp;

	list_for_each (&model->ops, node, tmp) {
		struct model_op *op = list_entry(node, struct model_op, node);

		if (now >= op->deadline_ns)
			expire(op);
	}
}
