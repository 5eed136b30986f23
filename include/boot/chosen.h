/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the boot program tells the kernel in /chosen: Devicetree Specification
 * v0.4, section 3.6; Linux, Documentation/devicetree/bindings/chosen.txt and
 * dt-schema's chosen.yaml (linux,initrd-start, kaslr-seed, rng-seed).
 */
#ifndef ARMLET_BOOT_CHOSEN_H
#define ARMLET_BOOT_CHOSEN_H

#include "base/error.h"
#include "core/types.h"

struct fdt_builder;

/* Linux's COMMAND_LINE_SIZE on arm64, without the NUL: more is cut by the kernel. */
#define BOOT_ARGS_MAX 2047

/* New at each start and reset of the guest. */
struct boot_seeds {
	uint64_t kaslr;  /* kaslr-seed: where the kernel puts itself */
	uint8_t rng[64]; /* rng-seed: for the kernel's random number generator */
};

struct boot_chosen {
	const char *bootargs;    /* NULL: none, or in a user's tree: as it is there */
	const char *stdout_path; /* NULL: the same */
	gpa_t initrd;
	uint64_t initrd_size; /* 0: none; a user's tree then loses what it says of one */
	struct boot_seeds seeds;
};

/* -E2BIG with a sentence if a kernel would cut @bootargs. */
int boot_check_bootargs(const char *bootargs, struct error *err);

/* Fill with the host's randomness. */
int boot_seeds_generate(struct boot_seeds *ret, struct error *err);

/* Write the node; the root is open, its children are not. */
void boot_describe_chosen(struct fdt_builder *fdt, const struct boot_chosen *chosen);

/* A property of /chosen: @size bytes. */
typedef void boot_chosen_visit(void *data, const char *name, const void *value, size_t size);

/* Call @visit for each property that @chosen makes. */
void boot_chosen_each(const struct boot_chosen *chosen, boot_chosen_visit *visit, void *data);

#endif
