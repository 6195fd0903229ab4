/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object that is not a handler. */
extern int no_entry_here;
int no_entry_here = 1;
