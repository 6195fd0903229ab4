/* SPDX-License-Identifier: Apache-2.0 */
/* A state folder, handlers and loops, for tests of runner/storage. */
#include "storage_fixture.h"

#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backstore/backstore.h"
#include "kept_log.h"
#include "storage/identity.h"

static struct loop_set loops;
struct storage_context context;

int fixture_up(void **state)
{
	const struct loop_options options = {.nloops = 2, .npool = 4};
	struct error error;

	(void)state;
	if (backstore_load_handlers(HANDLERS, &error) < 0 ||
	    backstore_load_handlers(STAGED_HANDLERS, &error) < 0 || loop_set_start(&loops, &options, &error))
		fail_msg("%s", error.text);
	return 0;
}

int fixture_down(void **state)
{
	(void)state;
	loop_set_stop(&loops);
	backstore_unload_handlers();
	return 0;
}

int fixture_set_up(void **state)
{
	folder_make(state);
	log_keep();
	context.loops = &loops;
	context.main = main_queue_new();
	assert_non_null(context.main);
	context.registry = storage_registry_new(folder_path("state"), NULL);
	assert_non_null(context.registry);
	return 0;
}

int fixture_tear_down(void **state)
{
	storage_registry_free(context.registry);
	main_queue_free(context.main);
	return folder_remove(state);
}

void assert_names(const struct error *error, const char *text)
{
	if (!strstr(error->text, text))
		fail_msg("'%s' does not contain '%s'", error->text, text);
}

void fixture_restart(void)
{
	storage_registry_free(context.registry);
	context.registry = storage_registry_new(folder_path("state"), NULL);
	assert_non_null(context.registry);
}

void done_note(void *arg, int err, const struct error *error)
{
	struct note *note = arg;

	assert_false(note->is_done);
	note->is_done = true;
	note->err = err;
	note->error = *error;
}

static void count_change(void *arg, struct storage *storage)
{
	struct disk *disk = arg;

	(void)storage;
	disk->changes++;
}

void stage_init(struct stage *stage)
{
	memset(stage, 0, sizeof(*stage));
	stage->size = STAGE_SIZE;
}

void disk_new(struct disk *disk, const char *name, const char *config)
{
	const struct storage_owner owner = {count_change, disk};

	memset(disk, 0, sizeof(*disk));
	snprintf(disk->config, sizeof(disk->config), "%s", config);
	disk->settings = (struct storage_settings){.config = disk->config, .write_cache = -1};
	disk->storage = storage_new(&context, name, &owner);
	assert_non_null(disk->storage);
	assert_int_equal(storage_status(disk->storage), STORAGE_CONFIGURED);
	assert_string_equal(storage_name(disk->storage), name);
}

void disk_new_staged(struct disk *disk, const char *name, struct stage *stage)
{
	char config[64];

	snprintf(config, sizeof(config), "staged/%p", (void *)stage);
	disk_new(disk, name, config);
}

int disk_open(struct disk *disk, bool patient, struct error *error)
{
	struct note note = {.is_done = false};

	storage_open(disk->storage, &disk->settings, patient, done_note, &note);
	run_until(note.is_done);
	if (error)
		*error = note.error;
	return note.err;
}

void disk_serve_staged(struct disk *disk, struct stage *stage)
{
	stage_init(stage);
	disk_new_staged(disk, "user_0/a", stage);
	assert_int_equal(disk_open(disk, false, NULL), 0);
}

void disk_close(struct disk *disk, bool forget)
{
	struct note note = {.is_done = false};

	storage_close(disk->storage, forget, 120, done_note, &note);
	run_until(note.is_done);
	assert_int_equal(note.err, 0);
	disk->storage = NULL;
}

struct storage_view view_of(const struct disk *disk)
{
	struct storage_view view;

	storage_view(disk->storage, &view);
	return view;
}

void note_first_write(struct disk *disk)
{
	struct tcmur_lun *lun = (struct tcmur_lun *)storage_lu_backstore(storage_served(disk->storage));

	tcmur_lun_written(lun);
}

void open_memory(struct disk *disk, const char *serial)
{
	disk_new(disk, "user_0/ram", "alloc/x");
	disk->settings.size = STAGE_SIZE;
	disk->settings.serial = serial;
	assert_int_equal(disk_open(disk, false, NULL), 0);
}

/* --- commands --- */

struct command {
	struct loop_work work;
	struct scsi_nexus nexus;
	struct scsi_cmd cmd;
	uint8_t data[512];
	struct iovec iov;
	sem_t done;
	struct storage_lu *lu;
};

static bool give_room(struct scsi_cmd *cmd, uint64_t len)
{
	struct command *command = container_of(cmd, struct command, cmd);

	command->iov = (struct iovec){command->data, (size_t)len};
	cmd->iov = &command->iov;
	cmd->iovcnt = 1;
	return true;
}

static uint32_t sense_of(const struct scsi_cmd *cmd)
{
	return (uint32_t)(cmd->sense[2] & 0x0f) << 16 | (uint32_t)cmd->sense[12] << 8 | cmd->sense[13];
}

static void submit(struct command *command);

/* The first command of a nexus reports the unit attention POWER ON. */
static void end(struct scsi_cmd *cmd)
{
	struct command *command = container_of(cmd, struct command, cmd);

	if (cmd->status == SCSI_CHECK_CONDITION && sense_of(cmd) >> 16 == 6) {
		submit(command);
		return;
	}
	scsi_nexus_detach(&command->nexus);
	sem_post(&command->done);
}

static void submit(struct command *command)
{
	static const uint8_t read_10[10] = {0x28, [8] = 1};
	static const struct scsi_cmd_ops ops = {give_room, end};

	scsi_cmd_init(&command->cmd, &ops, command->nexus.lu, &command->nexus, NULL, command->nexus.loop,
		      read_10, sizeof(read_10));
	scsi_parse(&command->cmd);
	scsi_submit(&command->cmd);
}

static void attach_and_submit(struct loop_work *work)
{
	struct command *command = container_of(work, struct command, work);

	scsi_nexus_attach(&command->nexus, NULL, storage_lu_scsi(command->lu), context.loops->loops[1]);
	submit(command);
}

uint32_t run_read(struct storage_lu *lu)
{
	static struct command command;
	const struct scsi_cmd *cmd = &command.cmd;

	memset(&command, 0, sizeof(command));
	command.work.fn = attach_and_submit;
	command.lu = lu;
	sem_init(&command.done, 0, 0);
	loop_post(context.loops->loops[1], &command.work);
	while (sem_wait(&command.done) < 0)
		;
	sem_destroy(&command.done);
	/* The loop may still be inside scsi_submit(). */
	loop_set_barrier(context.loops);
	if (cmd->status == SCSI_GOOD)
		return 0;
	assert_int_equal(cmd->status, SCSI_CHECK_CONDITION);
	return sense_of(cmd);
}
