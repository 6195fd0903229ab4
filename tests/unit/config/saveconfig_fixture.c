/* SPDX-License-Identifier: Apache-2.0 */
/* Runs operations on saveconfig.json, and reads the file and the model. */
#include "saveconfig_fixture.h"

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- running operations --- */

void on_done(void *arg, int err, const struct error *error, const char *const *lines)
{
	struct test *t = arg;

	assert_false(t->done);
	t->done = true;
	t->err = err;
	t->error = error ? *error : (struct error){""};
	g_strfreev(t->lines);
	t->lines = g_strdupv((char **)lines);
}

int finish(struct test *t)
{
	while (!t->done) {
		fixture_settle(t->f);
		g_main_context_iteration(NULL, FALSE);
	}
	t->done = false;
	return t->err;
}

int save(struct test *t)
{
	saveconfig_save(t->config, NULL, on_done, t);
	return finish(t);
}

int restore(struct test *t)
{
	saveconfig_restore(t->config, NULL, NULL, on_done, t);
	return finish(t);
}

int reload(struct test *t, bool discard)
{
	saveconfig_reload(t->config, NULL, discard, NULL, on_done, t);
	return finish(t);
}

int diff(struct test *t)
{
	saveconfig_diff(t->config, NULL, on_done, t);
	return finish(t);
}

bool said(const struct test *t, const char *text)
{
	for (char **line = t->lines; *line; line++)
		if (strstr(*line, text))
			return true;
	for (char **line = t->lines; *line; line++)
		print_message("line: %s\n", *line);
	return false;
}

void assert_no_lines(const struct test *t)
{
	for (char **line = t->lines; *line; line++)
		print_error("line: %s\n", *line);
	assert_null(*t->lines);
}

/* --- files --- */

void write_file(struct test *t, const char *text)
{
	assert_true(g_file_set_contents(t->path, text, -1, NULL));
	assert_int_equal(chmod(t->path, 0600), 0);
}

char *read_file(struct test *t)
{
	char *text;

	assert_true(g_file_get_contents(t->path, &text, NULL, NULL));
	return text;
}

void copy_file(struct test *t, const char *name)
{
	g_autofree char *source = g_build_filename(FILES, name, NULL);
	g_autofree char *text = NULL;

	assert_true(g_file_get_contents(source, &text, NULL, NULL));
	write_file(t, text);
}

void edit_file(struct test *t, const char *old, const char *fresh)
{
	g_autofree char *text = read_file(t);
	g_auto(GStrv) parts = g_strsplit(text, old, -1);
	g_autofree char *edited = g_strjoinv(fresh, parts);

	assert_true(g_strv_length(parts) > 1);
	write_file(t, edited);
}

JsonNode *parse_file(struct test *t)
{
	g_autofree char *text = read_file(t);
	JsonNode *root = json_from_string(text, NULL);

	assert_non_null(root);
	return root;
}

bool file_has(struct test *t, const char *text)
{
	g_autofree char *contents = read_file(t);

	if (strstr(contents, text))
		return true;
	print_message("%s\n", contents);
	return false;
}

/* --- the model --- */

struct model_object *find(struct test *t, const char *path)
{
	g_auto(GStrv) names = g_strsplit(path, " ", -1);
	struct model_object *object = t->f->root, *child;

	for (char **name = names; *name && object; name++) {
		child = NULL;
		for (unsigned kind = MODEL_STORAGE; kind < MODEL_KINDS && !child; kind++)
			child = model_find(object, kind, *name);
		object = child;
	}
	return object;
}

void assert_value(struct test *t, const char *path, const char *group, const char *name, const char *text)
{
	struct model_object *object = *path ? find(t, path) : t->f->root;
	static char value[MODEL_TEXT_SIZE];

	assert_non_null(object);
	assert_non_null(model_attribute(model_kind(object), group, name));
	assert_string_equal(model_get(object, model_attribute(model_kind(object), group, name), value), text);
}

void assert_leads_to(struct test *t, const char *path, const char *to)
{
	assert_non_null(find(t, path));
	assert_string_equal(model_name(model_to(find(t, path))), to);
}

/* --- set-up --- */

int set_up(void **state)
{
	struct test *t = g_new0(struct test, 1);
	char folder[] = "/tmp/test-saveconfig-XXXXXX";

	fixture_set_up((void **)&t->f);
	t->folder = g_strdup(mkdtemp(folder));
	t->path = g_build_filename(t->folder, "saveconfig.json", NULL);
	t->config = saveconfig_new(t->f->model, t->path);
	*state = t;
	return 0;
}

int tear_down(void **state)
{
	struct test *t = *state;
	g_autofree char *command = g_strdup_printf("rm -r %s", t->folder);

	saveconfig_free(t->config);
	fixture_tear_down((void **)&t->f);
	assert_int_equal(system(command), 0);
	g_strfreev(t->lines);
	g_free(t->folder);
	g_free(t->path);
	g_free(t);
	return 0;
}

void start_again(struct test *t)
{
	saveconfig_free(t->config);
	fixture_tear_down((void **)&t->f);
	fixture_set_up((void **)&t->f);
	t->config = saveconfig_new(t->f->model, t->path);
}

/* The name of an entry of a list; NULL: it has none. */
static JsonNode *name_of(JsonNode *entry)
{
	const char *const keys[] = {"wwn", "node_wwn", "tag", "index", "name", "ip_address"};

	for (size_t i = 0; JSON_NODE_HOLDS_OBJECT(entry) && i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_object_has_member(json_node_get_object(entry), keys[i]))
			return json_object_get_member(json_node_get_object(entry), keys[i]);
	return NULL;
}

/* The entry of the list at this place, unless another one has the name of the given entry. */
static JsonNode *find_entry(JsonArray *list, JsonNode *entry, guint at)
{
	JsonNode *name = name_of(entry);
	guint count = json_array_get_length(list);

	for (guint i = 0; name && i < count; i++) {
		JsonNode *candidate = json_array_get_element(list, (at + i) % count),
			 *other = name_of(candidate);

		if (other && json_node_equal(name, other))
			return candidate;
	}
	return json_array_get_element(list, at);
}

void assert_is_part(const char *place, JsonNode *part, JsonNode *whole)
{
	if (JSON_NODE_HOLDS_OBJECT(part)) {
		g_autoptr(GList) names = json_object_get_members(json_node_get_object(part));

		for (GList *name = names; name; name = name->next) {
			g_autofree char *path = g_strdup_printf("%s.%s", place, (char *)name->data);
			JsonNode *member = json_object_get_member(json_node_get_object(whole), name->data);

			if (!member)
				print_error("%s is missing\n", path);
			assert_non_null(member);
			assert_is_part(path, json_object_get_member(json_node_get_object(part), name->data),
				       member);
		}
	} else if (JSON_NODE_HOLDS_ARRAY(part)) {
		JsonArray *a = json_node_get_array(part), *b = json_node_get_array(whole);

		assert_int_equal(json_array_get_length(a), json_array_get_length(b));
		for (guint i = 0; i < json_array_get_length(a); i++) {
			g_autofree char *path = g_strdup_printf("%s[%u]", place, i);

			JsonNode *entry = json_array_get_element(a, i);

			assert_is_part(path, entry, find_entry(b, entry, i));
		}
	} else {
		if (!json_node_equal(part, whole))
			print_error("%s differs\n", place);
		assert_true(json_node_equal(part, whole));
	}
}
