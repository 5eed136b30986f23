/* SPDX-License-Identifier: Apache-2.0 */
#include "device_table.h"

#include <check.h>
#include <libfdt.h>
#include <string.h>

#include "base/log.h"
#include "core/fdt_builder.h"

#define BENCH_BASE  UINT64_C(0x09000000)
#define BENCH_START (INT64_C(1700000000) * NS_PER_S + 123456789)
#define NS_PER_MS   INT64_C(1000000)

/* ck_assert() tells the parent process of each check; this is for those made by the million. */
static void expect(bool good, const char *what, uint64_t offset)
{
	if (!good)
		ck_abort_msg("%s (0x%llx)", what, (unsigned long long)offset);
}

static int fake_map(void *hyp, gpa_t base, void *page, size_t size)
{
	struct device_bench *bench = hyp;

	expect(base == BENCH_BASE && page && size == (size_t)sysconf(_SC_PAGESIZE), "map", base);
	bench->shows++;
	return 0;
}

static int fake_unmap(void *hyp, gpa_t base, size_t size)
{
	(void)hyp;
	(void)base;
	(void)size;
	return 0;
}

static int fake_post(void *hyp, gpa_t addr, uint32_t size, bool on)
{
	struct device_bench *bench = hyp;

	(void)on;
	expect(addr == BENCH_BASE + bench->kind->post_offset && size == 4, "posted range", addr);
	return 0;
}

static int fake_drop(void *hyp, gpa_t addr, uint32_t size, uint64_t value, bool on)
{
	struct device_bench *bench = hyp;

	(void)value;
	(void)on;
	expect(addr == BENCH_BASE + bench->kind->drop_offset && (size == 2 || size == 4),
	       "dropped range", addr);
	return 0;
}

static const struct mmio_shadow_ops fake_shadow_ops = {
	.map = fake_map,
	.unmap = fake_unmap,
	.post = fake_post,
	.drop = fake_drop,
};

static void fake_irq(void *controller, uint32_t intid, bool level)
{
	struct device_bench *bench = controller;

	expect(intid == 33 && bench->irq_level != level, "interrupt", intid);
	bench->irq_level = level;
}

struct device_bench *device_bench_open(const struct device_kind *kind)
{
	struct device_bench *bench = calloc(1, kind->bench_size);
	struct mmio_region region = {.base = BENCH_BASE, .size = kind->size, .ops = kind->ops};

	ck_assert_ptr_nonnull(bench);
	log_set_level(LOG_LEVEL_ERROR); /* odd accesses are what we do here */
	bench->kind = kind;
	bench->random = 1;
	bench->irq = (struct irq_line){.set = fake_irq, .controller = bench, .intid = 33};
	clock_init_manual(&bench->clock, BENCH_START);
	if (kind->shadowed)
		ck_assert_int_eq(
			mmio_shadow_create(BENCH_BASE, &fake_shadow_ops, bench, &bench->shadow), 0);
	ck_assert_int_eq(kind->create(bench, &bench->device), 0);
	region.device = bench->device;
	ck_assert_int_eq(mmio_bus_create(&bench->bus), 0);
	ck_assert_int_eq(mmio_bus_add(bench->bus, &region), 0);
	mmio_bus_seal(bench->bus);
	return bench;
}

void device_bench_close(struct device_bench *bench)
{
	device_destroy(bench->device);
	ck_assert_ptr_null(bench->clock.alarms);
	if (bench->shadow)
		ck_assert(!mmio_shadow_shown(bench->shadow));
	mmio_shadow_destroy(bench->shadow);
	mmio_bus_destroy(bench->bus);
	free(bench);
}

static uint64_t access_bus(struct device_bench *bench, uint64_t offset, unsigned size,
			   bool is_write, uint64_t value)
{
	struct mmio_access access = {
		.addr = BENCH_BASE + offset,
		.size = size,
		.is_write = is_write,
		.value = value,
	};

	expect(mmio_bus_access(bench->bus, &access, &bench->last) == MMIO_HANDLED, "bus", offset);
	return access.value;
}

