/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Moving frames ourselves
 *
 * In the main thread, under the device's lock. Two rules keep frames in order
 * and nobody waiting:
 *
 * - Who cannot go on is waited for where he is. A driver without receive
 *   buffers: the port is not read (@starved) until its queue is notified. A
 *   port that takes no more: the send queue is not looked at (@blocked) until
 *   the port is writable.
 * - A frame in a stream that is cut must be finished before anything else, even
 *   after a reset of the device: what a short write has left is copied into
 *   @out, so the guest has its buffers back at once.
 *
 * From a stream as many frames are read with one call as there are, and the
 * frames of many buffers are written with one.
 */
#include <string.h>
#include <sys/socket.h>

#include "net_private.h"
#include "net_reception.h"

/* One write to a stream: pieces of the guest's memory, and a prefix for each frame. */
#define BATCH_PIECES 768 /* below UIO_MAXIOV; the longest buffer has to fit in behind others */
#define BATCH_FRAMES 64
#define BATCH_BYTES  (64 * KIB) /* another frame is begun below that */

#define OUT_SIZE (BATCH_BYTES + NET_STREAM_PREFIX + NET_FRAME_MAX)

#define PACKETS_MAX 64 /* read in a row from a port of packets */

_Static_assert(sizeof(struct virtio_net_hdr_mrg_rxbuf) == NET_HEADER_SIZE, "virtio 1.3, 5.1.6");
_Static_assert(NET_STREAM_SIZE >= NET_HEADER_SIZE + NET_FRAME_MAX, "a packet has to fit");
_Static_assert(NET_STREAM_SIZE >= NET_STREAM_PREFIX + NET_FRAME_MAX, "a frame has to fit");

struct batch {
	struct iovec pieces[BATCH_PIECES];
	unsigned piece_count;
	struct virtq_chain chains[BATCH_FRAMES];
	uint8_t prefixes[BATCH_FRAMES][NET_STREAM_PREFIX];
	unsigned frame_count;
	size_t bytes;
};

struct user_pair {
	struct net_user *user;
	unsigned index;
	struct event_source source; /* the port's descriptor, while started */
	bool starved;
	bool blocked;
};

struct net_user {
	struct virtio_net *net;
	struct user_pair pairs[NET_PAIRS_MAX];
	struct net_stream in; /* of packets: room for one */
	uint8_t *out;         /* OUT_SIZE bytes; [out_start, out_end) is to be sent */
	size_t out_start;
	size_t out_end;
	struct batch batch;
	struct net_reception in_guest;
	struct virtio_net_dropped dropped;
	struct virtio_net_traffic traffic;
};

static bool is_stream(const struct net_user *user)
{
	return user->net->port->framing == NET_FRAMES_STREAM;
}

static int port_fd(const struct user_pair *pair)
{
	return pair->user->net->port->pairs[pair->index].fd;
}

static struct virtqueue *ring_of(const struct net_user *user, unsigned index)
{
	return &user->net->virtio.queues[index].ring;
}

/* What the port is watched for. */

static void watch(struct user_pair *pair)
{
	unsigned events = (pair->starved ? 0 : EVENT_READ) | (pair->blocked ? EVENT_WRITE : 0);

	if (pair->source.loop)
		event_source_modify(&pair->source, events);
}

/* Nobody is there any more: the guest's frames go nowhere, but it has its buffers back. */
static void lose(struct net_user *user, const char *why)
{
	struct virtio_device *virtio = &user->net->virtio;

	user->out_start = user->out_end = 0;
	net_port_lost(user->net, why);
	for (unsigned i = 0; i < NET_PAIRS_MAX; i++) {
		event_source_remove(&user->pairs[i].source);
		user->pairs[i].blocked = false;
	}
	for (unsigned i = 0; i < net_pair_count(user->net); i++) {
		if (virtio->queues[net_send_queue(i)].ring.ready)
			virtio_again(virtio, net_send_queue(i));
	}
}

/* Receiving: from the port to the guest. */

/* What the guest cannot take is counted. */
static enum net_outcome receive(struct net_user *user, unsigned queue,
				struct virtio_net_hdr_mrg_rxbuf *header, const uint8_t *frame,
				size_t size)
{
	struct virtio_device *virtio = &user->net->virtio;
	enum net_outcome outcome = NET_DROPPED;

	if (net_link_is_up(user->net) && size >= NET_FRAME_MIN)
		outcome =
			net_reception_deliver(&user->in_guest, virtio, queue, header, frame, size);
	else
		net_reception_cancel(&user->in_guest, virtio);
	if (outcome == NET_DROPPED)
		user->dropped.received++;
	if (outcome == NET_DONE) {
		user->traffic.received++;
		user->traffic.received_bytes += size;
	}
	return outcome;
}

