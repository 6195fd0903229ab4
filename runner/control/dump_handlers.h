/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_DUMP_HANDLERS_H
#define CONTROL_DUMP_HANDLERS_H

/* Prints the loaded handlers to stdout as key=value lines, an empty line between two, for scripts to probe.
 */
void control_dump_handlers(void);
#endif
