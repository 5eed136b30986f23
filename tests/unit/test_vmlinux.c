/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel's vmlinux: where it is found, and where in it the functions of a trace are. */
#include "trial/vmlinux.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "elf_bytes.h"
#include "unit.h"

static const struct elf_bytes_symbol symbols[] = {
	{"$x", 0x1000, 0, STT_NOTYPE},
	{"exact", 0x1000, 0x20, STT_FUNC},
	{"padded", 0x1020, 0x1c, STT_FUNC},
	{"padded_more", 0x1040, 0x10, STT_FUNC},
	{"assembler", 0x2000, 0, STT_NOTYPE},
	{"twice", 0x3000, 0x10, STT_FUNC},
	{"twice", 0x3100, 0x20, STT_FUNC},
	{"same", 0x3200, 0x20, STT_FUNC},
	{"same", 0x3300, 0x20, STT_FUNC},
	{"thrice", 0x3400, 0x20, STT_FUNC},
	{"thrice", 0x3500, 0x20, STT_FUNC},
	{"thrice", 0x3500, 0x20, STT_FUNC},
	{"variable", 0x4000, 0x20, STT_OBJECT},
	{"exact.cold", 0x5000, 0x20, STT_FUNC},
	{"alias", 0x6000, 0x20, STT_FUNC},
	{"alias", 0x6000, 0x20, STT_FUNC},
	{"kernel_init", 0x7000, 0x300, STT_FUNC},
	{0},
};

static const struct {
	const char *line;
	uint64_t address; /* 0: it is not found */
} rows[] = {
	{" exact+0x4/0x20", 0x1000},  {" exact+0x4/0x21", 0x1000},
	{" exact+0x4/0x1f", 0}, /* of another kernel */
	{" exac+0x4/0x20", 0},        {" exact.cold+0x4/0x20", 0x5000},
	{" padded+0x4/0x20", 0x1020}, {" padded_more+0x4/0x4f", 0x1040},
	{" padded_more+0x4/0x50", 0}, {" assembler+0x4/0x1000", 0x2000},
	{" twice+0x4/0x10", 0x3000},  {" twice+0x4/0x20", 0x3100},
	{" twice+0x4/0x2c", 0x3100},  {" same+0x4/0x20", 0},
	{" thrice+0x4/0x20", 0},      {" alias+0x4/0x20", 0x6000},
	{" variable+0x4/0x20", 0},    {" exact+0x4/0x20 [module]", 0},
	{" none+0x4/0x20", 0},
};

static struct elf_bytes elf;
static size_t elf_size;

static int elf_file(void)
{
	FILE *file = tmpfile();
	int fd;

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(&elf, 1, elf_size, file), elf_size);
	ck_assert_int_eq(fflush(file), 0);
	fd = dup(fileno(file));
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fclose(file), 0);
	return fd;
}

static uint64_t look_up(const char *line, int *ret)
{
	struct backtrace backtrace = {0};
	struct error err = {0};
	uint64_t address = 0;
	int fd = elf_file();

	ck_assert_int_eq(backtrace_add(&backtrace, line), 0);
	ck_assert_uint_eq(backtrace.count, 1);
	ck_assert_int_eq(backtrace_ready(&backtrace), 0);
	*ret = vmlinux_look_up(fd, &backtrace, &err);
	ck_assert(*ret >= 0 ? !err.code : *ret == -err.code && err.text[0]);
	for (size_t i = 0; i < backtrace.count; i++) {
		if (strncmp(backtrace.frames[i].symbol, "kernel_init", 11) != 0)
			address = backtrace.frames[i].address;
	}
	close(fd);
	backtrace_finish(&backtrace);
	return address;
}

START_TEST(test_look_up)
{
	int r;

	elf_size = elf_bytes_make(&elf, symbols);
	ck_assert_uint_eq(look_up(rows[_i].line, &r), rows[_i].address);
	ck_assert_int_eq(r, 1 + (rows[_i].address != 0));
}
END_TEST

/* Cut off anywhere it is refused, or what is left tells no more than the whole. */
START_TEST(test_truncated)
{
	int r;

	elf_size = elf_bytes_make(&elf, symbols);
	for (; elf_size; elf_size--) {
		uint64_t address = look_up(" exact+0x4/0x20", &r);

		ck_assert(address == 0x1000 || (r < 0 && !address));
	}
}
END_TEST

/* ---- Damage ----------------------------------------------------------------------------- */

static void no_magic(void)
{
	elf.header.e_ident[0] = 0;
}
static void elf32(void)
{
	elf.header.e_ident[EI_CLASS] = ELFCLASS32;
}
static void big_endian(void)
{
	elf.header.e_ident[EI_DATA] = ELFDATA2MSB;
}
static void x86(void)
{
	elf.header.e_machine = EM_X86_64;
}
static void no_sections(void)
{
	elf.header.e_shnum = 0;
}
static void many_sections(void)
{
	elf.header.e_shnum = UINT16_MAX;
}
static void odd_sections(void)
{
	elf.header.e_shentsize = 1;
}
static void far_sections(void)
{
	elf.header.e_shoff = UINT64_MAX;
}
static void stripped(void)
{
	elf.table.sh_type = SHT_PROGBITS;
}
static void no_names(void)
{
	elf.table.sh_link = 2;
}
static void far_symbols(void)
{
	elf.table.sh_offset = UINT64_MAX - 8;
}
static void many_symbols(void)
{
	elf.table.sh_size = UINT64_MAX;
}
static void far_names(void)
{
	elf.names.sh_offset = INT64_MAX;
}
static void many_names(void)
{
	elf.names.sh_size = UINT64_MAX / 2;
}
static void few_names(void)
{
	elf.names.sh_size = 3;
}

