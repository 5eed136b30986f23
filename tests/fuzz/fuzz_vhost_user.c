/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes from a vhost-user server, all of them sent before it is asked: each
 * thing that it is told ends, and once it was lost nothing succeeds any more.
 */
#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "virtio/vhost_user.h"

#define RAM      UINT64_C(0x40000000)
#define RAM_SIZE (2 * MIB)
#define QUEUES   2

static const struct guest_mem *ram(void)
{
	static const struct guest_mem_options shared = {.shared = true};
	static struct guest_mem *mem;
	struct error err;

	if (!mem)
		FUZZ_ASSERT(guest_mem_create(RAM, RAM_SIZE, &shared, &mem, &err) == 0);
	return mem;
}

/* A step that ended with @r is right for a server that had (@lost), or has now, a fault. */
static void check(struct vhost *vhost, int r, bool lost)
{
	FUZZ_ASSERT(r <= 0);
	FUZZ_ASSERT(!lost || r < 0);
	FUZZ_ASSERT(!lost || vhost_user_fault(vhost));
}

static void serve_queue(struct vhost *vhost, unsigned index, int fd)
{
	const struct vhost_vring vring = {
		.size = 16,
		.desc = ram()->host,
		.driver = ram()->host + 4096,
		.device = ram()->host + 8192,
		.kick_fd = fd,
		.call_fd = fd,
	};
	bool lost = false;
	uint32_t base = 77;
	int r = vhost->ops->set_vring(vhost, index, &vring);

	check(vhost, r, lost);
	r = vhost->ops->start_vring(vhost, index);
	check(vhost, r, false);
	/* Where a server that is lost has stopped, nobody knows. */
	r = vhost->ops->stop_vring(vhost, index, &base);
	FUZZ_ASSERT(r == 0 || base == 77);
}

static void talk(struct vhost *vhost, int fd)
{
	uint64_t features = 0;
	bool lost;

	FUZZ_ASSERT(vhost->ops->get_features(vhost, &features) == 0);
	FUZZ_ASSERT(features & BIT(VIRTIO_F_VERSION_1));
	FUZZ_ASSERT(vhost_user_queue_count(vhost) <= 256);
	check(vhost, vhost->ops->set_features(vhost, features), false);
	check(vhost, vhost->ops->set_memory(vhost, ram()), false);
	for (unsigned i = 0; i < QUEUES; i++)
		serve_queue(vhost, i, fd);
	/* The server has hung up long ago, or has more to say than it was asked. */
	lost = vhost_user_fault(vhost);
	FUZZ_ASSERT(lost);
	check(vhost, vhost->ops->set_features(vhost, features), lost);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vhost_user_options options = {.timeout_ms = 1000};
	struct vhost *vhost = NULL;
	struct error err = {0};
	int fds[2];
	int r;

	FUZZ_ASSERT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	if (size && send(fds[0], data, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		size = 0;
	shutdown(fds[0], SHUT_WR);
	options.fd = fds[1];
	r = vhost_user_create(&options, &vhost, &err);
	FUZZ_ASSERT((r == 0) == (vhost != NULL));
	FUZZ_ASSERT(r == 0 || (r == -err.code && !strncmp(err.text, "its server ", 11)));
	if (vhost)
		talk(vhost, fds[0]);
	vhost_destroy(vhost);
	close_fd(fds[0]);
	return 0;
}
