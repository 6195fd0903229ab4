/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of attributes, kind by kind. A new attribute needs only a row, and every interface then shows it.
 * If LIO has the attribute, its name, range and default are those of LIO. values.c stores new values and
 * makes them effective.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/accounts.h"
#include "model/apply.h"
#include "model/private.h"
#include "util/bytes.h"

/* The last argument is the help. If the row has more members, they follow the help. */
#define ROW(group_, name_, type_, min_, max_, fallback_, flags_, ...)                                  \
	{                                                                                              \
		.kind = KIND, .group = group_, .name = name_, .type = type_, .min = min_, .max = max_, \
		.fallback = fallback_, .flags = flags_, .help = __VA_ARGS__                            \
	}
#define BOOL(group, name, fallback, flags, ...) \
	ROW(group, name, MODEL_BOOL, 0, 1, fallback, flags, __VA_ARGS__)
#define NUMBER(group, name, min, max, fallback, flags, ...) \
	ROW(group, name, MODEL_NUMBER, min, max, fallback, flags, __VA_ARGS__)
#define TEXT(group, name, size, flags, ...) ROW(group, name, MODEL_TEXT, 0, size, "", flags, __VA_ARGS__)
#define SECRET(group, name, help) \
	ROW(group, name, MODEL_SECRET, 0, 255, "", MODEL_NEXT_LOGIN, help, .apply = model_apply_secret)
#define MORE_ACCOUNTS(group)                                                                                 \
	ROW(group, "more_accounts", MODEL_SECRET, 0, MODEL_TEXT_SIZE - 1, "", MODEL_NEXT_LOGIN | MODEL_OURS, \
	    "Further accounts that initiators may use: USER SECRET for each, separated by commas; a comma "  \
	    "inside a "                                                                                      \
	    "name or a secret is written twice.",                                                            \
	    .check = model_accounts_check)
#define YES_NO(name, fallback, flags, ...) \
	ROW("param", name, MODEL_YES_NO, 0, 1, fallback, flags, __VA_ARGS__)
#define LIST(name, fallback, values, help) \
	ROW("param", name, MODEL_LIST, 0, 64, fallback, MODEL_NEXT_LOGIN, help, .choices = values)
/* A parameter of the login negotiation (RFC 7143 13). */
#define LOGIN_NUMBER(name, min, max, fallback, help) \
	NUMBER("param", name, min, max, fallback, MODEL_NEXT_LOGIN | MODEL_TUNES, help)
/* The daemon supports only one value, which it also negotiates. */
#define ONE_VALUE .apply = model_apply_one_value
#define SHOWN(group, name, type, help, function) \
	ROW(group, name, type, 0, UINT64_MAX, "", MODEL_READ_ONLY | MODEL_NOT_SAVED, help, .get = function)
/* A negotiated value of an initiator's session. As in LIO, Yes is shown as 1 and No as 0. */
#define NEGOTIATED(name, function)                                                                        \
	SHOWN("param", name, MODEL_TEXT,                                                                  \
	      "The value that the newest session of this initiator has negotiated, with 1 for Yes and 0 " \
	      "for No. The attributes of the TPG say which values are possible.",                         \
	      function)
#define IN_ORDER_HELP "Kept for LIO; it has no effect here. Data is always sent and requested in order."
/* A value that other programs such as targetcli write and read, and that has no effect here. */
#define KEPT_HELP "Kept for LIO and its tools; it has no effect here."
#define KEPT(group, name, min, max, fallback) \
	ROW(group, name, MODEL_NUMBER, min, max, fallback, MODEL_NO_EFFECT, KEPT_HELP)
#define KEPT_TEXT(group, name, fallback) \
	ROW(group, name, MODEL_TEXT, 0, 64, fallback, MODEL_NO_EFFECT, KEPT_HELP)

#define KIND MODEL_ROOT
static const struct model_attribute root_table[] = {
    BOOL("discovery_auth", "enforce_discovery_auth", "0", MODEL_NEXT_LOGIN,
	 "Whether discovery sessions must authenticate with the accounts of this group."),
    TEXT("discovery_auth", "userid", 255, MODEL_NEXT_LOGIN,
	 "The name of initiators in discovery sessions (CHAP_N)."),
    SECRET("discovery_auth", "password", "The secret of initiators in discovery sessions."),
    TEXT("discovery_auth", "userid_mutual", 255, MODEL_NEXT_LOGIN,
	 "The name of the target in discovery sessions."),
    SECRET("discovery_auth", "password_mutual", "The secret of the target in discovery sessions."),
    MORE_ACCOUNTS("discovery_auth"),
};
#undef KIND

