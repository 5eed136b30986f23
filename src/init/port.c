/* SPDX-License-Identifier: Apache-2.0 */
/* The port that leads to the host, and frames for it. */
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "init.h"

#define CLASS       "/sys/class/virtio-ports"
#define PORT_WAIT   15000 /* ms that a slow guest may take to find it */
#define PORT_LOOK   1     /* ms between two looks */
#define WRITE_MOST  16384 /* bytes that the driver takes memory for in one piece */
#define RELAY_LEAST 2048  /* bytes of room that are worth reading into */

struct directory_entry { /* getdents64(2) */
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

static void rest(long ms)
{
	const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	SYS2(nanosleep, &time, 0);
}

static bool is_ours(const char *port)
{
	char path[128], name[64] = "";
	long fd, n;

	text_join(path, sizeof(path), CLASS "/", port, "/name");
	fd = SYS4(openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return false;
	n = SYS3(read, fd, name, sizeof(name) - 1);
	SYS1(close, fd);
	if (n > 0 && name[n - 1] == '\n')
		name[n - 1] = '\0';
	return text_equal(name, WIRE_PORT);
}

static bool find_in(const uint8_t *entries, long size, char *ret, size_t room)
{
	for (long at = 0; at < size;) {
		const struct directory_entry *entry = (const void *)(entries + at);

		if (entry->name[0] != '.' && is_ours(entry->name)) {
			text_join(ret, room, "/dev/", entry->name);
			return true;
		}
		at += entry->size;
	}
	return false;
}

/* Ports come some time after their device. */
static bool find_port(char *ret, size_t room)
{
	static uint8_t entries[4096] __attribute__((aligned(8)));
	long fd = SYS4(openat, AT_FDCWD, CLASS, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	bool found = false;
	long n;

	if (fd < 0)
		return false;
	while (!found && (n = SYS3(getdents64, fd, entries, sizeof(entries))) > 0)
		found = find_in(entries, n, ret, room);
	SYS1(close, fd);
	return found;
}

static bool has_class(void)
{
	return SYS3(faccessat, AT_FDCWD, CLASS, 0) == 0;
}

void open_port(struct init *init)
{
	char path[64];
	long fd;

	for (int waited = 0; !find_port(path, sizeof(path)); waited += PORT_LOOK) {
		/* The class is the driver's: it is there with it, whatever devices there are. */
		if (!has_class())
			give_up(init,
				"the kernel has no driver for virtio consoles: it needs "
				"CONFIG_VIRTIO_MMIO and CONFIG_VIRTIO_CONSOLE, or --modules",
				0);
		if (waited >= PORT_WAIT)
			give_up(init,
				"the kernel does not find the port " WIRE_PORT
				": it needs CONFIG_VIRTIO_MMIO, or --modules",
				0);
		rest(PORT_LOOK);
	}
	fd = SYS4(openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		give_up(init, "the port " WIRE_PORT " cannot be opened", fd);
	init->port = (int)fd;
}

void flush_port(struct init *init)
{
	for (size_t done = 0; done < init->filled;) {
		size_t left = init->filled - done;
		long n = SYS3(write, init->port, init->out + done,
			      left > WRITE_MOST ? WRITE_MOST : left);

		if (n > 0)
			done += (size_t)n;
		else if (n != -EINTR && n != -EAGAIN)
			break; /* the host is gone, and so are we soon */
	}
	init->filled = 0;
}

static void put_header(struct init *init, enum wire_kind kind, size_t size)
{
	uint32_t header = wire_pack(kind, size);

	memcpy(init->out + init->filled, &header, WIRE_HEADER);
}

void send_frame(struct init *init, enum wire_kind kind, const void *payload, size_t size)
{
	if (size > WIRE_PAYLOAD)
		size = WIRE_PAYLOAD;
	if (init->filled + WIRE_HEADER + size > sizeof(init->out))
		flush_port(init);
	put_header(init, kind, size);
	if (size)
		memcpy(init->out + init->filled + WIRE_HEADER, payload, size);
	init->filled += WIRE_HEADER + size;
}

void say(struct init *init, enum wire_kind kind, const char *text)
{
	send_frame(init, kind, text, strlen(text));
}

bool relay(struct init *init, int fd, enum wire_kind kind)
{
	size_t room;
	long n;

	if (init->filled + WIRE_HEADER + RELAY_LEAST > sizeof(init->out) ||
	    (kind == WIRE_KMSG && init->filled + WIRE_HEADER + WIRE_PAYLOAD > sizeof(init->out)))
		flush_port(init);
	room = sizeof(init->out) - init->filled - WIRE_HEADER;
	if (room > WIRE_PAYLOAD)
		room = WIRE_PAYLOAD;
	n = SYS3(read, fd, init->out + init->filled + WIRE_HEADER, room);
	if (n == -EINTR || n == -EAGAIN)
		return true;
	if (n == -EPIPE && kind == WIRE_KMSG) /* what was there has been overwritten: go on */
		return true;
	if (n <= 0)
		return false;
	put_header(init, kind, (size_t)n);
	init->filled += WIRE_HEADER + (size_t)n;
	return true;
}
