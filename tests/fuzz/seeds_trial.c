/* SPDX-License-Identifier: Apache-2.0 */
#include "program_bytes.h"
#include "seeds.h"

void save_trial(const char *folder)
{
	static const struct program_bytes program = {.interpreter = "/lib/ld.so",
						     .libraries = {"liba.so", "libb.so"},
						     .runpath = "$ORIGIN/../lib",
						     .rpath = "/lib"};
	const struct bytes text = {.data = (uint8_t *)"CONFIG_A=y\n", .size = 11};
	const struct bytes begin = {.data = (uint8_t *)"\x07IKCFG_ST", .size = 9};
	const struct bytes end = {.data = (uint8_t *)"IKCFG_ED", .size = 8};
	_cleanup_bytes_ struct bytes packed = bytes_gzip(&text);
	_cleanup_bytes_ struct bytes front = bytes_concat(&begin, &packed);
	_cleanup_bytes_ struct bytes kernel = bytes_concat(&front, &end);
	struct program_file_bytes elf;

	program_bytes_make(&program, &elf);
	save(folder, "elf_needs", "program",
	     &(struct bytes){.data = (uint8_t *)&elf, .size = sizeof(elf)});
	save(folder, "ikconfig", "kernel", &kernel);
}
