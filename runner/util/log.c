/* SPDX-License-Identifier: Apache-2.0 */
#include "util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/bytes.h"
#include "util/cleanup.h"

#define LOG_LINE_MAX 1024

/* Of one and the same line, so many pass in so many seconds; lines from LOG_LEVEL_DEBUG on all pass. */
#define REPEAT_BURST  10
#define REPEAT_WINDOW 5

int log_level_now = LOG_LEVEL_INFO;

static _Atomic(log_sink_fn *) log_sink;

/* A line that was seen lately. Different lines that hash to one slot push each other out, which lets more
 * pass. */
struct repeat {
	uint64_t hash;
	time_t since;
	unsigned passed;
	unsigned held_back;
};

static pthread_mutex_t repeat_lock = PTHREAD_MUTEX_INITIALIZER; /* innermost: nothing is called under it */
static struct repeat repeats[64];                               /* under repeat_lock */

void log_set_level(enum log_level level)
{
	log_level_now = (int)level;
}

void log_set_sink(log_sink_fn *sink)
{
	atomic_store(&log_sink, sink);
}

void log_stderr(enum log_level level, const char *line)
{
	static const char *const names[] = {"critical: ", "error: ", "warning: ", "", "debug: ", "cdb: "};

	/* One call, so that lines of several threads do not mix. */
	fprintf(stderr, "%s%s\n", (unsigned)level < ARRAY_SIZE(names) ? names[level] : "", line);
}

static uint64_t hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
	return hash;
}

/* Whether the line may pass; *held_back gets the number of equal ones that did not since the
 * last that did. */
static bool may_pass(const char *line, unsigned *held_back)
{
	uint64_t hash = hash_text(line);
	struct repeat *slot = &repeats[hash % ARRAY_SIZE(repeats)];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	SCOPE_LOCK(&repeat_lock);
	if (slot->hash != hash || now.tv_sec - slot->since >= REPEAT_WINDOW) {
		*held_back = slot->hash == hash ? slot->held_back : 0;
		*slot = (struct repeat){.hash = hash, .since = now.tv_sec};
	}
	if (slot->passed >= REPEAT_BURST) {
		slot->held_back++;
		return false;
	}
	slot->passed++;
	return true;
}

/* Text from the wire must not forge lines or drive a terminal; bytes from 80h on are left for UTF-8. */
static void defuse(char *line)
{
	for (; *line; line++) {
		if ((unsigned char)*line < ' ' || *line == 0x7f)
			*line = '?';
	}
}

void log_write(enum log_level level, const char *subject, const char *format, ...)
{
	int saved = errno;
	log_sink_fn *sink = atomic_load(&log_sink);
	unsigned held_back = 0;
	char line[LOG_LINE_MAX];
	va_list args;
	size_t len = 0;

	if (subject) {
		snprintf(line, sizeof(line) / 2, "%s: ", subject);
		len = strlen(line);
	}
	va_start(args, format);
	vsnprintf(line + len, sizeof(line) - len, format, args);
	va_end(args);
	defuse(line);

	if (level >= LOG_LEVEL_DEBUG || may_pass(line, &held_back)) {
		len = strlen(line);
		if (held_back)
			snprintf(line + len, sizeof(line) - len, " (and %u times more before)", held_back);
		(sink ? sink : log_stderr)(level, line);
	}
	errno = saved;
}
