/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of a test's own, and its files. */
#ifndef FOLDER_H
#define FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

extern char folder[64];

/* cmocka's: makes and removes the folder. */
int folder_make(void **state);
int folder_remove(void **state);
/* "FOLDER/NAME", valid until the next call. */
const char *folder_path(const char *name);
void folder_put(const char *name, const char *text);
/* The text of the only file whose name ends like this; valid until the next call. */
char *folder_get(const char *suffix);
/* The name of that file; valid until the next call. */
const char *folder_find(const char *suffix);
#endif
