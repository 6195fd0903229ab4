/* SPDX-License-Identifier: Apache-2.0 */
/* Portal addresses and their text form. Any thread. */
#ifndef MODEL_PORTAL_H
#define MODEL_PORTAL_H

#include <stddef.h>

#include "model/np.h"
#include "model/target.h"

/* "ADDR:PORT=PUBLIC:PORT" also fills public_text, the address that discovery shows to initiators behind NAT. */
int target_portal_parse_pair(const char *text, struct target_portal *portal, struct error *error);
/* Fills addr and text (in its normal form). 0 or -EINVAL with error set. */
int target_portal_parse(const char *text, struct target_portal *portal, struct error *error);
/* Whether text is HOST:PORT, as RFC 7143 13.8 wants it. */
bool target_portal_public_valid(const char *text);
/* "127.0.0.1:3260", "[::1]:3260". 0 or -errno. */
int target_portal_format(const struct sockaddr_storage *addr, char *text, size_t size);
/* False: port 0, the kernel chooses a port. */
bool target_portal_has_port(const struct sockaddr_storage *addr);
/* 0.0.0.0 or [::] */
bool target_portal_is_wildcard(const struct sockaddr_storage *addr);
#endif
