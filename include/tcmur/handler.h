/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handler API: what a storage backend ("handler") implements to be served as a SCSI disk by tcmu-runner.
 *
 * A handler is a shared object named handler_NAME.so in the handler path. It defines one struct tcmur_handler
 * and registers it with TCMUR_REGISTER_HANDLER. The daemon opens a backend for each LUN with open(), sends it
 * byte-addressed I/O, and turns each I/O's enum tcmur_status into SCSI status and sense.
 *
 * Units: "offset" and "len" are bytes; "nblocks" and "lba" are logical blocks. All I/O is a multiple of the block
 * size and lies within the size that open() or refresh() reported last.
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

/* How an I/O ended. The daemon turns it into SCSI status and sense in one place. */
enum tcmur_status {
	TCMUR_OK = 0,
	TCMUR_READ_ERROR,    /* MEDIUM ERROR, UNRECOVERED READ ERROR */
	TCMUR_WRITE_ERROR,   /* MEDIUM ERROR, WRITE ERROR */
	TCMUR_NO_SPACE,      /* DATA PROTECT, SPACE ALLOCATION FAILED WRITE PROTECT (thin storage is full) */
	TCMUR_OUT_OF_RANGE,  /* ILLEGAL REQUEST, LBA OUT OF RANGE */
	TCMUR_MISCOMPARE,    /* MISCOMPARE DURING VERIFY OPERATION; set io->miscompare_offset first */
	TCMUR_NOT_SUPPORTED, /* ILLEGAL REQUEST, INVALID COMMAND OPERATION CODE */
	TCMUR_INVALID_FIELD, /* ILLEGAL REQUEST, INVALID FIELD IN CDB */
	TCMUR_WRITE_PROTECTED, /* DATA PROTECT, WRITE PROTECTED */
	TCMUR_NOT_READY,       /* NOT READY, LOGICAL UNIT NOT READY, CAUSE NOT REPORTABLE */
	TCMUR_HARDWARE_ERROR,  /* HARDWARE ERROR, INTERNAL TARGET FAILURE */
	TCMUR_TIMEOUT,         /* ABORTED COMMAND, COMMAND TIMEOUT DURING PROCESSING; the initiator retries */
	TCMUR_ABORTED,         /* ABORTED COMMAND, NO ADDITIONAL SENSE; the initiator retries */
	TCMUR_BUSY,            /* status BUSY */
	TCMUR_NO_RESOURCE,     /* status TASK SET FULL */
	TCMUR_FENCED,          /* NOT READY, TARGET PORT IN STANDBY STATE: another node owns the storage */
	TCMUR_CONFLICT,        /* status RESERVATION CONFLICT */
};

/* Where callbacks run. */
enum tcmur_thread_model {
	TCMUR_ASYNC = 1,  /* data callbacks run on an event loop and must not block; use <tcmur/queue.h> */
	TCMUR_PARALLEL,   /* data callbacks run on pool threads, several at a time for one LUN; may block */
	TCMUR_SERIAL_LUN, /* on pool threads, one at a time for each LUN; may block */
	TCMUR_SERIAL_ALL, /* on pool threads, one at a time for the whole handler; may block */
};

/* struct tcmur_io flags */
#define TCMUR_IO_FUA      0x01u /* write-like: on stable storage before completion */
#define TCMUR_IO_NO_UNMAP 0x02u /* write_zeroes: keep the blocks allocated (anchor by writing) */

/* Bytes of per-I/O scratch space a handler may ask for in tcmur_handler.io_size. */
#define TCMUR_IO_SCRATCH_MAX 256

/* GET LBA STATUS provisioning state of a run of bytes (SBC-4 5.6.2). */
enum tcmur_extent_state { TCMUR_EXTENT_MAPPED = 0, TCMUR_EXTENT_DEALLOCATED = 1, TCMUR_EXTENT_ANCHORED = 2 };

struct tcmur_extent {
	uint64_t offset; /* bytes */
	uint64_t len;    /* bytes */
	uint32_t state;  /* enum tcmur_extent_state */
};

#define TCMUR_OFFSET_UNKNOWN UINT64_MAX

/*
 * One I/O. Owned by the daemon; the handler may use it from the data callback until it calls
 * tcmur_io_complete(), and not afterwards. The iovec array is the daemon's: read it, do not change it.
 * The memory that it points to is page-aligned where the transport allows it, and stays valid until completion.
 */
