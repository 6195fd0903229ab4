/* SPDX-License-Identifier: Apache-2.0 */
/* A model on fake storage, and operations that the test waits for. */
#ifndef TESTS_MODEL_FIXTURE_H
#define TESTS_MODEL_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_storage.h"
#include "model/attribute.h"
#include "model/front_end.h"
#include "model/login.h"
#include "model/map.h"
#include "model/model.h"

#define IQN       "iqn.2026-11.com.example:disks"
#define INITIATOR "iqn.2026-11.com.example:host"

struct fixture {
	struct main_queue *main;
	struct model *model;
	struct model_object *root;
	/* The last operation: how often done() was called, and with which arguments. */
	unsigned ended;
	int err;
	struct error error;
};

int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* The model_done of an operation; arg is the fixture. */
void fixture_done(void *arg, int err, const struct error *error);
/* Runs the work that was posted to the main thread until there is none left. */
void fixture_settle(struct fixture *f);

/* Creates an object. This must succeed. */
struct model_object *fixture_create(struct fixture *f, struct model_object *parent, enum model_kind kind,
				    const char *name, struct model_object *to);
/* Tries to create the object. This must fail with the errno. */
void fixture_refuse(struct fixture *f, struct model_object *parent, enum model_kind kind, const char *name,
		    struct model_object *to, int err);
/* Creates an enabled storage object. */
struct model_object *fixture_disk(struct fixture *f, const char *name);
/* Creates the TPG tpgt_1 of a new target, with a portal, and enables it. */
struct model_object *fixture_tpg(struct fixture *f, const char *iqn);
/* Returns the result of the operation. */
int fixture_set(struct fixture *f, struct model_object *object, const char *group, const char *name,
		const char *text);
int fixture_delete(struct fixture *f, struct model_object *object, bool recursive);
int fixture_enable(struct fixture *f, struct model_object *object, bool enable);
/* Logs in from 127.0.0.1 through the first portal of the TPG. */
enum model_verdict fixture_login(struct fixture *f, struct model_object *tpg, const char *initiator,
				 struct model_login **login);
#endif
