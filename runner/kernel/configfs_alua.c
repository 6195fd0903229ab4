/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the target port groups of a device and their members. */
#include "kernel/configfs_alua.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/bytes.h"

/* The buffer is larger than the kernel's page, at whose end the kernel cuts the list. */
#define MEMBERS_MAX (32u << 10)
#define LINE_MAX    512

/* The state while the groups are being read. */
struct reader {
	const struct tcmu_configfs *device;
	void (*visit)(void *arg, const char *folder);
	void *arg;
	struct scsi_alua *alua;
	struct error *error;
};

static void visit(const struct reader *r, const char *folder)
{
	if (r->visit)
		r->visit(r->arg, folder);
}

/* Returns whether the folder was removed while it was read. It then counts as missing. */
static bool vanished(int err, const struct tcmu_configfs *folder)
{
	return err == -ENOENT && access(folder->path, F_OK);
}

/* --- members: lines "FABRIC/WWN/tpgt_N/lun_M" --- */

enum { FABRIC, WWN, TPG, LUN, PARTS };

/* Splits a line into its parts, which become parts of paths. */
static bool split_line(const char *line, char text[LINE_MAX], char *parts[PARTS])
{
	char *rest = text;

	if (strlen(line) >= LINE_MAX)
		return false;
	strcpy(text, line);
	for (unsigned i = 0; i < PARTS; i++) {
		parts[i] = strsep(&rest, "/");
		if (!parts[i] || !parts[i][0] || parts[i][0] == '.')
			return false;
	}
	return !rest && !strncmp(parts[TPG], "tpgt_", 5) && !strncmp(parts[LUN], "lun_", 4);
}

static int read_port(const struct reader *r, const struct tcmu_configfs *tpg, const struct tcmu_configfs *lun,
		     struct scsi_alua_port *port)
{
	int err = tcmu_configfs_read_u16(lun, "statistics/scsi_port/indx", &port->id, r->error);

	if (err)
		return err;
	err = tcmu_configfs_read_byte(tpg, "enable", 1, &port->enabled, r->error);
	if (err == -ENOENT) { /* The fabric has no such switch. */
		port->enabled = 1;
		err = 0;
	}
	return err;
}

/* Finds the folder of the member that a line names, and the folder of its TPG. */
static int find_member(const struct reader *r, const struct tcmu_configfs *group, const char *line,
		       struct tcmu_configfs *tpg, struct tcmu_configfs *lun)
{
	char text[LINE_MAX], *parts[PARTS];

	if (!split_line(line, text, parts))
		return error_set(r->error, EINVAL, "%s/members: '%.100s' is not a LUN", group->path, line);
	/* The kernel writes "iSCSI" into this list, but the folder is called "iscsi". */
	const char *fabric = strcmp(parts[FABRIC], "iSCSI") ? parts[FABRIC] : "iscsi";
	int err = tcmu_configfs_folder(tpg, r->error, "%s/%s/%s/%s", tcmu_configfs_root(), fabric, parts[WWN],
				       parts[TPG]);

	return err ? err : tcmu_configfs_folder(lun, r->error, "%s/lun/%s", tpg->path, parts[LUN]);
}

static int add_member(struct reader *r, const struct tcmu_configfs *group, const char *line)
{
	struct scsi_alua *alua = r->alua;
	struct tcmu_configfs tpg, lun;
	int err = find_member(r, group, line, &tpg, &lun);

	if (err)
		return err;
	if (alua->nports == SCSI_ALUA_PORTS_MAX)
		return error_set(r->error, E2BIG, "%s: more than %d LUNs lead there", r->device->path,
				 SCSI_ALUA_PORTS_MAX);
	visit(r, tpg.path);
	visit(r, lun.path);
	struct scsi_alua_port port = {.group = (uint8_t)alua->ngroups};
	err = read_port(r, &tpg, &lun, &port);
	if (!err)
		alua->ports[alua->nports++] = port;
	return vanished(err, &lun) ? 0 : err;
}

static int read_members(struct reader *r, const struct tcmu_configfs *group)
{
	char text[MEMBERS_MAX + 1], *rest = text, *line;
	ssize_t n = tcmu_configfs_read_all(group, "members", text, MEMBERS_MAX, r->error);

	if (n < 0)
		return (int)n;
	if (n == MEMBERS_MAX)
		return error_set(r->error, E2BIG, "%s/members: too long", group->path);
	for (ssize_t i = 0; i < n; i++)
		if (!text[i]) /* The kernel puts a NUL after each line. */
			text[i] = '\n';
	text[n] = '\0';
	int err = 0;
	while (!err && (line = strsep(&rest, "\n")))
		err = line[0] ? add_member(r, group, line) : 0;
	return err;
}

