/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for secrets is zeroed and is left out of core dumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "util/secret_memory.h"

/*
 * Returns the flags of the mapping that contains the address (proc_pid_smaps(5)); "dd" means "do not dump".
 */
static void read_flags(const void *address, char *flags, size_t size)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	char line[512];
	uintptr_t begin, end;
	int inside = 0;

	flags[0] = '\0';
	assert_non_null(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%zx-%zx ", &begin, &end) == 2)
			inside = (uintptr_t)address >= begin && (uintptr_t)address < end;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(flags, size, "%s", line);
	}
	fclose(smaps);
}

/* Returns false in an emulator of programs, such as qemu-user, which ignores MADV_DONTDUMP. */
static int advice_is_followed(void)
{
	char flags[256];
	void *page = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(page, MAP_FAILED);
	assert_int_equal(madvise(page, 65536, MADV_DONTDUMP), 0);
	read_flags(page, flags, sizeof(flags));
	munmap(page, 65536);
	return strstr(flags, " dd") != NULL;
}

static void is_not_dumped(void **state)
{
	char *secret = secret_alloc(10000), flags[256];

	(void)state;
	assert_non_null(secret);
	for (unsigned i = 0; i < 10000; i++)
		assert_int_equal(secret[i], 0);
	strcpy(secret, "open sesame");
	if (!advice_is_followed())
		skip(); /* also on a kernel without VmFlags */
	read_flags(secret, flags, sizeof(flags));
	assert_non_null(strstr(flags, " dd"));
	read_flags(secret + 9999, flags, sizeof(flags));
	assert_non_null(strstr(flags, " dd"));
	secret_free(secret, 10000);
	secret_free(NULL, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(is_not_dumped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
