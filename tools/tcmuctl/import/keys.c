/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries over login keys and session limits. For each setting, a table contains its name in LIO and the
 * values that LIO and this daemon accept. A value outside of this range becomes the nearest one, and a remark
 * says so.
 */
#include "import/keys.h"

#include <string.h>
#include <strings.h>

#include "util/bytes.h"

enum kind {
	YES_NO,
	NUMBER,
	DIGEST,
	/* A number for an attribute of the TPG or of its ACLs. */
	QUEUE_DEPTH,
	NOPIN_INTERVAL,
	NOPIN_TIMEOUT,
	/* There is no such setting here. */
	ABSENT,
};

struct key {
	const char *name;
	enum kind kind;
	int min, max;
};

static const struct key keys[] = {
    {"DataDigest", DIGEST, 0, 0},
    {"DataPDUInOrder", YES_NO, 0, 0},
    {"DataSequenceInOrder", YES_NO, 0, 0},
    {"DefaultTime2Retain", NUMBER, 0, 3600},
    {"DefaultTime2Wait", NUMBER, 0, 3600},
    {"ErrorRecoveryLevel", NUMBER, 0, 0},
    {"FirstBurstLength", NUMBER, 512, 16777215},
    {"HeaderDigest", DIGEST, 0, 0},
    {"ImmediateData", YES_NO, 0, 0},
    {"InitialR2T", YES_NO, 0, 0},
    {"MaxBurstLength", NUMBER, 512, 16777215},
    {"MaxConnections", NUMBER, 1, 1},
    {"MaxOutstandingR2T", NUMBER, 1, 65535},
    {"MaxRecvDataSegmentLength", NUMBER, 512, 16777215},
    {"MaxXmitDataSegmentLength", NUMBER, 512, 16777215},
    {"QueuedCommands", QUEUE_DEPTH, 1, 512},
    {"NopInInterval", NOPIN_INTERVAL, 3, 60},
    {"NopInTimeout", NOPIN_TIMEOUT, 3, 60},
    {"RspTimeout", ABSENT, 0, 0},
    {"MaxSessions", ABSENT, 0, 0},
    {"MaxAHSLength", ABSENT, 0, 0},
    {"RDMAExtensions", ABSENT, 0, 0},
    {"TargetRecvDataSegmentLength", ABSENT, 0, 0},
    {"InitiatorRecvDataSegmentLength", ABSENT, 0, 0},
    {"OFMarker", ABSENT, 0, 0},
    {"IFMarker", ABSENT, 0, 0},
    {"OFMarkInt", ABSENT, 0, 0},
    {"IFMarkInt", ABSENT, 0, 0},
};

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcasecmp(name, keys[i].name))
			return &keys[i];
	return NULL;
}

static void report_bad(const struct key *key, struct place place, struct report *report)
{
	report_add(report, place, "%s: the value is not valid, so the default is used", key->name);
}

static const char *digest_value(const char *value)
{
	static const char *const values[][2] = {
	    {"None", "None"},
	    {"CRC32C", "CRC32C"},
	    {"CRC32C,None", "CRC32C,None"},
	    {"None,CRC32C", "None,CRC32C"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (!strcasecmp(value, values[i][0]))
			return values[i][1];
	return NULL;
}

static const char *yes_no_value(const char *value)
{
	return !strcasecmp(value, "Yes") ? "Yes" : !strcasecmp(value, "No") ? "No" : NULL;
}

/* Returns the number within the key's range, or -1 after a remark. */
static int take_number(const struct key *key, const char *value, struct place place, struct report *report)
{
	gint64 number;

	if (!g_ascii_string_to_signed(value, 10, 0, G_MAXUINT32, &number, NULL)) {
		report_bad(key, place, report);
		return -1;
	}
	if (number >= key->min && number <= key->max)
		return (int)number;

	int nearest = number < key->min ? key->min : key->max;

	report_add(report, place, "%s: %" G_GINT64_FORMAT " is not possible here, so %d is used", key->name,
		   number, nearest);
	return nearest;
}

static void take_text(struct saved_target *target, const struct key *key, const char *value,
		      struct place place, struct report *report)
{
	if (value)
		saved_parameter_set(target, key->name, value);
	else
		report_bad(key, place, report);
}

static void take_parameter(struct saved_target *target, const struct key *key, const char *value,
			   struct place place, struct report *report)
{
	int number = take_number(key, value, place, report);
	g_autofree char *text = g_strdup_printf("%d", number);

	if (number >= 0)
		saved_parameter_set(target, key->name, text);
}

static void take_interval(struct saved_target *target, const struct key *key, const char *value,
			  struct place place, struct report *report)
{
	/* 0 means that there are no NOP-Ins. */
	int seconds = strcmp(value, "0") ? take_number(key, value, place, report) : 0;

	if (seconds >= 0)
		target->nopin_timeout = seconds;
}

static void take_depth(struct saved_target *target, const struct key *key, const char *value,
		       struct place place, struct report *report)
{
	int depth = take_number(key, value, place, report);

	if (depth > 0)
		target->queue_depth = (unsigned)depth;
}

bool keys_take(struct saved_target *target, const char *name, const char *value, struct place place,
	       struct report *report)
{
	const struct key *key = find_key(name);

	if (!key)
		return false;
	/* In SCST, this value has the same effect as if the line did not exist. */
	if (!strcmp(value, ":default:"))
		return true;
	switch (key->kind) {
	case YES_NO:
		take_text(target, key, yes_no_value(value), place, report);
		break;
	case DIGEST:
		take_text(target, key, digest_value(value), place, report);
		break;
	case NUMBER:
		take_parameter(target, key, value, place, report);
		break;
	case QUEUE_DEPTH:
		take_depth(target, key, value, place, report);
		break;
	case NOPIN_INTERVAL:
		take_interval(target, key, value, place, report);
		break;
	case NOPIN_TIMEOUT:
		target->nopin_response_timeout = take_number(key, value, place, report);
		break;
	case ABSENT:
		report_add(report, place, "%s: there is no such setting here", key->name);
		break;
	}
	return true;
}
