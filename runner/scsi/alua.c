/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The target port groups of an LU, and REPORT TARGET PORT GROUPS (SPC-4 6.37). SET TARGET PORT GROUPS is in
 * alua_set.c. The front end decides about the states of groups.
 */
#include "scsi/alua.h"

#include "scsi/cmd.h"
#include "scsi/spc.h"
#include "scsi/nexus.h"
#include "util/bytes.h"
#include "util/cleanup.h"

#define HEADER_LEN          4
#define EXTENDED_HEADER_LEN 8
#define GROUP_LEN           8
#define PORT_LEN            4

/* --- the groups ------------------------------------------------------------------------------ */

void scsi_lu_set_alua_ops(struct scsi_lu *lu, const struct scsi_alua_ops *ops, void *arg)
{
	lu->alua_ops = ops;
	lu->alua_arg = arg;
}

/*
 * Returns what is known about the port of a command. A command does not say through which port it arrived, so
 * all enabled ports are considered together.
 */
static struct scsi_alua_here find_here(const struct scsi_alua *alua)
{
	struct scsi_alua_here here = {0};
	const struct scsi_alua_port *first = NULL;

	for (unsigned i = 0; i < alua->nports; i++) {
		const struct scsi_alua_port *port = &alua->ports[i];

		if (!port->enabled)
			continue;
		here.one_port = !first;
		here.one_group = !first || (here.one_group && port->group == first->group);
		first = first ? first : port;
	}
	here.one_port = here.one_port && first->id;
	if (here.one_port)
		here.port = first->id;
	if (here.one_group)
		here.group = alua->groups[first->group].id;
	return here;
}

struct scsi_alua_here scsi_alua_here(struct scsi_lu *lu)
{
	SCOPE_LOCK(&lu->lock);

	return find_here(&lu->alua);
}

static uint8_t tpgs_of(const struct scsi_alua *alua)
{
	uint8_t tpgs = SCSI_TPGS_NONE;

	for (unsigned i = 0; i < alua->ngroups; i++)
		tpgs |= alua->groups[i].tpgs;
	return tpgs;
}

static bool same_here(const struct scsi_alua *a, const struct scsi_alua *b)
{
	struct scsi_alua_here x = find_here(a), y = find_here(b);

	return x.one_port == y.one_port && x.one_group == y.one_group && x.port == y.port &&
	       x.group == y.group;
}

static void announce_locked(struct scsi_lu *lu, const struct scsi_alua *next)
{
	if (!memcmp(&lu->alua, next, sizeof(*next)))
		return;
	scsi_ua_raise_all_locked(lu, SCSI_UA_ACCESS_CHANGED);
	if (tpgs_of(next) != scsi_alua_tpgs(lu) || !same_here(&lu->alua, next))
		scsi_ua_raise_all_locked(lu, SCSI_UA_INQUIRY_CHANGED);
}

void scsi_lu_set_alua(struct scsi_lu *lu, const struct scsi_alua *alua)
{
	uint8_t tpgs = tpgs_of(alua);

	SCOPE_LOCK(&lu->lock);
	if (lu->alua_known || lu->alua.ngroups)
		announce_locked(lu, alua);
	lu->alua_known = true;
	lu->alua = *alua;
	atomic_store_explicit(&lu->tpgs, tpgs, memory_order_relaxed);
}

/* Returns the index of the group, which is added if it is new, or -1 if there is no room. */
static int group_index(struct scsi_alua *alua, uint16_t id)
{
	for (unsigned i = 0; i < alua->ngroups; i++)
		if (alua->groups[i].id == id)
			return (int)i;
	if (alua->ngroups == SCSI_ALUA_GROUPS_MAX)
		return -1;
	alua->groups[alua->ngroups] =
	    (struct scsi_alua_group){.id = id, .supported = SCSI_ALUA_AO_SUP, .tpgs = SCSI_TPGS_IMPLICIT};
	return alua->ngroups++;
}