uint64_t device_read(struct device_bench *bench, uint64_t offset, unsigned size)
{
	return access_bus(bench, offset, size, false, 0);
}

void device_write(struct device_bench *bench, uint64_t offset, unsigned size, uint64_t value)
{
	access_bus(bench, offset, size, true, value);
}

/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators"). */
uint32_t device_random(struct device_bench *bench, uint32_t limit)
{
	uint64_t x = bench->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	bench->random = x;
	return (uint32_t)((x * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static void run_step(struct device_bench *bench, const struct device_step *step, size_t index)
{
	switch (step->kind) {
	case STEP_READ: {
		uint64_t value = device_read(bench, step->at, step->size);

		ck_assert_msg(value == step->value,
			      "step %zu: %u bytes at 0x%llx are 0x%llx, not 0x%llx", index,
			      step->size, (unsigned long long)step->at, (unsigned long long)value,
			      (unsigned long long)step->value);
		break;
	}
	case STEP_WRITE:
		device_write(bench, step->at, step->size, step->value);
		break;
	case STEP_IRQ:
		ck_assert_msg(bench->irq_level == step->at, "step %zu: interrupt", index);
		break;
	case STEP_SHOWN:
		ck_assert_msg(mmio_shadow_shown(bench->shadow) == step->at, "step %zu: shown",
			      index);
		break;
	case STEP_POSTING:
		ck_assert_msg(mmio_shadow_posting(bench->shadow) == step->at, "step %zu: posting",
			      index);
		break;
	case STEP_DROPPING:
		ck_assert_msg(mmio_shadow_dropping(bench->shadow, NULL) == step->at,
			      "step %zu: dropping", index);
		break;
	case STEP_WAIT:
		clock_advance(&bench->clock, (int64_t)step->at * NS_PER_MS);
		break;
	case STEP_DO:
		device_lock(bench->device);
		step->act(bench, step->text);
		device_unlock(bench->device);
		break;
	}
}

void device_run(struct device_bench *bench, const struct device_step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		run_step(bench, &steps[i], i);
}

/* Saved state, to be freed. */
struct bytes {
	uint8_t *data;
	size_t size;
};

static struct bytes save(const struct device_bench *bench)
{
	const struct device *device = bench->device;
	struct bytes bytes;

	expect(state_save(device->ops->state, device, &bytes.data, &bytes.size) == 0, "save", 0);
	return bytes;
}

static int load(struct device_bench *bench, const uint8_t *data, size_t size)
{
	struct device *device = bench->device;
	struct error err = {0};
	int r;

	device_lock(device);
	r = state_load(device->ops->state, device, data, size, &err);
	if (r == 0 && device->ops->loaded)
		r = device->ops->loaded(device, &err);
	device_unlock(device);
	expect(r == -err.code && (r == 0 || err.text[0]), "load", 0);
	return r;
}

static void assert_same(struct bytes a, struct bytes b, const char *what, uint64_t offset)
{
	expect(a.size == b.size && !memcmp(a.data, b.data, a.size), what, offset);
	free(a.data);
	free(b.data);
}

static const struct device_register *find_register(const struct device_kind *kind, uint32_t offset)
{
	for (size_t i = 0; i < kind->register_count; i++) {
		if (kind->registers[i].offset == offset)
			return &kind->registers[i];
	}
	return NULL;
}

static uint32_t reset_value(const struct device_kind *kind, uint32_t offset)
{
	const struct device_register *reg = find_register(kind, offset);

	return reg ? reg->reset : 0;
}

/* All sizes and places of reading the word at @offset of a fresh device. */
static void check_reads(const struct device_kind *kind, uint32_t offset)
{
	struct device_bench *bench = device_bench_open(kind);
	uint32_t value = reset_value(kind, offset);
	struct bytes before = save(bench);

	ck_assert_uint_eq(device_read(bench, offset, 4), value);
	for (unsigned lane = 0; lane < 4; lane++)
		ck_assert_uint_eq(device_read(bench, offset + lane, 1), value >> 8 * lane & 0xff);
	for (unsigned lane = 0; lane < 4; lane += 2)
		ck_assert_uint_eq(device_read(bench, offset + lane, 2), value >> 8 * lane & 0xffff);
	if (offset % 8 == 0)
		ck_assert_uint_eq(device_read(bench, offset, 8),
				  value | (uint64_t)reset_value(kind, offset + 4) << 32);
	ck_assert_uint_eq(device_read(bench, offset + 1, 2), 0);
	if (offset + 8 < kind->size)
		ck_assert_uint_eq(device_read(bench, offset + 1, 4), 0);
	assert_same(before, save(bench), "a read changed the state", offset);
	device_bench_close(bench);
}

static void check_write(const struct device_kind *kind, const struct device_register *reg,
			unsigned size)
{
	struct device_bench *bench = device_bench_open(kind);
	uint64_t ones = BIT(8 * size) - 1;

	device_write(bench, reg->offset, size, ones);
	if (reg->access == REG_RW)
		ck_assert_msg(device_read(bench, reg->offset, 4) == (reg->mask & ones),
			      "register 0x%x written with %u bytes", reg->offset, size);
	else
		ck_assert_uint_eq(device_read(bench, reg->offset, 4), reg->reset);
	if (reg->access == REG_RW) {
		device_write(bench, reg->offset, size, 0);
		ck_assert_uint_eq(device_read(bench, reg->offset, 4), 0);
	}
	device_bench_close(bench);
}

/* Writes that do nothing. */
static void check_ignored_write(const struct device_kind *kind, uint64_t offset, unsigned size)
{
	struct device_bench *bench;
	struct bytes before;

	if (offset + size > kind->size)
		return;
	bench = device_bench_open(kind);
	before = save(bench);
	device_write(bench, offset, size, UINT64_MAX);
	assert_same(before, save(bench), "a write changed the state", offset);
	device_bench_close(bench);
}

void device_check_registers(const struct device_kind *kind)
{
	for (uint32_t offset = 0; offset < kind->size; offset += 4) {
		const struct device_register *reg = find_register(kind, offset);

		check_reads(kind, offset);
		for (unsigned size = 1; reg && size <= 4; size *= 2)
			check_write(kind, reg, size);
		if (!reg || reg->access == REG_RO)
			check_ignored_write(kind, offset, 4);
		check_ignored_write(kind, offset, 8);
		for (unsigned lane = 1; lane < 4; lane++) {
			check_ignored_write(kind, offset + lane, 1);
			check_ignored_write(kind, offset + lane, 2);
			check_ignored_write(kind, offset + lane, 4);
		}
	}
}

static uint32_t random_value(struct device_bench *bench)
{
	uint32_t bits = device_random(bench, 1U << 31) * 2 + device_random(bench, 2);

	switch (device_random(bench, 4)) {
	case 0:
		return bits;
	case 1:
		return 1U << bits % 32;
	case 2:
		return bits & 0xff;
	default:
		return bits & (bits >> 16) & 0x7fff;
	}
}

static uint32_t random_offset(struct device_bench *bench, unsigned size)
{
	const struct device_kind *kind = bench->kind;
	uint32_t room = (uint32_t)kind->size - size + 1;

	if (device_random(bench, 16) == 0)
		return device_random(bench, room);
	return kind->registers[device_random(bench, (uint32_t)kind->register_count)].offset % room;
}

static void random_step(struct device_bench *bench)
{
	static const uint8_t sizes[] = {4, 4, 4, 4, 2, 2, 1, 8};
	unsigned size = sizes[device_random(bench, ARRAY_SIZE(sizes))];
	uint32_t offset = random_offset(bench, size);

	if (bench->kind->disturb && device_random(bench, 4) == 0)
		bench->kind->disturb(bench);
	else if (device_random(bench, 3) == 0)
		device_read(bench, offset, size);
	else
		device_write(bench, offset, size, random_value(bench));
}

static void check_shadow(struct device_bench *bench)
{
	struct bytes before;

	if (!bench->shadow || !mmio_shadow_shown(bench->shadow))
		return;
	before = save(bench);
	for (uint32_t offset = 0; offset < bench->kind->size; offset += 4) {
		uint32_t value = (uint32_t)device_read(bench, offset, 4);

		expect(mmio_shadow_get(bench->shadow, offset) == value, "shadow", offset);
	}
	assert_same(before, save(bench), "reading what is shadowed changed the state", 0);
}

/* Write to @twin, brought to the same state as @bench: nothing may change. */
static void check_no_change(struct device_bench *bench, struct device_bench *twin, uint32_t offset,
			    unsigned size, uint32_t value)
{
	struct bytes before = save(bench);

	expect(load(twin, before.data, before.size) == 0, "load", 0);
	expect(twin->irq_level == bench->irq_level, "interrupt after load", 0);
	device_write(twin, offset, size, value);
	expect(twin->irq_level == bench->irq_level, "interrupt of a write without exit", offset);
	assert_same(before, save(twin), "a write without exit changed the state", offset);
}

static void check_writes_without_exit(struct device_bench *bench, struct device_bench *twin)
{
	uint32_t value;

	if (!bench->shadow)
		return;
	if (mmio_shadow_posting(bench->shadow))
		check_no_change(bench, twin, bench->kind->post_offset, 4, random_value(bench));
	if (mmio_shadow_dropping(bench->shadow, &value)) {
		check_no_change(bench, twin, bench->kind->drop_offset, 4, value);
		check_no_change(bench, twin, bench->kind->drop_offset, 2, value);
	}
}

void device_check_random(const struct device_kind *kind, uint64_t seed, unsigned rounds)
{
	struct device_bench *bench = device_bench_open(kind);
	struct device_bench *twin = device_bench_open(kind);

	bench->random = seed;
	for (unsigned i = 0; i < rounds; i++) {
		random_step(bench);
		check_shadow(bench);
		check_writes_without_exit(bench, twin);
	}
	device_bench_close(twin);
	device_bench_close(bench);
}

static struct device_bench *open_used(const struct device_kind *kind, uint64_t seed)
{
	struct device_bench *bench = device_bench_open(kind);

	bench->random = seed;
	for (unsigned i = 0; i < 100; i++)
		random_step(bench);
	return bench;
}

/* Both devices read alike; from above, since what is read at 0 may change things. */
static void check_alike(struct device_bench *a, struct device_bench *b)
{
	for (uint32_t offset = (uint32_t)a->kind->size; offset > 0; offset -= 4)
		expect(device_read(a, offset - 4, 4) == device_read(b, offset - 4, 4),
		       "a loaded device reads otherwise", offset - 4);
}

void device_check_save_and_reset(const struct device_kind *kind, uint64_t seed)
{
	struct device_bench *used = open_used(kind, seed);
	struct device_bench *fresh = device_bench_open(kind);
	struct device_bench *twin = device_bench_open(kind);
	struct bytes saved;

	device_read(used, 0, 4); /* so that it knows how late it is */
	saved = save(used);
	clock_advance(&twin->clock, used->clock.manual_now - twin->clock.manual_now);
	ck_assert_int_eq(load(twin, saved.data, saved.size), 0);
	ck_assert(twin->irq_level == used->irq_level);
	check_shadow(twin);
	assert_same(saved, save(twin), "saving", 0);
	check_alike(used, twin);

	if (kind->calm)
		kind->calm(used);
	device_lock(used->device);
	used->device->ops->reset(used->device);
	device_unlock(used->device);
	clock_advance(&fresh->clock, used->clock.manual_now - fresh->clock.manual_now);
	device_read(fresh, 0, 4);
	ck_assert(!used->irq_level);
	check_shadow(used);
	if (used->shadow)
		ck_assert(mmio_shadow_shown(used->shadow) && !mmio_shadow_posting(used->shadow) &&
			  !mmio_shadow_dropping(used->shadow, NULL));
	assert_same(save(fresh), save(used), "reset", 0);
	device_bench_close(twin);
	device_bench_close(fresh);
	device_bench_close(used);
}

/* Whatever was loaded: the device must bear it. */
static void bear(struct device_bench *bench)
{
	check_shadow(bench);
	for (unsigned i = 0; i < 40; i++)
		random_step(bench);
	check_shadow(bench);
}

void device_check_hostile_state(const struct device_kind *kind, uint64_t seed)
{
	static const uint8_t flips[] = {0xff, 0x01, 0x80, 0x20};
	struct device_bench *used = open_used(kind, seed);
	struct bytes saved = save(used);
	struct device_bench *victim = device_bench_open(kind);

	for (size_t size = 0; size < saved.size; size++) {
		struct bytes before = save(victim);

		ck_assert_int_eq(load(victim, saved.data, size), -EINVAL);
		assert_same(before, save(victim), "refused state", size);
	}
	device_bench_close(victim);
	for (size_t at = 0; at < saved.size * ARRAY_SIZE(flips); at++) {
		uint8_t flip = flips[at % ARRAY_SIZE(flips)];

		victim = device_bench_open(kind);
		saved.data[at / ARRAY_SIZE(flips)] ^= flip;
		if (load(victim, saved.data, saved.size) == 0)
			bear(victim);
		saved.data[at / ARRAY_SIZE(flips)] ^= flip;
		device_bench_close(victim);
	}
	free(saved.data);
	device_bench_close(used);
}

void device_check_refused(const struct device_kind *kind, const char *field, uint32_t value)
{
	struct device_bench *bench = device_bench_open(kind);
	struct bytes saved = save(bench);
	size_t length = strlen(field);
	char name[256] = {(char)length}; /* as it is saved, with its length in front */
	uint8_t *at;

	memcpy(name + 1, field, length);
	at = memmem(saved.data, saved.size, name, 1 + length);
	ck_assert_ptr_nonnull(at);
	at += 1 + length; /* at the type, then the number of elements, then the first */
	for (size_t i = 0; i < STATE_TYPE_SIZE(at[0]); i++)
		at[5 + i] = (uint8_t)(i < sizeof(value) ? value >> 8 * i : 0);
	ck_assert_msg(load(bench, saved.data, saved.size) == -EINVAL, "%s = 0x%x", field, value);
	free(saved.data);
	device_bench_close(bench);
}

static uint32_t cell(const void *tree, int node, const char *name, int index)
{
	int length = 0;
	const fdt32_t *cells = fdt_getprop(tree, node, name, &length);

	ck_assert_msg(cells && length > 4 * index, "no %s", name);
	return fdt32_to_cpu(cells[index]);
}

void device_check_node(const struct device_kind *kind, const char *path, uint32_t periphid)
{
	const struct device_slot slot = {.base = BENCH_BASE, .size = kind->size, .intid = 33};
	struct device_bench *bench = device_bench_open(kind);
	struct fdt_builder *fdt;
	void *tree;
	size_t size;
	int node;

	ck_assert_int_eq(fdt_builder_create(&fdt), 0);
	fdt_begin(fdt, "%s", "");
	bench->device->ops->describe(bench->device, &slot, fdt);
	fdt_end(fdt);
	ck_assert_int_eq(fdt_builder_finish(fdt, &tree, &size, NULL), 0);
	node = fdt_path_offset(tree, path);
	ck_assert_int_ge(node, 0);
	ck_assert_int_eq(fdt_node_check_compatible(tree, node, "arm,primecell"), 0);
	ck_assert_uint_eq(cell(tree, node, "arm,primecell-periphid", 0), periphid);
	ck_assert_uint_eq(cell(tree, node, "reg", 1), BENCH_BASE);
	ck_assert_uint_eq(cell(tree, node, "reg", 3), kind->size);
	ck_assert_uint_eq(cell(tree, node, "interrupts", 0), FDT_GIC_SPI);
	ck_assert_uint_eq(cell(tree, node, "interrupts", 1), 33 - 32);
	ck_assert_uint_eq(cell(tree, node, "interrupts", 2), FDT_IRQ_LEVEL_HIGH);
	ck_assert_uint_eq(cell(tree, node, "clocks", 0), FDT_PHANDLE_APB_PCLK);
	free(tree);
	fdt_builder_destroy(fdt);
	device_bench_close(bench);
}