/* The queue is empty: ask to be told of the next buffer. False: it is there. */
static bool starve(struct user_pair *pair)
{
	if (virtqueue_enable_notify(ring_of(pair->user, net_receive_queue(pair->index))))
		return false;
	pair->starved = true;
	watch(pair);
	return true;
}

/* The frames that were read. */
static void deliver_stream(struct user_pair *pair)
{
	struct net_user *user = pair->user;
	unsigned queue = net_receive_queue(pair->index);
	const uint8_t *frame;
	size_t size;
	int r;

	while ((r = net_stream_peek(&user->in, &frame, &size)) > 0) {
		struct virtio_net_hdr_mrg_rxbuf header = {0};
		enum net_outcome outcome = receive(user, queue, &header, frame, size);

		if (outcome == NET_BROKEN)
			return;
		if (outcome != NET_WAITING)
			net_stream_take(&user->in);
		else if (starve(pair))
			break;
	}
	virtio_flush(&user->net->virtio, queue);
	if (r < 0)
		lose(user, "it sends a frame of more than 64 KiB");
}

static void receive_stream(struct user_pair *pair)
{
	struct net_user *user = pair->user;
	uint8_t *at = NULL;
	size_t room = net_stream_room(&user->in, &at);
	ssize_t got = recv(port_fd(pair), at, room, MSG_DONTWAIT);

	if (got > 0) {
		net_stream_filled(&user->in, (size_t)got);
		deliver_stream(pair);
	} else if (got == 0) {
		lose(user, "it has closed the connection");
	} else if (errno != EAGAIN && errno != EINTR) {
		lose(user, strerror(errno));
	}
}

/* A packet, header in front; one that was longer than the buffer cannot be. */
static enum net_outcome receive_packet(struct net_user *user, unsigned queue, size_t size)
{
	struct virtio_net_hdr_mrg_rxbuf header = {0};
	const uint8_t *packet = user->in.data;
	enum net_outcome outcome;

	memcpy(&header, packet, min_u64(size, sizeof(header)));
	outcome = receive(user, queue, &header, packet + sizeof(header),
			  size < sizeof(header) ? 0 : size - sizeof(header));
	/* There is one buffer for the packets of all pairs, so none waits in it. */
	if (outcome == NET_WAITING) {
		net_reception_cancel(&user->in_guest, &user->net->virtio);
		user->dropped.received++;
	}
	return outcome;
}

static void receive_packets(struct user_pair *pair)
{
	struct net_user *user = pair->user;
	struct virtio_device *virtio = &user->net->virtio;
	unsigned queue = net_receive_queue(pair->index);

	for (unsigned i = 0; i < PACKETS_MAX; i++) {
		ssize_t got;

		if (virtqueue_empty(ring_of(user, queue)) && starve(pair))
			break;
		got = read(port_fd(pair), user->in.data, NET_STREAM_SIZE);
		if (got < 0 && errno != EAGAIN && errno != EINTR) {
			lose(user, strerror(errno));
			return;
		}
		if (got <= 0)
			break;
		if (receive_packet(user, queue, (size_t)got) == NET_BROKEN)
			return;
	}
	virtio_flush(virtio, queue);
}

/* Sending: from the guest to the port. */

static bool frame_size_possible(const struct virtq_chain *chain)
{
	return chain->out_size >= NET_HEADER_SIZE + NET_FRAME_MIN &&
	       chain->out_size <= NET_HEADER_SIZE + NET_FRAME_MAX;
}

/* Throw a frame of the guest's away. */
static void drop_sent(struct net_user *user, unsigned queue, const struct virtq_chain *chain)
{
	user->dropped.sent++;
	virtio_push(&user->net->virtio, queue, chain, 0);
}

/* Leave out the first @size bytes; pieces may become empty. */
static void trim(struct iovec *pieces, size_t size)
{
	for (; size; pieces++) {
		size_t part = min_u64(size, pieces->iov_len);

		pieces->iov_base = (char *)pieces->iov_base + part;
		pieces->iov_len -= part;
		size -= part;
	}
}

/* What was not sent, from byte @sent of the batch on. */
static void keep_rest(struct net_user *user, size_t sent)
{
	struct batch *batch = &user->batch;

	user->out_start = 0;
	user->out_end = iov_read(batch->pieces, batch->piece_count, sent, user->out, OUT_SIZE);
}

static void count_sent(struct net_user *user, unsigned frames, size_t bytes)
{
	user->traffic.sent += frames;
	user->traffic.sent_bytes += bytes;
}

