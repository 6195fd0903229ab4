/* SPDX-License-Identifier: Apache-2.0 */
/* One line for users that says what failed and why. Functions set it when they return a negative
 * errno. */
#ifndef UTIL_ERROR_H
#define UTIL_ERROR_H

struct error {
	char text[512];
};

/* Formats into error (which may be NULL) and returns -err; err is a positive errno. Keeps errno. */
int error_set(struct error *error, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Puts "context: " before the text of error. Returns err unchanged. */
int error_prefix(struct error *error, int err, const char *format, ...) __attribute__((format(printf, 3, 4)));
/*
 * If err (a negative errno) says that a right is missing, adds to the text of error (which may be NULL) which
 * user this process runs as, because an administrator may not have the user of a service in mind. Nothing is
 * added for root. Returns err unchanged.
 */
int error_add_user_if_denied(struct error *error, int err);
#endif
