/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/vhost_user.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/now.h"

/* Requests, and bits of a header's flags. */
enum {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
};

#define FLAG_VERSION    0x1U
#define FLAG_REPLY      0x4U
#define FLAG_NEED_REPLY 0x8U

#define F_PROTOCOL_FEATURES 30 /* of the features: there are features of the protocol */

#define PROTOCOL_MQ        BIT(0)
#define PROTOCOL_REPLY_ACK BIT(3)

#define QUEUES_MAX 256 /* an index is a byte */

struct header {
	uint32_t request;
	uint32_t flags;
	uint32_t size; /* of what follows */
};

struct vring_state {
	uint32_t index;
	uint32_t num;
};

struct vring_areas {
	uint32_t index;
	uint32_t flags;
	uint64_t desc;
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};

struct memory_table {
	uint32_t count;
	uint32_t padding;
	uint64_t guest_addr;
	uint64_t size;
	uint64_t our_addr;
	uint64_t offset; /* in the file */
};

struct vhost_user {
	struct vhost vhost;
	int fd;
	unsigned timeout_ms;
	uint64_t server_features;
	uint64_t protocol; /* features of the protocol, agreed upon */
	unsigned queue_count;
	bool has_memory;
	const char *fault;
};

static struct vhost_user *to_user(struct vhost *vhost)
{
	return container_of(vhost, struct vhost_user, vhost);
}

/* The socket. */

static int lose(struct vhost_user *user, const char *fault, int code)
{
	if (!user->fault)
		user->fault = fault;
	/* The other side shall know that nothing comes any more. */
	shutdown(user->fd, SHUT_RDWR);
	return -code;
}

static int wait_for(struct vhost_user *user, short events, int64_t deadline)
{
	struct pollfd polled = {.fd = user->fd, .events = events};
	int64_t left = deadline - now_ms();
	int r = left > 0 ? poll(&polled, 1, (int)left) : 0;

	if (r < 0 && errno != EINTR)
		return lose(user, "cannot be waited for", errno);
	return r == 0 ? lose(user, "does not answer", ETIMEDOUT) : 0;
}

/* After sendmsg() or recvmsg() has returned @n, or nothing could be done: 0 to go on. */
static int after(struct vhost_user *user, ssize_t n, short events, int64_t deadline)
{
	if (n > 0)
		return 0;
	if (n < 0 && errno == EINTR)
		return 0;
	if (n < 0 && errno == EAGAIN)
		return wait_for(user, events, deadline);
	return lose(user, "has gone", EPIPE);
}

/* Descriptors go with the first byte. */
static void attach_fd(struct msghdr *message, void *control, size_t size, int fd)
{
	struct cmsghdr *header;

	message->msg_control = control;
	message->msg_controllen = size;
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
}

