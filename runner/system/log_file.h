/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides where log lines go. A daemon in the foreground writes them to stderr. A service, which systemd or
 * D-Bus has started, writes them to syslog, and root's service also writes them to a file in the log folder.
 * If a log folder is configured, the file is written in all cases. A separate thread writes the lines, so
 * that no event loop waits for a disk, for journald or for the reader of stderr.
 */
#ifndef SYSTEM_LOG_FILE_H
#define SYSTEM_LOG_FILE_H

/*
 * Main thread. Begins to write the log to stderr only, where each line is written at once. While stderr takes
 * no lines, the lines wait, but not the threads that log them.
 */
void system_log_to_stderr(void);
/*
 * Main thread. Begins to write the log. dir is the log folder, or NULL for the default, and name is the name
 * of the file. A further call with another folder continues the log there.
 */
void system_log_open(const char *dir, const char *name);
/* Main thread. Opens the file again. To be called when logrotate has moved it away. */
void system_log_reopen(void);
/* Any thread. Waits until all queued lines are written, but at most ms milliseconds. */
void system_log_flush(unsigned ms);
/* Main thread. Writes all queued lines, and ends the thread. Further lines go to stderr. */
void system_log_close(void);
#endif
