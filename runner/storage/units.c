/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of the logical units of this daemon, by which a second unit with the same identity is
 * refused.
 */
#include "storage/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/registry.h"
#include "util/cleanup.h"

struct storage_unit {
	struct storage_units *units;
	struct list node;
	const void *owner;
	char *name;
	struct storage_identity identity;
};

void storage_units_init(struct storage_units *units)
{
	pthread_mutex_init(&units->lock, NULL);
	list_init(&units->list);
}

void storage_units_destroy(struct storage_units *units)
{
	pthread_mutex_destroy(&units->lock);
}

static void free_unit(struct storage_unit *unit)
{
	if (unit)
		free(unit->name);
	free(unit);
}

static bool have_same_identity(const struct storage_unit *a, const struct storage_unit *b)
{
	return !strcmp(a->identity.serial, b->identity.serial) ||
	       !memcmp(a->identity.naa, b->identity.naa, sizeof(a->identity.naa));
}

/* units->lock held. Finds another disk with the identity of this one. */
static const struct storage_unit *find_same(const struct storage_unit *unit)
{
	struct list *node, *tmp;

	list_for_each (&unit->units->list, node, tmp) {
		const struct storage_unit *other = list_entry(node, struct storage_unit, node);

		if (other->owner != unit->owner && have_same_identity(other, unit))
			return other;
	}
	return NULL;
}

static bool enter_if_unique(struct storage_unit *unit, struct error *error)
{
	SCOPE_LOCK(&unit->units->lock);
	const struct storage_unit *same = find_same(unit);

	if (!same) {
		list_add_tail(&unit->units->list, &unit->node);
		return true;
	}
	bool serial = !strcmp(same->identity.serial, unit->identity.serial);
	error_set(error, EEXIST,
		  "%s and %s have the same %s (serial number %s): initiators would take them for one disk; "
		  "set another "
		  "serial number for one of them",
		  unit->name, same->name, serial ? "serial number" : "NAA designator", unit->identity.serial);
	return false;
}

struct storage_unit *storage_unit_enter(struct storage_registry *registry, const void *owner,
					const char *name, const struct storage_identity *identity,
					struct error *error)
{
	struct storage_unit *unit = calloc(1, sizeof(*unit));

	if (unit) {
		unit->units = &registry->units;
		unit->owner = owner;
		unit->name = strdup(name);
		unit->identity = *identity;
	}
	if (!unit || !unit->name)
		error_set(error, ENOMEM, "%s: out of memory", name);
	else if (enter_if_unique(unit, error))
		return unit;
	free_unit(unit);
	return NULL;
}

void storage_unit_leave(struct storage_unit *unit)
{
	if (!unit)
		return;
	lock_take(&unit->units->lock);
	list_del(&unit->node);
	lock_drop(&unit->units->lock);
	free_unit(unit);
}
