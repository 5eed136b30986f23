/* SPDX-License-Identifier: Apache-2.0 */
#include "p9_bench.h"

#include <check.h>
#include <string.h>
#include <sys/socket.h>

#define VERSION_TOKEN_SIZE 21 /* bytes of an Rversion */

unsigned p9_patience_ms;

static int create(struct virtio_bench *bench, struct virtio_device **ret, bool squash)
{
	struct p9_bench *p9 = container_of(bench, struct p9_bench, bench);
	struct virtio_9p_options options = {
		.name = "share0",
		.mem = bench->mem,
		.loop = bench->loop,
		.tag = P9_BENCH_TAG,
		.directory = P9_BENCH_DIR,
		.squash = squash,
		.uid = 1234,
		.patience_ms = p9_patience_ms,
	};
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	p9->server = fds[0];
	options.server_fd = fds[1];
	return virtio_9p_create(&options, ret);
}

static int create_plain(struct virtio_bench *bench, struct virtio_device **ret)
{
	return create(bench, ret, false);
}

static int create_squash(struct virtio_bench *bench, struct virtio_device **ret)
{
	return create(bench, ret, true);
}

static void finish(struct virtio_bench *bench)
{
	struct p9_bench *p9 = container_of(bench, struct p9_bench, bench);

	p9->server = close_fd(p9->server);
}

