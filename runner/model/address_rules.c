/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that admit initiators by their address: lists of IPv4 and IPv6 prefixes,
 * "10.0.0.0/8,2001:db8::/32,192.0.2.7". If an IPv4 initiator connects to an IPv6 socket, the rules for its
 * IPv4 address apply. In a rule, an IPv4-mapped IPv6 address means the IPv4 address as well.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "model/private.h"

struct prefix {
	int family;
	uint8_t bytes[16];
	unsigned bits;
};

/* Turns a prefix of IPv4-mapped addresses into the prefix of these IPv4 addresses. */
static void convert_mapped(struct prefix *prefix)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (prefix->family != AF_INET6 || prefix->bits < 96 || memcmp(prefix->bytes, mapped, sizeof(mapped)))
		return;
	prefix->family = AF_INET;
	prefix->bits -= 96;
	memmove(prefix->bytes, prefix->bytes + sizeof(mapped), 4);
}

static bool set_length(struct prefix *prefix, const char *text)
{
	char *end = NULL;
	unsigned long bits = strtoul(text, &end, 10);

	if (*end || *text < '0' || *text > '9' || bits > prefix->bits)
		return false;
	prefix->bits = (unsigned)bits;
	return true;
}

/*
 * Reads the first prefix of the list, and advances the list. Returns false if the prefix is not well-formed.
 */
static bool next_prefix(const char **list, struct prefix *prefix)
{
	size_t len = strcspn(*list, ",");
	char text[INET6_ADDRSTRLEN + sizeof("/128")], *slash;

	if (!len || len >= sizeof(text))
		return false;
	memcpy(text, *list, len);
	text[len] = '\0';
	*list += len + ((*list)[len] == ',');
	slash = strchr(text, '/');
	if (slash)
		*slash++ = '\0';
	prefix->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(prefix->family, text, prefix->bytes) != 1)
		return false;
	prefix->bits = prefix->family == AF_INET ? 32 : 128;
	if (slash && !set_length(prefix, slash))
		return false;
	convert_mapped(prefix);
	return true;
}

/* Clears the bits after the length. Returns whether one of them was set. */
static bool clear_host_bits(struct prefix *prefix)
{
	bool any = false;

	for (unsigned i = prefix->bits / 8; i < (prefix->family == AF_INET ? 4 : 16); i++) {
		uint8_t keep = i == prefix->bits / 8 ? (uint8_t)(0xff00u >> prefix->bits % 8) : 0;

		any |= prefix->bytes[i] & ~keep;
		prefix->bytes[i] &= keep;
	}
	return any;
}

/*
 * Refuses a prefix that has bits after its length, such as 10.0.0.7/8: either the network 10.0.0.0/8 or the
 * address 10.0.0.7 may be meant.
 */
static int check_host_bits(const char *text, int len, struct prefix *prefix, struct error *error)
{
	char network[INET6_ADDRSTRLEN], address[INET6_ADDRSTRLEN];

	inet_ntop(prefix->family, prefix->bytes, address, sizeof(address));
	if (!clear_host_bits(prefix))
		return 0;
	inet_ntop(prefix->family, prefix->bytes, network, sizeof(network));
	return error_set(error, EINVAL,
			 "'%.*s' has bits after its length of %u; use %s/%u for the network, or %s for the "
			 "address alone",
			 len, text, prefix->bits, network, prefix->bits, address);
}

int model_addresses_check(const char *list, struct error *error)
{
	struct prefix prefix;

	while (*list) {
		const char *at = list;

		if (!next_prefix(&list, &prefix) || (list[0] == '\0' && list[-1] == ','))
			return error_set(
			    error, EINVAL,
			    "'%.*s' is not an address prefix; use for example 10.0.0.0/8, 192.0.2.7 or "
			    "2001:db8::/32, separated by commas",
			    (int)strcspn(at, ","), at);
		if (check_host_bits(at, (int)strcspn(at, ","), &prefix, error))
			return -EINVAL;
	}
	return 0;
}

static void bytes_of(const struct sockaddr_storage *address, struct prefix *out)
{
	const struct sockaddr_in6 *v6 = (const void *)address;

	out->family = address->ss_family;
	if (address->ss_family == AF_INET) {
		memcpy(out->bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	} else if (address->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		out->family = AF_INET;
		memcpy(out->bytes, v6->sin6_addr.s6_addr + 12, 4);
	} else if (address->ss_family == AF_INET6) {
		memcpy(out->bytes, &v6->sin6_addr, 16);
	}
}

static bool matches(const struct prefix *prefix, const struct prefix *address)
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	return prefix->family == address->family && !memcmp(prefix->bytes, address->bytes, whole) &&
	       (!rest || !((prefix->bytes[whole] ^ address->bytes[whole]) & mask));
}

bool model_addresses_have(const char *list, const struct sockaddr_storage *address)
{
	struct prefix prefix, own = {.family = AF_UNSPEC};

	bytes_of(address, &own);
	while (*list && next_prefix(&list, &prefix))
		if (matches(&prefix, &own))
			return true;
	return false;
}