#define KIND MODEL_STORAGE
static const struct model_attribute storage_table[] = {
    TEXT("control", "config", MODEL_TEXT_SIZE - 1, MODEL_BEFORE_USE,
	 "The storage that is served: HANDLER/CONFIG, then ;KEY=VALUE for options and ;filter=NAME for "
	 "filters. Options of filters can also be changed while the disk is served.",
	 .begin = model_begin_config),
    NUMBER("control", "size", 0, INT64_MAX, "0", 0,
	   "The size of the disk in bytes; 0 means the size of the storage.", .apply = model_apply_size),
    NUMBER("control", "block_size", 0, 4096, "0", MODEL_BEFORE_USE,
	   "The size of a logical block in bytes; 0 means that the handler chooses it.",
	   .check = model_check_block_size),
    BOOL("control", "read_only", "0", MODEL_BEFORE_USE | MODEL_OURS,
	 "The disk is write-protected for all initiators."),
    BOOL("control", "create", "1", MODEL_BEFORE_USE | MODEL_OURS,
	 "Whether storage that is missing and has never been served is created."),
    BOOL("control", "exact_size", "0", MODEL_BEFORE_USE | MODEL_OURS,
	 "Whether storage that is larger than size is refused; if it is not refused, its first bytes are "
	 "served."),
    TEXT("control", "folder", MODEL_TEXT_SIZE - 1, MODEL_BEFORE_USE | MODEL_OURS,
	 "The folder in which relative paths begin; if this is empty, it is the state folder."),
    NUMBER("control", "max_sectors", 0, 65536, "0", MODEL_BEFORE_USE,
	   "The largest transfer of one command, in units of 512 bytes; 0 means 16 MiB."),
    NUMBER("attrib", "time_limit", 0, 86400, "0", MODEL_BEFORE_USE | MODEL_OURS,
	   "The number of seconds after which a command that hangs in the storage ends with an error; 0 "
	   "means no limit."),
    BOOL("attrib", "emulate_write_cache", "0", 0,
	 "Whether the disk has a volatile write cache (WCE). Before this is set, and after it is set to "
	 "auto, the storage decides.",
	 .unset = "auto", .get = model_get_write_cache, .apply = model_apply_write_cache),
    KEPT("attrib", "cmd_time_out", 0, 86400, "30"),
    KEPT_TEXT("attrib", "qfull_time_out", "-1"),
    KEPT("attrib", "max_data_area_mb", 1, 2048, "8"),
    KEPT("attrib", "hw_queue_depth", 0, 65536, "128"),
    KEPT("attrib", "queue_depth", 0, 65536, "128"),
    KEPT("attrib", "emulate_pr", 0, 1, "1"),
    KEPT("attrib", "emulate_3pc", 0, 1, "1"),
    KEPT("attrib", "emulate_caw", 0, 1, "1"),
    KEPT("attrib", "emulate_dpo", 0, 1, "1"),
    KEPT("attrib", "emulate_fua_read", 0, 1, "1"),
    KEPT("attrib", "emulate_fua_write", 0, 1, "1"),
    KEPT("attrib", "emulate_model_alias", 0, 1, "1"),
    KEPT("attrib", "emulate_rest_reord", 0, 1, "0"),
    KEPT("attrib", "emulate_tas", 0, 1, "1"),
    KEPT("attrib", "emulate_tpu", 0, 1, "0"),
    KEPT("attrib", "emulate_tpws", 0, 1, "0"),
    KEPT("attrib", "emulate_ua_intlck_ctrl", 0, 2, "0"),
    KEPT("attrib", "enforce_pr_isids", 0, 1, "1"),
    KEPT("attrib", "force_pr_aptpl", 0, 1, "0"),
    KEPT("attrib", "is_nonrot", 0, 1, "1"),
    KEPT("attrib", "pi_prot_type", 0, 3, "0"),
    KEPT("attrib", "pi_prot_verify", 0, 1, "0"),
    KEPT("attrib", "max_unmap_block_desc_count", 0, UINT32_MAX, "1"),
    KEPT("attrib", "max_unmap_lba_count", 0, UINT32_MAX, "8192"),
    KEPT("attrib", "max_write_same_len", 0, UINT32_MAX, "65535"),
    KEPT("attrib", "optimal_sectors", 0, UINT32_MAX, "128"),
    KEPT("attrib", "unmap_granularity", 0, UINT32_MAX, "0"),
    KEPT("attrib", "unmap_granularity_alignment", 0, UINT32_MAX, "0"),
    KEPT("attrib", "unmap_zeroes_data", 0, 1, "0"),
    KEPT("attrib", "alua_support", 0, 1, "1"),
    KEPT("attrib", "pgr_support", 0, 1, "1"),
    SHOWN("attrib", "hw_block_size", MODEL_NUMBER, "The size of a logical block in bytes.",
	  model_get_block_size),
    SHOWN("attrib", "block_size", MODEL_NUMBER, "The size of a logical block in bytes.",
	  model_get_block_size),
    SHOWN("attrib", "dev_size", MODEL_NUMBER, "The size of the disk in bytes.", model_get_size),
    SHOWN("attrib", "dev_config", MODEL_TEXT, "The same as control/config.", model_get_config),
    SHOWN("attrib", "hw_max_sectors", MODEL_NUMBER,
	  "The largest transfer of one command, in units of 512 bytes.", model_get_max_sectors),
    TEXT("wwn", "vpd_unit_serial", 223, 0,
	 "The unit serial number; if this is empty, it is chosen when the disk is enabled.",
	 .begin = model_begin_serial),
    TEXT("wwn", "vendor_id", 8, MODEL_BEFORE_USE,
	 "The T10 vendor identification in INQUIRY; if this is empty, it is LIO-ORG."),
    TEXT("wwn", "product_id", 16, MODEL_BEFORE_USE,
	 "The product identification in INQUIRY; if this is empty, it is TCMU device."),
    TEXT("wwn", "revision", 4, MODEL_BEFORE_USE,
	 "The product revision level in INQUIRY; if this is empty, it is 0002."),
    SHOWN("health", "state", MODEL_TEXT,
	  "The state of the disk: configured, opening, served, failed, contents lost or removing.",
	  model_get_state),
    SHOWN("health", "serial", MODEL_TEXT, "The unit serial number that initiators see.", model_get_serial),
    SHOWN("health", "options", MODEL_TEXT, "The options of the storage that are in effect.",
	  model_get_options),
    SHOWN("health", "problem", MODEL_TEXT,
	  "Describes a problem of the disk, such as a file that was shortened. "
	  "The text is empty if the disk has no problem.",
	  model_get_problem),
    SHOWN("health", "last_error", MODEL_TEXT, "The last error of the storage.", model_get_last_error),
    SHOWN("health", "last_error_time", MODEL_NUMBER,
	  "The time of last_error in seconds since 1970; 0 means that there was no error.",
	  model_get_last_error_time),
    SHOWN("health", "sense_keys", MODEL_TEXT,
	  "The numbers of commands that ended with CHECK CONDITION, as KEY=COUNT for each sense key.",
	  model_get_sense_keys),
    SHOWN("statistics", "reads", MODEL_NUMBER, "The number of READ commands.", model_get_reads),
    SHOWN("statistics", "writes", MODEL_NUMBER, "The number of WRITE commands.", model_get_writes),
    SHOWN("statistics", "read_bytes", MODEL_NUMBER, "The number of bytes that were read.",
	  model_get_read_bytes),
    SHOWN("statistics", "write_bytes", MODEL_NUMBER, "The number of bytes that were written.",
	  model_get_write_bytes),
    SHOWN("statistics", "errors", MODEL_NUMBER, "The number of I/O operations that ended with an error.",
	  model_get_errors),
};
#undef KIND

