/* SPDX-License-Identifier: Apache-2.0 */
/* Loads the kernel module target_core_user with modprobe(8), and checks that LIO has appeared in configfs. */
#include "system/kernel_module.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#ifdef TCMUR_HAVE_KMOD
#include <libkmod.h>
#endif

#define MODULE   "target_core_user"
#define CONFIGFS "/sys/kernel/config"

#ifdef TCMUR_HAVE_KMOD
static int insert(struct kmod_ctx *ctx, struct error *error)
{
	struct kmod_list *list = NULL, *item;
	int err = kmod_module_new_from_lookup(ctx, MODULE, &list);

	if (err < 0 && err != -ENOENT)
		return error_set(error, -err, "module " MODULE ": %s", strerror(-err));
	if (!list)
		return error_set(error, ENOTSUP, "this kernel has no TCMU: there is no module " MODULE);
	kmod_list_foreach(item, list)
	{
		struct kmod_module *module = kmod_module_get_module(item);

		err = kmod_module_probe_insert_module(module, KMOD_PROBE_APPLY_BLACKLIST, NULL, NULL, NULL,
						      NULL);
		kmod_module_unref(module);
		if (err)
			break;
	}
	kmod_module_unref_list(list);
	if (err == KMOD_PROBE_APPLY_BLACKLIST)
		return error_set(error, ENOTSUP, "module " MODULE " is blacklisted");
	return err ? error_set(error, -err, "module " MODULE " cannot be loaded: %s", strerror(-err)) : 0;
}

static int load(struct error *error)
{
	struct kmod_ctx *ctx = kmod_new(NULL, NULL);

	if (!ctx)
		return error_set(error, ENOMEM, "out of memory");
	int err = insert(ctx, error);
	kmod_unref(ctx);
	return err;
}
#else
static int load(struct error *error)
{
	return error_set(error, ENOTSUP,
			 "module " MODULE " is not loaded, and this build cannot load it: modprobe " MODULE);
}
#endif

int kernel_module_load(struct error *error)
{
	int err = access("/sys/module/" MODULE, F_OK) ? load(error) : 0;

	if (!err && access(CONFIGFS "/target", F_OK))
		return error_set(
		    error, ENOENT,
		    CONFIGFS
		    "/target does not exist; mount configfs first: mount -t configfs configfs " CONFIGFS);
	return err;
}
