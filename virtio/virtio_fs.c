/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_fs.h"

#include <assert.h>
#include <linux/fuse.h>
#include <linux/virtio_fs.h>
#include <string.h>

#include "patience.h"
#include "virtio/vhost_user.h"

/* 5.11.2, without VIRTIO_FS_F_NOTIFICATION. */
enum { QUEUE_HIPRIO, QUEUE_REQUEST, QUEUE_COUNT };

/* A request of Linux's is as large as the queue is long, up to 1 MiB. */
#define QUEUE_SIZE 1024

struct virtio_fs {
	struct virtio_device virtio;
	struct virtio_fs_config config;
	struct vhost *vhost;
	struct event_source server;

	struct event_source asked; /* the request queue's kicks, while nothing is waited for */
	struct patience patience;

	bool lost;                                 /* the server */
	struct vhost_own_queue alone[QUEUE_COUNT]; /* then we answer */
	struct iovec pieces[QUEUE_SIZE];
};

static struct virtio_fs *to_fs(struct virtio_device *virtio)
{
	return container_of(virtio, struct virtio_fs, virtio);
}

/* Without a server. */

/* What has no room for an answer, as FUSE_FORGET, wants none. */
static bool refuse(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
		   uint32_t *ret_written)
{
	struct fuse_out_header out = {.len = sizeof(out), .error = -EIO};
	struct fuse_in_header in = {0};

	(void)virtio;
	(void)index;
	if (virtq_chain_read(chain, 0, &in, sizeof(in)) < sizeof(in) ||
	    chain->in_size < sizeof(out))
		return true;
	out.unique = in.unique;
	virtq_chain_write(chain, 0, &out, sizeof(out));
	*ret_written = sizeof(out);
	return true;
}

static void serve_alone(struct virtio_device *virtio, unsigned index)
{
	struct virtq_chain chain = {.iov = to_fs(virtio)->pieces, .iov_max = QUEUE_SIZE};

	virtio_serve(virtio, index, &chain, refuse);
}

static void stop_alone(struct virtio_fs *fs)
{
	for (unsigned i = 0; i < QUEUE_COUNT; i++)
		vhost_own_queue_stop(&fs->alone[i]);
}

static int start_queue_alone(struct virtio_fs *fs, unsigned index)
{
	struct virtio_queue *queue = &fs->virtio.queues[index];
	int r;

	if (!queue->ring.ready)
		return 0;
	if (!vhost_take_over(&queue->ring))
		return -ENOTSUP;
	r = vhost_own_queue_start(&fs->alone[index], &fs->virtio, index, serve_alone);
	virtio_again(&fs->virtio, index);
	/* Of its last answers the server may not have told. */
	virtio_queue_call(queue);
	return r;
}

/* What the server has not answered, and all that comes. */
static int start_alone(struct virtio_fs *fs)
{
	int r = 0;

	for (unsigned i = 0; i < QUEUE_COUNT && r == 0; i++)
		r = start_queue_alone(fs, i);
	if (r < 0)
		stop_alone(fs);
	return r;
}

static void stop_waiting(struct virtio_fs *fs)
{
	event_source_remove(&fs->asked);
	patience_end(&fs->patience);
}

static void lose(struct virtio_fs *fs, const char *fault)
{
	if (fs->lost)
		return;
	fs->lost = true;
	log_error("%s: its server %s: all that the guest does in the share '%.*s' fails from now "
		  "on",
		  fs->virtio.device.name, fault, VIRTIO_FS_TAG_MAX, fs->config.tag);
	stop_waiting(fs);
	event_source_remove(&fs->server);
}

/* With a server. */

static bool waits(struct virtio_device *virtio, uint64_t *ret_done)
{
	return vhost_waits(to_fs(virtio)->vhost, virtio, 0, ret_done);
}

/*
 * There is no timer while nothing is asked, and we do not look at each request: a
 * kick begins the one, and its end the other.
 */
static void on_asked(void *data, unsigned events)
{
	struct virtio_fs *fs = data;

	(void)events;
	event_source_remove(&fs->asked);
	patience_begin(&fs->patience);
}

static void on_quiet(struct virtio_device *virtio)
{
	struct virtio_fs *fs = to_fs(virtio);
	const struct virtio_queue *queue = &virtio->queues[QUEUE_REQUEST];

	fs->asked = (struct event_source){
		.fd = -1, .owner = &virtio->device, .callback = on_asked, .data = fs};
	/* If it cannot be watched, it is waited for without a word. */
	if (queue->ring.ready)
		event_loop_add(virtio->loop, &fs->asked, queue->kick_fd, EVENT_READ);
}

/* Data, or the end: neither should be. An answer that somebody waited for is gone by now. */
static void on_server(void *data, unsigned events)
{
	struct virtio_fs *fs = data;
	const char *fault = vhost_user_fault(fs->vhost);

	(void)events;
	if (!fault)
		return;
	lose(fs, fault);
	if (!fs->virtio.started || fs->virtio.paused)
		return;
	vhost_stop(fs->vhost, &fs->virtio, 0);
	if (start_alone(fs) < 0)
		virtio_break(&fs->virtio, "nobody serves it");
}

