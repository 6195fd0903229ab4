/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real server, with TCP on real loops and a model of one TPG with NLUNS LUNs. The functions are for
 * the main thread, and a call that fails ends the program.
 */
#ifndef LIVE_SERVER_H
#define LIVE_SERVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>

#include "iscsi/iscsi.h"
#include "model/front_end.h"

#define TARGET "iqn.2026-11.test:live"
#define NLUNS  6

extern struct loop_set set;
extern struct model *model;
extern struct main_queue *main_queue;
extern struct iscsi_server *server;
extern struct model_object *tpg, *disks[NLUNS];
extern struct sockaddr_in portal;
/* The number of operations of the model that have not ended. */
extern unsigned pending;

int start_server(void **state);
int stop_server(void **state);
/* Ends an operation that the test has counted in pending. arg names the operation. */
void on_done(void *arg, int err, const struct error *error);
/* Runs the main queue until all operations have ended. */
void settle(void);
void set_attribute(struct model_object *object, const char *group, const char *name, const char *text);
void enable(struct model_object *object, bool on);
/* When this returns, all sessions know all changes. */
void visit_loops(void);
struct model_object *create(struct model_object *parent, enum model_kind kind, const char *name,
			    struct model_object *to);
struct model_object *find_lun(unsigned lun);
void add_lun(unsigned lun);
/* Begins to remove a LUN; settle() ends it. */
void remove_lun(unsigned lun);
#endif
