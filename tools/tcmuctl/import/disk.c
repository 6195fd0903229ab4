/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes storage objects: chooses the handler and its options, finds the size, and chooses serial numbers for
 * disks that have none. The storage is examined, but never changed.
 */
#include "import/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "storage/digest.h"
#include "storage/machine.h"
#include "storage/spec.h"
#include "util/bytes.h"
#include "util/cleanup.h"

#define MACHINE_ID "/etc/machine-id"
#define SERIAL_MAX 36
/* SPC-4 6.6.2 */
#define VENDOR_MAX   8
#define PRODUCT_MAX  16
#define REVISION_MAX 4

/* --- the name --- */

static char *plain_name(const char *name)
{
	char *plain = g_strdup(*name ? name : "disk");

	for (char *c = plain; *c; c++)
		if (!g_ascii_isalnum(*c) && !strchr("._-", *c))
			*c = '_';
	return plain;
}

/*
 * Chooses the name, which becomes a part of a path of configfs. If two disks would get the same name, they
 * get numbers.
 */
static char *choose_name(const struct saved_config *config, const struct disk *disk, struct report *report)
{
	g_autofree char *plain = plain_name(disk->name);
	char *name = g_strdup(plain);

	for (unsigned i = 2; saved_object_find(config, name); i++) {
		g_free(name);
		name = g_strdup_printf("%s-%u", plain, i);
	}
	if (strcmp(name, disk->name))
		report_add(report, disk->place, "the disk %s is called %s here", disk->name, name);
	return name;
}

/* --- the storage --- */

static uint64_t block_device_size(const char *path)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint64_t size = 0;

	return fd >= 0 && !ioctl(fd, BLKGETSIZE64, &size) ? size : 0;
}

struct found {
	bool is_block;
	/* In bytes; 0 if unknown. */
	uint64_t size;
};

/* Examines the storage. If no handler can serve it, reports this and returns false. */
static bool look_at(const struct disk *disk, struct found *found, struct report *report)
{
	struct stat st;

	if (stat(disk->path, &st)) {
		found->is_block = g_str_has_prefix(disk->path, "/dev/");
		report_add(report, disk->place,
			   "the size of %s is not known, because on this machine it cannot be read: %s",
			   disk->path, strerror(errno));
		return true;
	}
	found->is_block = S_ISBLK(st.st_mode);
	found->size = found->is_block ? block_device_size(disk->path) : (uint64_t)st.st_size;
	if (found->is_block || S_ISREG(st.st_mode)) {
		if (!found->size)
			report_add(report, disk->place,
				   "the size of %s is not known: it is empty, or cannot be read", disk->path);
		return true;
	}
	report_add(report, disk->place,
		   "the disk %s is left out: %s is neither a regular file nor a block device", disk->name,
		   disk->path);
	return false;
}

/* Returns the option of the handler that says how writes are cached; "" if it is the handler's default. */
static const char *cache_option(const struct disk *disk, bool is_block)
{
	if (disk->is_write_through)
		return ";cache=writethrough";
	if (disk->is_direct)
		return is_block ? "" : ";cache=none";
	return is_block ? ";cache=writeback" : "";
}

static char *config_text(const struct disk *disk, const char *name, const struct found *found)
{
	CLEANUP_FREE char *escaped = storage_spec_escape(disk->path ? disk->path : name);

	if (!escaped)
		g_error("out of memory");
	if (!disk->path)
		return g_strconcat("null/", escaped, NULL);
	return g_strconcat(found->is_block ? "block/" : "file/", escaped, cache_option(disk, found->is_block),
			   NULL);
}

/* --- the identity --- */

static char *derive_serial(const struct disk *disk, const char *name, struct report *report)
{
	char machine[DIGEST_HEX_SIZE], *uuid = g_malloc(UUID_SIZE);
	uint8_t digest[DIGEST_SIZE];
	struct error error = {""};

	if (storage_machine_derive(MACHINE_ID, -1, machine, &error))
		report_add(report, disk->place,
			   "the serial number of %s is random, and another import gives another one: %s",
			   name, error.text);
	digest_texts((const char *const[]){"import", machine, disk->path ? disk->path : "", name, NULL},
		     digest);
	uuid_from_bytes(digest, uuid);
	return uuid;
}

static bool is_text(const char *text, size_t max)
{
	for (const char *c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			return false;
	return strlen(text) <= max && text[strspn(text, " ")];
}

static bool serial_is_used(const struct saved_config *config, const char *serial)
{
	for (guint i = 0; i < config->objects->len; i++) {
		const struct saved_object *object = g_ptr_array_index(config->objects, i);

		if (object->wwn && !strcmp(object->wwn, serial))
			return true;
	}
	return false;
}

static char *choose_serial(const struct saved_config *config, const struct disk *disk, const char *name,
			   struct report *report)
{
	if (!disk->serial)
		return derive_serial(disk, name, report);
	if (!is_text(disk->serial, SERIAL_MAX)) {
		report_add(report, disk->place,
			   "the disk %s gets a new serial number: '%s' is not 1 to %d printable ASCII "
			   "characters",
			   disk->name, disk->serial, SERIAL_MAX);
		return derive_serial(disk, name, report);
	}
	if (serial_is_used(config, disk->serial)) {
		report_add(report, disk->place,
			   "the disk %s gets a new serial number, because another disk has '%s' already",
			   disk->name, disk->serial);
		return derive_serial(disk, name, report);
	}
	return g_strdup(disk->serial);
}

static char *inquiry_text(const struct disk *disk, const char *what, const char *text, size_t max,
			  struct report *report)
{
	if (!text || is_text(text, max))
		return g_strdup(text);
	report_add(report, disk->place,
		   "the %s of the disk %s is left out: it is not 1 to %zu printable ASCII characters", what,
		   disk->name, max);
	return NULL;
}

/* --- the disk with all its settings --- */

static bool check(const struct disk *disk, struct report *report)
{
	if (disk->block_size && disk->block_size != 512 && disk->block_size != 4096) {
		report_add(
		    report, disk->place,
		    "the disk %s is left out: its block size is %u, and only 512 and 4096 are possible",
		    disk->name, disk->block_size);
		return false;
	}
	if (disk->path && *disk->path != '/') {
		report_add(report, disk->place,
			   "the disk %s is left out: its path '%s' does not begin with '/'", disk->name,
			   disk->path);
		return false;
	}
	return true;
}

struct saved_object *disk_save(struct saved_config *config, const struct disk *disk, struct report *report)
{
	struct found found = {.size = disk->path ? 0 : disk->size};
	unsigned block_size = disk->block_size ? disk->block_size : 512;

	if (!check(disk, report) || (disk->path && !look_at(disk, &found, report)))
		return NULL;

	g_autofree char *name = choose_name(config, disk, report);
	g_autofree char *serial = choose_serial(config, disk, name, report);
	struct saved_object *object = saved_object_add(config, name);

	object->config = config_text(disk, name, &found);
	object->wwn = g_steal_pointer(&serial);
	object->size = found.size - found.size % block_size;
	object->block_size = disk->block_size;
	object->read_only = disk->is_read_only;
	object->has_storage = disk->path;
	object->vendor = inquiry_text(disk, "vendor", disk->vendor, VENDOR_MAX, report);
	object->product = inquiry_text(disk, "product", disk->product, PRODUCT_MAX, report);
	object->revision = inquiry_text(disk, "revision", disk->revision, REVISION_MAX, report);
	return object;
}
