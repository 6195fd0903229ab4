/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of methods. It is the source of the schema, the checks of parameters, the log and
 * docs/control-socket.md.
 */
#include "control_socket/methods.h"

#include "control_socket/events.h"
#include "util/bytes.h"

#define PARAMS(...)                    \
	(const struct control_param[]) \
	{                              \
		__VA_ARGS__,           \
		{                      \
			.name = NULL   \
		}                      \
	}
#define NO_PARAMS PARAMS({.name = NULL})

#define PATH(text)                               \
	{                                        \
		"path", CONTROL_TEXT, true, text \
	}
#define OPTIONAL_PATH(text)                       \
	{                                         \
		"path", CONTROL_TEXT, false, text \
	}
#define FILE_PARAM                                                                                \
	{                                                                                         \
		"file", CONTROL_TEXT, false, "An absolute path; the daemon's own file without it" \
	}
#define PROGRESS_PARAM                                                                                    \
	{                                                                                                 \
		"progress", CONTROL_FLAG, false,                                                          \
		    "Sends notifications with the method progress before the result: done and total, in " \
		    "steps"                                                                               \
	}
#define VALUES(text)                                      \
	{                                                 \
		"attributes", CONTROL_VALUES, false, text \
	}

static const struct control_method methods[] = {
    {.name = "status",
     .help = "Reports the state of the daemon: version, uptime, storage objects, kernel devices, and "
	     "everything that is degraded",
     .result =
	 "version, pid, uptime in seconds, degraded, problems, storage, kernel_devices, targets, sessions, "
	 "saveconfig (the path of the file that the daemon was started with), unsaved_changes",
     .params = NO_PARAMS,
     .run = control_method_status},
    {.name = "schema",
     .help = "Describes all methods and all attributes",
     .result = "version, methods, attributes",
     .params = NO_PARAMS,
     .run = control_method_schema},
    {.name = "list",
     .help = "Lists an object and all objects below it",
     .result = "path, kind, further members that depend on the kind, children",
     .params = PARAMS(
	 OPTIONAL_PATH("Where to begin; without it, at the root"),
	 {"depth", CONTROL_NUMBER, false, "How many levels below the object are listed; without it, all"},
	 {"attributes", CONTROL_FLAG, false, "With the values of all attributes"}),
     .run = control_method_list},
    {.name = "get",
     .help = "Shows attributes of an object",
     .result = "path, kind, and attributes, or attribute and value",
     .params = PARAMS(PATH("The object"),
		      {"attribute", CONTROL_ATTRIBUTE, false, "One attribute; without it, all"}),
     .run = control_method_get},
    {.name = "set",
     .help = "Sets an attribute of an object",
     .result = "an empty object",
     .changes = true,
     .params = PARAMS(
	 PATH("The object"),
	 {"attribute", CONTROL_ATTRIBUTE, true, "Its name with its group, such as attrib/authentication"},
	 {"value", CONTROL_VALUE, true, "The new value"}),
     .run = control_method_set},
    {.name = "create",
     .help = "Creates an object; an object that exists with these values is left as it is, and one with "
	     "other values is refused",
     .result = "path; created: whether the object is new",
     .changes = true,
     .params = PARAMS(PATH("The new object"),
		      {"to", CONTROL_TEXT, false,
		       "What a LUN or a mapped LUN leads to: a storage object, or a LUN of the TPG"},
		      VALUES("Attributes that are set before the object is enabled, in this order"),
		      {"enable", CONTROL_FLAG, false,
		       "Enables the storage object or TPG; without it, the object is created disabled"}),
     .run = control_method_create},
    {.name = "delete",
     .help = "Deletes an object, and answers when its last command has ended",
     .result = "an empty object",
     .changes = true,
     .params =
	 PARAMS(PATH("The object"), {"recursive", CONTROL_FLAG, false, "Delete everything below it, too"}),
     .run = control_method_delete},
    {.name = "enable",
     .help = "Opens a storage object, or lets initiators log in to a TPG",
     .result = "an empty object",
     .changes = true,
     .params = PARAMS(PATH("The storage object or TPG")),
     .run = control_method_enable},
    {.name = "disable",
     .help = "Ends the sessions of a TPG and refuses new ones",
     .result = "an empty object",
     .changes = true,
     .params = PARAMS(PATH("The TPG")),
     .run = control_method_disable},
    {.name = "map",
     .help = "Gives a TPG a LUN for a storage object, or an initiator a mapped LUN; for an initiator, the "
	     "LUN of the TPG and the ACL are created if they are missing",
     .result = "path; lun: the number; created: whether something is new",
     .changes = true,
     .params = PARAMS(PATH("The TPG, or a target with one TPG"),
		      {"storage", CONTROL_TEXT, true, "The storage object"},
		      {"lun", CONTROL_NUMBER, false,
		       "The number of the LUN, or of the mapped LUN; without it, the one that exists, or the "
		       "lowest free one"},
		      {"initiator", CONTROL_TEXT, false, "The name of an initiator"},
		      VALUES("Attributes of the LUN, or of the mapped LUN")),
     .run = control_method_map},
    {.name = "unmap",
     .help = "Takes LUNs away from a TPG, or mapped LUNs from an initiator; the storage object stays",
     .result = "deleted: the paths of the objects that were deleted",
     .changes = true,
     .params = PARAMS(
	 PATH("The TPG, or a target with one TPG"),
	 {"storage", CONTROL_TEXT, false, "The storage object whose LUNs are meant"},
	 {"lun", CONTROL_NUMBER, false, "The number of the LUN that is meant"},
	 {"initiator", CONTROL_TEXT, false, "The initiator; without it, the LUN of the TPG is deleted"}),
     .run = control_method_unmap},
    {.name = "resize",
     .help = "Resizes a storage object and notifies the initiators",
     .result = "an empty object",
     .changes = true,
     .params = PARAMS(PATH("The storage object"), {"size", CONTROL_NUMBER, true, "Bytes"}),
     .run = control_method_resize},
    {.name = "replace",
     .help = "Opens the storage of an object again, or accepts that its contents were lost; a disk in "
	     "memory that is served is refused, because it would become empty",
     .result = "an empty object",
     .changes = true,
     .params = PARAMS(PATH("The storage object")),
     .run = control_method_replace},
    {.name = "filters",
     .help = "Lists the filters of a storage object or a kernel device, from the outermost to the innermost",
     .result = "filters, each with its number, its name as filter, and the options that have been given",
     .params = PARAMS(PATH("The storage object or kernel device")),
     .run = control_method_filters},
    {.name = "set_filter",
     .help =
	 "Changes an option of a filter while the disk is in use; this changes control/config, which save "
	 "writes. For a kernel device, the refusal says how to change it in the kernel's target",
     .result = "an empty object",
     .changes = true,
     .params = PARAMS(
	 PATH("The storage object"), {"filter", CONTROL_TEXT, true, "The name of the filter, or its number"},
	 {"option", CONTROL_TEXT, true, "The name of the option"},
	 {"value", CONTROL_TEXT, false, "The new value; without it, the option has its default"}),
     .run = control_method_set_filter},
    {.name = "sessions",
     .help = "Lists the sessions of initiators",
     .result = "sessions",
     .params = PARAMS(OPTIONAL_PATH("A target or a TPG; without it, all sessions")),
     .run = control_method_sessions},
    {.name = "kick",
     .help = "Asks an initiator to log out, and ends its session",
     .result = "an empty object",
     .changes = true,
     .params = PARAMS({"tsih", CONTROL_NUMBER, true, "The TSIH of the session"}),
     .run = control_method_kick},
    {.name = "drain",
     .help = "Prepares maintenance: disables TPGs, which ends their sessions, and flushes their storage",
     .result = "disabled: the paths of the TPGs that were enabled before",
     .changes = true,
     .params = PARAMS(OPTIONAL_PATH("A target or a TPG; without it, all targets")),
     .run = control_method_drain},
    {.name = "save",
     .help = "Writes the configuration to saveconfig.json",
     .result = "lines: remarks for the user",
     .changes = true,
     .params = PARAMS(FILE_PARAM),
     .run = control_method_save},
    {.name = "restore",
     .help = "Makes the configuration equal to saveconfig.json",
     .result = "lines: the entries that cannot be restored",
     .changes = true,
     .params = PARAMS(FILE_PARAM, PROGRESS_PARAM),
     .run = control_method_restore},
    {.name = "reload",
     .help = "Does the same as restore, but is refused if changes would be lost that were not saved",
     .result = "lines: the entries that cannot be restored",
     .changes = true,
     .params =
	 PARAMS(FILE_PARAM, {"discard", CONTROL_FLAG, false, "The changes may be lost"}, PROGRESS_PARAM),
     .run = control_method_reload},
    {.name = "diff",
     .help = "Compares the configuration with saveconfig.json",
     .result = "lines: the differences",
     .params = PARAMS(FILE_PARAM),
     .run = control_method_diff},
    {.name = "forget",
     .help = "Gives up an entry of saveconfig.json that could not be restored",
     .result = "an empty object",
     .changes = true,
     .params = PARAMS({"name", CONTROL_TEXT, true, "The name of the entry, as status shows it"}),
     .run = control_method_forget},
    {.name = "subscribe",
     .help = "Asks for events: from now on, each change of an object is reported on this connection",
     .result =
	 "an empty object; then notifications with the method event: event (created, deleted or changed), "
	 "kind, path, time, and for some kinds enabled and state",
     .params = NO_PARAMS,
     .run = control_method_subscribe},
};

const struct control_method *control_method_at(unsigned i)
{
	return i < ARRAY_SIZE(methods) ? &methods[i] : NULL;
}
