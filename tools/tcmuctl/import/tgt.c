/* SPDX-License-Identifier: Apache-2.0 */
/* The import from tgt: targets with their accounts and their access rules. The LUNs are left to tgt_lun.c. */
#include "import/tgt.h"

#include <string.h>

#include "import/access.h"
#include "import/auth.h"
#include "import/keys.h"
#include "model/name.h"

struct target {
	struct tgt_import *import;
	struct saved_target *saved;
	const struct node *node;
	/* An array of struct mask_name from initiator-name. */
	GArray *initiators;
	/* An array of struct address from initiator-address. */
	GArray *addresses;
	/* Whether the target has an initiator-address, and whether it has an initiator-name. */
	bool has_addresses, has_names;
};

/* --- access --- */

static void take_address(struct target *target, const struct node *node)
{
	struct report *report = target->import->report;
	struct address address;
	g_autofree char *text = NULL;

	target->has_addresses = true;
	switch (address_parse(node->value, &address)) {
	case ADDRESS_ALL:
		address_set_add_all(target->addresses);
		break;
	case ADDRESS_GOOD:
		address_set_add(target->addresses, &address);
		break;
	case ADDRESS_NEVER_MATCHES:
		text = address_print(&address);
		report_add(report, node->place,
			   "'%s' is left out, because it matches no address in tgt; write %s if you want to "
			   "allow it",
			   node->value, text);
		break;
	case ADDRESS_BAD:
		report_add(report, node->place, "'%s' is left out, because it is not a numeric address",
			   node->value);
		break;
	}
}

/*
 * Sets the address rules. If there is no initiator-address, everyone may connect. Otherwise only these
 * addresses may.
 */
static void save_addresses(struct target *target)
{
	g_autoptr(GArray) everyone = address_set_new();

	address_set_add_all(everyone);
	if (target->has_addresses)
		access_set(target->saved, everyone, target->addresses, target->node->place,
			   target->import->report);
}

/* Handles an initiator-name. tgt has no patterns, so the characters of patterns are a part of the name. */
static void take_name(struct target *target, const struct node *node)
{
	struct mask_name name = {node->value, node->place};

	target->has_names = true;
	if (node->value[strcspn(node->value, "*?!#")])
		report_add(target->import->report, node->place,
			   "'%s' is left out, because it is not the name of an initiator", node->value);
	else
		g_array_append_val(target->initiators, name);
}

/* --- targets --- */

static bool is_known(const char *name)
{
	static const char *const names[] = {"driver", "controller_tid", "state", NULL};

	return g_strv_contains(names, name);
}

static void take_setting(struct target *target, const struct node *node)
{
	struct tgt_import *import = target->import;

	if (!strcmp(node->name, "initiator-address"))
		take_address(target, node);
	else if (!strcmp(node->name, "initiator-name"))
		take_name(target, node);
	else if (!strcmp(node->name, "incominguser"))
		auth_take(&target->saved->auth, true, node->value, AUTH_TGT, node->place, import->report);
	else if (!strcmp(node->name, "outgoinguser"))
		auth_take(&target->saved->auth, false, node->value, AUTH_TGT, node->place, import->report);
	else if (!strcmp(node->name, "state") && !strcmp(node->value, "offline")) {
		target->saved->enable = false;
		report_add(import->report, node->place, "%s is imported as disabled, as it is in tgt",
			   target->saved->name);
	} else if (is_known(node->name))
		report_add(import->report, node->place, "%s cannot be carried over", node->name);
	else if (!tgt_is_lun_setting(node->name) &&
		 !keys_take(target->saved, node->name, node->value, node->place, import->report))
		report_add(import->report, node->place,
			   "a setting of %s is left out, because it is not known", target->saved->name);
}

/*
 * Sets the LUNs. All initiators with a name see the same LUNs. If there is no initiator-name, everyone sees
 * them.
 */
static void save_luns(struct target *target)
{
	g_autoptr(GArray) luns = tgt_luns(target->import, target->node),
			  nothing = g_array_new(FALSE, TRUE, sizeof(struct mask_lun));
	g_autoptr(GPtrArray) groups = g_ptr_array_new();
	struct mask_group group = {"initiator-name", luns, target->initiators};

	if (target->has_names)
		g_ptr_array_add(groups, &group);
	mask_apply(target->saved, target->has_names ? nothing : luns, groups, target->node->place,
		   target->import->report);
	if (!luns->len)
		report_add(target->import->report, target->node->place, "%s has no LUNs",
			   target->saved->name);
}

