/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the name of a block device in what the kernel and udev report. A path such as /dev/sdb may belong to
 * another disk after each reboot, so it is used only if the device has no name of its own.
 *
 * A name that is unique in the world becomes identity->own. A name that is unique only among the disks of one
 * machine, such as the serial numbers that virtual machines give to their disks, becomes identity->place; the
 * daemon combines it with the ID of this machine.
 */
#include "identity.h"
#include "options.h"
#include "sysfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define VPD_83_MAX 4096
#define VALUE_SIZE 192

/* SPC-4 7.8.6.1 */
#define ASSOCIATION(descriptor) ((descriptor)[1] >> 4 & 3)
#define TYPE(descriptor)        ((descriptor)[1] & 15)
enum { TYPE_T10_VENDOR = 1, TYPE_EUI64 = 2, TYPE_NAA = 3, TYPE_NAME = 8 };

/* --- partition UUID --- */

/*
 * Finds the UUID of a partition, which the kernel and udev read from the partition table. The UUID of an MBR
 * partition consists only of a 32-bit number and the partition's index, so it is not unique.
 */
static bool find_partition_uuid(dev_t device, char *text, size_t len, bool *unique)
{
	char uuid[VALUE_SIZE];

	if (!sysfs_uevent(device, "PARTUUID", uuid, sizeof(uuid)) &&
	    !udev_property(device, "ID_PART_ENTRY_UUID", uuid, sizeof(uuid)))
		return false;
	*unique = strlen(uuid) == 36;
	snprintf(text, len, "partuuid:%s", uuid);
	return true;
}

/* --- device mapper: LVM, multipath and others assign UUIDs to their devices --- */

static bool find_mapper_uuid(dev_t device, char *text, size_t len, bool *unique)
{
	char value[VALUE_SIZE];

	*unique = sysfs_own_text(device, "dm/uuid", value, sizeof(value));
	if (!*unique && !sysfs_own_text(device, "dm/name", value, sizeof(value)))
		return false;
	snprintf(text, len, "dm:%s", value);
	return true;
}

/* --- VPD page 83h --- */

/*
 * Returns a rank that says how well a designator identifies the logical unit, or 0 if it identifies something
 * else. Linux prefers designators in the same order.
 */
static int rank_designator(const uint8_t *descriptor)
{
	static const int ranks[16] = {
	    [TYPE_NAA] = 4, [TYPE_EUI64] = 3, [TYPE_NAME] = 2, [TYPE_T10_VENDOR] = 1};

	return ASSOCIATION(descriptor) || !descriptor[3] ? 0 : ranks[TYPE(descriptor)];
}

bool block_vpd83_name(const uint8_t *page, size_t len, char *text, size_t text_len, bool *unique)
{
	const uint8_t *best = NULL;

	for (size_t at = 4; at + 4 <= len && at + 4 + page[at + 3] <= len; at += 4u + page[at + 3])
		if (rank_designator(&page[at]) > (best ? rank_designator(best) : 0))
			best = &page[at];
	if (!best || 8 + 2u * best[3] >= text_len)
		return false;
	/* The vendor chooses the rest of a T10 designator, and virtual machines all begin to count at 1. */
	*unique = TYPE(best) != TYPE_T10_VENDOR;
	text += sprintf(text, "vpd83:%u.", TYPE(best));
	for (unsigned i = 0; i < best[3]; i++)
		text += sprintf(text, "%02x", best[4 + i]);
	return true;
}

static bool find_vpd83(dev_t device, char *text, size_t len, bool *unique)
{
	uint8_t page[VPD_83_MAX];
	size_t n = sysfs_bytes(device, "device/vpd_pg83", page, sizeof(page));

	return n && block_vpd83_name(page, n, text, len, unique);
}

/* --- wwid, and names for devices that have none --- */

static bool find_wwid(dev_t device, char *text, size_t len, bool *unique)
{
	static const char *const attributes[] = {"wwid", "device/wwid", "device/cid"};
	static const char *const properties[] = {"ID_WWN_WITH_EXTENSION", "ID_WWN", "MD_UUID"};
	char value[VALUE_SIZE] = "";

	for (unsigned i = 0; i < 3 && !value[0]; i++)
		sysfs_own_text(device, attributes[i], value, sizeof(value));
	for (unsigned i = 0; i < 3 && !value[0]; i++)
		udev_property(device, properties[i], value, sizeof(value));
	*unique = strncmp(value, "t10.", 4) != 0;
	snprintf(text, len, "wwid:%s", value);
	return value[0];
}

/* A loop device is identified by its backing file: with another backing file, it is another disk. */
static bool find_loop_file(dev_t device, char *text, size_t len, bool *unique)
{
	char file[4000];

	if (!sysfs_own_text(device, "loop/backing_file", file, sizeof(file)))
		return false;
	*unique = false;
	snprintf(text, len, "loop:%s@%llu", file, (unsigned long long)sysfs_number(device, "loop/offset", 0));
	return true;
}

/* Returns false if the device has no name except its path. */
static bool find_name(dev_t device, char *text, size_t len, bool *unique)
{
	static bool (*const find[])(dev_t device, char *text, size_t len, bool *unique) = {
	    find_partition_uuid, find_mapper_uuid, find_vpd83, find_wwid, find_loop_file};

	for (unsigned i = 0; i < sizeof(find) / sizeof(find[0]); i++)
		if (find[i](device, text, len, unique))
			return true;
	return false;
}

/* A partition without a UUID is identified by its disk and its number. */
static bool find_name_by_disk(dev_t device, char *text, size_t len, bool *unique)
{
	char number[16];
	dev_t disk;

	if (!sysfs_own_text(device, "partition", number, sizeof(number)) || !sysfs_disk(device, &disk) ||
	    !find_name(disk, text, len, unique))
		return false;
	size_t used = strlen(text);
	return snprintf(text + used, len - used, ":part%s", number) < (int)(len - used);
}

int block_identify(const struct tcmur_open *open, struct tcmur_identity *identity)
{
	char name[sizeof(identity->place)];
	struct stat st;
	bool unique;
	int result = config_place(open, identity->place, sizeof(identity->place));

	if (result < 0)
		return result;
	if (stat(identity->place, &st) < 0 || !S_ISBLK(st.st_mode))
		return 0;
	if (find_name(st.st_rdev, name, sizeof(name), &unique) ||
	    find_name_by_disk(st.st_rdev, name, sizeof(name), &unique)) {
		if (unique && strlen(name) < sizeof(identity->own))
			strcpy(identity->own, name);
		else
			strcpy(identity->place, name);
	} else {
		tcmur_log(
		    open->lun, TCMUR_LOG_WARN,
		    "%s: the device has no UUID, VPD page 83h or wwid; its serial number is derived from the "
		    "path, which may lead to another disk after a reboot, unless a serial number is set",
		    identity->place);
	}
	return 0;
}
