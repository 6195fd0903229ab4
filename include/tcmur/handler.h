/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handler API. A storage backend ("handler") implements it, and tcmu-runner serves the storage
 * as a SCSI disk.
 *
 * A handler is a shared object named handler_NAME.so in the handler path. It defines one struct
 * tcmur_handler and registers it with TCMUR_REGISTER_HANDLER. The daemon opens a backend for each
 * LUN with open(), sends it byte-addressed I/O, and turns the enum tcmur_status of each I/O into a
 * SCSI status and sense data.
 *
 * Units: "offset" and "len" are bytes; "nblocks" and "lba" are logical blocks. All I/O is a
 * multiple of the block size and lies within the size that open() or refresh() reported last.
 *
 * A handler states the API version that it was written for before it includes this header:
 *     #define TCMUR_API_VERSION 1
 */
#ifndef TCMUR_HANDLER_H
#define TCMUR_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#ifndef TCMUR_API_VERSION
#error "define TCMUR_API_VERSION (currently 1) before including <tcmur/handler.h>"
#elif TCMUR_API_VERSION != 1
#error "this <tcmur/handler.h> knows TCMUR_API_VERSION 1 only"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* How an I/O ended. The daemon turns the status into a SCSI status and sense data. */
enum tcmur_status {
	TCMUR_OK = 0,
	/* MEDIUM ERROR, UNRECOVERED READ ERROR */
	TCMUR_READ_ERROR,
	/* MEDIUM ERROR, WRITE ERROR */
	TCMUR_WRITE_ERROR,
	/* DATA PROTECT, SPACE ALLOCATION FAILED WRITE PROTECT: thin storage is full. */
	TCMUR_NO_SPACE,
	/* ILLEGAL REQUEST, LBA OUT OF RANGE */
	TCMUR_OUT_OF_RANGE,
	/* MISCOMPARE DURING VERIFY OPERATION. The handler sets io->miscompare_offset first. */
	TCMUR_MISCOMPARE,
	/* ILLEGAL REQUEST, INVALID COMMAND OPERATION CODE */
	TCMUR_NOT_SUPPORTED,
	/* ILLEGAL REQUEST, INVALID FIELD IN CDB */
	TCMUR_INVALID_FIELD,
	/* DATA PROTECT, WRITE PROTECTED */
	TCMUR_WRITE_PROTECTED,
	/* NOT READY, LOGICAL UNIT NOT READY, CAUSE NOT REPORTABLE */
	TCMUR_NOT_READY,
	/* HARDWARE ERROR, INTERNAL TARGET FAILURE */
	TCMUR_HARDWARE_ERROR,
	/* ABORTED COMMAND, COMMAND TIMEOUT DURING PROCESSING. The initiator tries again. */
	TCMUR_TIMEOUT,
	/* ABORTED COMMAND, NO ADDITIONAL SENSE. The initiator tries again. */
	TCMUR_ABORTED,
	/* The SCSI status BUSY. */
	TCMUR_BUSY,
	/* The SCSI status TASK SET FULL. */
	TCMUR_NO_RESOURCE,
	/* NOT READY, TARGET PORT IN STANDBY STATE: another node owns the storage. */
	TCMUR_FENCED,
	/* The SCSI status RESERVATION CONFLICT. */
	TCMUR_CONFLICT,
	/* CHECK CONDITION with the sense data in io->sense, for errors that have no status here. */
	TCMUR_SENSE,
};

/* Where the daemon calls the data callbacks. */
enum tcmur_thread_model {
	/* On an event loop. The callbacks must not block; they use <tcmur/queue.h>. */
	TCMUR_ASYNC = 1,
	/* On pool threads, several at a time for one LUN. The callbacks may block. */
	TCMUR_PARALLEL,
	/* On pool threads, one at a time for each LUN. The callbacks may block. */
	TCMUR_SERIAL_LUN,
	/* On pool threads, one at a time for the whole handler. The callbacks may block. */
	TCMUR_SERIAL_ALL,
};

/* Flags of struct tcmur_io. */
/* For callbacks that write: the data must be on stable storage before the I/O is completed. */
#define TCMUR_IO_FUA 0x01u
/* For write_zeroes: the blocks stay allocated. */
#define TCMUR_IO_NO_UNMAP 0x02u

/*
 * The largest number of bytes of scratch space for each I/O that a handler may ask for in
 * tcmur_handler.io_size.
 */
#define TCMUR_IO_SCRATCH_MAX 256

