/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets of saveconfig.json: they are restored and saved as they are, whatever characters they have, and
 * no copy of them is in memory that a core dump contains.
 */
#include "saveconfig_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "config/saveconfig_secrets.h"
#include "util/secret_memory.h"

/* --- JSON text --- */

/* Hides the secrets of the text, and puts them back. */
static void assert_round_trip(const char *text, const char *secret, const char *written)
{
	struct config_text full;
	gsize len;
	g_autofree char *hidden = config_secrets_extract(text, strlen(text), &len);

	assert_int_equal(len, strlen(hidden));
	if (secret)
		assert_null(strstr(hidden, secret));
	else
		assert_string_equal(hidden, text);
	config_secrets_insert(hidden, len, &full);
	assert_string_equal(full.text, written ? written : text);
	assert_int_equal(full.len, strlen(full.text));
	config_text_free(&full);
}

static void test_text(void **state)
{
	(void)state;
	assert_round_trip("{\"chap_password\": \"open sesame\", \"chap_userid\": \"open\"}", "sesame", NULL);
	assert_round_trip("{\"chap_password\" :\n\t\"a\\\"b\\\\c\\u0001d\" , \"x\": \"chap_password\"}",
			  "a\\\"b", NULL);
	assert_round_trip("[{\"more_accounts\": \"alice open sesame\"}]", "sesame", NULL);
	assert_round_trip("{\"chap\\u005fpassword\": \"open sesame\"}", "sesame", NULL);
	/* Other spellings of the same characters are written in the usual one. */
	assert_round_trip("{\"chap_password\": \"\\u00e4\\/\\ud83d\\ude00\\n\"}", "ud83d",
			  "{\"chap_password\": \"\u00e4/\U0001f600\\u000a\"}");
	/* These are no secrets, or no strings. */
	assert_round_trip("{\"chap_userid\": \"open sesame\", \"y\": \"\"}", NULL, NULL);
	assert_round_trip("{\"chap_password\": \"\"}", NULL, NULL);
	assert_round_trip("{\"chap_password\": 123, \"a\": [\"chap_password\", \"x\"]}", NULL, NULL);
	assert_round_trip("{\"chap_password\": {\"a\": \"x\"}}", NULL, NULL);
	assert_round_trip("{\"chap_password\": \"\\ud83d\"}", NULL, NULL);
	assert_round_trip("{\"chap_password\": \"\\u0000\"}", NULL, NULL);
	assert_round_trip("{\"chap_password\": \"open", NULL, NULL);
	assert_round_trip("\"chap_password\":\"\\", NULL, NULL);
	assert_round_trip("", NULL, NULL);
	config_secrets_sweep((const struct config_node *const[]){NULL});
}

static void test_placeholders(void **state)
{
	g_autofree char *one = g_strdup(config_secret_hide("one")),
			*again = g_strdup(config_secret_hide("one"));

	(void)state;
	assert_string_equal(one, again);
	assert_string_not_equal(one, config_secret_hide("two"));
	assert_string_equal(config_secret_reveal(one), "one");
	assert_string_equal(config_secret_hide(one), one);
	assert_string_equal(config_secret_reveal("two"), "two");
	assert_string_equal(config_secret_hide(""), "");
	config_secrets_sweep((const struct config_node *const[]){NULL});
	assert_string_equal(config_secret_reveal(one), one);
}

/* --- the memory of the process --- */

/* The secret must not be a string of this program, because the search would find this string. */
#define SECRET_SIZE 24
static void make_secret(char *secret, char key)
{
	for (int i = 0; i < SECRET_SIZE - 1; i++)
		secret[i] = (char)('A' + (i * 7 + key) % 26);
	secret[SECRET_SIZE - 1] = '\0';
}

/* The secrets that are searched for, and where they are on the stack; these copies are skipped. */
struct search {
	char secrets[5][SECRET_SIZE];
	unsigned count;
};

static unsigned count_in(const char *copy, size_t size, unsigned long begin, const struct search *search)
{
	unsigned count = 0;

	for (unsigned i = 0; i < search->count; i++) {
		const char *secret = search->secrets[i], *at = copy;

		for (; (at = memmem(at, (size_t)(copy + size - at), secret, SECRET_SIZE - 1)); at++)
			count += begin + (unsigned long)(at - copy) != (unsigned long)secret;
	}
	return count;
}

static unsigned read_and_count(int memory, unsigned long begin, unsigned long end,
			       const struct search *search)
{
	char *copy = secret_alloc(end - begin);
	ssize_t n = pread(memory, copy, end - begin, (off_t)begin);
	unsigned count = n > 0 ? count_in(copy, (size_t)n, begin, search) : 0;

	secret_free(copy, end - begin);
	return count;
}

