/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PE/COFF headers, as far as a kernel's EFI stub has them: Microsoft PE and
 * COFF Specification, sections "MS-DOS Stub", "COFF File Header" and "Section
 * Table".
 */
#include <string.h>

#include "base/cursor.h"
#include "image_private.h"

#define PE_OFFSET_AT     0x3c
#define PE_SIGNATURE     0x00004550 /* "PE\0\0" */
#define COFF_TO_OPTIONAL 12         /* from NumberOfSections to SizeOfOptionalHeader */

static const struct {
	uint16_t machine;
	const char *name;
} pe_machines[] = {
	{0x014c, "32-bit x86"}, {0x01c0, "32-bit Arm"}, {0x01c2, "32-bit Arm"},
	{0x01c4, "32-bit Arm"}, {0x5032, "RISC-V"},     {0x5064, "RISC-V"},
	{0x6264, "LoongArch"},  {0x8664, "x86-64"},     {IMAGE_PE_ARM64, "arm64"},
};

const char *image_pe_machine_name(uint16_t machine)
{
	for (size_t i = 0; i < ARRAY_SIZE(pe_machines); i++) {
		if (pe_machines[i].machine == machine)
			return pe_machines[i].name;
	}
	return "another machine";
}

bool image_pe_parse(const struct image_head *head, struct image_pe *ret)
{
	struct cursor c = cursor_init(head->bytes, head->size);
	struct image_pe pe = {0};
	uint16_t sections, optional;

	if (head->size < 2 || memcmp(head->bytes, "MZ", 2) != 0)
		return false;
	cursor_take(&c, PE_OFFSET_AT);
	cursor_take(&c, cursor_u32(&c) - (PE_OFFSET_AT + sizeof(uint32_t)));
	if (cursor_u32(&c) != PE_SIGNATURE)
		return false;
	pe.machine = cursor_u16(&c);
	sections = cursor_u16(&c);
	cursor_take(&c, COFF_TO_OPTIONAL);
	optional = cursor_u16(&c);
	if (!cursor_ok(&c))
		return false;
	cursor_take(&c, sizeof(uint16_t) + optional); /* Characteristics */
	for (uint16_t i = 0; i < sections && cursor_ok(&c); i++) {
		uint64_t size, at;

		cursor_take(&c, 16); /* Name, VirtualSize, VirtualAddress */
		size = cursor_u32(&c);
		at = cursor_u32(&c);
		cursor_take(&c, 16); /* relocations, line numbers, Characteristics */
		if (cursor_ok(&c) && size)
			pe.raw_end = max_u64(pe.raw_end, at + size);
	}
	*ret = pe;
	return true;
}
