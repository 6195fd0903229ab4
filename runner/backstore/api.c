/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of <tcmur/handler.h> that need only a few lines. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backstore/private.h"
#include "util/log.h"
#include "util/size.h"

_Static_assert((int)TCMUR_LOG_ERROR == (int)LOG_LEVEL_ERROR && (int)TCMUR_LOG_WARN == (int)LOG_LEVEL_WARN &&
		   (int)TCMUR_LOG_INFO == (int)LOG_LEVEL_INFO && (int)TCMUR_LOG_DEBUG == (int)LOG_LEVEL_DEBUG,
	       "levels have the same numbers");

enum tcmur_status tcmur_status_from_errno(int err, bool write)
{
	switch (abs(err)) {
	case 0:
		return TCMUR_OK;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return TCMUR_NO_SPACE;
	case EROFS:
		return TCMUR_WRITE_PROTECTED;
	case EPERM: /* The file is sealed or immutable. */
	case EACCES:
		return write ? TCMUR_WRITE_PROTECTED : TCMUR_READ_ERROR;
	case ENODEV:
	case ENXIO:
	case ENOMEDIUM:
	case ENOTCONN:
	case ESHUTDOWN:
		return TCMUR_NOT_READY;
	case ENOMEM:
	case EAGAIN:
	case ENOBUFS:
		return TCMUR_NO_RESOURCE;
	case EBUSY:
		return TCMUR_BUSY;
	case ETIMEDOUT:
		return TCMUR_TIMEOUT;
	case EINTR:
	case ECANCELED:
		return TCMUR_ABORTED;
	case EBADE: /* The block layer reports a reservation conflict with this error. */
		return TCMUR_CONFLICT;
	case EOPNOTSUPP:
	case ENOSYS:
		return TCMUR_NOT_SUPPORTED;
	default:
		return write ? TCMUR_WRITE_ERROR : TCMUR_READ_ERROR;
	}
}

int tcmur_open_error(struct tcmur_open *open, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(open->error, sizeof(open->error), format, args);
	va_end(args);
	return -abs(err);
}

const char *tcmur_open_option(const struct tcmur_open *open, const char *name, const char *fallback)
{
	for (uint32_t i = 0; i < open->noptions; i++)
		if (!strcmp(open->options[i].name, name))
			return open->options[i].value;
	return fallback;
}

int tcmur_parse_size(const char *text, uint64_t *bytes)
{
	return size_parse(text, bytes);
}

int tcmur_open_memory(struct tcmur_open *open, uint64_t size, bool *found)
{
	const struct backstore *bs = (const struct backstore *)open->lun;

	return bs->keeper ? bs->keeper->memory(bs->keeper->arg, size, found) : -EOPNOTSUPP;
}

void *tcmur_open_replaced(const struct tcmur_open *open)
{
	const struct backstore *bs = (const struct backstore *)open->lun;

	return bs->replaced && bs->replaced->handler == bs->handler ? bs->replaced->handle : NULL;
}

void tcmur_lun_written(struct tcmur_lun *lun)
{
	const struct backstore *bs = (const struct backstore *)lun;

	if (bs->keeper)
		bs->keeper->written(bs->keeper->arg);
}

void tcmur_lun_changed(struct tcmur_lun *lun)
{
	backstore_refresh((struct backstore *)lun);
}

void tcmur_log(struct tcmur_lun *lun, enum tcmur_log_level level, const char *format, ...)
{
	const struct backstore *bs = (const struct backstore *)lun;
	char line[512];
	va_list args;

	if (!log_shows((enum log_level)level))
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	log_write((enum log_level)level, bs ? bs->name : NULL, "%s", line);
}
