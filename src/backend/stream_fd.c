/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/socket.h>

#include "stream_private.h"

int stream_fd_want(struct stream_fd *sfd, unsigned events)
{
	int r;

	events |= sfd->wanted;
	if (events == sfd->wanted && sfd->source.loop)
		return 0;
	if (sfd->source.loop)
		r = event_source_modify(&sfd->source, events);
	else
		r = event_loop_add(sfd->loop, &sfd->source, sfd->fd, events);
	if (r == 0)
		sfd->wanted = events;
	return r;
}

void stream_fd_unwant(struct stream_fd *sfd, unsigned events)
{
	sfd->wanted &= ~events;
	if (sfd->source.loop)
		event_source_modify(&sfd->source, sfd->wanted);
}

void stream_fd_forget(struct stream_fd *sfd)
{
	event_source_remove(&sfd->source);
	sfd->wanted = 0;
}

ssize_t stream_fd_read(const struct stream_fd *sfd, const struct iovec *iov, size_t count)
{
	struct msghdr msg = {
		.msg_iov = (struct iovec *)(uintptr_t)iov,
		.msg_iovlen = min_u64(count, IOV_MAX),
	};
	ssize_t n;

	do {
		n = sfd->is_socket ? recvmsg(sfd->fd, &msg, MSG_DONTWAIT)
				   : readv(sfd->fd, iov, (int)min_u64(count, IOV_MAX));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t stream_fd_write(const struct stream_fd *sfd, const struct iovec *iov, size_t count)
{
	struct msghdr msg = {
		.msg_iov = (struct iovec *)(uintptr_t)iov,
		.msg_iovlen = min_u64(count, IOV_MAX),
	};
	ssize_t n;

	do {
		n = sfd->is_socket ? sendmsg(sfd->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL)
				   : writev(sfd->fd, iov, (int)min_u64(count, IOV_MAX));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}
