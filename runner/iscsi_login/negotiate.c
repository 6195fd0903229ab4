/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Negotiation of the keys that the table in keys.c describes. Keys of the type TEXT are left to
 * login_identity.c, chap.c and text.c.
 */
#include "iscsi_login/negotiate.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "util/bytes.h"

/*
 * The largest number of keys in one text. About 30 keys are defined; each unknown key costs a search and an
 * answer.
 */
#define PAIRS_MAX 128

static_assert(ISCSI_KEY_COUNT <= 64, "the set of seen keys is one word");

static bool is_boolean(const struct iscsi_key_row *row)
{
	return row->type == ISCSI_KEY_AND || row->type == ISCSI_KEY_OR || row->type == ISCSI_KEY_LIST;
}

static void store(const struct iscsi_key_row *row, struct iscsi_params *params, uint32_t value)
{
	char *field = (char *)params + row->field;

	if (is_boolean(row))
		*(bool *)field = value;
	else
		*(uint32_t *)field = value;
}

static uint32_t load(const struct iscsi_key_row *row, const struct iscsi_params *params)
{
	const char *field = (const char *)params + row->field;

	return is_boolean(row) ? *(const bool *)field : *(const uint32_t *)field;
}

void iscsi_params_init(struct iscsi_params *params)
{
	memset(params, 0, sizeof(*params));
	for (unsigned key = 0; key < ISCSI_KEY_COUNT; key++) {
		const struct iscsi_key_row *row = &iscsi_keys[key];

		if (row->type != ISCSI_KEY_TEXT && row->type != ISCSI_KEY_FIXED)
			store(row, params, row->initial);
	}
	/* The key has the same default in both directions. */
	params->max_recv_data_segment = iscsi_keys[ISCSI_KEY_MAX_RECV_DATA_SEGMENT_LENGTH].initial;
}

void iscsi_params_inherit(struct iscsi_params *params, const struct iscsi_params *from, uint64_t seen)
{
	for (unsigned key = 0; key < ISCSI_KEY_COUNT; key++) {
		const struct iscsi_key_row *row = &iscsi_keys[key];
		size_t len = is_boolean(row) ? sizeof(bool) : sizeof(uint32_t);

		/*
		 * The session-wide keys whose value can differ are exactly the keys that are irrelevant in a
		 * discovery session.
		 */
		if (row->not_in_discovery && !(seen >> key & 1))
			memcpy((char *)params + row->field, (const char *)from + row->field, len);
	}
}

const char *iscsi_offers_read(struct iscsi_offers *offers, const char *text, size_t len, uint64_t *seen)
{
	struct iscsi_pair pair;
	unsigned npairs = 0;
	size_t at = 0;
	int more;

	memset(offers, 0, sizeof(*offers));
	while ((more = iscsi_pair_next(text, len, &at, &pair)) > 0) {
		uint64_t bit;

		if (++npairs > PAIRS_MAX)
			return "more than 128 keys in one text";
		if (pair.key == ISCSI_KEY_UNKNOWN)
			continue;
		bit = 1ull << pair.key;
		if (offers->of[pair.key].value || (*seen & bit && !iscsi_keys[pair.key].may_repeat))
			return "a key came twice";
		*seen |= bit;
		offers->of[pair.key].value = pair.value;
	}
	return more < 0 ? "malformed text" : NULL;
}

static bool list_has(const struct iscsi_key_row *row, uint32_t allowed, const char *value, uint32_t *result)
{
	const char *item;
	int len;

	while ((len = iscsi_list_next(&value, &item)) >= 0)
		for (uint32_t i = 0; row->choices[i]; i++)
			if (allowed >> i & 1 && strlen(row->choices[i]) == (size_t)len &&
			    memcmp(row->choices[i], item, (size_t)len) == 0) {
				*result = i;
				return true;
			}
	return false;
}

static bool boolean(const char *value, uint32_t *result)
{
	*result = strcmp(value, "Yes") == 0;
	return *result || strcmp(value, "No") == 0;
}

/* Returns the result of a legal value and the value of the target. */
static uint32_t combine(const struct iscsi_key_row *row, uint32_t ours, uint32_t value)
{
	switch (row->type) {
	case ISCSI_KEY_AND:
		return value && ours;
	case ISCSI_KEY_OR:
		return value || ours;
	case ISCSI_KEY_MIN:
		return MIN(value, ours);
	case ISCSI_KEY_MAX:
		return MAX(value, ours);
	default:
		return value;
	}
}

