/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects of handlers on the bus: one for each loaded handler, and one for each handler of another
 * daemon. They answer GetManagedObjects and CheckConfig. Registration is left to handler_manager.c.
 */
#include <errno.h>

#include "backstore/backstore.h"
#include "dbus/interfaces.h"
#include "dbus/private.h"
#include "storage/spec.h"
#include "util/log.h"

/*
 * The kernel keeps the first TCMU_CONFIG_LEN - 1 bytes of dev_config, and drops the others without an error.
 */
#define CONFIG_MAX 255

/* --- the list of handlers --- */

struct dbus_handler *dbus_handler_add(struct dbus_service *s, const char *name, const char *desc)
{
	struct dbus_handler *handler = g_new0(struct dbus_handler, 1);

	handler->service = s;
	handler->name = g_strdup(name);
	handler->desc = g_strdup(desc);
	list_add_tail(&s->handlers, &handler->node);
	return handler;
}

struct dbus_handler *dbus_handler_find(const struct dbus_service *s, const char *name)
{
	struct list *node, *next;

	list_for_each (&s->handlers, node, next) {
		struct dbus_handler *handler = list_entry(node, struct dbus_handler, node);

		if (!strcmp(handler->name, name))
			return handler;
	}
	return NULL;
}

struct dbus_handler *dbus_handler_at(const struct dbus_service *s, const char *path)
{
	struct dbus_handler *handler = dbus_handler_find(s, strrchr(path, '/') + 1);

	return handler && handler->object ? handler : NULL;
}

void dbus_handlers_load(struct dbus_service *s)
{
	const struct tcmur_handler *loaded;

	for (unsigned i = 0; (loaded = backstore_handler_at(i)); i++)
		dbus_handler_add(s, loaded->name, loaded->config_desc)->loaded = loaded;
}

/* --- their objects --- */

static char *path_of(const struct dbus_handler *handler)
{
	return g_strconcat(SERVICE_PATH "/", handler->name, NULL);
}

/* Returns the interfaces of a handler's object with their properties, in the format a{sa{sv}}. */
static GVariant *interfaces_of(const struct dbus_handler *handler)
{
	return g_variant_new_parsed("{%s: {'ConfigDesc': <%@s>}}", HANDLER_IFACE, dbus_text(handler->desc));
}

static void emit(const struct dbus_handler *handler, const char *signal, GVariant *interfaces)
{
	g_autofree char *path = path_of(handler);

	g_dbus_connection_emit_signal(handler->service->bus, NULL, SERVICE_PATH,
				      "org.freedesktop.DBus.ObjectManager", signal,
				      g_variant_new("(o*)", path, interfaces), NULL);
}

bool dbus_handler_export(struct dbus_handler *handler)
{
	g_autofree char *path = path_of(handler);

	handler->object = dbus_export(handler->service, path, &org_kernel_tcmuservice1_interface);
	if (handler->object)
		emit(handler, "InterfacesAdded", interfaces_of(handler));
	return handler->object;
}

static void unexport(struct dbus_handler *handler)
{
	if (!handler->object)
		return;
	g_dbus_connection_unregister_object(handler->service->bus, handler->object);
	handler->object = 0;
	emit(handler, "InterfacesRemoved", g_variant_new_parsed("[%s]", HANDLER_IFACE));
}

void dbus_handler_remove(struct dbus_handler *handler)
{
	unexport(handler);
	if (handler->watch)
		g_bus_unwatch_name(handler->watch);
	if (handler->registration)
		dbus_return_verdict(handler->registration, false, "the service is stopping");
	list_del(&handler->node);
	g_free(handler->name);
	g_free(handler->desc);
	g_free(handler);
}

void dbus_handlers_export(struct dbus_service *s)
{
	struct list *node, *next;

	list_for_each (&s->handlers, node, next)
		dbus_handler_export(list_entry(node, struct dbus_handler, node));
}

