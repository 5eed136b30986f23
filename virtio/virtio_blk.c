/* SPDX-License-Identifier: Apache-2.0 */
#include "virtio/virtio_blk.h"

#include <assert.h>
#include <linux/virtio_blk.h>
#include <string.h>
#include <sys/eventfd.h>

#define SECTOR_SIZE 512U
#define QUEUE_SIZE  256
#define SEG_MAX     (QUEUE_SIZE - 2) /* all but the header and the status */
#define PIECES_MAX  (QUEUE_SIZE + 2)

/* Most that one request may discard or zero; more is asked for in several. */
#define CLEAR_SECTORS_MAX (UINT32_C(1) << 22) /* 2 GiB */

/* Requests of up to so many pieces are kept for the next; larger ones are freed. */
#define SMALL_PIECES 8
#define KEPT_MAX     128

struct blk_request {
	struct disk_request disk;
	struct virtq_chain chain; /* without its pieces */
	struct blk_request *next; /* of the kept or the held */
	uint8_t *status;          /* in the guest's memory */
	uint32_t data_in;         /* bytes for the guest, if it succeeds */
	uint16_t queue;
	uint16_t room;      /* pieces that @iov has room for */
	struct iovec iov[]; /* twice @room if requests may be held: the disk spoils some */
};

struct virtio_blk {
	struct virtio_device virtio;
	struct virtio_blk_config config;
	struct disk *disk;
	enum virtio_blk_on_error on_error;
	void (*held_hook)(void *data, struct virtio_device *virtio, int code);
	void *hook_data;
	char id[VIRTIO_BLK_ID_BYTES];
	_Atomic uint64_t size; /* bytes */

	/* The disk's thread's, from start to stop. */
	struct disk_client client;
	int *kick_fds;
	struct iovec *pieces; /* where chains are popped to */
	struct blk_request *kept;
	unsigned kept_count;

	/* Requests that wait for better times, and why; taken up at the next start. */
	struct blk_request *held;
	bool restarted;
	atomic_int held_code; /* errno that the owner has not heard of; 0: none */
	bool told;            /* the owner was, since the start; the main thread's */
	struct event_source held_event;
};

static struct virtio_blk *to_blk(struct virtio_device *virtio)
{
	return container_of(virtio, struct virtio_blk, virtio);
}

/* Requests and their memory. */

/* A request that may be tried again needs its pieces twice. */
static unsigned copies(const struct virtio_blk *blk)
{
	return blk->on_error == VIRTIO_BLK_REPORT ? 1 : 2;
}

static struct blk_request *get_request(struct virtio_blk *blk, unsigned pieces)
{
	struct blk_request *request = blk->kept;
	unsigned room = pieces > SMALL_PIECES ? pieces : SMALL_PIECES;

	if (request && pieces <= SMALL_PIECES) {
		blk->kept = request->next;
		blk->kept_count--;
		return request;
	}
	request = malloc(sizeof(*request) + (size_t)room * copies(blk) * sizeof(struct iovec));
	if (request)
		request->room = (uint16_t)room;
	return request;
}

static void put_request(struct virtio_blk *blk, struct blk_request *request)
{
	if (request->room > SMALL_PIECES || blk->kept_count >= KEPT_MAX) {
		free(request);
		return;
	}
	request->next = blk->kept;
	blk->kept = request;
	blk->kept_count++;
}

static void free_requests(struct blk_request **list)
{
	while (*list) {
		struct blk_request *request = *list;

		*list = request->next;
		free(request);
	}
}

/* Give @chain back with @status in its last byte, and @data bytes before that. */
static void answer(struct virtio_blk *blk, uint16_t queue, const struct virtq_chain *chain,
		   uint8_t *status, uint8_t value, uint32_t data)
{
	*status = value;
	virtqueue_push(&blk->virtio.queues[queue].ring, chain, data + 1);
}

/* From a request's header to what the disk has to do (5.2.6). */

static bool in_range(const struct virtio_blk *blk, uint64_t offset, uint64_t size)
{
	uint64_t end = atomic_load_explicit(&blk->size, memory_order_relaxed);
	uint32_t block = blk->disk->info.logical_block;

	return size <= end && offset <= end - size && is_aligned(offset | size, block);
}

