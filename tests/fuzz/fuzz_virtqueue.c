/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any memory as rings, and any sequence of a device's calls on it. Whatever the
 * driver wrote, buffers lie in RAM, are as large as they say, and those in
 * flight take no more slots than the queue has.
 *
 * The input: u8 features, u16 size, three u16 offsets of the areas in RAM, u8
 * length of the steps, the steps (each a byte, and what it needs); what is left
 * is the RAM, from its start.
 */
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <string.h>

#include "base/cursor.h"
#include "fuzz.h"
#include "virtio/virtqueue.h"

#define RAM_BASE  UINT64_C(0x40000000)
#define RAM_SIZE  (16 * KIB)
#define QUEUE_MAX 64
#define PIECES    16

enum feature { PACKED = 1, INDIRECT = 2, EVENT_IDX = 4 };

struct flight {
	struct iovec iov[PIECES];
	struct virtq_chain chain;
};

struct fuzz {
	struct guest_mem mem;
	struct virtqueue vq;
	uint64_t features;
	struct cursor steps;
	struct flight flights[QUEUE_MAX + 1];
	unsigned count; /* of them, in the order of their popping, without gaps */
	bool can_unpop; /* the last one */
};

static void check_pieces(const struct fuzz *fuzz, const struct iovec *iov, unsigned count,
			 uint32_t size)
{
	const uint8_t *ram = fuzz->mem.host;

	FUZZ_ASSERT(iov_size(iov, count) == size);
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *at = iov[i].iov_base;

		FUZZ_ASSERT(iov[i].iov_len && iov[i].iov_len <= RAM_SIZE);
		FUZZ_ASSERT(at >= ram && at <= ram + RAM_SIZE - iov[i].iov_len);
	}
}

static void check_flights(const struct fuzz *fuzz)
{
	uint32_t slots = 0;

	for (unsigned i = 0; i < fuzz->count; i++)
		slots += fuzz->flights[i].chain.slots;
	FUZZ_ASSERT(slots <= fuzz->vq.size);
}

static void step_pop(struct fuzz *fuzz, unsigned arg)
{
	const char *fault = fuzz->vq.fault;
	bool empty = virtqueue_empty(&fuzz->vq);
	struct flight *flight = &fuzz->flights[fuzz->count];
	struct virtq_chain *chain = &flight->chain;
	int r;

	*chain = (struct virtq_chain){.iov = flight->iov, .iov_max = arg ? PIECES : 1};
	r = virtqueue_pop(&fuzz->vq, chain);
	FUZZ_ASSERT(r == 1 || r == 0 || r == -EPROTO);
	FUZZ_ASSERT((r < 0) == !!fuzz->vq.fault);
	FUZZ_ASSERT(!fault || fault == fuzz->vq.fault);
	FUZZ_ASSERT(fault || empty == (r == 0));
	if (r <= 0)
		return;
	FUZZ_ASSERT(chain->slots && chain->out_count + chain->in_count <= chain->iov_max);
	check_pieces(fuzz, chain->iov, chain->out_count, chain->out_size);
	check_pieces(fuzz, chain->iov + chain->out_count, chain->in_count, chain->in_size);
	iov_clear(chain->iov + chain->out_count, chain->in_count, 0, arg);
	fuzz->count++;
	fuzz->can_unpop = true;
	check_flights(fuzz);
}

static void step_push(struct fuzz *fuzz, unsigned arg)
{
	unsigned index;

	if (!fuzz->count)
		return;
	index = arg % fuzz->count;
	virtqueue_push(&fuzz->vq, &fuzz->flights[index].chain, arg);
	fuzz->count--;
	if (index == fuzz->count)
		fuzz->can_unpop = false;
	memmove(&fuzz->flights[index], &fuzz->flights[index + 1],
		(fuzz->count - index) * sizeof(fuzz->flights[0]));
}

static void step_unpop(struct fuzz *fuzz)
{
	if (!fuzz->count || !fuzz->can_unpop)
		return;
	virtqueue_unpop(&fuzz->vq, &fuzz->flights[--fuzz->count].chain);
	fuzz->can_unpop = false;
}

/* The driver writes somewhere. */
static void step_write(struct fuzz *fuzz)
{
	uint16_t offset = cursor_u16(&fuzz->steps);
	uint16_t value = cursor_u16(&fuzz->steps);

	if (cursor_ok(&fuzz->steps))
		guest_mem_write(&fuzz->mem, RAM_BASE + offset, &value, sizeof(value));
}

