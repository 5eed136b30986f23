/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sock connect|listen|receive ADDRESS - a connection to ADDRESS, or the first that comes
 * there, with standard input and output: for hosts and guests whose busybox
 * does not know these families. ADDRESS is
 *
 *	unix:PATH
 *	vsock:CID:PORT	to listen, the CID may be -1: any
 *
 * The end of standard input ends our sending; the other's end of sending ends us.
 * Who listens says so in a line on standard error, once somebody can connect.
 *
 * To receive is to print datagrams that come there, a line at the end of each, until
 * killed; PATH may be @NAME there, which is abstract.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_vm vm;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "sock: %s: %s\n", what, strerror(errno));
	exit(1);
}

static socklen_t parse(const char *text, union address *ret)
{
	int cid;

	memset(ret, 0, sizeof(*ret));
	if (sscanf(text, "vsock:%d:%u", &cid, &ret->vm.svm_port) == 2) {
		ret->vm.svm_family = AF_VSOCK;
		ret->vm.svm_cid = (unsigned)cid;
		return sizeof(ret->vm);
	}
	errno = EINVAL;
	if (strncmp(text, "unix:", 5) != 0 || strlen(text + 5) >= sizeof(ret->un.sun_path))
		die(text);
	ret->un.sun_family = AF_UNIX;
	strcpy(ret->un.sun_path, text + 5);
	return sizeof(ret->un);
}

static int await(int listener, const union address *address, socklen_t size)
{
	int fd;

	if (bind(listener, &address->any, size) || listen(listener, 1))
		die("listen");
	fprintf(stderr, "listening\n");
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		die("accept");
	return fd;
}

/* False: nobody takes it any more. */
static bool write_all(int fd, const char *data, ssize_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, (size_t)size);

		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return false;
		if (n < 0)
			die("write");
		data += n;
		size -= n;
	}
	return true;
}

/* Both ways at once: two processes would be no simpler, and one is not waited for. */
static void copy(int fd)
{
	struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
	char bytes[16384];

	for (;;) {
		ssize_t n;

		if (poll(fds, 2, -1) < 0)
			die("poll");
		if (fds[0].revents) {
			n = read(fd, bytes, sizeof(bytes));
			if (n < 0 && errno != ECONNRESET)
				die("read");
			if (n <= 0 || !write_all(1, bytes, n))
				return;
		}
		if (fds[1].revents) {
			n = read(0, bytes, sizeof(bytes));
			if (n <= 0 || !write_all(fd, bytes, n)) {
				shutdown(fd, SHUT_WR);
				fds[1].fd = -1;
			}
		}
	}
}

static _Noreturn void receive(union address *address, socklen_t size)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char bytes[4096];

	if (address->un.sun_path[0] == '@') {
		size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				   strlen(address->un.sun_path));
		address->un.sun_path[0] = '\0';
	}
	if (fd < 0 || bind(fd, &address->any, size))
		die("receive");
	fprintf(stderr, "listening\n");
	for (;;) {
		ssize_t n = read(fd, bytes, sizeof(bytes) - 1);

		if (n < 0)
			die("read");
		bytes[n++] = '\n';
		write_all(1, bytes, n);
	}
}

int main(int argc, char **argv)
{
	union address address;
	socklen_t size;
	int fd;

	errno = EINVAL;
	if (argc != 3)
		die("usage: sock connect|listen|receive ADDRESS");
	signal(SIGPIPE, SIG_IGN);
	size = parse(argv[2], &address);
	if (!strcmp(argv[1], "receive"))
		receive(&address, size);
	fd = socket(address.any.sa_family, SOCK_STREAM, 0);
	if (fd < 0)
		die("socket");
	if (!strcmp(argv[1], "listen"))
		fd = await(fd, &address, size);
	else if (connect(fd, &address.any, size))
		die("connect");
	copy(fd);
	return 0;
}
