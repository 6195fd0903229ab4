/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions for single attributes. The functions model_apply_*() make a new value effective. They are called
 * after the value was stored; if one fails, the previous value is restored. The functions model_check_*() are
 * called before, and check whether a text is a valid value.
 */
#include "model/apply.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/portal.h"
#include "model/private.h"
#include "util/log.h"

/* --- checks --- */

int model_check_block_size(const char *text, struct error *error)
{
	uint64_t size = strtoull(text, NULL, 10);

	if (size && (size < 512 || size & (size - 1)))
		return error_set(error, EINVAL, "it must be 0, 512, 1024, 2048 or 4096 bytes, and not %u",
				 (unsigned)size);
	return 0;
}

int model_check_inherited(const char *text, struct error *error)
{
	if (!strcmp(text, "-1") || !strcmp(text, "0") || !strcmp(text, "1"))
		return 0;
	return error_set(error, EINVAL, "it must be 0, 1 or -1, and not '%s'", text);
}

int model_check_advertise(const char *text, struct error *error)
{
	if (!*text || model_public_address_valid(text))
		return 0;
	return error_set(error, EINVAL,
			 "the advertised address has the form HOST:PORT, for example san.example.com:3260");
}

/* --- storage objects --- */

int model_apply_size(struct model_object *object, const struct model_attribute *attribute,
		     struct error *error)
{
	(void)attribute;
	return object->enabled ? model_refuse(error, object, EBUSY, "it is enabled; use the operation resize")
			       : 0;
}

int model_apply_write_cache(struct model_object *object, const struct model_attribute *attribute,
			    struct error *error)
{
	if (!object->served)
		return 0;
	struct scsi_lu *lu = storage_lu_scsi(object->served);
	bool on = model_is_set(object, attribute) ? model_get_number(object, attribute)
						  : scsi_lu_has_write_cache(lu);
	int err = scsi_lu_set_write_cache(lu, on);

	return err ? model_refuse(error, object, EINVAL,
				  "its storage has no write cache that could be switched on")
		   : 0;
}

/* --- TPGs --- */

int model_apply_demo_write_protect(struct model_object *tpg, const struct model_attribute *attribute,
				   struct error *error)
{
	(void)attribute, (void)error;
	for (struct model_object *lun = model_first(tpg, MODEL_LUN); lun; lun = model_next(lun))
		model_mapping_protect(lun);
	return 0;
}

int model_apply_rtpi(struct model_object *tpg, const struct model_attribute *attribute, struct error *error)
{
	if (tpg->enabled)
		return model_refuse(error, tpg, EBUSY, "it is enabled; disable it before its %s is changed",
				    attribute->name);
	return model_tpg_set_port(tpg, (unsigned)model_get_number(tpg, attribute), error);
}

/*
 * As in LIO, authentication=0 means that initiators need not authenticate. While authentication was 1,
 * AuthMethod may have lost the value None. This function adds None again.
 */
int model_apply_authentication(struct model_object *tpg, const struct model_attribute *attribute,
			       struct error *error)
{
	const struct model_attribute *method = model_known(MODEL_A_AUTH_METHOD);
	char text[MODEL_TEXT_SIZE];

	if (model_get_number(tpg, attribute) || model_get_number(tpg, method) & MODEL_AUTH_NONE)
		return 0;
	model_get(tpg, method, text);
	strcat(text, ",None");
	return model_value_store(tpg, method, text) ? model_refuse(error, tpg, ENOMEM, "there is no memory")
						    : 0;
}

/*
 * If both directions used the same secret, an attacker could let the target answer its own challenge (RFC
 * 7143 9.2.1).
 */
int model_apply_secret(struct model_object *object, const struct model_attribute *attribute,
		       struct error *error)
{
	const struct model_attribute *secret = model_attribute(object->kind, attribute->group, "password");
	const struct model_attribute *mutual =
	    model_attribute(object->kind, attribute->group, "password_mutual");

	if (model_is_set(object, secret) && !strcmp(model_text(object, secret), model_text(object, mutual)) &&
	    *model_text(object, secret))
		return model_refuse(error, object, EINVAL,
				    "the CHAP secrets of the two directions must differ");
	return 0;
}

/*
 * A file that was written for LIO may demand more than this daemon supports. The value is kept, and sessions
 * use the only supported value.
 */
int model_apply_one_value(struct model_object *object, const struct model_attribute *attribute,
			  struct error *error)
{
	char text[MODEL_TEXT_SIZE], path[MODEL_PATH_SIZE];

	(void)error;
	if (strcmp(model_get(object, attribute, text), attribute->fallback))
		log_warn(model_path(object, path),
			 "%s %s is kept for LIO and has no effect: sessions with this daemon have %s",
			 attribute->name, text, attribute->fallback);
	return 0;
}

/* --- LUNs and mapped LUNs --- */

int model_apply_write_protect(struct model_object *lun, const struct model_attribute *attribute,
			      struct error *error)
{
	(void)attribute, (void)error;
	model_mapping_protect(lun);
	return 0;
}

int model_apply_acl_only(struct model_object *lun, const struct model_attribute *attribute,
			 struct error *error)
{
	(void)attribute;
	return model_mapping_refresh(lun) ? model_refuse(error, lun, ENOMEM, "there is no memory") : 0;
}