#define KIND MODEL_TPG
static const struct model_attribute tpg_table[] = {
    BOOL("attrib", "authentication", "0", MODEL_NEXT_LOGIN | MODEL_VISITS_LOOPS,
	 "Whether initiators must authenticate with CHAP. If this is 0, they must do so only if AuthMethod "
	 "demands it.",
	 .apply = model_apply_authentication),
    BOOL("attrib", "generate_node_acls", "0", MODEL_NEXT_LOGIN,
	 "Whether initiators without an ACL may log in; they see all LUNs of the TPG."),
    BOOL("attrib", "demo_mode_write_protect", "1", MODEL_VISITS_LOOPS,
	 "Whether initiators without an ACL cannot write.", .apply = model_apply_demo_write_protect),
    BOOL("attrib", "demo_mode_discovery", "1", 0,
	 "Whether discovery also shows the target to initiators that have no ACL and cannot log in."),
    BOOL("attrib", "tpg_enabled_sendtargets", "1", 0,
	 "Whether discovery hides the target while this TPG is disabled."),
    NUMBER("attrib", "default_cmdsn_depth", 1, 4096, "64", MODEL_NEXT_LOGIN,
	   "The number of commands that a session may have outstanding, unless its ACL has another number."),
    NUMBER("attrib", "login_timeout", 5, 30, "15", MODEL_NEXT_LOGIN | MODEL_TUNES,
	   "The number of seconds that a login to this TPG may take. The option --login-timeout applies "
	   "before this is set, after it is set to auto, and before the initiator has named the target.",
	   .unset = "auto"),
    BOOL("attrib", "prod_mode_write_protect", "0", 0,
	 "Whether a mapped LUN is write-protected when it is created; its write_protect can then be set to "
	 "0."),
    BOOL("attrib", "cache_dynamic_acls", "0", 0,
	 "Whether the TPG remembers initiators without an ACL after their sessions have ended. Such an "
	 "initiator may log in again even if generate_node_acls is 0 by then, and keeps its cmdsn_depth. "
	 "Setting this to 0 forgets them.",
	 .apply = model_apply_cache_dynamic),
    NUMBER("attrib", "default_erl", 0, 2, "0", MODEL_NO_EFFECT,
	   "Kept for LIO; it has no effect. The error recovery level of sessions is always 0.", ONE_VALUE),
    NUMBER("attrib", "fabric_prot_type", 0, 3, "0", MODEL_NO_EFFECT,
	   "Kept for LIO; it has no effect here. No disk has protection information (T10 PI)."),
    BOOL("attrib", "login_keys_workaround", "1", MODEL_NEXT_LOGIN | MODEL_TUNES,
	 "Whether an initiator can log in although it does not answer when the target asks for a smaller "
	 "FirstBurstLength, or for ImmediateData=No. Its session then has the default of RFC 7143."),
    NUMBER("attrib", "netif_timeout", 2, 15, "2", MODEL_NO_EFFECT,
	   "Kept for LIO; it has no effect here. A portal does not wait for a network interface."),
    BOOL("attrib", "t10_pi", "0", MODEL_NO_EFFECT,
	 "Kept for LIO; it has no effect here. No disk has protection information (T10 PI)."),
    BOOL("attrib", "reveal_target", "0", MODEL_OURS,
	 "Whether an initiator that may not log in learns from the login status that the target exists."),
    BOOL("attrib", "allow_cold_reset", "0", MODEL_OURS | MODEL_NEXT_LOGIN,
	 "Whether an initiator may end the sessions of all initiators by TARGET COLD RESET."),
    TEXT("attrib", "allowed_addresses", 4000, MODEL_OURS | MODEL_RESTRICTS,
	 "The address prefixes from which initiators may log in, separated by commas; if this is empty, all "
	 "addresses may.",
	 .check = model_addresses_check),
    TEXT("attrib", "denied_addresses", 4000, MODEL_OURS | MODEL_RESTRICTS,
	 "The address prefixes from which no initiator may log in, separated by commas.",
	 .check = model_addresses_check),
    NUMBER("", "rtpi", 1, 65535, "1", MODEL_OURS,
	   "The relative target port identifier, which is different for each TPG.",
	   .apply = model_apply_rtpi),
    TEXT("auth", "userid", 255, MODEL_NEXT_LOGIN, "The name of initiators without an ACL (CHAP_N)."),
    SECRET("auth", "password", "The secret of initiators without an ACL."),
    TEXT("auth", "userid_mutual", 255, MODEL_NEXT_LOGIN,
	 "The name of the target towards initiators without an ACL."),
    SECRET("auth", "password_mutual", "The secret of the target towards initiators without an ACL."),
    MORE_ACCOUNTS("auth"),
    SHOWN("auth", "authenticate_target", MODEL_BOOL,
	  "Whether userid_mutual is set, so that the target authenticates itself if an initiator demands it.",
	  model_get_authenticate_target),
    ROW("param", "AuthMethod", MODEL_LIST, 0, 64, "CHAP,None", MODEL_NEXT_LOGIN | MODEL_VISITS_LOOPS,
	"The methods of authentication that the target accepts. Without None, initiators must authenticate "
	"unless their ACL has authentication=0. With both CHAP and None, an initiator that prefers CHAP "
	"authenticates if there is an account for it.",
	.choices = "CHAP,None"),
    LIST("HeaderDigest", "CRC32C,None", "None,CRC32C",
	 "The digests of PDU headers that a session may use; without None, initiators must use CRC32C."),
    LIST("DataDigest", "CRC32C,None", "None,CRC32C",
	 "The digests of data that a session may use; without None, initiators must use CRC32C."),
    ROW("param", "TargetAlias", MODEL_TEXT, 0, 255, "LIO Target", MODEL_NEXT_LOGIN,
	"The alias that initiators see."),
    YES_NO("InitialR2T", "Yes", MODEL_NEXT_LOGIN | MODEL_TUNES,
	   "With No, an initiator may send the first FirstBurstLength bytes of a WRITE without an R2T. With "
	   "Yes, it may send only immediate data without an R2T."),
    YES_NO("ImmediateData", "Yes", MODEL_NEXT_LOGIN | MODEL_TUNES,
	   "With Yes, an initiator may send data together with its command."),
    LOGIN_NUMBER("MaxXmitDataSegmentLength", 512, 16777215, "262144",
		 "The largest number of bytes of data that the target receives in one PDU. As in LIO, the "
		 "target declares this value as its MaxRecvDataSegmentLength."),
    ROW("param", "MaxRecvDataSegmentLength", MODEL_NUMBER, 512, 16777215, "8192", MODEL_NO_EFFECT,
	"Kept for LIO; it has no effect. Each initiator declares itself how many bytes it receives in one "
	"PDU."),
    LOGIN_NUMBER("MaxBurstLength", 512, 16777215, "262144",
		 "The largest number of bytes in a Data-In sequence, and in the data that one R2T requests."),
    LOGIN_NUMBER("FirstBurstLength", 512, 16777215, "65536",
		 "The largest number of bytes of a WRITE that an initiator sends before the first R2T."),
    LOGIN_NUMBER("DefaultTime2Wait", 0, 3600, "2",
		 "The smallest number of seconds that an initiator waits before it connects again."),
    LOGIN_NUMBER("DefaultTime2Retain", 0, 3600, "20",
		 "The largest DefaultTime2Retain that initiators get. Here, a session always ends with its "
		 "connection."),
    LOGIN_NUMBER("MaxOutstandingR2T", 1, 65535, "1",
		 "The largest number of R2Ts that one WRITE may have outstanding; a larger number makes long "
		 "writes faster."),
    NUMBER("param", "MaxConnections", 1, 65535, "1", MODEL_NO_EFFECT,
	   "Kept for LIO; it has no effect. A session always has one connection.", ONE_VALUE),
    NUMBER("param", "ErrorRecoveryLevel", 0, 2, "0", MODEL_NO_EFFECT,
	   "Kept for LIO; it has no effect. Sessions always have level 0.", ONE_VALUE),
    YES_NO("DataPDUInOrder", "Yes", MODEL_NO_EFFECT,
	   "Kept for LIO; it has no effect. The negotiated value is always Yes.", ONE_VALUE),
    YES_NO("DataSequenceInOrder", "Yes", MODEL_NO_EFFECT,
	   "Kept for LIO; it has no effect. The negotiated value is always Yes.", ONE_VALUE),
    YES_NO("IFMarker", "No", MODEL_NO_EFFECT,
	   "Kept for LIO; it has no effect. The negotiated value is always No.", ONE_VALUE),
    YES_NO("OFMarker", "No", MODEL_NO_EFFECT,
	   "Kept for LIO; it has no effect. The negotiated value is always No.", ONE_VALUE),
    ROW("param", "IFMarkInt", MODEL_TEXT, 0, 64, "Reject", MODEL_NO_EFFECT,
	"Kept for LIO; it has no effect. There are no markers.", ONE_VALUE),
    ROW("param", "OFMarkInt", MODEL_TEXT, 0, 64, "Reject", MODEL_NO_EFFECT,
	"Kept for LIO; it has no effect. There are no markers.", ONE_VALUE),
    SHOWN("", "dynamic_sessions", MODEL_TEXT,
	  "Initiators without an ACL that are logged in, or that cache_dynamic_acls remembers, one on each "
	  "line.",
	  model_get_dynamic_sessions),
};
#undef KIND

