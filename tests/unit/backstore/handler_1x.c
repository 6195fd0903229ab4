/* SPDX-License-Identifier: Apache-2.0 */
/* A handler as tcmu-runner 1.x loads it: its entry point calls a function that only the daemon of 1.x has. */
int tcmur_register_handler(void *handler);
int handler_init(void);

__attribute__((visibility("default"))) int handler_init(void)
{
	return tcmur_register_handler(0);
}
