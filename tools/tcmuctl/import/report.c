/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the remarks of an import. The files that read configurations make the remarks. */
#include "import/report.h"

#include <stdarg.h>

#include "util/text.h"

void report_add(struct report *report, struct place place, const char *format, ...)
{
	g_autofree char *text = NULL, *line = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	text_hide_control_chars(text);
	line = place.line ? g_strdup_printf("%s:%u: %s", place.file, place.line, text)
			  : g_strdup_printf("%s: %s", place.file, text);
	if (!report->seen)
		report->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (!g_hash_table_add(report->seen, g_strdup(line)))
		return;
	report->count++;
	if (report->out)
		fprintf(report->out, "tcmuctl: %s\n", line);
}

void report_clear(struct report *report)
{
	g_clear_pointer(&report->seen, g_hash_table_unref);
}
