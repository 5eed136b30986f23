/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Testing a device model: a bench that holds one device with everything it may
 * be wired to, tables of steps and of registers, and the properties that every
 * model must have whatever a guest does to it.
 *
 *	static const struct device_step steps[] = {
 *		W(UARTDR, 4, 'a'),
 *		R(UARTFR, 4, UARTFR_TXFE | UARTFR_RXFE),
 *		IRQ(1),
 *	};
 *	device_run(bench, steps, ARRAY_SIZE(steps));
 */
#ifndef ARMLET_TESTS_DEVICE_TABLE_H
#define ARMLET_TESTS_DEVICE_TABLE_H

#include "core/clock.h"
#include "core/device.h"
#include "core/irq_line.h"
#include "core/mmio.h"
#include "core/mmio_shadow.h"

struct device_bench;

enum device_access { REG_RW, REG_RO, REG_WO };

/* A register of up to 32 bits. What is not in a device's table is reserved. */
struct device_register {
	uint32_t offset;
	enum device_access access;
	uint32_t reset;
	uint32_t mask; /* bits that keep what is written; of REG_RW */
};

struct device_kind {
	size_t bench_size; /* of the structure that begins with struct device_bench */
	uint64_t size;     /* of the region */
	const struct mmio_ops *ops;
	const struct device_register *registers;
	size_t register_count;
	uint32_t post_offset; /* the register whose writes may be posted */
	uint32_t drop_offset; /* the register whose writes may be dropped */
	bool shadowed;

	int (*create)(struct device_bench *bench, struct device **ret);
	/* Optional: something random from outside, or that random accesses seldom do. */
	void (*disturb)(struct device_bench *bench);
	/* Optional: undo what a reset leaves alone. */
	void (*calm)(struct device_bench *bench);
};

struct device_bench {
	const struct device_kind *kind;
	struct device *device;
	struct mmio_bus *bus;
	const struct mmio_region *last;
	struct clock clock;
	struct mmio_shadow *shadow;
	struct irq_line irq; /* to be given to the device; ends in @irq_level */
	bool irq_level;
	unsigned shows; /* how often the shadow was mapped */
	uint64_t random;
};

struct device_bench *device_bench_open(const struct device_kind *kind);
void device_bench_close(struct device_bench *bench);

uint64_t device_read(struct device_bench *bench, uint64_t offset, unsigned size);
void device_write(struct device_bench *bench, uint64_t offset, unsigned size, uint64_t value);

/* Pseudo-random numbers of the bench's own; below @limit. */
uint32_t device_random(struct device_bench *bench, uint32_t limit);

enum device_step_kind {
	STEP_READ,
	STEP_WRITE,
	STEP_IRQ,
	STEP_SHOWN,
	STEP_POSTING,
	STEP_DROPPING,
	STEP_WAIT,
	STEP_DO,
};

struct device_step {
	enum device_step_kind kind;
	uint64_t at;
	unsigned size;
	uint64_t value;
	void (*act)(struct device_bench *bench, const char *text);
	const char *text;
};

/* Read: must give this value. */
#define R(offset, bytes, expected)                                                      \
	{                                                                               \
		.kind = STEP_READ, .at = (offset), .size = (bytes), .value = (expected) \
	}
#define W(offset, bytes, written)                                                       \
	{                                                                               \
		.kind = STEP_WRITE, .at = (offset), .size = (bytes), .value = (written) \
	}
/* The interrupt, the shadow, posting, dropping: must be so. */
#define IRQ(level)                              \
	{                                       \
		.kind = STEP_IRQ, .at = (level) \
	}
#define SHOWN(on)                              \
	{                                      \
		.kind = STEP_SHOWN, .at = (on) \
	}
#define POSTING(on)                              \
	{                                        \
		.kind = STEP_POSTING, .at = (on) \
	}
#define DROPPING(on)                              \
	{                                         \
		.kind = STEP_DROPPING, .at = (on) \
	}
/* Let time pass. */
#define WAIT_MS(ms)                                     \
	{                                               \
		.kind = STEP_WAIT, .at = (uint64_t)(ms) \
	}
/* Call a function under the device's lock. */
#define DO(function, argument)                                         \
	{                                                              \
		.kind = STEP_DO, .act = (function), .text = (argument) \
	}

void device_run(struct device_bench *bench, const struct device_step *steps, size_t count);

/* Every register: reset value, masks, sizes, alignment; every reserved word. */
void device_check_registers(const struct device_kind *kind);

/*
 * @rounds random steps from @seed, and after each: a shadow that is shown
 * equals what reads give, and these change nothing; a write that may be posted
 * or dropped changes nothing.
 */
void device_check_random(const struct device_kind *kind, uint64_t seed, unsigned rounds);

/* After random steps: save, load, save gives the same bytes; reset gives a fresh device. */
void device_check_save_and_reset(const struct device_kind *kind, uint64_t seed);

/* Saved bytes cut and changed everywhere never crash anything. */
void device_check_hostile_state(const struct device_kind *kind, uint64_t seed);

/* The state of a fresh device with @value in @field (of its first element) is refused. */
void device_check_refused(const struct device_kind *kind, const char *field, uint32_t value);

/* The device's node: its path and identification, its registers and its interrupt. */
void device_check_node(const struct device_kind *kind, const char *path, uint32_t periphid);

#endif
