/* SPDX-License-Identifier: Apache-2.0 */
/* Linked into the daemon that runs under ThreadSanitizer. */

const char *__tsan_default_options(void);
const char *__tsan_default_suppressions(void);

/*
 * A READ may be sent from the memory of the disk, and a WRITE may change this memory until then; see below. A
 * suppression does not work for such a READ if the sanitizer has forgotten the call stack of the WRITE.
 * Therefore it does not check what is passed to sendmsg(2).
 */
const char *__tsan_default_options(void)
{
	return "intercept_send=0";
}

/*
 * Initiators order their accesses to the contents of a disk in memory: one sends its WRITE after another one
 * has received the answer to its READ. The sanitizer does not see this order, and a target need not order
 * overlapping commands by itself (SAM-5 8.1).
 */
const char *__tsan_default_suppressions(void)
{
	return "race:^copy_to_iov$\n"
	       "race:^copy_from_iov$\n"
	       "race:^zero_part$\n"
	       "race:^alloc_write_zeroes$\n"
	       "race:^alloc_write_same$\n";
}