#define KIND MODEL_PORTAL
static const struct model_attribute portal_table[] = {
    TEXT("", "advertise", 279, MODEL_OURS,
	 "The HOST:PORT that discovery shows instead of the address, for example if a router translates "
	 "addresses.",
	 .check = model_check_advertise),
    KEPT("", "iser", 0, 1, "0"),
    KEPT("", "cxgbit", 0, 1, "0"),
};
#undef KIND

#define KIND MODEL_ACL
static const struct model_attribute acl_table[] = {
    ROW("attrib", "authentication", MODEL_TEXT, 0, 2, "-1", MODEL_NEXT_LOGIN | MODEL_VISITS_LOOPS,
	"Whether this initiator must authenticate with CHAP (1) or need not (0). With -1, authentication and "
	"AuthMethod of the TPG decide. If it must authenticate, its sessions that are older than the ACL "
	"end.",
	.check = model_check_inherited),
    NUMBER("", "cmdsn_depth", 1, 4096, "64", MODEL_NEXT_LOGIN,
	   "The number of commands that a session of this initiator may have outstanding. Before this is "
	   "set, and after it is set to auto, default_cmdsn_depth of the TPG applies and is shown.",
	   .unset = "auto", .get = model_get_cmdsn_depth),
    TEXT("", "tag", 255, MODEL_NO_EFFECT, "A tag for the administrator's own use; it has no effect."),
    TEXT("auth", "userid", 255, MODEL_NEXT_LOGIN, "The name of this initiator (CHAP_N)."),
    SECRET("auth", "password", "The secret of this initiator."),
    TEXT("auth", "userid_mutual", 255, MODEL_NEXT_LOGIN, "The name of the target towards this initiator."),
    SECRET("auth", "password_mutual", "The secret of the target towards this initiator."),
    MORE_ACCOUNTS("auth"),
    SHOWN("auth", "authenticate_target", MODEL_BOOL,
	  "Whether userid_mutual is set, so that the target authenticates itself if an initiator demands it.",
	  model_get_authenticate_target),
    NUMBER("attrib", "dataout_timeout", 2, 60, "3", MODEL_NEXT_LOGIN | MODEL_TUNES,
	   "The number of seconds after which this initiator loses its connection if it does not send the "
	   "next Data-Out PDU of a command. Before this is set, and after it is set to auto, "
	   "nopin_response_timeout applies instead, and begins again when Data-Out of any command arrives.",
	   .unset = "auto"),
    NUMBER("attrib", "dataout_timeout_retries", 1, 15, "5", MODEL_NO_EFFECT,
	   "Kept for LIO; it has no effect. At error recovery level 0, LIO also closes the connection at "
	   "once and requests nothing again."),
    NUMBER("attrib", "default_erl", 0, 2, "0", MODEL_NO_EFFECT,
	   "Kept for LIO; it has no effect. The error recovery level of sessions is always 0.", ONE_VALUE),
    NUMBER("attrib", "nopin_response_timeout", 3, 60, "30", MODEL_NEXT_LOGIN | MODEL_TUNES,
	   "The number of seconds after which this initiator loses its connection if it does not answer a "
	   "NOP-In, does not read, or does not send the Data-Out of its commands. Before this is set, and "
	   "after it is set to auto, the option --nop-timeout applies.",
	   .unset = "auto"),
    NUMBER("attrib", "nopin_timeout", 0, 60, "15", MODEL_NEXT_LOGIN | MODEL_TUNES,
	   "The number of seconds of silence after which the daemon sends this initiator a NOP-In; 0 means "
	   "that it sends none. Before this is set, and after it is set to auto, the option --nop-interval "
	   "applies.",
	   .unset = "auto"),
    BOOL("attrib", "random_datain_pdu_offsets", "0", MODEL_NO_EFFECT, IN_ORDER_HELP),
    BOOL("attrib", "random_datain_seq_offsets", "0", MODEL_NO_EFFECT, IN_ORDER_HELP),
    BOOL("attrib", "random_r2t_offsets", "0", MODEL_NO_EFFECT, IN_ORDER_HELP),
    NEGOTIATED("MaxConnections", model_get_max_connections),
    NEGOTIATED("InitialR2T", model_get_initial_r2t),
    NEGOTIATED("ImmediateData", model_get_immediate_data),
    NEGOTIATED("MaxBurstLength", model_get_max_burst),
    NEGOTIATED("FirstBurstLength", model_get_first_burst),
    NEGOTIATED("DefaultTime2Wait", model_get_time2wait),
    NEGOTIATED("DefaultTime2Retain", model_get_time2retain),
    NEGOTIATED("MaxOutstandingR2T", model_get_max_r2t),
    NEGOTIATED("DataPDUInOrder", model_get_pdu_in_order),
    NEGOTIATED("DataSequenceInOrder", model_get_sequence_in_order),
    NEGOTIATED("ErrorRecoveryLevel", model_get_recovery_level),
    SHOWN("", "info", MODEL_TEXT, "The sessions of this initiator with their negotiated values.",
	  model_get_sessions),
};
#undef KIND

