/* SPDX-License-Identifier: Apache-2.0 */
/* A folder for one test, and functions for its files. */
#ifndef FOLDER_H
#define FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

extern char folder[64];

/* Functions for cmocka: make and remove the folder. */
int folder_make(void **state);
int folder_remove(void **state);
/* Returns "FOLDER/NAME". The text is valid until the next call. */
const char *folder_path(const char *name);
void folder_put(const char *name, const char *text);
/* Returns the contents of the only file whose name has this suffix. The text is valid until the next call. */
char *folder_get(const char *suffix);
/* Returns the name of that file. The text is valid until the next call. */
const char *folder_find(const char *suffix);
#endif