struct tcmur_io {
	uint64_t offset;         /* first byte on the medium */
	uint64_t len;            /* bytes on the medium */
	const struct iovec *iov; /* READ: exactly len bytes to fill; WRITE: exactly len bytes to write;
				     * WRITE SAME: one pattern of iov total bytes; COMPARE AND WRITE: len bytes
				     * to compare, then len bytes to write */
	uint32_t iovcnt;
	uint32_t flags; /* TCMUR_IO_* */
	/* out, with TCMUR_MISCOMPARE: index of the first byte that differs. With TCMUR_READ_ERROR and TCMUR_WRITE_ERROR a
	 * handler that knows the first bad byte sets its index; TCMUR_OFFSET_UNKNOWN is there before. */
	uint64_t miscompare_offset;
	struct tcmur_extent
	    *extents; /* out, for extents(): array of max_extents to fill, in ascending order */
	uint32_t max_extents;
	uint32_t nextents; /* out */
	void *scratch;     /* io_size bytes for the handler, 16-byte aligned, not zeroed */
};

/* A CDB-level command for handlers that are no plain disk. Same ownership as struct tcmur_io. */
struct tcmur_scsi {
	const uint8_t *cdb;
	uint32_t cdb_len;
	const struct iovec
	    *iov; /* Data-Out of data_out_len bytes, or room for Data-In of data_in_max bytes */
	uint32_t iovcnt;
	uint64_t data_out_len;
	uint64_t data_in_max;
	uint64_t data_in_len; /* out: bytes of Data-In that are valid */
	uint8_t sense[96];    /* out, with SCSI status CHECK CONDITION (02h) */
	uint32_t sense_len;   /* out */
	void *scratch;
};

/* struct tcmur_info flags */
/* Nobody else uses the storage, nor is I/O of a killed process under way on it: until then open() answers -EBUSY. */
#define TCMUR_INFO_EXCLUSIVE 0x01u
/* The contents live in memory, and are lost with the process unless tcmur_open_memory() keeps them. */
#define TCMUR_INFO_VOLATILE 0x02u
/* With TCMUR_INFO_VOLATILE: the administrator has said that the disk may start empty although it was written. */
#define TCMUR_INFO_LOSS_ACCEPTED 0x04u
/* open() has created the storage, so discard() may remove it. */
#define TCMUR_INFO_CREATED 0x08u
/* refresh(): the storage holds fewer bytes than are served. */
#define TCMUR_INFO_SHORT 0x10u
/* refresh(): the name of the storage leads to other storage, or to none, while the old one is still served. */
#define TCMUR_INFO_REPLACED 0x20u

/* What a backend is and can do; filled by open() and by refresh(). Zero means "default" where it says so. */
struct tcmur_info {
	uint64_t size;                /* bytes; a trailing part of a block is not served */
	uint32_t block_size;          /* logical: 512 or 4096 */
	uint32_t physical_block_size; /* 0: same as block_size */
	bool read_only;
	bool rotational;
	bool write_cache;           /* writes may be volatile until flush() or FUA */
	bool write_cache_off;       /* not to be used (WCE=0): the daemon sets FUA on each write */
	bool thin;                  /* unmap() deallocates; reported as LBPME */
	bool unmap_zeroes;          /* unmapped blocks read as zeros: LBPRZ */
	uint32_t unmap_granularity; /* bytes, 0: block_size */
	uint32_t unmap_alignment;   /* bytes */
	uint64_t max_io;     /* bytes the handler takes in one read or write, 0: no limit; others are split */
	uint64_t max_unmap;  /* bytes in one unmap or write_zeroes, 0: no limit */
	uint32_t optimal_io; /* bytes, 0: not reported */
	uint64_t flags;      /* TCMUR_INFO_* */
	uint64_t reserved[7]; /* 0; room to grow without moving what follows in struct tcmur_open */
};

/* How full the storage of a thin disk is, as far as can be told; the daemon cuts it to the disk's size. */
struct tcmur_usage {
	uint64_t used;      /* bytes of storage that hold blocks of this disk */
	uint64_t available; /* bytes of storage left for more of them, also if others may take it */
};

struct tcmur_option {
	const char *name;
	const char *desc; /* one line: "writeback|writethrough|none: how writes are cached (writeback)" */
};

struct tcmur_option_value {
	const char *name;
	const char *value; /* "" for a bare NAME */
};

struct tcmur_lun;   /* the daemon's side of an opened backend */
struct tcmur_queue; /* the event loop that runs an ASYNC handler's callback; see <tcmur/queue.h> */

/*
 * Who the storage is, as far as the storage itself can tell; the unit serial number of the disk is derived from it. The
 * daemon zeroes the structure before it calls identify(). A later daemon may append members.
 */
