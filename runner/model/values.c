/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values of attributes: checks texts with the table, and stores and reads values. An object stores only
 * values that differ from the default.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/private.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/contract.h"
#include "util/secret_memory.h"

/* --- the attributes that the model itself looks at --- */

#define PARAMETER(name) (MODEL_A_PARAMETER + MODEL_P_##name - 1)

static const struct {
	enum model_kind kind;
	const char *group, *name;
} known_names[MODEL_KNOWN] = {
    [MODEL_A_AUTHENTICATION] = {MODEL_TPG, "attrib", "authentication"},
    [MODEL_A_AUTH_METHOD] = {MODEL_TPG, "param", "AuthMethod"},
    [MODEL_A_LOGIN_TIMEOUT] = {MODEL_TPG, "attrib", "login_timeout"},
    [MODEL_A_PROD_MODE_WRITE_PROTECT] = {MODEL_TPG, "attrib", "prod_mode_write_protect"},
    [MODEL_A_GENERATE_NODE_ACLS] = {MODEL_TPG, "attrib", "generate_node_acls"},
    [MODEL_A_DEMO_MODE_WRITE_PROTECT] = {MODEL_TPG, "attrib", "demo_mode_write_protect"},
    [MODEL_A_DEMO_MODE_DISCOVERY] = {MODEL_TPG, "attrib", "demo_mode_discovery"},
    [MODEL_A_SENDTARGETS] = {MODEL_TPG, "attrib", "tpg_enabled_sendtargets"},
    [MODEL_A_DEFAULT_CMDSN_DEPTH] = {MODEL_TPG, "attrib", "default_cmdsn_depth"},
    [MODEL_A_CACHE_DYNAMIC] = {MODEL_TPG, "attrib", "cache_dynamic_acls"},
    [MODEL_A_KEYS_WORKAROUND] = {MODEL_TPG, "attrib", "login_keys_workaround"},
    [MODEL_A_REVEAL] = {MODEL_TPG, "attrib", "reveal_target"},
    [MODEL_A_COLD_RESET] = {MODEL_TPG, "attrib", "allow_cold_reset"},
    [MODEL_A_ALLOWED] = {MODEL_TPG, "attrib", "allowed_addresses"},
    [MODEL_A_DENIED] = {MODEL_TPG, "attrib", "denied_addresses"},
    [MODEL_A_RTPI] = {MODEL_TPG, "", "rtpi"},
    [MODEL_A_ALIAS] = {MODEL_TPG, "param", "TargetAlias"},
    [PARAMETER(HEADER_DIGEST)] = {MODEL_TPG, "param", "HeaderDigest"},
    [PARAMETER(DATA_DIGEST)] = {MODEL_TPG, "param", "DataDigest"},
    [PARAMETER(INITIAL_R2T)] = {MODEL_TPG, "param", "InitialR2T"},
    [PARAMETER(IMMEDIATE_DATA)] = {MODEL_TPG, "param", "ImmediateData"},
    [PARAMETER(MAX_RECV_DATA_SEGMENT)] = {MODEL_TPG, "param", "MaxXmitDataSegmentLength"},
    [PARAMETER(MAX_BURST)] = {MODEL_TPG, "param", "MaxBurstLength"},
    [PARAMETER(FIRST_BURST)] = {MODEL_TPG, "param", "FirstBurstLength"},
    [PARAMETER(DEFAULT_TIME2WAIT)] = {MODEL_TPG, "param", "DefaultTime2Wait"},
    [PARAMETER(DEFAULT_TIME2RETAIN)] = {MODEL_TPG, "param", "DefaultTime2Retain"},
    [PARAMETER(MAX_OUTSTANDING_R2T)] = {MODEL_TPG, "param", "MaxOutstandingR2T"},
    [MODEL_A_USERID] = {MODEL_TPG, "auth", "userid"},
    [MODEL_A_PASSWORD] = {MODEL_TPG, "auth", "password"},
    [MODEL_A_USERID_MUTUAL] = {MODEL_TPG, "auth", "userid_mutual"},
    [MODEL_A_PASSWORD_MUTUAL] = {MODEL_TPG, "auth", "password_mutual"},
    [MODEL_A_MORE_ACCOUNTS] = {MODEL_TPG, "auth", "more_accounts"},
    [MODEL_A_ACL_AUTHENTICATION] = {MODEL_ACL, "attrib", "authentication"},
    [MODEL_A_ACL_CMDSN_DEPTH] = {MODEL_ACL, "", "cmdsn_depth"},
    [MODEL_A_ACL_DATAOUT_TIMEOUT] = {MODEL_ACL, "attrib", "dataout_timeout"},
    [MODEL_A_ACL_NOPIN_TIMEOUT] = {MODEL_ACL, "attrib", "nopin_timeout"},
    [MODEL_A_ACL_NOPIN_RESPONSE_TIMEOUT] = {MODEL_ACL, "attrib", "nopin_response_timeout"},
    [MODEL_A_ACL_USERID] = {MODEL_ACL, "auth", "userid"},
    [MODEL_A_ACL_PASSWORD] = {MODEL_ACL, "auth", "password"},
    [MODEL_A_ACL_USERID_MUTUAL] = {MODEL_ACL, "auth", "userid_mutual"},
    [MODEL_A_ACL_PASSWORD_MUTUAL] = {MODEL_ACL, "auth", "password_mutual"},
    [MODEL_A_ACL_MORE_ACCOUNTS] = {MODEL_ACL, "auth", "more_accounts"},
    [MODEL_A_DISCOVERY_ENFORCE] = {MODEL_ROOT, "discovery_auth", "enforce_discovery_auth"},
    [MODEL_A_DISCOVERY_USERID] = {MODEL_ROOT, "discovery_auth", "userid"},
    [MODEL_A_DISCOVERY_PASSWORD] = {MODEL_ROOT, "discovery_auth", "password"},
    [MODEL_A_DISCOVERY_USERID_MUTUAL] = {MODEL_ROOT, "discovery_auth", "userid_mutual"},
    [MODEL_A_DISCOVERY_PASSWORD_MUTUAL] = {MODEL_ROOT, "discovery_auth", "password_mutual"},
    [MODEL_A_DISCOVERY_MORE_ACCOUNTS] = {MODEL_ROOT, "discovery_auth", "more_accounts"},
    [MODEL_A_WRITE_PROTECT] = {MODEL_MAPPED_LUN, "", "write_protect"},
    [MODEL_A_LUN_WRITE_PROTECT] = {MODEL_LUN, "", "write_protect"},
    [MODEL_A_ACL_ONLY] = {MODEL_LUN, "", "acl_only"},
    [MODEL_A_ADVERTISE] = {MODEL_PORTAL, "", "advertise"},
    [MODEL_A_CONFIG] = {MODEL_STORAGE, "control", "config"},
    [MODEL_A_FOLDER] = {MODEL_STORAGE, "control", "folder"},
    [MODEL_A_SIZE] = {MODEL_STORAGE, "control", "size"},
    [MODEL_A_BLOCK_SIZE] = {MODEL_STORAGE, "control", "block_size"},
    [MODEL_A_READ_ONLY] = {MODEL_STORAGE, "control", "read_only"},
    [MODEL_A_CREATE] = {MODEL_STORAGE, "control", "create"},
    [MODEL_A_EXACT_SIZE] = {MODEL_STORAGE, "control", "exact_size"},
    [MODEL_A_MAX_SECTORS] = {MODEL_STORAGE, "control", "max_sectors"},
    [MODEL_A_WRITE_CACHE] = {MODEL_STORAGE, "attrib", "emulate_write_cache"},
    [MODEL_A_TIME_LIMIT] = {MODEL_STORAGE, "attrib", "time_limit"},
    [MODEL_A_SERIAL] = {MODEL_STORAGE, "wwn", "vpd_unit_serial"},
    [MODEL_A_VENDOR] = {MODEL_STORAGE, "wwn", "vendor_id"},
    [MODEL_A_PRODUCT] = {MODEL_STORAGE, "wwn", "product_id"},
    [MODEL_A_REVISION] = {MODEL_STORAGE, "wwn", "revision"},
};

