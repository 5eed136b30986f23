/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_vsock.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/virtio_vsock.h>

#include "virtio/vhost.h"

#define VHOST_PATH "/dev/vhost-vsock"

#define QUEUE_SIZE   128
#define DATA_QUEUES  2 /* receiving and sending: vhost's */
#define EVENT_QUEUE  2
#define EVENT_PIECES 128

/* What linux/virtio_vsock.h of Debian 12 lacks (5.10.3). */
#ifndef VIRTIO_VSOCK_F_SEQPACKET
#define VIRTIO_VSOCK_F_SEQPACKET 1
#endif

struct virtio_vsock {
	struct virtio_device virtio;
	struct virtio_vsock_config config;
	struct vhost *vhost;
	struct vhost_own_queue events;
	bool reset_due; /* the guest is to hear that its connections are gone */
};

static struct virtio_vsock *to_vsock(struct virtio_device *virtio)
{
	return container_of(virtio, struct virtio_vsock, virtio);
}

/*
 * 5.10.6.6: the driver keeps buffers here for the day of an event. Its queue is
 * looked at after each start, and when it brings new ones.
 */
static void serve_events(struct virtio_device *virtio, unsigned index)
{
	const struct virtio_vsock_event event = {.id = VIRTIO_VSOCK_EVENT_TRANSPORT_RESET};
	struct virtio_vsock *vsock = to_vsock(virtio);
	struct iovec pieces[EVENT_PIECES];
	struct virtq_chain chain = {.iov = pieces, .iov_max = EVENT_PIECES};

	while (vsock->reset_due && virtio_pop(virtio, index, &chain)) {
		size_t written = virtq_chain_write(&chain, 0, &event, sizeof(event));

		vsock->reset_due = written < sizeof(event);
		virtio_push(virtio, index, &chain, (uint32_t)written);
	}
	virtio_flush(virtio, index);
}

static int start(struct virtio_device *virtio, struct error *err)
{
	struct virtio_vsock *vsock = to_vsock(virtio);
	int r = vhost_start(vsock->vhost, virtio, 0, DATA_QUEUES, err);

	if (r < 0)
		return r;
	r = vhost_own_queue_start(&vsock->events, virtio, EVENT_QUEUE, serve_events);
	if (r < 0) {
		vhost_stop(vsock->vhost, virtio, 0);
		return error_set_errno(err, -r, "the event queue cannot be watched");
	}
	return 0;
}

static void stop(struct virtio_device *virtio)
{
	struct virtio_vsock *vsock = to_vsock(virtio);

	vhost_own_queue_stop(&vsock->events);
	vhost_stop(vsock->vhost, virtio, 0);
}

static void reset(struct virtio_device *virtio)
{
	to_vsock(virtio)->reset_due = false;
}

static const struct virtio_ops vsock_ops = {
	.id = VIRTIO_ID_VSOCK,
	.in_order = true,
	.start = start,
	.stop = stop,
	.reset = reset,
};

static const struct state_field vsock_fields[] = {
	VIRTIO_STATE_FIELDS(struct virtio_vsock),
	STATE_FIELD(struct virtio_vsock, config.guest_cid, STATE_U64),
};

static const struct state_table vsock_state = {
	.name = "virtio-vsock",
	.fields = vsock_fields,
	.field_count = ARRAY_SIZE(vsock_fields),
	.object_size = sizeof(struct virtio_vsock),
};

/* What is connected now is not what was then, even if the CID is the same. */
static int loaded(struct device *device, struct error *err)
{
	struct virtio_vsock *vsock = to_vsock(to_virtio(device));

	vsock->reset_due = true;
	return virtio_device_loaded(device, err);
}

static void vsock_destroy(struct device *device)
{
	struct virtio_vsock *vsock = to_vsock(to_virtio(device));

	virtio_device_finish(&vsock->virtio);
	vhost_destroy(vsock->vhost);
	free(vsock);
}

static const struct device_ops vsock_device_ops = {
	.type = "virtio-vsock",
	.reset = virtio_device_reset,
	.describe = virtio_device_describe,
	.state = &vsock_state,
	.loaded = loaded,
	.destroy = vsock_destroy,
};

/* Making one. */

static int open_vhost(uint64_t cid, struct vhost **ret, struct error *err)
{
	int fd = open(VHOST_PATH, O_RDWR | O_CLOEXEC);
	int r;

	if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return error_set(err, errno,
				 "--vsock: the host has no " VHOST_PATH
				 "; load the module with 'modprobe vhost_vsock'");
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return error_set(err, errno,
				 "--vsock: " VHOST_PATH " may not be opened by this user; put it "
				 "into the group that owns the file (on most systems kvm)");
	if (fd < 0)
		return error_set_errno(err, errno, "--vsock: " VHOST_PATH);
	r = vhost_kernel_vsock_create(fd, cid, ret);
	if (r == -EADDRINUSE)
		return error_set(err, EADDRINUSE,
				 "--vsock: CID %" PRIu64 " is taken by another machine", cid);
	if (r < 0)
		return error_set_errno(err, -r, "--vsock: " VHOST_PATH " cannot be set up");
	return 0;
}

static int init_device(struct virtio_vsock *vsock, const struct virtio_vsock_options *options)
{
	static const uint16_t queue_sizes[] = {QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE};
	const struct virtio_device_options device_options = {
		.name = options->name,
		.mem = options->mem,
		.loop = options->loop,
		.features = vsock->vhost->features & BIT(VIRTIO_VSOCK_F_SEQPACKET),
		.lacks = vhost_lacks(vsock->vhost),
		.config = &vsock->config,
		.config_size = sizeof(vsock->config),
		.queue_sizes = queue_sizes,
		.queue_count = ARRAY_SIZE(queue_sizes),
	};

	vsock->config.guest_cid = options->cid;
	vsock->events.kick.fd = -1;
	return virtio_device_init(&vsock->virtio, &vsock_device_ops, &vsock_ops, &device_options);
}

int virtio_vsock_create(const struct virtio_vsock_options *options, struct virtio_device **ret,
			struct error *err)
{
	struct virtio_vsock *vsock;
	int r = 0;

	if (options->cid < VSOCK_CID_MIN || options->cid > VSOCK_CID_MAX)
		return error_set(err, EINVAL,
				 "--vsock: %" PRIu64
				 " is no CID for a guest; it is from %d to %" PRIu64,
				 options->cid, VSOCK_CID_MIN, (uint64_t)VSOCK_CID_MAX);
	vsock = calloc(1, sizeof(*vsock));
	if (!vsock)
		return error_set_errno(err, ENOMEM, "--vsock");
	vsock->vhost = options->vhost;
	if (!vsock->vhost)
		r = open_vhost(options->cid, &vsock->vhost, err);
	if (r == 0) {
		r = init_device(vsock, options);
		if (r < 0)
			error_set_errno(err, -r, "--vsock");
	}
	if (r < 0) {
		if (!options->vhost)
			vhost_destroy(vsock->vhost);
		free(vsock);
		return r;
	}
	*ret = &vsock->virtio;
	return 0;
}