/* Returns the number of copies in writable memory that core dumps contain. */
static unsigned count_copies(const struct search *search)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	unsigned long begin = 0, end = 0, from, to;
	char line[512], mode[8] = "", new_mode[8];
	unsigned count = 0;

	assert_non_null(maps);
	assert_true(memory >= 0);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, new_mode) == 3) {
			begin = from;
			end = to;
			strcpy(mode, new_mode);
		} else if (!strncmp(line, "VmFlags:", 8) && strstr(mode, "rw") && !strstr(line, " dd") &&
			   end - begin < 1ul << 30) {
			count += read_and_count(memory, begin, end, search);
		}
	}
	fclose(maps);
	close(memory);
	return count;
}

/* Another process writes the file, so that only the daemon's copies are in this one. */
static void write_secrets(struct test *t)
{
	g_autofree char *command = g_strdup_printf(
	    "python3 -c 'import json, os, sys\n"
	    "make = lambda key: \"\".join(chr(65 + (i * 7 + key) %% 26) for i in range(%d))\n"
	    "tpg = {\"tag\": 1, \"chap_userid\": \"u\", \"chap_password\": make(1), \"node_acls\": "
	    "[{\"node_wwn\": "
	    "\"" ACL "\", \"chap_userid\": \"v\", \"chap_password\": make(2)}, {\"node_wwn\": \"no name\", "
	    "\"chap_password\": make(3)}]}\n"
	    "own = {\"version\": 1, \"targets\": {\"" OPEN "\": {\"tpgs\": {\"1\": {\"more_accounts\": "
	    "\"w \" + make(4)}}}}}\n"
	    "json.dump({\"targets\": [{\"fabric\": \"iscsi\", \"wwn\": \"" OPEN "\", \"tpgs\": [tpg]}], "
	    "\"fabric_modules\": [{\"name\": \"iscsi\", \"discovery_password\": make(5)}], \"tcmu_runner\": "
	    "own}, "
	    "os.fdopen(os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY, 0o600), \"w\"))' %s",
	    SECRET_SIZE - 1, t->path);

	assert_int_equal(system(command), 0);
}

static void assert_file_has_secrets(struct test *t, int n)
{
	g_autofree char *command =
	    g_strdup_printf("python3 -c 'import sys\n"
			    "text = open(sys.argv[1]).read()\n"
			    "make = lambda key: \"\".join(chr(65 + (i * 7 + key) %% 26) for i in range(%d))\n"
			    "sys.exit([text.count(make(key)) for key in range(1, 6)] != [%d] * 5)' %s",
			    SECRET_SIZE - 1, n, t->path);

	assert_int_equal(system(command), 0);
}

static void assert_no_copies(void)
{
	struct search search = {.count = 5};

	for (unsigned i = 0; i < search.count; i++)
		make_secret(search.secrets[i], (char)(i + 1));
	assert_int_equal(count_copies(&search), 0);
	explicit_bzero(&search, sizeof(search));
}

/*
 * Returns false in an emulator of programs, such as qemu-user, which does not exclude memory from dumps.
 * unit/util_secret_memory tests that secret_alloc() asks for it.
 */
static bool secrets_are_hidden(void)
{
	struct search search = {.count = 1};
	char *hidden = secret_alloc(SECRET_SIZE);

	make_secret(search.secrets[0], 8);
	make_secret(hidden, 8);
	unsigned count = count_copies(&search);
	explicit_bzero(&search, sizeof(search));
	secret_free(hidden, SECRET_SIZE);
	return count == 0;
}

static void test_no_copy_is_in_a_core_dump(void **state)
{
	struct search search = {.count = 1};
	struct test *t = *state;

	if (!secrets_are_hidden())
		skip();
	/* The search finds a copy that the test has made. */
	make_secret(search.secrets[0], 9);
	g_autofree char *copy = g_strdup(search.secrets[0]);
	assert_int_equal(count_copies(&search), 1);
	assert_string_equal(copy, search.secrets[0]);
	write_secrets(t);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(restore(t), 0);
		assert_true(said(t, "node_acls[1]"));
		assert_no_copies();
		assert_int_equal(save(t), 0);
		assert_file_has_secrets(t, 1);
		assert_int_equal(diff(t), 0);
		assert_no_lines(t);
		assert_int_equal(reload(t, false), 0);
		assert_no_copies();
		start_again(t);
	}
	assert_no_copies();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_placeholders),
	    TEST(test_no_copy_is_in_a_core_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
