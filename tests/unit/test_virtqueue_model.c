/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random steps of driver and device, compared with a model that is lists and
 * counters that never wrap.
 */
#include <string.h>

#include "queue_bench.h"
#include "unit.h"
#include "virtio/virtqueue.h"

#define STEPS      12000
#define PIECES_MAX 3 /* of each direction */

struct buffer {
	uint64_t token;
	unsigned n_out;
	unsigned n_in;
	unsigned slots;   /* that the places move by */
	uint32_t written; /* when it was pushed */
	struct virtq_chain chain;
};

/* Buffers in an order. */
struct list {
	struct buffer buffers[DRIVER_RING_MAX];
	unsigned count;
};

/* When one side wants to be told. */
enum when { NEVER, ALWAYS, AT_PLACE };

struct wish {
	enum when when;
	uint64_t place;
};

struct model {
	struct queue_bench *bench;
	uint64_t random;
	bool indirect; /* may be used */
	uint64_t token;

	struct list offered;   /* added, not popped */
	struct list in_flight; /* popped, not pushed */
	struct list pushed;    /* not flushed */
	struct list used;      /* flushed, not taken */
	uint64_t last_popped;  /* token; 0: it was pushed meanwhile, or put back */

	/* Places, in slots since the beginning. */
	uint64_t added;
	uint64_t kicked;
	uint64_t popped;
	uint64_t used_place;
	uint64_t flushed;
	uint64_t taken;

	struct wish notify;    /* the device's */
	struct wish interrupt; /* the driver's */
};

