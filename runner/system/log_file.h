/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where log lines go: stderr in the foreground; as a service (started by systemd or D-Bus) tcmu-runner.log in
 * the log folder, and syslog. A folder that is named gets the file in the foreground, too. A thread of its
 * own writes, so that no loop waits for a disk or for journald.
 */
#ifndef SYSTEM_LOG_FILE_H
#define SYSTEM_LOG_FILE_H

/* Main thread. dir: NULL for the default. Again with another folder: continues there. */
void control_log_open(const char *dir);
/* Main thread. The file was moved away: begins a new one. */
void control_log_reopen(void);
/* Main thread. Writes what is left; lines go to stderr again. */
void control_log_close(void);
#endif
