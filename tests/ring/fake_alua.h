/* SPDX-License-Identifier: Apache-2.0 */
/* Target port groups in a temporary tree, with the files and the texts that the kernel has. */
#ifndef TESTS_FAKE_ALUA_H
#define TESTS_FAKE_ALUA_H

#include <stddef.h>

/*
 * Writes a file of the tree, for example "core/user_0/d1/alua/g/preferred", and creates the folders on its
 * path.
 */
void fake_tree_set(const char *root, const char *file, const char *text);
char *fake_tree_get(const char *root, const char *file, char text[64]);

/* Makes a group as it is when its number has just been set. device is for example "core/user_0/d1". */
void fake_alua_group(const char *root, const char *device, const char *group, const char *id);
/* Sets one file of the group. */
void fake_alua_set(const char *root, const char *device, const char *group, const char *file,
		   const char *text);
/* Sets the members of the group, for example "loopback/naa.1/tpgt_1/lun_0". The list ends with NULL. */
void fake_alua_members(const char *root, const char *device, const char *group, const char *const *lines);
/*
 * Makes a LUN of a fabric. lun is for example "loopback/naa.1/tpgt_1/lun/lun_0"; port is its relative target
 * port identifier.
 */
void fake_alua_lun(const char *root, const char *lun, const char *port);
#endif