struct tcmur_identity {
	/*
	 * A name that the storage carries with it and that no other storage in the world has, such as a UUID or a WWN: two
	 * machines that reach the same storage then report the same disk. "": the storage has no such name.
	 */
	char own[256];
	/*
	 * A name of the storage on this machine that does not depend on how the configuration is written, such as the path
	 * without symbolic links. "": the storage belongs to this LUN alone, as memory does.
	 */
	char place[4096];
};

/* Arguments and results of open(). */
struct tcmur_open {
	/* in; valid during open() only, except lun, which is valid until close() returns */
	const char *config;    /* what follows "NAME/" in the LUN's configuration; a relative path is taken
				   * from state_dir */
	const char *state_dir; /* folder for relative paths */
	const struct tcmur_option_value *options; /* values of the handler's declared options */
	uint32_t noptions;
	uint64_t size;       /* wanted bytes, 0: as the storage is */
	uint32_t block_size; /* wanted, 0: the handler chooses */
	bool read_only;
	bool existing; /* make no storage; it may hold more than size, which then is not served */
	bool create;   /* create storage that does not exist, with size bytes; without this, its absence is an error */
	struct tcmur_lun *lun;
	/* out */
	struct tcmur_info info;
	void *handle;
	char error[256]; /* one line that names the thing and the reason; use tcmur_open_error() */
};

/*
 * A handler. Only read and open/close are required. Every data callback finishes its I/O by exactly one
 * tcmur_io_complete(io, status), from any thread, also from inside the callback.
 * Context of data callbacks: as thread_model says. queue is NULL on pool threads.
 */
struct tcmur_handler {
	uint32_t struct_size; /* the first three are filled by TCMUR_REGISTER_HANDLER */
	uint32_t api_version;
	uint32_t thread_model; /* enum tcmur_thread_model, declared by the handler in the macro */
	uint32_t io_size;      /* Optional: scratch bytes an I/O, at most TCMUR_IO_SCRATCH_MAX */

	const char *name;        /* Required: [a-z0-9_]+, what stands before '/' in a LUN's configuration */
	const char *summary;     /* Required: one line */
	const char *config_desc; /* Required: what stands after '/', for people and for targetcli */
	const struct tcmur_option *options; /* Optional: ends with a NULL name */

	int (*load)(void);    /* Optional, main thread, once: 0 or -errno */
	void (*unload)(void); /* Optional, main thread, once */

	/* Optional, any thread. Judges the text only: opens no path, contacts nothing. 0, or -errno with reason. */
	int (*check_config)(const char *config, char *reason, size_t reason_len);

	/*
	 * Required, pool thread, may block. 0 with handle and info filled, or -errno with error filled. -EBUSY: the
	 * storage is still held, by another opener or by I/O that a killed daemon has left in the kernel; the daemon
	 * tries again for a while, where it can.
	 */
	int (*open)(struct tcmur_open *open);
	/* Required, pool thread, may block. No I/O is in flight and none follows. */
	void (*close)(void *handle);
	/* Optional, pool thread, may block, concurrent with I/O. Fills info anew (a file grew). 0 or -errno. */
	int (*refresh)(void *handle, struct tcmur_info *info);

	/* Data callbacks. What is missing is emulated by the daemon, or reported as unsupported. */
	void (*read)(void *handle, struct tcmur_queue *queue, struct tcmur_io *io); /* Required unless scsi */
	void (*write)(void *handle, struct tcmur_queue *queue, struct tcmur_io *io); /* missing: read-only */
	void (*flush)(void *handle, struct tcmur_queue *queue,
		      struct tcmur_io *io); /* offset, len: the range, or
										      * 0,0 for all */
	void (*unmap)(void *handle, struct tcmur_queue *queue, struct tcmur_io *io); /* missing: not thin */
	void (*write_zeroes)(void *handle, struct tcmur_queue *queue,
			     struct tcmur_io *io); /* missing: writes */
	void (*write_same)(void *handle, struct tcmur_queue *queue,
			   struct tcmur_io *io); /* missing: writes */
	void (*compare_and_write)(void *handle, struct tcmur_queue *queue, struct tcmur_io *io); /* missing:
							     * read, compare, write under the LUN's range lock */
	void (*extents)(void *handle, struct tcmur_queue *queue,
			struct tcmur_io *io); /* missing: all mapped */

	/*
	 * Optional, event loop, never blocks. Direct access to the medium for reading: fills iov with up to iovcnt
	 * pieces that cover [offset, offset + len) and returns their number, or 0 when it cannot (read() is used).
	 * The memory stays readable until close(); its contents may change under the reader.
	 */
	uint32_t (*data)(void *handle, uint64_t offset, uint64_t len, struct iovec *iov, uint32_t iovcnt);

