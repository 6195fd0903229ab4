/* SPDX-License-Identifier: Apache-2.0 */
/* What a device serves: the backstore and LU of its configuration, with what the kernel's configfs says of
 * it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scsi/scsi.h"
#include "kernel/private.h"
#include "storage/spec.h"
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

static int choose_identity(const struct kernel_device *d, const struct kernel_lun *lun,
			   const char *configured, bool remember, struct storage_identity *identity,
			   struct error *error)
{
	const struct storage_object object = {
	    .config = backstore_config(lun->bs),
	    .storage = backstore_identity(lun->bs),
	    .name = d->label,
	    .configured = configured,
	};

	return storage_identity_choose(d->manager->registry, &object, remember, identity, error);
}

static int make_lu(struct kernel_device *d, const struct attributes *attributes, struct kernel_lun *lun,
		   struct error *error)
{
	struct storage_identity chosen;
	const struct scsi_identity identity = {.serial = chosen.serial, .naa = chosen.naa};

	/*
	 * This identity is used until the first command, see kernel_lun_identify(). Storage that is open is remembered from
	 * here on as served, so that it is not created once more when it is missing.
	 */
	if (!choose_identity(d, lun, NULL, !backstore_is_absent(lun->bs), &chosen, error))
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

/*
 * A kernel device has the identity that its administrator gave it. If its contents were lost, it is not ready, and initiators do
 * not take an empty disk for theirs. A device that was created just now has had none.
 */
static void settle_contents(struct kernel_device *d, struct kernel_lun *lun)
{
	if (!storage_contents_are_lost(lun->contents, lun->bs))
		return;
	if (!d->found || backstore_info(lun->bs)->flags & TCMUR_INFO_LOSS_ACCEPTED) {
		storage_contents_accept_loss(lun->contents);
		return;
	}
	log_err(d->subject, "not ready: its contents were lost with the memory of the daemon; write "
			    "attrib/dev_config again to serve an "
			    "empty disk");
	scsi_lu_set_blocked(lun->lu, true);
}

void kernel_lun_accept_loss(struct kernel_device *d)
{
	if (!d->lun.lu || !scsi_lu_is_blocked(d->lun.lu) ||
	    !storage_contents_are_lost(d->lun.contents, d->lun.bs))
		return;
	storage_contents_accept_loss(d->lun.contents);
	log_warn(d->subject, "it is an empty disk now: the loss of its contents was accepted");
	scsi_lu_set_blocked(d->lun.lu, false);
}

/* What configfs and dev_config say of the storage. */
static int make_spec(const struct kernel_device *d, const struct storage_spec *storage,
		     struct attributes *attributes, struct backstore_spec *spec, struct error *error)
{
	int err = read_attributes(d, attributes, error);

	if (err)
		return err;
	*spec = (struct backstore_spec){
	    .name = d->subject,
	    .config = storage->config,
	    .state_dir = d->manager->state_dir,
	    .options = storage->options,
	    .noptions = storage->noptions,
	    .filters = storage->backstore_filters,
	    .nfilters = storage->nfilters,
	    .size = attributes->size,
	    .block_size = (uint32_t)attributes->block_size,
	};
	return 0;
}

static int open_with(struct kernel_device *d, const struct storage_spec *storage,
		     struct backstore *(*open_backstore)(struct loop_set *set,
							 const struct backstore_spec *spec,
							 struct error *error),
		     bool existing, struct kernel_lun *lun, struct error *error)
{
	struct attributes attributes;
	struct backstore_spec spec;
	int err = make_spec(d, storage, &attributes, &spec, error);

	if (err)
		return err;
	spec.existing = existing;
	lun->contents = storage_contents_new(d->manager->registry, storage->config, d->label);
	if (!lun->contents)
		return error_set(error, ENOMEM, "out of memory");
	spec.create = !existing;
	spec.keeper = storage_contents_keeper(lun->contents);
	lun->bs = open_backstore(d->manager->set, &spec, error);
	err = lun->bs ? make_lu(d, &attributes, lun, error) : -errno;
	if (!err) {
		storage_spec_print_options(storage, lun->options, sizeof(lun->options));
		settle_contents(d, lun);
		return 0;
	}
	storage_contents_free(lun->contents, false);
	lun->contents = NULL;
	return err;
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
		/* The storage has no write cache, so configfs must not show one. */
		kernel_on_write_cache(d);
}

void kernel_lun_take_over(struct kernel_device *d)
{
	if (d->lun.lu && !backstore_is_absent(d->lun.bs) &&
	    scsi_lu_set_write_cache(d->next.lu, scsi_lu_write_cache(d->lun.lu)))
		kernel_on_write_cache(d);
}

/* The place of storage whose folder is missing, too, by its text alone. */
static void set_textual_place(const struct kernel_device *d, const char *config,
			      struct tcmur_identity *identity)
{
	const char *path = strchr(config, '/') + 1;

