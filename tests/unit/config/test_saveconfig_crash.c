/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that dies while it saves, calls that fail, and a full file system: afterwards the file is the
 * previous one or the new one, and a copy in backup/ is complete. The linker replaces the system calls that
 * change files by the functions below, so that the process dies before each of them, and in the middle of
 * each write, or so that each of them fails.
 */
#include "saveconfig_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TARGETS 150

/* --- dying at a system call --- */

int __real_mkdirat(int folder, const char *name, mode_t mode);
int __real_unlinkat(int folder, const char *name, int flags);
int __real_renameat(int from, const char *name, int to, const char *new_name);
int __real_fsync(int fd);
ssize_t __real_write(int fd, const void *data, size_t len);
int __wrap_mkdirat(int folder, const char *name, mode_t mode);
int __wrap_unlinkat(int folder, const char *name, int flags);
int __wrap_renameat(int from, const char *name, int to, const char *new_name);
int __wrap_fsync(int fd);
ssize_t __wrap_write(int fd, const void *data, size_t len);

/* The number of calls that are still executed; negative: all. */
static int calls_left = -1;

static bool is_last_call(void)
{
	return calls_left >= 0 && !calls_left--;
}

/* Whether the process goes on after the last call, which fails. */
static bool goes_on;

/* Returns whether this call fails. */
static bool is_stopped(void)
{
	if (!is_last_call())
		return false;
	if (!goes_on)
		kill(getpid(), SIGKILL);
	errno = EIO;
	return true;
}

int __wrap_mkdirat(int folder, const char *name, mode_t mode)
{
	return is_stopped() ? -1 : __real_mkdirat(folder, name, mode);
}

int __wrap_unlinkat(int folder, const char *name, int flags)
{
	/* What cannot be removed must stay. */
	return !goes_on && is_stopped() ? -1 : __real_unlinkat(folder, name, flags);
}

int __wrap_renameat(int from, const char *name, int to, const char *new_name)
{
	return is_stopped() ? -1 : __real_renameat(from, name, to, new_name);
}

int __wrap_fsync(int fd)
{
	return is_stopped() ? -1 : __real_fsync(fd);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	if (calls_left != 0)
		return is_stopped() ? -1 : __real_write(fd, data, len);
	__real_write(fd, data, len / 2);
	return is_stopped() ? -1 : 0;
}

/* --- saving --- */

/* Creates n targets. The number of targets shows which configuration a file contains. */
static void add_targets(struct test *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		g_autofree char *name = g_strdup_printf("iqn.2026-11.com.example:target%u", i);

		fixture_create(t->f, fixture_create(t->f, t->f->root, MODEL_TARGET, name, NULL), MODEL_TPG,
			       "tpgt_1", NULL);
	}
}

/* Returns the number of targets in a file, which must be complete. */
static guint count_targets(const char *path)
{
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_autoptr(JsonNode) root = json_from_string(text, &error);
	if (!root)
		print_error("%s: %s\n", path, error ? error->message : "empty");
	assert_non_null(root);
	return json_array_get_length(json_object_get_array_member(json_node_get_object(root), "targets"));
}

static void assert_complete(const char *path)
{
	guint n = count_targets(path);

	assert_true(n == TARGETS || n == TARGETS + 1);
}

static void assert_copies_are_complete(struct test *t)
{
	g_autofree char *folder = g_build_filename(t->folder, "backup", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *copy = g_build_filename(folder, name, NULL);

		if (g_str_has_prefix(name, "saveconfig-"))
			assert_complete(copy);
	}
}

