/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses the addresses of access rules. It also knows which of them have no effect in SCST and tgt,
 * because an import must not let anyone in whom these programs have refused. What follows from this
 * is left to the importers.
 */
#include "import/address.h"

#include <arpa/inet.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct network {
	int family;
	uint8_t bytes[16];
	unsigned length, bits;
};

/* Sets the bits behind the length to zero. Returns whether one of them was set. */
static bool clear_host_bits(struct network *network)
{
	bool was_set = false;

	for (unsigned i = network->length; i < network->bits; i++) {
		uint8_t bit = (uint8_t)(0x80 >> i % 8);

		was_set |= network->bytes[i / 8] & bit;
		network->bytes[i / 8] &= (uint8_t)~bit;
	}
	return was_set;
}

/* ::ffff:192.0.2.1 is an IPv4 address. */
static void unmap(struct network *network)
{
	static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (network->family != AF_INET6 || network->length < 96 ||
	    memcmp(network->bytes, prefix, sizeof(prefix)))
		return;
	network->family = AF_INET;
	memmove(network->bytes, network->bytes + 12, 4);
	network->bits = 32;
	network->length -= 96;
}

static bool parse_length(const char *text, struct network *network)
{
	guint64 length;

	if (!g_ascii_string_to_unsigned(text, 10, 0, network->bits, &length, NULL) ||
	    (text[0] == '0' && text[1]))
		return false;
	network->length = (unsigned)length;
	return true;
}

static bool parse_host(const char *text, struct network *network)
{
	network->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	network->bits = network->length = network->family == AF_INET ? 32 : 128;
	return inet_pton(network->family, text, network->bytes) == 1;
}

/* Takes the brackets of an IPv6 address away. */
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

static char *print(const struct network *network)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(network->family, network->bytes, text, sizeof(text));
	return network->length == network->bits ? g_strdup(text)
						: g_strdup_printf("%s/%u", text, network->length);
}

/*
 * The programs accept lengths up to 31 and 127 only, refuse an IPv4 network with a bit behind its
 * length, and shift by 32 for the length 0.
 */
static bool has_effect(const struct network *network, bool has_length, bool has_host_bits)
{
	if (!has_length)
		return true;
	if (network->length == network->bits)
		return false;
	return network->family == AF_INET6 || (network->length && !has_host_bits);
}

enum address_kind address_parse(const char *entry, char **normal)
{
	g_autofree char *copy = g_strstrip(g_strdup(entry));
	char *host = copy, *length = strchr(copy, '/');
	struct network network = {0};

	*normal = NULL;
	if (!strcmp(copy, "ALL"))
		return ADDRESS_ALL;
	if (length)
		*length++ = '\0';
	if (!cut_brackets(&host) || !parse_host(host, &network) ||
	    (length && !parse_length(length, &network)))
		return ADDRESS_BAD;

	bool has_host_bits = clear_host_bits(&network);
	bool is_effective = has_effect(&network, length, has_host_bits);

	unmap(&network);
	*normal = print(&network);
	return is_effective ? ADDRESS_GOOD : ADDRESS_NEVER_MATCHES;
}
