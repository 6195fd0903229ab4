/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of a disk in memory. They survive the process if the store (systemd's descriptor store) keeps
 * the memory. If they are lost, the loss is noticed, so that initiators never find zeros under the name of a
 * disk that had contents. README.md explains this.
 */
#ifndef STORAGE_CONTENTS_H
#define STORAGE_CONTENTS_H

#include <stdbool.h>

#include "backstore/backstore.h"
#include "storage/identity.h"
#include "util/fd_store.h"

/* --- the part of the registry: memory of the previous process. Main thread. */

/*
 * Takes over the memory that the store has kept. To be called before any disk is opened. The store must exist
 * longer than the registry.
 */
void storage_contents_adopt(struct storage_registry *registry, const struct fd_store *store);
/*
 * Drops memory that no disk has requested within one minute after the start. To be called every few seconds.
 */
void storage_contents_expire(struct storage_registry *registry);

/* --- the contents of one open disk */

struct storage_contents;

/*
 * Any thread. config and name are those of struct storage_object. former is the name under which an older
 * version has kept the memory of the disk. serial is the serial number that the administrator has set; NULL
 * or "" means none. Returns NULL if there is no memory.
 */
struct storage_contents *storage_contents_new(struct storage_registry *registry, const char *config,
					      const char *name, const char *former, const char *serial);
/*
 * Any thread except a loop; may block. To be called when the administrator has set another serial number;
 * NULL or "" means none. Returns whether contents under this serial number were lost, because another disk
 * had it.
 */
bool storage_contents_set_serial(struct storage_contents *contents, const char *serial);
/* Returns what backstore_open() needs in struct backstore_spec. */
const struct backstore_keeper *storage_contents_keeper(const struct storage_contents *contents);
/*
 * Any thread except a loop; may block. To be called after backstore_open(). Returns 0, or -EBUSY with error
 * set if another daemon with the same state folder serves a disk in memory under this name.
 */
int storage_contents_lock(struct storage_contents *contents, const struct backstore *bs, struct error *error);
/*
 * Any thread except a loop; may block. To be called after backstore_open(). Returns whether the disk was
 * written since the boot of the host and the written contents are lost.
 */
bool storage_contents_are_lost(struct storage_contents *contents, const struct backstore *bs);
/* Returns whether the disk is in memory and starts empty. */
bool storage_contents_are_new(const struct storage_contents *contents, const struct backstore *bs);
/*
 * Any thread except a loop; may block. To be called when the administrator accepts the loss. Removes the
 * record that the disk was written.
 */
void storage_contents_accept_loss(struct storage_contents *contents);
/*
 * Any thread except a loop; may block. To be called after backstore_close(). If forget is true, the disk is
 * removed forever, and its memory is not kept any longer. If nobody has accepted a loss, the record stays.
 * If contents is NULL, nothing happens.
 */
void storage_contents_free(struct storage_contents *contents, bool forget);
#endif
