/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. Everything runs on the main thread, hence no lock. */
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

/* A handler that has, or will have, an object. */
struct dbus_handler {
	struct list node;
	struct dbus_service *service;
	char *name;
	char *desc;                         /* ConfigDesc */
	const struct tcmur_handler *loaded; /* NULL: another daemon's */
	guint object;                       /* its registration on the bus, 0 while it has none */
	/* another daemon's */
	guint watch;                         /* of its bus name */
	GDBusMethodInvocation *registration; /* to be answered when the bus name is found, or is not */
};

struct dbus_service {
	struct control_service *control;
	struct list handlers;
	GDBusConnection *bus;  /* NULL while there is none */
	GCancellable *stopped; /* ends what is pending */
	unsigned pending;      /* calls of ours on the bus whose callbacks are still to run */
	guint objects[3];      /* registrations of what is no handler */
	guint retry;           /* timer, 0 while not needed */
	bool bus_missing;      /* said so already */
};

/* calls.c. Registers an object whose method calls reach the functions below. The registration, 0 if refused.
 */
guint dbus_export(struct dbus_service *s, const char *path, const GDBusInterfaceInfo *interface);
/* A reply or property of text that may be any bytes. */
GVariant *dbus_text(const char *text);
void dbus_return_verdict(GDBusMethodInvocation *call, bool good, const char *message);

/* handlers.c */
void dbus_handlers_load(struct dbus_service *s);
void dbus_handlers_free(struct dbus_service *s);
/* The bus came, or went and took the other daemons' handlers along. */
void dbus_handlers_export(struct dbus_service *s);
void dbus_handlers_unexport(struct dbus_service *s);
struct dbus_handler *dbus_handler_add(struct dbus_service *s, const char *name, const char *desc);
void dbus_handler_remove(struct dbus_handler *handler);
bool dbus_handler_export(struct dbus_handler *handler);
struct dbus_handler *dbus_handler_find(const struct dbus_service *s, const char *name);
/* The handler whose object this is, NULL if none. */
struct dbus_handler *dbus_handler_at(const struct dbus_service *s, const char *path);
void dbus_get_managed_objects(struct dbus_service *s, GDBusMethodInvocation *call);
void dbus_check_config(struct dbus_service *s, GDBusMethodInvocation *call);

/* handler_manager.c */
void dbus_register_handler(struct dbus_service *s, GDBusMethodInvocation *call);
void dbus_forward_check_config(struct dbus_handler *handler, GDBusMethodInvocation *call);

/* devices.c */
void dbus_list_devices(struct dbus_service *s, GDBusMethodInvocation *call);
#endif
