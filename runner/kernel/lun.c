/* SPDX-License-Identifier: Apache-2.0 */
/* What a device serves: the backstore and LU of its configuration, with what the kernel's configfs says of
 * it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scsi/scsi.h"
#include "kernel/private.h"
#include "util/log.h"

#define SERIAL_SIZE 224

/* What the kernel knows of the device. */
struct attributes {
	uint64_t size, block_size, max_sectors;
};

static int read_attributes(const struct kernel_device *d, struct attributes *attributes, struct error *error)
{
	int err = tcmu_configfs_read_u64(&d->cfs, "attrib/dev_size", &attributes->size, error);

	if (!err)
		err = tcmu_configfs_read_u64(&d->cfs, "attrib/hw_block_size", &attributes->block_size, error);
	if (!err)
		err =
		    tcmu_configfs_read_u64(&d->cfs, "attrib/hw_max_sectors", &attributes->max_sectors, error);
	return err;
}

/* Without a serial number from the administrator: one that stays, from what the device is called. */
static void derive_serial(const struct kernel_device *d, char serial[SERIAL_SIZE])
{
	uint64_t half[2] = {0xcbf29ce484222325u, 0x84222325cbf29ce4u}; /* FNV-1a from two starts */

	for (const char *text = d->label; *text; text++)
		for (unsigned i = 0; i < 2; i++)
			half[i] = (half[i] ^ (uint8_t)*text) * 0x100000001b3u;
	snprintf(serial, SERIAL_SIZE, "%016" PRIx64 "%016" PRIx64, half[0], half[1]);
}

static int make_lu(struct kernel_device *d, const struct attributes *attributes, struct kernel_lun *lun,
		   struct error *error)
{
	char serial[SERIAL_SIZE];
	const struct scsi_identity identity = {.serial = serial};

	derive_serial(d, serial); /* until the first command, see kernel_lun_identify() */
	lun->lu = scsi_lu_new(d->manager->set, lun->bs, &identity, error);
	if (lun->lu) {
		scsi_lu_on_write_cache(lun->lu, kernel_on_write_cache, d);
		scsi_lu_set_alua_ops(lun->lu, &kernel_alua_ops, d);
		scsi_lu_limit_transfer(lun->lu, attributes->max_sectors * attributes->block_size);
		return 0;
	}
	backstore_close(lun->bs);
	lun->bs = NULL;
	return -EINVAL;
}

static int open_with(struct kernel_device *d, const char *config,
		     struct backstore *(*open_backstore)(struct loop_set *set,
							 const struct backstore_spec *spec,
							 struct error *error),
		     bool existing, struct kernel_lun *lun, struct error *error)
{
	struct attributes attributes;
	int err = read_attributes(d, &attributes, error);

	if (err)
		return err;
	const struct backstore_spec spec = {
	    .name = d->subject,
	    .config = config,
	    .state_dir = d->manager->state_dir,
	    .size = attributes.size,
	    .block_size = (uint32_t)attributes.block_size,
	    .existing = existing,
	};
	lun->bs = open_backstore(d->manager->set, &spec, error);
	return lun->bs ? make_lu(d, &attributes, lun, error) : -errno;
}

/*
 * emulate_write_cache of a new device is the kernel's 0, which says nothing: it is made to tell the truth. Of
 * a device that was there before us it is what was decided.
 */
static void settle_write_cache(struct kernel_device *d, struct kernel_lun *lun)
{
	const struct tcmur_info *info = backstore_info(lun->bs);
	struct error error;
	uint64_t on;

	if (!d->found && !d->attached)
		tcmu_configfs_write(&d->cfs, "attrib/emulate_write_cache",
				    info->write_cache && !info->write_cache_off ? "1" : "0", NULL);
	else if (tcmu_configfs_read_u64(&d->cfs, "attrib/emulate_write_cache", &on, &error))
		log_warn(d->subject, "%s", error.text);
	else if (scsi_lu_set_write_cache(lun->lu, on))
		kernel_on_write_cache(d); /* there is none: nobody shall believe in it */
}

void kernel_lun_take_over(struct kernel_device *d)
{
	if (d->lun.lu && !backstore_is_absent(d->lun.bs) &&
	    scsi_lu_set_write_cache(d->next.lu, scsi_lu_write_cache(d->lun.lu)))
		kernel_on_write_cache(d);
}

/*
 * Storage that is there is taken as it is: an administrator enlarges it first, and dev_size after that. It is made for a
 * new device only. That of others is missing where it is, maybe since its file system is not mounted; an empty one in its
 * place would be taken for theirs.
 */
int kernel_lun_open(struct kernel_device *d, const char *config, bool make, struct kernel_lun *lun,
		    struct error *error)
{
	int err = open_with(d, config, backstore_open, true, lun, error);

	if (err == -ENOENT && make)
		err = open_with(d, config, backstore_open, false, lun, error);
	if (!err)
		settle_write_cache(d, lun);
	return err;
}

int kernel_lun_open_absent(struct kernel_device *d, struct kernel_lun *lun, struct error *error)
{
	return open_with(d, d->name.config, backstore_open_absent, true, lun, error);
}

void kernel_lun_close(struct kernel_lun *lun)
{
	if (!lun->lu)
		return;
	scsi_lu_free(lun->lu);
	backstore_close(lun->bs);
	*lun = (struct kernel_lun){0};
}

void kernel_lun_expiry(struct kernel_device *d)
{
	struct error error;

	d->device.time_out = KERNEL_TIME_OUT;
	if (tcmu_configfs_read_u64(&d->cfs, "attrib/cmd_time_out", &d->device.time_out, &error))
		log_warn(d->subject, "%s", error.text);
}

/* wwn/vpd_unit_serial may be set up to the moment when a LUN leads to the device, usually after it was enabled, and
 * nobody tells. */
void kernel_lun_identify(struct kernel_device *d)
{
	char serial[SERIAL_SIZE] = "";
	struct error error;

	if (tcmu_configfs_serial(&d->cfs, serial, sizeof(serial), &error))
		log_warn(d->subject, "%s", error.text);
	if (!serial[0])
		derive_serial(d, serial);
	scsi_lu_set_serial(d->lun.lu, serial);
}
