/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/chosen.h"

#include <endian.h>
#include <string.h>
#include <sys/random.h>

#include "core/fdt_builder.h"

int boot_check_bootargs(const char *bootargs, struct error *err)
{
	size_t length = strlen(bootargs);

	if (length <= BOOT_ARGS_MAX)
		return 0;
	return error_set(
		err, E2BIG,
		"kernel command line has %zu bytes, but an arm64 kernel takes no more than "
		"%d; make it shorter, or put parts of it into the initrd",
		length, BOOT_ARGS_MAX);
}

int boot_seeds_generate(struct boot_seeds *ret, struct error *err)
{
	struct boot_seeds seeds;
	ssize_t got;

	do {
		got = getrandom(&seeds, sizeof(seeds), 0);
	} while (got < 0 && errno == EINTR);
	if (got != sizeof(seeds))
		return error_set_errno(err, got < 0 ? errno : EIO,
				       "random seeds for the guest cannot be made");
	*ret = seeds;
	return 0;
}

static void visit_string(boot_chosen_visit *visit, void *data, const char *name, const char *value)
{
	if (value)
		visit(data, name, value, strlen(value) + 1);
}

static void visit_u64(boot_chosen_visit *visit, void *data, const char *name, uint64_t value)
{
	uint64_t cells = htobe64(value);

	visit(data, name, &cells, sizeof(cells));
}

void boot_chosen_each(const struct boot_chosen *chosen, boot_chosen_visit *visit, void *data)
{
	visit_string(visit, data, "bootargs", chosen->bootargs);
	visit_string(visit, data, "stdout-path", chosen->stdout_path);
	if (chosen->initrd_size) {
		visit_u64(visit, data, "linux,initrd-start", chosen->initrd);
		visit_u64(visit, data, "linux,initrd-end", chosen->initrd + chosen->initrd_size);
	}
	visit_u64(visit, data, "kaslr-seed", chosen->seeds.kaslr);
	visit(data, "rng-seed", chosen->seeds.rng, sizeof(chosen->seeds.rng));
}

static void write_property(void *data, const char *name, const void *value, size_t size)
{
	fdt_bytes(data, name, value, size);
}

void boot_describe_chosen(struct fdt_builder *fdt, const struct boot_chosen *chosen)
{
	fdt_begin(fdt, "chosen");
	boot_chosen_each(chosen, write_property, fdt);
	fdt_end(fdt);
}
