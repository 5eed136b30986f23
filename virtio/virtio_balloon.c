/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Which queue is which
 *
 * The specification numbers the queues (5.5.2), so that one without its feature
 * leaves a gap. There are drivers that close the gaps, Linux's for years among
 * them. So a queue has its number's part if that was negotiated, and else the
 * part that it has when they are counted; no driver uses both.
 *
 * DOC: Statistics
 *
 * The driver gives one buffer with statistics in it and waits; getting it back
 * is what asks it for new ones (5.5.6.3). The buffer is read when it comes and
 * put back into its queue, so nothing is held that a stop would have to give up.
 */
#include "virtio/virtio_balloon.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define QUEUE_SIZE 128
#define PIECES_MAX QUEUE_SIZE
#define PAGE_SIZE  BIT(VIRTIO_BALLOON_PFN_SHIFT)
#define NS_IN_S    UINT64_C(1000000000)

#define FRAMES_READ 256        /* page frame numbers, at once */
#define FRAMES_MAX  (16 * KIB) /* of one buffer; Linux sends 256 */
#define STATS_MAX   64         /* of one buffer */
#define FIRST_HINT  (VIRTIO_BALLOON_CMD_ID_DONE + 1)

enum { INFLATE, DEFLATE, STATS, HINTS, REPORTS, QUEUES };

struct virtio_balloon {
	struct virtio_device virtio;
	struct virtio_balloon_config config;
	struct virtio_balloon_options options;
	bool host_refused; /* and it was told */

	struct event_source timer;
	uint32_t period;
	struct virtio_balloon_stats stats;
	bool stats_read; /* the buffer that is in the queue was */
	bool stats_give; /* it is to be given back */

	uint32_t hint_id; /* of the last round */
	bool hinting;     /* the driver has begun with it */
};

static struct virtio_balloon *to_balloon(struct virtio_device *virtio)
{
	return container_of(virtio, struct virtio_balloon, virtio);
}

static const struct virtio_balloon *to_const_balloon(const struct virtio_device *virtio)
{
	return container_of(virtio, const struct virtio_balloon, virtio);
}

/* Giving back. */

static void discard(struct virtio_balloon *balloon, gpa_t addr, uint64_t size)
{
	int r = guest_mem_discard(balloon->virtio.mem, addr, size);

	if (r == 0 || balloon->host_refused)
		return;
	balloon->host_refused = true;
	log_warning("%s: the host does not take memory back: %s", balloon->virtio.device.name,
		    strerror(-r));
}

/* Pages that follow each other. */
struct run {
	uint64_t first;
	uint64_t count;
};

static void end_run(struct virtio_balloon *balloon, struct run *run)
{
	if (run->count)
		discard(balloon, run->first * PAGE_SIZE, run->count * PAGE_SIZE);
	run->count = 0;
}

static void add_frame(struct virtio_balloon *balloon, struct run *run, uint32_t frame)
{
	struct virtio_device *virtio = &balloon->virtio;

	if (!guest_mem_at(virtio->mem, frame * PAGE_SIZE, PAGE_SIZE)) {
		log_guest(&virtio->device.guest_errors,
			  "virtio-balloon %s: the page at 0x%" PRIx64 " is no RAM",
			  virtio->device.name, frame * PAGE_SIZE);
		return;
	}
	if (run->count && frame == run->first + run->count) {
		run->count++;
	} else if (run->count && frame + 1 == run->first) {
		run->first--;
		run->count++;
	} else {
		end_run(balloon, run);
		*run = (struct run){frame, 1};
	}
}

/* An array of page frame numbers (5.5.6.1). What is too much for one buffer is not given back. */
static bool inflate(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
		    uint32_t *ret_written)
{
	struct virtio_balloon *balloon = to_balloon(virtio);
	uint32_t frames[FRAMES_READ];
	struct run run = {0};

	(void)index;
	(void)ret_written;
	for (size_t done = 0; done < FRAMES_MAX; done += FRAMES_READ) {
		size_t size =
			virtq_chain_read(chain, done * sizeof(frames[0]), frames, sizeof(frames));

		for (size_t i = 0; i < size / sizeof(frames[0]); i++)
			add_frame(balloon, &run, frames[i]);
		if (size < sizeof(frames))
			break;
	}
	end_run(balloon, &run);
	return true;
}