/* What follows the header is @size bytes of data: they are @iov's. */
static int take_data(const struct virtq_chain *chain, bool from_guest, struct blk_request *request)
{
	const struct iovec *iov = chain->iov + (from_guest ? 0 : chain->out_count);
	size_t count = from_guest ? chain->out_count : chain->in_count;
	size_t offset = from_guest ? sizeof(struct virtio_blk_outhdr) : 0;
	int pieces = iov_slice(iov, count, offset, request->disk.size, request->iov, request->room);

	if (pieces < 0)
		return pieces;
	request->disk.iov = request->iov;
	request->disk.iov_count = (uint32_t)pieces;
	return 0;
}

/* Sectors of 512 bytes as bytes; a sector that wraps is out of range. */
static bool set_extent(const struct virtio_blk *blk, struct disk_request *disk, uint64_t sector,
		       uint64_t size)
{
	if (sector > UINT64_MAX / SECTOR_SIZE)
		return false;
	disk->offset = sector * SECTOR_SIZE;
	disk->size = size;
	return in_range(blk, disk->offset, size);
}

static uint8_t prepare_transfer(const struct virtio_blk *blk, const struct virtq_chain *chain,
				const struct virtio_blk_outhdr *header, struct blk_request *request)
{
	bool write = header->type == VIRTIO_BLK_T_OUT;
	uint32_t size = write ? chain->out_size - (uint32_t)sizeof(*header) : chain->in_size - 1;

	request->disk.op = write ? DISK_WRITE : DISK_READ;
	request->data_in = write ? 0 : size;
	if (write && blk->disk->info.read_only)
		return VIRTIO_BLK_S_IOERR;
	if (!set_extent(blk, &request->disk, header->sector, size))
		return VIRTIO_BLK_S_IOERR;
	return take_data(chain, write, request) < 0 ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}