static void finish_target(struct target *target)
{
	struct saved_target *saved = target->saved;

	save_addresses(target);
	saved_portal_add_default(saved);
	auth_finish(&saved->auth, saved->name, target->node->place, target->import->report);
}

/* Merges all sections of one target into a new node. */
static struct node *merge(const struct node *root, const char *name, struct place place)
{
	struct node *whole = node_new(NULL, place, "target", name);
	struct node *section, *child;

	node_for_each(section, root)
	{
		if (strcmp(section->name, "target") || strcmp(section->value, name))
			continue;
		while (section->children->len) {
			child = g_ptr_array_steal_index(section->children, 0);
			g_ptr_array_add(whole->children, child);
		}
	}
	return whole;
}

static void take_target(struct tgt_import *import, const struct node *root, const struct node *section)
{
	g_autoptr(node_tree) whole = NULL;
	g_autoptr(GArray) initiators = g_array_new(FALSE, TRUE, sizeof(struct mask_name));
	g_autoptr(GArray) addresses = address_set_new();
	char normal[MODEL_NAME_SIZE];
	struct target target = {.import = import, .initiators = initiators, .addresses = addresses};
	const struct node *child;

	if (!model_name_copy(normal, section->value)) {
		report_add(import->report, section->place, "the target '%s' is left out: its name %s",
			   section->value, model_name_fault(section->value));
		return;
	}
	target.saved = saved_target_add(import->saved, normal);
	if (!target.saved)
		return;
	whole = merge(root, section->value, section->place);
	target.node = whole;
	node_for_each(child, whole) take_setting(&target, child);
	save_luns(&target);
	finish_target(&target);
}

/* --- the file --- */

static void take_global(struct tgt_import *import, const struct node *node)
{
	static const char *const names[] = {
	    "ignore-errors",  "control-port",      "iSNS",           "iSNSServerIP",
	    "iSNSServerPort", "iSNSAccessControl", "default-driver", NULL};

	if (!strcmp(node->name, "incomingdiscoveryuser"))
		auth_take(&import->saved->discovery, true, node->value, AUTH_TGT, node->place,
			  import->report);
	else if (!strcmp(node->name, "outgoingdiscoveryuser"))
		auth_take(&import->saved->discovery, false, node->value, AUTH_TGT, node->place,
			  import->report);
	else if (!strcmp(node->name, "default-driver") && !strcmp(node->value, "iscsi"))
		return;
	else if (g_strv_contains(names, node->name))
		report_add(import->report, node->place, "%s cannot be carried over", node->name);
	else
		report_add(import->report, node->place, "a setting is left out, because it is not known");
}

/* Reports an iSNS server, which decides about access only if tgt uses it and has enabled access control. */
static void check_isns(struct tgt_import *import, const struct node *root)
{
	const struct node *child, *control = NULL;
	bool is_used = false;

	node_for_each(child, root)
	{
		is_used |= !strcmp(child->name, "iSNS") && !g_ascii_strcasecmp(child->value, "On");
		if (!strcmp(child->name, "iSNSAccessControl") && g_ascii_strcasecmp(child->value, "Off"))
			control = child;
	}
	if (!is_used || !control)
		return;
	for (guint i = 0; i < import->saved->targets->len; i++)
		((struct saved_target *)g_ptr_array_index(import->saved->targets, i))->enable = false;
	report_add(import->report, control->place,
		   "all targets are imported as disabled, because an iSNS server decides who may log in; "
		   "create ACLs, and then enable the targets");
}

int tgt_import(const struct source *source, struct saved_config *saved, struct report *report,
	       struct error *error)
{
	struct tgt_import import = {.saved = saved, .report = report};
	const struct node *child;
	int err = 0;
	g_autoptr(node_tree) root = tgt_parse(source, &err, error);

	if (!root)
		return err;
	import.objects = g_ptr_array_new_with_free_func(tgt_object_free);
	node_for_each(child, root)
	{
		if (strcmp(child->name, "target"))
			take_global(&import, child);
		else
			take_target(&import, root, child);
	}
	check_isns(&import, root);
	auth_finish(&saved->discovery, "discovery", (struct place){source->name, 0}, report);
	if (!saved->targets->len)
		report_add(report, (struct place){source->name, 0},
			   "there is no target in the configuration");
	g_ptr_array_unref(import.objects);
	return 0;
}
