/* SPDX-License-Identifier: Apache-2.0 */
#include "symbols.h"

#include <ctype.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

#define FAR (16 * MIB) /* behind the last symbol there is nothing of it any more */

struct symbol {
	uint64_t address;
	const char *name;
	bool is_module;
};

struct symbols {
	char *text; /* the names */
	struct symbol *list;
	size_t count;
	size_t room;
};

static int add(struct symbols *symbols, uint64_t address, const char *name, bool is_module)
{
	struct symbol *list;

	if (symbols->count == symbols->room) {
		size_t room = symbols->room ? 2 * symbols->room : 1024;

		list = reallocarray(symbols->list, room, sizeof(*list));
		if (!list)
			return -ENOMEM;
		symbols->list = list;
		symbols->room = room;
	}
	symbols->list[symbols->count++] = (struct symbol){address, name, is_module};
	return 0;
}

/* ---- Lists: "ffff800008000000 T _text", of a module with "\t[name]" behind it ------------ */

static int read_line(struct symbols *symbols, char *line)
{
	char *end, *name, *module;
	uint64_t address = strtoull(line, &end, 16);

	if (end == line || end[0] != ' ' || !end[1] || end[2] != ' ')
		return 0;
	name = end + 3;
	module = strchr(name, '[');
	name[strcspn(name, " \t\r")] = '\0';
	/* Text; and mapping symbols, as $x, name nothing. */
	if (!strchr("tTwW", end[1]) || !*name || *name == '$')
		return 0;
	return add(symbols, address, name, module != NULL);
}

/* A copy of the names, with a zero behind the last. */
static int keep_text(struct symbols *symbols, const char *text, size_t size)
{
	symbols->text = malloc(size + 1);
	if (!symbols->text)
		return -ENOMEM;
	if (size)
		memcpy(symbols->text, text, size);
	symbols->text[size] = '\0';
	return 0;
}

static int read_list(struct symbols *symbols, const char *bytes, size_t size)
{
	int r = keep_text(symbols, bytes, size);
	char *line = symbols->text, *end;

	for (; line && r == 0; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		r = read_line(symbols, line);
	}
	return r;
}

/* ---- ELF (gABI 4.1) ------------------------------------------------------------------- */

struct elf {
	const char *bytes;
	size_t size;
};

/* @count things of @size bytes at @offset; NULL: they are not all there. */
static const char *elf_at(const struct elf *elf, uint64_t offset, uint64_t count, uint64_t size)
{
	if (count > elf->size / size || offset > elf->size - count * size)
		return NULL;
	return elf->bytes + offset;
}

static bool elf_section(const struct elf *elf, const Elf64_Ehdr *header, uint64_t index,
			Elf64_Shdr *ret)
{
	const char *at;

	if (index >= header->e_shnum || header->e_shoff > elf->size)
		return false;
	at = elf_at(elf, header->e_shoff + index * sizeof(*ret), 1, sizeof(*ret));
	if (at)
		memcpy(ret, at, sizeof(*ret));
	return at != NULL;
}

static int read_table(struct symbols *symbols, const struct elf *elf, const Elf64_Shdr *table,
		      const Elf64_Shdr *names)
{
	size_t count = table->sh_size / sizeof(Elf64_Sym);
	const char *at = elf_at(elf, table->sh_offset, count, sizeof(Elf64_Sym));
	const char *text = elf_at(elf, names->sh_offset, names->sh_size, 1);
	int r;

	if (!at || !text)
		return 0;
	r = keep_text(symbols, text, names->sh_size);
	text = symbols->text;
	for (size_t i = 0; i < count && r == 0; i++) {
		Elf64_Sym symbol;
		unsigned type;

		memcpy(&symbol, at + i * sizeof(symbol), sizeof(symbol));
		type = ELF64_ST_TYPE(symbol.st_info);
		/* Code that is written in assembler often has no type. */
		if ((type != STT_FUNC && type != STT_NOTYPE) || symbol.st_shndx == SHN_UNDEF ||
		    symbol.st_name >= names->sh_size)
			continue;
		if (text[symbol.st_name] && text[symbol.st_name] != '$')
			r = add(symbols, symbol.st_value, text + symbol.st_name, false);
	}
	return r;
}

static int read_elf(struct symbols *symbols, const char *bytes, size_t size)
{
	const struct elf elf = {bytes, size};
	Elf64_Ehdr header;
	Elf64_Shdr table, names;

	if (size < sizeof(header))
		return 0;
	memcpy(&header, elf.bytes, sizeof(header));
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return 0;
	for (uint64_t i = 0; elf_section(&elf, &header, i, &table); i++) {
		if (table.sh_type == SHT_SYMTAB &&
		    elf_section(&elf, &header, table.sh_link, &names))
			return read_table(symbols, &elf, &table, &names);
	}
	return 0;
}

/* ---- All of them ---------------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	const struct symbol *one = a, *other = b;

	if (one->address != other->address)
		return one->address < other->address ? -1 : 1;
	return strcmp(one->name, other->name);
}

int symbols_read(const void *bytes, size_t size, const char *what, struct symbols **ret,
		 struct error *err)
{
	_cleanup_(cleanup_symbols_free_) struct symbols *symbols = calloc(1, sizeof(*symbols));
	int r;

	if (!symbols)
		return error_set_errno(err, ENOMEM, "'%s'", what);
	r = size >= SELFMAG && !memcmp(bytes, ELFMAG, SELFMAG) ? read_elf(symbols, bytes, size)
							       : read_list(symbols, bytes, size);
	if (r < 0)
		return error_set_errno(err, -r, "'%s'", what);
	if (!symbols->count)
		return error_set(err, EINVAL,
				 "'%s' names no addresses: a System.map is wanted, a copy of the "
				 "guest's /proc/kallsyms, or a vmlinux with its symbols",
				 what);
	qsort(symbols->list, symbols->count, sizeof(*symbols->list), by_address);
	*ret = steal_ptr(&symbols);
	return 0;
}

int symbols_open(const char *path, struct symbols **ret, struct error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat stat;
	void *bytes;
	int r;

	if (fd < 0 || fstat(fd, &stat) < 0)
		return error_set_errno(err, errno, "'%s'", path);
	if (!S_ISREG(stat.st_mode))
		return error_set(err, EINVAL, "'%s' is not a file", path);
	if (!stat.st_size)
		return symbols_read("", 0, path, ret, err);
	bytes = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return error_set_errno(err, errno, "'%s'", path);
	r = symbols_read(bytes, (size_t)stat.st_size, path, ret, err);
	munmap(bytes, (size_t)stat.st_size);
	return r;
}

void symbols_free(struct symbols *symbols)
{
	if (!symbols)
		return;
	free(symbols->list);
	free(symbols->text);
	free(symbols);
}

void symbols_drop_modules(struct symbols *symbols)
{
	size_t kept = 0;

	for (size_t i = 0; i < symbols->count; i++) {
		if (!symbols->list[i].is_module)
			symbols->list[kept++] = symbols->list[i];
	}
	symbols->count = kept;
}

bool symbols_address(const struct symbols *symbols, const char *name, uint64_t *ret)
{
	for (size_t i = 0; i < symbols->count; i++) {
		if (!strcmp(symbols->list[i].name, name)) {
			*ret = symbols->list[i].address;
			return true;
		}
	}
	return false;
}

const char *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *ret_offset)
{
	size_t low = 0, high = symbols->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (symbols->list[mid].address <= address)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || address - symbols->list[low - 1].address > FAR)
		return NULL;
	*ret_offset = address - symbols->list[low - 1].address;
	return symbols->list[low - 1].name;
}