/* --- reading all groups --- */

/*
 * Adds a group unless it has no members. Such a group is not reported, because a group has at least one port
 * (SPC-4 6.37).
 */
static int add_group(struct reader *r, const struct tcmu_configfs *folder)
{
	struct scsi_alua *alua = r->alua;
	struct scsi_alua_group group = {0};
	unsigned before = alua->nports;

	visit(r, folder->path);
	int err = tcmu_configfs_alua_group(folder, &group, r->error);
	if (!err)
		err = read_members(r, folder);
	if (err > 0 || vanished(err, folder)) {
		alua->nports = before;
		return 0;
	}
	if (err || alua->nports == before)
		return err;
	if (alua->ngroups == SCSI_ALUA_GROUPS_MAX)
		return error_set(r->error, E2BIG, "%s/alua: more than %d groups", r->device->path,
				 SCSI_ALUA_GROUPS_MAX);
	alua->groups[alua->ngroups++] = group;
	return 0;
}

static int is_name(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/*
 * Calls fn with the folder of each group, in the order of names, until fn returns a value other than 0.
 * Returns this value.
 */
static int for_each_group(const struct tcmu_configfs *device,
			  int (*fn)(void *arg, const struct tcmu_configfs *folder), void *arg,
			  struct error *error)
{
	struct tcmu_configfs folder;
	struct dirent **entries;
	int ret = tcmu_configfs_folder(&folder, error, "%s/alua", device->path);

	if (ret)
		return ret;
	int n = scandir(folder.path, &entries, is_name, alphasort);
	if (n < 0)
		return error_set(error, errno, "%s: %s", folder.path, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (!ret)
			ret = tcmu_configfs_folder(&folder, error, "%s/alua/%s", device->path,
						   entries[i]->d_name);
		if (!ret)
			ret = fn(arg, &folder);
		free(entries[i]);
	}
	free(entries);
	return ret;
}

static int on_group(void *arg, const struct tcmu_configfs *folder)
{
	return add_group(arg, folder);
}

int tcmu_configfs_alua_read(const struct tcmu_configfs *cfs, void (*visit_fn)(void *arg, const char *folder),
			    void *arg, struct scsi_alua *alua, struct error *error)
{
	struct reader r = {.device = cfs, .visit = visit_fn, .arg = arg, .alua = alua, .error = error};
	struct tcmu_configfs folder;
	uint8_t on = 1;

	memset(alua, 0, sizeof(*alua));
	int err = tcmu_configfs_folder(&folder, error, "%s/attrib", cfs->path);
	if (err)
		return err;
	visit(&r, folder.path);
	err = tcmu_configfs_read_byte(&folder, "alua_support", 1, &on, error);
	if ((err && err != -ENOENT) || !on)
		return err;
	err = tcmu_configfs_folder(&folder, error, "%s/alua", cfs->path);
	if (err)
		return err;
	visit(&r, folder.path);
	err = for_each_group(cfs, on_group, &r, error);
	return vanished(err, &folder) ? 0 : err;
}

/* --- changing a state --- */

struct change {
	uint16_t group;
	enum scsi_alua_state state;
	struct error *error;
};

/*
 * Changes the state if the folder is that of the wanted group. Returns 1 if the change was made. The kernel
 * records every write as a change by the administrator, so the function then tells the kernel that it was a
 * change by an initiator.
 */
static int change_if_meant(void *arg, const struct tcmu_configfs *folder)
{
	const struct change *change = arg;
	char text[8];
	uint16_t id;
	int err = tcmu_configfs_alua_group_id(folder, &id, change->error);

	if (err || id != change->group)
		return err < 0 ? err : 0;
	snprintf(text, sizeof(text), "%d", change->state);
	err = tcmu_configfs_write(folder, "alua_access_state", text, change->error);
	if (err)
		return err;
	snprintf(text, sizeof(text), "%d", SCSI_ALUA_BY_COMMAND);
	err = tcmu_configfs_write(folder, "alua_access_status", text, change->error);
	return err ? err : 1;
}

int tcmu_configfs_alua_set(const struct tcmu_configfs *cfs, uint16_t group, enum scsi_alua_state state,
			   struct error *error)
{
	struct change change = {group, state, error};
	int ret = for_each_group(cfs, change_if_meant, &change, error);

	if (ret == 0)
		return error_set(error, ENOENT, "%s/alua: no group %u", cfs->path, group);
	return ret < 0 ? ret : 0;
}
