/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MODE SENSE and MODE SELECT, 6 and 10 (SPC-4 6.9 to 6.12), and the mode parameters of an LU. The
 * contents of the pages are in mode_pages.c.
 */
#include "scsi/mode.h"

#include <errno.h>

#include "scsi/scsi_io.h"
#include "scsi/spc.h"
#include "scsi/nexus.h"
#include "util/bytes.h"
#include "util/cleanup.h"

#define DEVICE_WP     0x80 /* device-specific parameter, SBC-4 6.5.1 */
#define DEVICE_DPOFUA 0x10

/* Makes mode the current values, and sets the gate bits accordingly. */
static void set_mode_locked(struct scsi_lu *lu, const struct scsi_mode *mode)
{
	uint32_t bits = 0;

	lu->mode = *mode;
	if (lu->info->read_only || mode->swp)
		bits |= SCSI_GATE_READ_ONLY;
	if (lu->info->write_cache && !mode->wce)
		bits |= SCSI_GATE_WRITE_THROUGH;
	if (mode->d_sense)
		bits |= SCSI_GATE_D_SENSE;
	scsi_lu_gate_change(lu, bits, SCSI_GATE_MODE & ~bits);
}

void scsi_mode_reset_locked(struct scsi_lu *lu)
{
	struct scsi_mode mode = scsi_mode_default(lu);

	set_mode_locked(lu, &mode);
}

int scsi_lu_set_write_cache(struct scsi_lu *lu, bool on)
{
	if (!lu->info->write_cache)
		return on ? -EOPNOTSUPP : 0;
	SCOPE_LOCK(&lu->lock);
	atomic_store_explicit(&lu->wce_default, on, memory_order_relaxed);
	if (lu->mode.wce == on)
		return 0;
	struct scsi_mode mode = lu->mode;
	mode.wce = on;
	set_mode_locked(lu, &mode);
	scsi_ua_raise_all_locked(lu, SCSI_UA_MODE_CHANGED);
	return 0;
}

bool scsi_lu_has_write_cache(const struct scsi_lu *lu)
{
	return lu->info->write_cache && !lu->info->write_cache_off;
}

void scsi_lu_on_write_cache(struct scsi_lu *lu, void (*fn)(void *arg), void *arg)
{
	lu->on_write_cache = fn;
	lu->on_write_cache_arg = arg;
}

static struct scsi_mode current_mode(struct scsi_lu *lu)
{
	SCOPE_LOCK(&lu->lock);

	return lu->mode;
}

bool scsi_lu_write_cache(struct scsi_lu *lu)
{
	return current_mode(lu).wce;
}

/* --- MODE SENSE ------------------------------------------------------------------------------ */

static unsigned short_descriptor(const struct scsi_lu *lu, uint8_t *out)
{
	put_be32(&out[0], (uint32_t)MIN(scsi_lu_blocks(lu), UINT32_MAX));
	put_be24(&out[5], lu->block_size);
	return 8;
}

static unsigned long_descriptor(const struct scsi_lu *lu, uint8_t *out)
{
	put_be64(&out[0], scsi_lu_blocks(lu));
	put_be32(&out[12], lu->block_size);
	return 16;
}

/* Writes the pages that the CDB asks for. Returns their length, or 0 if there is no such page. */
static unsigned write_pages(struct scsi_cmd *cmd, uint8_t *out)
{
	uint8_t code = cmd->cdb[2] & 0x3f, subpage = cmd->cdb[3];
	enum scsi_mode_control pc = cmd->cdb[2] >> 6;
	struct scsi_mode mode = current_mode(cmd->lu);
	unsigned len = 0;

	if (subpage != 0 && subpage != MODE_ALL_SUBPAGES)
		return 0;
	for (unsigned i = 0; i < scsi_nmode_pages; i++)
		if (code == MODE_ALL_PAGES || code == scsi_mode_pages[i].code)
			len += scsi_mode_page_write(&scsi_mode_pages[i], cmd->lu, pc, &mode, &out[len]);
	return len;
}

