/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LUNs of a target of tgt: their numbers, which are chosen as tgt-admin does, and their storage objects.
 * A setting is in the LUN's own section, or in the section of the target for all of its LUNs.
 */
#include "import/tgt.h"

#include <string.h>

#include "import/disk.h"

struct tgt_object {
	char *path;
	/* NULL if the storage cannot be carried over. */
	struct saved_object *saved;
};

/* A backing-store or a direct-store of the target. It becomes a LUN. */
struct store {
	const char *path;
	/* The section of the LUN, or its line if it has no section. */
	const struct node *node;
	const struct node *target;
	bool is_direct_store;
	/* Negative if it is not chosen yet. */
	int number;
};

#define store_at(stores, i) (&g_array_index((stores), struct store, i))

void tgt_object_free(void *object)
{
	g_free(((struct tgt_object *)object)->path);
	g_free(object);
}

static const struct node *find_setting(const struct node *node, const char *name)
{
	const struct node *child;

	node_for_each(child, node)
	{
		if (!strcmp(child->name, name))
			return child;
	}
	return NULL;
}

static const char *setting(const struct store *store, const char *name)
{
	const struct node *found = find_setting(store->node, name);

	if (!found)
		found = find_setting(store->target, name);
	return found ? found->value : NULL;
}

static bool setting_is(const struct store *store, const char *name, const char *value)
{
	const char *text = setting(store, name);

	return text && !strcmp(text, value);
}

/* --- settings of LUNs --- */

/* How a setting is handled: it is carried over, left out with a remark, or left out without a remark. */
enum handling { CARRIED, DISCARDED, HARMLESS };

static const struct {
	const char *name;
	enum handling handling;
} settings[] = {
    {"backing-store", CARRIED},
    {"direct-store", CARRIED},
    {"lun", CARRIED},
    {"write-cache", CARRIED},
    {"readonly", CARRIED},
    {"block-size", CARRIED},
    {"scsi_sn", CARRIED},
    {"vendor_id", CARRIED},
    {"product_id", CARRIED},
    {"product_rev", CARRIED},
    {"bs-type", CARRIED},
    {"bsoflags", CARRIED},
    {"device-type", CARRIED},
    {"online", CARRIED},
    {"allow-in-use", DISCARDED},
    {"bsopts", DISCARDED},
    {"scsi_id", DISCARDED},
    {"sense_format", DISCARDED},
    {"removable", DISCARDED},
    {"path", DISCARDED},
    {"mode_page", DISCARDED},
    {"params", DISCARDED},
    {"lbppbe", DISCARDED},
    {"la_lba", DISCARDED},
    {"optimal_xfer_gran", HARMLESS},
    {"optimal_xfer_len", HARMLESS},
};

bool tgt_is_lun_setting(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
		if (!strcmp(name, settings[i].name))
			return true;
	return false;
}

static void report_settings(struct tgt_import *import, const struct node *node)
{
	const struct node *child;

	node_for_each(child, node)
	{
		for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
			if (!strcmp(child->name, settings[i].name) && settings[i].handling == DISCARDED)
				report_add(import->report, child->place, "%s cannot be carried over",
					   child->name);
	}
}

static void report_store_settings(struct tgt_import *import, const struct node *node)
{
	const struct node *child;

	report_settings(import, node);
	node_for_each(child, node)
	{
		if (!tgt_is_lun_setting(child->name))
			report_add(import->report, child->place,
				   "a setting of a LUN is left out, because it is not known");
	}
}

/* --- storage objects --- */

/* Returns why a store cannot be carried over, or NULL if it can. */
static const char *left_out_reason(const struct store *store)
{
	const char *type = setting(store, "device-type"), *backend = setting(store, "bs-type");

	if (type && strcmp(type, "disk"))
		return "only disks can be carried over";
	if (backend && strcmp(backend, "rdwr") && strcmp(backend, "aio") && strcmp(backend, "null"))
		return "there is no handler for its bs-type";
	if (setting_is(store, "online", "0"))
		return "it is not online";
	return NULL;
}

static unsigned block_size(struct tgt_import *import, const struct store *store)
{
	const char *text = setting(store, "block-size");
	guint64 size;

	if (!text)
		return 0;
	if (g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT32, &size, NULL))
		return (unsigned)size;
	report_add(import->report, store->node->place, "block-size is not a number, so 512 is used");
	return 512;
}

static bool has_flag(const struct store *store, const char *flag)
{
	const char *flags = setting(store, "bsoflags");

	return flags && strstr(flags, flag);
}

/*
 * Returns whether a "params" setting contains the text. Its value is passed to tgtadm, which has the same
 * names for settings.
 */
static bool has_parameter(const struct node *node, const char *text)
{
	const struct node *child;

	node_for_each(child, node)
	{
		if (!strcmp(child->name, "params") && strstr(child->value, text))
			return true;
	}
	return false;
}

static bool is_read_only(const struct store *store)
{
	const char *text = setting(store, "readonly");

	return (text && strcmp(text, "0")) || has_parameter(store->node, "readonly=1") ||
	       has_parameter(store->target, "readonly=1");
}

