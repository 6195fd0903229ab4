/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of the inventories that initiators know. Its text has one line for each I_T nexus, with the ID of
 * the nexus, the digest of its inventory, and the time of its last use:
 *
 *     tcmu-runner inventories 1
 *     70f1d27bb6c1b2a3 8b0c4e3f5a69d788 0f1e2d3c4b5a6978 8796a5b4c3d2e1f0 1790000000
 *     crc32c 1234abcd
 */
#include "storage/inventory_table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storage/state.h"
#include "util/bytes.h"

#define HEADER "tcmu-runner inventories 1\n"

void inventory_table_init(struct inventory_table *table)
{
	for (unsigned i = 0; i < INVENTORY_SETS; i++)
		list_init(&table->sets[i]);
}

static void forget(struct inventory *inventory)
{
	list_del(&inventory->node);
	free(inventory);
}

void inventory_table_clear(struct inventory_table *table)
{
	struct inventory *inventory;

	while ((inventory = inventory_next(table, NULL)))
		forget(inventory);
}

void inventory_id(const char *target_port, const char *initiator_port, uint8_t id[INVENTORY_ID_SIZE])
{
	uint8_t target[DIGEST_SIZE], both[DIGEST_SIZE];

	digest_texts((const char *const[]){target_port, NULL}, target);
	digest_texts((const char *const[]){target_port, initiator_port, NULL}, both);
	id[0] = target[0];
	memcpy(id + 1, both, INVENTORY_ID_SIZE - 1);
}

static struct list *set_of(struct inventory_table *table, const uint8_t *id)
{
	return &table->sets[id[0]];
}

struct inventory *inventory_find(const struct inventory_table *table, const uint8_t *id)
{
	const struct list *set = &table->sets[id[0]];

	for (struct list *node = set->next; node != set; node = node->next) {
		struct inventory *inventory = list_entry(node, struct inventory, node);

		if (!memcmp(inventory->id, id, INVENTORY_ID_SIZE))
			return inventory;
	}
	return NULL;
}

struct inventory *inventory_next(const struct inventory_table *table, const struct inventory *previous)
{
	unsigned set = previous ? previous->id[0] : 0;
	struct list *node = previous ? previous->node.next : table->sets[0].next;

	while (node == &table->sets[set]) {
		if (++set == INVENTORY_SETS)
			return NULL;
		node = table->sets[set].next;
	}
	return list_entry(node, struct inventory, node);
}

struct inventory *inventory_add(struct inventory_table *table, const uint8_t *id, uint64_t used_s)
{
	struct inventory *inventory = calloc(1, sizeof(*inventory));

	if (!inventory)
		return NULL;
	memcpy(inventory->id, id, INVENTORY_ID_SIZE);
	list_init(&inventory->node);
	inventory_use(table, inventory, used_s);
	return inventory;
}

void inventory_use(struct inventory_table *table, struct inventory *inventory, uint64_t used_s)
{
	struct list *set = set_of(table, inventory->id), *before;

	inventory->used_s = used_s;
	list_del(&inventory->node);
	before = set->prev;
	while (before != set && list_entry(before, struct inventory, node)->used_s > used_s)
		before = before->prev;
	list_add_head(before, &inventory->node);
}

static void limit(struct list *set)
{
	struct list *node, *tmp;
	unsigned idle = 0;

	list_for_each (set, node, tmp)
		idle += !list_entry(node, struct inventory, node)->nsessions;
	list_for_each (set, node, tmp) {
		struct inventory *inventory = list_entry(node, struct inventory, node);

		if (idle <= INVENTORY_SET_MAX)
			return;
		if (inventory->nsessions)
			continue;
		forget(inventory);
		idle--;
	}
}

void inventory_limit(struct inventory_table *table, const uint8_t *id)
{
	limit(set_of(table, id));
}

/* --- the text --- */

static void print(FILE *out, const struct inventory *inventory)
{
	fprintf(out, "%016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %" PRIu64 "\n",
		get_be64(inventory->id), get_be64(inventory->id + 8), inventory->luns.sum[0],
		inventory->luns.sum[1], inventory->used_s);
}

char *inventory_table_format(const struct inventory_table *table)
{
	char *text = NULL;
	size_t size;
	const struct inventory *inventory;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs(HEADER, out);
	for (inventory = inventory_next(table, NULL); inventory; inventory = inventory_next(table, inventory))
		print(out, inventory);
	if (!fflush(out))
		state_text_print_checksum(out, text, size);
	bool failed = ferror(out);
	if (fclose(out) || failed) {
		free(text);
		return NULL;
	}
	return text;
}

/* Reads a number up to the separator. Returns false if there is none. */
static bool read_number(char **at, int base, char separator, uint64_t *number)
{
	char *begin = *at;

	*number = strtoull(begin, at, base);
	return *at != begin && *(*at)++ == separator;
}

static bool parse_line(char *line, struct inventory *inventory)
{
	uint64_t id[2];
	bool fits = read_number(&line, 16, ' ', &id[0]) && read_number(&line, 16, ' ', &id[1]) &&
		    read_number(&line, 16, ' ', &inventory->luns.sum[0]) &&
		    read_number(&line, 16, ' ', &inventory->luns.sum[1]) &&
		    read_number(&line, 10, '\0', &inventory->used_s);

	if (fits) {
		put_be64(inventory->id, id[0]);
		put_be64(inventory->id + 8, id[1]);
	}
	return fits;
}

int inventory_table_parse(struct inventory_table *table, char *text, struct error *error)
{
	char *rest, *line;

	if (!state_text_cut_checksum(text))
		return error_set(error, EINVAL, "its checksum is wrong: it is damaged");
	if (strncmp(text, HEADER, strlen(HEADER)))
		return error_set(error, EINVAL, "it is not of a version that this daemon knows");
	rest = text + strlen(HEADER);
	while ((line = strsep(&rest, "\n")) && *line) {
		struct inventory parsed, *added;

		if (!parse_line(line, &parsed))
			return error_set(error, EINVAL, "the line '%.80s' is not understood", line);
		added = inventory_add(table, parsed.id, parsed.used_s);
		if (!added)
			return error_set(error, ENOMEM, "out of memory");
		added->luns = parsed.luns;
	}
	for (unsigned i = 0; i < INVENTORY_SETS; i++)
		limit(&table->sets[i]);
	return 0;
}
