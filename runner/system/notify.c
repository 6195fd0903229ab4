/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to systemd (sd_notify(3)), and the watchdog: in each round, every event loop must answer, and
 * systemd gets a message only after all of them have answered.
 */
#include "system/notify.h"

#include <glib.h>
#include <stdarg.h>
#include <stdatomic.h>

#ifdef TCMUR_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

struct system_notify {
	/* 0 if systemd does not expect watchdog messages. */
	guint timer;
	/* The broadcast that visits every event loop once in each round. */
	struct loop_broadcast *round;
	/* Whether every event loop has answered in this round. */
	atomic_bool answered;
};

static void send_state(const char *state)
{
#ifdef TCMUR_HAVE_SYSTEMD
	sd_notify(0, state);
#else
	(void)state;
#endif
}

/*
 * Returns the number of milliseconds within which systemd expects a watchdog message, or 0 if it expects
 * none.
 */
static guint watchdog_ms(void)
{
	uint64_t us = 0;

#ifdef TCMUR_HAVE_SYSTEMD
	if (sd_watchdog_enabled(0, &us) <= 0)
		return 0;
#endif
	return (guint)MIN(us / 1000, G_MAXUINT);
}

static void answer_for_loop(void *owner, struct loop *loop)
{
	struct system_notify *notify = owner;

	(void)loop;
	loop_broadcast_ack(notify->round);
}

static void end_round(void *owner)
{
	struct system_notify *notify = owner;

	/* Release: the broadcast must have ended before the main thread starts it again. */
	atomic_store_explicit(&notify->answered, true, memory_order_release);
}

static const struct loop_broadcast_ops round_ops = {.visit = answer_for_loop, .done = end_round};

/*
 * Sends a watchdog message if every event loop has answered since the last call, and then asks the loops
 * again. While an event loop does not answer, systemd gets no message.
 */
static gboolean on_round(gpointer data)
{
	struct system_notify *notify = data;

	if (!atomic_load_explicit(&notify->answered, memory_order_acquire))
		return G_SOURCE_CONTINUE;
	send_state("WATCHDOG=1");
	atomic_store_explicit(&notify->answered, false, memory_order_relaxed);
	loop_broadcast_start(notify->round, NULL);
	return G_SOURCE_CONTINUE;
}

struct system_notify *system_notify_ready(struct loop_set *loops)
{
	struct system_notify *notify = g_new0(struct system_notify, 1);
	guint ms = watchdog_ms();

	notify->answered = true;
	notify->round = loop_broadcast_new(loops, &round_ops, notify);
	/* There are several rounds within the limit, so that one late round does not end the daemon. */
	if (ms && notify->round)
		notify->timer = g_timeout_add(MAX(ms / 4, 1), on_round, notify);
	send_state("READY=1");
	return notify;
}

void system_notify_status(const char *format, ...)
{
	g_autofree char *state = NULL;
	va_list args;

	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	state = g_strconcat("STATUS=", text, NULL);
	send_state(state);
}

void system_notify_stopping(struct system_notify *notify)
{
	if (notify->timer)
		g_source_remove(notify->timer);
	notify->timer = 0;
	send_state("STOPPING=1");
}

void system_notify_free(struct system_notify *notify)
{
	if (notify)
		loop_broadcast_free(notify->round);
	g_free(notify);
}