/* An unfinished copy has secrets, and no other process would remove it. */
static void assert_no_unfinished_copies(struct test *t)
{
	g_autofree char *folder = g_build_filename(t->folder, "backup", NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		assert_true(g_str_has_prefix(name, "saveconfig-"));
}

/* Returns whether a process dies after this many calls, while it saves one target more. */
static bool dies_after(struct test *t, int calls)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		fixture_create(t->f, t->f->root, MODEL_TARGET, OPEN, NULL);
		calls_left = calls;
		_exit(save(t) ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

static void test_dies_while_it_saves(void **state)
{
	struct test *t = *state;
	int calls = 0;

	add_targets(t, TARGETS);
	assert_int_equal(save(t), 0);
	while (dies_after(t, calls)) {
		assert_complete(t->path);
		assert_copies_are_complete(t);
		/* The files that a killed process has left do not prevent the next one from saving. */
		assert_int_equal(save(t), 0);
		assert_int_equal(count_targets(t->path), TARGETS);
		assert_no_unfinished_copies(t);
		calls++;
	}
	assert_int_equal(count_targets(t->path), TARGETS + 1);
	/* Two files are written, synchronised and renamed, and their folders are synchronised. */
	assert_true(calls > 8);
	start_again(t);
	assert_int_equal(restore(t), 0);
	assert_no_lines(t);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns the names of all files in the folder and in its backup folder. */
static char *list_files(struct test *t)
{
	static const char *const folders[] = {".", "backup"};
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	for (size_t i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autofree char *folder = g_build_filename(t->folder, folders[i], NULL);
		g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
		const char *name;

		while (dir && (name = g_dir_read_name(dir)))
			g_ptr_array_add(names, g_build_filename(folders[i], name, NULL));
	}
	g_ptr_array_sort(names, by_name);
	g_ptr_array_add(names, NULL);
	return g_strjoinv("\n", (char **)names->pdata);
}

/* Returns whether a process fails to save one target more, because a call after this many calls fails. */
static bool fails_after(struct test *t, int calls)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		fixture_create(t->f, t->f->root, MODEL_TARGET, OPEN, NULL);
		calls_left = calls;
		goes_on = true;
		_exit(save(t) ? 1 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) != 0;
}

/* Attempts that fail leave nothing behind, and do not replace the copies of previous contents. */
static void test_fails_to_save(void **state)
{
	struct test *t = *state;
	const guint n = 3;
	int calls = 0;

	add_targets(t, n);
	for (unsigned i = 0; i < 15; i++) { /* As many copies as are kept, with different contents. */
		g_autofree char *name = g_strdup_printf("iqn.2026-11.com.example:more%u", i);
		struct model_object *more = fixture_create(t->f, t->f->root, MODEL_TARGET, name, NULL);

		assert_int_equal(save(t), 0);
		assert_int_equal(fixture_delete(t->f, more, false), 0);
	}
	assert_int_equal(save(t), 0);
	g_autofree char *before = list_files(t);
	while (fails_after(t, calls)) {
		g_autofree char *after = list_files(t);

		/* Only the last call, which makes the new name durable, is too late for the old contents. */
		if (count_targets(t->path) == n) {
			assert_string_equal(before, after);
		} else {
			assert_false(fails_after(t, calls + 1));
			break;
		}
		calls++;
	}
	assert_int_equal(count_targets(t->path), n + 1);
	assert_true(calls > 6);
}

/* Limits the size of files to this many bytes. */
static void set_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_has_no_room(void **state)
{
	struct test *t = *state;
	static const rlim_t limits[] = {0, 1, 4096, 20000};

	signal(SIGXFSZ, SIG_IGN);
	add_targets(t, TARGETS);
	assert_int_equal(save(t), 0);
	g_autofree char *before = read_file(t);
	assert_true(strlen(before) > 20000);
	fixture_create(t->f, t->f->root, MODEL_TARGET, OPEN, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
		set_limit(limits[i]);
		assert_int_equal(save(t), -EFBIG);
		set_limit(RLIM_INFINITY);
		g_autofree char *after = read_file(t);
		assert_string_equal(before, after);
		assert_true(saveconfig_has_changed(t->config));
	}
	/* There is room for the copy of the previous contents, but not for the new contents. */
	set_limit(strlen(before) + 1);
	assert_int_equal(save(t), -EFBIG);
	set_limit(RLIM_INFINITY);
	assert_complete(t->path);
	assert_int_equal(save(t), 0);
	assert_int_equal(count_targets(t->path), TARGETS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_dies_while_it_saves),
	    TEST(test_fails_to_save),
	    TEST(test_has_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