#define KIND MODEL_LUN
static const struct model_attribute lun_table[] = {
    BOOL("", "acl_only", "0", MODEL_OURS | MODEL_RESTRICTS | MODEL_VISITS_LOOPS,
	 "Whether only initiators whose ACL maps the LUN see it.", .apply = model_apply_acl_only),
    BOOL("", "write_protect", "0", MODEL_OURS | MODEL_RESTRICTS | MODEL_VISITS_LOOPS,
	 "Whether initiators without an ACL cannot write to the LUN, even if demo_mode_write_protect is 0.",
	 .apply = model_apply_write_protect),
    TEXT("", "alias", 255, MODEL_NO_EFFECT, "A name for the administrator's own use; it has no effect."),
};
#undef KIND

#define KIND MODEL_MAPPED_LUN
static const struct model_attribute mapped_lun_table[] = {
    BOOL("", "write_protect", "0", MODEL_VISITS_LOOPS, "Whether this initiator cannot write to the LUN.",
	 .apply = model_apply_write_protect),
    TEXT("", "alias", 255, MODEL_NO_EFFECT, "A name for the administrator's own use; it has no effect."),
};
#undef KIND

static const struct {
	const struct model_attribute *rows;
	unsigned n;
} tables[MODEL_KINDS] = {
    [MODEL_ROOT] = {root_table, ARRAY_SIZE(root_table)},
    [MODEL_STORAGE] = {storage_table, ARRAY_SIZE(storage_table)},
    [MODEL_TPG] = {tpg_table, ARRAY_SIZE(tpg_table)},
    [MODEL_PORTAL] = {portal_table, ARRAY_SIZE(portal_table)},
    [MODEL_ACL] = {acl_table, ARRAY_SIZE(acl_table)},
    [MODEL_LUN] = {lun_table, ARRAY_SIZE(lun_table)},
    [MODEL_MAPPED_LUN] = {mapped_lun_table, ARRAY_SIZE(mapped_lun_table)},
};

unsigned model_attribute_count(enum model_kind kind)
{
	return tables[kind].n;
}

const struct model_attribute *model_attribute_at(enum model_kind kind, unsigned i)
{
	return i < tables[kind].n ? &tables[kind].rows[i] : NULL;
}

const struct model_attribute *model_attribute(enum model_kind kind, const char *group, const char *name)
{
	for (unsigned i = 0; i < tables[kind].n; i++) {
		const struct model_attribute *row = &tables[kind].rows[i];

		if (!strcmp(row->name, name) && !strcmp(row->group, group))
			return row;
	}
	return NULL;
}
