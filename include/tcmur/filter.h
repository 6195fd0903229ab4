/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter API. A filter stands between the daemon and a handler. It sees the I/O of a LUN on its way to
 * the storage and on its way back, and may delay, refuse, change or count it. Several filters of one LUN
 * form a chain. The outermost filter gets the I/O first, and the handler is the last layer.
 *
 * A filter is a shared object named filter_NAME.so in the handler path. It defines one struct tcmur_filter
 * and registers it with TCMUR_REGISTER_FILTER. The administrator puts it before the storage with
 * ";filter=NAME;KEY=VALUE...".
 *
 * The daemon splits large I/O, emulates operations that the handler lacks and takes the range lock above
 * the filters. So a filter sees what the handler would see without it: a COMPARE AND WRITE, for example,
 * arrives as a read and a write if the handler has no compare_and_write().
 *
 * An operation for which a filter has no callback goes to the next layer directly, at no cost. One
 * exception: memory that a handler lends to readers (its callback data()) is not used if a filter has
 * read(), so that the filter sees all reads.
 */
#ifndef TCMUR_FILTER_H
#define TCMUR_FILTER_H

#include <tcmur/handler.h>
#include <tcmur/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The largest number of filters of one LUN. */
#define TCMUR_FILTERS_MAX 8
/* The largest number of bytes of parameters, and of scratch space for each I/O, that a filter may ask for. */
#define TCMUR_FILTER_PARAMS_MAX  4096
#define TCMUR_FILTER_SCRATCH_MAX 1024

/* What an I/O does: one value for each data callback. */
enum tcmur_operation {
	TCMUR_OPERATION_READ,
	TCMUR_OPERATION_WRITE,
	TCMUR_OPERATION_FLUSH,
	TCMUR_OPERATION_UNMAP,
	TCMUR_OPERATION_WRITE_ZEROES,
	TCMUR_OPERATION_WRITE_SAME,
	TCMUR_OPERATION_COMPARE_AND_WRITE,
	TCMUR_OPERATION_EXTENTS,
	/* The number of operations. */
	TCMUR_OPERATIONS,
};

/*
 * A filter's place in the chain of one LUN. The daemon owns it. It is valid from open() until close() has
 * returned.
 */
struct tcmur_layer {
	/* For tcmur_log(). */
	struct tcmur_lun *lun;
	/* The properties of the storage as its handler has reported them. They do not change. */
	const struct tcmur_info *info;
	/* The filter's own pointer. It is NULL until open() sets it. */
	void *handle;
};

/*
 * A filter. Only name and summary are required. The daemon calls read() and all callbacks after it on the
 * event loop that owns the I/O, and also the functions that these callbacks pass to the daemon, such as the
 * done of tcmur_next(). None of these functions may block. Several loops may call one layer at the same time.
 */
struct tcmur_filter {
	/* TCMUR_REGISTER_FILTER sets this member and the next one. */
	uint32_t struct_size;
	uint32_t api_version;
	/* Bytes of scratch space for each I/O, at most TCMUR_FILTER_SCRATCH_MAX; may be 0. */
	uint32_t io_size;
	/* Bytes of parameters, at most TCMUR_FILTER_PARAMS_MAX; may be 0. See set(). */
	uint32_t params_size;

	/* Required. The text after "filter=": characters of [a-z0-9_]. */
	const char *name;
	/* Required. One line. */
	const char *summary;
	/* Optional. The last element has a NULL name. */
	const struct tcmur_option *options;

	/*
	 * Required if there are options; any thread. Writes the value of one option into params. The daemon
	 * zeroes params_size bytes, and calls this function once for each option that the administrator has
	 * given, in their order. To change an option while the disk is in use, the daemon does the same with
	 * other memory, which then replaces the old parameters. So set() must touch nothing but params, and
	 * I/O never sees half of a change. Returns 0, or -EINVAL with reason: a text that follows "KEY=VALUE:
	 * " and says what is wrong and what would be right.
	 */
	int (*set)(void *params, const char *name, const char *value, char *reason, size_t reason_len);

	/*
	 * Optional, pool thread, may block. The handler is open, and so are the filters that are nearer to
	 * it. Returns 0, or -errno with error: one line that says what failed and why.
	 */
	int (*open)(struct tcmur_layer *layer, char *error, size_t error_len);
	/* Optional, pool thread, may block. No I/O is in flight and none follows. */
	void (*close)(struct tcmur_layer *layer);

	/*
	 * Data callbacks. The I/O is the one that the handler would get. Each callback either ends the I/O
	 * with one tcmur_io_complete(), now or later and from any thread, or gives it to the next layer
	 * with tcmur_next(). The daemon calls a callback only if the handler has the operation.
	 *
	 * io->scratch has io_size bytes for this filter. The filter finds them unchanged in each of its
	 * calls for this I/O.
	 */
	void (*read)(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io);
	void (*write)(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io);
	void (*flush)(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io);
	void (*unmap)(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io);
	void (*write_zeroes)(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io);
	void (*write_same)(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io);
	void (*compare_and_write)(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io);
	void (*extents)(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io);

	/*
	 * Optional. Is called when the initiator no longer waits for an I/O that this filter has neither
	 * completed nor given to the next layer. The filter then ends the I/O soon, for example with
	 * TCMUR_ABORTED; it may do so inside this call. The daemon does not cancel the requests that a filter
	 * has made with <tcmur/queue.h>. If the callback is missing, the I/O ends when the filter gives it to
	 * the next layer. An I/O that another thread is completing at this moment may be cancelled as well;
	 * the filter then ignores the call.
	 */
	void (*cancel)(struct tcmur_layer *layer, struct tcmur_io *io);
};

/*
 * A function that is called when the next layer has completed the I/O with status. The filter then completes
 * the I/O itself, with this or another status, or calls tcmur_next() again.
 */
typedef void tcmur_done(struct tcmur_layer *layer, struct tcmur_queue *queue, struct tcmur_io *io,
			enum tcmur_status status);

/*
 * On the I/O's loop. Gives an I/O of this layer to the next one, as operation. The I/O is not copied. A
 * filter that changes offset, len, iov, iovcnt or flags puts the old values back before it completes the I/O.
 * done is called on the same loop, possibly inside this call. With done NULL the filter does not see the I/O
 * again. An I/O that was cancelled ends with TCMUR_TIMEOUT and does not reach the next layer, and one that
 * the handler does not know ends with TCMUR_NOT_SUPPORTED.
 */
void tcmur_next(struct tcmur_layer *layer, struct tcmur_io *io, enum tcmur_operation operation,
		tcmur_done *done);

/*
 * To be called in open(), close(), and callbacks on event loops. Returns the present parameters, 16-byte
 * aligned. They may be replaced at any time, so the pointer is valid until the callback returns. All loops
 * use the same memory, so a filter that counts in it uses atomic operations. Such a count begins again
 * whenever a parameter is changed.
 */
void *tcmur_layer_params(const struct tcmur_layer *layer);

/*
 * The entry point that the daemon looks up. It is declared here so that a filter in C++ gives it C linkage.
 */
__attribute__((visibility("default"))) struct tcmur_filter *tcmur_filter_entry(void);

/* Defines the entry point. A filter uses it once. */
#define TCMUR_REGISTER_FILTER(filter_)                                         \
	struct tcmur_filter *tcmur_filter_entry(void)                          \
	{                                                                      \
		(filter_).struct_size = (uint32_t)sizeof(struct tcmur_filter); \
		(filter_).api_version = TCMUR_API_VERSION;                     \
		return &(filter_);                                             \
	}

#ifdef __cplusplus
}
#endif
#endif
