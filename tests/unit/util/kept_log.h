/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that the tested code logs are kept and not printed. Any thread. */
#ifndef TEST_KEPT_LOG_H
#define TEST_KEPT_LOG_H

#include <stdbool.h>

/* Begins to keep lines, with none. */
void log_keep(void);
void log_forget(void);
/* Returns the lines since log_keep() or log_forget() as one string. No thread may log at the same time. */
const char *logged(void);
bool is_logged(const char *text);
#endif
