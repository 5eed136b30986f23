/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Lines and interrupts
 *
 * A line is an input that the board drives, or (its bit in GPIODIR set) an
 * output that nothing is wired to. GPIODATA reads the level of an input and
 * the register's own bit of an output; a write changes only bits of outputs
 * that the address lets through (DDI 0190B, 3.3.1).
 *
 * Inputs interrupt, in one of two ways (3.3.3 to 3.3.5): on the edges that
 * GPIOIBE and GPIOIEV choose, remembered until GPIOIC clears them; or, with
 * their bit in GPIOIS set, for as long as the level is the one in GPIOIEV.
 *
 * GPIOAFSEL hands a line to a peripheral of the chip. Ours has none that could
 * take it, so the register keeps its bits and the lines stay with software.
 *
 * A reset does not change what the board drives into the inputs.
 *
 * No read has a side effect, so the register shadow is always shown.
 */
#include "devices/pl061.h"

#include <assert.h>

#include "primecell.h"

#define DATA_END   (GPIODATA + 0x400)
#define KEY_POWER  116 /* Linux: include/uapi/linux/input-event-codes.h */
#define NOT_SHADOW UINT32_MAX

struct pl061 {
	struct device device;
	struct irq_line irq;
	struct mmio_shadow *shadow;
	uint32_t shadow_data; /* GPIODATA's value in the shadow, NOT_SHADOW: none yet */

	uint8_t input;  /* levels that the board drives */
	uint8_t output; /* what was written to GPIODATA */
	uint8_t dir;
	uint8_t is;
	uint8_t ibe;
	uint8_t iev;
	uint8_t ie;
	uint8_t edges; /* seen and not cleared */
	uint8_t afsel;
};

static const struct primecell_id pl061_id = {{0x61, 0x10, 0x04, 0x00, PRIMECELL_PCELL_ID}};

/* All but GPIODATA and the identification. */
static const uint32_t pl061_registers[] = {
	GPIODIR, GPIOIS, GPIOIBE, GPIOIEV, GPIOIE, GPIORIS, GPIOMIS, GPIOIC, GPIOAFSEL,
};

static struct pl061 *to_pl061(struct device *device)
{
	return container_of(device, struct pl061, device);
}

static uint8_t data(const struct pl061 *pl061)
{
	return (pl061->output & pl061->dir) | (pl061->input & ~pl061->dir);
}

static uint8_t ris(const struct pl061 *pl061)
{
	uint8_t levels = ~(pl061->input ^ pl061->iev) & ~pl061->dir;

	return (pl061->edges & ~pl061->is) | (levels & pl061->is);
}

/* GPIODATA's address mask: which lines an access at @offset means. */
static uint8_t data_mask(uint32_t offset)
{
	return (uint8_t)(offset >> 2);
}

/* The field behind a register that just keeps what is written to it, or NULL. */
static uint8_t *register_field(struct pl061 *pl061, uint32_t offset)
{
	switch (offset) {
	case GPIODIR:
		return &pl061->dir;
	case GPIOIS:
		return &pl061->is;
	case GPIOIBE:
		return &pl061->ibe;
	case GPIOIEV:
		return &pl061->iev;
	case GPIOIE:
		return &pl061->ie;
	case GPIOAFSEL:
		return &pl061->afsel;
	default:
		return NULL;
	}
}

static uint32_t read_word(struct device *device, uint32_t offset)
{
	struct pl061 *pl061 = to_pl061(device);
	const uint8_t *field = register_field(pl061, offset);

	if (field)
		return *field;
	if (offset < DATA_END)
		return data(pl061) & data_mask(offset);
	if (primecell_is_id(offset))
		return primecell_id_word(&pl061_id, offset);
	switch (offset) {
	case GPIORIS:
		return ris(pl061);
	case GPIOMIS:
		return ris(pl061) & pl061->ie;
	case GPIOIC: /* write-only */
		return 0;
	default:
		primecell_odd_access(device, "read", offset, PRIMECELL_WORD);
		return 0;
	}
}

