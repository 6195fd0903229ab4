/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runner/scsi asks a backstore that can read, write and flush, and nothing else. The test defines the
 * functions that read and write, and those that tell the name and the size.
 */
#include "backstore/backstore.h"

void backstore_hold(struct backstore_io *bio)
{
	(void)bio;
}

void backstore_scsi_cancel(struct backstore_scsi *bss)
{
	(void)bss;
}

bool backstore_has_flush(const struct backstore *bs)
{
	(void)bs;
	return true;
}

bool backstore_has_unmap(const struct backstore *bs)
{
	(void)bs;
	return false;
}

bool backstore_is_absent(const struct backstore *bs)
{
	(void)bs;
	return false;
}

bool backstore_has_scsi(const struct backstore *bs)
{
	(void)bs;
	return false;
}

bool backstore_has_usage(const struct backstore *bs)
{
	(void)bs;
	return false;
}

bool backstore_scsi(struct backstore_scsi *bss)
{
	(void)bss;
	return false;
}

bool backstore_can_lend(struct backstore *bs)
{
	(void)bs;
	return false;
}

void backstore_on_resize(struct backstore *bs, void (*fn)(void *arg, uint64_t new_size), void *arg)
{
	(void)bs, (void)fn, (void)arg;
}
