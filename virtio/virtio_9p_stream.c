/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/socket.h>

#include "virtio_9p_private.h"

/* Answers that are taken in one go; then the rest of the main thread has its turn. */
#define ROUND 64

/* Either end of a message may be in a buffer of ours. */
#define PIECES (P9_PIECES_MAX + 2)

/* Sending. */

/* What is still to be sent, into @iov; returns the number of pieces. */
static size_t sending_pieces(struct p9_sending *s, struct iovec iov[static PIECES])
{
	size_t count = 0;
	size_t at = s->done;
	int r;

	if (s->copy) {
		iov[0] = (struct iovec){s->copy + at, s->size - at};
		return 1;
	}
	if (at < s->head_size) {
		iov[count++] = (struct iovec){s->head + at, s->head_size - at};
		at = s->head_size;
	}
	if (!s->request)
		return count;
	r = iov_slice(s->request->chain.iov, s->request->chain.out_count,
		      at - s->head_size + s->skip, s->size - at, iov + count, PIECES - count);
	return count + (r > 0 ? (size_t)r : 0);
}

static void watch(struct virtio_9p *p9, bool write)
{
	if (write == p9->watches_write || !p9->server.loop)
		return;
	if (event_source_modify(&p9->server, EVENT_READ | (write ? EVENT_WRITE : 0)) == 0)
		p9->watches_write = write;
}

static void sent(struct p9_sending *s)
{
	free(s->copy);
	s->copy = NULL;
	s->request = NULL;
	s->size = 0;
}

void p9_stream_send(struct virtio_9p *p9)
{
	struct p9_sending *s = &p9->sending;
	struct iovec iov[PIECES];

	while (s->size && !p9->lost) {
		struct msghdr message = {.msg_iov = iov};
		ssize_t n;

		message.msg_iovlen = sending_pieces(s, iov);
		n = sendmsg(p9->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			watch(p9, true);
			return;
		}
		if (n < 0) {
			p9_lose_server(p9, "has gone");
			return;
		}
		s->done += (size_t)n;
		if (s->done == s->size)
			sent(s);
	}
	watch(p9, false);
}

/* The server must get all of a message that it has got a part of. */
static void copy_rest(struct virtio_9p *p9)
{
	struct p9_sending *s = &p9->sending;
	struct iovec iov[PIECES];
	size_t count = sending_pieces(s, iov);
	uint8_t *copy = malloc(s->size - s->done);

	if (!copy) {
		p9_shut_server(p9, "was in the middle of a request, and there is no memory for "
				   "the rest");
		return;
	}
	iov_read(iov, count, 0, copy, s->size - s->done);
	s->copy = copy;
	s->request = NULL;
	s->size -= s->done;
	s->done = 0;
}

void p9_stream_let_go(struct virtio_9p *p9, const struct p9_request *request)
{
	if (p9->receiving.request == request)
		p9->receiving.request = NULL;
	if (p9->sending.size && p9->sending.request == request)
		copy_rest(p9);
}

/* Receiving. */

/* The request that the next answer is to, if it can be to one only. */
static struct p9_request *only_request(struct virtio_9p *p9)
{
	if (p9->busy != 1 || p9->stale || p9->stale_versions)
		return NULL;
	for (unsigned i = 0; i < P9_SLOTS; i++) {
		if (p9->requests[i].busy)
			return &p9->requests[i];
	}
	return NULL;
}

/* The request that @header answers, in *@ret, NULL if it is an old one; false: it cannot be. */
static bool find_request(struct virtio_9p *p9, const struct p9_header *header,
			 struct p9_request **ret)
{
	bool is_version = header->tag == P9_NOTAG;
	unsigned *stale = is_version ? &p9->stale_versions : &p9->stale;
	bool is_old = is_version || header->tag >> P9_SLOT_BITS != p9->generation;

	*ret = NULL;
	/* A server answers Tversions in their order. */
	if (is_old && *stale) {
		(*stale)--;
		return true;
	}
	for (unsigned i = 0; i < P9_SLOTS; i++) {
		struct p9_request *request = &p9->requests[i];

		if (!request->busy || p9_server_tag(p9, request) != header->tag)
			continue;
		*ret = request;
		return header->type == request->type + 1 || header->type == P9_RLERROR;
	}
	return false;
}

/* A header is there: whose answer is it? False: the server is lost. */
static bool begin_answer(struct virtio_9p *p9)
{
	struct p9_receiving *r = &p9->receiving;
	struct p9_header header = p9_header_get(r->head);

	if (header.size < P9_HEADER_SIZE || header.size > VIRTIO_9P_MSIZE_MAX) {
		p9_lose_server(p9, "sends what is not 9P");
		return false;
	}
	if (!find_request(p9, &header, &r->request)) {
		p9_lose_server(p9, "answers what it was not asked");
		return false;
	}
	r->header = header;
	r->done = P9_HEADER_SIZE;
	r->head_size = 0;
	return true;
}