static uint8_t prepare_clear(const struct virtio_blk *blk, const struct virtq_chain *chain,
			     const struct virtio_blk_outhdr *header, struct blk_request *request)
{
	bool zeroes = header->type == VIRTIO_BLK_T_WRITE_ZEROES;
	unsigned feature = zeroes ? VIRTIO_BLK_F_WRITE_ZEROES : VIRTIO_BLK_F_DISCARD;
	struct virtio_blk_discard_write_zeroes range;

	if (!virtio_has(&blk->virtio, feature))
		return VIRTIO_BLK_S_UNSUPP;
	/* One range: that is max_discard_seg and max_write_zeroes_seg. */
	if (chain->out_size != sizeof(*header) + sizeof(range))
		return VIRTIO_BLK_S_IOERR;
	virtq_chain_read(chain, sizeof(*header), &range, sizeof(range));
	if (range.flags & ~(zeroes ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0U))
		return VIRTIO_BLK_S_UNSUPP;
	request->disk.op = zeroes ? DISK_WRITE_ZEROES : DISK_DISCARD;
	request->disk.unmap = range.flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	if (range.num_sectors > CLEAR_SECTORS_MAX ||
	    !set_extent(blk, &request->disk, range.sector,
			(uint64_t)range.num_sectors * SECTOR_SIZE))
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

/* VIRTIO_BLK_S_OK: @request is for the disk. Else it is the answer. */
static uint8_t prepare(const struct virtio_blk *blk, const struct virtq_chain *chain,
		       const struct virtio_blk_outhdr *header, struct blk_request *request)
{
	switch (header->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		return prepare_transfer(blk, chain, header, request);
	case VIRTIO_BLK_T_FLUSH:
		request->disk.op = DISK_FLUSH;
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return prepare_clear(blk, chain, header, request);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* 5.2.6.1: 20 bytes, with no NUL behind a longer one. */
static void answer_id(struct virtio_blk *blk, uint16_t queue, const struct virtq_chain *chain,
		      uint8_t *status)
{
	uint32_t size = (uint32_t)min_u64(sizeof(blk->id), chain->in_size - 1);

	virtq_chain_write(chain, 0, blk->id, size);
	answer(blk, queue, chain, status, VIRTIO_BLK_S_OK, size);
}

/* The last byte that the device may write. */
static uint8_t *status_of(const struct virtq_chain *chain)
{
	const struct iovec *last = &chain->iov[chain->out_count + chain->in_count - 1];

	return (uint8_t *)last->iov_base + last->iov_len - 1;
}

/* A chain that has no header, or no room for its status, is no request. */
static bool is_request(struct virtio_blk *blk, const struct virtq_chain *chain)
{
	if (chain->out_size >= sizeof(struct virtio_blk_outhdr) && chain->in_size >= 1)
		return true;
	virtio_break_later(&blk->virtio, "a request lacks its header or room for its status");
	return false;
}

static void begin(struct virtio_blk *blk, uint16_t queue, const struct virtq_chain *chain)
{
	unsigned pieces = chain->out_count + chain->in_count;
	uint8_t *status = status_of(chain);
	struct virtio_blk_outhdr header;
	struct blk_request *request;
	uint8_t result;

	virtq_chain_read(chain, 0, &header, sizeof(header));
	if (header.type == VIRTIO_BLK_T_GET_ID) {
		answer_id(blk, queue, chain, status);
		return;
	}
	request = get_request(blk, pieces);
	if (!request) {
		answer(blk, queue, chain, status, VIRTIO_BLK_S_IOERR, 0);
		return;
	}
	request->disk = (struct disk_request){0};
	request->data_in = 0;
	result = prepare(blk, chain, &header, request);
	if (result != VIRTIO_BLK_S_OK) {
		answer(blk, queue, chain, status, result, 0);
		put_request(blk, request);
		return;
	}
	request->chain = *chain;
	request->status = status;
	request->queue = queue;
	if (copies(blk) > 1)
		memcpy(request->iov + request->room, request->iov,
		       request->disk.iov_count * sizeof(struct iovec));
	disk_submit(blk->disk, &request->disk);
}

/* In the disk's thread. */

static void serve_queue(struct virtio_blk *blk, uint16_t index)
{
	struct virtqueue *ring = &blk->virtio.queues[index].ring;
	struct virtq_chain chain = {.iov = blk->pieces, .iov_max = PIECES_MAX};
	int r;

	virtqueue_disable_notify(ring);
	do {
		while ((r = virtqueue_pop(ring, &chain)) > 0) {
			if (!is_request(blk, &chain))
				return;
			begin(blk, index, &chain);
		}
	} while (r == 0 && virtqueue_enable_notify(ring));
	if (r < 0)
		virtio_break_later(&blk->virtio, ring->fault);
}

/* The owner has started the device again: what was held is tried anew. */
static void retry(struct virtio_blk *blk)
{
	struct blk_request *request = blk->held;

	blk->held = NULL;
	while (request) {
		struct blk_request *next = request->next;

		memcpy(request->iov, request->iov + request->room,
		       request->disk.iov_count * sizeof(struct iovec));
		request->disk.result = 0;
		disk_submit(blk->disk, &request->disk);
		request = next;
	}
}

static void kicked(void *data)
{
	struct virtio_blk *blk = data;

	if (blk->restarted)
		retry(blk);
	blk->restarted = false;
	for (uint32_t i = 0; i < blk->virtio.queue_count; i++) {
		if (blk->virtio.queues[i].ring.ready)
			serve_queue(blk, (uint16_t)i);
	}
}

static bool is_held(const struct virtio_blk *blk, const struct disk_request *disk)
{
	enum virtio_blk_on_error on_error = disk->lost ? VIRTIO_BLK_REPORT : blk->on_error;

	switch (on_error) {
	case VIRTIO_BLK_REPORT:
		return false;
	case VIRTIO_BLK_HOLD:
		return disk->result < 0;
	case VIRTIO_BLK_HOLD_NO_SPACE:
		return disk->result == -ENOSPC || disk->result == -EDQUOT;
	}
	return false;
}

static void hold(struct virtio_blk *blk, struct blk_request *request)
{
	uint64_t one = 1;

	request->next = blk->held;
	blk->held = request;
	atomic_store(&blk->held_code, -request->disk.result);
	if (write(blk->held_event.fd, &one, sizeof(one)) < 0) {
		/* The owner is being told already. */
	}
}

static void done(void *data, struct disk_request *disk)
{
	struct virtio_blk *blk = data;
	struct blk_request *request = container_of(disk, struct blk_request, disk);
	bool ok = disk->result == 0;

	if (is_held(blk, disk)) {
		hold(blk, request);
		return;
	}
	disk_count(blk->disk, disk);
	answer(blk, request->queue, &request->chain, request->status,
	       ok ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR, ok ? request->data_in : 0);
	put_request(blk, request);
}

static void settled(void *data)
{
	struct virtio_blk *blk = data;

	for (uint32_t i = 0; i < blk->virtio.queue_count; i++) {
		if (virtqueue_flush(&blk->virtio.queues[i].ring))
			virtio_queue_call(&blk->virtio.queues[i]);
	}
}

/* In the main thread, under the device's lock. */

static void tell_held(void *data, unsigned events)
{
	struct virtio_blk *blk = data;
	uint64_t value;
	int code;

	(void)events;
	if (read(blk->held_event.fd, &value, sizeof(value)) < 0) {
		/* It was taken already. */
	}
	code = atomic_exchange(&blk->held_code, 0);
	/* Others fail for the same reason until the machine has stopped. */
	if (!code || blk->told)
		return;
	blk->told = true;
	blk->held_hook(blk->hook_data, &blk->virtio, code);
}

static int watch_held(struct virtio_blk *blk)
{
	_cleanup_close_ int fd = -1;
	int r;

	if (blk->on_error == VIRTIO_BLK_REPORT || blk->held_event.loop)
		return 0;
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	blk->held_event.owner = &blk->virtio.device;
	blk->held_event.callback = tell_held;
	blk->held_event.data = blk;
	r = event_loop_add(blk->virtio.loop, &blk->held_event, fd, EVENT_READ);
	if (r < 0)
		return r;
	blk->held_event.owns_fd = true;
	steal_fd(&fd);
	return 0;
}

static int blk_start(struct virtio_device *virtio, struct error *err)
{
	struct virtio_blk *blk = to_blk(virtio);
	unsigned count = 0;
	int r = watch_held(blk);

	if (r < 0)
		return error_set_errno(err, -r, "its errors cannot be watched");
	if (!blk->pieces)
		blk->pieces = calloc(PIECES_MAX, sizeof(*blk->pieces));
	if (!blk->pieces)
		return error_set_errno(err, ENOMEM, "its requests");
	for (uint32_t i = 0; i < virtio->queue_count; i++) {
		if (virtio->queues[i].ring.ready)
			blk->kick_fds[count++] = virtio->queues[i].kick_fd;
	}
	blk->restarted = true;
	blk->told = false;
	atomic_store(&blk->held_code, 0); /* it is tried anew, whatever that was */
	return disk_start(blk->disk, &blk->client, blk->kick_fds, count, err);
}

static void blk_stop(struct virtio_device *virtio)
{
	disk_stop(to_blk(virtio)->disk);
}

/* The driver has forgotten what it asked for, and so do we. */
static void blk_reset(struct virtio_device *virtio)
{
	struct virtio_blk *blk = to_blk(virtio);

	free_requests(&blk->held);
	atomic_store(&blk->held_code, 0);
}

int virtio_blk_resize(struct virtio_device *virtio)
{
	struct virtio_blk *blk = to_blk(virtio);
	int r = blk->disk->ops->refresh(blk->disk);

	if (r < 0 || blk->disk->info.size == atomic_load(&blk->size))
		return r;
	atomic_store(&blk->size, blk->disk->info.size);
	blk->config.capacity = blk->disk->info.size / SECTOR_SIZE;
	virtio_config_changed(virtio);
	return 0;
}

static const struct virtio_ops blk_ops = {
	.id = VIRTIO_ID_BLOCK,
	.start = blk_start,
	.stop = blk_stop,
	.reset = blk_reset,
};

static const struct state_field blk_fields[] = {VIRTIO_STATE_FIELDS(struct virtio_blk)};

static const struct state_table blk_state = {
	.name = "virtio-blk",
	.fields = blk_fields,
	.field_count = ARRAY_SIZE(blk_fields),
	.object_size = sizeof(struct virtio_blk),
};

static void blk_destroy(struct device *device)
{
	struct virtio_blk *blk = to_blk(to_virtio(device));

	virtio_device_finish(&blk->virtio);
	event_source_remove(&blk->held_event);
	free_requests(&blk->held);
	free_requests(&blk->kept);
	free(blk->kick_fds);
	free(blk->pieces);
	free(blk);
}

static const struct device_ops blk_device_ops = {
	.type = "virtio-blk",
	.reset = virtio_device_reset,
	.describe = virtio_device_describe,
	.state = &blk_state,
	.loaded = virtio_device_loaded,
	.destroy = blk_destroy,
};

/* What the driver is told of the disk (5.2.4). */

static uint64_t features_of(const struct disk_info *info, uint32_t queues)
{
	uint64_t features =
		BIT(VIRTIO_BLK_F_SEG_MAX) | BIT(VIRTIO_BLK_F_BLK_SIZE) | BIT(VIRTIO_BLK_F_TOPOLOGY);

	if (info->write_cache)
		features |= BIT(VIRTIO_BLK_F_FLUSH);
	if (info->read_only)
		features |= BIT(VIRTIO_BLK_F_RO);
	else if (info->discard_granularity)
		features |= BIT(VIRTIO_BLK_F_DISCARD);
	if (info->write_zeroes && !info->read_only)
		features |= BIT(VIRTIO_BLK_F_WRITE_ZEROES);
	if (queues > 1)
		features |= BIT(VIRTIO_BLK_F_MQ);
	return features;
}

static uint8_t exponent(uint32_t larger, uint32_t smaller)
{
	uint8_t power = 0;

	while (power < 31 && (uint64_t)smaller << (power + 1) <= larger)
		power++;
	return power;
}

static struct virtio_blk_config config_of(const struct disk_info *info, uint32_t queues)
{
	uint32_t granularity =
		info->discard_granularity ? info->discard_granularity : info->logical_block;

	return (struct virtio_blk_config){
		.capacity = info->size / SECTOR_SIZE,
		.seg_max = SEG_MAX,
		.blk_size = info->logical_block,
		.physical_block_exp = exponent(info->physical_block, info->logical_block),
		.min_io_size =
			(uint16_t)min_u64(info->physical_block / info->logical_block, UINT16_MAX),
		.opt_io_size = info->optimal_io / info->logical_block,
		.num_queues = (uint16_t)queues,
		.max_discard_sectors = CLEAR_SECTORS_MAX,
		.max_discard_seg = 1,
		.discard_sector_alignment = granularity / SECTOR_SIZE,
		.max_write_zeroes_sectors = CLEAR_SECTORS_MAX,
		.max_write_zeroes_seg = 1,
		.write_zeroes_may_unmap = 1,
	};
}

static int init_device(struct virtio_blk *blk, const struct virtio_blk_options *options)
{
	uint16_t queue_sizes[VIRTIO_BLK_QUEUES_MAX];
	const struct virtio_device_options device_options = {
		.name = options->name,
		.mem = options->mem,
		.loop = options->loop,
		.features = features_of(&options->disk->info, options->queues),
		.config = &blk->config,
		.config_size = sizeof(blk->config),
		.queue_sizes = queue_sizes,
		.queue_count = options->queues,
	};

	assert(options->queues >= 1 && options->queues <= VIRTIO_BLK_QUEUES_MAX);
	for (uint32_t i = 0; i < options->queues; i++)
		queue_sizes[i] = QUEUE_SIZE;
	return virtio_device_init(&blk->virtio, &blk_device_ops, &blk_ops, &device_options);
}

int virtio_blk_create(const struct virtio_blk_options *options, struct virtio_device **ret)
{
	const char *id = options->serial ? options->serial : options->name;
	struct virtio_blk *blk = calloc(1, sizeof(*blk));
	int r;

	if (!blk)
		return -ENOMEM;
	blk->kick_fds = calloc(options->queues, sizeof(*blk->kick_fds));
	blk->disk = options->disk;
	blk->on_error = options->on_error;
	blk->held_hook = options->held;
	blk->hook_data = options->data;
	blk->held_event.fd = -1;
	blk->size = options->disk->info.size;
	blk->config = config_of(&options->disk->info, options->queues);
	blk->client = (struct disk_client){
		.kicked = kicked, .done = done, .settled = settled, .data = blk};
	memcpy(blk->id, id, strnlen(id, sizeof(blk->id)));
	r = blk->kick_fds ? init_device(blk, options) : -ENOMEM;
	if (r < 0) {
		free(blk->kick_fds);
		free(blk);
		return r;
	}
	*ret = &blk->virtio;
	return 0;
}
