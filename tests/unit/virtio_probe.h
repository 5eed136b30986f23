/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio device that does nothing but tell what was asked of it: for tests of
 * what all devices have in common. It has two queues, whose buffers it fills
 * with PROBE_BYTE, and a configuration of PROBE_CONFIG_SIZE bytes.
 */
#ifndef ARMLET_TESTS_VIRTIO_PROBE_H
#define ARMLET_TESTS_VIRTIO_PROBE_H

#include "virtio_bench.h"

#define PROBE_ID          42
#define PROBE_BYTE        0x5a
#define PROBE_CONFIG_SIZE 18 /* not whole words */
#define PROBE_WRITABLE    8  /* offset of the 4 bytes that the driver may write */
#define PROBE_F_LEFT      5  /* features that contradict each other */
#define PROBE_F_RIGHT     33
#define PROBE_QUEUES      2

/* The status, as a driver sets it step by step. */
#define DRIVER      (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER)
#define FEATURES_OK (DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)
#define DRIVER_OK   (FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)
#define BROKEN      VIRTIO_CONFIG_S_NEEDS_RESET
#define LEFT_ONLY   (~BIT(PROBE_F_RIGHT))

struct probe {
	struct virtio_device virtio;
	uint8_t config[PROBE_CONFIG_SIZE];
	bool refuse_start;
	unsigned starts;
	unsigned stops;
	unsigned resets;
	unsigned notified[PROBE_QUEUES];
	unsigned config_writes;
};

static inline struct probe *to_probe(struct virtio_bench *bench)
{
	return container_of(bench->virtio, struct probe, virtio);
}

extern const struct virtio_kind probe_kind;

/* A bench with a probe; or with one that a driver has brought up. */
struct virtio_bench *probe_open(void);
struct virtio_bench *probe_open_driven(void);

/* The probe waits for a reset, with the driver's @status; it gets it and works. Closes the bench.
 */
void probe_expect_broken(struct virtio_bench *bench, uint32_t status);

#endif
