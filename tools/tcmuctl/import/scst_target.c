/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The targets of SCST: their names, accounts, portals and session limits, which are in scst.conf or
 * in iscsi-scstd.conf.
 */
#include "import/scst.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "import/auth.h"
#include "import/keys.h"
#include "model/name.h"

struct scst_target *scst_target_get(struct scst_config *config, const char *name, struct place place)
{
	char normal[MODEL_NAME_SIZE];
	struct saved_target *saved;

	if (!model_name_copy(normal, name)) {
		report_add(config->report, place, "the target '%s' is left out: its name %s", name,
			   model_name_fault(name));
		return NULL;
	}
	for (guint i = 0; i < config->targets->len; i++) {
		struct scst_target *target = g_ptr_array_index(config->targets, i);

		if (!strcmp(target->saved->name, normal))
			return target;
	}
	saved = saved_target_add(config->saved, normal);
	if (!saved)
		return NULL;

	struct scst_target *target = g_new0(struct scst_target, 1);

	target->name = g_strdup(name);
	target->saved = saved;
	target->place = place;
	target->defaults = scst_group_new("", place);
	target->groups = g_ptr_array_new_with_free_func((GDestroyNotify)scst_group_free);
	g_ptr_array_add(config->targets, target);
	return target;
}

/* --- accounts --- */

/*
 * Returns whether this is the name of an account: "IncomingUser", "IncomingUser1" and so on. SCST's tree in
 * /sys needs different names for several accounts.
 */
static bool is_account(const char *name, const char *kind)
{
	size_t len = strlen(kind);

	return !strncasecmp(name, kind, len) && !name[len + strspn(name + len, "0123456789")];
}

bool scst_take_account(struct scst_config *config, struct saved_auth *auth, const char *name,
		       const char *value, struct place place)
{
	bool is_incoming = is_account(name, "IncomingUser");

	if (!is_incoming && !is_account(name, "OutgoingUser"))
		return false;
	auth_take(auth, is_incoming, value, AUTH_SCST, place, config->report);
	return true;
}

/* --- attributes of the new format --- */

static void disable(struct scst_config *config, struct scst_target *target, struct place place,
		    const char *why)
{
	target->saved->enable = false;
	report_add(config->report, place, "%s is imported as disabled: %s", target->saved->name, why);
}

static void take_portal(struct scst_config *config, struct scst_target *target, const struct node *node)
{
	struct in6_addr address;

	if (inet_pton(AF_INET, node->value, &address) == 1)
		g_ptr_array_add(target->saved->portals, g_strdup(node->value));
	else if (inet_pton(AF_INET6, node->value, &address) == 1)
		g_ptr_array_add(target->saved->portals, g_strdup_printf("[%s]", node->value));
	else {
		target->has_unclear_portal = true;
		disable(config, target, node->place,
			"its allowed_portal is not an address; create the portals that it means");
	}
}

void scst_take_target_attribute(struct scst_config *config, struct scst_target *target,
				const struct node *node)
{
	static const char *const silent[] = {
	    "addr_method", "rel_tgt_id", "io_grouping_type", "cpu_mask", "comment", "alias", NULL};

	if (scst_take_account(config, &target->saved->auth, node->name, node->value, node->place) ||
	    keys_take(target->saved, node->name, node->value, node->place, config->report))
		return;
	if (!strcmp(node->name, "allowed_portal"))
		take_portal(config, target, node);
	else if (!strcmp(node->name, "redirect"))
		disable(config, target, node->place,
			"SCST sends its initiators to another portal (redirect)");
	else if (!strcmp(node->name, "per_portal_acl") && strcmp(node->value, "0"))
		disable(config, target, node->place,
			"its groups depend on the portal (per_portal_acl), which is not possible here");
	else if (!strcmp(node->name, "black_hole") && strcmp(node->value, "0"))
		disable(config, target, node->place, "SCST does not answer its commands (black_hole)");
	else if (g_strv_contains(silent, node->name))
		report_add(config->report, node->place, "%s of %s is left out", node->name,
			   target->saved->name);
	else if (strcmp(node->name, "per_portal_acl") && strcmp(node->name, "black_hole"))
		report_add(config->report, node->place,
			   "an attribute of %s is left out, because it is not known", target->saved->name);
}
