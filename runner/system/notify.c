/* SPDX-License-Identifier: Apache-2.0 */
#include "system/notify.h"

#include <glib.h>
#include <stdarg.h>

#ifdef TCMUR_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

/* One loop's sign of life. */
struct sign {
	struct loop_work work;
	struct control_notify *notify;
};

struct control_notify {
	struct loop_set *loops;
	guint timer;      /* 0: systemd asks for no signs of life */
	unsigned missing; /* loops that have not answered this round; atomic */
	struct sign signs[];
};

static void tell(const char *state)
{
#ifdef TCMUR_HAVE_SYSTEMD
	sd_notify(0, state);
#else
	(void)state;
#endif
}

/* Milliseconds within which systemd wants a sign of life, 0: it wants none. */
static guint watchdog_ms(void)
{
	uint64_t us = 0;

#ifdef TCMUR_HAVE_SYSTEMD
	if (sd_watchdog_enabled(0, &us) <= 0)
		return 0;
#endif
	return (guint)MIN(us / 1000, G_MAXUINT);
}

/* On each loop. Release: the next round posts the work again only after it was taken off the mailbox. */
static void on_sign(struct loop_work *work)
{
	struct sign *sign = container_of(work, struct sign, work);

	__atomic_sub_fetch(&sign->notify->missing, 1, __ATOMIC_RELEASE);
}

/* Speaks for the round before, and begins the next. While a loop is missing systemd hears nothing. */
static gboolean on_round(gpointer data)
{
	struct control_notify *notify = data;
	unsigned nloops = notify->loops->nloops;

	if (__atomic_load_n(&notify->missing, __ATOMIC_ACQUIRE))
		return G_SOURCE_CONTINUE;
	tell("WATCHDOG=1");
	__atomic_store_n(&notify->missing, nloops, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < nloops; i++)
		loop_post(notify->loops->loops[i], &notify->signs[i].work);
	return G_SOURCE_CONTINUE;
}

struct control_notify *control_notify_ready(struct loop_set *loops)
{
	struct control_notify *notify = g_malloc0(sizeof(*notify) + loops->nloops * sizeof(struct sign));
	guint ms = watchdog_ms();

	notify->loops = loops;
	for (unsigned i = 0; i < loops->nloops; i++)
		notify->signs[i] = (struct sign){{.fn = on_sign}, notify};
	if (ms) /* several rounds, so that one that came a little late is not the end */
		notify->timer = g_timeout_add(MAX(ms / 4, 1), on_round, notify);
	tell("READY=1");
	return notify;
}

void control_notify_status(const char *format, ...)
{
	g_autofree char *state = NULL;
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	state = g_strconcat("STATUS=", text, NULL);
	tell(state);
}

void control_notify_stopping(struct control_notify *notify)
{
	if (notify->timer)
		g_source_remove(notify->timer);
	notify->timer = 0;
	tell("STOPPING=1");
}

void control_notify_free(struct control_notify *notify)
{
	g_free(notify);
}
