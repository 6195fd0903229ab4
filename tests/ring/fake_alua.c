/* SPDX-License-Identifier: Apache-2.0 */
/* A fake of LIO's target port groups: files in a folder that takes the place of configfs. */
#include "fake_alua.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define PATH_SIZE 512

/* Writes a file of the tree, with the folders that lead to it. */
static void write_file(const char *root, const char *file, const char *text, size_t len)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", root, file);
	for (char *slash = path + strlen(root); (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		assert_true(!mkdir(path, 0700) || errno == EEXIST);
		*slash = '/';
	}
	FILE *out = fopen(path, "w");
	assert_non_null(out);
	assert_int_equal(fwrite(text, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

void fake_tree_set(const char *root, const char *file, const char *text)
{
	write_file(root, file, text, strlen(text));
}

char *fake_tree_get(const char *root, const char *file, char text[64])
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/%s", root, file);
	FILE *in = fopen(path, "r");
	assert_non_null(in);
	text[fread(text, 1, 63, in)] = '\0';
	fclose(in);
	return text;
}

void fake_alua_set(const char *root, const char *device, const char *group, const char *file,
		   const char *text)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/alua/%s/%s", device, group, file);
	fake_tree_set(root, path, text);
}

void fake_alua_group(const char *root, const char *device, const char *group, const char *id)
{
	static const char *const files[][2] = {
	    {"alua_access_state", "0\n"},
	    {"alua_access_status", "None\n"},
	    {"alua_access_type", "Implicit and Explicit\n"},
	    {"alua_support_active_nonoptimized", "1\n"},
	    {"alua_support_active_optimized", "1\n"},
	    {"alua_support_lba_dependent", "0\n"},
	    {"alua_support_offline", "1\n"},
	    {"alua_support_standby", "1\n"},
	    {"alua_support_transitioning", "1\n"},
	    {"alua_support_unavailable", "1\n"},
	    {"implicit_trans_secs", "0\n"},
	    {"members", ""},
	    {"preferred", "0\n"},
	};

	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		fake_alua_set(root, device, group, files[i][0], files[i][1]);
	fake_alua_set(root, device, group, "tg_pt_gp_id", id);
}

void fake_alua_members(const char *root, const char *device, const char *group, const char *const *lines)
{
	char path[PATH_SIZE], text[4096];
	size_t len = 0;

	for (; *lines; lines++) /* Each line ends with a NUL. */
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n", *lines) + 1;
	snprintf(path, sizeof(path), "%s/alua/%s/members", device, group);
	write_file(root, path, text, len);
}

void fake_alua_lun(const char *root, const char *lun, const char *port)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/statistics/scsi_port/indx", lun);
	fake_tree_set(root, path, port);
}
