/* SPDX-License-Identifier: Apache-2.0 */
#include "p9.h"

#include <assert.h>
#include <string.h>

void p9_put_le(uint8_t *data, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)(value >> (8 * i));
}

void p9_header_put(uint8_t data[static P9_HEADER_SIZE], const struct p9_header *header)
{
	p9_put_le(data, header->size, 4);
	data[4] = header->type;
	p9_put_le(data + 5, header->tag, 2);
}

void p9_error_put(uint8_t data[static P9_ERROR_SIZE], uint16_t tag, uint32_t code)
{
	const struct p9_header header = {P9_ERROR_SIZE, P9_RLERROR, tag};

	p9_header_put(data, &header);
	p9_put_le(data + P9_HEADER_SIZE, code, 4);
}

size_t p9_lock_answer(const uint8_t *data, size_t size, uint8_t ret[static P9_LOCK_MAX])
{
	struct p9_header header = p9_header_get(data);
	struct cursor c = cursor_init(data + P9_HEADER_SIZE, size - P9_HEADER_SIZE);
	bool is_lock = header.type == P9_TLOCK;
	const uint8_t *fields;

	cursor_take(&c, 4); /* fid */
	fields = cursor_take(&c, is_lock ? 1 + 4 + 8 + 8 + 4 : 1 + 8 + 8 + 4);
	cursor_take(&c, cursor_u16(&c));
	if (!cursor_ok(&c) || c.left || size > P9_LOCK_MAX)
		return 0;
	header.type++;
	if (is_lock) {
		header.size = P9_HEADER_SIZE + 1;
		ret[P9_HEADER_SIZE] = P9_LOCK_SUCCESS;
	} else {
		header.size = (uint32_t)(size - 4);
		memcpy(ret + P9_HEADER_SIZE, fields, header.size - P9_HEADER_SIZE);
		ret[P9_HEADER_SIZE] = P9_LOCK_UNLCK;
	}
	p9_header_put(ret, &header);
	return header.size;
}

static uint8_t *put_string(uint8_t *at, const void *text, size_t size)
{
	p9_put_le(at, size, 2);
	memcpy(at + 2, text, size);
	return at + 2 + size;
}

/*
 * Who a guest's user is of whom it has told the name only, as Linux does when it
 * mounts: "nobody", if nothing else was asked for. Names beside root's are the
 * guest's own, and nobody here.
 */
static uint32_t user_of(const uint8_t *name, size_t size)
{
	uint64_t uid = 0;

	if (size == strlen("root") && memcmp(name, "root", size) == 0)
		return 0;
	for (size_t i = 0; i < size; i++) {
		if (name[i] < '0' || name[i] > '9')
			return P9_NOBODY;
		uid = uid * 10 + (name[i] - '0');
		if (uid >= P9_NONUNAME)
			return P9_NOBODY;
	}
	return size ? (uint32_t)uid : P9_NOBODY;
}

size_t p9_attach_rewrite(const uint8_t *data, size_t size, const struct p9_attach *attach,
			 uint8_t ret[static P9_ATTACH_MAX])
{
	struct cursor c = cursor_init(data, size);
	const uint8_t *head = cursor_take(&c, P9_HEADER_SIZE + 8);
	size_t uname_size = cursor_u16(&c);
	const uint8_t *uname = cursor_take(&c, uname_size);
	const uint8_t *aname = cursor_take(&c, cursor_u16(&c));
	uint32_t uid = cursor_u32(&c);
	struct p9_header header;
	uint8_t *at = ret;

	(void)aname; /* whatever the guest would like to see, it gets the one directory */
	if (!cursor_ok(&c) || c.left || uname_size > P9_UNAME_MAX)
		return 0;
	assert(strlen(attach->aname) < PATH_MAX);
	if (attach->squash)
		uid = attach->uid;
	else if (uid == P9_NONUNAME)
		uid = user_of(uname, uname_size);
	header = p9_header_get(head);
	at = mempcpy(at, head, P9_HEADER_SIZE + 8);
	at = put_string(at, uname, uname_size);
	at = put_string(at, attach->aname, strlen(attach->aname));
	p9_put_le(at, uid, 4);
	header.size = (uint32_t)(at + 4 - ret);
	p9_header_put(ret, &header);
	return header.size;
}