static void end_answer(struct virtio_9p *p9)
{
	struct p9_receiving *r = &p9->receiving;
	struct p9_request *request = r->request;
	struct p9_header header = r->header;

	r->header.size = 0;
	r->request = NULL;
	if (!request)
		return;
	if (header.size <= request->chain.in_size) {
		p9_answer(p9, request, &header);
		return;
	}
	log_guest(&p9->virtio.device.guest_errors,
		  "%s %s: an answer of %u bytes, for which the driver has made room for %u",
		  p9->virtio.device.ops->type, p9->virtio.device.name, header.size,
		  request->chain.in_size);
	p9_answer_error(p9, request, EIO);
}

/*
 * Where the next bytes go: of the answer that has begun, into its request's
 * pieces (of one that is nobody's, or too long for them, into @waste), and
 * behind it a header. Before it has begun: a header, and behind it, where there
 * is no doubt whose answer it will be, what follows it.
 */
static size_t receiving_pieces(struct virtio_9p *p9, uint8_t *waste, size_t waste_size,
			       struct iovec iov[static PIECES], struct p9_request **ret_guess)
{
	struct p9_receiving *r = &p9->receiving;
	struct p9_request *to = r->header.size ? r->request : only_request(p9);
	size_t from = r->header.size ? r->done : P9_HEADER_SIZE;
	size_t end = r->header.size ? r->header.size : SIZE_MAX;
	size_t count = 0;
	int pieces = 0;

	*ret_guess = NULL;
	if (!r->header.size)
		iov[count++] =
			(struct iovec){r->head + r->head_size, P9_HEADER_SIZE - r->head_size};
	if (to && from < min_u64(end, to->chain.in_size)) {
		end = min_u64(end, to->chain.in_size);
		pieces = iov_slice(to->chain.iov + to->chain.out_count, to->chain.in_count, from,
				   end - from, iov + count, P9_PIECES_MAX);
		count += pieces > 0 ? (size_t)pieces : 0;
	} else if (r->header.size) {
		end = min_u64(end, from + waste_size);
		iov[count++] = (struct iovec){waste, end - from};
	}
	if (!r->header.size)
		*ret_guess = pieces > 0 ? to : NULL;
	else if (end == r->header.size)
		iov[count++] = (struct iovec){r->head, P9_HEADER_SIZE};
	return count;
}

/* @n bytes have come, as receiving_pieces() had them placed; false: the server is lost. */
static bool received(struct virtio_9p *p9, size_t n, const struct p9_request *guess)
{
	struct p9_receiving *r = &p9->receiving;
	size_t part;

	if (!r->header.size) {
		part = min_u64(n, P9_HEADER_SIZE - r->head_size);
		r->head_size += part;
		n -= part;
		if (r->head_size < P9_HEADER_SIZE)
			return true;
		if (!begin_answer(p9))
			return false;
		/* What a server sends beyond its only answer is nothing that was asked for. */
		if (n > r->header.size - P9_HEADER_SIZE || (n && guess != r->request)) {
			p9_lose_server(p9, "answers what it was not asked");
			return false;
		}
	}
	part = min_u64(n, r->header.size - r->done);
	r->done += part;
	n -= part;
	if (r->done == r->header.size) {
		end_answer(p9);
		r->head_size = n;
	}
	return true;
}

/* All that is there was taken if less came than there was room for. */
void p9_stream_receive(struct virtio_9p *p9)
{
	struct p9_receiving *r = &p9->receiving;
	struct iovec iov[PIECES];
	uint8_t waste[4096];

	for (unsigned i = 0; i < ROUND && !p9->lost; i++) {
		struct msghdr message = {.msg_iov = iov};
		struct p9_request *guess;
		size_t room;
		ssize_t n;

		message.msg_iovlen = receiving_pieces(p9, waste, sizeof(waste), iov, &guess);
		room = iov_size(iov, message.msg_iovlen);
		n = recvmsg(p9->fd, &message, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			p9_lose_server(p9, "has gone");
			return;
		}
		if (!received(p9, (size_t)n, guess))
			return;
		/* A whole header behind an answer is the next one's. */
		if (!r->header.size && r->head_size == P9_HEADER_SIZE && !begin_answer(p9))
			return;
		if (r->header.size && r->header.size == r->done)
			end_answer(p9);
		if ((size_t)n < room)
			return;
	}
}