/* The provisioning state of a run of bytes, as GET LBA STATUS reports it (SBC-4 5.6.2). */
enum tcmur_extent_state { TCMUR_EXTENT_MAPPED = 0, TCMUR_EXTENT_DEALLOCATED = 1, TCMUR_EXTENT_ANCHORED = 2 };

struct tcmur_extent {
	/* In bytes. */
	uint64_t offset;
	uint64_t len;
	/* An enum tcmur_extent_state. */
	uint32_t state;
};

#define TCMUR_OFFSET_UNKNOWN UINT64_MAX

/*
 * One I/O. The daemon owns it. The handler may use it from the data callback until the handler
 * calls tcmur_io_complete(), and not afterwards. The handler reads the iovec array and does not
 * change it. The memory that the array points to stays valid until the completion, and is
 * page-aligned where the transport allows this.
 */
struct tcmur_io {
	/* The first byte on the medium. */
	uint64_t offset;
	/* The number of bytes on the medium. */
	uint64_t len;
	/*
	 * READ: exactly len bytes to fill. WRITE: exactly len bytes to write. WRITE SAME: one
	 * pattern, as long as all pieces together. COMPARE AND WRITE: len bytes to compare, then
	 * len bytes to write.
	 */
	const struct iovec *iov;
	uint32_t iovcnt;
	uint32_t flags; /* TCMUR_IO_* */
	/*
	 * Result, with TCMUR_MISCOMPARE: the index of the first byte that differs. With TCMUR_READ_ERROR,
	 * TCMUR_WRITE_ERROR and TCMUR_SENSE, a handler that knows the first bad byte sets its index. The
	 * daemon sets TCMUR_OFFSET_UNKNOWN before.
	 */
	uint64_t miscompare_offset;
	/* For extents(): an array of max_extents elements, which the handler fills in ascending order */
	struct tcmur_extent *extents;
	uint32_t max_extents;
	uint32_t nextents;
	/* io_size bytes for the handler, 16-byte aligned. The daemon does not zero them. */
	void *scratch;
	/*
	 * Result, with TCMUR_SENSE: sense key << 16 | ADDITIONAL SENSE CODE << 8 | its qualifier (SPC-4
	 * 4.5.6). The command has not been executed, so the sense keys NO SENSE and RECOVERED ERROR are not
	 * allowed.
	 */
	uint32_t sense;
};

/*
 * A command as its CDB, for handlers whose devices are not plain disks. The rules of struct
 * tcmur_io apply.
 */
struct tcmur_scsi {
	const uint8_t *cdb;
	uint32_t cdb_len;
	/* Data-Out of data_out_len bytes, or room for data_in_max bytes of Data-In. */
	const struct iovec *iov;
	uint32_t iovcnt;
	uint64_t data_out_len;
	uint64_t data_in_max;
	/* Result: how many bytes of Data-In are valid. */
	uint64_t data_in_len;
	/* Result, with the SCSI status CHECK CONDITION (02h). */
	uint8_t sense[96];
	uint32_t sense_len;
	void *scratch;
};

/* Flags of struct tcmur_info. */
/*
 * No other process uses the storage, and no I/O of a killed process is still in flight on it. If this is not
 * true yet, but will be, open() returns -EBUSY.
 */
#define TCMUR_INFO_EXCLUSIVE 0x01u
/* The contents lie in memory, and are lost with the process unless tcmur_open_memory() keeps them. */
#define TCMUR_INFO_VOLATILE 0x02u
/*
 * With TCMUR_INFO_VOLATILE: the administrator has accepted that the disk starts empty although it was
 * written.
 */
#define TCMUR_INFO_LOSS_ACCEPTED 0x04u
/* open() has created the storage, so discard() may remove it. */
#define TCMUR_INFO_CREATED 0x08u
/* Set by refresh(): the storage contains fewer bytes than are served. */
#define TCMUR_INFO_SHORT 0x10u
/*
 * Set by refresh(): the name of the storage now leads to other storage, or to none, while the old one is
 * still served.
 */
#define TCMUR_INFO_REPLACED 0x20u
/*
 * open() has taken over the lock or claim of tcmur_open_replaced(), so that no other process can get it
 * meanwhile. The daemon sends I/O only after the old storage is closed.
 */
#define TCMUR_INFO_TAKEN_OVER 0x40u

