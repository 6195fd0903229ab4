/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where log lines go. A daemon in the foreground writes them to stderr. A service, which systemd or D-Bus has
 * started, writes them to syslog, and root's service also to a file in the log folder. If a log
 * folder is configured, the file is written in all cases. A separate thread writes the lines, so that no
 * event loop waits for a disk or for journald.
 */
#ifndef SYSTEM_LOG_FILE_H
#define SYSTEM_LOG_FILE_H

/*
 * Main thread. dir: the log folder; NULL: the default. name: of the file. A further call with another folder
 * continues the log there.
 */
void control_log_open(const char *dir, const char *name);
/* Main thread. Opens the file again, because logrotate has moved it away. */
void control_log_reopen(void);
/* Any thread. Waits until the lines that wait are written, for ms milliseconds at most. */
void control_log_flush(unsigned ms);
/* Main thread. Writes the lines that wait, and ends the thread. Further lines go to stderr. */
void control_log_close(void);
#endif
