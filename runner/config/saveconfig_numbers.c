/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chooses the numbers that a file does not have. Initiators see the relative target port identifier of a TPG
 * (SPC-4 7.8.6), and the tree and tcmuctl show the number of an HBA, so both must not depend on whether the
 * daemon has read the file at its start or while it ran.
 */
#include "config/saveconfig_numbers.h"

#include <string.h>

#include "config/saveconfig_dump.h"
#include "config/saveconfig_keys.h"
#include "config/saveconfig_read.h"

#define PORT_MAX 65535

/* --- names of storage objects --- */

/* Returns the name of the object for an HBA with this number, or NULL. The caller frees it. */
static char *object_name(const struct config_node *storage, guint number)
{
	const char *slash = strchr(storage->name, '/');
	g_autofree char *plugin = slash ? g_strndup(storage->name, (gsize)(slash - storage->name)) : NULL;
	const char *folder = plugin ? config_plugin_folder(plugin) : NULL;
	const char *own = saveconfig_read_own_name(storage);

	return folder ? g_strdup_printf("%s_%u/%s", folder, number, own ? own : slash + 1) : NULL;
}

bool config_object_hba(const char *object, guint *number)
{
	const char *slash = object ? strchr(object, '/') : NULL;
	const char *end = slash;
	guint64 value;

	while (end && end > object && g_ascii_isdigit(end[-1]))
		end--;
	g_autofree char *digits = end ? g_strndup(end, (gsize)(slash - end)) : NULL;

	if (!digits || !g_ascii_string_to_unsigned(digits, 10, 0, G_MAXUINT, &value, NULL))
		return false;
	*number = (guint)value;
	return true;
}

char *config_storage_object_name(const struct config_node *storage)
{
	guint number;

	if (!saveconfig_read_hba(storage, &number))
		number = config_storage_position(storage);
	return object_name(storage, number);
}

/* Returns whether an object that is not to be deleted has the name. */
static bool is_taken(const struct config_node *running, const char *name)
{
	const struct config_node *child;

	for (guint i = 0; (child = config_node_child(running, i)); i++)
		if (child->kind == MODEL_STORAGE && !child->is_gone && !g_strcmp0(child->object, name))
			return true;
	return false;
}

void config_storage_choose_object(struct config_node *storage, const struct config_node *running)
{
	char *name = config_storage_object_name(storage);

	for (guint number = 0; is_taken(running, name); number++) {
		g_free(name);
		name = object_name(storage, number);
	}
	g_free(storage->object);
	storage->object = name;
}

/* --- relative target port identifiers --- */

struct ports {
	bool used[PORT_MAX + 1];
	/* The number that was taken last. All smaller numbers are in use. */
	guint last;
};

const struct model_attribute *config_port_attribute(void)
{
	return model_attribute(MODEL_TPG, "", "rtpi");
}

static guint port_of(const struct config_node *tpg)
{
	const struct config_value *value = config_node_value(tpg, config_port_attribute());
	guint64 port;

	if (value && g_ascii_string_to_unsigned(value->text, 10, 1, PORT_MAX, &port, NULL))
		return (guint)port;
	/* If the entry cannot be used, the node has its settings, but no values. */
	if (tpg->ours && saveconfig_json_number(tpg->ours, config_port_attribute()->name, PORT_MAX, &port))
		return (guint)port;
	return 0;
}

/* Calls fn for each TPG, in the order in which TPGs are created. */
static void visit_tpgs(const struct config_node *root, void (*fn)(void *arg, struct config_node *tpg),
		       void *arg)
{
	const struct config_node *target;
	struct config_node *tpg;

	for (guint i = 0; (target = config_node_child(root, i)); i++)
		for (guint at = 0; target->kind == MODEL_TARGET && (tpg = config_node_child(target, at));
		     at++)
			if (tpg->kind == MODEL_TPG && !tpg->is_stray)
				fn(arg, tpg);
}

/*
 * Marks the number of a TPG, even if its entry cannot be used now, because it may be used at the next start.
 */
static void mark_used(void *arg, struct config_node *tpg)
{
	struct ports *ports = arg;

	if (!tpg->is_gone && !tpg->parent->is_gone)
		ports->used[port_of(tpg)] = true;
}

/* Returns the smallest number that is not in use, and marks it, or returns 0 if all are in use. */
static guint take_free(struct ports *ports)
{
	while (ports->last < PORT_MAX)
		if (!ports->used[++ports->last]) {
			ports->used[ports->last] = true;
			return ports->last;
		}
	return 0;
}

struct choosing {
	struct ports ports;
	const struct config_node *running;
};

static void choose_port(void *arg, struct config_node *tpg)
{
	struct choosing *choosing = arg;
	const struct config_node *twin = config_node_twin(tpg, choosing->running);

	if (config_node_is_lost(tpg) || config_node_value(tpg, config_port_attribute()) ||
	    (twin && !twin->is_gone && !twin->parent->is_gone))
		return;
	guint port = take_free(&choosing->ports);
	g_autofree char *text = g_strdup_printf("%u", port);

	if (port)
		config_node_set(tpg, config_port_attribute(), text);
}

void config_choose_ports(struct config_node *want, struct config_node *running)
{
	g_autofree struct choosing *choosing = g_new0(struct choosing, 1);

	choosing->running = running;
	visit_tpgs(want, mark_used, &choosing->ports);
	visit_tpgs(running, mark_used, &choosing->ports);
	visit_tpgs(want, choose_port, choosing);
}

