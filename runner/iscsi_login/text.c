/* SPDX-License-Identifier: Apache-2.0 */
/* Text requests in full feature phase (RFC 7143 11.10, Appendix C). */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "iscsi_login/login.h"
#include "iscsi_login/negotiate.h"
#include "model/portal.h"

/* An IPv4 address that came in at an IPv6 socket, as IPv4; without the scope, which means nothing to the
 * peer. */
static struct sockaddr_storage plain_address(const struct sockaddr_storage *addr)
{
	struct sockaddr_storage plain = *addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&plain;
	struct sockaddr_in v4 = {.sin_family = AF_INET};

	if (plain.ss_family != AF_INET6)
		return plain;
	v6->sin6_scope_id = 0;
	if (!IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return plain;
	v4.sin_port = v6->sin6_port;
	memcpy(&v4.sin_addr, v6->sin6_addr.s6_addr + 12, 4);
	memset(&plain, 0, sizeof(plain));
	memcpy(&plain, &v4, sizeof(v4));
	return plain;
}

static void set_port(struct sockaddr_storage *addr, const struct sockaddr_storage *from)
{
	/* sin_port and sin6_port lie at the same place */
	((struct sockaddr_in *)addr)->sin_port = ((const struct sockaddr_in *)from)->sin_port;
}

/* The address at which this peer can reach a portal; false: at none that we know. */
static bool reachable(const struct iscsi_text_context *context, const struct target_portal *portal,
		      char *text, size_t size)
{
	struct sockaddr_storage addr = plain_address(&portal->addr);

	if (target_portal_is_wildcard(&portal->addr)) {
		addr = plain_address(context->local);
		/* [::] may take IPv4 connections too, 0.0.0.0 takes nothing else */
		if (portal != context->portal && addr.ss_family != portal->addr.ss_family)
			return false;
		set_port(&addr, &portal->addr);
	}
	return target_portal_format(&addr, text, size) == 0;
}

static void add_portals(const struct iscsi_text_context *context, struct iscsi_text_out *out)
{
	const struct target_portal *portal, *earlier;
	char text[128], other[128], value[160];

	for (portal = target_portals(context->model); portal; portal = portal->next) {
		if (!reachable(context, portal, text, sizeof(text)))
			continue;
		for (earlier = target_portals(context->model); earlier != portal; earlier = earlier->next)
			if (reachable(context, earlier, other, sizeof(other)) && strcmp(text, other) == 0)
				break; /* a wildcard and one of its addresses */
		if (earlier != portal)
			continue;
		snprintf(value, sizeof(value), "%s,%u", text, portal->tpg_tag);
		iscsi_text_add_key(out, ISCSI_KEY_TARGET_ADDRESS, value);
	}
}

/* Shows a target to those that may log in, and to nobody else. */
static void add_target(const struct iscsi_text_context *context, const struct target *target,
		       struct iscsi_text_out *out)
{
	const struct target_auth *auth;

	if (!target_admits(target, context->initiator_name, &auth))
		return;
	iscsi_text_add_key(out, ISCSI_KEY_TARGET_NAME, target->name);
	add_portals(context, out);
}

static const struct target *named(struct target_model *model, const char *value)
{
	char name[TARGET_NAME_MAX + 1];

	if ((size_t)snprintf(name, sizeof(name), "%s", value) >= sizeof(name) || !target_name_valid(name))
		return NULL;
	return target_find(model, name);
}

/* Appendix C: everything in discovery, but only its own target in a normal session. */
static void send_targets(const struct iscsi_text_context *context, const char *value,
			 struct iscsi_text_out *out)
{
	const struct target *target = *value ? named(context->model, value) : context->target;

	if (!context->target && strcmp(value, "All") == 0)
		for (target = target_first(context->model); target; target = target_next(target))
			add_target(context, target, out);
	else if (target != context->target && context->target)
		iscsi_text_add_key(out, ISCSI_KEY_SEND_TARGETS, "Reject");
	else if (target)
		add_target(context, target, out);
	else if (!*value)
		iscsi_text_add_key(out, ISCSI_KEY_SEND_TARGETS, "Reject");
}

long iscsi_text_request(const struct iscsi_text_context *context, const uint8_t *in, size_t in_len,
			uint8_t *out, size_t out_size)
{
	struct iscsi_text_out answer = {.text = (char *)out, .size = out_size};
	const char *text = (const char *)in;
	struct iscsi_offers offers;
	uint64_t seen = 0;

	if (in_len > ISCSI_TEXT_MAX || iscsi_offers_read(&offers, text, in_len, &seen))
		return -1;
	iscsi_offers_negotiate(&offers, ISCSI_PHASE_FULL_FEATURE, !context->target, context->params);
	if (offers.of[ISCSI_KEY_SEND_TARGETS].value)
		send_targets(context, offers.of[ISCSI_KEY_SEND_TARGETS].value, &answer);
	iscsi_offers_answer(&offers, text, in_len, &answer);
	return answer.overflow ? -1 : (long)answer.len;
}