static int send_all(struct vhost_user *user, const void *data, size_t size, int fd,
		    int64_t deadline)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	size_t done = 0;

	while (done < size) {
		struct iovec piece = {(char *)(uintptr_t)data + done, size - done};
		struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
		ssize_t n;
		int r;

		if (fd >= 0 && !done)
			attach_fd(&message, &control, sizeof(control), fd);
		n = sendmsg(user->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		done += n > 0 ? (size_t)n : 0;
		r = after(user, n, POLLOUT, deadline);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A server has no descriptors for us: what it attaches is closed by the kernel. */
static int receive_all(struct vhost_user *user, void *data, size_t size, int64_t deadline)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = recv(user->fd, (char *)data + done, size - done, MSG_DONTWAIT);
		int r;

		done += n > 0 ? (size_t)n : 0;
		r = after(user, n, POLLIN, deadline);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The answer to @request: @size bytes. */
static int receive(struct vhost_user *user, uint32_t request, void *answer, uint32_t size,
		   int64_t deadline)
{
	struct header header;
	int r = receive_all(user, &header, sizeof(header), deadline);

	if (r < 0)
		return r;
	if (header.request != request ||
	    (header.flags & ~FLAG_NEED_REPLY) != (FLAG_VERSION | FLAG_REPLY) || header.size != size)
		return lose(user, "answers what it was not asked", EPROTO);
	return receive_all(user, answer, size, deadline);
}

/* Tell, with a descriptor if @fd is one, and get an answer of @answer_size bytes, if any. */
static int exchange(struct vhost_user *user, uint32_t request, const void *data, uint32_t size,
		    int fd, void *answer, uint32_t answer_size)
{
	bool ack = !answer && user->protocol & PROTOCOL_REPLY_ACK;
	const struct header header = {request, FLAG_VERSION | (ack ? FLAG_NEED_REPLY : 0), size};
	int64_t deadline = now_ms() + user->timeout_ms;
	char message[sizeof(header) + sizeof(struct memory_table)];
	uint64_t code = 0;
	int r;

	if (user->fault)
		return -EPIPE;
	memcpy(message, &header, sizeof(header));
	if (size)
		memcpy(message + sizeof(header), data, size);
	r = send_all(user, message, sizeof(header) + size, fd, deadline);
	if (r < 0)
		return r;
	if (answer)
		return receive(user, request, answer, answer_size, deadline);
	if (!ack)
		return 0;
	r = receive(user, request, &code, sizeof(code), deadline);
	if (r < 0)
		return r;
	/* A refusal: it goes on, but cannot do what we need. */
	return code ? -EIO : 0;
}

static int tell(struct vhost_user *user, uint32_t request, const void *data, uint32_t size)
{
	return exchange(user, request, data, size, -1, NULL, 0);
}

static int ask(struct vhost_user *user, uint32_t request, uint64_t *ret)
{
	return exchange(user, request, NULL, 0, -1, ret, sizeof(*ret));
}

/* The operations of vhost. */

/* Asked once, when the protocol was agreed upon. */
static int get_features(struct vhost *vhost, uint64_t *ret)
{
	*ret = to_user(vhost)->server_features & ~BIT(F_PROTOCOL_FEATURES);
	return 0;
}

static int set_features(struct vhost *vhost, uint64_t features)
{
	struct vhost_user *user = to_user(vhost);
	uint64_t all = features | (user->server_features & BIT(F_PROTOCOL_FEATURES));

	return tell(user, SET_FEATURES, &all, sizeof(all));
}

/* The memory stays as it is for as long as the machine does: the server is told once. */
static int set_memory(struct vhost *vhost, const struct guest_mem *mem)
{
	struct vhost_user *user = to_user(vhost);
	const struct memory_table table = {
		.count = 1,
		.guest_addr = mem->base,
		.size = mem->size,
		.our_addr = (uintptr_t)mem->host,
	};
	int r;

	if (mem->fd < 0)
		return -EINVAL;
	if (user->has_memory)
		return 0;
	r = exchange(user, SET_MEM_TABLE, &table, sizeof(table), mem->fd, NULL, 0);
	user->has_memory = r == 0;
	return r;
}

static int set_vring(struct vhost *vhost, unsigned index, const struct vhost_vring *vring)
{
	struct vhost_user *user = to_user(vhost);
	const struct vring_state size = {index, vring->size};
	const struct vring_state base = {index, vring->base};
	const struct vring_areas areas = {
		.index = index,
		.desc = (uintptr_t)vring->desc,
		.used = (uintptr_t)vring->device,
		.avail = (uintptr_t)vring->driver,
	};
	const uint64_t with_fd = index;
	int r = tell(user, SET_VRING_NUM, &size, sizeof(size));

	if (r == 0)
		r = tell(user, SET_VRING_BASE, &base, sizeof(base));
	if (r == 0)
		r = tell(user, SET_VRING_ADDR, &areas, sizeof(areas));
	if (r == 0)
		r = exchange(user, SET_VRING_CALL, &with_fd, sizeof(with_fd), vring->call_fd, NULL,
			     0);
	if (r == 0)
		r = exchange(user, SET_VRING_KICK, &with_fd, sizeof(with_fd), vring->kick_fd, NULL,
			     0);
	return r;
}

/* Without features of the protocol, a ring begins with its kick. */
static int enable(struct vhost_user *user, unsigned index, bool on)
{
	const struct vring_state state = {index, on};

	if (!(user->server_features & BIT(F_PROTOCOL_FEATURES)))
		return 0;
	return tell(user, SET_VRING_ENABLE, &state, sizeof(state));
}

static int start_vring(struct vhost *vhost, unsigned index)
{
	return enable(to_user(vhost), index, true);
}

/* A server that is lost has told why already, or will: it is not an error once more. */
static int stop_vring(struct vhost *vhost, unsigned index, uint32_t *ret_base)
{
	struct vhost_user *user = to_user(vhost);
	const struct vring_state which = {.index = index};
	struct vring_state state = {0};
	int r;

	/* Refused or not: what counts is the answer to the next. */
	enable(user, index, false);
	if (user->fault)
		return 0;
	r = exchange(user, GET_VRING_BASE, &which, sizeof(which), -1, &state, sizeof(state));
	if (r == 0 && state.index != index)
		r = lose(user, "answers for another queue", EPROTO);
	if (r < 0)
		return user->fault ? 0 : r;
	*ret_base = state.num;
	return 0;
}

static void destroy(struct vhost *vhost)
{
	struct vhost_user *user = to_user(vhost);

	close_fd(user->fd);
	free(user);
}

static const struct vhost_ops user_ops = {
	.get_features = get_features,
	.set_features = set_features,
	.set_memory = set_memory,
	.set_vring = set_vring,
	.start_vring = start_vring,
	.stop_vring = stop_vring,
	.destroy = destroy,
};

unsigned vhost_user_queue_count(const struct vhost *vhost)
{
	return container_of(vhost, const struct vhost_user, vhost)->queue_count;
}

int vhost_user_fd(const struct vhost *vhost)
{
	return container_of(vhost, const struct vhost_user, vhost)->fd;
}

const char *vhost_user_fault(struct vhost *vhost)
{
	struct vhost_user *user = to_user(vhost);
	uint8_t byte;
	ssize_t n;

	if (user->fault)
		return user->fault;
	/* Between two exchanges there is nothing to be said. */
	n = recv(user->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
	if (n > 0)
		lose(user, "says what it was not asked", EPROTO);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		lose(user, "has gone", EPIPE);
	return user->fault;
}

/* Features, those of the protocol, and how many queues. */
static int negotiate(struct vhost_user *user)
{
	uint64_t protocol = 0;
	uint64_t queues = QUEUES_MAX;
	int r = ask(user, GET_FEATURES, &user->server_features);

	if (r == 0 && !(user->server_features & BIT(VIRTIO_F_VERSION_1)))
		r = lose(user, "is for legacy devices", EPROTO);
	if (r == 0 && user->server_features & BIT(F_PROTOCOL_FEATURES)) {
		r = ask(user, GET_PROTOCOL_FEATURES, &protocol);
		protocol &= PROTOCOL_MQ | PROTOCOL_REPLY_ACK;
		if (r == 0)
			r = tell(user, SET_PROTOCOL_FEATURES, &protocol, sizeof(protocol));
		user->protocol = protocol;
	}
	if (r == 0 && protocol & PROTOCOL_MQ)
		r = ask(user, GET_QUEUE_NUM, &queues);
	if (r == 0)
		r = tell(user, SET_OWNER, NULL, 0);
	user->queue_count = (unsigned)min_u64(queues, QUEUES_MAX);
	return r;
}

int vhost_user_create(const struct vhost_user_options *options, struct vhost **ret,
		      struct error *err)
{
	struct vhost_user *user = calloc(1, sizeof(*user));
	int r;

	if (!user) {
		close_fd(options->fd);
		return error_set_errno(err, ENOMEM, "vhost-user");
	}
	user->fd = options->fd;
	user->timeout_ms = options->timeout_ms ? options->timeout_ms : VHOST_USER_TIMEOUT_MS;
	r = negotiate(user);
	if (r == 0)
		r = vhost_init(&user->vhost, &user_ops);
	if (r < 0) {
		error_set(err, -r, "its server %s",
			  user->fault ? user->fault : "refuses what it has offered");
		destroy(&user->vhost);
		return r;
	}
	*ret = &user->vhost;
	return 0;
}
