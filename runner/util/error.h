/* SPDX-License-Identifier: Apache-2.0 */
/* One line for users that says what has failed and why. A function that takes an error sets it on failure. */
#ifndef UTIL_ERROR_H
#define UTIL_ERROR_H

struct error {
	char text[512];
};

/*
 * Writes a formatted text to error, which may be NULL, and returns -err. err is a positive errno. errno does
 * not change.
 */
int error_set(struct error *error, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Puts "context: " before the text of error. Returns err unchanged. */
int error_prefix(struct error *error, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));
/*
 * If err (a negative errno) means that a permission is missing, adds to the text of error (which may be NULL)
 * as which user this process runs, because an administrator may not think of the user of a service. For root,
 * nothing is added. Returns err unchanged.
 */
int error_add_user_if_denied(struct error *error, int err);
#endif
