/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a program: what it is said to need are texts of it, and end within it. */
#include "trial/elf_needs.h"

#include <string.h>

#include "base/util.h"
#include "fuzz.h"

static void check_text(const char *text, const char *bytes, size_t size)
{
	FUZZ_ASSERT(text >= bytes && text < bytes + size);
	FUZZ_ASSERT(memchr(text, '\0', size - (size_t)(text - bytes)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct elf_needs needs;
	int r = elf_needs_read(data, size, &needs);

	FUZZ_ASSERT(r == 0 || r == -ENOEXEC || r == -EINVAL);
	FUZZ_ASSERT(needs.count <= (r ? 0 : ELF_NEEDS_MAX));
	if (needs.interpreter)
		check_text(needs.interpreter, bytes, size);
	if (needs.path)
		check_text(needs.path, bytes, size);
	for (size_t i = 0; i < needs.count; i++)
		check_text(needs.libraries[i], bytes, size);
	return 0;
}