/* The pages are the guest's again when it uses them. */
static bool deflate(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
		    uint32_t *ret_written)
{
	(void)virtio;
	(void)index;
	(void)chain;
	(void)ret_written;
	return true;
}

static gpa_t guest_address(const struct virtio_device *virtio, const struct iovec *piece)
{
	return virtio->mem->base + (gpa_t)((uint8_t *)piece->iov_base - virtio->mem->host);
}

/* The pieces themselves are the free pages (5.5.6.6). */
static bool take_report(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
			uint32_t *ret_written)
{
	(void)index;
	(void)ret_written;
	for (unsigned i = 0; i < chain->in_count; i++) {
		const struct iovec *piece = &chain->iov[chain->out_count + i];

		discard(to_balloon(virtio), guest_address(virtio, piece), piece->iov_len);
	}
	return true;
}

/* Hints. */

static void set_command(struct virtio_balloon *balloon, uint32_t command)
{
	balloon->config.free_page_hint_cmd_id = command;
	balloon->hinting = false;
	virtio_config_changed(&balloon->virtio);
}

bool virtio_balloon_hint(struct virtio_device *virtio)
{
	struct virtio_balloon *balloon = to_balloon(virtio);

	if (!virtio->started || !virtio_has(virtio, VIRTIO_BALLOON_F_FREE_PAGE_HINT))
		return false;
	balloon->hint_id++;
	if (balloon->hint_id < FIRST_HINT)
		balloon->hint_id = FIRST_HINT;
	set_command(balloon, balloon->hint_id);
	return true;
}

void virtio_balloon_hint_done(struct virtio_device *virtio)
{
	struct virtio_balloon *balloon = to_balloon(virtio);

	if (balloon->config.free_page_hint_cmd_id >= FIRST_HINT)
		set_command(balloon, VIRTIO_BALLOON_CMD_ID_DONE);
}

/* The driver says which round its hints belong to, or that there are no more (5.5.6.5). */
static void take_command(struct virtio_balloon *balloon, uint32_t command)
{
	bool ended = balloon->hinting && command == VIRTIO_BALLOON_CMD_ID_STOP;

	balloon->hinting =
		command >= FIRST_HINT && command == balloon->config.free_page_hint_cmd_id;
	if (ended && balloon->options.hints_end)
		balloon->options.hints_end(balloon->options.data);
}

static bool take_hint(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
		      uint32_t *ret_written)
{
	struct virtio_balloon *balloon = to_balloon(virtio);
	uint32_t command;

	(void)index;
	(void)ret_written;
	if (virtq_chain_read(chain, 0, &command, sizeof(command)) == sizeof(command))
		take_command(balloon, command);
	for (unsigned i = 0; balloon->hinting && i < chain->in_count; i++) {
		const struct iovec *piece = &chain->iov[chain->out_count + i];

		balloon->options.hinted(balloon->options.data, guest_address(virtio, piece),
					piece->iov_len);
	}
	return true;
}

/* Statistics. */

static void read_stats(struct virtio_balloon *balloon, const struct virtq_chain *chain)
{
	struct virtio_balloon_stats *stats = &balloon->stats;
	struct virtio_balloon_stat stat;

	stats->valid = 0;
	for (size_t i = 0; i < STATS_MAX; i++) {
		if (virtq_chain_read(chain, i * sizeof(stat), &stat, sizeof(stat)) < sizeof(stat))
			break;
		if (stat.tag >= VIRTIO_BALLOON_STATS)
			continue;
		stats->valid |= (uint32_t)BIT(stat.tag);
		stats->values[stat.tag] = stat.val;
	}
	stats->reports++;
	if (balloon->options.reported)
		balloon->options.reported(balloon->options.data);
}

static bool take_stats(struct virtio_device *virtio, unsigned index, struct virtq_chain *chain,
		       uint32_t *ret_written)
{
	struct virtio_balloon *balloon = to_balloon(virtio);
	bool give = balloon->stats_give && balloon->stats_read;

	(void)index;
	(void)ret_written;
	if (!balloon->stats_read)
		read_stats(balloon, chain);
	balloon->stats_read = !give;
	balloon->stats_give = false;
	return give;
}

