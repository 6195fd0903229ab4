/* SPDX-License-Identifier: Apache-2.0 */
/* The model's lists. Entries are only ever added, and stay as they are until the model is freed. */
#include "model/target.h"

#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "model/portal.h"
#include "util/cleanup.h"
#include "util/list.h"
#include "util/secret_memory.h"

struct target_model {
	pthread_mutex_t
	    lock; /* the target list and each target's ACL list; taken at login and discovery only */
	struct target *targets;
	struct target **last; /* where the next target is linked */
	void *by_name;        /* a tree of tsearch(3): the start with many targets must not be quadratic */
	struct target_portal *portals; /* fixed before the portals open */
	struct target_auth *discovery; /* likewise; in memory for secrets */
	uint16_t ntargets;
	atomic_uint generation;
};

struct target_model *target_model_new(void)
{
	struct target_model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->discovery = secret_alloc(sizeof(*model->discovery));
	if (!model->discovery) {
		free(model);
		return NULL;
	}
	pthread_mutex_init(&model->lock, NULL);
	model->last = &model->targets;
	return model;
}

static void acl_free(struct target_acl *acl)
{
	secret_free(acl, sizeof(*acl));
}

static void target_free(struct target *target)
{
	struct target_acl *next;

	for (struct target_acl *acl = target->acls; acl; acl = next) {
		next = acl->next;
		acl_free(acl);
	}
	secret_free(target, sizeof(*target));
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

void target_model_free(struct target_model *model)
{
	struct target *next_target;
	struct target_portal *next_portal;

	if (!model)
		return;
	for (struct target *target = model->targets; target; target = next_target) {
		next_target = target->next;
		tdelete(target->name, &model->by_name, compare_names);
		target_free(target);
	}
	for (struct target_portal *portal = model->portals; portal; portal = next_portal) {
		next_portal = portal->next;
		free(portal);
	}
	secret_free(model->discovery, sizeof(*model->discovery));
	pthread_mutex_destroy(&model->lock);
	free(model);
}

/* Checks and copies a name into its place, lower-cased. */
static int copy_name(char out[MODEL_NAME_MAX + 1], const char *name, struct error *error)
{
	if (model_name_copy(out, name))
		return 0;
	return error_set(error, EINVAL, "%.80s: no iSCSI name: it %s", name, model_name_fault(name));
}

/* With the lock held. */
static struct target *find(const struct target_model *model, const char *name)
{
	char *const *found = tfind(name, &model->by_name, compare_names);

	return found ? container_of(*found, struct target, name[0]) : NULL;
}

static int append(struct target_model *model, struct target *target, struct error *error)
{
	SCOPE_LOCK(&model->lock);

	if (find(model, target->name))
		return error_set(error, EEXIST, "%s: a target with this name exists already", target->name);
	if (model->ntargets == UINT16_MAX)
		return error_set(error, ENOSPC, "%s: no relative target port identifier is left",
				 target->name);
	if (!tsearch(target->name, &model->by_name, compare_names))
		return error_set(error, ENOMEM, "%s: out of memory", target->name);
	target->relative_port = ++model->ntargets;
	*model->last = target;
	model->last = &target->next;
	atomic_fetch_add(&model->generation, 1);
	return 0;
}

struct target *target_add(struct target_model *model, const char *name, struct error *error)
{
	struct target *target = secret_alloc(sizeof(*target));

	if (!target) {
		error_set(error, ENOMEM, "%s: out of memory", name);
		return NULL;
	}
	target->model = model;
	target->tpg_tag = 1;
	if (copy_name(target->name, name, error) < 0 || append(model, target, error) < 0) {
		secret_free(target, sizeof(*target));
		return NULL;
	}
	return target;
}

struct target *target_find(struct target_model *model, const char *name)
{
	SCOPE_LOCK(&model->lock);
	return find(model, name);
}

struct target *target_first(struct target_model *model)
{
	SCOPE_LOCK(&model->lock);
	return model->targets;
}

struct target *target_next(const struct target *target)
{
	SCOPE_LOCK(&target->model->lock);
	return target->next;
}

/* Is this account usable: users with secrets, different secrets for the two directions? 0 or -EINVAL. */
static int auth_check(const struct target_auth *auth, struct error *error)
{
	if (!auth->user[0] != !auth->secret[0])
		return error_set(error, EINVAL, "CHAP needs both a user and a secret");
	if (!auth->mutual_user[0] != !auth->mutual_secret[0])
		return error_set(error, EINVAL, "mutual CHAP needs both a user and a secret");
	if (auth->mutual_user[0] && !auth->user[0])
		return error_set(error, EINVAL, "mutual CHAP needs the initiator to authenticate too");
	/* With one secret for both directions attackers let us answer our own challenge (RFC 7143 9.2.1). */
	if (auth->user[0] && strcmp(auth->secret, auth->mutual_secret) == 0)
		return error_set(error, EINVAL, "the CHAP secrets of the two directions must differ");
	return 0;
}

/* With the lock held. */
static struct target_acl *find_acl(const struct target *target, const char *initiator)
{
	struct target_acl *acl = target->acls;

	while (acl && strcmp(acl->initiator, initiator) != 0)
		acl = acl->next;
	return acl;
}

static int append_acl(struct target *target, struct target_acl *acl, struct error *error)
{
	SCOPE_LOCK(&target->model->lock);

	if (find_acl(target, acl->initiator))
		return error_set(error, EEXIST, "%s: initiator %s has an ACL already", target->name,
				 acl->initiator);
	acl->next = target->acls;
	target->acls = acl;
	atomic_fetch_add(&target->model->generation, 1);
	return 0;
}

int target_add_acl(struct target *target, const char *initiator, const struct target_auth *auth,
		   struct error *error)
{
	struct target_acl *acl;
	int err = auth ? auth_check(auth, error) : 0;

	if (err)
		return error_prefix(error, err, "%s: initiator %.*s", target->name, MODEL_NAME_MAX,
				    initiator);
	acl = secret_alloc(sizeof(*acl));
	if (!acl)
		return error_set(error, ENOMEM, "%s: out of memory", target->name);
	if (auth)
		acl->auth = *auth;
	err = copy_name(acl->initiator, initiator, error);
	if (!err)
		err = append_acl(target, acl, error);
	if (err)
		acl_free(acl);
	return err;
}

bool target_admits(const struct target *target, const char *initiator, const struct target_auth **auth)
{
	const struct target_acl *acl;
	SCOPE_LOCK(&target->model->lock);

	*auth = NULL;
	acl = find_acl(target, initiator);
	if (!acl && !target->allow_any)
		return false;
	if (acl && acl->auth.user[0])
		*auth = &acl->auth;
	else if (target->auth.user[0])
		*auth = &target->auth;
	return true;
}

int target_set_lun(struct target *target, unsigned lun, struct scsi_lu *lu, struct error *error)
{
	if (lun >= TARGET_MAX_LUNS)
		return error_set(error, ERANGE, "%s: LUN %u: the highest is %d", target->name, lun,
				 TARGET_MAX_LUNS - 1);
	if (lu && target->luns[lun])
		return error_set(error, EEXIST, "%s: LUN %u is taken", target->name, lun);
	target->luns[lun] = lu;
	return 0;
}

int target_add_portal(struct target_model *model, const char *text, struct error *error)
{
	struct target_portal *portal = calloc(1, sizeof(*portal));
	struct target_portal **tail = &model->portals;
	int err;

	if (!portal)
		return error_set(error, ENOMEM, "portal %s: out of memory", text);
	err = target_portal_parse_pair(text, portal, error);
	if (err)
		goto fail;
	portal->tpg_tag = 1;
	for (; *tail; tail = &(*tail)->next) {
		if (strcmp((*tail)->text, portal->text) == 0) {
			err = error_set(error, EEXIST, "portal %s is given twice", portal->text);
			goto fail;
		}
	}
	*tail = portal;
	return 0;
fail:
	free(portal);
	return err;
}

unsigned target_model_generation(const struct target_model *model)
{
	return atomic_load(&model->generation);
}

void target_portal_set_bound(struct target_model *model, const struct target_portal *portal,
			     const struct sockaddr_storage *addr)
{
	struct target_portal *p = model->portals;

	while (p != portal)
		p = p->next;
	p->addr = *addr;
	target_portal_format(addr, p->text, sizeof(p->text));
}

const struct target_portal *target_portals(const struct target_model *model)
{
	return model->portals;
}

void target_set_discovery_auth(struct target_model *model, const struct target_auth *auth)
{
	*model->discovery = *auth;
}

const struct target_auth *target_discovery_auth(const struct target_model *model)
{
	return model->discovery->user[0] ? model->discovery : NULL;
}
