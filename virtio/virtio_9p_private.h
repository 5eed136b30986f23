/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the two halves of the 9P device: virtio_9p.c, which has the requests,
 * and virtio_9p_stream.c, which has the socket.
 */
#ifndef ARMLET_VIRTIO_VIRTIO_9P_PRIVATE_H
#define ARMLET_VIRTIO_VIRTIO_9P_PRIVATE_H

#include "p9.h"
#include "patience.h"
#include "virtio/virtio_9p.h"

#define P9_SLOTS      128 /* of requests in flight, and of the queue */
#define P9_PIECES_MAX 130 /* of a buffer: Linux's, and one more at either end */

/* Bits of a tag: the slot below, the generation above, which is never all ones (P9_NOTAG). */
#define P9_SLOT_BITS   7
#define P9_GENERATIONS 511

/* A request: busy until its chain goes back to the driver. */
struct p9_request {
	struct virtq_chain chain;
	bool busy;
	uint8_t type;
	uint16_t tag;           /* the driver's */
	struct p9_request *old; /* Tflush: what it flushes */
	uint16_t flushers;      /* Tflushes of it that are busy: its slot is kept for as long */
};

/* The message that is on its way to the server, if @size is not zero. */
struct p9_sending {
	struct p9_request *request; /* whose pieces the rest is in; NULL: it is in @copy */
	uint8_t *copy;
	uint8_t head[P9_ATTACH_MAX]; /* what comes first, as we have made it */
	size_t head_size;
	size_t skip; /* bytes of the request that the head stands for */
	size_t size;
	size_t done;
};

/* The message that is on its way from the server. */
struct p9_receiving {
	uint8_t head[P9_HEADER_SIZE]; /* of it, or behind it, of the next */
	size_t head_size;             /* bytes of @head that are there */
	struct p9_header header;      /* size 0: not known yet */
	size_t done;                  /* bytes of it, header and all */
	struct p9_request *request;   /* whose answer it is; NULL: nobody's any more */
};

struct virtio_9p {
	struct virtio_device virtio;
	uint8_t config[2 + VIRTIO_9P_TAG_MAX];
	char *directory;
	struct p9_attach attach;

	int fd;
	struct event_source server;
	bool watches_write;
	bool lost;    /* the server is given up */
	bool session; /* a Tversion was sent since the last reset */

	struct p9_request requests[P9_SLOTS];
	struct iovec (*pieces)[P9_PIECES_MAX];
	unsigned busy;
	uint64_t answered; /* requests, ever */
	uint16_t generation;
	struct patience patience;

	/* Answers that may come though nobody waits for them: to Tversion, to all else. */
	unsigned stale_versions;
	unsigned stale;

	struct p9_sending sending;
	struct p9_receiving receiving;
};

/* In virtio_9p_stream.c. */

/* Send what there is to be sent, as far as the socket takes it. */
void p9_stream_send(struct virtio_9p *p9);

/* Take what the server has sent; each answer ends in p9_answer(). */
void p9_stream_receive(struct virtio_9p *p9);

/*
 * @request's pieces go back to the driver, though they are not all sent, or
 * received. The server may be shut by that.
 */
void p9_stream_let_go(struct virtio_9p *p9, const struct p9_request *request);

/* In virtio_9p.c. */

/* The tag that the server knows @request by. */
uint16_t p9_server_tag(const struct virtio_9p *p9, const struct p9_request *request);

/* The request that is answered has its answer, but for the header: @written bytes in all. */
void p9_answer(struct virtio_9p *p9, struct p9_request *request, const struct p9_header *header);

/* The same, with an Rlerror of ours. */
void p9_answer_error(struct virtio_9p *p9, struct p9_request *request, uint32_t code);

/*
 * The server is of no more use, as @why says: everything fails from now on.
 * p9_shut_server() leaves it to its caller to answer what is in flight.
 */
void p9_lose_server(struct virtio_9p *p9, const char *why);
void p9_shut_server(struct virtio_9p *p9, const char *why);

#endif
