/* SPDX-License-Identifier: Apache-2.0 */
/* What the code under test logs, kept instead of printed. Any thread. */
#ifndef TEST_KEPT_LOG_H
#define TEST_KEPT_LOG_H

#include <stdbool.h>

/* From now on, and nothing is kept yet. */
void log_keep(void);
void log_forget(void);
/* Lines since log_keep() or log_forget(), one string; while nobody logs. */
const char *logged(void);
bool is_logged(const char *text);
#endif
