/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that are computed when they are read: the state and the counters of storage objects, and the
 * sessions of initiators.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "model/apply.h"
#include "model/private.h"

/* --- storage objects ---------------------------------------------------------------------------------- */

#define SHOW_NUMBER(name, field)                                                          \
	void model_get_##name(const struct model_object *object, char *text, size_t size) \
	{                                                                                 \
		struct storage_view view;                                                 \
                                                                                          \
		storage_view(object->storage, &view);                                     \
		snprintf(text, size, "%" PRIu64, (uint64_t)view.field);                   \
	}
SHOW_NUMBER(block_size, block_size)
SHOW_NUMBER(size, size)
SHOW_NUMBER(reads, reads)
SHOW_NUMBER(writes, writes)
SHOW_NUMBER(read_bytes, read_bytes)
SHOW_NUMBER(write_bytes, write_bytes)
SHOW_NUMBER(errors, errors)

void model_get_config(const struct model_object *object, char *text, size_t size)
{
	snprintf(text, size, "%s", model_known_text(object, MODEL_A_CONFIG));
}

void model_get_max_sectors(const struct model_object *object, char *text, size_t size)
{
	uint64_t sectors = model_known_number(object, MODEL_A_MAX_SECTORS);

	snprintf(text, size, "%" PRIu64, sectors ? sectors : 32768);
}

void model_get_state(const struct model_object *object, char *text, size_t size)
{
	snprintf(text, size, "%s", storage_status_name(storage_status(object->storage)));
}

void model_get_serial(const struct model_object *object, char *text, size_t size)
{
	struct storage_view view;

	storage_view(object->storage, &view);
	snprintf(text, size, "%s", view.serial);
}

void model_get_options(const struct model_object *object, char *text, size_t size)
{
	struct storage_view view;

	storage_view(object->storage, &view);
	snprintf(text, size, "%s", view.options);
}

/* Returns the value that was set. If none was set, the disk has a write cache if its storage has one. */
void model_get_write_cache(const struct model_object *object, char *text, size_t size)
{
	const struct model_attribute *row = model_known(MODEL_A_WRITE_CACHE);
	struct storage_view view;

	storage_view(object->storage, &view);
	snprintf(text, size, "%d",
		 model_is_set(object, row) ? model_get_number(object, row) != 0 : view.write_cache);
}

static const char *find_problem(const struct model_object *object, const struct storage_health *health)
{
	switch (storage_status(object->storage)) {
	case STORAGE_FAILED:
		return *health->last_error ? health->last_error : "the storage cannot be opened";
	case STORAGE_CONTENTS_LOST:
		return "its contents were lost; \"tcmuctl replace\" accepts the loss and serves an empty "
		       "disk";
	case STORAGE_REMOVING:
		return "it is being removed, and its storage has not answered all commands yet";
	default:
		break;
	}
	return health->problem;
}

void model_get_problem(const struct model_object *object, char *text, size_t size)
{
	struct storage_health health;

	storage_health(object->storage, &health);
	const char *problem = find_problem(object, &health);
	bool can_be_replaced = problem == health.problem && !health.is_short && health.is_replaced;

	snprintf(text, size, "%s%s", problem,
		 can_be_replaced ? "; \"tcmuctl replace\" opens the other storage" : "");
}

void model_get_last_error(const struct model_object *object, char *text, size_t size)
{
	struct storage_health health;

	storage_health(object->storage, &health);
	snprintf(text, size, "%s", health.last_error);
}

void model_get_last_error_time(const struct model_object *object, char *text, size_t size)
{
	struct storage_health health;

	storage_health(object->storage, &health);
	snprintf(text, size, "%lld", (long long)health.last_error_time);
}

void model_get_sense_keys(const struct model_object *object, char *text, size_t size)
{
	struct storage_health health;
	size_t len = 0;

	text[0] = '\0';
	storage_health(object->storage, &health);
	for (unsigned key = 0; key < STORAGE_SENSE_KEYS && len < size; key++)
		if (health.sense_keys[key])
			len += (size_t)snprintf(text + len, size - len, "%s%u=%" PRIu64, len ? " " : "", key,
						health.sense_keys[key]);
}

/* --- TPGs and ACLs -------------------------------------------------------------------------------------- */

void model_get_authenticate_target(const struct model_object *object, char *text, size_t size)
{
	enum model_known known =
	    object->kind == MODEL_ACL ? MODEL_A_ACL_USERID_MUTUAL : MODEL_A_USERID_MUTUAL;

	snprintf(text, size, "%d", *model_known_text(object, known) != '\0');
}

void model_get_cmdsn_depth(const struct model_object *object, char *text, size_t size)
{
	bool is_own = model_is_set(object, model_known(MODEL_A_ACL_CMDSN_DEPTH));

	snprintf(text, size, "%s",
		 is_own ? model_known_text(object, MODEL_A_ACL_CMDSN_DEPTH)
			: model_known_text(object->parent, MODEL_A_DEFAULT_CMDSN_DEPTH));
}

/* The number of bytes that are kept free for the line that says how many sessions were left out. */
#define MORE_MAX 80

struct session_text {
	const struct model_object *object;
	char *text;
	size_t size, len;
	/* The number of sessions for which there was no room. */
	unsigned omitted;
};

