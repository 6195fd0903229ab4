/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the settings of a device's storage from the kernel's configfs: size and limits, the write cache, the
 * serial number and the command time-out. runner/storage opens, identifies and closes the storage.
 */
#include <errno.h>

#include "kernel/private.h"
#include "scsi/scsi.h"
#include "util/cleanup.h"
#include "util/log.h"

#define SERIAL_SIZE 224

/* --- open and close --- */

void kernel_note_size(struct kernel_device *d, uint64_t size)
{
	SCOPE_LOCK(&d->manager->lock);

	d->configured_size = size;
}

/* Reads the settings from configfs. Their strings belong to config and to the device. */
static int read_settings(struct kernel_device *d, const char *config, bool make,
			 struct storage_settings *settings, struct error *error)
{
	uint64_t size, block_size, max_sectors;
	int err = tcmu_configfs_read_u64(&d->cfs, "attrib/dev_size", &size, error);

	if (!err)
		kernel_note_size(d, size);
	if (!err)
		err = tcmu_configfs_read_u64(&d->cfs, "attrib/hw_block_size", &block_size, error);
	if (!err)
		err = tcmu_configfs_read_u64(&d->cfs, "attrib/hw_max_sectors", &max_sectors, error);
	if (err)
		return err;
	*settings = (struct storage_settings){
	    .config = config,
	    .folder = d->manager->state_dir,
	    .size = size,
	    .block_size = (uint32_t)block_size,
	    .max_transfer = max_sectors * block_size,
	    /* An administrator enlarges the storage first, and then writes dev_size. */
	    .existing = true,
	    .keeps_size = true,
	    .create = make,
	    /* settle_write_cache() sets this. */
	    .write_cache = -1,
	};
	return 0;
}

typedef int open_fn(const struct storage_lu_request *request, struct storage_lu **lu, struct error *error);

static int open_with(open_fn *open, struct kernel_device *d, const char *config, bool make,
		     struct storage_lu **lun, struct error *error)
{
	struct storage_settings settings;
	int err = read_settings(d, config, make, &settings, error);

	if (err)
		return err;
	const struct storage_lu_request request = {
	    .loops = d->manager->set,
	    .registry = d->manager->registry,
	    .settings = &settings,
	    .name = d->label,
	    .subject = d->subject,
	    .owner = d,
	    /*
	     * The device may have the same storage as before, with other options or filters. A stand-in has
	     * no open storage.
	     */
	    .replaced = d->lun && !storage_lu_is_absent(d->lun) ? d->lun : NULL,
	    /* kernel_lun_identify() chooses the identity. */
	    .is_identified_later = true,
	    .is_identity_fixed = true,
	    /* A device that has just been created had no contents that could be lost. */
	    .is_loss_accepted = !d->found,
	};
	err = open(&request, lun, error);
	if (err)
		return err;
	scsi_lu_on_write_cache(storage_lu_scsi(*lun), kernel_on_write_cache, d);
	scsi_lu_set_alua_ops(storage_lu_scsi(*lun), &kernel_alua_ops, d);
	return 0;
}

/*
 * Makes the attribute emulate_write_cache and the storage agree. For a new device, the attribute has the
 * kernel's default 0, which nobody has chosen, so it is set to what the storage has. For a device that
 * existed before the daemon started, the attribute has been chosen, so the storage follows it.
 */
static void settle_write_cache(struct kernel_device *d, struct storage_lu *lun)
{
	const struct tcmur_info *info = backstore_info(storage_lu_backstore(lun));
	struct error error;
	uint64_t on;

	if (!d->found && !d->attached)
		tcmu_configfs_write(&d->cfs, "attrib/emulate_write_cache",
				    info->write_cache && !info->write_cache_off ? "1" : "0", NULL);
	else if (tcmu_configfs_read_u64(&d->cfs, "attrib/emulate_write_cache", &on, &error))
		log_warn(d->subject, "%s", error.text);
	else if (scsi_lu_set_write_cache(storage_lu_scsi(lun), on))
		/* The storage has no write cache, so the attribute must not show one. */
		kernel_on_write_cache(d);
}

static void log_if_lost(const struct kernel_device *d, const struct storage_lu *lun)
{
	if (storage_lu_is_lost(lun))
		log_err(d->subject, "not ready: its contents were lost with the memory of the daemon; write "
				    "attrib/dev_config again to serve an empty disk");
}

static void log_what_was_found(const struct kernel_device *d, const char *config,
			       const struct storage_lu *lun)
{
	if (storage_lu_was_created(lun))
		log_info(d->subject, "the storage %s did not exist and was created", config);
	log_if_lost(d, lun);
}

int kernel_lun_open(struct kernel_device *d, const char *config, bool make, struct storage_lu **lun,
		    struct error *error)
{
	int err = open_with(storage_lu_open, d, config, make, lun, error);

	if (err)
		return err;
	log_what_was_found(d, config, *lun);
	settle_write_cache(d, *lun);
	return 0;
}

int kernel_lun_open_absent(struct kernel_device *d, struct storage_lu **lun, struct error *error)
{
	return open_with(storage_lu_open_absent, d, d->name.config, false, lun, error);
}

void kernel_lun_close(struct storage_lu *lun, bool forget)
{
	if (lun && forget)
		storage_lu_forget(lun);
	storage_lu_close(lun);
}

/* --- while it is served --- */

void kernel_lun_accept_loss(struct kernel_device *d)
{
	if (!d->lun || !storage_lu_is_lost(d->lun))
		return;
	storage_lu_accept_loss(d->lun);
	log_warn(d->subject, "it is an empty disk now: the loss of its contents was accepted");
}

void kernel_lun_take_over(struct kernel_device *d)
{
	if (d->lun && !storage_lu_is_absent(d->lun) &&
	    scsi_lu_set_write_cache(storage_lu_scsi(d->next), scsi_lu_write_cache(storage_lu_scsi(d->lun))))
		kernel_on_write_cache(d);
}

void kernel_lun_read_time_out(struct kernel_device *d)
{
	struct error error;

	d->device.time_out = KERNEL_TIME_OUT;
	if (tcmu_configfs_read_u64(&d->cfs, "attrib/cmd_time_out", &d->device.time_out, &error))
		log_warn(d->subject, "%s", error.text);
}

/*
 * Reads the serial number when the first command arrives. wwn/vpd_unit_serial can be set until a LUN leads to
 * the device, which usually happens after the device was enabled, and no event reports the change.
 */
void kernel_lun_identify(struct kernel_device *d)
{
	char serial[SERIAL_SIZE] = "";
	struct error error;

	if (tcmu_configfs_serial(&d->cfs, serial, sizeof(serial), &error))
		log_warn(d->subject, "%s", error.text);
	bool was_lost = storage_lu_is_lost(d->lun);
	int err = storage_lu_identify(d->lun, serial, &error);
	if (err != -EEXIST) {
		if (err)
			log_err(d->subject, "%s", error.text);
		else if (!was_lost)
			log_if_lost(d, d->lun);
		return;
	}
	/*
	 * Initiators would take two logical units with the same identity for one disk, although they have
	 * different contents.
	 */
	log_err(d->subject, "not ready: %s, in wwn/vpd_unit_serial, and create the device again", error.text);
	scsi_lu_set_blocked(storage_lu_scsi(d->lun), true);
}
