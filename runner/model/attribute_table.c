/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of attributes, kind by kind. A row is all that a new attribute needs: every interface shows it
 * then. Names, ranges and defaults are LIO's wherever LIO has the attribute. What a change makes effective
 * is in values.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/apply.h"
#include "model/private.h"
#include "util/bytes.h"

/* The last arguments are the help and, if the row has more fields, these. */
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
#define YES_NO(name, fallback, help) ROW("param", name, MODEL_YES_NO, 0, 1, fallback, MODEL_NO_EFFECT, help)
#define LIST(name, fallback, values, help) \
	ROW("param", name, MODEL_LIST, 0, 64, fallback, MODEL_NO_EFFECT, help, .choices = values)
#define SHOWN(group, name, type, help, function) \
	ROW(group, name, type, 0, UINT64_MAX, "", MODEL_READ_ONLY | MODEL_NOT_SAVED, help, .get = function)
/* A value that other programs write and read, such as targetcli, and that has no meaning here. */
#define KEPT_HELP "Kept for other programs; it has no effect."
#define KEPT(group, name, min, max, fallback) \
	ROW(group, name, MODEL_NUMBER, min, max, fallback, MODEL_NO_EFFECT, KEPT_HELP)
#define KEPT_TEXT(group, name, fallback) \
	ROW(group, name, MODEL_TEXT, 0, 64, fallback, MODEL_NO_EFFECT, KEPT_HELP)

#define KIND MODEL_ROOT
static const struct model_attribute root_table[] = {
    BOOL("discovery_auth", "enforce_discovery_auth", "0", MODEL_NEXT_LOGIN,
	 "Discovery sessions must authenticate with the accounts of this group."),
    TEXT("discovery_auth", "userid", 255, MODEL_NEXT_LOGIN,
	 "The name of initiators in discovery sessions (CHAP_N)."),
    SECRET("discovery_auth", "password", "The secret of initiators in discovery sessions."),
    TEXT("discovery_auth", "userid_mutual", 255, MODEL_NEXT_LOGIN,
	 "The name of the target in discovery sessions."),
    SECRET("discovery_auth", "password_mutual", "The secret of the target in discovery sessions."),
};
#undef KIND