	snprintf(identity->place, sizeof(identity->place), "%s%s%s",
		 *path == '/' ? "" : d->manager->state_dir, *path == '/' ? "" : "/", path);
}

/*
 * Creates storage that is missing, but only if it has never been served before. Otherwise its file system may not be
 * mounted, and initiators would take an empty disk for theirs: -ENOMEDIUM.
 */
static int create(struct kernel_device *d, const struct storage_spec *storage, struct kernel_lun *lun,
		  struct error *error)
{
	struct tcmur_identity identity = {.own = ""};
	struct attributes attributes;
	struct backstore_spec spec;
	int err = make_spec(d, storage, &attributes, &spec, error);

	if (err)
		return err;
	if (backstore_identify(&spec, &identity, NULL) < 0)
		set_textual_place(d, storage->config, &identity);
	const struct storage_object object = {
	    .config = storage->config, .storage = &identity, .name = d->label, .configured = NULL};
	if (storage_identity_is_known(d->manager->registry, &object))
		return error_set(
		    error, ENOMEDIUM,
		    "%s is missing. It has been served before, so it is not created again; mount its "
		    "file system or restore it, or create it to begin with an empty disk: truncate -s "
		    "%" PRIu64 " %s",
		    identity.place, attributes.size, identity.place);
	return open_with(d, storage, backstore_open, false, lun, error);
}

/*
 * Storage that exists is taken as it is: an administrator enlarges it first, and dev_size after that. Storage that is
 * missing is created for a new device only.
 */
int kernel_lun_open(struct kernel_device *d, const char *config, bool make, struct kernel_lun *lun,
		    struct error *error)
{
	struct storage_spec storage;
	int err = storage_spec_check_literal(config, d->manager->state_dir, error);

	if (!err)
		err = storage_spec_parse(&storage, config, error);
	if (err)
		return err;
	err = open_with(d, &storage, backstore_open, true, lun, error);
	if (err == -ENOENT && make)
		err = create(d, &storage, lun, error);
	storage_spec_free(&storage);
	if (!err && (backstore_info(lun->bs)->flags & (TCMUR_INFO_CREATED | TCMUR_INFO_VOLATILE)) ==
			TCMUR_INFO_CREATED)
		log_info(d->subject, "the storage %s did not exist and was created", config);
	if (!err)
		settle_write_cache(d, lun);
	return err;
}

/* The stand-in has the identity of the storage, whatever the options are and whether they are right. */
int kernel_lun_open_absent(struct kernel_device *d, struct kernel_lun *lun, struct error *error)
{
	struct storage_spec storage;

	if (storage_spec_parse(&storage, d->name.config, NULL))
		storage.config = d->name.config;
	int err = open_with(d, &storage, backstore_open_absent, true, lun, error);
	storage_spec_free(&storage);
	return err;
}

void kernel_lun_close(struct kernel_lun *lun, bool forget)
{
	if (!lun->lu)
		return;
	storage_unit_leave(lun->unit);
	scsi_lu_free(lun->lu);
	backstore_close(lun->bs);
	storage_contents_free(lun->contents, forget);
	*lun = (struct kernel_lun){0};
}

void kernel_lun_expiry(struct kernel_device *d)
{
	struct error error;

	d->device.time_out = KERNEL_TIME_OUT;
	if (tcmu_configfs_read_u64(&d->cfs, "attrib/cmd_time_out", &d->device.time_out, &error))
		log_warn(d->subject, "%s", error.text);
}

/* Two units with one identity would be one disk with two contents for every initiator. */
static void enter_unit(struct kernel_device *d, const struct storage_identity *identity)
{
	struct error error;

	d->lun.unit = storage_unit_enter(d->manager->registry, d, d->label, identity, &error);
	if (d->lun.unit)
		return;
	log_err(d->subject, "not ready: %s, in wwn/vpd_unit_serial, and create the device again", error.text);
	scsi_lu_set_blocked(d->lun.lu, true);
}

/*
 * wwn/vpd_unit_serial may be set until a LUN leads to the device. This is usually after the device was enabled, and no event
 * tells us. So the attribute is read at the first command.
 */
void kernel_lun_identify(struct kernel_device *d)
{
	char serial[SERIAL_SIZE] = "";
	struct storage_identity identity;
	struct error error;

	if (tcmu_configfs_serial(&d->cfs, serial, sizeof(serial), &error))
		log_warn(d->subject, "%s", error.text);
	if (choose_identity(d, &d->lun, serial, !backstore_is_absent(d->lun.bs), &identity, &error)) {
		log_err(d->subject, "%s", error.text);
		return;
	}
	scsi_lu_set_serial(d->lun.lu, identity.serial, identity.naa);
	storage_unit_leave(d->lun.unit);
	enter_unit(d, &identity);
}
