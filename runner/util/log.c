/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats log lines, and limits how many of them reach the sink, so that no peer can fill the log. Lines
 * about the same peer address are equal if they have the same format; other lines are equal if they have the
 * same text. The sink decides where a line is written.
 */
#include "util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/hash.h"
#include "util/text.h"

#define LOG_LINE_MAX 1024

/*
 * Within REPEAT_WINDOW seconds, at most REPEAT_BURST equal lines are written. Lines of LOG_LEVEL_DEBUG and
 * higher levels are not limited.
 */
#define REPEAT_BURST  10
#define REPEAT_WINDOW 5

/* The largest numbers of lines that are written within MINUTE seconds: lines about peers, and all lines. */
#define MINUTE         60
#define PEER_LINES_MAX 600
#define ALL_LINES_MAX  30000

atomic_int log_level_now = LOG_LEVEL_INFO;

static _Atomic(log_sink_fn *) log_sink;

/*
 * A kind of line that was seen recently. If two kinds have the same slot, the newer one replaces the older
 * one, so more lines may be written than the limit allows.
 */
struct repeat {
	uint64_t hash;
	time_t since;
	unsigned passed;
	unsigned held_back;
};

/* The number of lines in the current minute. */
struct minute {
	time_t since;
	unsigned peer_lines, all_lines;
	unsigned held_back;
};

/* The innermost lock: nothing is called while it is held. */
static pthread_mutex_t limit_lock = PTHREAD_MUTEX_INITIALIZER;
static struct repeat repeats[256]; /* Protected by limit_lock. */
static struct minute minute;       /* Protected by limit_lock. */

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&log_level_now, (int)level, memory_order_relaxed);
}

void log_set_sink(log_sink_fn *sink)
{
	atomic_store(&log_sink, sink);
}

void log_stderr(enum log_level level, const char *line)
{
	static const char *const names[] = {"critical: ", "error: ", "warning: ", "", "debug: ", "cdb: "};

	/*
	 * A single call, so that lines of several threads do not mix. It takes no lock, which a thread would
	 * keep for as long as nobody reads the lines.
	 */
	dprintf(STDERR_FILENO, "%s%s\n", (unsigned)level < ARRAY_SIZE(names) ? names[level] : "", line);
}

/*
 * Finds the address in a subject that names a peer: "10.0.0.1" in "10.0.0.1:4711" and in
 * "iqn...,10.0.0.1:4711". The port and the initiator's name are left out, because a peer can choose them.
 * Returns NULL if the subject names no peer.
 */
static const char *find_address(const char *subject, size_t *len)
{
	const char *comma, *colon = subject ? strrchr(subject, ':') : NULL;

	if (!colon || !colon[1] || colon[1 + strspn(colon + 1, "0123456789")])
		return NULL;
	comma = strrchr(subject, ',');
	const char *address = comma ? comma + 1 : subject;
	*len = (size_t)(colon - address);
	return address;
}

/*
 * Counts a line of this kind. Returns whether it may be written. Sets *held_back to the number of lines of
 * this kind that were held back since the last one that was written.
 */
static bool repeat_has_room(uint64_t hash, time_t now, unsigned *held_back)
{
	struct repeat *slot = &repeats[hash % ARRAY_SIZE(repeats)];

	if (slot->hash != hash || now - slot->since >= REPEAT_WINDOW) {
		*held_back = slot->hash == hash ? slot->held_back : 0;
		*slot = (struct repeat){.hash = hash, .since = now};
	}
	if (slot->passed < REPEAT_BURST) {
		slot->passed++;
		return true;
	}
	slot->held_back++;
	return false;
}

static bool minute_has_room(bool peer, time_t now, unsigned *skipped)
{
	if (now - minute.since >= MINUTE) {
		*skipped = minute.held_back;
		minute = (struct minute){.since = now};
	}
	if (minute.all_lines >= ALL_LINES_MAX || (peer && minute.peer_lines >= PEER_LINES_MAX)) {
		minute.held_back++;
		return false;
	}
	minute.all_lines++;
	minute.peer_lines += peer;
	return true;
}

/*
 * Returns whether the line may be written. See repeat_has_room() for held_back. skipped is the number of
 * lines of all kinds that the limit of the last minute has held back.
 */
static bool may_pass(uint64_t hash, bool peer, unsigned *held_back, unsigned *skipped)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	SCOPE_LOCK(&limit_lock);
	return repeat_has_room(hash, now.tv_sec, held_back) && minute_has_room(peer, now.tv_sec, skipped);
}

static void pass(enum log_level level, char *line, unsigned held_back, unsigned skipped)
{
	log_sink_fn *sink = atomic_load(&log_sink);
	char summary[80];
	size_t len = strlen(line);

	if (held_back)
		snprintf(line + len, LOG_LINE_MAX - len, " (and %u times more before)", held_back);
	if (skipped) {
		snprintf(summary, sizeof(summary), "%u lines were left out of the log in the last minute",
			 skipped);
		(sink ? sink : log_stderr)(LOG_LEVEL_WARN, summary);
	}
	(sink ? sink : log_stderr)(level, line);
}

void log_write(enum log_level level, const char *subject, const char *format, ...)
{
	unsigned held_back = 0, skipped = 0;
	char line[LOG_LINE_MAX];
	int saved = errno;
	va_list args;
	size_t len = 0;
	const char *address = find_address(subject, &len);
	bool limited = level < LOG_LEVEL_DEBUG;
	uint64_t hash = hash_bytes(HASH_INIT, format, strlen(format));

	/*
	 * Lines about a peer that have the same format count as equal, because the peer can choose their
	 * contents. They are held back before they are formatted.
	 */
	if (limited && address && !may_pass(hash_bytes(hash, address, len), true, &held_back, &skipped)) {
		errno = saved;
		return;
	}
	len = 0;
	if (subject) {
		snprintf(line, sizeof(line) / 2, "%s: ", subject);
		len = strlen(line);
	}
	va_start(args, format);
	vsnprintf(line + len, sizeof(line) - len, format, args);
	va_end(args);
	text_hide_control_chars(line);
	if (!limited || address ||
	    may_pass(hash_bytes(HASH_INIT, line, strlen(line)), false, &held_back, &skipped))
		pass(level, line, held_back, skipped);
	errno = saved;
}
