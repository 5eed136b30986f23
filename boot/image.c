/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: How a kernel is opened and loaded
 *
 * Opening looks at the first bytes: is this a container (gzip, zstd, EFI
 * zboot)? Then its first bytes are unpacked and looked at instead; one
 * container is taken off, no more. What is inside decides:
 *
 *	arm64 Image whose header tells its size	unpacked at each load, straight
 *						into the guest's memory
 *	anything else in a container		unpacked now into a memfd; its size
 *						is needed to place it
 *	not in a container			read from the file at each load
 *
 * The file stays open, so a guest that reboots gets the same kernel again. If
 * the file was overwritten meanwhile, the placement may no longer hold, and
 * the load is refused.
 */
#include <inttypes.h>
#include <string.h>

#include "image_private.h"

#define RAW_TEXT_OFFSET 0x80000   /* where QEMU and kvmtool put a raw binary, too */
#define UNPACK_MAX      (2 * GIB) /* into a memfd: a vmlinux with debug information */
#define UNPACK_BUFFER   (128 * KIB)

struct image_piece {
	size_t size;
	uint8_t bytes[UNPACK_BUFFER];
};

const char *image_format_name(enum image_format format)
{
	static const char *const names[] = {
		[IMAGE_ARM64] = "arm64 Image",
		[IMAGE_ELF] = "ELF",
		[IMAGE_RAW] = "raw binary",
	};

	return names[format];
}

int image_refuse(const struct image *image, const char *what, const char *mend, struct error *err)
{
	return error_set(err, ENOEXEC, "kernel '%s' %s %s; %s", image->file.path,
			 image->info.container ? "unpacks to" : "is", what, mend);
}

int image_cut_off(const struct image *image, const char *why, struct error *err)
{
	return error_set(err, EINVAL, "kernel '%s' is cut off: %s; build or download it again",
			 image->file.path, why);
}

static int read_head(const struct image *image, struct image_head *head, struct error *err)
{
	head->size = min_u64(image->file.size, IMAGE_HEAD_SIZE);
	return boot_file_read(&image->file, 0, head->bytes, head->size, err);
}

static int unpack_head(const struct image *image, struct image_head *head, struct error *err)
{
	_cleanup_(cleanup_unpacker_close_) struct unpacker *unpacker = NULL;
	int r;

	r = unpacker_open(&image->file, &image->packed, &unpacker, err);
	if (r < 0)
		return r;
	r = unpacker_read(unpacker, head->bytes, IMAGE_HEAD_SIZE, &head->size, err);
	if (r < 0)
		return r;
	if (head->size == 0)
		return error_set(err, ENODATA, "kernel '%s' unpacks to nothing; make it again",
				 image->file.path);
	return 0;
}

static bool is_container(const struct image_head *head)
{
	return unpack_method_of(head->bytes, head->size) != UNPACK_NONE ||
	       image_zboot_recognise(head);
}

/* If the file is a container: note what is packed where, and make @head that of what is inside. */
static int open_container(struct image *image, struct image_head *head, struct error *err)
{
	enum unpack_method method = unpack_method_of(head->bytes, head->size);
	int r = 0;

	if (!is_container(head))
		return 0;
	if (method == UNPACK_NONE) {
		r = image_zboot_parse(image, head, err);
	} else {
		image->packed = (struct packed){.method = method, .size = image->file.size};
		image->info.container = unpack_method_name(method);
	}
	if (r == 0)
		r = unpack_head(image, head, err);
	if (r == 0 && is_container(head))
		return image_refuse(image, "another compressed file", "unpack it once yourself",
				    err);
	return r;
}

/* The next piece of @image, whose place is @at; less than a buffer at the end alone. */
static int read_piece(const struct image *image, struct unpacker *unpacker, uint64_t at,
		      struct image_piece *piece, struct error *err)
{
	if (unpacker)
		return unpacker_read(unpacker, piece->bytes, UNPACK_BUFFER, &piece->size, err);
	piece->size = min_u64(UNPACK_BUFFER, image->file.size - at);
	return boot_file_read(&image->file, at, piece->bytes, piece->size, err);
}

int image_scan(const struct image *image, image_visit *visit, void *data, struct error *err)
{
	_cleanup_(cleanup_unpacker_close_) struct unpacker *unpacker = NULL;
	_cleanup_free_ struct image_piece *piece = malloc(sizeof(*piece));
	uint64_t at = 0;
	int r = 0;

	if (!piece)
		return error_set_errno(err, ENOMEM, "kernel '%s' cannot be unpacked",
				       image->file.path);
	if (image->packed.method != UNPACK_NONE)
		r = unpacker_open(&image->file, &image->packed, &unpacker, err);
	for (piece->size = UNPACK_BUFFER; r == 0 && piece->size == UNPACK_BUFFER;) {
		r = read_piece(image, unpacker, at, piece, err);
		if (r < 0)
			return r;
		at += piece->size;
		if (at > UNPACK_MAX)
			return error_set(
				err, EFBIG,
				"kernel '%s' unpacks to more than 2 GiB; give a smaller one",
				image->file.path);
		r = visit(data, piece->bytes, piece->size, err);
	}
	return r;
}

/* Put it behind what is there. */
static int keep_piece(void *data, const uint8_t *bytes, size_t size, struct error *err)
{
	return boot_file_append(data, bytes, size, err);
}

