/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of attributes. It says for each kind of object which attributes exist, in which group (the
 * folder of LIO's tree), of which type and range, and with which default, which is LIO's. saveconfig.json,
 * the tree, the control socket, --help and the documents are made from this table.
 */
#ifndef MODEL_ATTRIBUTE_H
#define MODEL_ATTRIBUTE_H

#include "model/model.h"

enum model_type {
	/* "0" or "1". */
	MODEL_BOOL,
	/* A decimal number from min to max. */
	MODEL_NUMBER,
	/* Text of at most max bytes without control characters. */
	MODEL_TEXT,
	/* Like MODEL_TEXT, but never shown in answers, events or the log. */
	MODEL_SECRET,
	/* "Yes" or "No". */
	MODEL_YES_NO,
	/* A list of values that RFC 7143 defines, such as "CRC32C,None"; choices has them. */
	MODEL_LIST,
};

enum model_flags {
	/* Cannot be set. It is computed by get(). */
	MODEL_READ_ONLY = 1 << 0,
	/*
	 * Can only be set while a storage object is not enabled, or before a LUN leads to it; otherwise
	 * -EBUSY, as in LIO. If the attribute has begin(), that function decides.
	 */
	MODEL_BEFORE_USE = 1 << 1,
	/* Sessions that exist keep the old value; it applies from the next login on. */
	MODEL_NEXT_LOGIN = 1 << 2,
	/* LIO has no such attribute: in saveconfig.json it stands below "tcmu_runner". */
	MODEL_OURS = 1 << 3,
	/* It is kept for other programs, and has no effect here. The documents say so. */
	MODEL_NO_EFFECT = 1 << 4,
	/* It is not part of saveconfig.json: state, statistics, commands. */
	MODEL_NOT_SAVED = 1 << 5,
	/* It limits what initiators may do: a program without it would give more access. */
	MODEL_RESTRICTS = 1 << 6,
	/*
	 * The change is answered only after every loop has passed it, so that no command under the old value
	 * is admitted later. If there is a front end, the answer may therefore come after model_set() has
	 * returned.
	 */
	MODEL_VISITS_LOOPS = 1 << 7,
	/* It concerns speed and time limits only: without its value no initiator gets more access. */
	MODEL_TUNES = 1 << 8,
};

struct model_attribute {
	enum model_kind kind;
	/* "attrib", "auth", "param", "control", "info", ... */
	const char *group;
	const char *name;
	enum model_type type;
	uint64_t min, max;
	/* The default, as text. */
	const char *fallback;
	unsigned flags;
	/* One sentence for the documents and --help. */
	const char *help;
	/* MODEL_LIST: the values that may be part of the list, separated by commas. */
	const char *choices;
	/*
	 * MODEL_BOOL and MODEL_NUMBER: a further text that can be set. It takes the value back, as if it had
	 * never been set, where this is not the same as any value. NULL: there is none.
	 */
	const char *unset;
	/*
	 * Checks what the type, min and max cannot express. Returns 0, or -EINVAL with error set, whose text
	 * has no secret. NULL: there is nothing more to check. Any thread.
	 */
	int (*check)(const char *text, struct error *error);
	/*
	 * Computes the text of an attribute that can only be read, or whose value in effect may differ from
	 * the stored one; the text is cut at size. NULL: the stored value is used.
	 */
	void (*get)(const struct model_object *object, char *text, size_t size);
	/*
	 * Makes a stored value effective. Returns 0, or -errno with error set, and then the old value is
	 * restored. NULL: a stored value needs nothing more.
	 */
	int (*apply)(struct model_object *object, const struct model_attribute *attribute,
		     struct error *error);
	/*
	 * Instead of apply: makes a value effective in a way that may take long, then stores it and calls
	 * done(). The text is a value of the attribute.
	 */
	void (*begin)(struct model_object *object, const struct model_attribute *attribute, const char *text,
		      model_done *done, void *arg);
};

/* Returns the i-th attribute of a kind, in the order of the documents, or NULL after the last one. */
const struct model_attribute *model_attribute_at(enum model_kind kind, unsigned i);
/* Returns NULL if the kind has no such attribute. */
const struct model_attribute *model_attribute(enum model_kind kind, const char *group, const char *name);
/* Whether the text is a value of the attribute. Returns 0, or -EINVAL with error set. Any thread. */
int model_attribute_check(const struct model_attribute *attribute, const char *text, struct error *error);
/* Whether setting this text takes the value back. Any thread. */
bool model_attribute_unsets(const struct model_attribute *attribute, const char *text);
/* The largest text of an attribute, with its NUL. */
#define MODEL_TEXT_SIZE 4608
/*
 * Returns the value as text, in the buffer text, which has room for MODEL_TEXT_SIZE bytes. It also returns
 * secrets, so the caller decides whether it may show them.
 */
const char *model_get(const struct model_object *object, const struct model_attribute *attribute, char *text);
/* The value of a stored BOOL, YES_NO or NUMBER. */
uint64_t model_get_number(const struct model_object *object, const struct model_attribute *attribute);
/*
 * Whether sessions of the TPG wait for each R2T of a long WRITE before they get the next one, because of its
 * login parameters, as with LIO's defaults.
 */
bool model_tpg_is_slow(const struct model_object *tpg);
/* Whether the value differs from the default. */
bool model_is_set(const struct model_object *object, const struct model_attribute *attribute);
#endif
