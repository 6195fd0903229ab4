/* SPDX-License-Identifier: Apache-2.0 */
#include "config/identity.h"

#include <glib.h>
#include <string.h>

void control_make_serial(const char *target, const char *backstore, char serial[CONTROL_SERIAL_LEN + 1])
{
	g_autofree char *names = g_strconcat(target, "\n", backstore, NULL);
	g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA256, names, -1);

	g_strlcpy(serial, digest, CONTROL_SERIAL_LEN + 1);
}