/* --- identifiers that TPGs exchange --- */

struct changing {
	struct config_node *want;
	GArray *changes;
	/* By identifier: 1 + the position of the change whose TPG has it now, or KEPT. */
	guint holder[PORT_MAX + 1];
	/* The identifiers of the changes. */
	bool is_wanted[PORT_MAX + 1];
};

#define KEPT G_MAXUINT

/* Returns the TPG of the file that gives the running TPG another identifier, or NULL. */
static struct config_node *changed_twin(const struct changing *changing, const struct config_node *running)
{
	struct config_node *want = config_node_twin(running, changing->want);
	const struct config_value *value =
	    want && !config_node_is_lost(want) ? config_node_value(want, config_port_attribute()) : NULL;

	return value && !value->problem && port_of(want) && port_of(want) != port_of(running) ? want : NULL;
}

static void find_change(void *arg, struct config_node *running)
{
	struct changing *changing = arg;

	if (running->is_gone || running->parent->is_gone)
		return;
	struct config_node *want = changed_twin(changing, running);
	guint at = changing->changes->len;

	changing->holder[port_of(running)] = want ? at + 1 : KEPT;
	if (!want)
		return;
	const struct config_port_change change = {
	    .want = want, .running = running, .port = port_of(want), .group = at};

	g_array_append_val(changing->changes, change);
}

static struct config_port_change *change_at(const struct changing *changing, guint at)
{
	return &g_array_index(changing->changes, struct config_port_change, at);
}

/* Returns the change that represents the group. */
static struct config_port_change *group_of(const struct changing *changing, guint at)
{
	struct config_port_change *change = change_at(changing, at);

	while (change->group != at) {
		/* Halves the way for the next search. */
		change->group = change_at(changing, change->group)->group;
		at = change->group;
		change = change_at(changing, at);
	}
	return change;
}

/* The TPG that has the identifier now must give it up at the same time. */
static void join_groups(struct changing *changing, guint at)
{
	struct config_port_change *change = change_at(changing, at), *group = group_of(changing, at);
	guint holder = changing->holder[change->port];
	bool is_blocked = holder == KEPT || changing->is_wanted[change->port];

	changing->is_wanted[change->port] = true;
	if (holder && holder != KEPT) {
		struct config_port_change *other = group_of(changing, holder - 1);

		is_blocked |= group->is_blocked;
		group->group = other->group;
		group = other;
	}
	group->is_blocked |= is_blocked;
}

static gint compare_groups(gconstpointer a, gconstpointer b)
{
	const struct config_port_change *first = a, *second = b;

	return first->group < second->group ? -1 : first->group > second->group;
}

GArray *config_port_changes(struct config_node *want, struct config_node *running)
{
	g_autofree struct changing *changing = g_new0(struct changing, 1);

	changing->want = want;
	changing->changes = g_array_new(FALSE, FALSE, sizeof(struct config_port_change));
	visit_tpgs(running, find_change, changing);
	for (guint i = 0; i < changing->changes->len; i++)
		join_groups(changing, i);
	for (guint i = 0; i < changing->changes->len; i++) {
		const struct config_port_change *group = group_of(changing, i);

		change_at(changing, i)->is_blocked = group->is_blocked;
		change_at(changing, i)->group = group->group;
	}
	g_array_sort(changing->changes, compare_groups);
	return changing->changes;
}

/* --- what the next start would choose --- */

struct comparison {
	struct ports ports;
	struct model *model;
	GPtrArray *lines;
};

static bool file_has_port(const struct config_node *tpg)
{
	return tpg->ours && json_object_has_member(tpg->ours, config_port_attribute()->name);
}

static void mark_written(void *arg, struct config_node *tpg)
{
	if (file_has_port(tpg))
		mark_used(arg, tpg);
}

static void compare_port(void *arg, struct config_node *tpg)
{
	struct comparison *comparison = arg;
	const struct model_object *object =
	    config_node_is_lost(tpg) ? NULL : saveconfig_object_of(comparison->model, tpg);

	if (file_has_port(tpg) || !object)
		return;
	guint next = take_free(&comparison->ports);
	guint now = (guint)model_get_number(object, config_port_attribute());
	g_autofree char *path = config_node_path(tpg);

	if (next != now)
		g_ptr_array_add(
		    comparison->lines,
		    g_strdup_printf("%s has the relative target port identifier %u, and %u after the "
				    "next start unless the configuration is saved",
				    path, now, next));
}

void config_list_renumbered(const struct config_node *file, struct model *model, GPtrArray *lines)
{
	g_autofree struct comparison *comparison = g_new0(struct comparison, 1);
	const struct config_node *child;

	for (guint i = 0; (child = config_node_child(file, i)); i++) {
		bool is_object = child->kind == MODEL_STORAGE && !child->problem && child->object;
		g_autofree char *next = is_object ? config_storage_object_name(child) : NULL;

		if (next && strcmp(next, child->object) != 0)
			g_ptr_array_add(lines,
					g_strdup_printf("%s is called %s after the next start unless the "
							"configuration is saved",
							child->object, next));
	}
	comparison->model = model;
	comparison->lines = lines;
	visit_tpgs(file, mark_written, &comparison->ports);
	visit_tpgs(file, compare_port, comparison);
}
