/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The functions that rows of the table of attributes refer to: they check a text, make a value effective, or
 * compute a value.
 */
#ifndef MODEL_APPLY_H
#define MODEL_APPLY_H

#include "model/attribute.h"

/* --- apply.c, dynamic.c: make a stored value effective, as model_attribute.apply */
typedef int model_apply(struct model_object *object, const struct model_attribute *attribute,
			struct error *error);
model_apply model_apply_size, model_apply_write_cache, model_apply_demo_write_protect, model_apply_rtpi;
model_apply model_apply_write_protect, model_apply_acl_only, model_apply_secret, model_apply_one_value,
    model_apply_authentication, model_apply_cache_dynamic;

/* --- store a value and make it effective, without blocking, as model_attribute.begin */
void model_begin_config(struct model_object *object, const struct model_attribute *attribute,
			const char *text, model_done *done, void *arg);
void model_begin_serial(struct model_object *object, const struct model_attribute *attribute,
			const char *text, model_done *done, void *arg);

/* --- apply.c: check a text before it is stored, as model_attribute.check */
typedef int model_check(const char *text, struct error *error);
model_check model_check_block_size, model_check_inherited, model_check_advertise;

/* --- show.c: return the text of a value, as model_attribute.get */
typedef void model_show(const struct model_object *object, char *text, size_t size);
model_show model_get_block_size, model_get_size, model_get_config, model_get_max_sectors;
model_show model_get_state, model_get_serial, model_get_options, model_get_write_cache;
model_show model_get_last_error, model_get_last_error_time, model_get_sense_keys, model_get_problem;
model_show model_get_reads, model_get_writes, model_get_read_bytes, model_get_write_bytes, model_get_errors;
model_show model_get_cmdsn_depth, model_get_authenticate_target, model_get_dynamic_sessions,
    model_get_sessions;
model_show model_get_max_connections, model_get_initial_r2t, model_get_immediate_data, model_get_max_burst;
model_show model_get_first_burst, model_get_time2wait, model_get_time2retain, model_get_max_r2t;
model_show model_get_pdu_in_order, model_get_sequence_in_order, model_get_recovery_level;
#endif
