/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notices changes of a file while it is served: it grows, it is shortened, or its path leads to another file.
 * If the file grows, the disk grows as well. If the file is shortened, the disk keeps its size: I/O past the
 * end of the file fails, and succeeds again when the file has its previous size.
 */
#include "file.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>

static void warn_once(struct file *file, uint64_t size)
{
	uint64_t served = atomic_load_explicit(&file->served, memory_order_relaxed);

	if (!atomic_exchange_explicit(&file->is_short, true, memory_order_relaxed))
		tcmur_log(file->lun, TCMUR_LOG_WARN,
			  "%s has been shortened to %" PRIu64 " bytes, but %" PRIu64
			  " bytes are served: commands beyond its "
			  "end fail until the file has its old size again",
			  file->path, size, served);
}

void file_note_end(const struct fdio *fdio, uint64_t size)
{
	warn_once((struct file *)fdio, size); /* fdio is the first member of struct file. */
}

bool file_reaches(const struct fdio *fdio, uint64_t end)
{
	return tail_reaches(&((const struct file *)fdio)->tail, end);
}

static void compare_size(struct file *file, uint64_t size)
{
	uint64_t served = atomic_load_explicit(&file->served, memory_order_relaxed);

	if (size < served)
		warn_once(file, size);
	else if (atomic_exchange_explicit(&file->is_short, false, memory_order_relaxed))
		tcmur_log(file->lun, TCMUR_LOG_INFO, "%s has %" PRIu64 " bytes again", file->path, size);
	if (size > served)
		atomic_store_explicit(&file->served, size, memory_order_relaxed);
}

static void compare_path(struct file *file, const struct stat *open)
{
	struct stat now;
	int err = stat(file->path, &now) < 0 ? errno : 0;
	bool is_replaced =
	    err == ENOENT || (!err && (now.st_dev != open->st_dev || now.st_ino != open->st_ino));
	bool was_replaced;

	if (err && err != ENOENT)
		return; /* Nothing is known about the file at this path. */
	was_replaced = atomic_exchange_explicit(&file->is_replaced, is_replaced, memory_order_relaxed);
	if (is_replaced && !was_replaced)
		tcmur_log(file->lun, TCMUR_LOG_WARN,
			  "%s has been %s, and the old file is still served: what is written to it is lost "
			  "when the daemon closes it. Restart the daemon to serve %s",
			  file->path, err ? "deleted" : "replaced", err ? "another file" : "the new file");
	else if (was_replaced && !is_replaced)
		tcmur_log(file->lun, TCMUR_LOG_INFO, "%s is again the file that is served", file->path);
}

int file_refresh(void *handle, struct tcmur_info *info)
{
	struct file *file = handle;
	struct stat st;

	if (fstat(file->fdio.fd, &st) < 0)
		return -errno;
	compare_size(file, (uint64_t)st.st_size);
	compare_path(file, &st);
	tail_refresh(&file->tail);
	*info = file->info;
	info->size = atomic_load_explicit(&file->served, memory_order_relaxed);
	info->flags |=
	    (atomic_load_explicit(&file->is_short, memory_order_relaxed) ? TCMUR_INFO_SHORT : 0) |
	    (atomic_load_explicit(&file->is_replaced, memory_order_relaxed) ? TCMUR_INFO_REPLACED : 0);
	return 0;
}
