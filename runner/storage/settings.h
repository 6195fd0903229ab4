/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of struct storage_settings (storage.h), which own their strings. */
#ifndef STORAGE_SETTINGS_H
#define STORAGE_SETTINGS_H

#include "storage/storage.h"

/* Any thread. Copies the settings with all their strings. Returns 0, or -ENOMEM; in this case to is empty. */
int storage_settings_copy(struct storage_settings *to, const struct storage_settings *from);
/* Any thread. Frees the strings of a copy. settings is empty afterwards. */
void storage_settings_clear(struct storage_settings *settings);
#endif