static void serve(struct virtio_device *virtio, unsigned index, virtio_serve_fn *function)
{
	struct iovec pieces[PIECES_MAX];
	struct virtq_chain chain = {.iov = pieces, .iov_max = PIECES_MAX};

	virtio_serve(virtio, index, &chain, function);
}

bool virtio_balloon_ask_stats(struct virtio_device *virtio)
{
	struct virtio_balloon *balloon = to_balloon(virtio);

	if (!virtio->started || !virtio->queues[STATS].ring.ready ||
	    !virtio_has(virtio, VIRTIO_BALLOON_F_STATS_VQ))
		return false;
	/* If the driver has the buffer, it is about to give it with new ones. */
	balloon->stats_give = true;
	serve(virtio, STATS, take_stats);
	balloon->stats_give = false;
	return true;
}

const struct virtio_balloon_stats *virtio_balloon_stats(const struct virtio_device *virtio)
{
	return &to_const_balloon(virtio)->stats;
}

static void on_timer(void *data, unsigned events)
{
	(void)events;
	virtio_balloon_ask_stats(data);
}

/* A device that is not served has no timer that runs. */
static void arm(struct virtio_balloon *balloon, bool on)
{
	uint64_t period = on ? balloon->period * NS_IN_S : 0;

	if (balloon->timer.loop)
		event_timer_set(&balloon->timer, period, period);
}

int virtio_balloon_set_period(struct virtio_device *virtio, uint32_t seconds)
{
	struct virtio_balloon *balloon = to_balloon(virtio);
	int r;

	if (seconds && !balloon->timer.loop) {
		balloon->timer = (struct event_source){
			.fd = -1,
			.owner = &virtio->device,
			.callback = on_timer,
			.data = virtio,
		};
		r = event_loop_add_timer(virtio->loop, &balloon->timer, CLOCK_MONOTONIC);
		if (r < 0)
			return r;
	}
	balloon->period = seconds;
	arm(balloon, virtio->started && !virtio->paused);
	return 0;
}

/* The size. */

void virtio_balloon_set_target(struct virtio_device *virtio, uint64_t size)
{
	struct virtio_balloon *balloon = to_balloon(virtio);
	uint64_t pages = min_u64(min_u64(size, virtio->mem->size) / PAGE_SIZE, UINT32_MAX);

	if (balloon->config.num_pages == pages)
		return;
	balloon->config.num_pages = (uint32_t)pages;
	virtio_config_changed(virtio);
}

uint64_t virtio_balloon_target(const struct virtio_device *virtio)
{
	return to_const_balloon(virtio)->config.num_pages * PAGE_SIZE;
}

uint64_t virtio_balloon_actual(const struct virtio_device *virtio)
{
	return to_const_balloon(virtio)->config.actual * PAGE_SIZE;
}

/* As a virtio device. */

struct part {
	uint8_t feature; /* of those that have one */
	virtio_serve_fn *serve;
};

static const struct part parts[QUEUES] = {
	[INFLATE] = {.serve = inflate},
	[DEFLATE] = {.serve = deflate},
	[STATS] = {VIRTIO_BALLOON_F_STATS_VQ, take_stats},
	[HINTS] = {VIRTIO_BALLOON_F_FREE_PAGE_HINT, take_hint},
	[REPORTS] = {VIRTIO_BALLOON_F_REPORTING, take_report},
};

static const struct part *part_of_queue(const struct virtio_device *virtio, unsigned index)
{
	unsigned number = STATS;

	if (index >= QUEUES)
		return NULL;
	if (index < STATS || virtio_has(virtio, parts[index].feature))
		return &parts[index];
	for (unsigned i = STATS; i < QUEUES; i++) {
		if (virtio_has(virtio, parts[i].feature) && number++ == index)
			return &parts[i];
	}
	return NULL;
}

static void notify(struct virtio_device *virtio, unsigned index)
{
	const struct part *part = part_of_queue(virtio, index);

	if (part)
		serve(virtio, index, part->serve);
}

static int start(struct virtio_device *virtio, struct error *err)
{
	struct virtio_balloon *balloon = to_balloon(virtio);

	(void)err;
	if (!virtio->queues[STATS].ring.ready)
		balloon->stats_read = false;
	arm(balloon, true);
	return 0;
}

