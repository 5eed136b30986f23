/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network driver that sends from where no memory is. Its device, whose queues
 * the host's vhost serves, asks for a reset (virtio 1.3, 2.1.2), and works again
 * after that. The first virtio device has to be one of --net tap.
 */
#include "runtime.h"

#define VIRTIO(reg) (UINT64_C(0x0a000000) + (reg))

/* Registers (virtio 1.3, 4.2.2), and bits of Status (2.1). */
enum {
	MagicValue = 0x00,
	DeviceID = 0x08,
	DriverFeatures = 0x20,
	DriverFeaturesSel = 0x24,
	QueueSel = 0x30,
	QueueNum = 0x38,
	QueueReady = 0x44,
	QueueNotify = 0x50,
	Status = 0x70,
	QueueDescLow = 0x80,
	QueueDriverLow = 0x90,
	QueueDeviceLow = 0xa0,

	ACKNOWLEDGE = 1,
	DRIVER = 2,
	DRIVER_OK = 4,
	FEATURES_OK = 8,
	DEVICE_NEEDS_RESET = 64,

	VERSION_1_HIGH = 1, /* bit 32 */
	ID_NET = 1,
	RECEIVE = 0,
	SEND = 1,
	SIZE = 4,
	FRAME = 12 + 60, /* with its header */
};

struct ring {
	struct {
		uint64_t addr;
		uint32_t len;
		uint16_t flags;
		uint16_t next;
	} desc[SIZE];
	struct {
		uint16_t flags;
		uint16_t idx;
		uint16_t ring[SIZE];
	} avail __attribute__((aligned(64)));
	struct {
		uint16_t flags;
		uint16_t idx;
		uint32_t ring[SIZE][2];
	} used __attribute__((aligned(64)));
} __attribute__((aligned(64)));

static struct ring rings[2];
static uint8_t frame[FRAME] __attribute__((aligned(64)));

/* We have no cache, the host does: what either has written is in memory after this. */
static void meet(const void *at, size_t size)
{
	barrier();
	for (size_t i = 0; i < size; i += 16)
		__asm__ volatile("dc civac, %0" : : "r"((uintptr_t)at + i) : "memory");
	barrier();
}

static void make_queue(unsigned index)
{
	struct ring *ring = &rings[index];

	memset(ring, 0, sizeof(*ring));
	meet(ring, sizeof(*ring));
	write32(VIRTIO(QueueSel), index);
	write32(VIRTIO(QueueNum), SIZE);
	write32(VIRTIO(QueueDescLow), (uint32_t)(uintptr_t)ring->desc);
	write32(VIRTIO(QueueDriverLow), (uint32_t)(uintptr_t)&ring->avail);
	write32(VIRTIO(QueueDeviceLow), (uint32_t)(uintptr_t)&ring->used);
	write32(VIRTIO(QueueReady), 1);
}

static void begin(void)
{
	write32(VIRTIO(Status), 0);
	check_equal("reset", read32(VIRTIO(Status)), 0);
	write32(VIRTIO(Status), ACKNOWLEDGE | DRIVER);
	write32(VIRTIO(DriverFeaturesSel), 1);
	write32(VIRTIO(DriverFeatures), VERSION_1_HIGH);
	write32(VIRTIO(Status), ACKNOWLEDGE | DRIVER | FEATURES_OK);
	make_queue(RECEIVE);
	make_queue(SEND);
	write32(VIRTIO(Status), ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
	check_equal("started", read32(VIRTIO(Status)),
		    ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}

static void send_from(uint64_t addr)
{
	struct ring *ring = &rings[SEND];

	ring->desc[0].addr = addr;
	ring->desc[0].len = FRAME;
	ring->avail.idx = 1;
	meet(ring, sizeof(*ring));
	write32(VIRTIO(QueueNotify), SEND);
}

static bool was_sent(void)
{
	meet(&rings[SEND].used, sizeof(rings[SEND].used));
	return read16((uintptr_t)&rings[SEND].used.idx) == 1;
}

void payload_main(void)
{
	check_equal("MagicValue", read32(VIRTIO(MagicValue)), 0x74726976);
	check_equal("DeviceID", read32(VIRTIO(DeviceID)), ID_NET);
	begin();
	send_from(0x1000);
	check("it_asks_for_a_reset", wait_for(read32(VIRTIO(Status)) & DEVICE_NEEDS_RESET, 10000));
	check("nothing_was_sent", !was_sent());
	begin();
	memset(frame + 12, 0xff, 6);
	meet(frame, sizeof(frame));
	send_from((uintptr_t)frame);
	check("a_frame_is_sent", wait_for(was_sent(), 10000));
	check_equal("it_goes_on", read32(VIRTIO(Status)),
		    ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
}