	/*
	 * Optional, context as thread_model. May take any command before the device server does: returns true and
	 * later calls tcmur_scsi_complete() exactly once, or false to leave the command to the device server.
	 */
	bool (*scsi)(void *handle, struct tcmur_queue *queue, struct tcmur_scsi *cmd);

	/* Optional, pool thread, may block, concurrent with I/O. Makes the storage larger; never called to shrink it.
	 * 0, or -errno with nothing changed. missing: only storage that has the new size already is resized. */
	int (*resize)(void *handle, uint64_t size);

	/* Optional, pool thread, may block, concurrent with I/O. 0 with usage filled, or -errno. Initiators see it
	 * as the Logical Block Provisioning log page. */
	int (*usage)(void *handle, struct tcmur_usage *usage);

	/*
	 * Optional, pool or main thread, may block. Says who the storage is. The daemon calls it after open() has succeeded,
	 * with open->handle set, or without an open() and with open->handle NULL: storage that another process uses can be
	 * identified as well. It creates and changes nothing. 0 with identity filled, or -errno.
	 * missing: open->config is taken as the place.
	 */
	int (*identify)(const struct tcmur_open *open, struct tcmur_identity *identity);

	/*
	 * Optional, main or pool thread, may block. Called right before close() when the start that open() created storage
	 * for has failed (TCMUR_INFO_CREATED): removes that storage. missing: it stays.
	 */
	void (*discard)(void *handle);
};

/* The entry point that the daemon looks up; declared here for its C linkage in C++ handlers. */
__attribute__((visibility("default"))) struct tcmur_handler *tcmur_handler_entry(void);

/* Defines the entry point. Use once in a handler. */
#define TCMUR_REGISTER_HANDLER(handler_, thread_model_)                          \
	struct tcmur_handler *tcmur_handler_entry(void)                          \
	{                                                                        \
		(handler_).struct_size = (uint32_t)sizeof(struct tcmur_handler); \
		(handler_).api_version = TCMUR_API_VERSION;                      \
		(handler_).thread_model = (thread_model_);                       \
		return &(handler_);                                              \
	}

/*
 * Finishes an I/O; the io must not be touched afterwards. Exactly once an I/O. Any thread; may run the daemon's
 * completion inside the call when the caller is the loop that owns the I/O, so a handler holds no lock across it.
 */
void tcmur_io_complete(struct tcmur_io *io, enum tcmur_status status);

/* Finishes a CDB-level command with a SCSI status byte (SAM-5 5.3.1); the same rules. */
void tcmur_scsi_complete(struct tcmur_scsi *cmd, uint8_t scsi_status);

/* Turns an errno (positive or negative) of a read (write false) or write into a status. Any thread. */
enum tcmur_status tcmur_status_from_errno(int err, bool write);

/* Formats open->error and returns -err. For open() only. */
int tcmur_open_error(struct tcmur_open *open, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The value of an option given for this LUN, or fallback. The text is valid during open(). */
const char *tcmur_open_option(const struct tcmur_open *open, const char *name, const char *fallback);

/* Parses "4096", "64K", "1G" … into bytes. 0, or -EINVAL when it is no size, -ERANGE when it does not fit. */
int tcmur_parse_size(const char *text, uint64_t *bytes);

/*
 * For open(): memory that outlives this process where somebody keeps it, such as systemd's descriptor store. Returns a
 * descriptor of size bytes to map, which the handler closes; found says whether it holds what the disk had before, instead of
 * zeros. Or -errno: nobody keeps memory, and the handler takes what memory it likes.
 */
int tcmur_open_memory(struct tcmur_open *open, uint64_t size, bool *found);

/*
 * Pool thread, may block. Before the first write to a TCMUR_INFO_VOLATILE disk is done: notes durably that the disk has
 * contents, so that their loss is noticed at the next start. Again does no harm.
 */
void tcmur_lun_written(struct tcmur_lun *lun);

/* Asks the daemon to call refresh() soon, e.g. after the storage told of a new size. Any thread. */
void tcmur_lun_changed(struct tcmur_lun *lun);

enum tcmur_log_level { TCMUR_LOG_ERROR = 1, TCMUR_LOG_WARN, TCMUR_LOG_INFO, TCMUR_LOG_DEBUG };

/* Logs one line, prefixed with handler and LUN. Any thread; lun may be NULL. Never blocks on storage. */
void tcmur_log(struct tcmur_lun *lun, enum tcmur_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif
#endif
