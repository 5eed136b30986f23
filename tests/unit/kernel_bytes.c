/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel_bytes.h"

#include <assert.h>
#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

#define PE_HEADER_AT     64
#define PE_OPTIONAL_SIZE 16
#define ZBOOT_PAYLOAD_AT 512
#define GZIP_WBITS       (16 + MAX_WBITS)

static struct bytes bytes_alloc(size_t size)
{
	struct bytes bytes = {.data = calloc(1, size + 1), .size = size};

	assert(bytes.data);
	return bytes;
}

void bytes_free(struct bytes *bytes)
{
	free(steal_ptr(&bytes->data));
	bytes->size = 0;
}

struct bytes bytes_pattern(size_t size)
{
	struct bytes bytes = bytes_alloc(size);
	uint32_t state = 1;

	for (size_t i = 0; i < size; i++) {
		state = state * 1664525 + 1013904223;
		bytes.data[i] = (uint8_t)(1 + (state >> 24) % 255);
	}
	return bytes;
}

void bytes_put(struct bytes *bytes, size_t offset, size_t size, uint64_t value)
{
	assert(offset + size <= bytes->size);
	for (size_t i = 0; i < size; i++)
		bytes->data[offset + i] = (uint8_t)(value >> (8 * i));
}

void bytes_put_text(struct bytes *bytes, size_t offset, const char *text, size_t size)
{
	assert(offset + size <= bytes->size);
	memcpy(bytes->data + offset, text, size);
}

struct bytes bytes_arm64(size_t size, uint64_t text_offset, uint64_t image_size, uint64_t flags)
{
	struct bytes bytes = bytes_pattern(size);

	bytes_put(&bytes, 0, 4, 0x14000010); /* b . + 64 */
	bytes_put(&bytes, 4, 4, 0);
	bytes_put(&bytes, 8, 8, text_offset);
	bytes_put(&bytes, 16, 8, image_size);
	bytes_put(&bytes, 24, 8, flags);
	memset(bytes.data + 32, 0, 24);
	bytes_put_text(&bytes, 56, "ARM\x64", 4);
	bytes_put(&bytes, 60, 4, 0);
	return bytes;
}

void bytes_put_pe(struct bytes *bytes, uint16_t machine, uint32_t raw_end)
{
	size_t coff = PE_HEADER_AT + 4;
	size_t section = coff + 20 + PE_OPTIONAL_SIZE;

	bytes_put_text(bytes, 0, "MZ", 2);
	bytes_put(bytes, 60, 4, PE_HEADER_AT);
	bytes_put_text(bytes, PE_HEADER_AT, "PE\0\0", 4);
	bytes_put(bytes, coff, 2, machine);
	bytes_put(bytes, coff + 2, 2, 1);
	bytes_put(bytes, coff + 16, 2, PE_OPTIONAL_SIZE);
	bytes_put(bytes, section + 16, 4, raw_end - 0x100);
	bytes_put(bytes, section + 20, 4, 0x100);
}

struct bytes bytes_gzip(const struct bytes *plain)
{
	struct bytes packed = bytes_alloc(plain->size + 1024);
	z_stream z = {0};
	int r = deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WBITS, 8, Z_DEFAULT_STRATEGY);

	assert(r == Z_OK);
	z.next_in = plain->data;
	z.avail_in = (uInt)plain->size;
	z.next_out = packed.data;
	z.avail_out = (uInt)packed.size;
	r = deflate(&z, Z_FINISH);
	assert(r == Z_STREAM_END);
	packed.size = z.total_out;
	deflateEnd(&z);
	return packed;
}

struct bytes bytes_zstd(const struct bytes *plain)
{
	struct bytes packed = bytes_alloc(ZSTD_compressBound(plain->size));

	packed.size = ZSTD_compress(packed.data, packed.size, plain->data, plain->size, 1);
	assert(!ZSTD_isError(packed.size));
	return packed;
}

struct bytes bytes_concat(const struct bytes *first, const struct bytes *second)
{
	struct bytes both = bytes_alloc(first->size + second->size);

	memcpy(both.data, first->data, first->size);
	memcpy(both.data + first->size, second->data, second->size);
	return both;
}