/* To another queue; what was in flight comes with it. */
static void step_move(struct fuzz *fuzz)
{
	struct virtqueue copy = {.max = QUEUE_MAX};
	uint8_t *data;
	size_t size;

	FUZZ_ASSERT(state_save(&virtqueue_state, &fuzz->vq, &data, &size) == 0);
	FUZZ_ASSERT(state_load(&virtqueue_state, &copy, data, size, NULL) == 0);
	FUZZ_ASSERT(!virtqueue_restore(&copy, &fuzz->mem, fuzz->features));
	copy.fault = fuzz->vq.fault;
	FUZZ_ASSERT(!memcmp(&copy, &fuzz->vq, sizeof(copy)));
	fuzz->vq = copy;
	free(data);
}

/* From a state that somebody made up. */
static void step_restore(struct fuzz *fuzz)
{
	fuzz->vq.avail = cursor_u16(&fuzz->steps);
	fuzz->vq.used = cursor_u16(&fuzz->steps);
	fuzz->vq.signaled = cursor_u16(&fuzz->steps);
	fuzz->vq.avail_wrap = cursor_u8(&fuzz->steps) & 1;
	fuzz->vq.used_wrap = cursor_u8(&fuzz->steps) & 1;
	fuzz->vq.signaled_wrap = cursor_u8(&fuzz->steps) & 1;
	FUZZ_ASSERT(!virtqueue_restore(&fuzz->vq, &fuzz->mem, fuzz->features) || !fuzz->vq.ready);
	fuzz->count = 0;
	fuzz->can_unpop = false;
}

static void step_enable(struct fuzz *fuzz)
{
	FUZZ_ASSERT(!virtqueue_enable(&fuzz->vq, &fuzz->mem, fuzz->features) == fuzz->vq.ready);
	fuzz->count = 0;
	fuzz->can_unpop = false;
}

static void step(struct fuzz *fuzz, uint8_t what)
{
	unsigned arg = what >> 4;

	switch (what & 15) {
	case 0:
	case 1:
		step_pop(fuzz, arg);
		break;
	case 2:
	case 3:
		step_push(fuzz, arg);
		break;
	case 4:
		virtqueue_flush(&fuzz->vq);
		FUZZ_ASSERT(!virtqueue_flush(&fuzz->vq));
		break;
	case 5:
		FUZZ_ASSERT(virtqueue_enable_notify(&fuzz->vq) == !virtqueue_empty(&fuzz->vq));
		break;
	case 6:
		virtqueue_disable_notify(&fuzz->vq);
		break;
	case 7:
		step_unpop(fuzz);
		break;
	case 8:
		step_write(fuzz);
		break;
	case 9:
		step_move(fuzz);
		break;
	case 10:
		step_restore(fuzz);
		break;
	case 11:
		step_enable(fuzz);
		break;
	default: /* until it is empty, all served at once */
		while (fuzz->count < QUEUE_MAX && !virtqueue_empty(&fuzz->vq))
			step_pop(fuzz, arg);
		while (fuzz->count)
			step_push(fuzz, arg);
		break;
	}
}

static void set_up(struct fuzz *fuzz, struct cursor *input)
{
	uint8_t bits = cursor_u8(input);
	uint8_t length;

	fuzz->features = (bits & PACKED ? BIT(VIRTIO_F_RING_PACKED) : 0) |
			 (bits & INDIRECT ? BIT(VIRTIO_RING_F_INDIRECT_DESC) : 0) |
			 (bits & EVENT_IDX ? BIT(VIRTIO_RING_F_EVENT_IDX) : 0);
	fuzz->vq.max = QUEUE_MAX;
	fuzz->vq.size = cursor_u16(input);
	fuzz->vq.desc = RAM_BASE + cursor_u16(input);
	fuzz->vq.driver = RAM_BASE + cursor_u16(input);
	fuzz->vq.device = RAM_BASE + cursor_u16(input);
	length = cursor_u8(input);
	fuzz->steps = cursor_init(cursor_take(input, length), length);
	/* To the byte, so that the sanitizer sees its end. */
	fuzz->mem = (struct guest_mem){
		.base = RAM_BASE, .size = RAM_SIZE, .host = aligned_alloc(4 * KIB, RAM_SIZE)};
	FUZZ_ASSERT(fuzz->mem.host);
	memset(fuzz->mem.host, 0, RAM_SIZE);
	if (cursor_ok(input) && input->left)
		memcpy(fuzz->mem.host, input->at, min_u64(input->left, RAM_SIZE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor input = cursor_init(data, size);
	struct fuzz *fuzz = calloc(1, sizeof(*fuzz));

	FUZZ_ASSERT(fuzz);
	set_up(fuzz, &input);
	step_enable(fuzz);
	while (cursor_ok(&input) && cursor_ok(&fuzz->steps) && fuzz->steps.left)
		step(fuzz, cursor_u8(&fuzz->steps));
	free(fuzz->mem.host);
	free(fuzz);
	return 0;
}