/* Send the batch. What the port does not take now is kept. */
static void send_batch(struct user_pair *pair)
{
	struct net_user *user = pair->user;
	struct batch *batch = &user->batch;
	const struct msghdr message = {
		.msg_iov = batch->pieces,
		.msg_iovlen = batch->piece_count,
	};
	ssize_t sent;
	int code = 0;

	if (!batch->frame_count)
		return;
	sent = sendmsg(port_fd(pair), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		code = errno;
	else if (sent < (ssize_t)batch->bytes)
		keep_rest(user, sent < 0 ? 0 : (size_t)sent);
	if (!code)
		count_sent(user, batch->frame_count,
			   batch->bytes - batch->frame_count * (size_t)NET_STREAM_PREFIX);
	for (unsigned i = 0; i < batch->frame_count; i++)
		virtio_push(&user->net->virtio, net_send_queue(pair->index), &batch->chains[i], 0);
	batch->frame_count = 0;
	batch->piece_count = 0;
	batch->bytes = 0;
	pair->blocked = user->out_end > user->out_start;
	watch(pair);
	if (code)
		lose(user, code == EPIPE ? "it has closed the connection" : strerror(code));
}

/* Put the frame of @chain, whose pieces are the batch's next but one, behind a prefix. */
static void add_to_batch(struct batch *batch, const struct virtq_chain *chain)
{
	uint32_t size = chain->out_size - NET_HEADER_SIZE;
	uint8_t *prefix = batch->prefixes[batch->frame_count];

	for (unsigned i = 0; i < NET_STREAM_PREFIX; i++)
		prefix[i] = (uint8_t)(size >> (24 - 8 * i));
	batch->pieces[batch->piece_count] =
		(struct iovec){.iov_base = prefix, .iov_len = NET_STREAM_PREFIX};
	trim(&batch->pieces[batch->piece_count + 1], NET_HEADER_SIZE);
	batch->piece_count += 1U + chain->out_count;
	batch->bytes += NET_STREAM_PREFIX + size;
	batch->chains[batch->frame_count++] = *chain;
}

static bool batch_is_full(const struct batch *batch)
{
	return batch->frame_count == BATCH_FRAMES || batch->bytes >= BATCH_BYTES ||
	       batch->piece_count + 1 + NET_PIECES_MAX > BATCH_PIECES;
}

/* Each returns how many buffers of @left may still be taken, now that none can be. */

static unsigned send_stream(struct user_pair *pair, unsigned left)
{
	struct net_user *user = pair->user;
	struct batch *batch = &user->batch;
	unsigned queue = net_send_queue(pair->index);

	for (; left && !pair->blocked && net_link_is_up(user->net); left--) {
		struct virtq_chain chain = {
			.iov = &batch->pieces[batch->piece_count + 1],
			.iov_max = NET_PIECES_MAX,
		};

		if (!virtio_pop(&user->net->virtio, queue, &chain))
			break;
		if (!frame_size_possible(&chain)) {
			/* Buffers go back in the order of their coming. */
			send_batch(pair);
			drop_sent(user, queue, &chain);
			continue;
		}
		add_to_batch(batch, &chain);
		if (batch_is_full(batch))
			send_batch(pair);
	}
	if (user->net->virtio.started)
		send_batch(pair);
	return left;
}

static unsigned send_packets(struct user_pair *pair, unsigned left)
{
	struct net_user *user = pair->user;
	struct virtio_device *virtio = &user->net->virtio;
	unsigned queue = net_send_queue(pair->index);
	struct iovec pieces[NET_PIECES_MAX];
	struct virtq_chain chain = {.iov = pieces, .iov_max = NET_PIECES_MAX};

	for (; left && virtio_pop(virtio, queue, &chain); left--) {
		bool possible = frame_size_possible(&chain);

		if (possible && writev(port_fd(pair), chain.iov, chain.out_count) >= 0) {
			count_sent(user, 1, chain.out_size - NET_HEADER_SIZE);
			virtio_push(virtio, queue, &chain, 0);
		} else if (possible && errno == EAGAIN) {
			virtqueue_unpop(ring_of(user, queue), &chain);
			pair->blocked = true;
			watch(pair);
			break;
		} else {
			/* Or the kernel finds its header wrong, or the interface is down. */
			drop_sent(user, queue, &chain);
		}
	}
	return left;
}

static unsigned send_nowhere(struct user_pair *pair, unsigned left)
{
	struct net_user *user = pair->user;
	unsigned queue = net_send_queue(pair->index);
	struct iovec pieces[NET_PIECES_MAX];
	struct virtq_chain chain = {.iov = pieces, .iov_max = NET_PIECES_MAX};

	for (; left && virtio_pop(&user->net->virtio, queue, &chain); left--)
		drop_sent(user, queue, &chain);
	return left;
}

/* As virtio_serve(), but many frames at once, and no further than the port goes along. */
static void serve_send(struct user_pair *pair)
{
	struct net_user *user = pair->user;
	struct virtio_device *virtio = &user->net->virtio;
	unsigned queue = net_send_queue(pair->index);
	struct virtqueue *ring = ring_of(user, queue);
	unsigned left = ring->size;

	virtqueue_disable_notify(ring);
	do {
		if (!net_link_is_up(user->net))
			left = send_nowhere(pair, left);
		else if (is_stream(user))
			left = send_stream(pair, left);
		else
			left = send_packets(pair, left);
	} while (left && !pair->blocked && virtio->started && virtqueue_enable_notify(ring));
	virtio_flush(virtio, queue);
	/* Others have their turn before the rest. */
	if (!left && !pair->blocked && virtio->started)
		virtio_again(virtio, queue);
}

/* The port can be written to. */
static void go_on_sending(struct user_pair *pair)
{
	struct net_user *user = pair->user;
	size_t size = user->out_end - user->out_start;

	if (size) {
		ssize_t sent = send(port_fd(pair), user->out + user->out_start, size,
				    MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno != EAGAIN && errno != EINTR) {
			lose(user, strerror(errno));
			return;
		}
		user->out_start += sent < 0 ? 0 : (size_t)sent;
		if (user->out_start < user->out_end)
			return;
	}
	pair->blocked = false;
	watch(pair);
	serve_send(pair);
}

static void on_port(void *data, unsigned events)
{
	struct user_pair *pair = data;

	if (events & EVENT_WRITE)
		go_on_sending(pair);
	if (!pair->source.loop) /* lost, or broken */
		return;
	if (events & EVENT_READ && !pair->starved) {
		if (is_stream(pair->user))
			receive_stream(pair);
		else
			receive_packets(pair);
	} else if (events & EVENT_HANGUP) {
		lose(pair->user, "it has closed the connection");
	}
}

/* Starting and stopping. */

void net_user_notify(struct net_user *user, unsigned index)
{
	struct user_pair *pair = &user->pairs[index / 2];

	if (index == net_send_queue(pair->index)) {
		if (!pair->blocked)
			serve_send(pair);
		return;
	}
	if (user->net->gone)
		return;
	virtqueue_disable_notify(ring_of(user, index));
	if (pair->starved) {
		pair->starved = false;
		watch(pair);
	}
	/* Frames may have been left when it was stopped, too. */
	if (is_stream(user))
		deliver_stream(pair);
}

static int watch_port(struct user_pair *pair)
{
	int r;

	pair->source = (struct event_source){
		.fd = -1,
		.owner = &pair->user->net->virtio.device,
		.callback = on_port,
		.data = pair,
	};
	r = event_loop_add(pair->user->net->virtio.loop, &pair->source, port_fd(pair), EVENT_READ);
	if (r == 0)
		watch(pair);
	return r;
}

int net_user_set_pairs(struct net_user *user)
{
	int r = 0;

	for (unsigned i = 0; i < user->net->port->pair_count; i++) {
		struct user_pair *pair = &user->pairs[i];
		bool on = i < user->net->pairs && !user->net->gone;

		if (on && !pair->source.loop && r == 0)
			r = watch_port(pair);
		else if (!on)
			event_source_remove(&pair->source);
	}
	return r;
}

int net_user_start(struct net_user *user)
{
	int r;

	for (unsigned i = 0; i < NET_PAIRS_MAX; i++) {
		user->pairs[i].starved = false;
		user->pairs[i].blocked = false;
	}
	/* The rest of a frame was left when it was stopped. */
	user->pairs[0].blocked = user->out_end > user->out_start;
	r = net_user_set_pairs(user);
	if (r < 0)
		net_user_stop(user);
	return r;
}

void net_user_stop(struct net_user *user)
{
	net_reception_cancel(&user->in_guest, &user->net->virtio);
	for (unsigned i = 0; i < NET_PAIRS_MAX; i++)
		event_source_remove(&user->pairs[i].source);
}

void net_user_forget(struct net_user *user)
{
	user->in.start = user->in.end = 0;
	user->out_start = user->out_end = 0;
}

struct virtio_net_dropped net_user_dropped(const struct net_user *user)
{
	return user->dropped;
}

struct virtio_net_traffic net_user_traffic(const struct net_user *user)
{
	return user->traffic;
}

int net_user_create(struct virtio_net *net, struct net_user **ret)
{
	struct net_user *user = calloc(1, sizeof(*user));

	if (!user)
		return -ENOMEM;
	user->net = net;
	for (unsigned i = 0; i < NET_PAIRS_MAX; i++)
		user->pairs[i] = (struct user_pair){.user = user, .index = i, .source.fd = -1};
	user->out = malloc(OUT_SIZE);
	if (!user->out || net_stream_init(&user->in) < 0) {
		net_user_destroy(user);
		return -ENOMEM;
	}
	*ret = user;
	return 0;
}

void net_user_destroy(struct net_user *user)
{
	if (!user)
		return;
	net_user_stop(user);
	net_stream_finish(&user->in);
	free(user->out);
	free(user);
}
