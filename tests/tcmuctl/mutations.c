/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mutations FOLDER ROUNDS: changes the inputs of a fuzz target's corpus at random, and runs the target with
 * each result. The random numbers are the same in each run, so a failure can be repeated.
 */
#include <dirent.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define SEED 20261126

/* Words that have a meaning for the parsers. */
static const char *const words[] = {
    "{",
    "}",
    "<",
    ">",
    "</",
    "[",
    "]",
    "#",
    "\\",
    "\"",
    "=",
    ";",
    ",",
    "/",
    "*",
    "!",
    "?",
    "ALL",
    "0",
    "-1",
    "4294967296",
    "10.0.0.0/33",
    "[::1",
    "\n",
    "\t",
    " ",
    "include ",
    "<target ",
    "</target>",
    "LUN 0 disk1\n",
    "===\n",
    "\r\n",
    "\xff",
    "IncomingUser a b\n",
    "TARGET_DRIVER iscsi {\n",
    "GROUP g {\n",
    "INITIATOR *\n",
    "%s%n",
    "~00",
    ":default:",
};

static void insert_word(GRand *random, GString *text)
{
	const char *word = words[g_rand_int_range(random, 0, G_N_ELEMENTS(words))];

	g_string_insert(text, g_rand_int_range(random, 0, (gint)text->len + 1), word);
}

static void erase(GRand *random, GString *text)
{
	gint start = g_rand_int_range(random, 0, (gint)text->len);
	gint most = MIN((gint)text->len - start, 64);

	g_string_erase(text, start, g_rand_int_range(random, 1, most + 1));
}

static void change_byte(GRand *random, GString *text)
{
	text->str[g_rand_int_range(random, 0, (gint)text->len)] = (char)g_rand_int_range(random, 0, 256);
}

/* Copies a piece to another place. */
static void copy(GRand *random, GString *text)
{
	gint start = g_rand_int_range(random, 0, (gint)text->len);
	g_autofree char *piece = g_strndup(text->str + start, (gsize)g_rand_int_range(random, 1, 200));

	g_string_insert(text, g_rand_int_range(random, 0, (gint)text->len + 1), piece);
}

static void mutate(GRand *random, GString *text)
{
	static void (*const changes[])(GRand *, GString *) = {insert_word, erase, change_byte, copy};

	for (gint i = g_rand_int_range(random, 1, 8); i > 0 && text->len; i--)
		changes[g_rand_int_range(random, 0, G_N_ELEMENTS(changes))](random, text);
}

static void run(GRand *random, const char *input, size_t size, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		g_autoptr(GString) text = g_string_new_len(input, (gssize)size);

		mutate(random, text);

		/* Memory of exactly this size, so that AddressSanitizer notices a read past its end. */
		g_autofree uint8_t *exact = g_memdup2(text->str, text->len);

		LLVMFuzzerTestOneInput(exact, exact ? text->len : 0);
	}
}

int main(int argc, char **argv)
{
	DIR *folder = argc == 3 ? opendir(argv[1]) : NULL;
	GRand *random = g_rand_new_with_seed(SEED);
	struct dirent *entry;
	unsigned inputs = 0;

	while (folder && (entry = readdir(folder))) {
		g_autofree char *path = g_build_filename(argv[1], entry->d_name, NULL);
		g_autofree char *input = NULL;
		gsize size;

		if (*entry->d_name == '.' || !g_file_get_contents(path, &input, &size, NULL))
			continue;
		run(random, input, size, (unsigned)atoi(argv[2]));
		inputs++;
	}
	if (folder)
		closedir(folder);
	g_rand_free(random);
	printf("%u inputs\n", inputs);
	return inputs ? EXIT_SUCCESS : EXIT_FAILURE;
}
