/* SPDX-License-Identifier: Apache-2.0 */
#include "vhost_user_server.h"

#include <check.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/socket.h>

/* The requests that are looked at here, and the flags. */
enum {
	GET_FEATURES = 1,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
};

#define VERSION    1U
#define REPLY      4U
#define NEED_REPLY 8U

struct message {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
	uint8_t body[64];
};

#define HEADER_SIZE offsetof(struct message, body)

const struct server_options good_server = {
	.features = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_INDIRECT_DESC) |
		    BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(30),
	.protocol = UINT64_MAX,
	.queues = 8,
};

static void replace(int *fd, int with)
{
	close_fd(*fd);
	*fd = with;
}

static uint32_t word(const struct message *message, unsigned index)
{
	uint32_t value;

	memcpy(&value, message->body + index * sizeof(value), sizeof(value));
	return value;
}

static void take_memory(struct vhost_user_server *server, const struct message *message, int fd)
{
	replace(&server->memory_fd, fd);
	memcpy(&server->guest_addr, message->body + 8, sizeof(server->guest_addr));
	memcpy(&server->memory_size, message->body + 16, sizeof(server->memory_size));
}

/* Remember what @message says; @fd, if one came with it, is the server's. */
static void take(struct vhost_user_server *server, const struct message *message, int fd)
{
	unsigned index = word(message, 0) % SERVER_QUEUES;

	switch (message->request) {
	case SET_MEM_TABLE:
		take_memory(server, message, fd);
		return;
	case SET_VRING_NUM:
		server->sizes[index] = word(message, 1);
		break;
	case SET_VRING_KICK:
		replace(&server->kick_fds[index], fd);
		return;
	case SET_VRING_CALL:
		replace(&server->call_fds[index], fd);
		return;
	case SET_VRING_ENABLE:
		server->enabled[index] = word(message, 1);
		break;
	default:
		break;
	}
	close_fd(fd);
}

/* The body of the answer to @message, into it; false if it is none that has one. */
static bool answer(const struct vhost_user_server *server, struct message *message, bool faulty)
{
	uint64_t value = 0;

	switch (message->request) {
	case GET_FEATURES:
		value = server->options.features;
		break;
	case GET_PROTOCOL_FEATURES:
		value = server->options.protocol;
		break;
	case GET_QUEUE_NUM:
		value = server->options.queues;
		break;
	case GET_VRING_BASE:
		value = word(message, 0);
		value += faulty && server->options.fault == SERVER_WRONG_INDEX;
		break;
	default:
		if (!(message->flags & NEED_REPLY))
			return false;
		value = faulty && server->options.fault == SERVER_REFUSES;
	}
	message->flags = VERSION | REPLY;
	message->size = sizeof(value);
	memcpy(message->body, &value, sizeof(value));
	return true;
}

/* False: that was the end. */
static bool send_answer(struct vhost_user_server *server, struct message *message, bool faulty)
{
	size_t size = HEADER_SIZE + message->size;

	switch (faulty ? server->options.fault : SERVER_GOOD) {
	case SERVER_SILENT:
		return true;
	case SERVER_CLOSES:
		return false;
	case SERVER_CUTS:
		send(server->fd, message, size - 3, MSG_NOSIGNAL);
		return false;
	case SERVER_HALF:
		size -= 3;
		break;
	case SERVER_WRONG_REQUEST:
		message->request ^= 1;
		break;
	case SERVER_WRONG_FLAGS:
		message->flags &= ~REPLY;
		break;
	case SERVER_WRONG_SIZE:
		message->size++;
		break;
	default:
		break;
	}
	return send(server->fd, message, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* The next message, and the descriptor that came with it, or -1. */
static bool next(const struct vhost_user_server *server, struct message *message, int *ret_fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec piece = {message, HEADER_SIZE};
	struct msghdr header = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *first;

	*ret_fd = -1;
	if (recvmsg(server->fd, &header, MSG_WAITALL) != (ssize_t)HEADER_SIZE)
		return false;
	first = CMSG_FIRSTHDR(&header);
	if (first)
		memcpy(ret_fd, CMSG_DATA(first), sizeof(*ret_fd));
	if (message->size > sizeof(message->body))
		return false;
	return !message->size || recv(server->fd, message->body, message->size, MSG_WAITALL) ==
					 (ssize_t)message->size;
}

static void *serve(void *data)
{
	struct vhost_user_server *server = data;
	struct message message = {0};
	unsigned count = 0;
	int fd;

	while (next(server, &message, &fd)) {
		bool faulty = server->options.fault && count >= server->options.at;

		if (count < SERVER_MESSAGES)
			server->requests[count] = (uint8_t)message.request;
		atomic_store(&server->count, ++count);
		take(server, &message, fd);
		if (faulty && server->options.fault == SERVER_CLOSES)
			break;
		if (answer(server, &message, faulty) && !send_answer(server, &message, faulty))
			break;
	}
	shutdown(server->fd, SHUT_RDWR);
	return NULL;
}

int vhost_user_server_start(struct vhost_user_server *server, const struct server_options *options)
{
	int fds[2];

	*server = (struct vhost_user_server){.options = *options, .memory_fd = -1};
	for (unsigned i = 0; i < SERVER_QUEUES; i++) {
		server->kick_fds[i] = -1;
		server->call_fds[i] = -1;
	}
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	server->fd = fds[0];
	ck_assert_int_eq(pthread_create(&server->thread, NULL, serve, server), 0);
	return fds[1];
}

void vhost_user_server_stop(struct vhost_user_server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	server->fd = close_fd(server->fd);
	replace(&server->memory_fd, -1);
	for (unsigned i = 0; i < SERVER_QUEUES; i++) {
		replace(&server->kick_fds[i], -1);
		replace(&server->call_fds[i], -1);
	}
}
