/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translates LUN masking to LIO's ACLs: decides which initiators see which LUN. If the result cannot be
 * exact, initiators get less access. The importers read the groups.
 */
#include "import/mask.h"

#include <string.h>

#include "model/name.h"

struct masking {
	struct saved_target *target;
	const GPtrArray *groups;
	/* The LUNs that initiators without a group see. */
	const GArray *defaults;
	struct report *report;
	struct place place;
};

#define group_at(masking, i)    ((const struct mask_group *)g_ptr_array_index((masking)->groups, i))
#define name_at(group, i)       (&g_array_index((group)->initiators, struct mask_name, i))
#define mask_lun_at(luns, i)    (&g_array_index((luns), struct mask_lun, i))
#define saved_lun_at(target, i) (&g_array_index((target)->luns, struct saved_lun, i))

static bool is_catch_all(const struct mask_name *name)
{
	return !strcmp(name->text, "*");
}

static bool is_pattern(const struct mask_name *name)
{
	return name->text[strcspn(name->text, "*?!")];
}

/* --- the TPG's LUNs --- */

static struct saved_lun *lun_by_index(const struct saved_target *target, unsigned index)
{
	for (guint i = 0; i < target->luns->len; i++)
		if (saved_lun_at(target, i)->index == index)
			return saved_lun_at(target, i);
	return NULL;
}

static struct saved_lun *lun_by_object(const struct saved_target *target, const struct saved_object *object)
{
	for (guint i = 0; i < target->luns->len; i++)
		if (saved_lun_at(target, i)->object == object)
			return saved_lun_at(target, i);
	return NULL;
}

/*
 * Returns a free number. Prefers the number that the group uses, so that both numbers are equal if possible.
 */
static unsigned free_index(const struct saved_target *target, unsigned wanted)
{
	unsigned index = 0;

	if (!lun_by_index(target, wanted))
		return wanted;
	while (lun_by_index(target, index))
		index++;
	return index;
}

static unsigned lun_for_group(const struct masking *masking, const struct mask_lun *wanted)
{
	struct saved_target *target = masking->target;
	struct saved_lun *lun = lun_by_index(target, wanted->number);

	if (!lun || lun->object != wanted->object)
		lun = lun_by_object(target, wanted->object);
	if (lun)
		return lun->index;

	struct saved_lun added = {
	    .index = free_index(target, wanted->number),
	    .object = wanted->object,
	    .acl_only = target->demo_mode,
	};

	g_array_append_val(target->luns, added);
	return added.index;
}

static int compare_luns(gconstpointer a, gconstpointer b)
{
	const struct saved_lun *left = a, *right = b;

	return left->index < right->index ? -1 : left->index > right->index;
}

/* --- initiators without a group --- */

static bool lun_is_protected(const struct mask_lun *lun)
{
	return lun->read_only || lun->object->read_only;
}

static void add_default_luns(const struct masking *masking)
{
	struct saved_target *target = masking->target;
	guint nprotected = 0;

	for (guint i = 0; i < masking->defaults->len; i++)
		nprotected += lun_is_protected(mask_lun_at(masking->defaults, i));
	if (target->demo_mode)
		target->demo_write_protect = nprotected == masking->defaults->len;
	for (guint i = 0; i < masking->defaults->len; i++) {
		const struct mask_lun *wanted = mask_lun_at(masking->defaults, i);
		struct saved_lun lun = {
		    .index = wanted->number,
		    .object = wanted->object,
		    .write_protect =
			target->demo_mode && !target->demo_write_protect && lun_is_protected(wanted),
		};

		g_array_append_val(target->luns, lun);
	}
}

/* Finds the group with the name "*", which contains all initiators that are in no other group. */
static void find_catch_all(struct masking *masking)
{
	for (guint i = 0; i < masking->groups->len; i++)
		for (guint j = 0; j < group_at(masking, i)->initiators->len; j++)
			if (is_catch_all(name_at(group_at(masking, i), j))) {
				masking->defaults = group_at(masking, i)->luns;
				return;
			}
}

static bool report_pattern(const struct masking *masking, const struct mask_group *group,
			   const struct mask_name *name)
{
	if (is_catch_all(name)) {
		if (masking->defaults == group->luns)
			return false;
		report_add(masking->report, name->place,
			   "'*' of the group %s is left out, because another group has it, too", group->name);
		return false;
	}
	if (!is_pattern(name))
		return false;
	report_add(masking->report, name->place,
		   "the pattern '%s' of the group %s cannot be carried over; create an ACL for each of its "
		   "initiators",
		   name->text, group->name);
	return true;
}

/*
 * Decides about initiators without an ACL. If the pattern of a group cannot be expressed, initiators of this
 * group must not see the LUNs of initiators without a group.
 */
