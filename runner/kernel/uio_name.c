/* SPDX-License-Identifier: Apache-2.0 */
/* Parses the name of a UIO device: tcm-user/HBA/DEVICE/SUBTYPE/CONFIG. */
#include <string.h>

#include "kernel/uio.h"

#define PREFIX "tcm-user/"

/*
 * Copies the text up to the next '/' or the end to out. Returns the text after the '/', or NULL if the part
 * is empty or does not fit.
 */
static const char *split_part(const char *text, char *out, size_t size)
{
	size_t len = strcspn(text, "/");

	if (!len || len >= size)
		return NULL;
	memcpy(out, text, len);
	out[len] = '\0';
	return text[len] ? text + len + 1 : text + len;
}

bool tcmu_uio_name_parse(const char *text, struct tcmu_uio_name *name)
{
	if (strncmp(text, PREFIX, strlen(PREFIX)))
		return false;
	text = split_part(text + strlen(PREFIX), name->hba, sizeof(name->hba));
	if (text)
		text = split_part(text, name->device, sizeof(name->device));
	if (!text || strlen(text) >= sizeof(name->config))
		return false;
	strcpy(name->config, text);
	return split_part(text, name->handler, sizeof(name->handler));
}