/* From now on the file is what the container held. */
static int unpack_to_memory(struct image *image, struct error *err)
{
	_cleanup_(boot_file_close) struct boot_file unpacked = BOOT_FILE_INIT;
	int r;

	r = boot_file_create(&image->file, &unpacked, err);
	if (r < 0)
		return r;
	r = image_scan(image, keep_piece, &unpacked, err);
	if (r < 0)
		return r;
	boot_file_close(&image->file);
	image->file = unpacked;
	image->packed.method = UNPACK_NONE;
	unpacked = (struct boot_file)BOOT_FILE_INIT;
	return 0;
}

static int parse_raw(struct image *image, const struct image_head *head, struct error *err)
{
	int r = image_foreign_refuse(image, head, err);

	if (r < 0)
		return r;
	image->info.format = IMAGE_RAW;
	image->info.text_offset = RAW_TEXT_OFFSET;
	image->info.align = IMAGE_ALIGN;
	image->info.relocatable = true;
	return 0;
}

/* All that can be known from @head, before more is unpacked. */
static int classify(struct image *image, const struct image_head *head, struct error *err)
{
	if (image_elf_recognise(head)) {
		image->info.format = IMAGE_ELF;
		return image_elf_check(image, head, err);
	}
	if (image_arm64_recognise(head))
		return image_arm64_parse(image, head, err);
	return parse_raw(image, head, err);
}

/* The rest, which needs the whole file where the header does not tell its size. */
static int complete(struct image *image, const struct image_head *head, struct error *err)
{
	struct image_info *info = &image->info;
	int r = 0;

	if (image->packed.method != UNPACK_NONE) {
		if (info->memory_size)
			return 0;
		r = unpack_to_memory(image, err);
		if (r < 0)
			return r;
	}
	if (image->file.size < image->present)
		return image_cut_off(image, "its header tells of more bytes than it has", err);
	if (info->format == IMAGE_ELF)
		return image_elf_parse(image, head, err);
	if (!info->memory_size)
		info->memory_size = image->file.size;
	return 0;
}

int image_open_fd(int fd, const char *path, struct image **ret, struct error *err)
{
	_cleanup_(cleanup_image_close_) struct image *image = calloc(1, sizeof(*image));
	struct image_head head;
	int r;

	if (!image) {
		close_fd(fd);
		return error_set_errno(err, ENOMEM, "kernel '%s' cannot be opened", path);
	}
	image->file = (struct boot_file)BOOT_FILE_INIT;
	r = boot_file_adopt("kernel", path, fd, &image->file, err);
	if (r == 0)
		r = read_head(image, &head, err);
	if (r == 0)
		r = open_container(image, &head, err);
	if (r == 0)
		r = classify(image, &head, err);
	if (r == 0)
		r = complete(image, &head, err);
	if (r < 0)
		return r;
	*ret = steal_ptr(&image);
	return 0;
}

int image_open(const char *path, struct image **ret, struct error *err)
{
	int fd = -EBADF;
	int r = boot_file_open_fd("kernel", path, &fd, err);

	return r < 0 ? r : image_open_fd(fd, path, ret, err);
}

void image_close(struct image *image)
{
	if (!image)
		return;
	boot_file_close(&image->file);
	free(image->segments);
	free(image);
}

const struct image_info *image_info(const struct image *image)
{
	return &image->info;
}

/* The stream must end where the header says at the latest, with all that it says is there. */
static int check_end(const struct image *image, struct unpacker *unpacker, size_t got,
		     struct error *err)
{
	uint8_t more;
	size_t left = 0;
	int r;

	r = unpacker_read(unpacker, &more, sizeof(more), &left, err);
	if (r < 0)
		return r;
	if (left)
		return error_set(err, EINVAL,
				 "kernel '%s' is damaged: it unpacks to more than the %" PRIu64
				 " bytes of its header; build or download it again",
				 image->file.path, image->info.memory_size);
	if (got < image->present)
		return image_cut_off(image, "its header tells of more bytes than it has", err);
	return 0;
}

static int load_packed(const struct image *image, uint8_t *host, size_t *ret_size,
		       struct error *err)
{
	_cleanup_(cleanup_unpacker_close_) struct unpacker *unpacker = NULL;
	size_t got = 0;
	int r;

	r = unpacker_open(&image->file, &image->packed, &unpacker, err);
	if (r < 0)
		return r;
	r = unpacker_read(unpacker, host, image->info.memory_size, &got, err);
	if (r < 0)
		return r;
	r = check_end(image, unpacker, got, err);
	if (r < 0)
		return r;
	*ret_size = got;
	return 0;
}

static int load_flat(const struct image *image, uint8_t *host, bool reload, struct error *err)
{
	size_t size = min_u64(image->file.size, image->info.memory_size);
	int r;

	if (image->packed.method != UNPACK_NONE)
		r = load_packed(image, host, &size, err);
	else
		r = boot_file_read(&image->file, 0, host, size, err);
	if (r < 0)
		return r;
	if (reload)
		memset(host + size, 0, image->info.memory_size - size);
	return 0;
}

int image_load(struct image *image, const struct guest_mem *mem, gpa_t base, struct error *err)
{
	uint8_t *host = guest_mem_at(mem, base, image->info.memory_size);
	bool reload = image->loaded;
	int r;

	if (!host)
		return error_set(err, EFAULT,
				 "kernel '%s' does not fit into the guest's memory at 0x%" PRIx64,
				 image->file.path, base);
	if (reload) {
		r = boot_file_check(&image->file, err);
		if (r < 0)
			return r;
	}
	image->loaded = true;
	if (image->info.format == IMAGE_ELF)
		return image_elf_load(image, host, reload, err);
	return load_flat(image, host, reload, err);
}