/* The properties and capabilities of a backend. open() and refresh() fill this structure. */
struct tcmur_info {
	/* In bytes. If the last block is incomplete, the daemon does not serve it. */
	uint64_t size;
	/* The size of a logical block: 512 or 4096. */
	uint32_t block_size;
	/* 0 means the same as block_size. */
	uint32_t physical_block_size;
	bool read_only;
	bool rotational;
	/* A write may be volatile until flush() or FUA. */
	bool write_cache;
	/* The write cache must not be used (WCE=0): the daemon sets FUA for each write. */
	bool write_cache_off;
	/* unmap() deallocates blocks. Initiators see this as LBPME. */
	bool thin;
	/* Unmapped blocks read as zeros. Initiators see this as LBPRZ. */
	bool unmap_zeroes;
	/* In bytes; 0 means block_size. */
	uint32_t unmap_granularity;
	/* Bytes. */
	uint32_t unmap_alignment;
	/*
	 * The largest number of bytes that the handler accepts in one read or write; the daemon splits larger
	 * I/O. 0 means no limit.
	 */
	uint64_t max_io;
	/* The same limit for one unmap or write_zeroes. */
	uint64_t max_unmap;
	/* In bytes; 0 means that no value is reported. */
	uint32_t optimal_io;
	/* TCMUR_INFO_* */
	uint64_t flags;
	/*
	 * Always 0. New members can replace a part of it without moving the members that follow in struct
	 * tcmur_open.
	 */
	uint64_t reserved[7];
};

/*
 * The use of the storage of a thin disk, as far as the handler knows it. The daemon limits the values to the
 * disk's size.
 */
struct tcmur_usage {
	/* The number of bytes of storage that contain blocks of this disk. */
	uint64_t used;
	/*
	 * The number of bytes of storage that are free for more blocks, although other users may take them
	 * first.
	 */
	uint64_t available;
};

struct tcmur_option {
	const char *name;
	/* One line, such as "writeback|writethrough|none: how writes are cached (writeback)". */
	const char *desc;
};

struct tcmur_option_value {
	const char *name;
	/* "" for NAME without a value. */
	const char *value;
};

/* The daemon's side of an opened backend. */
struct tcmur_lun;
/* The event loop that runs a callback of an ASYNC handler; see <tcmur/queue.h>. */
struct tcmur_queue;

/*
 * The identity of the storage, as far as the storage itself has one. The unit serial number of the disk is
 * derived from it. The daemon zeroes the structure before it calls identify(). A later daemon may append
 * members.
 */
struct tcmur_identity {
	/*
	 * A name that belongs to the storage itself and that no other storage in the world has, such as a
	 * UUID or a WWN. Two machines that use the same storage then report the same disk. "" if the storage
	 * has no such name.
	 */
	char own[256];
	/*
	 * A name of the storage on this machine that is the same for every form of the configuration, such as
	 * the path without symbolic links. "" if the storage belongs to this LUN alone, as memory does.
	 */
	char place[4096];
};

/* Arguments and results of open(). */
struct tcmur_open {
	/*
	 * Arguments. They are valid during open() only, except lun, which is valid until close()
	 * returns.
	 */
	/*
	 * The text after "NAME/" in the LUN's configuration. A relative path starts at state_dir.
	 */
	const char *config;
	const char *state_dir;
	/* The values of the options that the handler has declared. */
	const struct tcmur_option_value *options;
	uint32_t noptions;
	/* The number of bytes that the administrator asks for; 0 means as many as the storage has. */
	uint64_t size;
	/* The block size that the administrator asks for; 0 means that the handler chooses. */
	uint32_t block_size;
	bool read_only;
	/*
	 * The handler must not create storage. Storage that exists may have more than size bytes; the daemon
	 * does not serve the rest.
	 */
	bool existing;
	/*
	 * The handler creates storage that does not exist, with size bytes. If this is false, missing storage
	 * is an error.
	 */
	bool create;
	struct tcmur_lun *lun;
	/* Results. */
	struct tcmur_info info;
	void *handle;
	/* One line that names the storage and the reason; use tcmur_open_error(). */
	char error[256];
};

/*
 * A handler. Only read, open and close are required. Every data callback ends its I/O by exactly
 * one tcmur_io_complete(io, status), from any thread, even from inside the callback. The thread
 * model says in which context the daemon calls data callbacks. queue is NULL on pool threads.
 */
struct tcmur_handler {
	/* TCMUR_REGISTER_HANDLER sets the first three members. */
	uint32_t struct_size;
	uint32_t api_version;
	/* An enum tcmur_thread_model. */
	uint32_t thread_model;
	/* Optional. Bytes of scratch space for each I/O, at most TCMUR_IO_SCRATCH_MAX. */
	uint32_t io_size;

