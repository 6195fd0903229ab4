/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of addresses as lists of networks, and their difference: "all of 10.0.0.0/8 except 10.1.2.3" becomes a
 * list of the networks without this address. access.c uses the sets.
 */
#include <string.h>
#include <sys/socket.h>

#include "import/address.h"

/* No list has more entries, because the shortest entry, "::" and a comma, has three bytes. */
#define NETWORKS_MAX (ADDRESS_LIST_MAX / 3)

#define address_at(set, i) (&g_array_index((set), struct address, i))

static bool has_bit(const struct address *address, unsigned i)
{
	return address->bytes[i / 8] & 0x80 >> i % 8;
}

/* Returns whether all addresses of inner are in outer. */
static bool contains(const struct address *outer, const struct address *inner)
{
	if (outer->family != inner->family || outer->length > inner->length)
		return false;
	for (unsigned i = 0; i < outer->length; i++)
		if (has_bit(outer, i) != has_bit(inner, i))
			return false;
	return true;
}

GArray *address_set_new(void)
{
	return g_array_new(FALSE, TRUE, sizeof(struct address));
}

void address_set_add(GArray *set, const struct address *address)
{
	for (guint i = 0; i < set->len; i++)
		if (contains(address_at(set, i), address))
			return;
	for (guint i = set->len; i-- > 0;)
		if (contains(address, address_at(set, i)))
			g_array_remove_index(set, i);
	g_array_append_vals(set, address, 1);
}

void address_set_add_all(GArray *set)
{
	address_set_add(set, &(struct address){.family = AF_INET});
	address_set_add(set, &(struct address){.family = AF_INET6});
}

bool address_set_is_all(const GArray *set)
{
	unsigned families = 0;

	for (guint i = 0; i < set->len; i++)
		families += !address_at(set, i)->length;
	return families == 2;
}

/* Returns the half of the network with this length and beginning that does not contain inner. */
static struct address other_half(const struct address *inner, unsigned length)
{
	struct address half = {.family = inner->family, .length = length};

	for (unsigned i = 0; i < length; i++)
		if (has_bit(inner, i) != (i + 1 == length))
			half.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return half;
}

static void subtract_one(GArray *rest, const struct address *from, const struct address *minus)
{
	if (contains(minus, from))
		return;
	if (!contains(from, minus)) {
		g_array_append_vals(rest, from, 1);
		return;
	}
	for (unsigned length = from->length + 1; length <= minus->length; length++) {
		struct address half = other_half(minus, length);

		g_array_append_val(rest, half);
	}
}

GArray *address_set_subtract(const GArray *from, const GArray *minus)
{
	GArray *set = address_set_new();

	g_array_append_vals(set, from->data, from->len);
	for (guint i = 0; i < minus->len && set->len <= NETWORKS_MAX; i++) {
		GArray *rest = address_set_new();

		for (guint j = 0; j < set->len; j++)
			subtract_one(rest, address_at(set, j), address_at(minus, i));
		g_array_unref(set);
		set = rest;
	}
	if (set->len <= NETWORKS_MAX)
		return set;
	g_array_unref(set);
	return NULL;
}

GPtrArray *address_set_print(const GArray *set)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
	size_t size = 0;

	for (guint i = 0; i < set->len && size <= ADDRESS_LIST_MAX; i++) {
		char *text = address_print(address_at(set, i));

		size += strlen(text) + 1;
		g_ptr_array_add(list, text);
	}
	if (size <= ADDRESS_LIST_MAX)
		return list;
	g_ptr_array_unref(list);
	return NULL;
}
