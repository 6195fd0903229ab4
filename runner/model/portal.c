/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Portals as text: "ADDR", "ADDR:PORT", "[V6]" or "[V6]:PORT". Only numeric addresses are accepted, so that
 * nothing here waits for a name server. With port 0, the kernel chooses a port when the socket is bound.
 */
#include "model/portal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/np.h"

#define ISCSI_PORT "3260" /* The port of iSCSI (RFC 7143 15, IANA). */

static bool port_valid(const char *port)
{
	size_t len = strspn(port, "0123456789");

	return len >= 1 && len <= 5 && !port[len] && atoi(port) <= 65535;
}

/* Divides text, which is a copy, into host and port. Returns NULL, or the reason if this is not possible. */
static const char *split(char *text, char **host, const char **port)
{
	char *end;

	*port = ISCSI_PORT;
	*host = text;
	if (*text == '[') {
		*host = text + 1;
		end = strchr(text, ']');
		if (!end)
			return "the ']' is missing";
		*end++ = '\0';
		if (!*end)
			return NULL;
		if (*end != ':')
			return "only ':PORT' may follow the ']'";
	} else {
		end = strchr(text, ':');
		if (!end)
			return NULL;
		if (strchr(end + 1, ':'))
			return "write an IPv6 address in brackets, as in [::1]:3260";
	}
	*end++ = '\0';
	*port = end;
	return port_valid(end) ? NULL : "the port is not a number from 0 to 65535";
}

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

int model_address_format(const struct sockaddr_storage *addr, char *text, size_t size)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];
	socklen_t len =
	    addr->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	int n;

	if (getnameinfo((const struct sockaddr *)addr, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return -EINVAL;
	n = snprintf(text, size, addr->ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
	return n > 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
}

/*
 * RFC 7143 13.8: a TargetAddress consists of a DNS name or an address, and of a port. Initiators resolve the
 * name, and this daemon does not.
 */
bool model_public_address_valid(const char *text)
{
	const char *host_end = *text == '[' ? strchr(text, ']') : strchr(text, ':');
	const char *colon = host_end && *host_end == ']' ? host_end + 1 : host_end;

	if (!colon || *colon != ':' || !port_valid(colon + 1) || atoi(colon + 1) == 0)
		return false;
	size_t len = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:[]");
	return colon > text && !text[len];
}

bool model_address_is_wildcard(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET)
		return ((const struct sockaddr_in *)addr)->sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)addr)->sin6_addr);
}

bool model_address_is_local(const struct sockaddr_storage *addr)
{
	struct sockaddr_storage any_port = *addr;
	int fd = socket(addr->ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return true; /* Without a socket, nothing is known; errno is EMFILE, for example. */
	if (addr->ss_family == AF_INET6)
		((struct sockaddr_in6 *)&any_port)->sin6_port = 0;
	else
		((struct sockaddr_in *)&any_port)->sin_port = 0;
	bool local = !bind(fd, (struct sockaddr *)&any_port, sizeof(any_port)) || errno != EADDRNOTAVAIL;
	close(fd);
	return local;
}

bool model_address_has_port(const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET)
		return ((const struct sockaddr_in *)addr)->sin_port;
	return ((const struct sockaddr_in6 *)addr)->sin6_port;
}

/* Parses an address of one family. */
static int parse(struct model_np *np, const char *text, struct error *error)
{
	const struct addrinfo hints = {
	    .ai_family = *text == '[' ? AF_INET6 : AF_INET,
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
	};
	struct addrinfo *info;
	const char *port, *reason;
	char copy[sizeof(np->text)], *host;
	int err;

	if (strlen(text) >= sizeof(copy))
		return error_set(error, EINVAL, "portal %.80s: too long", text);
	strcpy(copy, text);
	reason = split(copy, &host, &port);
	if (reason)
		return error_set(error, EINVAL, "portal %s: %s", text, reason);
	if (is_number(host))
		return error_set(error, EINVAL,
				 "portal %s is a number without an address; use for example 127.0.0.1:%s",
				 text, text);
	/* getaddrinfo() would take an empty host for the loopback address. */
	if (getaddrinfo(*host ? host : "?", port, &hints, &info) != 0)
		return error_set(
		    error, EINVAL,
		    "portal %s: '%s' is not an IP address; use for example 127.0.0.1:3260 or [::1]:3260",
		    text, host);
	memset(np, 0, sizeof(*np));
	memcpy(&np->addr, info->ai_addr, info->ai_addrlen);
	np->addr_len = info->ai_addrlen;
	freeaddrinfo(info);
	err = model_address_format(&np->addr, np->text, sizeof(np->text));
	if (err)
		return error_set(error, -err, "portal %s: cannot be shown as text", text);
	/*
	 * getaddrinfo() accepts "127.1" and "010.0.0.1", too, but probably reads them as other addresses than
	 * the user means.
	 */
	if (*text != '[' && strncmp(np->text, host, strlen(host)) != 0)
		return error_set(error, EINVAL, "portal %s means %s; write it in this form", text, np->text);
	return 0;
}

/* Makes the np accept IPv4 connections as well. Its name then begins with '*'. */
static void name_dual_stack(struct model_np *np)
{
	char port[8];

	snprintf(port, sizeof(port), "%s", strrchr(np->text, ':'));
	snprintf(np->text, sizeof(np->text), "*%s", port);
}

void model_np_set_bound(struct model_np *np, const struct sockaddr_storage *addr)
{
	np->addr = *addr;
	model_address_format(addr, np->text, sizeof(np->text));
	if (np->dual_stack)
		name_dual_stack(np);
}

const char *model_portal_to_lio(const char *name, char text[MODEL_PORTAL_SIZE])
{
	snprintf(text, MODEL_PORTAL_SIZE, "%s%.58s", *name == '*' ? "[::]" : "", name + (*name == '*'));
	return text;
}

int model_portal_from_lio(const char *name, char text[MODEL_PORTAL_SIZE], struct error *error)
{
	struct model_np np;

	if (*name == '*')
		return error_set(error, EINVAL,
				 "portal %.80s: LIO has no such name; [::]:PORT is for IPv6 and IPv4 there",
				 name);
	if (model_np_parse(&np, name, error))
		return -EINVAL;
	if (np.addr.ss_family == AF_INET6 && model_address_is_wildcard(&np.addr))
		name_dual_stack(&np);
	snprintf(text, MODEL_PORTAL_SIZE, "%s", np.text);
	return 0;
}

int model_np_parse(struct model_np *np, const char *text, struct error *error)
{
	bool dual_stack = !strncmp(text, "*:", 2);
	char v6[sizeof(np->text)];

	if (dual_stack)
		snprintf(v6, sizeof(v6), "[::]%.58s", text + 1);
	int err = parse(np, dual_stack ? v6 : text, error);
	if (err || !dual_stack)
		return err;
	np->dual_stack = true;
	name_dual_stack(np);
	return 0;
}
