/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams there and back, for counting what one costs. It runs on the host and in
 * guests, in neither of which there are libraries, so it is static.
 *
 * Usage: packets echo PORT		sends back what comes, for ever
 *	  packets send ADDRESS PORT COUNT DEPTH
 *					COUNT of them, so many under way at once; tells
 *					how many had to be sent again
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define SIZE      64
#define DEPTH_MAX 256
#define PATIENCE  2 /* s, after which what is under way counts as lost */

static unsigned number(const char *text, unsigned min, unsigned max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!*text || *end || value < min || value > max)
		errx(125, "'%s' is not a number from %u to %u", text, min, max);
	return (unsigned)value;
}

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(1, "socket");
	return fd;
}

static int echo(char **args)
{
	struct sockaddr_in peer = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)number(args[0], 1, 65535))};
	int fd = open_socket();
	char data[2048];

	if (bind(fd, (struct sockaddr *)&peer, sizeof(peer)) < 0)
		err(1, "port %s", args[0]);
	for (;;) {
		socklen_t length = sizeof(peer);
		ssize_t got =
			recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&peer, &length);

		if (got >= 0)
			sendto(fd, data, (size_t)got, 0, (struct sockaddr *)&peer, length);
	}
}

struct sender {
	int fd;
	unsigned count;
	unsigned depth;
	unsigned next; /* to be sent the first time */
	unsigned lost;
	unsigned under_way_count;
	uint32_t under_way[DEPTH_MAX];
};

static void send_one(const struct sender *sender, uint32_t which)
{
	uint8_t data[SIZE] = {0};

	memcpy(data, &which, sizeof(which));
	/* What does not go out is lost, as on the way. */
	if (send(sender->fd, data, sizeof(data), 0) < 0 && errno != ENOBUFS &&
	    errno != ECONNREFUSED)
		err(1, "send");
}

static void fill(struct sender *sender)
{
	while (sender->under_way_count < sender->depth && sender->next < sender->count) {
		sender->under_way[sender->under_way_count++] = sender->next;
		send_one(sender, sender->next++);
	}
}

static void forget(struct sender *sender, uint32_t which)
{
	for (unsigned i = 0; i < sender->under_way_count; i++) {
		if (sender->under_way[i] == which) {
			sender->under_way[i] = sender->under_way[--sender->under_way_count];
			return;
		}
	}
}

static void receive(struct sender *sender)
{
	uint8_t data[SIZE];
	uint32_t which;

	if (recv(sender->fd, data, sizeof(data), 0) == (ssize_t)sizeof(data)) {
		memcpy(&which, data, sizeof(which));
		forget(sender, which);
		return;
	}
	for (unsigned i = 0; i < sender->under_way_count; i++)
		send_one(sender, sender->under_way[i]);
	sender->lost += sender->under_way_count;
}

static int send_all(char **args)
{
	struct sockaddr_in peer = {.sin_family = AF_INET,
				   .sin_port = htons((uint16_t)number(args[1], 1, 65535))};
	struct timeval patience = {.tv_sec = PATIENCE};
	struct sender sender = {
		.fd = open_socket(),
		.count = number(args[2], 0, 1000000),
		.depth = number(args[3], 1, DEPTH_MAX),
	};

	if (inet_pton(AF_INET, args[0], &peer.sin_addr) != 1)
		errx(125, "'%s' is not an IPv4 address", args[0]);
	if (connect(sender.fd, (struct sockaddr *)&peer, sizeof(peer)) < 0 ||
	    setsockopt(sender.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		err(1, "%s", args[0]);
	for (;;) {
		fill(&sender);
		if (!sender.under_way_count)
			break;
		receive(&sender);
	}
	printf("%u packets, %u sent again\n", sender.count, sender.lost);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "echo"))
		return echo(argv + 2);
	if (argc == 6 && !strcmp(argv[1], "send"))
		return send_all(argv + 2);
	errx(125, "usage: packets echo PORT | packets send ADDRESS PORT COUNT DEPTH");
}
