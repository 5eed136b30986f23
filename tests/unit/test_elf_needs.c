/* SPDX-License-Identifier: Apache-2.0 */
/* What programs and libraries need: whole ones, and each field of one damaged. */
#include "trial/elf_needs.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "program_bytes.h"
#include "unit.h"

static const struct {
	struct program_bytes file;
	const char *path;
} wholes[] = {
	{{0}, NULL},
	{{.interpreter = "/lib/ld.so", .libraries = {"libc.so.6"}}, NULL},
	{{.libraries = {"a", "b", "c", "d"}, .runpath = "$ORIGIN"}, "$ORIGIN"},
	{{.libraries = {"a"}, .rpath = "/r"}, "/r"},
	{{.libraries = {"a"}, .rpath = "/r", .runpath = "/run"}, "/run"},
};

START_TEST(test_whole)
{
	const struct program_bytes *wanted = &wholes[_i].file;
	struct program_file_bytes file;
	struct elf_needs needs;
	size_t i;

	program_bytes_make(wanted, &file);
	ck_assert_int_eq(elf_needs_read(&file, sizeof(file), &needs), 0);
	ck_assert_pstr_eq(needs.interpreter, wanted->interpreter);
	ck_assert_pstr_eq(needs.path, wholes[_i].path);
	for (i = 0; wanted->libraries[i]; i++)
		ck_assert_str_eq(needs.libraries[i], wanted->libraries[i]);
	ck_assert_uint_eq(needs.count, i);
}
END_TEST

#define FIELD(member)                                \
	offsetof(struct program_file_bytes, member), \
		sizeof(((struct program_file_bytes *)0)->member)

/* One field of a good one is @value. */
static const struct {
	size_t offset;
	size_t size;
	uint64_t value;
	int result;
} damages[] = {
	{FIELD(header.e_ident[EI_MAG3]), 'G', -ENOEXEC},
	{FIELD(header.e_ident[EI_CLASS]), ELFCLASS32, -ENOEXEC},
	{FIELD(header.e_ident[EI_DATA]), ELFDATA2MSB, -ENOEXEC},
	{FIELD(header.e_machine), EM_X86_64, -ENOEXEC},
	{FIELD(header.e_phentsize), 1, -EINVAL},
	{FIELD(header.e_phnum), 65535, -EINVAL},
	{FIELD(header.e_phoff), UINT64_MAX - 8, -EINVAL},
	{FIELD(header.e_phoff), 1 << 20, -EINVAL},
	{FIELD(segments[2].p_offset), UINT64_MAX, -EINVAL},
	{FIELD(segments[2].p_offset), sizeof(struct program_file_bytes), -EINVAL},
	{FIELD(dynamic[0].d_un.d_val), UINT64_MAX, -EINVAL},
	{FIELD(dynamic[0].d_un.d_val), sizeof(struct program_file_bytes), -EINVAL},
	/* Without strings there are no libraries. */
	{FIELD(header.e_phnum), 0, 0},
	{FIELD(segments[0].p_vaddr), UINT64_MAX, 0},
	{FIELD(segments[0].p_offset), UINT64_MAX, 0},
	{FIELD(segments[1].p_offset), UINT64_MAX - 4, 0},
	{FIELD(segments[1].p_filesz), 8, 0},
	{FIELD(dynamic[0].d_tag), DT_NULL, 0},
};

START_TEST(test_damaged)
{
	const struct program_bytes good = {.interpreter = "/i", .libraries = {"a"}};
	struct program_file_bytes file;
	struct elf_needs needs;

	program_bytes_make(&good, &file);
	memcpy((char *)&file + damages[_i].offset, &damages[_i].value, damages[_i].size);
	ck_assert_int_eq(elf_needs_read(&file, sizeof(file), &needs), damages[_i].result);
	ck_assert_uint_eq(needs.count, 0);
}
END_TEST

/* Cut at every byte, in memory of just that size. */
START_TEST(test_cut)
{
	const struct program_bytes good = {
		.interpreter = "/i", .libraries = {"a"}, .runpath = "/r"};
	struct program_file_bytes file;
	struct elf_needs needs;

	program_bytes_make(&good, &file);
	for (size_t size = 0; size < sizeof(file); size++) {
		_cleanup_free_ char *cut = malloc(size + !size);
		int r;

		memcpy(cut, &file, size);
		r = elf_needs_read(cut, size, &needs);
		ck_assert(r == 0 || r == -ENOEXEC || r == -EINVAL);
	}
}
END_TEST

START_TEST(test_endless)
{
	struct program_file_bytes file;
	struct elf_needs needs;

	program_bytes_make(&(struct program_bytes){.libraries = {"a"}}, &file);
	memset(file.strings, 'x', sizeof(file.strings));
	ck_assert_int_eq(elf_needs_read(&file, sizeof(file), &needs), -EINVAL);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_whole, ARRAY_SIZE(wholes)),
	UNIT_LOOP(test_damaged, ARRAY_SIZE(damages)),
	UNIT_CASE(test_cut),
	UNIT_CASE(test_endless),
	{0},
};
const char unit_name[] = "elf_needs";