static void stop(struct virtio_device *virtio)
{
	arm(to_balloon(virtio), false);
}

/* What the owner wants stays; the balloon of the next driver is empty. */
static void reset(struct virtio_device *virtio)
{
	struct virtio_balloon *balloon = to_balloon(virtio);

	balloon->config.actual = 0;
	balloon->config.free_page_hint_cmd_id = VIRTIO_BALLOON_CMD_ID_STOP;
	balloon->hint_id = 0;
	balloon->hinting = false;
	balloon->stats_read = false;
	balloon->stats.valid = 0;
}

static const struct virtio_writable writable[] = {
	{offsetof(struct virtio_balloon_config, actual), sizeof(uint32_t)},
	{0},
};

static const struct virtio_ops balloon_ops = {
	.id = VIRTIO_ID_BALLOON,
	.in_order = true,
	.notify = notify,
	.start = start,
	.stop = stop,
	.reset = reset,
	.writable = writable,
};

/* Statistics are not saved: the buffer that is in the queue has them. */
static const struct state_field balloon_fields[] = {
	VIRTIO_STATE_FIELDS(struct virtio_balloon),
	STATE_FIELD(struct virtio_balloon, config.num_pages, STATE_U32),
	STATE_FIELD(struct virtio_balloon, config.actual, STATE_U32),
	STATE_FIELD(struct virtio_balloon, config.free_page_hint_cmd_id, STATE_U32),
	STATE_FIELD(struct virtio_balloon, hint_id, STATE_U32),
	STATE_FIELD(struct virtio_balloon, hinting, STATE_BOOL),
};

static const struct state_table balloon_state = {
	.name = "virtio-balloon",
	.fields = balloon_fields,
	.field_count = ARRAY_SIZE(balloon_fields),
	.object_size = sizeof(struct virtio_balloon),
};

/* Hints are taken only by an owner that gave us where to tell them. */
static int balloon_loaded(struct device *device, struct error *err)
{
	struct virtio_balloon *balloon = to_balloon(to_virtio(device));

	balloon->hinting = balloon->hinting && balloon->options.hinted;
	balloon->stats_read = false;
	return virtio_device_loaded(device, err);
}

static void balloon_destroy(struct device *device)
{
	struct virtio_balloon *balloon = to_balloon(to_virtio(device));

	virtio_device_finish(&balloon->virtio);
	event_source_remove(&balloon->timer);
	free(balloon);
}

static const struct device_ops balloon_device_ops = {
	.type = "virtio-balloon",
	.reset = virtio_device_reset,
	.describe = virtio_device_describe,
	.state = &balloon_state,
	.loaded = balloon_loaded,
	.destroy = balloon_destroy,
};

static uint64_t offered(const struct virtio_balloon_options *options)
{
	return BIT(VIRTIO_BALLOON_F_STATS_VQ) |
	       (options->deflate_on_oom ? BIT(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) : 0) |
	       (options->reporting ? BIT(VIRTIO_BALLOON_F_REPORTING) : 0) |
	       (options->hinted ? BIT(VIRTIO_BALLOON_F_FREE_PAGE_HINT) : 0);
}

int virtio_balloon_create(const struct virtio_balloon_options *options, struct virtio_device **ret)
{
	static const uint16_t queue_sizes[QUEUES] = {QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE, QUEUE_SIZE,
						     QUEUE_SIZE};
	struct virtio_balloon *balloon = calloc(1, sizeof(*balloon));
	const struct virtio_device_options device_options = {
		.name = options->name,
		.mem = options->mem,
		.loop = options->loop,
		.features = offered(options),
		.config = balloon ? &balloon->config : NULL,
		.config_size = sizeof(balloon->config),
		.queue_sizes = queue_sizes,
		.queue_count = QUEUES,
	};
	int r;

	if (!balloon)
		return -ENOMEM;
	balloon->options = *options;
	r = virtio_device_init(&balloon->virtio, &balloon_device_ops, &balloon_ops,
			       &device_options);
	if (r < 0) {
		free(balloon);
		return r;
	}
	*ret = &balloon->virtio;
	return 0;
}
