/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client of the control socket: greeting, negotiation, requests in, answers and
 * events out (QEMU, docs/interop/qmp-spec).
 *
 * DOC: Nobody can make us wait or grow
 *
 * A request is at most QMP_REQUEST_MAX bytes and QMP_DEPTH_MAX deep; what is no JSON,
 * or more than that, gets an error, and the connection ends. While an answer
 * cannot be sent nothing more is read, so there is at most one answer in @out, and
 * behind it events up to QMP_OUT_MAX: a client that lets more pile up is dropped.
 * An idle client has no buffer at all. One that waits for an answer that takes long
 * is not read from, either.
 *
 * Threads: the main thread's.
 */
#ifndef ARMLET_CONTROL_QMP_CLIENT_H
#define ARMLET_CONTROL_QMP_CLIENT_H

#include "core/event_loop.h"
#include "qmp_schema.h"

#define QMP_REQUEST_MAX (64 * KIB)
#define QMP_DEPTH_MAX   32
#define QMP_OUT_MAX     (256 * KIB)
#define QMP_INPUT_SIZE  4096

struct qmp_client {
	struct event_source source; /* of the connection, which it owns */
	const struct qmp_schema *schema;
	void *context; /* for the commands */
	void (*gone)(struct qmp_client *client);
	struct qmp_client *next; /* for whoever has several */

	bool negotiated;
	bool waiting;                /* for the answer of a command that said QMP_LATER */
	struct json_object *id;      /* of that request; NULL: it has none */
	int passed_fd;               /* the last that came by SCM_RIGHTS; -EBADF: none */
	bool closing;                /* once @out is sent, the connection ends */
	struct json_tokener *parser; /* of a request that has begun; else NULL */
	size_t request_size;         /* bytes of it so far */
	char *input;                 /* read, but not yet looked at; NULL: nothing */
	size_t input_start;
	size_t input_end;
	char *out; /* [out_start, out_end) is to be sent */
	size_t out_start;
	size_t out_end;
	size_t out_size;
};

/*
 * Serve @fd, which is the client's from now on. @gone is called when the
 * connection has ended, from an event callback; it is to end in
 * qmp_client_destroy(). -errno: @fd is closed.
 */
int qmp_client_create(struct event_loop *loop, int fd, const struct qmp_client *like,
		      struct qmp_client **ret);
void qmp_client_destroy(struct qmp_client *client);

/*
 * The answer that a client waits for, with what its command came to. From an event
 * callback; the client may be gone then.
 */
void qmp_client_answer(struct qmp_client *client, struct qmp_call *call, int r);

/* The descriptor that came with the request or before it, the caller's from now on. -EBADF. */
int qmp_client_take_fd(struct qmp_client *client);

/* @object as QEMU writes it, on one line with its end; the caller's to free. NULL without memory.
 */
char *qmp_line(struct json_object *object, size_t *ret_size);

/* VersionInfo. */
struct json_object *qmp_version(void);

/* Send @line, an event as one line with its end, once the client has negotiated. */
void qmp_client_event(struct qmp_client *client, const char *line, size_t size);

/* What is to be sent is sent, as far as that goes without waiting. False: there is more. */
bool qmp_client_flush(struct qmp_client *client);

#endif
