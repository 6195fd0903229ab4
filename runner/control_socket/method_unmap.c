/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The method unmap: removes LUNs from a TPG, together with the mapped LUNs that lead to them, or removes
 * mapped LUNs from one initiator. The storage object stays.
 */
#include <errno.h>
#include <inttypes.h>

#include "control_socket/methods.h"
#include "control_socket/object_path.h"
#include "control_socket/removal.h"
#include "control_socket/tpg.h"

/* The LUNs that are deleted: those with this number, or those that lead to this storage object. */
struct choice {
	bool has_number;
	uint64_t number;
	const struct model_object *storage;
};

static bool is_meant(const struct choice *choice, const struct model_object *lun)
{
	const struct model_object *to = model_to(lun);

	if (choice->has_number && model_number(lun) != choice->number)
		return false;
	if (model_kind(to) == MODEL_LUN)
		to = model_to(to);
	return !choice->storage || to == choice->storage;
}

static void add_path(GPtrArray *paths, const struct model_object *object)
{
	char path[MODEL_PATH_SIZE];

	g_ptr_array_add(paths, g_strdup(model_path(object, path)));
}

static void add_mapped(GPtrArray *paths, struct model_object *acl, const struct choice *choice,
		       const struct model_object *lun)
{
	for (struct model_object *mapped = model_first(acl, MODEL_MAPPED_LUN); mapped;
	     mapped = model_next(mapped))
		if (lun ? model_to(mapped) == lun : is_meant(choice, mapped))
			add_path(paths, mapped);
}

/* Adds the LUNs of the TPG. Each LUN follows the mapped LUNs that lead to it. */
static void add_luns(GPtrArray *paths, struct model_object *tpg, const struct choice *choice)
{
	for (struct model_object *lun = model_first(tpg, MODEL_LUN); lun; lun = model_next(lun)) {
		if (!is_meant(choice, lun))
			continue;
		for (struct model_object *acl = model_first(tpg, MODEL_ACL); acl; acl = model_next(acl))
			add_mapped(paths, acl, NULL, lun);
		add_path(paths, lun);
	}
}

/* Reads which LUNs the call names. Returns 0, or -errno with error set. */
static int read_choice(const struct control_call *call, struct choice *choice, struct error *error)
{
	const char *storage = control_call_text(call, "storage");
	char path[MODEL_PATH_SIZE];

	choice->has_number = control_call_number(call, "lun", &choice->number);
	if (!storage && !choice->has_number)
		return error_set(error, EINVAL, "unmap needs \"storage\" or \"lun\"");
	if (storage && !(choice->storage = object_find(call->context->model, storage, error)))
		return -errno;
	if (storage && model_kind(choice->storage) != MODEL_STORAGE)
		return error_set(error, EINVAL, "%s is a %s, and not a storage object",
				 model_path(choice->storage, path),
				 model_kind_name(model_kind(choice->storage)));
	return 0;
}

/* What the call looks for: "lun_5", "a LUN that leads to user_0/disk". The caller frees the text. */
static char *choice_text(const struct choice *choice)
{
	g_autofree char *leads = choice->storage
				     ? g_strdup_printf(" that leads to %s", model_name(choice->storage))
				     : g_strdup("");

	return choice->has_number ? g_strdup_printf("lun_%" PRIu64 "%s", choice->number, leads)
				  : g_strdup_printf("LUN%s", leads);
}

/* Collects the paths of all objects that must be deleted. Returns 0, or -errno with error set. */
static int collect(const struct control_call *call, GPtrArray *paths, struct error *error)
{
	const char *initiator = control_call_text(call, "initiator");
	struct choice choice = {0};
	struct model_object *tpg = tpg_find(call->context->model, control_call_text(call, "path"), error);
	struct model_object *acl = NULL;
	char path[MODEL_PATH_SIZE];
	int err = tpg ? read_choice(call, &choice, error) : -errno;

	if (err)
		return err;
	if (!initiator) {
		add_luns(paths, tpg, &choice);
	} else if ((acl = model_find(tpg, MODEL_ACL, initiator))) {
		add_mapped(paths, acl, &choice, NULL);
	} else {
		return error_set(error, ENOENT, "%s has no ACL for the initiator %s", model_path(tpg, path),
				 initiator);
	}
	if (!paths->len) {
		g_autofree char *text = choice_text(&choice);

		return error_set(error, ENOENT, "%s has no %s", model_path(acl ? acl : tpg, path), text);
	}
	return 0;
}

void control_method_unmap(struct control_call *call)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	struct error error = {""};
	int err = collect(call, paths, &error);

	if (!err) {
		removal_run(call, paths);
		return;
	}
	g_ptr_array_unref(paths);
	control_call_refuse(call, err, &error);
}