#define KIND MODEL_STORAGE
static const struct model_attribute storage_table[] = {
    TEXT(
	"control", "config", MODEL_TEXT_SIZE - 1, MODEL_BEFORE_USE,
	"Which storage is served: HANDLER/CONFIG, then ;KEY=VALUE for options and ;filter=NAME for filters."),
    NUMBER("control", "size", 0, INT64_MAX, "0", 0, "Bytes; 0: as large as the storage is.",
	   .apply = model_apply_size),
    NUMBER("control", "block_size", 0, 4096, "0", MODEL_BEFORE_USE,
	   "Bytes of a logical block; 0: as the handler chooses.", .apply = model_apply_block_size),
    BOOL("control", "read_only", "0", MODEL_BEFORE_USE | MODEL_OURS, "Nobody can write to the disk."),
    BOOL("control", "create", "1", MODEL_BEFORE_USE | MODEL_OURS,
	 "Storage that is missing and has never been served is created."),
    BOOL("control", "exact_size", "0", MODEL_BEFORE_USE | MODEL_OURS,
	 "Storage that is larger than size is refused; otherwise its first bytes are served."),
    TEXT("control", "folder", MODEL_TEXT_SIZE - 1, MODEL_BEFORE_USE | MODEL_OURS,
	 "Where relative paths begin; empty: the state folder."),
    NUMBER("control", "max_sectors", 0, 65536, "0", MODEL_BEFORE_USE,
	   "Largest transfer of one command, in units of 512 bytes; 0: 16 MiB."),
    NUMBER("attrib", "time_limit", 0, 86400, "0", MODEL_BEFORE_USE | MODEL_OURS,
	   "Seconds until a command that hangs in the storage ends with an error; 0: no limit."),
    BOOL("attrib", "emulate_write_cache", "0", 0,
	 "The disk has a volatile write cache (WCE); by default, as the storage says.",
	 .apply = model_apply_write_cache),
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
    SHOWN("attrib", "hw_block_size", MODEL_NUMBER, "Bytes of a logical block.", model_get_block_size),
    SHOWN("attrib", "block_size", MODEL_NUMBER, "Bytes of a logical block.", model_get_block_size),
    SHOWN("attrib", "dev_size", MODEL_NUMBER, "Bytes of the disk.", model_get_size),
    SHOWN("attrib", "dev_config", MODEL_TEXT, "The same as control/config.", model_get_config),
    SHOWN("attrib", "hw_max_sectors", MODEL_NUMBER, "Largest transfer of one command, in units of 512 bytes.",
	  model_get_max_sectors),
    TEXT("wwn", "vpd_unit_serial", 223, 0, "The unit serial number; empty: chosen when the disk is enabled.",
	 .apply = model_apply_serial),
    TEXT("wwn", "vendor_id", 8, MODEL_BEFORE_USE, "T10 vendor identification in INQUIRY; empty: LIO-ORG."),
    TEXT("wwn", "product_id", 16, MODEL_BEFORE_USE, "Product identification in INQUIRY; empty: TCMU device."),
    TEXT("wwn", "revision", 4, MODEL_BEFORE_USE, "Product revision level in INQUIRY; empty: 0002."),
    SHOWN("health", "state", MODEL_TEXT, "configured, opening, served, failed, contents lost or removing.",
	  model_get_state),
    SHOWN("health", "serial", MODEL_TEXT, "The unit serial number that initiators see.", model_get_serial),
    SHOWN("health", "options", MODEL_TEXT, "The options of the storage that are in effect.",
	  model_get_options),
    SHOWN("health", "last_error", MODEL_TEXT, "The last error of the storage.", model_get_last_error),
    SHOWN("health", "last_error_time", MODEL_NUMBER, "When that was, in seconds since 1970; 0: never.",
	  model_get_last_error_time),
    SHOWN("health", "sense_keys", MODEL_TEXT,
	  "Commands that ended with CHECK CONDITION: KEY=COUNT, by sense key.", model_get_sense_keys),
    SHOWN("statistics", "reads", MODEL_NUMBER, "READ commands.", model_get_reads),
    SHOWN("statistics", "writes", MODEL_NUMBER, "WRITE commands.", model_get_writes),
    SHOWN("statistics", "read_bytes", MODEL_NUMBER, "Bytes that were read.", model_get_read_bytes),
    SHOWN("statistics", "write_bytes", MODEL_NUMBER, "Bytes that were written.", model_get_write_bytes),
    SHOWN("statistics", "errors", MODEL_NUMBER, "I/O that ended with an error.", model_get_errors),
};
#undef KIND

