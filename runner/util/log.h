/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logging. Any thread. Text that is logged is never used as a format, so a '%' in the name of a device is
 * harmless. Repeated lines are counted, and their rate is limited. Lines go to the sink, which is stderr at
 * the start and which runner/control changes. A subject that ends with ":PORT" names a peer: lines about one
 * peer address that have the same format count as repetitions of each other.
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

#include <stdatomic.h>
#include <stdbool.h>

/* The same numbers as log_level in tcmu.conf. */
enum log_level {
	LOG_LEVEL_CRIT,
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_CDB
};

/* Read it with log_shows(). */
extern atomic_int log_level_now;

/*
 * Any thread. Returns whether lines of this level are written. Relaxed: after a change of the level, a line
 * too many or too few may be written.
 */
static inline bool log_shows(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level_now, memory_order_relaxed);
}

typedef void log_sink_fn(enum log_level level, const char *line);
log_sink_fn log_stderr;

void log_set_level(enum log_level level);
/*
 * Sets the sink. It is called on any thread, without a lock, with a complete line that has no newline. NULL
 * means stderr.
 */
void log_set_sink(log_sink_fn *sink);
/* subject is the object to which the line refers ("file/disk0", "iqn…,10.0.0.1:4711"), or NULL. */
void log_write(enum log_level level, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_at(level, subject, ...)                                 \
	do {                                                        \
		if (log_shows(level))                               \
			log_write((level), (subject), __VA_ARGS__); \
	} while (0)
#define log_crit(...)  log_at(LOG_LEVEL_CRIT, __VA_ARGS__)
#define log_err(...)   log_at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LEVEL_DEBUG, __VA_ARGS__)
#endif
