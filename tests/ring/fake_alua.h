/* SPDX-License-Identifier: Apache-2.0 */
/* Target port groups in a temporary tree, with the files and the texts that the kernel has. */
#ifndef TESTS_FAKE_ALUA_H
#define TESTS_FAKE_ALUA_H

#include <stddef.h>

/* Writes a file of the tree, e.g. "core/user_0/d1/alua/g/preferred", with the folders that lead to it. */
void fake_tree_set(const char *root, const char *file, const char *text);
char *fake_tree_get(const char *root, const char *file, char text[64]);

/* A group as it is when its number was just set; device: "core/user_0/d1". */
void fake_alua_group(const char *root, const char *device, const char *group, const char *id);
/* One file of it. */
void fake_alua_set(const char *root, const char *device, const char *group, const char *file,
		   const char *text);
/* Its members, NULL at the end: "loopback/naa.1/tpgt_1/lun_0". */
void fake_alua_members(const char *root, const char *device, const char *group, const char *const *lines);
/* A LUN of a fabric; lun: "loopback/naa.1/tpgt_1/lun/lun_0", port: its relative target port identifier. */
void fake_alua_lun(const char *root, const char *lun, const char *port);
#endif