void spc_mode_sense(struct scsi_cmd *cmd)
{
	uint8_t buf[8 + 16 + 5 * MODE_PAGE_MAX] = {0};
	bool six = cmd->op->cdb_len == 6;
	bool dbd = cmd->cdb[1] & 0x08, llbaa = cmd->cdb[1] & 0x10;
	unsigned header = six ? 4 : 8, descriptor = 0, pages;
	uint8_t device = DEVICE_DPOFUA | (cmd->gate_seen & SCSI_GATE_READ_ONLY ? DEVICE_WP : 0);

	if (cmd->cdb[2] >> 6 == MODE_SAVED) {
		scsi_fail(cmd, SENSE_SAVING_NOT_SUPPORTED);
		return;
	}
	if (!dbd)
		descriptor =
		    llbaa ? long_descriptor(cmd->lu, &buf[header]) : short_descriptor(cmd->lu, &buf[header]);
	pages = write_pages(cmd, &buf[header + descriptor]);
	if (!pages) {
		bool page_known =
		    scsi_mode_page_find(cmd->cdb[2] & 0x3f) || (cmd->cdb[2] & 0x3f) == MODE_ALL_PAGES;

		scsi_fail_cdb(cmd, page_known ? 3 : 2, page_known ? -1 : 5);
		return;
	}
	if (six) {
		buf[0] = (uint8_t)(header + descriptor + pages - 1);
		buf[2] = device;
		buf[3] = (uint8_t)descriptor;
	} else {
		put_be16(&buf[0], (uint16_t)(header + descriptor + pages - 2));
		buf[3] = device;
		buf[4] = llbaa && !dbd; /* LONGLBA */
		put_be16(&buf[6], (uint16_t)descriptor);
	}
	scsi_data_in_bytes(cmd, buf, header + descriptor + pages);
}

/* --- MODE SELECT ----------------------------------------------------------------------------- */

/* The state while a parameter list is read */
struct list_reader {
	struct scsi_cmd *cmd;
	const uint8_t *list;
	unsigned len, at;
	/* The mode parameters that the command will set */
	struct scsi_mode mode;
};

/* Sets the sense, and returns false for the caller to return. */
static bool too_short(struct list_reader *reader)
{
	scsi_check(reader->cmd, SENSE_LIST_LENGTH_ERROR);
	return false;
}

static bool wrong_field(struct list_reader *reader, unsigned byte, int bit)
{
	scsi_check_field(reader->cmd, SENSE_INVALID_FIELD_IN_LIST, byte, bit);
	return false;
}

/*
 * The descriptor may contain the current capacity and block length; 0 and all ones mean "unchanged"
 * (SBC-4 6.5.2).
 */
static bool read_descriptor(struct list_reader *reader, unsigned len)
{
	const uint8_t *desc = &reader->list[reader->at];
	uint64_t blocks = len == 8 ? get_be32(desc) : get_be64(desc);
	uint64_t all_ones = len == 8 ? UINT32_MAX : UINT64_MAX;
	unsigned size_at = len == 8 ? 5 : 12;
	uint32_t size = len == 8 ? get_be24(&desc[5]) : get_be32(&desc[12]);

	if (reader->len - reader->at < len)
		return too_short(reader);
	if (blocks != 0 && blocks != all_ones && blocks != scsi_lu_blocks(reader->cmd->lu))
		return wrong_field(reader, reader->at, -1);
	if (size != reader->cmd->lu->block_size)
		return wrong_field(reader, reader->at + size_at, -1);
	reader->at += len;
	return true;
}

/*
 * Header and block descriptor. MODE DATA LENGTH and the device-specific parameter have no meaning
 * in MODE SELECT.
 */
static bool read_header(struct list_reader *reader)
{
	const uint8_t *list = reader->list;
	bool six = reader->cmd->op->cdb_len == 6;
	bool longlba = !six && list[4] & 0x01;
	unsigned header = six ? 4 : 8, descriptor;

	if (reader->len < header)
		return too_short(reader);
	descriptor = six ? list[3] : get_be16(&list[6]);
	if (list[six ? 1 : 2]) /* MEDIUM TYPE */
		return wrong_field(reader, six ? 1 : 2, -1);
	reader->at = header;
	if (descriptor == 0)
		return true;
	if (descriptor != (longlba ? 16u : 8u))
		return wrong_field(reader, six ? 3 : 6, -1);
	return read_descriptor(reader, descriptor);
}