static uint64_t pl061_read(struct device *device, uint64_t offset, unsigned size)
{
	return primecell_read(device, offset, size, read_word);
}

static void update_shadow(struct pl061 *pl061)
{
	if (pl061->shadow_data != data(pl061)) {
		pl061->shadow_data = data(pl061);
		for (uint32_t at = GPIODATA; at < DATA_END; at += PRIMECELL_WORD)
			mmio_shadow_set(pl061->shadow, at, pl061->shadow_data & data_mask(at));
	}
	for (size_t i = 0; i < ARRAY_SIZE(pl061_registers); i++)
		mmio_shadow_set(pl061->shadow, pl061_registers[i],
				read_word(&pl061->device, pl061_registers[i]));
	mmio_shadow_show(pl061->shadow);
}

/* First what the guest can read, then the interrupt that makes it read. */
static void update(struct pl061 *pl061)
{
	if (pl061->shadow)
		update_shadow(pl061);
	irq_line_set(&pl061->irq, (ris(pl061) & pl061->ie) != 0);
}

static void write_word(struct pl061 *pl061, uint32_t offset, uint8_t value)
{
	uint8_t *field = register_field(pl061, offset);

	if (field) {
		*field = value;
	} else if (offset < DATA_END) {
		uint8_t mask = data_mask(offset) & pl061->dir;

		pl061->output = (pl061->output & ~mask) | (value & mask);
	} else if (offset == GPIOIC) {
		pl061->edges &= ~value;
	} else { /* read-only, or nothing */
		primecell_odd_access(&pl061->device, "write", offset, PRIMECELL_WORD);
	}
}

static void pl061_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct pl061 *pl061 = to_pl061(device);

	if (!primecell_takes_write(device, offset, size))
		return;
	write_word(pl061, (uint32_t)offset, (uint8_t)value);
	update(pl061);
}

static const struct mmio_register registers[] = {
	{GPIODATA, GPIODIR - 1, "GPIODATA"},
	MMIO_REGISTER(GPIODIR),
	MMIO_REGISTER(GPIOIS),
	MMIO_REGISTER(GPIOIBE),
	MMIO_REGISTER(GPIOIEV),
	MMIO_REGISTER(GPIOIE),
	MMIO_REGISTER(GPIORIS),
	MMIO_REGISTER(GPIOMIS),
	MMIO_REGISTER(GPIOIC),
	MMIO_REGISTER(GPIOAFSEL),
	{PRIMECELL_ID, PRIMECELL_SIZE - 1, "PeriphID"},
	{0},
};

const struct mmio_ops pl061_mmio_ops = {
	.read = pl061_read,
	.write = pl061_write,
	.registers = registers,
};

void pl061_set_input(struct device *device, unsigned line, bool level)
{
	struct pl061 *pl061 = to_pl061(device);
	uint8_t old = pl061->input;
	uint8_t bit = (uint8_t)(1U << line);
	uint8_t wanted; /* the lines for which this edge counts */

	assert(line < PL061_LINES);
	pl061->input = level ? old | bit : old & ~bit;
	wanted = pl061->ibe | (level ? pl061->iev : ~pl061->iev);
	pl061->edges |= (old ^ pl061->input) & wanted & ~pl061->dir & ~pl061->is;
	update(pl061);
}

static void pl061_reset(struct device *device)
{
	struct pl061 *pl061 = to_pl061(device);

	pl061->output = 0;
	pl061->dir = 0;
	pl061->is = 0;
	pl061->ibe = 0;
	pl061->iev = 0;
	pl061->ie = 0;
	pl061->edges = 0;
	pl061->afsel = 0;
	update(pl061);
}