static const struct {
	void (*damage)(void);
	bool is_seen; /* when it is opened */
	bool is_refused;
} damages[] = {
	{no_magic, true, true},     {elf32, true, true},        {big_endian, true, true},
	{x86, true, true},          {no_sections, true, true},  {many_sections, true, true},
	{odd_sections, true, true}, {far_sections, true, true}, {stripped, true, true},
	{no_names, true, true},     {far_symbols, false, true}, {many_symbols, false, true},
	{far_names, false, true},   {many_names, false, true},  {few_names, false, false},
};

START_TEST(test_damaged)
{
	struct error err = {0};
	char path[64];
	int fd, r;

	elf_size = elf_bytes_make(&elf, symbols);
	damages[_i].damage();
	ck_assert_uint_eq(look_up(" exact+0x4/0x20", &r), 0);
	ck_assert_int_eq(r, damages[_i].is_refused ? -EIO : 0);
	fd = elf_file();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = vmlinux_open(path, &err);
	ck_assert(damages[_i].is_seen ? r == -EINVAL && strstr(err.text, "is no vmlinux") : r >= 0);
	close_fd(r);
	close(fd);
}
END_TEST

/* ---- Where it is ------------------------------------------------------------------------ */

static char folder[64];

static void put(const char *path, bool real)
{
	char command[PATH_MAX];
	FILE *file;

	snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s')\"", path);
	ck_assert_int_eq(system(command), 0);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(&elf, 1, real ? elf_size : 1, file), real ? elf_size : 1);
	ck_assert_int_eq(fclose(file), 0);
}

static const struct {
	const char *kernel, *others[3]; /* one that begins with ! is none */
	const char *found;              /* NULL: none */
} places[] = {
	{"Image", {"vmlinux"}, "vmlinux"},
	{"linux/arch/arm64/boot/Image", {"linux/vmlinux"}, "linux/vmlinux"},
	{"linux/arch/arm64/boot/Image",
	 {"linux/vmlinux", "linux/arch/arm64/boot/vmlinux"},
	 "linux/arch/arm64/boot/vmlinux"},
	{"vmlinuz-6.1.0-13-arm64", {"vmlinux", "vmlinux-6.1.0-13-arm64"}, "vmlinux-6.1.0-13-arm64"},
	{"Image-6.1", {"vmlinux", "vmlinux-6.1"}, "vmlinux-6.1"},
	{"vmlinuz-6.1", {"vmlinux", "vmlinux-6.2", "!vmlinux-6.1"}, "vmlinux"},
	{"other-6.1", {"vmlinux-6.1"}, NULL},
	{"Image", {"!vmlinux"}, NULL},
	{"Image", {NULL}, NULL},
	{"vmlinux", {"vmlinux"}, "vmlinux"},
	{"deep/er/kernel", {"deep/er/kernel", "deep/er/vmlinux"}, "deep/er/kernel"},
};

START_TEST(test_places)
{
	char command[128], wanted[PATH_MAX], real[PATH_MAX];
	char *path = NULL;
	int fd;

	elf_size = elf_bytes_make(&elf, symbols);
	strcpy(folder, "/tmp/vmlinux.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(chdir(folder), 0);
	put(places[_i].kernel, false);
	for (size_t i = 0; i < ARRAY_SIZE(places[_i].others) && places[_i].others[i]; i++) {
		const char *other = places[_i].others[i];

		put(*other == '!' ? other + 1 : other, *other != '!');
	}
	fd = vmlinux_find(places[_i].kernel, &path);
	if (places[_i].found) {
		ck_assert_int_ge(fd, 0);
		ck_assert_ptr_nonnull(realpath(path, real));
		ck_assert_ptr_nonnull(realpath(places[_i].found, wanted));
		ck_assert_str_eq(real, wanted);
	} else {
		ck_assert_int_eq(fd, -ENOENT);
		ck_assert_ptr_null(path);
	}
	close_fd(fd);
	free(path);
	ck_assert_int_eq(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

static const char *const no_files[] = {"/nowhere/vmlinux", "/", "/dev/null"};

START_TEST(test_no_files)
{
	struct error err = {0};

	ck_assert_int_lt(vmlinux_open(no_files[_i], &err), 0);
	ck_assert(strstr(err.text, no_files[_i]));
	ck_assert_int_lt(vmlinux_open(no_files[_i], NULL), 0);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_look_up, ARRAY_SIZE(rows)),      UNIT_CASE(test_truncated),
	UNIT_LOOP(test_damaged, ARRAY_SIZE(damages)),   UNIT_LOOP(test_places, ARRAY_SIZE(places)),
	UNIT_LOOP(test_no_files, ARRAY_SIZE(no_files)), {0},
};
const char unit_name[] = "vmlinux";
