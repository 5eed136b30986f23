/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/initrd.h"

#include <inttypes.h>

#include "boot/boot_file.h"

struct initrd {
	struct boot_file file;
};

int initrd_open(const char *path, struct initrd **ret, struct error *err)
{
	_cleanup_free_ struct initrd *initrd = malloc(sizeof(*initrd));
	int r;

	if (!initrd)
		return error_set_errno(err, ENOMEM, "initrd '%s' cannot be opened", path);
	r = boot_file_open("initrd", path, &initrd->file, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(&initrd);
	return 0;
}

void initrd_close(struct initrd *initrd)
{
	if (!initrd)
		return;
	boot_file_close(&initrd->file);
	free(initrd);
}

uint64_t initrd_size(const struct initrd *initrd)
{
	return initrd->file.size;
}

int initrd_load(struct initrd *initrd, const struct guest_mem *mem, gpa_t base, struct error *err)
{
	void *host = guest_mem_at(mem, base, initrd->file.size);
	int r;

	if (!host)
		return error_set(err, EFAULT,
				 "initrd '%s' does not fit into the guest's memory at 0x%" PRIx64,
				 initrd->file.path, base);
	r = boot_file_check(&initrd->file, err);
	if (r < 0)
		return r;
	return boot_file_read(&initrd->file, 0, host, initrd->file.size, err);
}
