/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Unpacking
 *
 * Both formats are a row of members, each complete in itself: RFC 1952,
 * section 2.2 (gzip), RFC 8878, section 3.1 (zstd frames, skippable ones
 * included). A stream ends where its file ends or where no further member
 * begins: what follows is padding or a signature and none of our business, as
 * it is none of gzip's.
 *
 * The codec writes to the caller's memory itself. Nothing is known of how much
 * will come, so nothing but the caller's size bounds it.
 */
#include "unpacker.h"

#define ZLIB_CONST
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define INPUT_SIZE     (128 * KIB)
#define OUTPUT_MAX     (1 * GIB) /* of one step, as zlib counts in unsigned int */
#define MAGIC_MAX      4
#define GZIP_ANY_WBITS (16 + MAX_WBITS) /* zlib.h, inflateInit2(): a gzip header, any window */

enum unpack_step { STEP_MORE, STEP_MEMBER_END, STEP_DAMAGED, STEP_NO_MEMORY };

/* What one step of a codec may use, and what it has left of it. */
struct unpack_window {
	const uint8_t *in;
	size_t in_left;
	uint8_t *out;
	size_t out_left;
	const char *reason; /* of STEP_DAMAGED */
};

union codec {
	z_stream gzip;
	ZSTD_DStream *zstd;
};

/* All required. */
struct codec_ops {
	const char *name;
	bool (*recognise)(const uint8_t *data, size_t size);
	int (*init)(union codec *codec);
	void (*finish)(union codec *codec);
	enum unpack_step (*step)(union codec *codec, struct unpack_window *window);
};

struct unpacker {
	const struct codec_ops *ops;
	union codec codec;
	const struct boot_file *file;
	uint64_t offset; /* of the input that is still in the file */
	uint64_t left;
	bool ended;
	size_t in_at, in_left; /* of the input that is here */
	uint8_t input[INPUT_SIZE];
};

/* RFC 1952, section 2.3.1: ID1, ID2, CM = deflate. */
static bool gzip_recognise(const uint8_t *data, size_t size)
{
	return size >= 3 && data[0] == 0x1f && data[1] == 0x8b && data[2] == 8;
}

static int gzip_init(union codec *codec)
{
	return inflateInit2(&codec->gzip, GZIP_ANY_WBITS) == Z_OK ? 0 : -ENOMEM;
}

static void gzip_finish(union codec *codec)
{
	inflateEnd(&codec->gzip);
}

static enum unpack_step gzip_step(union codec *codec, struct unpack_window *window)
{
	z_stream *z = &codec->gzip;
	size_t out = min_u64(window->out_left, OUTPUT_MAX);
	int r;

	z->next_in = window->in;
	z->avail_in = (uInt)window->in_left;
	z->next_out = window->out;
	z->avail_out = (uInt)out;
	r = inflate(z, Z_NO_FLUSH);
	window->in = z->next_in;
	window->in_left = z->avail_in;
	window->out = z->next_out;
	window->out_left -= out - z->avail_out;
	switch (r) {
	case Z_OK:
	case Z_BUF_ERROR: /* no progress: the caller sees that */
		return STEP_MORE;
	case Z_STREAM_END:
		return inflateReset(z) == Z_OK ? STEP_MEMBER_END : STEP_NO_MEMORY;
	case Z_MEM_ERROR:
		return STEP_NO_MEMORY;
	default:
		window->reason = z->msg ? z->msg : "no gzip stream";
		return STEP_DAMAGED;
	}
}