#define KIND MODEL_TPG
static const struct model_attribute tpg_table[] = {
    BOOL("attrib", "authentication", "0", MODEL_NEXT_LOGIN, "Initiators must authenticate with CHAP."),
    BOOL("attrib", "generate_node_acls", "0", MODEL_NEXT_LOGIN,
	 "Initiators without an ACL may log in, and see all LUNs of the TPG."),
    BOOL("attrib", "demo_mode_write_protect", "1", MODEL_VISITS_LOOPS,
	 "Initiators without an ACL may not write.", .apply = model_apply_demo_write_protect),
    BOOL("attrib", "demo_mode_discovery", "1", 0,
	 "Discovery shows the target also to initiators that have no ACL and may not log in."),
    BOOL("attrib", "tpg_enabled_sendtargets", "1", 0,
	 "Discovery does not show the target while this TPG is disabled."),
    NUMBER("attrib", "default_cmdsn_depth", 1, 4096, "64", MODEL_NEXT_LOGIN,
	   "Commands that a session may have outstanding, unless its ACL says something else."),
    NUMBER("attrib", "login_timeout", 5, 30, "15", MODEL_NO_EFFECT,
	   "Seconds that a login may take; the option --login-timeout sets it for all targets."),
    BOOL("attrib", "prod_mode_write_protect", "0", MODEL_NO_EFFECT,
	 "Kept for other programs; the attribute write_protect of a mapped LUN says who may write."),
    KEPT("attrib", "cache_dynamic_acls", 0, 1, "0"),
    KEPT("attrib", "default_erl", 0, 2, "0"),
    KEPT("attrib", "fabric_prot_type", 0, 3, "0"),
    KEPT("attrib", "login_keys_workaround", 0, 1, "1"),
    KEPT("attrib", "netif_timeout", 2, 15, "2"),
    KEPT("attrib", "t10_pi", 0, 1, "0"),
    BOOL("attrib", "reveal_target", "0", MODEL_OURS,
	 "An initiator that may not log in learns from the login status that the target exists."),
    BOOL("attrib", "allow_cold_reset", "0", MODEL_OURS | MODEL_NEXT_LOGIN,
	 "An initiator may end the sessions of all initiators by TARGET COLD RESET."),
    TEXT("attrib", "allowed_addresses", 4000, MODEL_OURS | MODEL_RESTRICTS,
	 "Address prefixes, separated by commas, from which initiators may log in; empty: all.",
	 .apply = model_apply_addresses),
    TEXT("attrib", "denied_addresses", 4000, MODEL_OURS | MODEL_RESTRICTS,
	 "Address prefixes from which no initiator may log in.", .apply = model_apply_addresses),
    NUMBER("", "rtpi", 1, 65535, "1", MODEL_OURS,
	   "The relative target port identifier; no two TPGs have the same.", .apply = model_apply_rtpi),
    TEXT("auth", "userid", 255, MODEL_NEXT_LOGIN, "The name of initiators without an ACL (CHAP_N)."),
    SECRET("auth", "password", "The secret of initiators without an ACL."),
    TEXT("auth", "userid_mutual", 255, MODEL_NEXT_LOGIN,
	 "The name of the target towards initiators without an ACL."),
    SECRET("auth", "password_mutual", "The secret of the target towards initiators without an ACL."),
    SHOWN("auth", "authenticate_target", MODEL_BOOL, "Whether the target must authenticate, too.",
	  model_get_authenticate_target),
    LIST("AuthMethod", "CHAP,None", "CHAP,None", "Kept for other programs; attrib/authentication decides."),
    LIST("HeaderDigest", "CRC32C,None", "CRC32C,None", "Kept for other programs: the daemon accepts both."),
    LIST("DataDigest", "CRC32C,None", "CRC32C,None", "Kept for other programs: the daemon accepts both."),
    ROW("param", "TargetAlias", MODEL_TEXT, 0, 255, "LIO Target", MODEL_NEXT_LOGIN,
	"The alias that initiators see."),
    YES_NO("InitialR2T", "Yes", "Kept for other programs: the daemon accepts what the initiator wants."),
    YES_NO("ImmediateData", "Yes", "Kept for other programs: the daemon accepts what the initiator wants."),
    YES_NO("DataPDUInOrder", "Yes", "Kept for other programs: always Yes."),
    YES_NO("DataSequenceInOrder", "Yes", "Kept for other programs: always Yes."),
    YES_NO("IFMarker", "No", "Kept for other programs: always No."),
    YES_NO("OFMarker", "No", "Kept for other programs: always No."),
    KEPT("param", "MaxConnections", 1, 65535, "1"),
    KEPT("param", "MaxRecvDataSegmentLength", 512, 16777215, "8192"),
    KEPT("param", "MaxXmitDataSegmentLength", 512, 16777215, "262144"),
    KEPT("param", "MaxBurstLength", 512, 16777215, "262144"),
    KEPT("param", "FirstBurstLength", 512, 16777215, "65536"),
    KEPT("param", "DefaultTime2Wait", 0, 3600, "2"),
    KEPT("param", "DefaultTime2Retain", 0, 3600, "20"),
    KEPT("param", "MaxOutstandingR2T", 1, 65535, "1"),
    KEPT("param", "ErrorRecoveryLevel", 0, 2, "0"),
    KEPT_TEXT("param", "IFMarkInt", "Reject"),
    KEPT_TEXT("param", "OFMarkInt", "Reject"),
    SHOWN("", "dynamic_sessions", MODEL_TEXT,
	  "Initiators that are logged in without an ACL, one on each line.", model_get_dynamic_sessions),
};
#undef KIND

