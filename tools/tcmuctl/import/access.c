/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translates address rules. SCST and tgt refuse an address if it is denied and not allowed. The daemon
 * refuses an address if it is denied, or if it is not allowed. Each of the daemon's two lists alone can
 * express both.
 */
#include "import/access.h"

/* Makes the target accept connections only from the allowed addresses. */
static void allow(struct saved_target *target, const GArray *allowed, struct place place,
		  struct report *report)
{
	target->allowed = address_set_print(allowed);
	if (target->allowed)
		return;
	target->enable = false;
	report_add(report, place, "%s is imported as disabled, because its list of addresses is too long",
		   target->name);
}

static void deny(struct saved_target *target, const GArray *denied, const GArray *allowed, struct place place,
		 struct report *report)
{
	GArray *rest = address_set_subtract(denied, allowed);

	if (rest && !rest->len) {
		g_array_unref(rest);
		return;
	}
	target->denied = rest ? address_set_print(rest) : NULL;
	g_clear_pointer(&rest, g_array_unref);
	if (target->denied)
		return;
	target->denied = address_set_print(denied);
	if (target->denied) {
		report_add(report, place,
			   "%s refuses all addresses that are denied, because there are too many exceptions",
			   target->name);
		return;
	}
	target->enable = false;
	report_add(report, place, "%s is imported as disabled, because its list of addresses is too long",
		   target->name);
}

void access_set(struct saved_target *target, const GArray *denied, const GArray *allowed, struct place place,
		struct report *report)
{
	if (address_set_is_all(denied) && allowed->len && !address_set_is_all(allowed))
		allow(target, allowed, place, report);
	else
		deny(target, denied, allowed, place, report);
}