/* RFC 8878, sections 3.1.1 and 3.1.2; skippable frames have any low four bits. */
static bool zstd_recognise(const uint8_t *data, size_t size)
{
	uint32_t magic;

	if (size < sizeof(magic))
		return false;
	magic = data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
		(uint32_t)data[3] << 24;
	return magic == ZSTD_MAGICNUMBER ||
	       (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == ZSTD_MAGIC_SKIPPABLE_START;
}

static int zstd_init(union codec *codec)
{
	codec->zstd = ZSTD_createDStream();
	return codec->zstd ? 0 : -ENOMEM;
}

static void zstd_finish(union codec *codec)
{
	ZSTD_freeDStream(codec->zstd);
}

static enum unpack_step zstd_step(union codec *codec, struct unpack_window *window)
{
	ZSTD_inBuffer in = {.src = window->in, .size = window->in_left};
	ZSTD_outBuffer out = {.dst = window->out, .size = window->out_left};
	size_t r = ZSTD_decompressStream(codec->zstd, &out, &in);

	window->in += in.pos;
	window->in_left -= in.pos;
	window->out += out.pos;
	window->out_left -= out.pos;
	if (ZSTD_isError(r)) {
		window->reason = ZSTD_getErrorName(r);
		return STEP_DAMAGED;
	}
	return r == 0 ? STEP_MEMBER_END : STEP_MORE;
}

static const struct codec_ops codecs[] = {
	[UNPACK_GZIP] =
		{
			.name = "gzip",
			.recognise = gzip_recognise,
			.init = gzip_init,
			.finish = gzip_finish,
			.step = gzip_step,
		},
	[UNPACK_ZSTD] =
		{
			.name = "zstd",
			.recognise = zstd_recognise,
			.init = zstd_init,
			.finish = zstd_finish,
			.step = zstd_step,
		},
};

enum unpack_method unpack_method_of(const uint8_t *data, size_t size)
{
	for (size_t i = UNPACK_NONE + 1; i < ARRAY_SIZE(codecs); i++) {
		if (codecs[i].recognise(data, size))
			return (enum unpack_method)i;
	}
	return UNPACK_NONE;
}

const char *unpack_method_name(enum unpack_method method)
{
	return codecs[method].name;
}

int unpacker_open(const struct boot_file *file, const struct packed *packed, struct unpacker **ret,
		  struct error *err)
{
	/* Not zeroed as a whole: the input buffer is written before it is read. */
	_cleanup_free_ struct unpacker *unpacker = malloc(sizeof(*unpacker));
	const struct codec_ops *ops = &codecs[packed->method];

	if (!unpacker)
		return error_set_errno(err, ENOMEM, "%s '%s' cannot be unpacked", file->what,
				       file->path);
	unpacker->ops = ops;
	unpacker->codec = (union codec){0};
	unpacker->file = file;
	unpacker->offset = packed->offset;
	unpacker->left = packed->size;
	unpacker->ended = false;
	unpacker->in_at = 0;
	unpacker->in_left = 0;
	if (ops->init(&unpacker->codec) < 0)
		return error_set_errno(err, ENOMEM, "%s '%s' cannot be unpacked", file->what,
				       file->path);
	*ret = steal_ptr(&unpacker);
	return 0;
}

void unpacker_close(struct unpacker *unpacker)
{
	if (!unpacker)
		return;
	unpacker->ops->finish(&unpacker->codec);
	free(unpacker);
}

/* Fill the input buffer as far as the file goes, keeping what is in it. */
static int refill(struct unpacker *unpacker, struct error *err)
{
	size_t size = min_u64(unpacker->left, INPUT_SIZE - unpacker->in_left);
	int r;

	memmove(unpacker->input, unpacker->input + unpacker->in_at, unpacker->in_left);
	unpacker->in_at = 0;
	r = boot_file_read(unpacker->file, unpacker->offset, unpacker->input + unpacker->in_left,
			   size, err);
	if (r < 0)
		return r;
	unpacker->in_left += size;
	unpacker->offset += size;
	unpacker->left -= size;
	return 0;
}

/* A member has ended: does another follow? */
static int look_for_member(struct unpacker *unpacker, struct error *err)
{
	int r = 0;

	if (unpacker->in_left < MAGIC_MAX)
		r = refill(unpacker, err);
	unpacker->ended =
		!unpacker->ops->recognise(unpacker->input + unpacker->in_at, unpacker->in_left);
	return r;
}

static int cut_off(const struct unpacker *unpacker, struct error *err)
{
	return error_set(err, EINVAL,
			 "%s '%s' is cut off: its %s stream ends early; make or download it again",
			 unpacker->file->what, unpacker->file->path, unpacker->ops->name);
}

static int damaged(const struct unpacker *unpacker, const char *reason, struct error *err)
{
	return error_set(
		err, EINVAL,
		"%s '%s' is damaged: its %s stream is wrong (%s); make or download it again",
		unpacker->file->what, unpacker->file->path, unpacker->ops->name, reason);
}

/* One step of the codec: some input, some output, or a reason why neither. */
static int advance(struct unpacker *unpacker, struct unpack_window *window, struct error *err)
{
	size_t in_left = window->in_left;
	size_t out_left = window->out_left;
	enum unpack_step step = unpacker->ops->step(&unpacker->codec, window);
	bool moved = window->in_left != in_left || window->out_left != out_left;

	unpacker->in_at += in_left - window->in_left;
	unpacker->in_left = window->in_left;
	switch (step) {
	case STEP_MEMBER_END:
		return look_for_member(unpacker, err);
	case STEP_DAMAGED:
		return damaged(unpacker, window->reason, err);
	case STEP_NO_MEMORY:
		return error_set_errno(err, ENOMEM, "%s '%s' cannot be unpacked",
				       unpacker->file->what, unpacker->file->path);
	case STEP_MORE:
		break;
	}
	if (moved)
		return 0;
	if (unpacker->in_left || unpacker->left)
		return damaged(unpacker, "no progress", err);
	return cut_off(unpacker, err);
}

int unpacker_read(struct unpacker *unpacker, void *data, size_t size, size_t *ret_size,
		  struct error *err)
{
	struct unpack_window window = {.out = data, .out_left = size};
	int r = 0;

	while (r == 0 && window.out_left && !unpacker->ended) {
		if (!unpacker->in_left)
			r = refill(unpacker, err);
		if (r < 0)
			return r;
		window.in = unpacker->input + unpacker->in_at;
		window.in_left = unpacker->in_left;
		r = advance(unpacker, &window, err);
	}
	if (r < 0)
		return r;
	*ret_size = size - window.out_left;
	return 0;
}