static const struct model_attribute *known_rows[MODEL_KNOWN];

void model_values_init(void)
{
	for (unsigned i = 0; i < MODEL_KNOWN; i++) {
		known_rows[i] =
		    model_attribute(known_names[i].kind, known_names[i].group, known_names[i].name);
		contract(known_rows[i]);
	}
}

const struct model_attribute *model_known(enum model_known known)
{
	return known_rows[known];
}

/* --- reading --- */

static struct model_value *value_of(const struct model_object *object,
				    const struct model_attribute *attribute)
{
	return &object->values[attribute - model_attribute_at(attribute->kind, 0)];
}

const char *model_text(const struct model_object *object, const struct model_attribute *attribute)
{
	const struct model_value *value = value_of(object, attribute);

	return value->text ? value->text : attribute->fallback;
}

/* Returns whether the list, whose elements are separated by commas, contains the word. */
static bool list_has(const char *list, const char *word, size_t len)
{
	for (; *list; list += strcspn(list, ","), list += *list == ',')
		if (strcspn(list, ",") == len && !strncasecmp(list, word, len))
			return true;
	return false;
}

/* Returns the set of choices that the list contains. The first choice is bit 0. */
static uint64_t set_of(const char *list, const char *choices)
{
	uint64_t set = 0;

	for (unsigned bit = 0; *choices; bit++) {
		size_t len = strcspn(choices, ",");

		set |= (uint64_t)list_has(list, choices, len) << bit;
		choices += len;
		choices += *choices == ',';
	}
	return set;
}

