/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers to Text Requests: which targets the initiator may see, and at which addresses it can
 * reach them. How a request and its answer are cut into PDUs is left to the connection
 * (iscsi/text_exchange.c).
 */
#include "iscsi_login/text.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iscsi_login/negotiate.h"
#include "model/portal.h"

/* More targets than a TargetName and a TargetAddress of 250 bytes each need. */
#define ANSWER_MAX (64u << 20)

/* Portals that one answer shows for a target, as text: "192.0.2.1:3260,1". */
struct addresses {
	char (*text)[304];
	size_t n;
};

/* An IPv4 address that came in at an IPv6 socket, as IPv4. */
static struct sockaddr_storage plain_address(const struct sockaddr_storage *addr)
{
	struct sockaddr_storage plain = *addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&plain;
	struct sockaddr_in v4 = {.sin_family = AF_INET};

	if (plain.ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return plain;
	v4.sin_port = v6->sin6_port;
	memcpy(&v4.sin_addr, v6->sin6_addr.s6_addr + 12, 4);
	memset(&plain, 0, sizeof(plain));
	memcpy(&plain, &v4, sizeof(v4));
	return plain;
}

static bool is_loopback(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return addr->ss_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)addr)->sin6_addr);
}

static bool is_link_local(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET) /* 169.254.0.0/16, RFC 3927 */
		return ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr) >> 16 == 0xa9fe;
	return addr->ss_family == AF_INET6 &&
	       IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)addr)->sin6_addr);
}

static uint32_t scope_of(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)addr)->sin6_scope_id : 0;
}

/* Whether the address of a portal means this portal to the peer, too. A loopback address would
 * be the peer's own machine, and a link-local address may be another machine on another link. */
static bool peer_understands(const struct sockaddr_storage *peer, const struct sockaddr_storage *addr)
{
	if (is_loopback(addr))
		return is_loopback(peer);
	if (is_link_local(addr))
		return peer->ss_family == addr->ss_family && is_link_local(peer) &&
		       scope_of(peer) == scope_of(addr);
	return true;
}

static void clear_scope(struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET6)
		((struct sockaddr_in6 *)addr)->sin6_scope_id = 0;
}

static void set_port(struct sockaddr_storage *addr, const struct sockaddr_storage *from)
{
	/* sin_port and sin6_port lie at the same place */
	((struct sockaddr_in *)addr)->sin_port = ((const struct sockaddr_in *)from)->sin_port;
}

/* The address at which this peer can reach a portal; false: none is known. */
static bool find_address(const struct iscsi_text_context *context, const struct target_portal *portal,
			 char *text, size_t size)
{
	struct sockaddr_storage addr = plain_address(&portal->addr), peer = plain_address(context->peer);

	if (portal->public_text[0])
		return (size_t)snprintf(text, size, "%s", portal->public_text) < size;
	if (target_portal_is_wildcard(&portal->addr)) {
		addr = plain_address(context->local);
		/* [::] may take IPv4 connections too, 0.0.0.0 takes nothing else */
		if (portal != context->portal && addr.ss_family != portal->addr.ss_family)
			return false;
		set_port(&addr, &portal->addr);
	} else if (!peer_understands(&peer, &addr)) {
		return false;
	}
	clear_scope(&addr); /* the zone means nothing on another machine */
	return target_portal_format(&addr, text, size) == 0;
}

static bool addresses_have(const struct addresses *addresses, const char *text)
{
	for (size_t i = 0; i < addresses->n; i++)
		if (strcmp(addresses->text[i], text) == 0)
			return true;
	return false;
}

/* All targets have the same portals, so they are looked up once for an answer. False: no memory. */
static bool find_addresses(const struct iscsi_text_context *context, struct addresses *addresses)
{
	char address[288], value[sizeof(*addresses->text)];
	size_t n = 0;

	for (const struct target_portal *p = target_portals(context->model); p; p = p->next)
		n++;
	*addresses = (struct addresses){.text = calloc(n ? n : 1, sizeof(*addresses->text))};
	if (!addresses->text)
		return false;
	for (const struct target_portal *p = target_portals(context->model); p; p = p->next) {
		if (!find_address(context, p, address, sizeof(address)))
			continue;
		snprintf(value, sizeof(value), "%s,%u", address, p->tpg_tag);
		if (!addresses_have(addresses, value)) /* else: a wildcard and one of its addresses */
			memcpy(addresses->text[addresses->n++], value, sizeof(value));
	}
	return true;
}

/* Shows a target to the initiators that may log in, and to nobody else. */
static void add_target(const struct iscsi_text_context *context, const struct addresses *addresses,
		       const struct target *target, struct iscsi_text_out *out)
{
	const struct target_auth *auth;

	if (!target_admits(target, context->initiator_name, &auth))
		return;
	iscsi_text_add_key(out, ISCSI_KEY_TARGET_NAME, target->name);
	for (size_t i = 0; i < addresses->n; i++)
		iscsi_text_add_key(out, ISCSI_KEY_TARGET_ADDRESS, addresses->text[i]);
}

static const struct target *find_named(struct target_model *model, const char *value)
{
	char name[MODEL_NAME_MAX + 1];

	return model_name_copy(name, value) ? target_find(model, name) : NULL;
}

/* Appendix C: everything in discovery, but only its own target in a normal session. */
static void send_targets(const struct iscsi_text_context *context, const char *value,
			 struct iscsi_text_out *out)
{
	const struct target *target = *value ? find_named(context->model, value) : context->target;
	struct addresses addresses;

	if (!find_addresses(context, &addresses)) {
		out->overflow = true;
		return;
	}
	if (!context->target && strcmp(value, "All") == 0)
		for (target = target_first(context->model); target && !out->overflow;
		     target = target_next(target))
			add_target(context, &addresses, target, out);
	else if (target != context->target && context->target)
		iscsi_text_add_key(out, ISCSI_KEY_SEND_TARGETS, "Reject");
	else if (target)
		add_target(context, &addresses, target, out);
	else if (!*value)
		iscsi_text_add_key(out, ISCSI_KEY_SEND_TARGETS, "Reject");
	free(addresses.text);
}

long iscsi_text_request(const struct iscsi_text_context *context, const uint8_t *in, size_t in_len,
			char **answer)
{
	struct iscsi_text_out out = {.grows_to = ANSWER_MAX};
	const char *text = (const char *)in;
	struct iscsi_offers offers;
	uint64_t seen = 0;

	*answer = NULL;
	if (in_len > ISCSI_TEXT_MAX || iscsi_offers_read(&offers, text, in_len, &seen))
		return -1;
	iscsi_offers_negotiate(&offers, ISCSI_PHASE_FULL_FEATURE, !context->target, context->params);
	if (offers.of[ISCSI_KEY_SEND_TARGETS].value)
		send_targets(context, offers.of[ISCSI_KEY_SEND_TARGETS].value, &out);
	iscsi_offers_answer(&offers, text, in_len, &out);
	if (out.overflow) {
		free(out.text);
		return -1;
	}
	*answer = out.text;
	return (long)out.len;
}