/*
 * Computes the result of an offered value and the value of the target. Returns false if the offered value is
 * not legal.
 */
static bool negotiate_value(const struct iscsi_key_row *row, uint32_t ours, const char *value,
			    uint32_t *result)
{
	uint32_t n;

	switch (row->type) {
	case ISCSI_KEY_AND:
	case ISCSI_KEY_OR:
		if (!boolean(value, &n))
			return false;
		*result = combine(row, ours, n);
		return true;
	case ISCSI_KEY_LIST:
		return list_has(row, ours, value, result);
	case ISCSI_KEY_MIN:
	case ISCSI_KEY_MAX:
	case ISCSI_KEY_DECLARED:
		if (!iscsi_value_number(value, &n) || n < row->min || n > row->max)
			return false;
		*result = combine(row, ours, n);
		return true;
	case ISCSI_KEY_TEXT:
	case ISCSI_KEY_FIXED:
		break;
	}
	return true;
}

/*
 * Returns whether the value is an answer. Answers get no answer themselves, because otherwise the exchange
 * would never end.
 */
static bool is_answer(const char *value)
{
	return strcmp(value, "Reject") == 0 || strcmp(value, "Irrelevant") == 0 ||
	       strcmp(value, "NotUnderstood") == 0;
}

static void negotiate_one(struct iscsi_offer *offer, const struct iscsi_key_row *row, uint32_t ours,
			  enum iscsi_phase phase, bool discovery, struct iscsi_params *params)
{
	if (is_answer(offer->value)) {
		offer->value = NULL;
	} else if (!(row->phase & phase)) {
		offer->value = NULL;
		offer->answer = ISCSI_ANSWER_REJECT;
	} else if (row->type == ISCSI_KEY_TEXT) {
		offer->answer = ISCSI_ANSWER_NONE;
	} else if (row->type == ISCSI_KEY_FIXED) {
		offer->answer = ISCSI_ANSWER_RESULT;
	} else if (discovery && row->not_in_discovery) {
		offer->answer = ISCSI_ANSWER_IRRELEVANT;
	} else if (!negotiate_value(row, ours, offer->value, &offer->result)) {
		offer->answer = ISCSI_ANSWER_REJECT;
	} else {
		offer->answer = row->type == ISCSI_KEY_DECLARED ? ISCSI_ANSWER_NONE : ISCSI_ANSWER_RESULT;
		store(row, params, offer->result);
	}
}

static uint32_t value_of_target(const struct iscsi_target_values *values, enum iscsi_key key)
{
	return values ? values->of[key] : iscsi_keys[key].ours;
}

void iscsi_offers_negotiate(struct iscsi_offers *offers, enum iscsi_phase phase, bool discovery,
			    const struct iscsi_target_values *values, struct iscsi_params *params)
{
	struct iscsi_offer *first_burst = &offers->of[ISCSI_KEY_FIRST_BURST_LENGTH];

	for (unsigned key = 0; key < ISCSI_KEY_COUNT; key++)
		if (offers->of[key].value)
			negotiate_one(&offers->of[key], &iscsi_keys[key], value_of_target(values, key), phase,
				      discovery, params);

	/*
	 * RFC 7143 13.14: FirstBurstLength must not exceed MaxBurstLength, whether these values were offered
	 * or are defaults. The answer must also hold if MaxBurstLength is offered in a later request.
	 */
	params->first_burst = MIN(params->first_burst, params->max_burst);
	if (first_burst->answer == ISCSI_ANSWER_RESULT)
		first_burst->result = params->first_burst =
		    MIN(params->first_burst, value_of_target(values, ISCSI_KEY_MAX_BURST_LENGTH));
}

static void answer_result(enum iscsi_key key, uint32_t result, struct iscsi_text_out *out)
{
	const struct iscsi_key_row *row = &iscsi_keys[key];

	if (row->choices)
		iscsi_text_add_key(out, key, row->choices[result]);
	else if (is_boolean(row))
		iscsi_text_add_key(out, key, result ? "Yes" : "No");
	else
		iscsi_text_add_number(out, key, result);
}

void iscsi_offers_answer(const struct iscsi_offers *offers, const char *text, size_t len,
			 struct iscsi_text_out *out)
{
	struct iscsi_pair pair;
	size_t at = 0;

