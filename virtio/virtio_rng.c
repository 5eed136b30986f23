/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_rng.h"

#include <sys/random.h>

#define QUEUE_SIZE 64
#define PIECES_MAX 64

/* Bytes that one buffer gets; a driver with room for more asks again. */
#define BYTES_MAX (64 * KIB)

struct virtio_rng {
	struct virtio_device virtio;
};

static bool fill(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
		 uint32_t *ret_written)
{
	uint32_t written = 0;

	(void)virtio;
	(void)index;
	for (unsigned i = 0; i < chain->in_count && written < BYTES_MAX; i++) {
		const struct iovec *piece = &chain->iov[chain->out_count + i];
		size_t size = min_u64(piece->iov_len, BYTES_MAX - written);
		ssize_t got = getrandom(piece->iov_base, size, 0);

		/* Cut short by a signal, or the host has none yet: what is there will do. */
		if (got > 0)
			written += (uint32_t)got;
		if (got < (ssize_t)size)
			break;
	}
	*ret_written = written;
	return true;
}

static void notify(struct virtio_device *virtio, unsigned index)
{
	struct iovec pieces[PIECES_MAX];
	struct virtq_chain chain = {.iov = pieces, .iov_max = PIECES_MAX};

	virtio_serve(virtio, index, &chain, fill);
}

static const struct virtio_ops rng_ops = {
	.id = VIRTIO_ID_RNG,
	.in_order = true,
	.notify = notify,
};

static const struct state_field rng_fields[] = {VIRTIO_STATE_FIELDS(struct virtio_rng)};

static const struct state_table rng_state = {
	.name = "virtio-rng",
	.fields = rng_fields,
	.field_count = ARRAY_SIZE(rng_fields),
	.object_size = sizeof(struct virtio_rng),
};

static void rng_destroy(struct device *device)
{
	struct virtio_device *virtio = to_virtio(device);

	virtio_device_finish(virtio);
	free(container_of(virtio, struct virtio_rng, virtio));
}

static const struct device_ops rng_device_ops = {
	.type = "virtio-rng",
	.reset = virtio_device_reset,
	.describe = virtio_device_describe,
	.state = &rng_state,
	.loaded = virtio_device_loaded,
	.destroy = rng_destroy,
};

int virtio_rng_create(const struct virtio_rng_options *options, struct virtio_device **ret)
{
	static const uint16_t queue_sizes[] = {QUEUE_SIZE};
	const struct virtio_device_options device_options = {
		.name = options->name,
		.mem = options->mem,
		.loop = options->loop,
		.queue_sizes = queue_sizes,
		.queue_count = ARRAY_SIZE(queue_sizes),
	};
	struct virtio_rng *rng = calloc(1, sizeof(*rng));
	int r;

	if (!rng)
		return -ENOMEM;
	r = virtio_device_init(&rng->virtio, &rng_device_ops, &rng_ops, &device_options);
	if (r < 0) {
		free(rng);
		return r;
	}
	*ret = &rng->virtio;
	return 0;
}
