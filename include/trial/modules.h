/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of a kernel's modules have to be loaded, in what order: modules.dep, as depmod(8)
 * writes it. What is built in, or is not there at all, is not in it; whether it works shows
 * when it is used.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_TRIAL_MODULES_H
#define ARMLET_TRIAL_MODULES_H

#include "base/error.h"

#define MODULES_LOADED_MAX 64 /* of one guest's */

struct modules {
	char *folder; /* with modules.dep in it */
	char *text;   /* of that */
	size_t size;
	/* Below @folder, those that are needed first in front. */
	char *files[MODULES_LOADED_MAX];
	size_t count;
};

/*
 * Those of @kernel, a file: in @folder if that is not NULL, or in /lib/modules by the version
 * in the kernel's name, or in the one folder of lib/modules beside it. Without any, @ret has
 * none. Fails with a sentence if @folder is none, or the list cannot be read or is damaged.
 */
int modules_find(const char *kernel, const char *folder, struct modules *ret, struct error *err);

/*
 * The module @name ("9pnet_virtio"; a dash is as good), and those that it depends on. -E2BIG:
 * they are too many.
 */
int modules_need(struct modules *modules, const char *name, struct error *err);

/* Takes a zeroed one. */
void modules_finish(struct modules *modules);

#endif