#define KIND MODEL_PORTAL
static const struct model_attribute portal_table[] = {
    TEXT("", "advertise", 279, MODEL_OURS,
	 "HOST:PORT that discovery shows instead of the address, where a router or a container translates "
	 "addresses.",
	 .apply = model_apply_advertise),
    KEPT("", "iser", 0, 1, "0"),
    KEPT("", "cxgbit", 0, 1, "0"),
};
#undef KIND

#define KIND MODEL_ACL
static const struct model_attribute acl_table[] = {
    ROW("attrib", "authentication", MODEL_TEXT, 0, 2, "-1", MODEL_NEXT_LOGIN,
	"1: this initiator must authenticate with CHAP; 0: it need not; -1: as the TPG says.",
	.apply = model_apply_inherited),
    NUMBER("", "cmdsn_depth", 1, 4096, "64", MODEL_NEXT_LOGIN,
	   "Commands that a session of this initiator may have outstanding."),
    TEXT("", "tag", 255, MODEL_NO_EFFECT, "A tag of the administrator's own."),
    TEXT("auth", "userid", 255, MODEL_NEXT_LOGIN, "The name of this initiator (CHAP_N)."),
    SECRET("auth", "password", "The secret of this initiator."),
    TEXT("auth", "userid_mutual", 255, MODEL_NEXT_LOGIN, "The name of the target towards this initiator."),
    SECRET("auth", "password_mutual", "The secret of the target towards this initiator."),
    SHOWN("auth", "authenticate_target", MODEL_BOOL, "Whether the target must authenticate, too.",
	  model_get_authenticate_target),
    KEPT("attrib", "dataout_timeout", 2, 60, "3"),
    KEPT("attrib", "dataout_timeout_retries", 1, 15, "5"),
    KEPT("attrib", "default_erl", 0, 2, "0"),
    KEPT("attrib", "nopin_response_timeout", 3, 60, "30"),
    KEPT("attrib", "nopin_timeout", 0, 60, "15"),
    KEPT("attrib", "random_datain_pdu_offsets", 0, 1, "0"),
    KEPT("attrib", "random_datain_seq_offsets", 0, 1, "0"),
    KEPT("attrib", "random_r2t_offsets", 0, 1, "0"),
    SHOWN("", "info", MODEL_TEXT, "The sessions of this initiator with their negotiated values.",
	  model_get_sessions),
};
#undef KIND

#define KIND MODEL_LUN
static const struct model_attribute lun_table[] = {
    BOOL("", "acl_only", "0", MODEL_OURS | MODEL_RESTRICTS | MODEL_VISITS_LOOPS,
	 "Only initiators whose ACL maps the LUN see it.", .apply = model_apply_acl_only),
    BOOL("", "write_protect", "0", MODEL_OURS | MODEL_RESTRICTS | MODEL_VISITS_LOOPS,
	 "Initiators without an ACL may not write to the LUN, whatever demo_mode_write_protect says.",
	 .apply = model_apply_write_protect),
    TEXT("", "alias", 255, MODEL_NO_EFFECT, "A name for the administrator's own use."),
};
#undef KIND

#define KIND MODEL_MAPPED_LUN
static const struct model_attribute mapped_lun_table[] = {
    BOOL("", "write_protect", "0", MODEL_VISITS_LOOPS, "This initiator may not write to the LUN.",
	 .apply = model_apply_write_protect),
    TEXT("", "alias", 255, MODEL_NO_EFFECT, "A name for the administrator's own use."),
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
