/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses the addresses of access rules. It also finds out which of them have no effect in SCST and tgt,
 * because an import must not admit an initiator that these programs have refused. The importers decide what
 * to do with such addresses.
 */
#include "import/address.h"

#include <arpa/inet.h>
#include <string.h>

static unsigned bits_of(const struct address *address)
{
	return address->family == AF_INET ? 32 : 128;
}

/* Sets the bits after the length to zero. Returns whether one of them was set. */
static bool clear_host_bits(struct address *address)
{
	bool was_set = false;

	for (unsigned i = address->length; i < bits_of(address); i++) {
		uint8_t bit = (uint8_t)(0x80 >> i % 8);

		was_set |= address->bytes[i / 8] & bit;
		address->bytes[i / 8] &= (uint8_t)~bit;
	}
	return was_set;
}

/* Converts an address such as ::ffff:192.0.2.1 to the IPv4 address. */
static void to_ipv4_if_mapped(struct address *address)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	if (address->family != AF_INET6 || address->length < 96 ||
	    memcmp(address->bytes, prefix, sizeof(prefix)))
		return;
	address->family = AF_INET;
	memmove(address->bytes, address->bytes + 12, 4);
	memset(address->bytes + 4, 0, 12);
	address->length -= 96;
}

static bool parse_length(const char *text, struct address *address)
{
	guint64 length;

	if (!g_ascii_string_to_unsigned(text, 10, 0, bits_of(address), &length, NULL) ||
	    (text[0] == '0' && text[1]))
		return false;
	address->length = (unsigned)length;
	return true;
}

static bool parse_host(const char *text, struct address *address)
{
	*address = (struct address){.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	address->length = bits_of(address);
	return inet_pton(address->family, text, address->bytes) == 1;
}

/* Removes the brackets of an IPv6 address. */
static bool cut_brackets(char **host)
{
	size_t len = strlen(*host);

	if (**host != '[')
		return true;
	if ((*host)[len - 1] != ']' || !strchr(*host, ':'))
		return false;
	(*host)[len - 1] = '\0';
	(*host)++;
	return true;
}

/*
 * Returns whether SCST and tgt use the entry. They accept only lengths up to 31 and 127, they refuse an IPv4
 * network with a bit set after its length, and they shift by 32 for the length 0.
 */
static bool has_effect(const struct address *address, bool has_length, bool has_host_bits)
{
	if (!has_length)
		return true;
	if (address->length == bits_of(address))
		return false;
	return address->family == AF_INET6 || (address->length && !has_host_bits);
}

enum address_kind address_parse(const char *entry, struct address *address)
{
	g_autofree char *copy = g_strstrip(g_strdup(entry));
	char *host = copy, *length = strchr(copy, '/');

	if (!strcmp(copy, "ALL"))
		return ADDRESS_ALL;
	if (length)
		*length++ = '\0';
	if (!cut_brackets(&host) || !parse_host(host, address) || (length && !parse_length(length, address)))
		return ADDRESS_BAD;

	bool has_host_bits = clear_host_bits(address);
	bool is_effective = has_effect(address, length, has_host_bits);

	to_ipv4_if_mapped(address);
	return is_effective ? ADDRESS_GOOD : ADDRESS_NEVER_MATCHES;
}

char *address_print(const struct address *address)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(address->family, address->bytes, text, sizeof(text));
	return address->length == bits_of(address) ? g_strdup(text)
						   : g_strdup_printf("%s/%u", text, address->length);
}
