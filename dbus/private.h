/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations that the files of this folder share. Everything runs on the main thread, so there are no
 * locks.
 */
#ifndef DBUS_PRIVATE_H
#define DBUS_PRIVATE_H

#include <gio/gio.h>

#include "dbus/service.h"
#include "util/bytes.h"
#include "util/error.h"
#include "util/list.h"

#define SERVICE_NAME    "org.kernel.TCMUService1"
#define SERVICE_PATH    "/org/kernel/TCMUService1"
#define HANDLER_IFACE   SERVICE_NAME
#define HANDLER_MANAGER "HandlerManager1"
#define DEVICES         "Devices1"

struct tcmur_handler;

/* A handler that is listed on the bus, now or as soon as there is a connection. */
struct dbus_handler {
	struct list node;
	struct dbus_service *service;
	char *name;
	/* The property ConfigDesc. */
	char *desc;
	/* The loaded handler, or NULL if the handler belongs to another daemon. */
	const struct tcmur_handler *loaded;
	/* The registration of the handler's object on the bus, or 0 if the handler has no object there. */
	guint object;
	/* For a handler of another daemon: the watch of the daemon's name on the bus. */
	guint watch;
	/*
	 * For a handler of another daemon: the call of RegisterHandler until it is answered, then NULL. It is
	 * answered when the bus has said whether the name exists.
	 */
	GDBusMethodInvocation *registration;
};

struct dbus_service {
	struct control_service *control;
	struct list handlers;
	/* The connection to the bus, or NULL if there is none. */
	GDBusConnection *bus;
	/* Cancels the pending calls when the service stops. */
	GCancellable *stopped;
	/* The number of calls from this service to the bus whose callbacks have not run yet. */
	unsigned pending;
	/* The registrations of the objects that are not handlers. */
	guint objects[3];
	/* The timer that tries to connect again, or 0 if it does not run. */
	guint retry;
	/* True if the log already has the warning about a missing bus, which is written once. */
	bool bus_missing;
};

/* calls.c */
/*
 * Registers an object whose method calls are dispatched to the functions below. Returns the registration, or
 * 0 if it fails.
 */
guint dbus_export(struct dbus_service *s, const char *path, const GDBusInterfaceInfo *interface);
/* Returns the text as a D-Bus string. The text may contain any bytes; see dbus_string(). */
GVariant *dbus_text(const char *text);
/* Returns a copy of the text that is valid UTF-8 without control characters. The caller frees it. */
char *dbus_string(const char *text);
/*
 * Answers a call with a boolean and a text: good says whether the configuration or the handler is accepted,
 * and message is the reason if it is not.
 */
void dbus_return_verdict(GDBusMethodInvocation *call, bool good, const char *message);

/* handlers.c */
void dbus_handlers_load(struct dbus_service *s);
void dbus_handlers_free(struct dbus_service *s);
/* Called after a connection was made. */
void dbus_handlers_export(struct dbus_service *s);
/* Called before the connection is dropped. Also removes the handlers of other daemons. */
void dbus_handlers_unexport(struct dbus_service *s);
struct dbus_handler *dbus_handler_add(struct dbus_service *s, const char *name, const char *desc);
void dbus_handler_remove(struct dbus_handler *handler);
bool dbus_handler_export(struct dbus_handler *handler);
struct dbus_handler *dbus_handler_find(const struct dbus_service *s, const char *name);
/* Returns the handler with the object at this path, or NULL. */
struct dbus_handler *dbus_handler_at(const struct dbus_service *s, const char *path);
void dbus_get_managed_objects(struct dbus_service *s, GDBusMethodInvocation *call);
void dbus_check_config(struct dbus_service *s, GDBusMethodInvocation *call);

/* handler_manager.c */
void dbus_register_handler(struct dbus_service *s, GDBusMethodInvocation *call);
void dbus_forward_check_config(struct dbus_handler *handler, GDBusMethodInvocation *call);

/* devices.c */
void dbus_list_devices(struct dbus_service *s, GDBusMethodInvocation *call);
void dbus_report(struct dbus_service *s, GDBusMethodInvocation *call);
#endif
