/* SPDX-License-Identifier: Apache-2.0 */
/* What the back ends of streams share. */
#ifndef ARMLET_BACKEND_STREAM_PRIVATE_H
#define ARMLET_BACKEND_STREAM_PRIVATE_H

#include <limits.h>

#include "backend/stream.h"

/* Each opens one kind; @path is theirs to copy. */
int stream_open_null(struct stream **ret);
int stream_open_pty(struct event_loop *loop, struct stream **ret, struct error *err);
int stream_open_unix(const char *path, struct event_loop *loop, struct stream **ret,
		     struct error *err);
/* @max_size 0: it grows without bound. */
int stream_open_file(const char *path, uint64_t max_size, unsigned keep, struct stream **ret,
		     struct error *err);

/*
 * A descriptor that somebody waits for at times. It is in the event loop only
 * then: a hangup is reported whether asked for or not, again and again.
 */
struct stream_fd {
	struct event_loop *loop;
	struct event_source source; /* the user sets owner, callback and data */
	int fd;                     /* -1: none */
	bool is_socket;
	unsigned wanted; /* enum event_flags */
};

/* Wait for @events as well, or for none of them any more. 0 or -errno. */
int stream_fd_want(struct stream_fd *sfd, unsigned events);
void stream_fd_unwant(struct stream_fd *sfd, unsigned events);

/* Out of the event loop, whatever was wanted. */
void stream_fd_forget(struct stream_fd *sfd);

/* As readv() and writev(), without waiting; -errno, or 0 for the end of the input. */
ssize_t stream_fd_read(const struct stream_fd *sfd, const struct iovec *iov, size_t count);
ssize_t stream_fd_write(const struct stream_fd *sfd, const struct iovec *iov, size_t count);

#endif
