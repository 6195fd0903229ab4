/* SPDX-License-Identifier: Apache-2.0 */
/* Devices, groups and LUNs of SCST in memory, and the storage objects that are made from devices. */
#include "import/scst.h"

#include <string.h>

#include "import/disk.h"
#include "util/bytes.h"

/* The size of SCST's NULLIO device if no size is given. */
#define NULLIO_SIZE (UINT64_C(5) * 1024 * 1024 * 1024 * 1024 / 2)

struct scst_device *scst_device_find(const struct scst_config *config, const char *name)
{
	for (guint i = 0; i < config->devices->len; i++) {
		struct scst_device *device = g_ptr_array_index(config->devices, i);

		if (!strcmp(device->name, name))
			return device;
	}
	return NULL;
}

struct scst_device *scst_device_add(struct scst_config *config, const char *name, struct place place)
{
	struct scst_device *device;

	if (!*name || scst_device_find(config, name)) {
		report_add(config->report, place, "the device '%s' is left out: %s", name,
			   *name ? "the name already exists" : "it has no name");
		return NULL;
	}
	device = g_new0(struct scst_device, 1);
	device->name = g_strdup(name);
	device->place = place;
	g_ptr_array_add(config->devices, device);
	return device;
}

bool scst_device_set_flag(struct scst_device *device, const char *name, bool value)
{
	const struct {
		const char *name;
		bool *flag;
	} flags[] = {
	    {"NV_CACHE", &device->is_nv_cache},   {"WRITE_THROUGH", &device->is_write_through},
	    {"READ_ONLY", &device->is_read_only}, {"O_DIRECT", &device->is_direct},
	    {"NULLIO", &device->is_nullio},       {"BLOCKIO", &device->is_direct},
	    {"BLOCK_IO", &device->is_direct},     {"BIO", &device->is_direct},
	    {"DUMMY", &device->is_nullio},
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (!g_ascii_strcasecmp(name, flags[i].name)) {
			*flags[i].flag |= value;
			return true;
		}
	return false;
}

void scst_device_set_block_size(struct scst_config *config, struct scst_device *device, const char *text,
				struct place place)
{
	guint64 size;

	if (g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT32, &size, NULL)) {
		device->block_size = (unsigned)size;
		return;
	}
	device->is_left_out = true;
	report_add(config->report, place, "the device %s is left out: its block size is not a number",
		   device->name);
}

static void save_device(struct scst_config *config, struct scst_device *device)
{
	struct disk disk = {
	    .name = device->name,
	    .path = device->is_nullio ? NULL : device->path,
	    .size = device->size ? device->size : NULLIO_SIZE,
	    .block_size = device->block_size,
	    .is_direct = device->is_direct,
	    .is_write_through = device->is_write_through,
	    .is_read_only = device->is_read_only,
	    .serial = device->serial,
	    .place = device->place,
	};

	if (!device->is_nullio && !device->path) {
		report_add(config->report, device->place, "the device %s is left out: it has no file",
			   device->name);
		return;
	}
	if (device->is_nv_cache)
		report_add(config->report, device->place,
			   "the device %s has NV_CACHE: SCST ignores requests to flush its cache, and this "
			   "daemon does not ignore them",
			   device->name);
	device->object = disk_save(config->saved, &disk, config->report);
}

void scst_save_devices(struct scst_config *config)
{
	for (guint i = 0; i < config->devices->len; i++) {
		struct scst_device *device = g_ptr_array_index(config->devices, i);

		if (!device->is_left_out)
			save_device(config, device);
	}
}