/* xorshift64* */
static unsigned draw(struct model *model, unsigned below)
{
	model->random ^= model->random >> 12;
	model->random ^= model->random << 25;
	model->random ^= model->random >> 27;
	return (unsigned)((model->random * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % below;
}

static void put(struct list *list, unsigned index, const struct buffer *buffer)
{
	quick_assert(list->count < DRIVER_RING_MAX && index <= list->count);
	memmove(&list->buffers[index + 1], &list->buffers[index],
		(list->count - index) * sizeof(*buffer));
	list->buffers[index] = *buffer;
	list->count++;
}

static struct buffer take(struct list *list, unsigned index)
{
	struct buffer buffer;

	quick_assert(index < list->count);
	buffer = list->buffers[index];
	list->count--;
	memmove(&list->buffers[index], &list->buffers[index + 1],
		(list->count - index) * sizeof(buffer));
	return buffer;
}

/* A wish against what was said when the place moved from @from to @to. */
static void check_wish(const struct model *model, const struct wish *wish, uint64_t from,
		       uint64_t to, bool said)
{
	if (from == to || wish->when == NEVER)
		quick_assert(!said);
	else if (wish->when == ALWAYS)
		quick_assert(said);
	else if (wish->place >= from)
		quick_assert(said == (wish->place < to));
	/* A place that was passed comes again in a packed ring after two rounds. */
	else if (!model->bench->ring.packed)
		quick_assert(!said);
}

static void step_kick(struct model *model)
{
	bool said = driver_ring_kick(&model->bench->ring);

	check_wish(model, &model->notify, model->kicked, model->added, said);
	model->kicked = model->added;
}

static void step_add(struct model *model)
{
	struct queue_bench *bench = model->bench;
	struct buffer buffer = {
		.token = ++model->token,
		.n_out = draw(model, PIECES_MAX + 1),
		.n_in = draw(model, PIECES_MAX + 1),
	};

	buffer.n_in += buffer.n_out + buffer.n_in == 0;
	bench->indirect = model->indirect && draw(model, 2);
	buffer.slots = bench->ring.packed && !bench->indirect ? buffer.n_out + buffer.n_in : 1;
	if (model->added + buffer.slots - model->kicked > bench->ring.size)
		step_kick(model);
	if (!queue_add(bench, buffer.n_out, buffer.n_in, buffer.token))
		return;
	put(&model->offered, model->offered.count, &buffer);
	model->added += buffer.slots;
}

static void step_pop(struct model *model)
{
	struct queue_bench *bench = model->bench;
	struct buffer buffer;

	quick_assert(virtqueue_empty(&bench->vq) == !model->offered.count);
	if (!model->offered.count) {
		quick_assert(virtqueue_pop(&bench->vq, &bench->chain) == 0);
		return;
	}
	queue_pop(bench);
	buffer = take(&model->offered, 0);
	buffer.chain = bench->chain;
	quick_assert(bench->ring.tokens[bench->chain.id] == buffer.token);
	quick_assert(bench->chain.out_count == buffer.n_out &&
		     bench->chain.in_count == buffer.n_in);
	quick_assert(bench->chain.out_size == 16 * buffer.n_out);
	quick_assert(bench->chain.in_size == 16 * buffer.n_in);
	quick_assert(bench->chain.slots == buffer.slots);
	put(&model->in_flight, model->in_flight.count, &buffer);
	model->popped += buffer.slots;
	model->last_popped = buffer.token;
}

static void step_unpop(struct model *model)
{
	unsigned last = model->in_flight.count - 1;
	struct buffer buffer;

	if (!model->in_flight.count || !model->last_popped ||
	    model->in_flight.buffers[last].token != model->last_popped)
		return;
	buffer = take(&model->in_flight, last);
	virtqueue_unpop(&model->bench->vq, &buffer.chain);
	put(&model->offered, 0, &buffer);
	model->popped -= buffer.slots;
	model->last_popped = 0;
}

static void step_push(struct model *model)
{
	struct buffer buffer;

	if (!model->in_flight.count)
		return;
	buffer = take(&model->in_flight, draw(model, model->in_flight.count));
	buffer.written = draw(model, 16 * buffer.n_in + 1);
	virtqueue_push(&model->bench->vq, &buffer.chain, buffer.written);
	put(&model->pushed, model->pushed.count, &buffer);
	model->used_place += buffer.slots;
}

static void step_flush(struct model *model)
{
	bool said = virtqueue_flush(&model->bench->vq);

	check_wish(model, &model->interrupt, model->flushed, model->used_place, said);
	model->flushed = model->used_place;
	while (model->pushed.count) {
		struct buffer buffer = take(&model->pushed, 0);

		put(&model->used, model->used.count, &buffer);
	}
}

/* What was pushed and not flushed is not seen. */
static void step_used(struct model *model)
{
	struct buffer buffer;

	if (!model->used.count) {
		queue_expect_none(model->bench);
		return;
	}
	buffer = take(&model->used, 0);
	queue_expect_used(model->bench, buffer.token, buffer.written);
	model->taken += buffer.slots;
}

static void step_notify(struct model *model)
{
	struct queue_bench *bench = model->bench;

	if (draw(model, 2)) {
		quick_assert(virtqueue_enable_notify(&bench->vq) == !!model->offered.count);
		model->notify.when = bench->ring.event_idx ? AT_PLACE : ALWAYS;
		model->notify.place = model->popped;
		return;
	}
	virtqueue_disable_notify(&bench->vq);
	/* A split ring with events is left behind where it was. */
	if (bench->ring.packed || !bench->ring.event_idx)
		model->notify.when = NEVER;
}

static void step_interrupts(struct model *model)
{
	struct driver_ring *ring = &model->bench->ring;
	uint16_t after = (uint16_t)draw(model, ring->size);

	if (!draw(model, 3)) {
		driver_ring_no_interrupts(ring);
		model->interrupt.when = NEVER;
		return;
	}
	quick_assert(driver_ring_interrupts(ring, after) == !!model->used.count);
	model->interrupt.when = ring->event_idx ? AT_PLACE : ALWAYS;
	model->interrupt.place = model->taken + after;
}

static void step_move(struct model *model)
{
	struct queue_bench *bench = model->bench;
	uint8_t *data;
	size_t size;

	if (draw(model, 4))
		return;
	quick_assert(state_save(&virtqueue_state, &bench->vq, &data, &size) == 0);
	memset(&bench->vq, 0, sizeof(bench->vq));
	bench->vq.max = QUEUE_MAX;
	quick_assert(state_load(&virtqueue_state, &bench->vq, data, size, NULL) == 0);
	quick_assert(!virtqueue_restore(&bench->vq, &bench->mem, bench->features));
	free(data);
}

static void step(struct model *model)
{
	static void (*const steps[])(struct model * model) = {
		step_add,  step_add,  step_add,    step_pop,   step_pop,  step_pop,
		step_push, step_push, step_push,   step_flush, step_used, step_used,
		step_used, step_kick, step_notify, step_unpop, step_move, step_interrupts,
	};

	steps[draw(model, ARRAY_SIZE(steps))](model);
}

static const uint16_t sizes[] = {1, 2, 4, 8, 64, 256, 3, 7, 13, 255};

START_TEST(test_model)
{
	int mode = _i % QUEUE_MODES;
	uint16_t size = sizes[_i / QUEUE_MODES];
	struct model *model;

	if (!(mode & QUEUE_PACKED) && !is_power_of_two(size))
		return;
	model = calloc(1, sizeof(*model));
	ck_assert_ptr_nonnull(model);
	model->bench = queue_bench_open(mode, size, QUEUE_RAM_SIZE * 4);
	model->random = (uint64_t)_i + 1;
	model->indirect = mode & QUEUE_INDIRECT;
	/* As rings of zeroes say. */
	model->notify.when = model->interrupt.when =
		(mode & QUEUE_EVENT_IDX) && !(mode & QUEUE_PACKED) ? AT_PLACE : ALWAYS;
	for (unsigned i = 0; i < STEPS; i++)
		step(model);
	queue_bench_close(model->bench);
	free(model);
}
END_TEST

const char unit_name[] = "virtqueue_model";
const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_model, QUEUE_MODES *ARRAY_SIZE(sizes)),
	{0},
};