struct bytes bytes_zboot(const struct bytes *packed, const char *compression, uint16_t machine)
{
	struct bytes zboot = bytes_alloc(ZBOOT_PAYLOAD_AT + packed->size + 64);

	bytes_put_pe(&zboot, machine, (uint32_t)zboot.size);
	bytes_put_text(&zboot, 4, "zimg", 4);
	bytes_put(&zboot, 8, 4, ZBOOT_PAYLOAD_AT);
	bytes_put(&zboot, 12, 4, packed->size);
	bytes_put_text(&zboot, 24, compression, strlen(compression));
	memcpy(zboot.data + ZBOOT_PAYLOAD_AT, packed->data, packed->size);
	return zboot;
}

/* As bytes_put(), in the ELF file's byte order. */
static void elf_put(struct bytes *bytes, const struct elf_file *elf, size_t offset, size_t size,
		    uint64_t value)
{
	if (elf->big_endian)
		value = __builtin_bswap64(value) >> (64 - 8 * size);
	bytes_put(bytes, offset, size, value);
}

size_t elf_segment_offset(const struct elf_file *elf, size_t segment)
{
	size_t offset = sizeof(Elf64_Ehdr) + elf->segment_count * sizeof(Elf64_Phdr);

	for (size_t i = 0; i < segment; i++)
		offset += elf->segments[i].file_size;
	return offset;
}

static void put_segment(struct bytes *bytes, const struct elf_file *elf, size_t i)
{
	size_t at = sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Phdr);
	const struct elf_segment *s = &elf->segments[i];

	elf_put(bytes, elf, at + offsetof(Elf64_Phdr, p_type), 4, PT_LOAD);
	elf_put(bytes, elf, at + offsetof(Elf64_Phdr, p_offset), 8, elf_segment_offset(elf, i));
	elf_put(bytes, elf, at + offsetof(Elf64_Phdr, p_vaddr), 8, s->virtual_address);
	elf_put(bytes, elf, at + offsetof(Elf64_Phdr, p_paddr), 8, s->address);
	elf_put(bytes, elf, at + offsetof(Elf64_Phdr, p_filesz), 8, s->file_size);
	elf_put(bytes, elf, at + offsetof(Elf64_Phdr, p_memsz), 8, s->memory_size);
}

struct bytes bytes_elf(const struct elf_file *elf)
{
	struct bytes bytes = bytes_pattern(elf_segment_offset(elf, elf->segment_count));

	memset(bytes.data, 0, elf_segment_offset(elf, 0));
	bytes_put_text(&bytes, 0, ELFMAG, SELFMAG);
	bytes.data[EI_CLASS] = ELFCLASS64;
	bytes.data[EI_DATA] = elf->big_endian ? ELFDATA2MSB : ELFDATA2LSB;
	bytes.data[EI_VERSION] = EV_CURRENT;
	elf_put(&bytes, elf, offsetof(Elf64_Ehdr, e_type), 2, elf->type);
	elf_put(&bytes, elf, offsetof(Elf64_Ehdr, e_machine), 2, elf->machine);
	elf_put(&bytes, elf, offsetof(Elf64_Ehdr, e_version), 4, EV_CURRENT);
	elf_put(&bytes, elf, offsetof(Elf64_Ehdr, e_entry), 8, elf->entry);
	elf_put(&bytes, elf, offsetof(Elf64_Ehdr, e_phoff), 8, sizeof(Elf64_Ehdr));
	elf_put(&bytes, elf, offsetof(Elf64_Ehdr, e_ehsize), 2, sizeof(Elf64_Ehdr));
	elf_put(&bytes, elf, offsetof(Elf64_Ehdr, e_phentsize), 2, sizeof(Elf64_Phdr));
	elf_put(&bytes, elf, offsetof(Elf64_Ehdr, e_phnum), 2, elf->segment_count);
	for (size_t i = 0; i < elf->segment_count; i++)
		put_segment(&bytes, elf, i);
	return bytes;
}

bool bytes_are(const uint8_t *data, size_t size, uint8_t byte)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] != byte)
			return false;
	}
	return true;
}

int bytes_fd(const struct bytes *bytes, size_t size)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	ssize_t done = pwrite(fd, bytes->data, size, 0);

	assert(fd >= 0 && done == (ssize_t)size);
	return fd;
}
