/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of struct storage_settings (storage.h), which own their strings. */
#ifndef STORAGE_SETTINGS_H
#define STORAGE_SETTINGS_H

#include "storage/storage.h"

/* Any thread. Copies from with all its strings. Returns 0, or -ENOMEM; then to is empty. */
int storage_settings_copy(struct storage_settings *to, const struct storage_settings *from);
/* Any thread. Frees what storage_settings_copy() has filled; settings is empty afterwards. */
void storage_settings_clear(struct storage_settings *settings);
#endif