void scsi_alua_add_port_locked(struct scsi_lu *lu, uint16_t port, uint16_t group)
{
	struct scsi_alua *alua = &lu->alua;
	int index;

	if (lu->alua_ops || lu->alua_known)
		return;
	for (unsigned i = 0; i < alua->nports; i++)
		if (alua->ports[i].id == port && alua->groups[alua->ports[i].group].id == group)
			return;
	index = group_index(alua, group);
	if (index < 0 || alua->nports == SCSI_ALUA_PORTS_MAX)
		return;
	alua->ports[alua->nports++] =
	    (struct scsi_alua_port){.id = port, .group = (uint8_t)index, .enabled = 1};
	atomic_store_explicit(&lu->tpgs, tpgs_of(alua), memory_order_relaxed);
}

uint8_t scsi_alua_tpgs(const struct scsi_lu *lu)
{
	return atomic_load_explicit(&lu->tpgs, memory_order_relaxed);
}

void scsi_alua_notify_reported(struct scsi_lu *lu)
{
	if (lu->alua_ops)
		lu->alua_ops->reported(lu->alua_arg);
}

void scsi_alua_state_changed(struct scsi_lu *lu, uint16_t id, enum scsi_alua_state state)
{
	SCOPE_LOCK(&lu->lock);

	for (unsigned i = 0; i < lu->alua.ngroups; i++) {
		struct scsi_alua_group *group = &lu->alua.groups[i];

		if (group->id != id)
			continue;
		group->state = (uint8_t)state;
		group->status = SCSI_ALUA_BY_COMMAND;
	}
}

/* --- REPORT TARGET PORT GROUPS --------------------------------------------------------------- */

static uint8_t *add_group(uint8_t *p, const struct scsi_alua *alua, unsigned index)
{
	const struct scsi_alua_group *group = &alua->groups[index];
	uint8_t *port = p + GROUP_LEN;

	p[0] = (uint8_t)(group->preferred << 7 | group->state);
	p[1] = group->supported;
	put_be16(&p[2], group->id);
	p[5] = group->status;
	for (unsigned i = 0; i < alua->nports; i++) {
		if (alua->ports[i].group != index)
			continue;
		put_be16(&port[2], alua->ports[i].id);
		port += PORT_LEN;
		p[7]++;
	}
	return port;
}

/* Returns the longest time of all groups, because a command does not say through which group it arrived. */
static uint8_t transition_time(const struct scsi_alua *alua)
{
	uint8_t seconds = 0;

	for (unsigned i = 0; i < alua->ngroups; i++)
		seconds = MAX(seconds, alua->groups[i].transition_seconds);
	return seconds;
}

static unsigned build_report(struct scsi_lu *lu, bool extended, uint8_t *data)
{
	SCOPE_LOCK(&lu->lock);
	const struct scsi_alua *alua = &lu->alua;
	uint8_t *p = data + (extended ? EXTENDED_HEADER_LEN : HEADER_LEN);

	if (extended) {
		data[4] = 1 << 4; /* RETURN DATA FORMAT */
		data[5] = transition_time(alua);
	}
	for (unsigned i = 0; i < alua->ngroups; i++)
		p = add_group(p, alua, i);
	put_be32(data, (uint32_t)(p - data) - HEADER_LEN);
	return (unsigned)(p - data);
}

void spc_report_port_groups(struct scsi_cmd *cmd)
{
	uint8_t data[EXTENDED_HEADER_LEN + SCSI_ALUA_GROUPS_MAX * GROUP_LEN +
		     SCSI_ALUA_PORTS_MAX * PORT_LEN] = {0};
	bool extended = cmd->cdb[1] & 0x20; /* PARAMETER DATA FORMAT */
	unsigned len = build_report(cmd->lu, extended, data);

	scsi_alua_notify_reported(cmd->lu);
	scsi_data_in_bytes(cmd, data, len);
}
