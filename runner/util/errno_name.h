/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UTIL_ERRNO_NAME_H
#define UTIL_ERRNO_NAME_H

#define ERRNO_NAME_SIZE 16

/*
 * Any thread. Returns the name of an errno, for example "EBUSY". If the number has no name here, writes "E"
 * and the number into text, and returns text.
 */
const char *errno_name(int number, char text[ERRNO_NAME_SIZE]);
#endif
