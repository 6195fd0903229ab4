/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of a disk in memory. They survive the process if the store (systemd's descriptor store) keeps
 * the memory. If they are lost, this is noticed, so that a disk never reads as zeros under the name that it
 * had. See README.md.
 */
#ifndef STORAGE_CONTENTS_H
#define STORAGE_CONTENTS_H

#include <stdbool.h>

#include "backstore/backstore.h"
#include "storage/identity.h"
#include "util/fd_store.h"

/* --- the registry's part: memory of the process before. Main thread. */

/*
 * Takes over the memory that store has kept, before anything is opened; store outlives the
 * registry.
 */
void storage_contents_adopt(struct storage_registry *registry, const struct fd_store *store);
/*
 * Drops memory that no disk has asked for within a minute after the start. To be called every few
 * seconds.
 */
void storage_contents_expire(struct storage_registry *registry);

/* --- of one opened disk */

struct storage_contents;

/*
 * Any thread. config and name are those of struct storage_object; former is the name under which an older
 * version has had the memory of the disk kept. serial: what the administrator has set; NULL or "": nothing.
 * NULL: there is no memory.
 */
struct storage_contents *storage_contents_new(struct storage_registry *registry, const char *config,
					      const char *name, const char *former, const char *serial);
/*
 * Any thread except a loop; may block. The administrator has set another serial number; NULL or "": none.
 * Returns whether contents under this number were lost: another disk had it.
 */
bool storage_contents_set_serial(struct storage_contents *contents, const char *serial);
/* What backstore_open() needs, in struct backstore_spec. */
const struct backstore_keeper *storage_contents_keeper(const struct storage_contents *contents);
/*
 * Any thread except a loop; may block. After backstore_open(): returns -EBUSY with error set if another
 * daemon with the same state folder serves a disk in memory under this name, or 0.
 */
int storage_contents_lock(struct storage_contents *contents, const struct backstore *bs, struct error *error);
/*
 * Any thread except a loop; may block. After backstore_open(): whether the disk had been written since the
 * boot of the host, and what was written is not there.
 */
bool storage_contents_are_lost(struct storage_contents *contents, const struct backstore *bs);
/* Returns whether the disk is in memory, and starts empty. */
bool storage_contents_are_new(const struct storage_contents *contents, const struct backstore *bs);
/*
 * Any thread except a loop; may block. The administrator accepts the loss: what was written before is
 * forgotten.
 */
void storage_contents_accept_loss(struct storage_contents *contents);
/*
 * Any thread except a loop; may block; after backstore_close(). forget: the disk is removed for ever, so its
 * memory is not kept any longer. A loss that nobody has accepted stays noted. NULL: nothing happens.
 */
void storage_contents_free(struct storage_contents *contents, bool forget);
#endif