void dbus_handlers_unexport(struct dbus_service *s)
{
	struct list *node, *next;

	list_for_each (&s->handlers, node, next) {
		struct dbus_handler *handler = list_entry(node, struct dbus_handler, node);

		if (handler->loaded)
			unexport(handler);
		else
			dbus_handler_remove(handler);
	}
}

void dbus_handlers_free(struct dbus_service *s)
{
	struct list *node, *next;

	list_for_each (&s->handlers, node, next)
		dbus_handler_remove(list_entry(node, struct dbus_handler, node));
}

/* --- method calls --- */

void dbus_get_managed_objects(struct dbus_service *s, GDBusMethodInvocation *call)
{
	GVariantBuilder objects;
	struct list *node, *next;

	g_variant_builder_init(&objects, G_VARIANT_TYPE("a{oa{sa{sv}}}"));
	list_for_each (&s->handlers, node, next) {
		const struct dbus_handler *handler = list_entry(node, struct dbus_handler, node);
		g_autofree char *path = path_of(handler);

		if (handler->object)
			g_variant_builder_add(&objects, "{o@a{sa{sv}}}", path, interfaces_of(handler));
	}
	g_dbus_method_invocation_return_value(call, g_variant_new("(a{oa{sa{sv}}})", &objects));
}

/*
 * configfs ends a value at a comma or a newline. rtslib refuses a colon, and ignores everything after a
 * blank.
 */
static int check_characters(const char *text, struct error *error)
{
	for (const char *c = text; *c; c++)
		if (strchr(",: ", *c) || g_ascii_iscntrl(*c))
			return error_set(
			    error, EINVAL,
			    "it contains a comma, a colon, a blank or a control character; write ~ and two "
			    "hexadecimal digits instead: ~%02x",
			    (unsigned char)*c);
	return 0;
}

static int check_config(const struct tcmur_handler *handler, const struct storage_spec *spec,
			struct error *error)
{
	const char *config = spec->config + strlen(handler->name) + 1;
	char reason[256] = "";
	int err = backstore_check_options(handler, spec->options, spec->noptions, error);

	if (!err)
		err = backstore_check_filters(spec->backstore_filters, spec->nfilters, error);
	if (!err && handler->check_config &&
	    (err = handler->check_config(config, reason, sizeof(reason))) < 0)
		return error_set(error, -err, "%s", *reason ? reason : g_strerror(-err));
	return err;
}

/*
 * This check neither opens a path nor uses storage. Otherwise a caller could find out with this method which
 * files exist on this machine.
 */
static int check_text(const struct tcmur_handler *handler, const char *text, struct error *error)
{
	size_t name_len = strlen(handler->name);
	struct storage_spec spec;

	if (strncmp(text, handler->name, name_len) != 0 || text[name_len] != '/')
		return error_set(error, EINVAL, "it does not begin with %s/", handler->name);
	if (strlen(text) > CONFIG_MAX)
		return error_set(error, EINVAL, "it is longer than %d bytes", CONFIG_MAX);
	if (check_characters(text, error) || storage_spec_parse(&spec, text, error))
		return -EINVAL;
	int err = check_config(handler, &spec, error);
	storage_spec_free(&spec);
	return err;
}

void dbus_check_config(struct dbus_service *s, GDBusMethodInvocation *call)
{
	struct dbus_handler *handler = dbus_handler_at(s, g_dbus_method_invocation_get_object_path(call));
	struct error error = {"success"};
	const char *text;

	/* The handler may have been removed since the call arrived. */
	if (!handler) {
		dbus_return_verdict(call, false, "no such handler");
		return;
	}
	if (!handler->loaded) {
		dbus_forward_check_config(handler, call);
		return;
	}
	g_variant_get(g_dbus_method_invocation_get_parameters(call), "(&s)", &text);
	bool good = check_text(handler->loaded, text, &error) == 0;
	dbus_return_verdict(call, good, error.text);
}
