/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers Text Requests: which targets the initiator may see, and at which addresses it can reach them. The
 * connection (iscsi/text_exchange.c) divides requests and answers into PDUs.
 */
#include "iscsi_login/text.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iscsi_login/negotiate.h"
#include "model/portal.h"

/* This is enough for 100,000 targets, each with a TargetName and a TargetAddress of 250 bytes. */
#define ANSWER_MAX (64u << 20)

/* An answer that is being written. The model calls add_portal() for each portal. */
struct answer {
	const struct iscsi_text_context *context;
	struct iscsi_text_out *out;
	/* The target of the portals that add_portal() gets next. */
	char target[MODEL_NAME_SIZE];
	/* The offset in out at which the addresses of this target begin. */
	size_t begin;
};

struct sockaddr_storage iscsi_plain_address(const struct sockaddr_storage *addr)
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
	if (addr->ss_family == AF_INET) /* 169.254.0.0/16 are link-local addresses (RFC 3927). */
		return ntohl(((const struct sockaddr_in *)addr)->sin_addr.s_addr) >> 16 == 0xa9fe;
	return addr->ss_family == AF_INET6 &&
	       IN6_IS_ADDR_LINKLOCAL(&((const struct sockaddr_in6 *)addr)->sin6_addr);
}

static uint32_t scope_of(const struct sockaddr_storage *addr)
{
	return addr->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)addr)->sin6_scope_id : 0;
}

/*
 * Returns whether the peer can reach a portal at this address. For a peer on another machine, a loopback
 * address means that machine itself. For a peer on another link, a link-local address may belong to another
 * machine.
 */
static bool peer_can_reach(const struct sockaddr_storage *peer, const struct sockaddr_storage *addr)
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
	/* sin_port and sin6_port are at the same offset. */
	((struct sockaddr_in *)addr)->sin_port = ((const struct sockaddr_in *)from)->sin_port;
}

/* Finds the address at which this peer can reach a portal. Returns false if none is known. */
static bool find_address(const struct iscsi_text_context *context, const struct model_np *np,
			 const char *public_text, char *text, size_t size)
{
	struct sockaddr_storage addr = iscsi_plain_address(&np->addr),
				peer = iscsi_plain_address(context->peer);

	if (public_text[0])
		return (size_t)snprintf(text, size, "%s", public_text) < size;
	if (model_address_is_wildcard(&np->addr)) {
		addr = iscsi_plain_address(context->local);
		/* [::] may accept IPv4 connections as well, but 0.0.0.0 accepts only IPv4 connections. */
		if (np != context->np && !np->dual_stack && addr.ss_family != np->addr.ss_family)
			return false;
		set_port(&addr, &np->addr);
	} else if (!peer_can_reach(&peer, &addr)) {
		return false;
	}
	clear_scope(&addr); /* The zone of an address has no meaning on another machine. */
	return model_address_format(&addr, text, size) == 0;
}

/*
 * Returns whether the target already has this address in the answer. This happens if a wildcard and one of
 * its addresses are two portals.
 */
static bool has_address(const struct answer *answer, const char *value)
{
	size_t name_len = iscsi_keys[ISCSI_KEY_TARGET_ADDRESS].name_len + 1;
	const char *pair = answer->out->text + answer->begin, *end = answer->out->text + answer->out->len;

	for (; pair < end; pair += strlen(pair) + 1)
		if (!strcmp(pair + name_len, value))
			return true;
	return false;
}

/* Is called with the lock of the model held. Returns false if the answer is too long. */
static bool add_portal(void *arg, const char *target, uint16_t tag, const struct model_np *np,
		       const char *public_text)
{
	struct answer *answer = arg;
	char address[288], value[304];

	if (strcmp(answer->target, target) != 0) {
		snprintf(answer->target, sizeof(answer->target), "%s", target);
		iscsi_text_add_key(answer->out, ISCSI_KEY_TARGET_NAME, target);
		answer->begin = answer->out->len;
	}
	if (answer->out->overflow)
		return false;
	if (find_address(answer->context, np, public_text, address, sizeof(address))) {
		snprintf(value, sizeof(value), "%s,%u", address, tag);
		if (!has_address(answer, value))
			iscsi_text_add_key(answer->out, ISCSI_KEY_TARGET_ADDRESS, value);
	}
	return !answer->out->overflow;
}

/* Adds one target, or all targets if target is NULL, as far as discovery shows them to this initiator. */
static void add_targets(const struct iscsi_text_context *context, const char *target,
			struct iscsi_text_out *out)
{
	struct answer answer = {.context = context, .out = out};

	model_discover(context->model, context->initiator_name, context->peer, target, add_portal, &answer);
}

/*
 * Answers SendTargets. A discovery session may ask for all targets, and a normal session only for its own one
 * (RFC 7143 Appendix C).
 */
static void send_targets(const struct iscsi_text_context *context, const char *value,
			 struct iscsi_text_out *out)
{
	char name[MODEL_NAME_SIZE];
	const char *named = *value && model_name_copy(name, value) ? name : NULL;

	if (context->target ? *value && (!named || strcmp(named, context->target) != 0) : !*value)
		iscsi_text_add_key(out, ISCSI_KEY_SEND_TARGETS, "Reject");
	else if (context->target)
		add_targets(context, context->target, out);
	else if (named || strcmp(value, "All") == 0)
		add_targets(context, named, out);
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
	iscsi_offers_negotiate(&offers, ISCSI_PHASE_FULL_FEATURE, !context->target, NULL, context->params);
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