	while (!out->overflow && iscsi_pair_next(text, len, &at, &pair) > 0) {
		if (pair.key == ISCSI_KEY_UNKNOWN) {
			if (!is_answer(pair.value))
				iscsi_text_add(out, pair.name, pair.name_len, "NotUnderstood");
			continue;
		}
		switch (offers->of[pair.key].answer) {
		case ISCSI_ANSWER_NONE:
			break;
		case ISCSI_ANSWER_RESULT:
			answer_result(pair.key, offers->of[pair.key].result, out);
			break;
		case ISCSI_ANSWER_REJECT:
			iscsi_text_add_key(out, pair.key, "Reject");
			break;
		case ISCSI_ANSWER_IRRELEVANT:
			iscsi_text_add_key(out, pair.key, "Irrelevant");
			break;
		}
	}
}

/* --- offers of the target --------------------------------------------------------------------------  */

void iscsi_target_values_set(struct iscsi_target_values *values, const uint32_t *tpg)
{
	for (unsigned key = 0; key < ISCSI_KEY_COUNT; key++) {
		const struct iscsi_key_row *row = &iscsi_keys[key];

		values->of[key] = tpg && row->parameter ? tpg[row->parameter] : row->ours;
	}
}

static bool accepts(const struct iscsi_key_row *row, uint32_t ours, uint32_t value)
{
	return row->type == ISCSI_KEY_LIST ? ours >> value & 1 : combine(row, ours, value) == value;
}

/* Adds an offer of the first value that the target accepts. */
static void add_offer(enum iscsi_key key, uint32_t ours, struct iscsi_text_out *out)
{
	uint32_t choice = 0;

	if (iscsi_keys[key].type != ISCSI_KEY_LIST) {
		answer_result(key, ours, out);
		return;
	}
	while (iscsi_keys[key].choices[choice + 1] && !(ours >> choice & 1))
		choice++;
	answer_result(key, choice, out);
}

uint64_t iscsi_target_offers(const struct iscsi_target_values *values, const struct iscsi_params *params,
			     uint64_t seen, struct iscsi_text_out *out)
{
	uint64_t offered = 0;

	for (unsigned key = 0; key < ISCSI_KEY_COUNT; key++) {
		const struct iscsi_key_row *row = &iscsi_keys[key];

		if (!row->target_offers || seen >> key & 1 ||
		    accepts(row, values->of[key], load(row, params)))
			continue;
		add_offer(key, values->of[key], out);
		offered |= 1ull << key;
	}
	return offered;
}

void iscsi_offers_are_answers(struct iscsi_offers *offers, uint64_t offered)
{
	for (unsigned key = 0; key < ISCSI_KEY_COUNT; key++)
		if (offered >> key & 1)
			offers->of[key].answer = ISCSI_ANSWER_NONE;
}

enum iscsi_key iscsi_params_unacceptable(const struct iscsi_params *params,
					 const struct iscsi_target_values *values, bool forgiving)
{
	for (unsigned key = 0; key < ISCSI_KEY_COUNT; key++) {
		const struct iscsi_key_row *row = &iscsi_keys[key];

		if (row->target_offers && !(forgiving && row->may_stay_unanswered) &&
		    !accepts(row, values->of[key], load(row, params)))
			return key;
	}
	return ISCSI_KEY_UNKNOWN;
}

/* --- the text for people ---------------------------------------------------------------------- */

const char *iscsi_params_show(const struct iscsi_params *params, bool discovery,
			      char text[ISCSI_PARAMS_TEXT_SIZE])
{
	static const char xmit[] = "MaxXmitDataSegmentLength";
	struct iscsi_text_out out = {.text = text, .size = ISCSI_PARAMS_TEXT_SIZE - 1};
	char number[16];

	for (unsigned key = 0; key < ISCSI_KEY_COUNT; key++) {
		const struct iscsi_key_row *row = &iscsi_keys[key];

		if (row->type == ISCSI_KEY_TEXT || row->type == ISCSI_KEY_FIXED ||
		    (discovery && row->not_in_discovery))
			continue;
		if (row->type != ISCSI_KEY_DECLARED) {
			answer_result(key, load(row, params), &out);
			continue;
		}
		iscsi_text_add_number(&out, key, params->max_recv_data_segment);
		snprintf(number, sizeof(number), "%u", params->max_xmit_data_segment);
		iscsi_text_add(&out, xmit, sizeof(xmit) - 1, number);
	}
	assert(!out.overflow);
	for (size_t i = 0; i < out.len; i++)
		if (!text[i])
			text[i] = '\n';
	text[out.len] = '\0';
	return text;
}
