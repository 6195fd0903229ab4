/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps log lines, so that a test can read them. */
#include "kept_log.h"

#include <stdio.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/log.h"

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char log_text[16384];

static void keep_line(enum log_level level, const char *line)
{
	SCOPE_LOCK(&log_lock);
	size_t len = strlen(log_text);

	(void)level;
	snprintf(log_text + len, sizeof(log_text) - len, "%s\n", line);
}

void log_keep(void)
{
	log_forget();
	log_set_sink(keep_line);
}

void log_forget(void)
{
	SCOPE_LOCK(&log_lock);
	*log_text = '\0';
}

const char *logged(void)
{
	SCOPE_LOCK(&log_lock);
	return log_text;
}

bool is_logged(const char *text)
{
	SCOPE_LOCK(&log_lock);
	return strstr(log_text, text);
}