static int start(struct virtio_device *virtio, struct error *err)
{
	struct virtio_fs *fs = to_fs(virtio);
	int r = fs->lost ? -EPIPE : vhost_start(fs->vhost, virtio, 0, QUEUE_COUNT, err);
	const char *fault = fs->lost ? "" : vhost_user_fault(fs->vhost);

	if (!fault) {
		if (r == 0)
			on_quiet(virtio);
		return r;
	}
	lose(fs, fault);
	vhost_stop(fs->vhost, virtio, 0);
	r = start_alone(fs);
	return r < 0 ? error_set_errno(err, -r, "nobody serves it") : 0;
}

static void stop(struct virtio_device *virtio)
{
	struct virtio_fs *fs = to_fs(virtio);

	stop_waiting(fs);
	stop_alone(fs);
	vhost_stop(fs->vhost, virtio, 0);
}

static const struct virtio_ops fs_ops = {
	.id = VIRTIO_ID_FS,
	.start = start,
	.stop = stop,
};

static const struct state_field fs_fields[] = {VIRTIO_STATE_FIELDS(struct virtio_fs)};

static const struct state_table fs_state = {
	.name = "virtio-fs",
	.fields = fs_fields,
	.field_count = ARRAY_SIZE(fs_fields),
	.object_size = sizeof(struct virtio_fs),
};

/* A server ends what it has begun before it stops; if not, nobody can, now. */
static int fs_loaded(struct device *device, struct error *err)
{
	struct virtio_device *virtio = to_virtio(device);
	int r = virtio_device_loaded(device, err);

	for (unsigned i = 0; i < QUEUE_COUNT && r == 0; i++) {
		const struct virtqueue *ring = &virtio->queues[i].ring;

		if (virtio->started &&
		    (ring->avail != ring->used || ring->avail_wrap != ring->used_wrap))
			virtio_break(virtio, "requests were in flight when the state was saved");
	}
	return r;
}

static void fs_destroy(struct device *device)
{
	struct virtio_device *virtio = to_virtio(device);
	struct virtio_fs *fs = to_fs(virtio);

	virtio_device_finish(virtio);
	event_source_remove(&fs->server);
	vhost_destroy(fs->vhost);
	free(fs);
}

static const struct device_ops fs_device_ops = {
	.type = "virtio-fs",
	.reset = virtio_device_reset,
	.describe = virtio_device_describe,
	.state = &fs_state,
	.loaded = fs_loaded,
	.destroy = fs_destroy,
};

static int connect_server(struct virtio_fs *fs, const struct virtio_fs_options *options,
			  struct error *err)
{
	const struct vhost_user_options user_options = {
		.fd = options->server_fd,
		.timeout_ms = options->timeout_ms,
	};
	int r = vhost_user_create(&user_options, &fs->vhost, err);

	if (r < 0)
		return error_prefix(err, "%s: ", options->name);
	if (vhost_user_queue_count(fs->vhost) < QUEUE_COUNT)
		return error_set(err, EPROTO, "%s: its server has too few queues", options->name);
	return 0;
}

static int set_up(struct virtio_fs *fs, const struct virtio_fs_options *options, struct error *err)
{
	static const uint16_t queue_sizes[QUEUE_COUNT] = {QUEUE_SIZE, QUEUE_SIZE};
	const struct virtio_device_options device_options = {
		.name = options->name,
		.mem = options->mem,
		.loop = options->loop,
		.lacks = vhost_lacks(fs->vhost),
		.config = &fs->config,
		.config_size = sizeof(fs->config),
		.queue_sizes = queue_sizes,
		.queue_count = QUEUE_COUNT,
	};
	size_t tag_size = strlen(options->tag);
	int r;

	assert(tag_size && tag_size <= VIRTIO_FS_TAG_MAX && options->mem->fd >= 0);
	memcpy(fs->config.tag, options->tag, tag_size);
	fs->config.num_request_queues = QUEUE_COUNT - QUEUE_REQUEST;
	fs->patience = (struct patience){
		.virtio = &fs->virtio,
		.tag = (const char *)fs->config.tag,
		.tag_size = VIRTIO_FS_TAG_MAX,
		.ms = options->patience_ms,
		.waits = waits,
		.quiet = on_quiet,
	};
	fs->server.owner = &fs->virtio.device;
	fs->server.callback = on_server;
	fs->server.data = fs;
	r = event_loop_add(options->loop, &fs->server, vhost_user_fd(fs->vhost), EVENT_READ);
	if (r == 0)
		r = virtio_device_init(&fs->virtio, &fs_device_ops, &fs_ops, &device_options);
	return r < 0 ? error_set_errno(err, -r, "%s", options->name) : 0;
}

int virtio_fs_create(const struct virtio_fs_options *options, struct virtio_device **ret,
		     struct error *err)
{
	struct virtio_fs *fs = calloc(1, sizeof(*fs));
	int r;

	if (!fs) {
		close_fd(options->server_fd);
		return error_set_errno(err, ENOMEM, "%s", options->name);
	}
	r = connect_server(fs, options, err);
	if (r == 0)
		r = set_up(fs, options, err);
	if (r < 0) {
		event_source_remove(&fs->server);
		vhost_destroy(fs->vhost);
		free(fs);
		return r;
	}
	*ret = &fs->virtio;
	return 0;
}
