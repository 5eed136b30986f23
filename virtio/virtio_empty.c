/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_empty.h"

struct virtio_empty {
	struct virtio_device virtio;
};

static const char *check_features(const struct virtio_device *virtio, uint64_t features)
{
	(void)virtio;
	(void)features;
	return "the slot is empty, and the driver finds a device there";
}

static const struct virtio_ops empty_ops = {.id = 0, .check_features = check_features};

static const struct state_field empty_fields[] = {VIRTIO_STATE_FIELDS(struct virtio_empty)};

static const struct state_table empty_state = {
	.name = "virtio-empty",
	.fields = empty_fields,
	.field_count = ARRAY_SIZE(empty_fields),
	.object_size = sizeof(struct virtio_empty),
};

static void empty_destroy(struct device *device)
{
	struct virtio_device *virtio = to_virtio(device);

	virtio_device_finish(virtio);
	free(container_of(virtio, struct virtio_empty, virtio));
}

static const struct device_ops empty_device_ops = {
	.type = "virtio-empty",
	.reset = virtio_device_reset,
	.describe = virtio_device_describe,
	.state = &empty_state,
	.loaded = virtio_device_loaded,
	.destroy = empty_destroy,
};

int virtio_empty_create(const struct virtio_empty_options *options, struct virtio_device **ret)
{
	const struct virtio_device_options device_options = {
		.name = options->name,
		.mem = options->mem,
		.loop = options->loop,
	};
	struct virtio_empty *empty = calloc(1, sizeof(*empty));
	int r;

	if (!empty)
		return -ENOMEM;
	r = virtio_device_init(&empty->virtio, &empty_device_ops, &empty_ops, &device_options);
	if (r < 0) {
		free(empty);
		return r;
	}
	*ret = &empty->virtio;
	return 0;
}
