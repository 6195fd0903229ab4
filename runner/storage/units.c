/* SPDX-License-Identifier: Apache-2.0 */
/* The list of the logical units of this daemon. A second unit with the same identity is refused. */
#include "storage/units.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/registry.h"
#include "util/cleanup.h"
#include "util/hash.h"

struct storage_unit {
	struct storage_units *units;
	/* Links the unit into a bucket of each table. */
	struct list by_serial, by_naa;
	const void *owner;
	char *name;
	struct storage_identity identity;
};

void storage_units_init(struct storage_units *units)
{
	pthread_mutex_init(&units->lock, NULL);
	for (unsigned i = 0; i < STORAGE_UNIT_BUCKETS; i++) {
		list_init(&units->by_serial[i]);
		list_init(&units->by_naa[i]);
	}
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

static struct list *serial_bucket(const struct storage_unit *unit)
{
	const char *serial = unit->identity.serial;

	return &unit->units->by_serial[hash_bytes(HASH_INIT, serial, strlen(serial)) % STORAGE_UNIT_BUCKETS];
}

static struct list *naa_bucket(const struct storage_unit *unit)
{
	const struct storage_identity *identity = &unit->identity;

	return &unit->units->by_naa[hash_bytes(HASH_INIT, identity->naa, sizeof(identity->naa)) %
				    STORAGE_UNIT_BUCKETS];
}

/* units->lock must be held. Finds another disk with the same identity. */
static const struct storage_unit *find_same(const struct storage_unit *unit)
{
	struct list *node, *tmp;

	list_for_each (serial_bucket(unit), node, tmp) {
		const struct storage_unit *other = list_entry(node, struct storage_unit, by_serial);

		if (other->owner != unit->owner && !strcmp(other->identity.serial, unit->identity.serial))
			return other;
	}
	list_for_each (naa_bucket(unit), node, tmp) {
		const struct storage_unit *other = list_entry(node, struct storage_unit, by_naa);

		if (other->owner != unit->owner &&
		    !memcmp(other->identity.naa, unit->identity.naa, sizeof(unit->identity.naa)))
			return other;
	}
	return NULL;
}

static bool enter_if_unique(struct storage_unit *unit, struct error *error)
{
	SCOPE_LOCK(&unit->units->lock);
	const struct storage_unit *same = find_same(unit);

	if (!same) {
		list_add_tail(serial_bucket(unit), &unit->by_serial);
		list_add_tail(naa_bucket(unit), &unit->by_naa);
		return true;
	}
	bool serial = !strcmp(same->identity.serial, unit->identity.serial);
	error_set(error, EEXIST,
		  "%s and %s have the same %s (serial number %s): initiators would take them for one disk; "
		  "set another serial number for one of them",
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
	list_del(&unit->by_serial);
	list_del(&unit->by_naa);
	lock_drop(&unit->units->lock);
	free_unit(unit);
}
