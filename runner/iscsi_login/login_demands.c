/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The demands of a TPG on the negotiated values. The target offers its own value if the TPG does not accept
 * the default, and a login with values that the TPG does not accept fails. negotiate.c combines the values.
 */
#include "iscsi_login/login_state.h"

#include "util/bytes.h"

void iscsi_login_add_offers(struct iscsi_login *login, struct iscsi_text_out *out)
{
	uint64_t offered;

	if (login->stage != ISCSI_STAGE_OPERATIONAL || login->result.discovery)
		return;
	offered =
	    iscsi_target_offers(&login->values, &login->result.params, login->seen | login->offered, out);
	login->offered |= offered;
	login->awaits_answer = offered;
}

enum iscsi_login_status iscsi_login_check_result(struct iscsi_login *login)
{
	struct iscsi_params *params = &login->result.params;
	enum iscsi_key key;

	if (login->result.discovery)
		return ISCSI_LOGIN_OK;
	key = iscsi_params_unacceptable(params, &login->values, login->result.target->keys_workaround);
	if (key != ISCSI_KEY_UNKNOWN)
		return iscsi_login_refusal(login, ISCSI_LOGIN_INITIATOR_ERROR,
					   "the initiator does not agree to the %s that the TPG demands",
					   iscsi_keys[key].name);
	/* The target alone decides how long the bursts are that it sends or requests. */
	params->max_burst = MIN(params->max_burst, login->values.of[ISCSI_KEY_MAX_BURST_LENGTH]);
	return ISCSI_LOGIN_OK;
}
