/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LUN maps: immutable, reference-counted, and cheap to change. A map is an array of pages, and a page has the
 * entries of 64 consecutive LUNs. A change makes a new map that shares all pages but one with the old map.
 * Which map is the current one is left to view.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/private.h"
#include "storage/lu.h"
#include "util/bytes.h"
#include "util/contract.h"

#define PAGE_LUNS 64

struct model_entry {
	atomic_uint refs;
	unsigned lun;
	struct storage_lu *lu;
	/* The digest of the set that consists of this entry: of the LUN and the unit serial number. */
	struct digest_set digest;
	/*
	 * This changes while sessions use the entry. Therefore a change of the protection needs no new nexus.
	 */
	atomic_bool write_protected;
	/* Used on the main thread: the object for which the entry was made. */
	struct model_object *object;
	struct main_work released;
};

struct page {
	atomic_uint refs;
	unsigned count;
	struct model_entry *entries[PAGE_LUNS];
};

struct model_map {
	atomic_uint refs;
	unsigned count, npages;
	/* See model_map_digest(). */
	struct digest_set digest;
	struct page *pages[];
};

/* Releases a reference. Returns whether it was the last one. */
static bool was_last(atomic_uint *refs)
{
	return atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel) == 1;
}

/* --- entries -------------------------------------------------------------------------------------- */

static void on_released(struct main_work *work)
{
	struct model_entry *entry = container_of(work, struct model_entry, released);
	struct model_object *object = entry->object;

	storage_lu_put(entry->lu);
	free(entry);
	model_object_released(object);
}

static struct digest_set digest_of(unsigned lun, const struct storage_lu *lu)
{
	char number[12];

	snprintf(number, sizeof(number), "%u", lun);
	return digest_set_of((const char *const[]){number, storage_lu_serial(lu), NULL});
}

struct model_entry *model_entry_new(struct model_object *object, unsigned lun, struct storage_lu *lu,
				    bool write_protected)
{
	struct model_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	atomic_init(&entry->refs, 1);
	atomic_init(&entry->write_protected, write_protected);
	entry->lun = lun;
	entry->lu = storage_lu_get(lu);
	entry->digest = digest_of(lun, lu);
	entry->object = object;
	entry->released.fn = on_released;
	model_object_retain(object);
	return entry;
}

struct model_entry *model_entry_get(struct model_entry *entry)
{
	if (entry)
		atomic_fetch_add_explicit(&entry->refs, 1, memory_order_relaxed);
	return entry;
}

void model_entry_put(struct model_entry *entry)
{
	if (entry && was_last(&entry->refs))
		main_queue_post(entry->object->model->context.main, &entry->released);
}

struct scsi_lu *model_entry_lu(const struct model_entry *entry)
{
	return storage_lu_scsi(entry->lu);
}

struct storage_lu *model_entry_storage(const struct model_entry *entry)
{
	return entry->lu;
}

bool model_entry_is_write_protected(const struct model_entry *entry)
{
	return atomic_load_explicit(&entry->write_protected, memory_order_relaxed);
}

void model_entry_protect(struct model_entry *entry, bool write_protected)
{
	atomic_store_explicit(&entry->write_protected, write_protected, memory_order_relaxed);
}

/* --- pages ------------------------------------------------------------------------------------------ */

static struct page *page_get(struct page *page)
{
	if (page)
		atomic_fetch_add_explicit(&page->refs, 1, memory_order_relaxed);
	return page;
}

static void page_put(struct page *page)
{
	if (!page || !was_last(&page->refs))
		return;
	for (unsigned i = 0; i < PAGE_LUNS; i++)
		model_entry_put(page->entries[i]);
	free(page);
}

/* Returns a copy of page, which may be NULL, with one entry changed. */
static struct page *page_change(const struct page *page, unsigned at, struct model_entry *entry)
{
	struct page *changed = calloc(1, sizeof(*changed));

	if (!changed)
		return NULL;
	atomic_init(&changed->refs, 1);
	for (unsigned i = 0; i < PAGE_LUNS; i++) {
		struct model_entry *kept = i == at ? entry : page ? page->entries[i] : NULL;

		changed->entries[i] = model_entry_get(kept);
		changed->count += kept != NULL;
	}
	return changed;
}

/* --- maps ------------------------------------------------------------------------------------------- */

static struct model_map *map_alloc(unsigned npages)
{
	struct model_map *map = calloc(1, sizeof(*map) + npages * sizeof(map->pages[0]));

	if (!map)
		return NULL;
	atomic_init(&map->refs, 1);
	map->npages = npages;
	return map;
}

struct model_map *model_map_new(void)
{
	return map_alloc(0);
}

struct model_map *model_map_change(const struct model_map *map, unsigned lun, struct model_entry *entry)
{
	unsigned at = lun / PAGE_LUNS;
	const struct model_entry *replaced = model_map_entry(map, lun);
	struct model_map *changed = map_alloc(MAX(map->npages, at + 1));
	const struct page *old = at < map->npages ? map->pages[at] : NULL;
	struct page *page = changed ? page_change(old, lun % PAGE_LUNS, entry) : NULL;

	if (!page) {
		free(changed);
		return NULL;
	}
	for (unsigned i = 0; i < map->npages; i++)
		if (i != at)
			changed->pages[i] = page_get(map->pages[i]);
	changed->count = map->count - (old ? old->count : 0) + page->count;
	changed->pages[at] = page;
	changed->digest = map->digest;
	if (replaced)
		digest_set_remove(&changed->digest, replaced->digest);
	if (entry)
		digest_set_add(&changed->digest, entry->digest);
	return changed;
}

struct model_map *model_map_get(struct model_map *map)
{
	atomic_fetch_add_explicit(&map->refs, 1, memory_order_relaxed);
	return map;
}

void model_map_put(struct model_map *map)
{
	if (!map || !was_last(&map->refs))
		return;
	for (unsigned i = 0; i < map->npages; i++)
		page_put(map->pages[i]);
	free(map);
}

struct model_entry *model_map_entry(const struct model_map *map, unsigned lun)
{
	unsigned at = lun / PAGE_LUNS;

	return at < map->npages && map->pages[at] ? map->pages[at]->entries[lun % PAGE_LUNS] : NULL;
}

int model_map_next(const struct model_map *map, unsigned from)
{
	for (unsigned lun = from; lun / PAGE_LUNS < map->npages; lun++) {
		const struct page *page = map->pages[lun / PAGE_LUNS];

		if (!page || !page->count)
			lun |= PAGE_LUNS - 1; /* Continues with the next page. */
		else if (page->entries[lun % PAGE_LUNS])
			return (int)lun;
	}
	return -1;
}

unsigned model_map_count(const struct model_map *map)
{
	return map->count;
}

struct digest_set model_map_digest(const struct model_map *map)
{
	return map->digest;
}

static const struct page *page_at(const struct model_map *map, unsigned at)
{
	return at < map->npages ? map->pages[at] : NULL;
}

static bool page_is_same(const struct page *a, const struct page *b)
{
	static const struct page none;

	a = a ? a : &none;
	b = b ? b : &none;
	return a == b || (a->count == b->count && !memcmp(a->entries, b->entries, sizeof(a->entries)));
}

bool model_map_is_same(const struct model_map *a, const struct model_map *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < MAX(a->npages, b->npages); i++)
		if (!page_is_same(page_at(a, i), page_at(b, i)))
			return false;
	return true;
}
