/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of the open disks in the state folder. identity.c (storage_object_key()) and state.c decide which
 * file belongs to a name.
 */
#include "storage/names.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storage/registry.h"
#include "util/cleanup.h"
#include "util/hash.h"
#include "util/log.h"

struct storage_name {
	struct storage_registry *registry;
	/* Links the name into a bucket of registry->names. */
	struct list node;
	char *config, *given;
	/* The name without the number of the HBA, or NULL if the given name has no number. */
	char *plain;
	bool is_numbered;
};

/* Returns "user/disk" for "user_3/disk". Returns NULL if there is no number or no memory. */
static char *remove_number(const char *name)
{
	const char *slash = strchr(name, '/'), *number = slash;

	while (number > name && isdigit((unsigned char)number[-1]))
		number--;
	if (!slash || number == slash || number - name < 2 || number[-1] != '_')
		return NULL;
	char *plain = malloc(strlen(name));
	size_t len = (size_t)(number - 1 - name);

	if (!plain)
		return NULL;
	memcpy(plain, name, len);
	strcpy(plain + len, slash);
	return plain;
}

static void make_key(const struct storage_name *name, const char *text, char *key, size_t size)
{
	static const struct tcmur_identity no_place = {.own = ""};
	const struct storage_object object = {.config = name->config, .storage = &no_place, .name = text};

	storage_object_key(&object, key, size);
}

static struct list *bucket_of(const struct storage_name *name)
{
	const char *text = name->plain ? name->plain : name->given;

	return &name->registry->names[hash_bytes(HASH_INIT, text, strlen(text)) % STORAGE_NAME_BUCKETS];
}

/* registry->state_lock must be held. Returns whether another open disk has the name. */
static bool is_taken(const struct storage_name *name)
{
	struct list *node, *tmp;

	list_for_each (bucket_of(name), node, tmp) {
		const struct storage_name *other = list_entry(node, struct storage_name, node);

		if (other->plain && !other->is_numbered && !strcmp(other->plain, name->plain) &&
		    !strcmp(other->config, name->config) && strcmp(other->given, name->given))
			return true;
	}
	return false;
}

/* registry->state_lock must be held. Returns false if the file keeps its name. */
static bool rename_file(const struct storage_name *name, const char *from, const char *to,
			struct storage_state *state)
{
	int folder = name->registry->folder;
	struct error error;
	SCOPE_LOCK(storage_file_lock(name->registry, to));

	if (storage_state_write(folder, to, state, &error)) {
		log_warn(name->given, "%s; the disk is still known by its HBA's number", error.text);
		return false;
	}
	if (storage_state_remove(folder, from, &error))
		log_warn(name->given, "%s", error.text);
	return true;
}

/*
 * registry->state_lock must be held. Returns whether an older version has left a file under the name with the
 * number. If there is also a file without the number, two disks had the same name, and both files stay.
 */
static bool has_numbered_file(const struct storage_name *name)
{
	char given[STATE_KEY_SIZE], plain[STATE_KEY_SIZE];
	int folder = name->registry->folder;

	if (folder < 0)
		return false;
	CLEANUP_FREE struct storage_state *state = malloc(sizeof(*state));
	make_key(name, name->given, given, sizeof(given));
	make_key(name, name->plain, plain, sizeof(plain));
	int err = state ? storage_state_read(folder, given, state, NULL) : -ENOENT;
	if (err == -ENOENT)
		return false;
	CLEANUP_FREE struct storage_state *other = malloc(sizeof(*other));
	if (err || !other || storage_state_read(folder, plain, other, NULL) != -ENOENT)
		return true;
	return !rename_file(name, given, plain, state);
}

static void free_name(struct storage_name *name)
{
	if (!name)
		return;
	free(name->config);
	free(name->given);
	free(name->plain);
	free(name);
}

struct storage_name *storage_name_enter(struct storage_registry *registry, const char *config,
					const char *given)
{
	struct storage_name *name = calloc(1, sizeof(*name));

	if (!name)
		return NULL;
	name->registry = registry;
	name->config = strdup(config);
	name->given = strdup(given);
	name->plain = remove_number(given);
	if (!name->config || !name->given) {
		free_name(name);
		return NULL;
	}
	SCOPE_LOCK(&registry->state_lock);
	name->is_numbered = !name->plain || is_taken(name) || has_numbered_file(name);
	list_add_tail(bucket_of(name), &name->node);
	return name;
}

const char *storage_name_text(const struct storage_name *name)
{
	return name->is_numbered ? name->given : name->plain;
}

void storage_name_leave(struct storage_name *name)
{
	if (!name)
		return;
	lock_take(&name->registry->state_lock);
	list_del(&name->node);
	lock_drop(&name->registry->state_lock);
	free_name(name);
}
