/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel of `armlet test` has to have: by its modules it gets what it lacks, and where
 * it can be read what it was built with, what is missing is said before it boots in vain.
 */
#include <stdio.h>
#include <string.h>

#include "test.h"
#include "trial/modules.h"

/* What makes something needed. */
enum {
	ALWAYS = BIT(0),
	NEEDS_9P = BIT(1),
	NEEDS_VIRTIOFS = BIT(2),
	NEEDS_OVERLAY = BIT(3),
	NEEDS_DISK = BIT(4),
	NEEDS_NET = BIT(5),
	NEEDS_VSOCK = BIT(6),
};

static const struct {
	const char *module; /* NULL: it is none */
	const char *option; /* that has to be set, without CONFIG_; NULL: it goes without, too */
	unsigned when;
} needs[] = {
	{"virtio_mmio", "VIRTIO_MMIO", ALWAYS},
	{"virtio_console", "VIRTIO_CONSOLE", ALWAYS},
	{NULL, "BLK_DEV_INITRD", ALWAYS},
	{NULL, "DEVTMPFS", ALWAYS},
	{"9pnet_virtio", "NET_9P_VIRTIO", NEEDS_9P},
	{"9p", "9P_FS", NEEDS_9P},
	{"virtiofs", "VIRTIO_FS", NEEDS_VIRTIOFS},
	{"overlay", NULL, NEEDS_OVERLAY},
	{"virtio_blk", "VIRTIO_BLK", NEEDS_DISK},
	{"ext4", NULL, NEEDS_DISK},
	{"crc32c_generic", NULL, NEEDS_DISK},
	{"virtio_net", "VIRTIO_NET", NEEDS_NET},
	{"vmw_vsock_virtio_transport", "VIRTIO_VSOCKETS", NEEDS_VSOCK},
};

static unsigned what_is_needed(const struct test *test)
{
	const struct machine_config *config = &test->run.options.machine;
	unsigned when = ALWAYS;

	when |= test->shares[SHARE_9P] ? NEEDS_9P : 0;
	when |= test->shares[SHARE_VIRTIOFS] ? NEEDS_VIRTIOFS : 0;
	when |= test->root_volume[0] && !test->options.writable ? NEEDS_OVERLAY : 0;
	when |= config->disk_count ? NEEDS_DISK : 0;
	when |= config->net_count ? NEEDS_NET : 0;
	when |= config->vsock_cid ? NEEDS_VSOCK : 0;
	return when;
}

/* Whether it is among those that are loaded. */
static bool is_loaded(const struct modules *modules, size_t before)
{
	return modules->count > before;
}

static int check_option(const struct kconfig *config, const char *option, bool loaded,
			struct error *err)
{
	enum kconfig_value value = kconfig_get(config, option);

	if (value == KCONFIG_NO)
		return error_set(
			err, ENODEV,
			"the kernel has no CONFIG_%s, as its '%s' says, and cannot do what "
			"it is to do without",
			option, config->path);
	if (value == KCONFIG_MODULE && !loaded)
		return error_set(err, ENODEV,
				 "the kernel has CONFIG_%s as a module only, as its '%s' says, and "
				 "its modules were not found; say with --modules where they are",
				 option, config->path);
	return 0;
}

static int need_wanted(const struct test *test, struct modules *modules, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < test->options.more_module_count && r == 0; i++) {
		size_t before = modules->count;

		r = modules_need(modules, test->options.more_modules[i], err);
		if (r == 0 && modules->count == before && !modules->folder)
			r = error_set(
				err, ENOENT,
				"--modprobe %s: there are no modules of this kernel; say with "
				"--modules where they are",
				test->options.more_modules[i]);
	}
	return r;
}

int test_need_modules(struct test *test, struct modules *modules, struct error *err)
{
	const char *kernel = test->run.options.machine.kernel;
	unsigned when = what_is_needed(test);
	int r = modules_find(kernel, test->options.modules, modules, err);

	if (r < 0)
		return test->options.modules ? error_prefix(err, "--modules: ") : r;
	for (size_t i = 0; i < ARRAY_SIZE(needs) && r == 0; i++) {
		size_t before = modules->count;

		if (!(needs[i].when & when))
			continue;
		if (needs[i].module)
			r = modules_need(modules, needs[i].module, err);
		/* Who has the modules has been built for this: a long search is not worth it. */
		if (needs[i].module && needs[i].option && !is_loaded(modules, before))
			kconfig_look_inside(kernel, &test->kconfig);
		if (r == 0 && needs[i].option)
			r = check_option(&test->kconfig, needs[i].option,
					 is_loaded(modules, before), err);
	}
	return r < 0 ? r : need_wanted(test, modules, err);
}

bool test_has_module(const struct test *test, const char *name)
{
	_cleanup_(modules_finish) struct modules modules = {0};
	struct error err = {0};

	return modules_find(test->run.options.machine.kernel, test->options.modules, &modules,
			    &err) == 0 &&
	       modules_need(&modules, name, &err) == 0 && modules.count;
}
