/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of portals and their text form; model_np_parse() is in np.h. Any thread. */
#ifndef MODEL_PORTAL_H
#define MODEL_PORTAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* Returns whether text is HOST:PORT in the form that RFC 7143 13.8 requires. */
bool model_public_address_valid(const char *text);
/* Writes the address as text, such as "127.0.0.1:3260" or "[::1]:3260". Returns 0 or -errno. */
int model_address_format(const struct sockaddr_storage *addr, char *text, size_t size);
/* Returns false if the port is 0, so that the kernel chooses a port. */
bool model_address_has_port(const struct sockaddr_storage *addr);
/* Returns whether the address is 0.0.0.0 or [::]. */
bool model_address_is_wildcard(const struct sockaddr_storage *addr);
/* Returns whether an interface of this machine has the address at present. */
bool model_address_is_local(const struct sockaddr_storage *addr);
#endif