/* Adds the whole text of a session, or nothing if there is no room. */
static void append(struct session_text *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(struct session_text *out, const char *format, ...)
{
	size_t room = out->size - MORE_MAX - out->len;
	va_list args;

	va_start(args, format);
	int len = vsnprintf(out->text + out->len, room, format, args);
	va_end(args);
	if ((size_t)len < room) {
		out->len += (size_t)len;
		return;
	}
	out->text[out->len] = '\0';
	out->omitted++;
}

static const struct model_object *tpg_of(const struct model_object *object)
{
	return object->kind == MODEL_TPG ? object : object->parent;
}

static bool is_session_of(const struct model_object *object, const struct model_session *session)
{
	const struct model_object *tpg = tpg_of(object);

	return !session->discovery && session->tag == tpg->number &&
	       !strcasecmp(session->target, tpg->parent->name);
}

static void append_dynamic_session(void *arg, const struct model_session *session)
{
	struct session_text *out = arg;

	if (is_session_of(out->object, session) &&
	    !model_find((struct model_object *)out->object, MODEL_ACL, session->initiator))
		append(out, "%s%s", out->len ? "\n" : "", session->initiator);
}

static void append_remembered_initiator(void *arg, const char *initiator)
{
	struct session_text *out = arg;

	append(out, "%s%s", out->len ? "\n" : "", initiator);
}

static void append_session(void *arg, const struct model_session *session)
{
	struct session_text *out = arg;

	if (!is_session_of(out->object, session) || strcasecmp(session->initiator, out->object->name))
		return;
	append(out,
	       "InitiatorName: %s\nInitiatorAlias: %s\n"
	       "LIO Session ID: %u   ISID: 0x%02x %02x %02x %02x %02x %02x  TSIH: %u  SessionType: Normal\n"
	       "Session State: TARG_SESS_STATE_LOGGED_IN\n%s"
	       "CID: %u  Connection State: TARG_CONN_STATE_LOGGED_IN\n   Address %s TCP\n",
	       session->initiator, session->alias, session->tsih, session->isid[0], session->isid[1],
	       session->isid[2], session->isid[3], session->isid[4], session->isid[5], session->tsih,
	       session->parameters, session->cid, session->peer);
}

static void visit_sessions(struct session_text *out,
			   void (*add)(void *arg, const struct model_session *session))
{
	const struct model_front_end *front_end = out->object->model->front_end;

	out->text[0] = '\0';
	if (front_end)
		front_end->sessions(front_end->arg, add, out);
}

static void append_omitted(struct session_text *out)
{
	if (out->omitted)
		snprintf(out->text + out->len, out->size - out->len,
			 "%s(and %u more; tcmuctl sessions lists all sessions)",
			 out->len && out->text[out->len - 1] != '\n' ? "\n" : "", out->omitted);
}

void model_get_dynamic_sessions(const struct model_object *object, char *text, size_t size)
{
	struct session_text out = {.object = object, .text = text, .size = size};

	visit_sessions(&out, append_dynamic_session);
	model_dynamic_list(object, append_remembered_initiator, &out);
	append_omitted(&out);
}

void model_get_sessions(const struct model_object *object, char *text, size_t size)
{
	struct session_text out = {.object = object, .text = text, .size = size};

	visit_sessions(&out, append_session);
	append_omitted(&out);
	if (!*text)
		snprintf(text, size, "No active iSCSI Session for Initiator Endpoint: %s", object->name);
}

/* --- what a session of an ACL has negotiated --- */

struct negotiated {
	const struct model_object *acl;
	const char *key;
	/* The age of the newest session that was found so far. */
	uint64_t age;
	char *text;
	size_t size;
};

/* Returns the value of a key in "Key=Value" lines, or NULL. */
static const char *value_of_key(const char *lines, const char *key)
{
	size_t len = strlen(key);

	while (lines && *lines) {
		if (!strncmp(lines, key, len) && lines[len] == '=')
			return lines + len + 1;
		lines = strchr(lines, '\n');
		lines += lines != NULL;
	}
	return NULL;
}

static void show_negotiated(void *arg, const struct model_session *session)
{
	struct negotiated *found = arg;
	const char *value;

	if (!is_session_of(found->acl, session) || strcasecmp(session->initiator, found->acl->name) ||
	    session->age > found->age)
		return;
	value = value_of_key(session->parameters, found->key);
	if (!value)
		return;
	found->age = session->age;
	if (!strncmp(value, "Yes", 3) || !strncmp(value, "No", 2))
		snprintf(found->text, found->size, "%d", *value == 'Y');
	else
		snprintf(found->text, found->size, "%.*s", (int)strcspn(value, "\n"), value);
}

static void get_negotiated(const struct model_object *acl, const char *key, char *text, size_t size)
{
	const struct model_front_end *front_end = acl->model->front_end;
	struct negotiated found = {.acl = acl, .key = key, .age = UINT64_MAX, .text = text, .size = size};

	snprintf(text, size, "No Active iSCSI Session");
	if (front_end)
		front_end->sessions(front_end->arg, show_negotiated, &found);
}

#define SHOW_NEGOTIATED(name, key)                                                     \
	void model_get_##name(const struct model_object *acl, char *text, size_t size) \
	{                                                                              \
		get_negotiated(acl, key, text, size);                                  \
	}
SHOW_NEGOTIATED(max_connections, "MaxConnections")
SHOW_NEGOTIATED(initial_r2t, "InitialR2T")
SHOW_NEGOTIATED(immediate_data, "ImmediateData")
SHOW_NEGOTIATED(max_burst, "MaxBurstLength")
SHOW_NEGOTIATED(first_burst, "FirstBurstLength")
SHOW_NEGOTIATED(time2wait, "DefaultTime2Wait")
SHOW_NEGOTIATED(time2retain, "DefaultTime2Retain")
SHOW_NEGOTIATED(max_r2t, "MaxOutstandingR2T")
SHOW_NEGOTIATED(pdu_in_order, "DataPDUInOrder")
SHOW_NEGOTIATED(sequence_in_order, "DataSequenceInOrder")
SHOW_NEGOTIATED(recovery_level, "ErrorRecoveryLevel")
