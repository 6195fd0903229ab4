/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that build models for tests. */
#include "model_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "model/private.h"

static int listens(void *arg, struct model_np *np, struct error *error)
{
	(void)arg, (void)np, (void)error;
	return 0;
}

static void unlistens(void *arg, struct model_np *np)
{
	(void)arg, (void)np;
}

static void updates(void *arg, struct main_work *done)
{
	struct fixture *f = arg;

	main_queue_post(f->main, done);
}

static void no_sessions(void *arg, void (*fn)(void *fn_arg, const struct model_session *session),
			void *fn_arg)
{
	(void)arg, (void)fn, (void)fn_arg;
}

int fixture_set_up(void **state)
{
	static struct model_front_end front_end = {
	    .update = updates, .listen = listens, .unlisten = unlistens, .sessions = no_sessions};
	struct fixture *f = calloc(1, sizeof(*f));

	f->main = main_queue_new();
	f->model = model_new(&(struct storage_context){.main = f->main});
	f->root = model_root(f->model);
	front_end.arg = f;
	assert_int_equal(model_set_front_end(f->model, &front_end, NULL), 0);
	*state = f;
	return 0;
}

int fixture_tear_down(void **state)
{
	struct fixture *f = *state;

	model_clear(f->model, fixture_done, f);
	fixture_settle(f);
	assert_int_equal(f->err, 0);
	assert_int_equal(fake_units, 0);
	model_free(f->model);
	main_queue_free(f->main);
	free(f);
	return 0;
}

void fixture_done(void *arg, int err, const struct error *error)
{
	struct fixture *f = arg;

	f->ended++;
	f->err = err;
	f->error = error && err ? *error : (struct error){""};
	if (err)
		assert_true(strlen(f->error.text) > 0);
}

void fixture_settle(struct fixture *f)
{
	while (main_queue_wait(f->main, 0))
		;
}

struct model_object *fixture_create(struct fixture *f, struct model_object *parent, enum model_kind kind,
				    const char *name, struct model_object *to)
{
	struct model_object *object = model_create(parent, kind, name, to, &f->error);

	if (!object)
		print_error("%s: %s\n", name, f->error.text);
	assert_non_null(object);
	return object;
}

void fixture_refuse(struct fixture *f, struct model_object *parent, enum model_kind kind, const char *name,
		    struct model_object *to, int err)
{
	assert_null(model_create(parent, kind, name, to, &f->error));
	assert_int_equal(errno, err);
	assert_true(strlen(f->error.text) > 0);
}

int fixture_set(struct fixture *f, struct model_object *object, const char *group, const char *name,
		const char *text)
{
	unsigned before = f->ended;

	model_set(object, group, name, text, fixture_done, f);
	fixture_settle(f);
	assert_int_equal(f->ended, before + 1);
	return f->err;
}

int fixture_delete(struct fixture *f, struct model_object *object, bool recursive)
{
	unsigned before = f->ended;

	model_delete(object, recursive, fixture_done, f);
	fixture_settle(f);
	assert_int_equal(f->ended, before + 1);
	return f->err;
}

int fixture_enable(struct fixture *f, struct model_object *object, bool enable)
{
	unsigned before = f->ended;

	model_enable(object, enable, fixture_done, f);
	fixture_settle(f);
	assert_int_equal(f->ended, before + 1);
	return f->err;
}

struct model_object *fixture_disk(struct fixture *f, const char *name)
{
	struct model_object *disk = fixture_create(f, f->root, MODEL_STORAGE, name, NULL);

	assert_int_equal(fixture_set(f, disk, "control", "config", "alloc/x"), 0);
	assert_int_equal(fixture_enable(f, disk, true), 0);
	return disk;
}

struct model_object *fixture_tpg(struct fixture *f, const char *iqn)
{
	struct model_object *target = fixture_create(f, f->root, MODEL_TARGET, iqn, NULL);
	struct model_object *tpg = fixture_create(f, target, MODEL_TPG, "tpgt_1", NULL);

	fixture_create(f, tpg, MODEL_PORTAL, "127.0.0.1:3260", NULL);
	assert_int_equal(fixture_enable(f, tpg, true), 0);
	return tpg;
}

enum model_verdict fixture_login(struct fixture *f, struct model_object *tpg, const char *initiator,
				 struct model_login **login)
{
	const struct model_np *np = model_first(tpg, MODEL_PORTAL)->np;
	struct sockaddr_storage peer = {0};
	struct sockaddr_in *in = (struct sockaddr_in *)&peer;

	in->sin_family = AF_INET;
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return model_login(f->model, model_name(model_parent(tpg)), np, initiator, &peer, login);
}
