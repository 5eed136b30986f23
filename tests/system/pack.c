/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pack FORMAT FROM TO - makes a kernel of another format, for the tests of
 * armlet's loaders: gzip, zstd, zboot-gzip, zboot-zstd, or elf (an ET_EXEC with
 * one segment that is linked where Linux's vmlinux is: high, so it is placed
 * as the Image in it).
 */
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

/* Documentation/arch/arm64/memory.rst: where 6.1 is linked, with 48 bits. */
#define LINUX_ADDRESS UINT64_C(0xffff800008000000)
#define FAST          1
#define ZBOOT_HEADER  64
#define ELF_OFFSET    0x10000

struct bytes {
	uint8_t *data;
	size_t size;
};

static _Noreturn void die(const char *what, const char *name)
{
	fprintf(stderr, "pack: %s %s\n", what, name);
	exit(1);
}

static struct bytes allocate(size_t size)
{
	struct bytes bytes = {.data = calloc(1, size ? size : 1), .size = size};

	if (!bytes.data)
		die("no memory for", "it");
	return bytes;
}

static struct bytes read_file(const char *path)
{
	struct bytes bytes;
	FILE *file = fopen(path, "rb");
	long size;

	if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0)
		die("cannot read", path);
	rewind(file);
	bytes = allocate((size_t)size);
	if (fread(bytes.data, 1, bytes.size, file) != bytes.size)
		die("cannot read", path);
	fclose(file);
	return bytes;
}

static void write_file(const char *path, struct bytes bytes)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(bytes.data, 1, bytes.size, file) != bytes.size || fclose(file))
		die("cannot write", path);
}

static struct bytes pack_gzip(struct bytes from)
{
	enum { GZIP_WINDOW = 15 + 16 };
	z_stream stream = {.next_in = from.data, .avail_in = (uInt)from.size};
	struct bytes to;

	if (deflateInit2(&stream, FAST, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		die("zlib fails", "");
	to = allocate(deflateBound(&stream, (uLong)from.size));
	stream.next_out = to.data;
	stream.avail_out = (uInt)to.size;
	if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
		die("zlib fails", "");
	to.size = stream.total_out;
	deflateEnd(&stream);
	return to;
}

static struct bytes pack_zstd(struct bytes from)
{
	struct bytes to = allocate(ZSTD_compressBound(from.size));
	ZSTD_CCtx *context = ZSTD_createCCtx();

	/* With a checksum, as the program zstd does. */
	ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, FAST);
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	to.size = ZSTD_compress2(context, to.data, to.size, from.data, from.size);
	if (ZSTD_isError(to.size))
		die("zstd fails", "");
	ZSTD_freeCCtx(context);
	return to;
}

static void put_le32(uint8_t *at, uint64_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

/* Linux, drivers/firmware/efi/libstub/zboot-header.S. */
static struct bytes wrap_zboot(struct bytes payload, const char *compression)
{
	struct bytes to = allocate(ZBOOT_HEADER + payload.size);

	memcpy(to.data, "MZ\0\0zimg", 8);
	put_le32(to.data + 8, ZBOOT_HEADER);
	put_le32(to.data + 12, payload.size);
	memcpy(to.data + 24, compression, strlen(compression));
	memcpy(to.data + ZBOOT_HEADER, payload.data, payload.size);
	return to;
}

static struct bytes wrap_elf(struct bytes image)
{
	struct bytes to = allocate(ELF_OFFSET + image.size);
	Elf64_Ehdr *header = (Elf64_Ehdr *)to.data;
	Elf64_Phdr *segment = (Elf64_Phdr *)(header + 1);
	uint64_t memory_size = image.size;

	/* The Image's header tells how much memory it needs, BSS included. */
	if (image.size > 24)
		memcpy(&memory_size, image.data + 16, sizeof(memory_size));
	memcpy(header->e_ident, ELFMAG, SELFMAG);
	header->e_ident[EI_CLASS] = ELFCLASS64;
	header->e_ident[EI_DATA] = ELFDATA2LSB;
	header->e_ident[EI_VERSION] = EV_CURRENT;
	header->e_type = ET_EXEC;
	header->e_machine = EM_AARCH64;
	header->e_version = EV_CURRENT;
	header->e_entry = LINUX_ADDRESS;
	header->e_phoff = sizeof(*header);
	header->e_ehsize = sizeof(*header);
	header->e_phentsize = sizeof(*segment);
	header->e_phnum = 1;
	segment->p_type = PT_LOAD;
	segment->p_flags = PF_R | PF_W | PF_X;
	segment->p_offset = ELF_OFFSET;
	segment->p_vaddr = LINUX_ADDRESS;
	segment->p_paddr = LINUX_ADDRESS;
	segment->p_filesz = image.size;
	segment->p_memsz = memory_size > image.size ? memory_size : image.size;
	segment->p_align = ELF_OFFSET;
	memcpy(to.data + ELF_OFFSET, image.data, image.size);
	return to;
}

int main(int argc, char **argv)
{
	struct bytes from, to;

	if (argc != 4)
		die("usage: pack FORMAT FROM TO", "");
	from = read_file(argv[2]);
	if (!strcmp(argv[1], "gzip"))
		to = pack_gzip(from);
	else if (!strcmp(argv[1], "zstd"))
		to = pack_zstd(from);
	else if (!strcmp(argv[1], "zboot-gzip"))
		to = wrap_zboot(pack_gzip(from), "gzip");
	else if (!strcmp(argv[1], "zboot-zstd"))
		to = wrap_zboot(pack_zstd(from), "zstd22");
	else if (!strcmp(argv[1], "elf"))
		to = wrap_elf(from);
	else
		die("no such format:", argv[1]);
	write_file(argv[3], to);
	return 0;
}
