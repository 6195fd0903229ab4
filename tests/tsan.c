/* SPDX-License-Identifier: Apache-2.0 */
/* Linked into the daemon under the thread sanitizer. */

const char *__tsan_default_suppressions(void);

/*
 * The contents of memory, and of files in memory, are ordered by its initiators: one sends its WRITE after
 * another was sent the answer of its READ. The sanitizer does not see that, nor does a target order what
 * overlaps without that (SAM-5 8.1).
 */
const char *__tsan_default_suppressions(void)
{
	return "race:^copy_to_iov$\n"
	       "race:^copy_from_iov$\n"
	       "race:^zero_part$\n"
	       "race:^alloc_write_zeroes$\n"
	       "race:^alloc_write_same$\n";
}