static struct saved_object *save_disk(struct tgt_import *import, const struct store *store)
{
	g_autofree char *name = g_path_get_basename(store->path);
	struct disk disk = {
	    .name = name,
	    .path = setting_is(store, "bs-type", "null") ? NULL : store->path,
	    .size = UINT64_C(1) << 30,
	    .block_size = block_size(import, store),
	    .is_direct = setting_is(store, "bs-type", "aio") || has_flag(store, "direct"),
	    .is_write_through = setting_is(store, "write-cache", "off") || has_flag(store, "sync"),
	    .is_read_only = is_read_only(store),
	    .serial = setting(store, "scsi_sn"),
	    .vendor = setting(store, "vendor_id"),
	    .product = setting(store, "product_id"),
	    .revision = setting(store, "product_rev"),
	    .place = store->node->place,
	};

	if (store->is_direct_store)
		report_add(import->report, store->node->place,
			   "direct-store: the disk %s does not take over the identification of the device %s",
			   name, store->path);
	return disk_save(import->saved, &disk, import->report);
}

/* Returns the storage object of a store. If two targets have the same path, they share one disk. */
static struct saved_object *save_store(struct tgt_import *import, const struct store *store)
{
	struct tgt_object *object;
	const char *why = left_out_reason(store);

	for (guint i = 0; i < import->objects->len; i++) {
		object = g_ptr_array_index(import->objects, i);
		if (strcmp(object->path, store->path))
			continue;
		report_add(import->report, store->node->place,
			   "%s is used by another LUN, too; its settings there are used for both",
			   store->path);
		return object->saved;
	}
	object = g_new0(struct tgt_object, 1);
	object->path = g_strdup(store->path);
	g_ptr_array_add(import->objects, object);
	if (why)
		report_add(import->report, store->node->place, "the LUN of %s is left out: %s", store->path,
			   why);
	else
		object->saved = save_disk(import, store);
	return object->saved;
}

/* --- numbers --- */

static int compare_stores(gconstpointer a, gconstpointer b)
{
	const struct store *left = a, *right = b;

	if (left->is_direct_store != right->is_direct_store)
		return left->is_direct_store ? 1 : -1;
	return strcmp(left->path, right->path);
}

static bool is_taken(const GArray *stores, int number)
{
	for (guint i = 0; i < stores->len; i++)
		if (store_at(stores, i)->number == number)
			return true;
	return false;
}

static void take_number(struct tgt_import *import, GArray *stores, struct store *store)
{
	const char *text = setting(store, "lun");
	guint64 number;

	if (!text)
		return;
	/* In tgt, LUN 0 is the controller. */
	if (!g_ascii_string_to_unsigned(text, 10, 1, SAVED_LUN_MAX, &number, NULL))
		report_add(import->report, store->node->place,
			   "lun: '%s' is not a number from 1 to %d, so the next free one is used", text,
			   SAVED_LUN_MAX);
	else if (is_taken(stores, (int)number))
		report_add(import->report, store->node->place,
			   "the number %s is taken in this target, so the next free one is used", text);
	else
		store->number = (int)number;
}

/*
 * Chooses numbers for stores that have none, in the same order as tgt-admin: first all of backing-store, in
 * the order of their paths.
 */
static void choose_numbers(struct tgt_import *import, GArray *stores)
{
	int next = 1;

	g_array_sort(stores, compare_stores);
	for (guint i = 0; i < stores->len; i++)
		take_number(import, stores, store_at(stores, i));
	for (guint i = 0; i < stores->len; i++) {
		while (store_at(stores, i)->number < 0 && is_taken(stores, next))
			next++;
		if (store_at(stores, i)->number < 0)
			store_at(stores, i)->number = next;
	}
}

/* --- all LUNs of a target --- */

static bool has_path(const GArray *stores, const char *path)
{
	for (guint i = 0; i < stores->len; i++)
		if (!strcmp(store_at(stores, i)->path, path))
			return true;
	return false;
}

static GArray *find_stores(struct tgt_import *import, const struct node *target)
{
	GArray *stores = g_array_new(FALSE, TRUE, sizeof(struct store));
	const struct node *child;

	node_for_each(child, target)
	{
		bool is_direct_store = !strcmp(child->name, "direct-store");
		struct store store = {child->value, child, target, is_direct_store, -1};

		if (!is_direct_store && strcmp(child->name, "backing-store"))
			continue;
		report_store_settings(import, child);
		if (!has_path(stores, child->value))
			g_array_append_val(stores, store);
		else
			report_add(import->report, child->place,
				   "the line is left out: the target has a LUN of this storage already");
	}
	return stores;
}

GArray *tgt_luns(struct tgt_import *import, const struct node *target)
{
	g_autoptr(GArray) stores = find_stores(import, target);
	GArray *luns = g_array_new(FALSE, TRUE, sizeof(struct mask_lun));

	report_settings(import, target);
	choose_numbers(import, stores);
	for (guint i = 0; i < stores->len; i++) {
		const struct store *store = store_at(stores, i);
		struct mask_lun lun = {
		    .number = (unsigned)store->number,
		    .object = save_store(import, store),
		    .read_only = is_read_only(store),
		    .place = store->node->place,
		};

		if (lun.object)
			g_array_append_val(luns, lun);
	}
	return luns;
}