/* Some server: it answers some of what it is asked, now and then wrongly. */
static void disturb(struct virtio_bench *bench)
{
	struct p9_bench *p9 = container_of(bench, struct p9_bench, bench);
	uint8_t answer[P9_ERROR_SIZE];
	uint8_t data[4096];
	ssize_t n = recv(p9->server, data, sizeof(data), MSG_DONTWAIT);

	if (n < P9_HEADER_SIZE || virtio_bench_random(bench, 4) == 0)
		return;
	p9_error_put(answer, p9_header_get(data).tag, ENOENT);
	send(p9->server, answer, sizeof(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
}

const struct virtio_kind p9_kind = {
	.bench_size = sizeof(struct p9_bench),
	.create = create_plain,
	.finish = finish,
	.disturb = disturb,
};

const struct virtio_kind p9_squash_kind = {
	.bench_size = sizeof(struct p9_bench),
	.create = create_squash,
	.finish = finish,
};

struct p9_bench *p9_bench_open(const struct virtio_kind *kind, bool session)
{
	struct virtio_bench *bench = virtio_bench_open(kind);
	struct p9_bench *p9 = container_of(bench, struct p9_bench, bench);

	virtio_bench_drive(bench, UINT64_MAX);
	if (session)
		p9_session(p9);
	return p9;
}

void p9_bench_close(struct p9_bench *bench)
{
	virtio_bench_close(&bench->bench);
}

void p9_begin(struct p9_message *message, uint8_t type, uint16_t tag)
{
	const struct p9_header header = {0, type, tag};

	p9_header_put(message->data, &header);
	message->size = P9_HEADER_SIZE;
}

void p9_add(struct p9_message *message, uint64_t value, size_t size)
{
	p9_put_le(message->data + message->size, value, size);
	message->size += size;
}

void p9_add_string(struct p9_message *message, const char *text)
{
	size_t size = strlen(text);

	p9_add(message, size, 2);
	memcpy(message->data + message->size, text, size);
	message->size += size;
}

void p9_end(struct p9_message *message)
{
	p9_put_le(message->data, message->size, 4);
}

/* Pieces that are not those of a page, so that messages are cut at odd places. */
static unsigned cut(gpa_t addr, uint32_t size, struct driver_piece *pieces)
{
	uint32_t part = size / 3;

	if (part < 5) {
		pieces[0] = (struct driver_piece){addr, size};
		return 1;
	}
	pieces[0] = (struct driver_piece){addr, 5};
	pieces[1] = (struct driver_piece){addr + 5, part};
	pieces[2] = (struct driver_piece){addr + 5 + part, size - 5 - part};
	return 3;
}

uint8_t p9_ask(struct p9_bench *bench, const struct p9_message *message, uint32_t room)
{
	struct virtio_bench *virtio = &bench->bench;
	gpa_t addr = virtio_bench_alloc(virtio, message->size, 1);
	uint8_t token = ++bench->token;
	struct driver_piece pieces[6];
	unsigned n_out = cut(addr, (uint32_t)message->size, pieces);
	unsigned n_in;

	memcpy(virtio_bench_ram(virtio, addr, message->size), message->data, message->size);
	bench->room[token] = virtio_bench_alloc(virtio, room, 1);
	n_in = cut(bench->room[token], room, pieces + n_out);
	ck_assert(virtio_bench_add(virtio, 0, pieces, n_out, n_in, token));
	virtio_bench_kick(virtio, 0);
	virtio_bench_run(virtio);
	return token;
}

uint8_t p9_ask_small(struct p9_bench *bench, uint8_t type, uint16_t tag)
{
	struct p9_message message;

	p9_begin(&message, type, tag);
	p9_add(&message, 0x01020304, 4);
	p9_end(&message);
	return p9_ask(bench, &message, P9_BENCH_ROOM);
}

const uint8_t *p9_await(struct p9_bench *bench, uint8_t token, uint32_t *ret_size)
{
	uint64_t got = 0;

	ck_assert(virtio_bench_wait(&bench->bench, 0, &got, ret_size));
	ck_assert_uint_eq(got, token);
	return virtio_bench_ram(&bench->bench, bench->room[token], *ret_size);
}

const uint8_t *p9_answered(struct p9_bench *bench, uint8_t token, uint32_t size)
{
	uint32_t length = 0;
	const uint8_t *data = p9_await(bench, token, &length);

	ck_assert_uint_eq(length, size);
	return data;
}

void p9_refused(struct p9_bench *bench, uint8_t token, uint16_t tag, uint32_t code)
{
	const uint8_t *data = p9_answered(bench, token, P9_ERROR_SIZE);
	uint8_t expected[P9_ERROR_SIZE];

	p9_error_put(expected, tag, code);
	ck_assert_mem_eq(data, expected, sizeof(expected));
}

void p9_silent(struct p9_bench *bench)
{
	uint64_t token;
	uint32_t length;

	virtio_bench_run(&bench->bench);
	ck_assert(!virtio_bench_used(&bench->bench, 0, &token, &length));
}

/* What is not there yet comes when the device has its turn. */
static void take_bytes(struct p9_bench *bench, uint8_t *data, size_t size)
{
	size_t done = 0;

	for (unsigned i = 0; done < size; i++) {
		ssize_t n = recv(bench->server, data + done, size - done, MSG_DONTWAIT);

		ck_assert_uint_lt(i, 10000);
		if (n > 0)
			done += (size_t)n;
		else
			virtio_bench_run(&bench->bench);
	}
}

struct p9_header p9_take(struct p9_bench *bench, struct p9_message *ret)
{
	struct p9_header header;

	take_bytes(bench, ret->data, P9_HEADER_SIZE);
	header = p9_header_get(ret->data);
	ck_assert_uint_le(header.size, sizeof(ret->data));
	take_bytes(bench, ret->data + P9_HEADER_SIZE, header.size - P9_HEADER_SIZE);
	ret->size = header.size;
	return header;
}

void p9_take_none(struct p9_bench *bench)
{
	uint8_t byte;

	virtio_bench_run(&bench->bench);
	ck_assert_int_eq(recv(bench->server, &byte, 1, MSG_DONTWAIT), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

void p9_say(struct p9_bench *bench, const void *data, size_t size)
{
	const uint8_t *at = data;

	while (size) {
		ssize_t n = send(bench->server, at, size, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
		virtio_bench_run(&bench->bench);
	}
}

void p9_reply(struct p9_bench *bench, uint8_t type, uint16_t tag, uint32_t size, uint8_t fill)
{
	const struct p9_header header = {P9_HEADER_SIZE + size, type, tag};
	uint8_t *data = malloc(header.size);

	p9_header_put(data, &header);
	memset(data + P9_HEADER_SIZE, fill, size);
	p9_say(bench, data, header.size);
	free(data);
}

static void make_version(struct p9_message *message, uint32_t msize)
{
	p9_begin(message, P9_TVERSION, P9_NOTAG);
	p9_add(message, msize, 4);
	p9_add_string(message, "9P2000.L");
	p9_end(message);
}

void p9_session(struct p9_bench *bench)
{
	struct p9_message message;
	struct p9_header header;
	uint8_t token;

	make_version(&message, P9_BENCH_MSIZE);
	token = p9_ask(bench, &message, P9_BENCH_ROOM);
	header = p9_take(bench, &message);
	ck_assert_uint_eq(header.type, P9_TVERSION);
	ck_assert_uint_eq(header.tag, P9_NOTAG);
	make_version(&message, P9_BENCH_MSIZE);
	message.data[4] = P9_TVERSION + 1;
	p9_say(bench, message.data, message.size);
	p9_answered(bench, token, VERSION_TOKEN_SIZE);
}
