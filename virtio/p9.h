/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of 9P2000.L, as far as one who passes them on has to know them:
 * size[4] type[1] tag[2], little-endian, then what the type says. Strings are
 * a size[2] and their bytes.
 */
#ifndef ARMLET_VIRTIO_P9_H
#define ARMLET_VIRTIO_P9_H

#include <limits.h>

#include "base/cursor.h"

/* Types: an answer's is its request's and one; only Rlerror answers any. */
enum p9_type {
	P9_RLERROR = 7,
	P9_TLOCK = 52,
	P9_TGETLOCK = 54,
	P9_TVERSION = 100,
	P9_TAUTH = 102,
	P9_TATTACH = 104,
	P9_TFLUSH = 108,
};

#define P9_NOTAG       0xffff
#define P9_HEADER_SIZE 7
#define P9_ERROR_SIZE  (P9_HEADER_SIZE + 4) /* Rlerror: ecode[4] */
#define P9_FLUSH_SIZE  (P9_HEADER_SIZE + 2) /* Tflush: oldtag[2] */
#define P9_MSIZE_END   (P9_HEADER_SIZE + 4) /* Tversion: msize[4], then the version */

/*
 * Tlock: fid[4] type[1] flags[4] start[8] length[8] proc_id[4] client_id[s], and
 * Tgetlock, which has no flags. Rlock: status[1]. Rgetlock: what Tgetlock has from
 * its type on.
 */
#define P9_LOCK_SUCCESS 0
#define P9_LOCK_UNLCK   2 /* the type that is no lock */
#define P9_LOCK_MAX     (P9_HEADER_SIZE + 4 + 1 + 4 + 8 + 8 + 4 + 2 + 255)

#define P9_UNAME_MAX 255
#define P9_NONUNAME  UINT32_MAX /* Tattach's n_uname: uname says it */
#define P9_NOBODY    65534      /* a user who has nothing */

/* Tattach: fid[4] afid[4] uname[s] aname[s] n_uname[4], at its longest as we send it. */
#define P9_ATTACH_MAX (P9_HEADER_SIZE + 8 + 2 + P9_UNAME_MAX + 2 + PATH_MAX + 4)

struct p9_header {
	uint32_t size; /* of all of the message */
	uint8_t type;
	uint16_t tag;
};

static inline struct p9_header p9_header_get(const uint8_t data[static P9_HEADER_SIZE])
{
	struct cursor c = cursor_init(data, P9_HEADER_SIZE);
	struct p9_header header;

	header.size = cursor_u32(&c);
	header.type = cursor_u8(&c);
	header.tag = cursor_u16(&c);
	return header;
}

void p9_header_put(uint8_t data[static P9_HEADER_SIZE], const struct p9_header *header);

/* An Rlerror with the errno @code. */
void p9_error_put(uint8_t data[static P9_ERROR_SIZE], uint16_t tag, uint32_t code);

/* Little-endian numbers. */
void p9_put_le(uint8_t *data, uint64_t value, size_t size);

/*
 * Answer the Tlock or Tgetlock @data (all of its @size bytes) as if nobody else
 * had a lock, into @ret; returns the answer's size, or 0 if it is neither.
 */
size_t p9_lock_answer(const uint8_t *data, size_t size, uint8_t ret[static P9_LOCK_MAX]);

/* Whose attaching it is, in place of what the guest says. */
struct p9_attach {
	const char *aname; /* at most PATH_MAX - 1 bytes */
	bool squash;       /* every user is @uid */
	uint32_t uid;
};

/*
 * The Tattach @data (all of its @size bytes) with its aname replaced, as @attach
 * says, and with a number for its user, into @ret; returns its size, or 0 if it
 * is no Tattach.
 */
size_t p9_attach_rewrite(const uint8_t *data, size_t size, const struct p9_attach *attach,
			 uint8_t ret[static P9_ATTACH_MAX]);

#endif
