/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio_probe.h"

#include <check.h>
#include <string.h>

#define PIECES_MAX 16

static struct probe *probe_of(struct virtio_device *virtio)
{
	return container_of(virtio, struct probe, virtio);
}

static const char *check_features(const struct virtio_device *virtio, uint64_t features)
{
	(void)virtio;
	if (features & BIT(PROBE_F_LEFT) && features & BIT(PROBE_F_RIGHT))
		return "left and right at once";
	return NULL;
}

static bool fill(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
		 uint32_t *ret_written)
{
	(void)virtio;
	(void)index;
	for (unsigned i = 0; i < chain->in_count; i++) {
		const struct iovec *piece = &chain->iov[chain->out_count + i];

		memset(piece->iov_base, PROBE_BYTE, piece->iov_len);
	}
	*ret_written = chain->in_size;
	return true;
}

static void notify(struct virtio_device *virtio, unsigned index)
{
	struct iovec pieces[PIECES_MAX];
	struct virtq_chain chain = {.iov = pieces, .iov_max = PIECES_MAX};

	probe_of(virtio)->notified[index]++;
	virtio_serve(virtio, index, &chain, fill);
}

static int start(struct virtio_device *virtio, struct error *err)
{
	struct probe *probe = probe_of(virtio);

	if (probe->refuse_start)
		return error_set(err, EIO, "the probe was told not to start");
	probe->starts++;
	return 0;
}

static void stop(struct virtio_device *virtio)
{
	probe_of(virtio)->stops++;
}

static void reset(struct virtio_device *virtio)
{
	struct probe *probe = probe_of(virtio);

	probe->resets++;
	memset(probe->config, 0x11, sizeof(probe->config));
}

static void config_written(struct virtio_device *virtio, unsigned offset, unsigned size)
{
	(void)offset;
	(void)size;
	probe_of(virtio)->config_writes++;
}

static const struct virtio_writable writable[] = {{PROBE_WRITABLE, 4}, {0}};

static const struct virtio_ops probe_ops = {
	.id = PROBE_ID,
	.in_order = true,
	.check_features = check_features,
	.notify = notify,
	.start = start,
	.stop = stop,
	.reset = reset,
	.config_written = config_written,
	.writable = writable,
};

static const struct state_field probe_fields[] = {
	VIRTIO_STATE_FIELDS(struct probe),
	STATE_ARRAY(struct probe, config, STATE_U8),
};

static const struct state_table probe_state = {
	.name = "probe",
	.fields = probe_fields,
	.field_count = ARRAY_SIZE(probe_fields),
	.object_size = sizeof(struct probe),
};

static void destroy(struct device *device)
{
	virtio_device_finish(to_virtio(device));
	free(probe_of(to_virtio(device)));
}

static const struct device_ops probe_device_ops = {
	.type = "probe",
	.reset = virtio_device_reset,
	.describe = virtio_device_describe,
	.state = &probe_state,
	.loaded = virtio_device_loaded,
	.destroy = destroy,
};

static int create(struct virtio_bench *bench, struct virtio_device **ret)
{
	static const uint16_t queue_sizes[PROBE_QUEUES] = {16, 256};
	struct probe *probe = calloc(1, sizeof(*probe));
	const struct virtio_device_options options = {
		.name = "probe0",
		.mem = bench->mem,
		.loop = bench->loop,
		.features = BIT(PROBE_F_LEFT) | BIT(PROBE_F_RIGHT),
		.config = probe ? probe->config : NULL,
		.config_size = PROBE_CONFIG_SIZE,
		.queue_sizes = queue_sizes,
		.queue_count = PROBE_QUEUES,
	};
	int r;

	if (!probe)
		return -ENOMEM;
	memset(probe->config, 0x11, sizeof(probe->config));
	r = virtio_device_init(&probe->virtio, &probe_device_ops, &probe_ops, &options);
	if (r < 0) {
		free(probe);
		return r;
	}
	*ret = &probe->virtio;
	return 0;
}

/* One byte or many of the configuration change, and the driver is told. */
static void disturb(struct virtio_bench *bench)
{
	struct probe *probe = to_probe(bench);
	unsigned count = virtio_bench_random(bench, PROBE_CONFIG_SIZE);

	device_lock(&bench->virtio->device);
	for (unsigned i = 0; i <= count; i++)
		probe->config[virtio_bench_random(bench, PROBE_CONFIG_SIZE)]++;
	virtio_config_changed(bench->virtio);
	device_unlock(&bench->virtio->device);
}

const struct virtio_kind probe_kind = {
	.bench_size = sizeof(struct virtio_bench),
	.contradict = BIT(PROBE_F_RIGHT),
	.create = create,
	.disturb = disturb,
};

struct virtio_bench *probe_open(void)
{
	return virtio_bench_open(&probe_kind);
}

/* All of it, with a device that works. */
struct virtio_bench *probe_open_driven(void)
{
	struct virtio_bench *bench = probe_open();

	virtio_bench_drive(bench, UINT64_MAX);
	virtio_bench_run(bench);
	return bench;
}

void probe_expect_broken(struct virtio_bench *bench, uint32_t status)
{
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_STATUS), status | BROKEN);
	ck_assert_ptr_null(bench->page);
	ck_assert_int_eq(bench->notify_fds[0], -1);
	/* Nothing but a reset helps. */
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, DRIVER_OK);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_STATUS), status | BROKEN);
	virtio_bench_set(bench, VIRTIO_MMIO_STATUS, 0);
	ck_assert_uint_eq(virtio_bench_get(bench, VIRTIO_MMIO_STATUS), 0);
	virtio_bench_drive(bench, UINT64_MAX);
	virtio_bench_close(bench);
}
