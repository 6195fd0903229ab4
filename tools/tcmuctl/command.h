/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations that the commands of tcmuctl and its main function share: the row of a command in the table,
 * and the exit statuses.
 */
#ifndef TCMUCTL_COMMAND_H
#define TCMUCTL_COMMAND_H

/* Scripts rely on these numbers. tcmuctl(8) lists them. */
enum tcmuctl_status {
	/* The command is done, or everything was already as requested. */
	TCMUCTL_DONE = 0,
	/* The request was understood and refused, or it failed. */
	TCMUCTL_REFUSED = 1,
	/* The command line is wrong. Nothing was tried. */
	TCMUCTL_USAGE = 2,
	/* No daemon answers on the control socket. */
	TCMUCTL_NO_DAEMON = 3,
	/* The command names an object that does not exist. */
	TCMUCTL_NO_OBJECT = 4,
	/* Everything was read, and something is degraded. */
	TCMUCTL_DEGRADED = 5,
};

struct tcmuctl_command {
	/* The first word of the command line after the global options. */
	const char *name;
	/* The arguments after the name, for the usage line; "" if there are none. */
	const char *arguments;
	/* One line for the list of commands, which says what the command does. */
	const char *help;
	/*
	 * Runs the command. args[0] is the name of the command, and the list ends with NULL; the strings
	 * belong to the caller. The function handles --help itself, and writes its messages before it returns
	 * a status.
	 */
	enum tcmuctl_status (*run)(char **args);
};

/* Returns the command with this name, or NULL. */
const struct tcmuctl_command *tcmuctl_find_command(const char *name);
#endif