static uint64_t number_of(const struct model_attribute *attribute, const char *text)
{
	if (attribute->type == MODEL_YES_NO)
		return !strcmp(text, "Yes");
	return attribute->type == MODEL_LIST ? set_of(text, attribute->choices) : strtoull(text, NULL, 10);
}

const char *model_get(const struct model_object *object, const struct model_attribute *attribute, char *text)
{
	if (attribute->get)
		attribute->get(object, text, MODEL_TEXT_SIZE);
	else
		snprintf(text, MODEL_TEXT_SIZE, "%s", model_text(object, attribute));
	return text;
}

uint64_t model_get_number(const struct model_object *object, const struct model_attribute *attribute)
{
	const struct model_value *value = value_of(object, attribute);

	return value->text ? value->number : number_of(attribute, attribute->fallback);
}

bool model_is_set(const struct model_object *object, const struct model_attribute *attribute)
{
	return value_of(object, attribute)->text;
}

const char *model_known_text(const struct model_object *object, enum model_known known)
{
	return model_text(object, known_rows[known]);
}

uint64_t model_known_number(const struct model_object *object, enum model_known known)
{
	return model_get_number(object, known_rows[known]);
}

/* --- checking --- */

static bool is_number(const char *text, uint64_t min, uint64_t max)
{
	char *end;

	errno = 0;
	uint64_t number = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && number >= min && number <= max;
}