/* Linux: Documentation/devicetree/bindings/gpio/pl061-gpio.yaml. */
static void pl061_describe(const struct device *device, const struct device_slot *slot,
			   struct fdt_builder *fdt)
{
	static const char compatible[] = "arm,pl061\0" PRIMECELL_COMPATIBLE;

	fdt_begin(fdt, "gpio@%" PRIx64, slot->base);
	fdt_label(fdt, device->name, FDT_PHANDLE_PL061);
	fdt_strings(fdt, "compatible", compatible, sizeof(compatible));
	primecell_describe(&pl061_id, slot, fdt);
	fdt_u32(fdt, "clocks", FDT_PHANDLE_APB_PCLK);
	fdt_str(fdt, "clock-names", "apb_pclk");
	fdt_empty(fdt, "gpio-controller");
	fdt_u32(fdt, "#gpio-cells", 2);
	fdt_empty(fdt, "interrupt-controller");
	fdt_u32(fdt, "#interrupt-cells", 2);
	fdt_u32(fdt, "#address-cells", 0);
	fdt_end(fdt);
}

/* Linux: Documentation/devicetree/bindings/input/gpio-keys.yaml; no autorepeat. */
void pl061_describe_power_key(struct fdt_builder *fdt)
{
	enum { GPIO_ACTIVE_HIGH = 0 };

	fdt_begin(fdt, "gpio-keys");
	fdt_str(fdt, "compatible", "gpio-keys");
	fdt_begin(fdt, "key-power");
	fdt_str(fdt, "label", "power");
	fdt_u32(fdt, "linux,code", KEY_POWER);
	fdt_empty(fdt, "wakeup-source");
	FDT_CELLS(fdt, "gpios", FDT_PHANDLE_PL061, PL061_POWER_KEY_LINE, GPIO_ACTIVE_HIGH);
	fdt_end(fdt);
	fdt_end(fdt);
}

static const struct state_field pl061_fields[] = {
	STATE_FIELD(struct pl061, input, STATE_U8), STATE_FIELD(struct pl061, output, STATE_U8),
	STATE_FIELD(struct pl061, dir, STATE_U8),   STATE_FIELD(struct pl061, is, STATE_U8),
	STATE_FIELD(struct pl061, ibe, STATE_U8),   STATE_FIELD(struct pl061, iev, STATE_U8),
	STATE_FIELD(struct pl061, ie, STATE_U8),    STATE_FIELD(struct pl061, edges, STATE_U8),
	STATE_FIELD(struct pl061, afsel, STATE_U8),
};

/* Eight bits are eight lines, so every value is one that a device can reach. */
static const struct state_table pl061_state = {
	.name = "pl061",
	.fields = pl061_fields,
	.field_count = ARRAY_SIZE(pl061_fields),
	.object_size = sizeof(struct pl061),
};

static int pl061_loaded(struct device *device, struct error *err)
{
	(void)err;
	update(to_pl061(device));
	return 0;
}

static void pl061_destroy(struct device *device)
{
	struct pl061 *pl061 = to_pl061(device);

	if (pl061->shadow)
		mmio_shadow_withdraw(pl061->shadow);
	device_finish(device);
	free(pl061);
}

static const struct device_ops pl061_device_ops = {
	.type = "pl061",
	.reset = pl061_reset,
	.describe = pl061_describe,
	.state = &pl061_state,
	.loaded = pl061_loaded,
	.destroy = pl061_destroy,
};

int pl061_create(const struct pl061_options *options, struct device **ret)
{
	struct pl061 *pl061 = calloc(1, sizeof(*pl061));

	if (!pl061)
		return -ENOMEM;
	device_init(&pl061->device, &pl061_device_ops, options->name);
	pl061->irq = options->irq;
	pl061->shadow = options->shadow;
	pl061->shadow_data = NOT_SHADOW;
	if (pl061->shadow)
		primecell_shadow_id(&pl061_id, pl061->shadow);
	update(pl061);
	*ret = &pl061->device;
	return 0;
}