	/* Required. The text before '/' in a LUN's configuration: characters of [a-z0-9_]. */
	const char *name;
	/* Required. One line. */
	const char *summary;
	/* Required. Explains the text after '/' to people; targetcli shows it. */
	const char *config_desc;
	/* Optional. The last element has a NULL name. */
	const struct tcmur_option *options;

	/* Optional, main thread, called once. Returns 0 or -errno. */
	int (*load)(void);
	/* Optional, main thread, called once. */
	void (*unload)(void);

	/*
	 * Optional, any thread. Checks the text only: it opens no path and contacts no server. Returns 0, or
	 * -errno with reason.
	 */
	int (*check_config)(const char *config, char *reason, size_t reason_len);

	/*
	 * Required, pool thread, may block. Returns 0 with handle and info filled, or -errno with error
	 * filled. -EBUSY means that another opener holds the storage, or that I/O of a killed daemon is still
	 * in the kernel; the daemon then tries again for a while where it can.
	 */
	int (*open)(struct tcmur_open *open);
	/* Required, pool thread, may block. No I/O is in flight and none follows. */
	void (*close)(void *handle);
	/*
	 * Optional, pool thread, may block, concurrent with I/O. Fills info again, for example after a file
	 * has grown. Returns 0 or -errno.
	 */
	int (*refresh)(void *handle, struct tcmur_info *info);

	/*
	 * --- Data callbacks. The daemon emulates those that are missing, or reports the command as
	 * unsupported. The comments say what happens if a callback is missing.
	 */
	/* Required unless there is scsi(). */
	void (*read)(void *handle, struct tcmur_queue *queue, struct tcmur_io *io);
	/* Missing: the disk is read-only. */
	void (*write)(void *handle, struct tcmur_queue *queue, struct tcmur_io *io);
	/*
	 * offset and len are the range. If both are 0, the range is the whole disk. Missing: every write
	 * counts as stable.
	 */
	void (*flush)(void *handle, struct tcmur_queue *queue, struct tcmur_io *io);
	/* Missing: the disk is not thin. */
	void (*unmap)(void *handle, struct tcmur_queue *queue, struct tcmur_io *io);
	/* Missing: the daemon writes zeros. */
	void (*write_zeroes)(void *handle, struct tcmur_queue *queue, struct tcmur_io *io);
	/* Missing: the daemon writes the pattern. */
	void (*write_same)(void *handle, struct tcmur_queue *queue, struct tcmur_io *io);
	/* Missing: the daemon reads, compares and writes under the range lock of the LUN. */
	void (*compare_and_write)(void *handle, struct tcmur_queue *queue, struct tcmur_io *io);
	/* Missing: all blocks are mapped. */
	void (*extents)(void *handle, struct tcmur_queue *queue, struct tcmur_io *io);

	/*
	 * Optional, event loop, never blocks. Gives readers direct access to the medium: fills iov with at
	 * most iovcnt pieces of memory for the len bytes from offset on. Returns the number of pieces, or 0
	 * if this is not possible; read() is then used. The memory must stay readable until close(); its
	 * contents may change while they are read.
	 */
	uint32_t (*data)(void *handle, uint64_t offset, uint64_t len, struct iovec *iov, uint32_t iovcnt);

	/*
	 * Optional; thread_model says on which thread it is called. The daemon offers each command to this
	 * function before the device server executes it. If the function returns true, the handler executes
	 * the command, and later calls tcmur_scsi_complete() exactly once. If it returns false, the device
	 * server executes the command.
	 */
	bool (*scsi)(void *handle, struct tcmur_queue *queue, struct tcmur_scsi *cmd);

	/*
	 * Optional, pool thread, may block, concurrent with I/O. Enlarges the storage; the daemon never asks
	 * for less. Returns 0, or -errno with nothing changed. Missing: a disk can only be enlarged if its
	 * storage already has the new size.
	 */
	int (*resize)(void *handle, uint64_t size);

	/*
	 * Optional, pool thread, may block, concurrent with I/O. Returns 0 with usage filled, or -errno.
	 * Initiators see the values in the Logical Block Provisioning log page.
	 */
	int (*usage)(void *handle, struct tcmur_usage *usage);

	/*
	 * Optional, pool or main thread, may block. Reports the identity of the storage. The daemon calls it
	 * after open() has succeeded, with open->handle set. It also calls it without an open(), with
	 * open->handle NULL, so that storage that another process uses can be identified as well. The
	 * function creates and changes nothing. Returns 0 with identity filled, or -errno. Missing:
	 * open->config is taken as the place.
	 */
	int (*identify)(const struct tcmur_open *open, struct tcmur_identity *identity);