static bool is_text(const char *text, size_t max)
{
	if (strlen(text) > max)
		return false;
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static bool is_choice(const char *text, const char *choices)
{
	do {
		size_t len = strcspn(text, ",");

		if (!list_has(choices, text, len))
			return false;
		text += len;
	} while (*text++);
	return true;
}

bool model_attribute_unsets(const struct model_attribute *attribute, const char *text)
{
	return attribute->unset && !strcmp(text, attribute->unset);
}

static int check_type(const struct model_attribute *a, const char *text, struct error *error)
{
	switch (a->type) {
	case MODEL_BOOL:
		if (!strcmp(text, "0") || !strcmp(text, "1") || model_attribute_unsets(a, text))
			return 0;
		return error_set(error, EINVAL, "%s must be 0%s or %s, and not '%.40s'", a->name,
				 a->unset ? ", 1" : "", a->unset ? a->unset : "1", text);
	case MODEL_NUMBER:
		if (!is_number(text, a->min, a->max) && !model_attribute_unsets(a, text))
			return error_set(
			    error, EINVAL,
			    "%s must be a number from %" PRIu64 " to %" PRIu64 "%s%s, and not '%.40s'",
			    a->name, a->min, a->max, a->unset ? ", or " : "", a->unset ? a->unset : "", text);
		return 0;
	case MODEL_YES_NO:
		if (strcmp(text, "Yes") && strcmp(text, "No"))
			return error_set(error, EINVAL, "%s must be Yes or No, and not '%.40s'", a->name,
					 text);
		return 0;
	case MODEL_LIST:
		if (!is_choice(text, a->choices))
			return error_set(error, EINVAL, "%s may contain %s, and not '%.40s'", a->name,
					 a->choices, text);
		return 0;
	case MODEL_TEXT:
	case MODEL_SECRET:
		if (!is_text(text, a->max))
			return error_set(error, EINVAL,
					 "%s must be text of at most %" PRIu64
					 " bytes without control characters",
					 a->name, a->max);
		return 0;
	}
	return 0;
}

int model_attribute_check(const struct model_attribute *attribute, const char *text, struct error *error)
{
	int err = check_type(attribute, text, error);
	struct error reason;

	if (!err && attribute->check && attribute->check(text, &reason))
		err = error_set(error, EINVAL, "%s: %s", attribute->name, reason.text);
	return err;
}

/* --- storing --- */

static char *copy_text(const struct model_attribute *attribute, const char *text)
{
	if (attribute->type != MODEL_SECRET)
		return strdup(text);
	char *copy = secret_alloc(MODEL_TEXT_SIZE);
	if (copy)
		strcpy(copy, text);
	return copy;
}

static void free_text(const struct model_attribute *attribute, char *text)
{
	if (attribute->type == MODEL_SECRET)
		secret_free(text, MODEL_TEXT_SIZE);
	else
		free(text);
}

static struct model_value swap(struct model_object *object, const struct model_attribute *attribute,
			       struct model_value value)
{
	struct model_value *place = value_of(object, attribute), old = *place;
	SCOPE_LOCK(&object->model->lock);

	*place = value;
	return old;
}

static int make_value(const struct model_attribute *attribute, const char *text, struct model_value *value)
{
	*value =
	    (struct model_value){.text = copy_text(attribute, text), .number = number_of(attribute, text)};
	return value->text ? 0 : -ENOMEM;
}

int model_value_store(struct model_object *object, const struct model_attribute *attribute, const char *text)
{
	struct model_value value;
	int err = make_value(attribute, text, &value);

	if (!err)
		free_text(attribute, swap(object, attribute, value).text);
	return err;
}

int model_value_store_numbers(struct model_object *const *objects, const struct model_attribute *attribute,
			      const unsigned *numbers, unsigned n)
{
	struct model_value *values = calloc(n, sizeof(*values));
	int err = values ? 0 : -ENOMEM;
	char text[16];

	for (unsigned i = 0; i < n && !err; i++) {
		snprintf(text, sizeof(text), "%u", numbers[i]);
		err = make_value(attribute, text, &values[i]);
	}
	for (unsigned i = 0; i < n && values; i++)
		free_text(attribute, err ? values[i].text : swap(objects[i], attribute, values[i]).text);
	free(values);
	return err;
}

static int check_text(const struct model_object *object, const struct model_attribute *attribute,
		      const char *text, struct error *error)
{
	struct error reason;
	int err = model_attribute_check(attribute, text, &reason);

	return err ? model_refuse(error, object, -err, "%s", reason.text) : 0;
}

static int set(struct model_object *object, const struct model_attribute *attribute, const char *text,
	       struct error *error)
{
	struct model_value value, old;
	int err;

	if (model_attribute_unsets(attribute, text))
		value = (struct model_value){.text = NULL};
	else if (make_value(attribute, text, &value))
		return model_refuse(error, object, ENOMEM, "there is no memory");
	old = swap(object, attribute, value);
	err = attribute->apply ? attribute->apply(object, attribute, error) : 0;
	free_text(attribute, err ? swap(object, attribute, old).text : old.text);
	return err;
}

static int check_settable(const struct model_object *object, const struct model_attribute *attribute,
			  struct error *error)
{
	if (attribute->flags & MODEL_READ_ONLY)
		return model_refuse(error, object, EPERM, "%s can only be read", attribute->name);
	if (attribute->flags & MODEL_BEFORE_USE && object->enabled && !attribute->begin)
		return model_refuse(error, object, EBUSY, "it is enabled, so its %s cannot be changed",
				    attribute->name);
	return 0;
}

void model_set(struct model_object *object, const char *group, const char *name, const char *text,
	       model_done *done, void *arg)
{
	const struct model_attribute *attribute = model_attribute(object->kind, group, name);
	struct error error = {""};
	int err = attribute ? check_settable(object, attribute, &error)
			    : model_refuse(&error, object, ENOENT, "it has no attribute %s%s%s", group,
					   *group ? "/" : "", name);

	if (!err)
		err = check_text(object, attribute, text, &error);
	if (!err && attribute->begin) {
		attribute->begin(object, attribute, text, done, arg);
		return;
	}
	if (!err)
		err = set(object, attribute, text, &error);
	if (err) {
		done(arg, err, &error);
		return;
	}
	struct model *model = object->model;
	model_count_change(model);
	model_notify(model, MODEL_CHANGED, object);
	if (attribute->flags & MODEL_VISITS_LOOPS)
		model_visit_loops(model, done, arg);
	else
		done(arg, 0, &error);
}
