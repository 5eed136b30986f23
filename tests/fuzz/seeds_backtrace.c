/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "elf_bytes.h"
#include "seeds.h"

void save_backtrace(const char *folder)
{
	static const struct elf_bytes_symbol symbols[] = {
		{"vfs_write", 0x1000, 0x3a0, STT_FUNC},
		{"el0t_64_sync", 0x2000, 0, STT_NOTYPE},
		{"kernel_init", 0x3000, 0x100, STT_FUNC},
		{0},
	};
	/* A trace, a zero, what is said of each address, a zero, the file. */
	static const char text[] = "pc : vfs_write+0xdc/0x3a0\n"
				   "Call trace:\n"
				   " vfs_write+0xdc/0x3a0 (P)\n"
				   " probe+0x10/0x20 [module]\n"
				   " el0t_64_sync+0x18c/0x190\n"
				   "\0"
				   "inner\n/build/include/i.h:3 (discriminator 2)\n"
				   "outer\n/build/init/main.c:582\n";
	uint8_t input[sizeof(text) + sizeof(struct elf_bytes)];
	struct elf_bytes elf;
	size_t size = elf_bytes_make(&elf, symbols);

	memcpy(input, text, sizeof(text));
	memcpy(input + sizeof(text), &elf, size);
	save(folder, "backtrace", "seed",
	     &(struct bytes){.data = input, .size = sizeof(text) + size});
}
