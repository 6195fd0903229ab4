/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of the access rules of SCST and tgt, which read them with the same code, and sets of
 * addresses.
 */
#ifndef IMPORT_ADDRESS_H
#define IMPORT_ADDRESS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* A network; a single address is a network with a length of 32 or 128 bits. */
struct address {
	/* AF_INET or AF_INET6 */
	int family;
	/* The bits after the length are zero. */
	uint8_t bytes[16];
	unsigned length;
};

enum address_kind {
	/* The entry is not a numeric address. SCST ignores the rest of the line after such an entry. */
	ADDRESS_BAD,
	/*
	 * The entry is an address, but SCST and tgt compare it in such a way that no initiator ever matches.
	 */
	ADDRESS_NEVER_MATCHES,
	ADDRESS_GOOD,
	/* "ALL" */
	ADDRESS_ALL,
};

/*
 * Parses an entry: "ALL", ADDRESS, ADDRESS/LENGTH, [IPV6] or [IPV6]/LENGTH; blanks around it are ignored.
 * address is filled for ADDRESS_GOOD and ADDRESS_NEVER_MATCHES.
 */
enum address_kind address_parse(const char *entry, struct address *address);
/* Returns the address in the form of docs/saveconfig.md. The caller frees it. */
char *address_print(const struct address *address);

/* --- address_set.c --- */

/* The largest length of a list, with commas between its entries, that the daemon accepts. */
#define ADDRESS_LIST_MAX 4000

/* Returns an empty set, which is an array of struct address. The caller frees it with g_array_unref(). */
GArray *address_set_new(void);
/* Adds a network. No network in the set contains another one afterwards. */
void address_set_add(GArray *set, const struct address *address);
void address_set_add_all(GArray *set);
/* Returns whether the set has all addresses of both families. */
bool address_set_is_all(const GArray *set);
/*
 * Returns the addresses of from that are not in minus, or NULL if the result would need more networks than a
 * list can have.
 */
GArray *address_set_subtract(const GArray *from, const GArray *minus);
/*
 * Returns the set as strings, or NULL if they are longer than ADDRESS_LIST_MAX. The caller frees the array.
 */
GPtrArray *address_set_print(const GArray *set);
#endif
