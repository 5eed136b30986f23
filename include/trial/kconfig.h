/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a kernel was built with, where that can be read: in itself (trial/ikconfig.h), or in its
 * .config, as make(1) leaves it in the kernel's tree and distributions install it beside the
 * kernel.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_TRIAL_KCONFIG_H
#define ARMLET_TRIAL_KCONFIG_H

#include "base/error.h"

enum kconfig_value {
	KCONFIG_UNKNOWN, /* there is no file to tell */
	KCONFIG_NO,
	KCONFIG_MODULE,
	KCONFIG_YES, /* or a text or number */
};

struct kconfig {
	char *path; /* of the file, or "CONFIG_IKCONFIG"; NULL: none was found */
	char *text;
	size_t size;
	bool settled; /* nothing says it better */
};

/*
 * That of @kernel, of the files beside it: config-VERSION beside vmlinuz-VERSION, or config, as
 * they are installed; .config, or that at the top of the tree whose arch/arm64/boot it is in,
 * either of which may have been changed since. Never fails: one that cannot be read is none.
 */
void kconfig_find(const char *kernel, struct kconfig *ret);

/*
 * That which @kernel has in itself takes the place of one that may have been changed. It is looked
 * for once, in all of the kernel, which has to be unpacked for that.
 */
void kconfig_look_inside(const char *kernel, struct kconfig *config);

/* @name without CONFIG_ */
enum kconfig_value kconfig_get(const struct kconfig *config, const char *name);

/* Takes a zeroed one. */
void kconfig_finish(struct kconfig *config);

#endif
