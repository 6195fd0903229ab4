/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of attributes. It says for each kind of object which attributes exist, in which group (the folder
 * of LIO's tree), of which type and range, and with which default. If LIO has the attribute, the default is
 * LIO's. saveconfig.json, the tree, the control socket, --help and the documents are all made from this
 * table.
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
	/*
	 * A list of values that RFC 7143 defines, such as "CRC32C,None". The member choices lists all of
	 * them.
	 */
	MODEL_LIST,
};

enum model_flags {
	/* The attribute cannot be set. The function get() computes its value. */
	MODEL_READ_ONLY = 1 << 0,
	/*
	 * The attribute can only be set while a storage object is not enabled, or before a LUN leads to it;
	 * otherwise setting it fails with -EBUSY, as in LIO. If the attribute has begin(), that function
	 * decides instead.
	 */
	MODEL_BEFORE_USE = 1 << 1,
	/* Existing sessions keep the previous value. The new value applies from the next login on. */
	MODEL_NEXT_LOGIN = 1 << 2,
	/* LIO has no such attribute. In saveconfig.json it is under the key "tcmu_runner". */
	MODEL_OURS = 1 << 3,
	/* The value is kept for other programs and has no effect here. The documents say so. */
	MODEL_NO_EFFECT = 1 << 4,
	/* The attribute is not a part of saveconfig.json, because it is a state or a statistic. */
	MODEL_NOT_SAVED = 1 << 5,
	/*
	 * The attribute limits what initiators may do. A program that does not have this attribute would give
	 * more access.
	 */
	MODEL_RESTRICTS = 1 << 6,
	/*
	 * The change is answered only after every loop has applied it, so that no command is admitted under
	 * the previous value afterwards. If there is a front end, the answer may therefore come after
	 * model_set() has returned.
	 */
	MODEL_VISITS_LOOPS = 1 << 7,
	/*
	 * The attribute concerns only speed and time limits. Without its value, no initiator gets more
	 * access.
	 */
	MODEL_TUNES = 1 << 8,
};

struct model_attribute {
	enum model_kind kind;
	/* The group, for example "attrib", "auth", "param" or "control". */
	const char *group;
	const char *name;
	enum model_type type;
	uint64_t min, max;
	/* The default, as text. */
	const char *fallback;
	unsigned flags;
	/* One sentence for the documents and --help. */
	const char *help;
	/* For MODEL_LIST: the values that the list may contain, separated by commas. */
	const char *choices;
	/*
	 * For MODEL_BOOL and MODEL_NUMBER: a further text that can be set, or NULL. After it was set, the
	 * attribute counts as never set, which has another effect than each of its values.
	 */
	const char *unset;
	/*
	 * Checks what type, min and max cannot express. Returns 0, or -EINVAL with error set, whose text
	 * contains no secret. NULL means that nothing more has to be checked. Any thread.
	 */
	int (*check)(const char *text, struct error *error);
	/*
	 * Returns the text of an attribute that is read-only, or whose effective value may differ from the
	 * stored one. The text is cut at size. NULL means that the stored value is used.
	 */
	void (*get)(const struct model_object *object, char *text, size_t size);
	/*
	 * Makes a stored value effective. Returns 0, or -errno with error set; in this case the previous
	 * value is restored. NULL means that storing the value is enough.
	 */
	int (*apply)(struct model_object *object, const struct model_attribute *attribute,
		     struct error *error);
	/*
	 * Used in place of apply() if making the value effective may take long. Stores the value when it is
	 * effective, and calls done(). The text is a valid value of the attribute.
	 */
	void (*begin)(struct model_object *object, const struct model_attribute *attribute, const char *text,
		      model_done *done, void *arg);
};

/* Returns the i-th attribute of a kind, in the order of the documents, or NULL after the last one. */
const struct model_attribute *model_attribute_at(enum model_kind kind, unsigned i);
/* Returns the attribute, or NULL if the kind has no such attribute. */
const struct model_attribute *model_attribute(enum model_kind kind, const char *group, const char *name);
/*
 * Checks whether the text is a valid value of the attribute. Returns 0, or -EINVAL with error set. Any
 * thread.
 */
int model_attribute_check(const struct model_attribute *attribute, const char *text, struct error *error);
/* Returns whether this is the text with which the attribute counts as never set. Any thread. */
bool model_attribute_unsets(const struct model_attribute *attribute, const char *text);
/* The largest text of an attribute, with its NUL. */
#define MODEL_TEXT_SIZE 4608
/*
 * Returns the value as text in the buffer text, which has room for MODEL_TEXT_SIZE bytes. This function also
 * returns secrets, so the caller must decide whether it may show them.
 */
const char *model_get(const struct model_object *object, const struct model_attribute *attribute, char *text);
/* Returns the value of a stored BOOL, YES_NO or NUMBER. */
uint64_t model_get_number(const struct model_object *object, const struct model_attribute *attribute);
/*
 * Returns whether the login parameters of the TPG make a session wait for the data of each R2T of a long
 * WRITE before it gets the next R2T, as with LIO's defaults.
 */
bool model_tpg_is_slow(const struct model_object *tpg);
/* Returns whether somebody has set the value to something other than the default. */
bool model_is_set(const struct model_object *object, const struct model_attribute *attribute);
#endif
