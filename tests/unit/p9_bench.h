/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 9P device with a driver that sends requests, and with the other end of its
 * server's socket: for a test that plays the server, or to be handed to one.
 */
#ifndef ARMLET_TESTS_P9_BENCH_H
#define ARMLET_TESTS_P9_BENCH_H

#include "p9.h"
#include "virtio/virtio_9p.h"
#include "virtio_bench.h"

#define P9_BENCH_TAG   "share"
#define P9_BENCH_DIR   "/the/share"
#define P9_BENCH_ROOM  512 /* bytes for an answer, unless a test says otherwise */
#define P9_BENCH_MSIZE (256 * KIB)

/* More types than those that the device looks at. */
enum {
	P9_TLOPEN = 12,
	P9_TLCREATE = 14,
	P9_TREADDIR = 40,
	P9_TWALK = 110,
	P9_TREAD = 116,
	P9_TWRITE = 118,
};

struct p9_bench {
	struct virtio_bench bench;
	int server;      /* our end; -1: closed, or somebody else's */
	gpa_t room[256]; /* by token: where its answer goes */
	uint8_t token;   /* of the last request */
};

/* A message, as it is on the wire; bodies are made with the p9_add_*(). */
struct p9_message {
	size_t size;
	uint8_t data[P9_BENCH_MSIZE];
};

extern const struct virtio_kind p9_kind;
extern const struct virtio_kind p9_squash_kind; /* every user is 1234 */

/* Of the device that is made next; as virtio_9p_options has it. */
extern unsigned p9_patience_ms;

/* A device that is driven; the session has begun, if @session. */
struct p9_bench *p9_bench_open(const struct virtio_kind *kind, bool session);
void p9_bench_close(struct p9_bench *bench);

/* Begin a message; put the size into its header at the end. */
void p9_begin(struct p9_message *message, uint8_t type, uint16_t tag);
void p9_add(struct p9_message *message, uint64_t value, size_t size);
void p9_add_string(struct p9_message *message, const char *text);
void p9_end(struct p9_message *message);

/* The driver sends @message, with room for @room bytes; notified and run. Returns its token. */
uint8_t p9_ask(struct p9_bench *bench, const struct p9_message *message, uint32_t room);

/* Likewise a request of @type with a body of 4 bytes. */
uint8_t p9_ask_small(struct p9_bench *bench, uint8_t type, uint16_t tag);

/* The next buffer that comes back is that of @token; its bytes, and how many. */
const uint8_t *p9_await(struct p9_bench *bench, uint8_t token, uint32_t *ret_size);

/* The same, with @size bytes. */
const uint8_t *p9_answered(struct p9_bench *bench, uint8_t token, uint32_t size);

/* It is an Rlerror with @code. */
void p9_refused(struct p9_bench *bench, uint8_t token, uint16_t tag, uint32_t code);

/* Nothing has come back. */
void p9_silent(struct p9_bench *bench);

/* The server's side: the next message is there, whole; or none is. */
struct p9_header p9_take(struct p9_bench *bench, struct p9_message *ret);
void p9_take_none(struct p9_bench *bench);

/* Bytes from the server, and a round of the loop. */
void p9_say(struct p9_bench *bench, const void *data, size_t size);

/* An answer with a body of @size bytes, which are all @fill. */
void p9_reply(struct p9_bench *bench, uint8_t type, uint16_t tag, uint32_t size, uint8_t fill);

/* Go through Tversion and its answer. */
void p9_session(struct p9_bench *bench);

#endif
