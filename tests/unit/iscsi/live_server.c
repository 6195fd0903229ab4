/* SPDX-License-Identifier: Apache-2.0 */
/* Starts and ends the server of the tests with real loops, and changes its model as a front end would. */
#include "live_server.h"

#include <stdio.h>
#include <string.h>

#include "live_storage.h"
#include "model/attribute.h"
#include "model/private.h"
#include "util/contract.h"

#define NLOOPS 3

struct loop_set set;
struct model *model;
struct main_queue *main_queue;
struct iscsi_server *server;
struct model_object *tpg, *disks[NLUNS];
struct sockaddr_in portal;

unsigned pending;

void on_done(void *arg, int err, const struct error *error)
{
	if (err)
		print_error("%s: %s\n", (const char *)arg, error->text);
	contract(!err);
	pending--;
}

void settle(void)
{
	while (pending)
		contract(main_queue_wait(main_queue, 120000) && "an operation does not end");
}

void set_attribute(struct model_object *object, const char *group, const char *name, const char *text)
{
	pending++;
	model_set(object, group, name, text, on_done, (void *)name);
	settle();
}

void enable(struct model_object *object, bool on)
{
	pending++;
	model_enable(object, on, on_done, "enable");
	settle();
}

void visit_loops(void)
{
	while (model->update_queued)
		main_queue_wait(main_queue, 1000);
	loop_set_barrier(&set);
}

struct model_object *create(struct model_object *parent, enum model_kind kind, const char *name,
			    struct model_object *to)
{
	struct error error;
	struct model_object *object = model_create(parent, kind, name, to, &error);

	if (!object)
		print_error("%s: %s\n", name, error.text);
	contract(object);
	return object;
}

static const char *lun_name(char name[16], unsigned lun)
{
	snprintf(name, 16, "lun_%u", lun);
	return name;
}

struct model_object *find_lun(unsigned lun)
{
	char name[16];

	return model_find(tpg, MODEL_LUN, lun_name(name, lun));
}

void add_lun(unsigned lun)
{
	char name[16];

	create(tpg, MODEL_LUN, lun_name(name, lun), disks[lun]);
}

void remove_lun(unsigned lun)
{
	pending++;
	model_delete(find_lun(lun), false, on_done, "remove");
}

static void create_objects(void)
{
	struct model_object *target = create(model_root(model), MODEL_TARGET, TARGET, NULL), *object;
	char name[32];

	tpg = create(target, MODEL_TPG, "tpgt_1", NULL);
	set_attribute(tpg, "attrib", "generate_node_acls", "1");
	set_attribute(tpg, "attrib", "demo_mode_write_protect", "0");
	for (unsigned i = 0; i < NLUNS; i++) {
		snprintf(name, sizeof(name), "user_0/disk_%u", i);
		disks[i] = create(model_root(model), MODEL_STORAGE, name, NULL);
		set_attribute(disks[i], "control", "config", "alloc/x");
		enable(disks[i], true);
		add_lun(i);
	}
	object = create(tpg, MODEL_PORTAL, "127.0.0.1:0", NULL);
	enable(tpg, true);
	memcpy(&portal, &object->np->addr, sizeof(portal));
	contract(portal.sin_port);
}

int start_server(void **state)
{
	const struct loop_options loop_options = {.nloops = NLOOPS, .npool = 1, .no_uring = true};
	const struct iscsi_options options = {.max_connections = 256,
					      .max_half_open = 64,
					      .login_timeout_s = 120,
					      .nopin_interval_s = 120,
					      .nopin_timeout_s = 120};
	struct storage_context context = {.loops = &set};
	struct error error;

	(void)state;
	fake_unit_ops = &live_unit_ops;
	assert_int_equal(loop_set_start(&set, &loop_options, &error), 0);
	main_queue = context.main = main_queue_new();
	model = model_new(&context);
	server = iscsi_server_start(&set, model, main_queue, &options, &error);
	assert_non_null(server);
	create_objects();
	return 0;
}

int stop_server(void **state)
{
	(void)state;
	assert_true(iscsi_server_stop(server, 120000));
	pending++;
	model_clear(model, on_done, "clear");
	settle();
	assert_int_equal(fake_units, 0);
	model_free(model);
	main_queue_free(main_queue);
	loop_set_stop(&set);
	return 0;
}
