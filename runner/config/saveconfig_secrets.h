/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets of saveconfig.json. Trees and JSON values hold a placeholder in the place of each secret, and
 * the secrets themselves are in memory that core dumps do not contain and that is overwritten before it is
 * freed. Equal secrets have equal placeholders, so trees are compared without the secrets. Main thread.
 */
#ifndef CONFIG_SAVECONFIG_SECRETS_H
#define CONFIG_SAVECONFIG_SECRETS_H

#include "config/saveconfig_tree.h"

/*
 * Returns the placeholder of a secret, which is valid until config_secrets_sweep(). An empty text is not a
 * secret, and is returned unchanged.
 */
const char *config_secret_hide(const char *secret);
/*
 * Returns the secret of a placeholder, which is valid until config_secrets_sweep(), or the text itself if it
 * is not a placeholder.
 */
const char *config_secret_reveal(const char *text);
/* Returns the text of a value as it is stored in trees: a placeholder if the attribute is a secret. */
const char *config_text_in_tree(const struct model_attribute *attribute, const char *text);
/*
 * Returns a copy of JSON text in which the strings of keys that hold secrets are placeholders. The caller
 * frees it. The text is UTF-8.
 */
char *config_secrets_extract(const char *text, gsize len, gsize *hidden_len);
/* Sets full to JSON text with the secrets in the place of their placeholders. */
void config_secrets_insert(const char *text, gsize len, struct config_text *full);
/* Frees the secrets of which no tree has a placeholder. The list of trees ends with NULL. */
void config_secrets_sweep(const struct config_node *const *trees);
#endif
