/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chooses the identity of a logical unit, and keeps the list of the existing ones, so that no two units of
 * this daemon have the same identity. Front ends only pass on what they know about the unit; they do not
 * choose serial numbers themselves.
 */
#include "storage/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "storage/designator.h"
#include "storage/machine.h"
#include "storage/registry.h"
#include "storage/small_file.h"
#include "util/cleanup.h"
#include "util/hash.h"
#include "util/log.h"

#define MACHINE_ID "/etc/machine-id"
/*
 * The number of objects that can be opened or closed at the same time. Storage may hang for an unlimited
 * time, and no other object may have to wait for it. The limit only prevents failing storage from using up
 * all threads that the machine allows.
 */
#define MOST_JOBS 1024

/* --- what all objects share --- */

struct storage_registry *storage_registry_new(const char *state_dir, const char *machine_id)
{
	struct storage_registry *registry = calloc(1, sizeof(*registry));
	struct error error;

	if (!registry)
		return NULL;
	registry->path = strdup(state_dir);
	if (!registry->path || loop_pool_start(&registry->jobs, MOST_JOBS, &error)) {
		log_err(NULL, "%s", registry->path ? error.text : "out of memory");
		free(registry->path);
		free(registry);
		return NULL;
	}
	storage_units_init(&registry->units);
	pthread_mutex_init(&registry->state_lock, NULL);
	for (unsigned i = 0; i < STORAGE_STATE_BUCKETS; i++) {
		list_init(&registry->memories[i]);
		list_init(&registry->contents[i]);
	}
	for (unsigned i = 0; i < STORAGE_NAME_BUCKETS; i++)
		list_init(&registry->names[i]);
	for (unsigned i = 0; i < STORAGE_FILE_LOCKS; i++)
		pthread_mutex_init(&registry->file_locks[i], NULL);
	registry->folder = small_file_open_folder(AT_FDCWD, state_dir, &error);
	if (registry->folder < 0)
		log_warn(NULL,
			 "%s; nothing is remembered for the next start (--state-dir names another folder)",
			 error.text);
	if (storage_machine_derive(machine_id ? machine_id : MACHINE_ID, registry->folder, registry->machine,
				   &error))
		log_warn(NULL, "%s; serial numbers change with the next start unless they are set",
			 error.text);
	return registry;
}

void storage_registry_free(struct storage_registry *registry)
{
	if (!registry)
		return;
	loop_pool_stop(registry->jobs);
	storage_contents_leave(registry);
	storage_units_destroy(&registry->units);
	pthread_mutex_destroy(&registry->state_lock);
	for (unsigned i = 0; i < STORAGE_FILE_LOCKS; i++)
		pthread_mutex_destroy(&registry->file_locks[i]);
	if (registry->folder >= 0)
		close(registry->folder);
	free(registry->path);
	free(registry);
}

pthread_mutex_t *storage_file_lock(struct storage_registry *registry, const char *key)
{
	return &registry->file_locks[hash_bytes(HASH_INIT, key, strlen(key)) % STORAGE_FILE_LOCKS];
}

void storage_registry_host(const struct storage_registry *registry, char host[STORAGE_HOST_SIZE])
{
	snprintf(host, STORAGE_HOST_SIZE, "%.12s", registry->machine);
}

/* --- the sources, in the order in which they are tried --- */

static bool is_configured(const struct storage_object *object)
{
	return object->configured && object->configured[0];
}

/*
 * Uses the serial number that the administrator has set. One that consists of blanks looks like none in every
 * listing (SPC-4 4.3.1 pads with blanks), so it is refused.
 */
static int use_configured(const struct storage_object *object, struct storage_identity *identity,
			  struct error *error)
{
	size_t len = strlen(object->configured);

	if (len >= sizeof(identity->serial))
		return error_set(error, EINVAL, "the serial number has more than %zu characters",
				 sizeof(identity->serial) - 1);
	if (strspn(object->configured, " ") == len)
		return error_set(error, EINVAL, "the serial number consists of blanks only");
	strcpy(identity->serial, object->configured);
	identity->source = STORAGE_IDENTITY_CONFIGURED;
	return 0;
}

/*
 * Returns whether the saved identity belongs to this object. If the state folder was cloned from another
 * machine, or the path now leads to another disk, the saved identity must not be used.
 */
static bool is_valid(const struct storage_registry *registry, const struct storage_object *object,
		     const struct storage_state *state)
{
	return state->serial[0] && !strcmp(state->machine, registry->machine) &&
	       (object->is_hanging || !strcmp(state->own, object->storage->own));
}

static const char *handler_of(const struct storage_object *object, char *handler, size_t size)
{
	snprintf(handler, size, "%.*s", (int)strcspn(object->config, "/"), object->config);
	return handler;
}

