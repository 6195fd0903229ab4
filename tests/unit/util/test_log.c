/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: levels, subjects, limits, and where they go. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "util/log.h"

static char last[2048];
static enum log_level last_level;
static int lines;

static void sink(enum log_level level, const char *line)
{
	strcpy(last, line);
	last_level = level;
	lines++;
}

static int setup(void **state)
{
	(void)state;
	log_set_sink(sink);
	log_set_level(LOG_LEVEL_INFO);
	lines = 0;
	return 0;
}

static void formats_once(void **state)
{
	(void)state;
	errno = 77;
	log_err("disk%n%s", "%s of %d", "a%sb", 3);
	assert_string_equal(last, "disk%n%s: a%sb of 3");
	assert_int_equal(last_level, LOG_LEVEL_ERROR);
	log_info(NULL, "no subject");
	assert_string_equal(last, "no subject");
	log_info(NULL, "one\ntwo\x1b[2J");
	assert_string_equal(last, "one?two?[2J");
	assert_int_equal(errno, 77);
}

static void keeps_to_the_level(void **state)
{
	(void)state;
	log_debug(NULL, "unseen");
	assert_int_equal(lines, 0);
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug(NULL, "seen");
	assert_int_equal(lines, 1);
}

static void cuts_what_is_too_long(void **state)
{
	static char subject[4000];

	(void)state;
	memset(subject, 's', sizeof(subject) - 1);
	log_info(subject, "%0600d", 1);
	assert_int_equal(strlen(last), 1023);
}

static void holds_repeats_back(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		log_warn("lun", "again");
	assert_uint_in_range(lines, 10, 20); /* 20 if a new window began in between */
	lines = 0;
	for (int i = 0; i < 100; i++)
		log_warn("lun", "number %d", i);
	assert_int_equal(lines, 100);
}

/*
 * A peer chooses its port, its name and what a line says about it, so lines that differ only in these count
 * as equal.
 */
static void counts_lines_of_a_peer_by_format_and_address(void **state)
{
	char subject[64];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(subject, sizeof(subject), "iqn.2026-11.test:%d,192.0.2.1:%d", i, 1024 + i);
		log_info(subject, "login refused: %d", i);
	}
	assert_uint_in_range(lines, 10, 20);
	lines = 0;
	log_info("192.0.2.2:99", "login refused: %d", 1);
	log_info("192.0.2.1:99", "logged in to %d", 1);
	log_info("[2001:db8::1]:99", "login refused: %d", 1);
	assert_int_equal(lines, 3);
}

static void limits_all_lines_of_peers_in_a_minute(void **state)
{
	char subject[64];

	(void)state;
	for (int i = 0; i < 10000; i++) {
		snprintf(subject, sizeof(subject), "10.%d.%d.%d:99", i >> 16, i >> 8 & 255, i & 255);
		log_info(subject, "connection closed");
	}
	assert_uint_in_range(lines, 500, 1200); /* 1200 if a new minute began in between */
	log_err("file/disk", "the storage reports an error");
	assert_string_equal(last, "file/disk: the storage reports an error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(formats_once, setup),
	    cmocka_unit_test_setup(keeps_to_the_level, setup),
	    cmocka_unit_test_setup(cuts_what_is_too_long, setup),
	    cmocka_unit_test_setup(holds_repeats_back, setup),
	    cmocka_unit_test_setup(counts_lines_of_a_peer_by_format_and_address, setup),
	    cmocka_unit_test_setup(limits_all_lines_of_peers_in_a_minute, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