	/*
	 * Optional, main or pool thread, may block. Removes the storage that open() has created
	 * (TCMUR_INFO_CREATED). The daemon calls it right before close() if a later step of the start has
	 * failed. Missing: the storage stays.
	 */
	void (*discard)(void *handle);

	/*
	 * Optional, TCMUR_ASYNC only, on the event loop that owns the I/O. Is called when the initiator no
	 * longer waits for an I/O that a data callback has received. If the storage can abandon a request,
	 * the handler ends the I/O soon, for example with TCMUR_ABORTED; it may do so inside this call. The
	 * daemon itself cancels the requests that the I/O has made with <tcmur/queue.h>. An I/O that another
	 * thread is completing at this moment may be cancelled as well; the handler then ignores the call.
	 * Missing: the daemon waits for the end of the I/O.
	 */
	void (*cancel)(void *handle, struct tcmur_io *io);
};

/*
 * The entry point that the daemon looks up. It is declared here so that a handler in C++ gives it C
 * linkage.
 */
__attribute__((visibility("default"))) struct tcmur_handler *tcmur_handler_entry(void);

/* Defines the entry point. A handler uses it once. */
#define TCMUR_REGISTER_HANDLER(handler_, thread_model_)                          \
	struct tcmur_handler *tcmur_handler_entry(void)                          \
	{                                                                        \
		(handler_).struct_size = (uint32_t)sizeof(struct tcmur_handler); \
		(handler_).api_version = TCMUR_API_VERSION;                      \
		(handler_).thread_model = (thread_model_);                       \
		return &(handler_);                                              \
	}

/*
 * Ends an I/O. The handler calls it exactly once for each I/O, from any thread, and must not use the I/O
 * afterwards. On the loop that owns the I/O, the daemon's completion may be executed inside the call, so the
 * handler must not hold a lock during the call.
 */
void tcmur_io_complete(struct tcmur_io *io, enum tcmur_status status);

/* Ends a command of scsi() with a SCSI status byte (SAM-5 5.3.1). The same rules apply. */
void tcmur_scsi_complete(struct tcmur_scsi *cmd, uint8_t scsi_status);

/* Any thread. Turns the errno, positive or negative, of a write or of a read into a status. */
enum tcmur_status tcmur_status_from_errno(int err, bool write);

/* For open() only. Formats open->error and returns -err. */
int tcmur_open_error(struct tcmur_open *open, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Returns the value of an option that was given for this LUN, or fallback. The text is valid during
 * open().
 */
const char *tcmur_open_option(const struct tcmur_open *open, const char *name, const char *fallback);

/*
 * Converts text such as "4096", "64K" or "1G" to a number of bytes. Returns 0, -EINVAL if the text is not a
 * size, or -ERANGE if the number is too large.
 */
int tcmur_parse_size(const char *text, uint64_t *bytes);

/*
 * For open(). If an administrator has asked for the replacement of an open storage, perhaps by the same
 * storage with other options, returns the handle of the one that is replaced; otherwise returns NULL. The
 * handle is valid during open(). A handler that locks its storage can share the lock with this handle, and
 * then sets TCMUR_INFO_TAKEN_OVER. If open() returns -EBUSY because of the handler's own lock, the daemon
 * closes the old storage first and then opens the new one.
 */
void *tcmur_open_replaced(const struct tcmur_open *open);

/*
 * For open(). Returns memory that stays when this process ends, if something such as systemd's descriptor
 * store keeps it. The result is a descriptor of size bytes, which the handler maps and closes. found says
 * whether the memory has the earlier contents of the disk instead of zeros. If the result is -errno, nothing
 * keeps memory, and the handler uses memory of its own.
 */
int tcmur_open_memory(struct tcmur_open *open, uint64_t size, bool *found);

/*
 * Pool thread, may block. A handler must call this function before it completes the first write to a
 * TCMUR_INFO_VOLATILE disk. The function records durably that the disk has contents, so that their loss is
 * noticed at the next start. Further calls have no effect.
 */
void tcmur_lun_written(struct tcmur_lun *lun);

/*
 * Any thread. Asks the daemon to call refresh() soon, for example after the storage has reported a new size.
 */
void tcmur_lun_changed(struct tcmur_lun *lun);

enum tcmur_log_level { TCMUR_LOG_ERROR = 1, TCMUR_LOG_WARN, TCMUR_LOG_INFO, TCMUR_LOG_DEBUG };

/*
 * Any thread; lun may be NULL. Logs one line, which begins with the name of the LUN. It never waits for
 * storage.
 */
void tcmur_log(struct tcmur_lun *lun, enum tcmur_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif
#endif