static void derive(const struct storage_registry *registry, const struct storage_object *object,
		   const char *key, struct storage_identity *identity)
{
	uint8_t digest[DIGEST_SIZE];
	char handler[64];

	if (object->storage->own[0]) {
		handler_of(object, handler, sizeof(handler));
		digest_texts(
		    (const char *const[]){"tcmu-runner storage", handler, object->storage->own, NULL},
		    digest);
		identity->source = STORAGE_IDENTITY_OWN;
	} else {
		digest_texts((const char *const[]){"tcmu-runner place", registry->machine, key, NULL},
			     digest);
		identity->source = STORAGE_IDENTITY_DERIVED;
	}
	uuid_from_bytes(digest, identity->serial);
}

/* Chooses a random serial number, for contents that no initiator has seen before. */
static void invent(struct storage_identity *identity)
{
	uint8_t bytes[16];

	while (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		;
	uuid_from_bytes(bytes, identity->serial);
	identity->source = STORAGE_IDENTITY_NEW;
}

/* --- the choice --- */

/*
 * Writes the key of the object. If the storage has a place of its own, the key depends only on this place, so
 * that it is the same for every form of the configuration and in both front ends.
 */
void storage_object_key(const struct storage_object *object, char *key, size_t size)
{
	char handler[64];

	if (object->storage->place[0])
		snprintf(key, size, "%s/%s", handler_of(object, handler, sizeof(handler)),
			 object->storage->place);
	else
		snprintf(key, size, "%s (%s)", object->config, object->name);
}

static void read_state(const struct storage_registry *registry, const char *key, struct storage_state *state)
{
	struct error error;

	*state = (struct storage_state){.machine = ""};
	if (registry->folder < 0)
		return;
	int err = storage_state_read(registry->folder, key, state, &error);
	if (err && err != -ENOENT)
		log_err(key,
			"%s; its previous copy cannot be used either, and the identity is chosen without it",
			error.text);
}

static void save(const struct storage_registry *registry, const struct storage_object *object,
		 const char *key, const struct storage_identity *identity, struct storage_state *state)
{
	struct error error;

	if (registry->folder < 0 ||
	    (is_valid(registry, object, state) && !strcmp(state->serial, identity->serial)))
		return;
	strcpy(state->machine, registry->machine);
	strcpy(state->serial, identity->serial);
	snprintf(state->own, sizeof(state->own), "%s", object->storage->own);
	if (storage_state_write(registry->folder, key, state, &error))
		log_warn(key, "%s; the serial number is not remembered", error.text);
}

int storage_identity_choose(struct storage_registry *registry, const struct storage_object *object,
			    bool remember, struct storage_identity *identity, struct error *error)
{
	char key[STATE_KEY_SIZE];
	int err = 0;

	struct storage_state *state = malloc(sizeof(*state));
	if (!state)
		return error_set(error, ENOMEM, "out of memory");
	storage_object_key(object, key, sizeof(key));
	SCOPE_LOCK(storage_file_lock(registry, key));
	/* Many disks may have waited for the lock, and each of them may write a durable file. */
	if (storage_is_cancelled(object->is_cancelled)) {
		free(state);
		return error_set(error, ECANCELED, "it is being removed");
	}
	read_state(registry, key, state);
	if (is_configured(object)) {
		err = use_configured(object, identity, error);
	} else if (object->is_new) {
		invent(identity);
	} else if (is_valid(registry, object, state)) {
		strcpy(identity->serial, state->serial);
		identity->source = STORAGE_IDENTITY_SAVED;
	} else {
		derive(registry, object, key, identity);
	}
	if (!err) {
		storage_designator(identity->serial, identity->naa);
		if (remember)
			save(registry, object, key, identity, state);
	}
	free(state);
	return err;
}

bool storage_identity_is_known(const struct storage_registry *registry, const struct storage_object *object)
{
	struct storage_state *state = malloc(sizeof(*state));
	char key[STATE_KEY_SIZE];

	if (!state || registry->folder < 0) {
		free(state);
		return true;
	}
	storage_object_key(object, key, sizeof(key));
	int err = storage_state_read(registry->folder, key, state, NULL);
	free(state);
	return err != -ENOENT;
}

void storage_identity_forget(struct storage_registry *registry, const struct storage_object *object)
{
	char key[STATE_KEY_SIZE];
	struct error error;

	if (registry->folder < 0)
		return;
	storage_object_key(object, key, sizeof(key));
	SCOPE_LOCK(storage_file_lock(registry, key));
	if (storage_state_remove(registry->folder, key, &error))
		log_warn(key, "%s; its storage counts as served, so it is not created again", error.text);
}