/* Only changeable bits may differ from the current values. */
static bool read_page(struct list_reader *reader)
{
	const uint8_t *in = &reader->list[reader->at];
	const struct scsi_mode_page *page = scsi_mode_page_find(in[0] & 0x3f);
	uint8_t current[MODE_PAGE_MAX], mask[MODE_PAGE_MAX];

	if (!page || in[0] & 0x40) /* SPF */
		return wrong_field(reader, reader->at, page ? 6 : 5);
	if (reader->len - reader->at < 2 || reader->len - reader->at < in[1] + 2u)
		return too_short(reader);
	if (in[1] + 2u != page->len)
		return wrong_field(reader, reader->at + 1, -1);
	scsi_mode_page_write(page, reader->cmd->lu, MODE_CURRENT, &reader->mode, current);
	scsi_mode_page_write(page, reader->cmd->lu, MODE_CHANGEABLE, &reader->mode, mask);
	for (unsigned i = 2; i < page->len; i++) {
		unsigned bad = (in[i] ^ current[i]) & ~mask[i] & 0xffu;

		if (bad)
			return wrong_field(reader, reader->at + i, 31 - __builtin_clz(bad));
	}
	if (page->select)
		page->select(in, &reader->mode);
	reader->at += page->len;
	return true;
}

static bool read_list(struct list_reader *reader)
{
	if (!read_header(reader))
		return false;
	while (reader->at < reader->len)
		if (!read_page(reader))
			return false;
	return true;
}

static bool differ(const struct scsi_mode *a, const struct scsi_mode *b)
{
	return a->wce != b->wce || a->d_sense != b->d_sense || a->swp != b->swp || a->tas != b->tas;
}

/* Reads and applies the list under one lock, so that no change by another initiator is lost. */
static bool read_and_apply(struct list_reader *reader, struct scsi_mode *old)
{
	struct scsi_lu *lu = reader->cmd->lu;
	SCOPE_LOCK(&lu->lock);

	*old = reader->mode = lu->mode;
	if (!read_list(reader))
		return false;
	set_mode_locked(lu, &reader->mode);
	if (differ(old, &reader->mode))
		scsi_ua_raise_others_locked(lu, reader->cmd->nexus, SCSI_UA_MODE_CHANGED);
	return true;
}

/*
 * Returns whether the cache must be flushed: if WCE changes from 1 to 0 or SWP from 0 to 1, cached blocks
 * must be on the medium before the initiator relies on the new value.
 */
static bool needs_flush(const struct scsi_mode *old, const struct scsi_mode *mode)
{
	return (old->wce && !mode->wce) || (!old->swp && mode->swp);
}

static void select_mode(struct list_reader *reader)
{
	struct scsi_cmd *cmd = reader->cmd;
	struct scsi_mode old;
	bool applied = read_and_apply(reader, &old);

	if (applied && old.wce != reader->mode.wce && cmd->lu->on_write_cache)
		cmd->lu->on_write_cache(cmd->lu->on_write_cache_arg);
	if (applied && needs_flush(&old, &reader->mode) && backstore_has_flush(cmd->lu->bs))
		scsi_io_flush(cmd, scsi_io_complete);
	else
		scsi_complete(cmd);
}

void spc_mode_select(struct scsi_cmd *cmd)
{
	uint8_t list[8 + 16 + 5 * MODE_PAGE_MAX + 2] = {0};
	struct list_reader reader = {.cmd = cmd, .list = list};

	if (cmd->cdb[1] & 0x01) { /* SP: no page can be saved */
		scsi_fail_cdb(cmd, 1, 0);
	} else if (cmd->transfer_len == 0) {
		scsi_complete(cmd);
	} else if (!(cmd->cdb[1] & 0x10)) { /* PF must be 1: there are no vendor specific pages */
		scsi_fail_cdb(cmd, 1, 4);
	} else if (cmd->transfer_len > sizeof(list) - 2) {
		scsi_fail(cmd, SENSE_LIST_LENGTH_ERROR);
	} else {
		reader.len = (unsigned)scsi_data_out_bytes(cmd, list, cmd->transfer_len);
		select_mode(&reader);
	}
}
