/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and networks of the access rules of SCST and tgt. Both programs read them with the same code. */
#ifndef IMPORT_ADDRESS_H
#define IMPORT_ADDRESS_H

enum address_kind {
	/* It is no numeric address. SCST stops to read a line at such an entry. */
	ADDRESS_BAD,
	/*
	 * It is an address or a network, but SCST and tgt compare it in such a way that no
	 * initiator ever matches.
	 */
	ADDRESS_NEVER_MATCHES,
	ADDRESS_GOOD,
	/* "ALL" */
	ADDRESS_ALL,
};

/*
 * Takes an entry apart: "ALL", ADDRESS, ADDRESS/LENGTH, [IPV6] or [IPV6]/LENGTH; blanks around it
 * are ignored. Except for ADDRESS_BAD and ADDRESS_ALL, *normal is the entry in the form of
 * docs/saveconfig.md, with the bits behind LENGTH set to zero; the caller frees it. Otherwise
 * *normal is NULL.
 */
enum address_kind address_parse(const char *entry, char **normal);
#endif
