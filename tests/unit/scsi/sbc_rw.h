/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that read and write blocks, and data for them. */
#ifndef TESTS_SCSI_SBC_RW_H
#define TESTS_SCSI_SBC_RW_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sbc_fixture.h"

#define BLOCKS 1024
#define FUA    0x08

enum {
	READ6 = 0x08,
	READ10 = 0x28,
	READ12 = 0xa8,
	READ16 = 0x88,
	WRITE6 = 0x0a,
	WRITE10 = 0x2a,
	WRITE12 = 0xaa,
	WRITE16 = 0x8a,
	VERIFY10 = 0x2f,
	VERIFY12 = 0xaf,
	VERIFY16 = 0x8f,
	WRITE_VERIFY10 = 0x2e,
	WRITE_VERIFY12 = 0xae,
	WRITE_VERIFY16 = 0x8e,
	COMPARE_AND_WRITE = 0x89,
	ORWRITE = 0x8b,
	WRITE_SAME16 = 0x93,
};

/* A buffer that is never too short; each byte depends on its place. */
static uint8_t pattern[600 * 4096];

static inline int make_pattern(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)(i * 7 + i / 512 + i / 4096 * 3 + 1);
	return 0;
}
#endif
