/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UTIL_ERRNO_NAME_H
#define UTIL_ERRNO_NAME_H

#define ERRNO_NAME_SIZE 16

/*
 * Any thread. Returns "EBUSY" for the number EBUSY; for a number without a name here, "E" and the
 * number, in text.
 */
const char *errno_name(int number, char text[ERRNO_NAME_SIZE]);
#endif