static void choose_demo_mode(struct masking *masking)
{
	bool has_pattern = false;

	for (guint i = 0; i < masking->groups->len; i++)
		for (guint j = 0; j < group_at(masking, i)->initiators->len; j++)
			has_pattern |=
			    report_pattern(masking, group_at(masking, i), name_at(group_at(masking, i), j));
	masking->target->demo_mode = masking->defaults->len && !has_pattern;
	if (masking->defaults->len && has_pattern)
		report_add(masking->report, masking->place,
			   "%s refuses initiators without an ACL, because a pattern of initiators cannot be "
			   "carried over",
			   masking->target->name);
}

/* --- initiators with a group --- */

/* Adds an ACL without LUNs for an initiator that would otherwise see the default LUNs. */
static void block(const struct masking *masking, const char *initiator)
{
	struct saved_acl *acl = saved_acl_find(masking->target, initiator);

	if (!masking->target->demo_mode) {
		g_ptr_array_remove(masking->target->acls, acl);
		return;
	}
	if (!acl)
		acl = saved_acl_add(masking->target, initiator);
	g_array_set_size(acl->luns, 0);
}

static void block_portal_name(const struct masking *masking, const struct mask_name *name)
{
	g_autofree char *initiator = g_strndup(name->text, strcspn(name->text, "#"));
	char normal[MODEL_NAME_SIZE];

	report_add(masking->report, name->place,
		   "'%s' is for one portal only, which cannot be carried over; the initiator gets no LUNs",
		   name->text);
	if (model_name_copy(normal, initiator))
		block(masking, normal);
}

/*
 * Reports that another pattern matches as well. SCST searches its groups in an order that its configuration
 * does not show.
 */
static void report_other_pattern(const struct masking *masking, const struct mask_group *own,
				 const struct mask_name *name)
{
	for (guint i = 0; i < masking->groups->len; i++) {
		const struct mask_group *group = group_at(masking, i);

		for (guint j = 0; group != own && j < group->initiators->len; j++) {
			const char *pattern = name_at(group, j)->text;
			bool is_negated = *pattern == '!';

			if (!is_pattern(name_at(group, j)) || is_catch_all(name_at(group, j)) ||
			    g_pattern_match_simple(pattern + is_negated, name->text) == is_negated)
				continue;
			report_add(masking->report, name->place,
				   "the pattern '%s' of the group %s matches the initiator %s, too; it gets "
				   "the LUNs of the group %s",
				   pattern, group->name, name->text, own->name);
		}
	}
}

static void map_luns(const struct masking *masking, const struct mask_group *group, struct saved_acl *acl)
{
	for (guint i = 0; i < group->luns->len; i++) {
		const struct mask_lun *lun = mask_lun_at(group->luns, i);
		struct saved_mapped_lun mapped = {
		    .index = lun->number,
		    .tpg_lun = lun_for_group(masking, lun),
		    .write_protect = lun_is_protected(lun),
		};

		g_array_append_val(acl->luns, mapped);
	}
}

static void add_initiator(const struct masking *masking, const struct mask_group *group,
			  const struct mask_name *name)
{
	char normal[MODEL_NAME_SIZE];

	if (!model_name_copy(normal, name->text)) {
		report_add(masking->report, name->place,
			   "'%s' of the group %s is left out: as the name of an iSCSI initiator, it %s",
			   name->text, group->name, model_name_fault(name->text));
		return;
	}
	if (saved_acl_find(masking->target, normal)) {
		report_add(masking->report, name->place,
			   "the initiator %s is in several groups of %s; the group %s is ignored", normal,
			   masking->target->name, group->name);
		return;
	}
	report_other_pattern(masking, group, name);
	if (group->luns->len) {
		map_luns(masking, group, saved_acl_add(masking->target, normal));
		return;
	}
	report_add(masking->report, name->place, "the group %s of the initiator %s has no LUNs%s",
		   group->name, normal,
		   masking->target->demo_mode ? "; it can log in to the target, but sees no LUN" : "");
	if (masking->target->demo_mode)
		block(masking, normal);
}

static void add_group(const struct masking *masking, const struct mask_group *group)
{
	for (guint i = 0; i < group->initiators->len; i++) {
		const struct mask_name *name = name_at(group, i);

		if (!is_pattern(name) && !strchr(name->text, '#'))
			add_initiator(masking, group, name);
	}
}

static void block_portal_names(const struct masking *masking, const struct mask_group *group)
{
	for (guint i = 0; i < group->initiators->len; i++)
		if (strchr(name_at(group, i)->text, '#') && !is_pattern(name_at(group, i)))
			block_portal_name(masking, name_at(group, i));
}

void mask_apply(struct saved_target *target, const GArray *default_luns, const GPtrArray *groups,
		struct place place, struct report *report)
{
	struct masking masking = {target, groups, default_luns, report, place};

	find_catch_all(&masking);
	choose_demo_mode(&masking);
	add_default_luns(&masking);
	for (guint i = 0; i < groups->len; i++)
		add_group(&masking, group_at(&masking, i));
	for (guint i = 0; i < groups->len; i++)
		block_portal_names(&masking, group_at(&masking, i));
	g_array_sort(target->luns, compare_luns);
}
