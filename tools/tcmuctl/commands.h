/* SPDX-License-Identifier: Apache-2.0 */
/* The functions struct tcmuctl_command.run of the commands that call daemons. */
#ifndef TCMUCTL_COMMANDS_H
#define TCMUCTL_COMMANDS_H

#include "tcmuctl/command.h"

/* status.c */
enum tcmuctl_status run_status(char **args);
/* ls.c */
enum tcmuctl_status run_ls(char **args);
/* luns.c */
enum tcmuctl_status run_luns(char **args);
/* sessions.c */
enum tcmuctl_status run_sessions(char **args);
enum tcmuctl_status run_kick(char **args);
/* session_keys.c */
enum tcmuctl_status run_show(char **args);
/* create.c */
enum tcmuctl_status run_create(char **args);
/* objects.c */
enum tcmuctl_status run_delete(char **args);
enum tcmuctl_status run_enable(char **args);
enum tcmuctl_status run_disable(char **args);
enum tcmuctl_status run_drain(char **args);
enum tcmuctl_status run_resize(char **args);
enum tcmuctl_status run_replace(char **args);
/* filters.c */
enum tcmuctl_status run_filters(char **args);
enum tcmuctl_status run_set_filter(char **args);
/* map.c */
enum tcmuctl_status run_map(char **args);
enum tcmuctl_status run_unmap(char **args);
/* attributes.c */
enum tcmuctl_status run_get(char **args);
enum tcmuctl_status run_set(char **args);
/* config.c */
enum tcmuctl_status run_save(char **args);
enum tcmuctl_status run_restore(char **args);
enum tcmuctl_status run_reload(char **args);
enum tcmuctl_status run_diff(char **args);
enum tcmuctl_status run_forget(char **args);
/* watch.c */
enum tcmuctl_status run_watch(char **args);
/* schema.c */
enum tcmuctl_status run_schema(char **args);
#endif
