/* SPDX-License-Identifier: Apache-2.0 */
/* ELF-64 Object File Format, version 1.5; ELF for the Arm 64-bit Architecture (AAELF64). */
#include "trial/vmlinux.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE_MAX (512 * MIB) /* of the file, that is read at a time */
#define SLACK_MAX 64          /* more than functions are aligned to */

/* ---- Pieces of the file --------------------------------------------------------------- */

/* @size bytes from @offset, with a 0 behind them; NULL: they are not there. */
static void *read_piece(int fd, uint64_t offset, uint64_t size)
{
	_cleanup_free_ char *piece = NULL;
	struct stat st;
	size_t have = 0;
	ssize_t n = 1;

	if (fstat(fd, &st) < 0 || size > PIECE_MAX || size > (uint64_t)st.st_size ||
	    offset > (uint64_t)st.st_size - size)
		return NULL;
	piece = calloc(1, size + 1);
	while (piece && have < size && n > 0) {
		n = pread(fd, piece + have, size - have, (off_t)(offset + have));
		have += n > 0 ? (size_t)n : 0;
	}
	if (!piece || have < size)
		return NULL;
	return steal_ptr(&piece);
}

/* The section of symbols, and that of their names. */
static bool find_tables(int fd, Elf64_Shdr *symbols, Elf64_Shdr *names)
{
	_cleanup_free_ Elf64_Ehdr *header = read_piece(fd, 0, sizeof(*header));
	_cleanup_free_ Elf64_Shdr *sections = NULL;

	if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_machine != EM_AARCH64 || header->e_shentsize != sizeof(*sections))
		return false;
	sections = read_piece(fd, header->e_shoff, header->e_shnum * sizeof(*sections));
	for (size_t i = 0; sections && i < header->e_shnum; i++) {
		if (sections[i].sh_type != SHT_SYMTAB || sections[i].sh_link >= header->e_shnum)
			continue;
		*symbols = sections[i];
		*names = sections[sections[i].sh_link];
		return true;
	}
	return false;
}

/* ---- Where it is ---------------------------------------------------------------------- */

int vmlinux_open(const char *path, struct error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	Elf64_Shdr symbols, names;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set_errno(err, errno, "'%s'", path);
	if (!S_ISREG(st.st_mode) || !find_tables(fd, &symbols, &names))
		return error_set(err, EINVAL,
				 "'%s' is no vmlinux: it has to be an ELF file of arm64 with its "
				 "symbols",
				 path);
	return steal_fd(&fd);
}

/* How a kernel's version follows its name, as "vmlinuz-6.1.0-13-arm64" has it. */
static const char *version_of(const char *name)
{
	const char *dash = strchr(name, '-');

	return dash && (!strncmp(name, "vmlinuz-", 8) || !strncmp(name, "Image-", 6)) ? dash + 1
										      : NULL;
}

int vmlinux_find(const char *kernel, char **ret_path)
{
	/* Beside the kernel, or anywhere; with or without its version between the two. */
	static const struct {
		bool beside;
		bool versioned;
		const char *before, *behind;
	} places[] = {
		{true, true, "vmlinux-", ""},
		{true, false, "vmlinux", ""},
		{true, false, "../../../vmlinux", ""},
		{false, true, "/usr/lib/debug/boot/vmlinux-", ""},
		{false, true, "/usr/lib/debug/lib/modules/", "/vmlinux"},
	};
	_cleanup_close_ int fd = -EBADF;
	char real[PATH_MAX], path[2 * PATH_MAX];
	const char *name, *version;

	if (!realpath(kernel, real))
		return -ENOENT;
	name = strrchr(real, '/') + 1;
	version = version_of(name);
	snprintf(path, sizeof(path), "%s", real);
	fd = vmlinux_open(path, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(places) && fd < 0; i++) {
		if (places[i].versioned && !version)
			continue;
		snprintf(path, sizeof(path), "%.*s%s%s%s",
			 places[i].beside ? (int)(name - real) : 0, real, places[i].before,
			 places[i].versioned ? version : "", places[i].behind);
		fd = vmlinux_open(path, NULL);
	}
	*ret_path = fd >= 0 ? strdup(path) : NULL;
	return *ret_path ? steal_fd(&fd) : -ENOENT;
}

/* ---- Symbols -------------------------------------------------------------------------- */

/* As strcmp(). */
static int compare(const struct backtrace_frame *frame, const char *name)
{
	int order = strncmp(frame->symbol, name, frame->symbol_size);

	return order ? order : -(unsigned char)name[frame->symbol_size];
}

/* The first frame with a symbol that is not less than @name. */
static size_t find_frame(const struct backtrace *backtrace, const char *name)
{
	size_t low = 0, high = backtrace->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare(&backtrace->frames[mid], name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The one whose size fits best counts. Assembler's may have none. */
static void match(struct backtrace_frame *frame, const Elf64_Sym *symbol)
{
	uint64_t slack = symbol->st_size ? frame->size - symbol->st_size : SLACK_MAX - 1;

	if (!frame->size)
		slack = 0;
	if (slack >= SLACK_MAX || slack > frame->slack)
		return;
	/* One of two, and nobody knows which. */
	if (slack == frame->slack && frame->address != symbol->st_value)
		frame->address = 0;
	else
		frame->address = symbol->st_value;
	frame->slack = slack;
}

static void take_symbol(struct backtrace *backtrace, const Elf64_Sym *symbol, const char *name)
{
	unsigned type = ELF64_ST_TYPE(symbol->st_info);

	if ((type != STT_FUNC && type != STT_NOTYPE) || symbol->st_shndx == SHN_UNDEF)
		return;
	for (size_t i = find_frame(backtrace, name);
	     i < backtrace->count && !compare(&backtrace->frames[i], name); i++) {
		if (!backtrace->frames[i].module)
			match(&backtrace->frames[i], symbol);
	}
}

int vmlinux_look_up(int fd, struct backtrace *backtrace, struct error *err)
{
	Elf64_Shdr table = {0}, strings = {0};
	_cleanup_free_ Elf64_Sym *symbols = NULL;
	_cleanup_free_ char *names = NULL;
	int found = 0;

	if (find_tables(fd, &table, &strings)) {
		symbols = read_piece(fd, table.sh_offset, table.sh_size);
		names = read_piece(fd, strings.sh_offset, strings.sh_size);
	}
	if (!symbols || !names)
		return error_set(err, EIO, "its symbols cannot be read");
	for (size_t i = 0; i < backtrace->count; i++)
		backtrace->frames[i].slack = SLACK_MAX;
	for (size_t i = 0; i < table.sh_size / sizeof(*symbols); i++) {
		if (symbols[i].st_name < strings.sh_size)
			take_symbol(backtrace, &symbols[i], names + symbols[i].st_name);
	}
	for (size_t i = 0; i < backtrace->count; i++)
		found += backtrace->frames[i].address != 0;
	return found;
}
