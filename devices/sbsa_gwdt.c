/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Two signals
 *
 * WCV is the value of the system counter up to which the guest has time. Beyond it the first
 * signal, WS0, is an interrupt, and WCV is set WOR further; beyond that comes WS1, the bite.
 * An explicit refresh, which is a write to WRR, WCS or WOR, takes both signals back and sets
 * WCV to WOR from now.
 *
 * Nobody sees the signals but by an access, the interrupt or the bite: so each access first
 * does what should have happened meanwhile, and an alarm does it while nobody looks.
 */
#include "devices/sbsa_gwdt.h"

#include "primecell.h"

#define ALARM_MAX_S 86400

struct sbsa_gwdt {
	struct device device;
	struct sbsa_gwdt_options options;
	struct clock_alarm alarm;
	bool held;

	uint32_t wcs;
	uint64_t wor; /* 48 bits */
	uint64_t wcv;
};

static struct sbsa_gwdt *to_gwdt(struct device *device)
{
	return container_of(device, struct sbsa_gwdt, device);
}

static uint64_t counter(const struct sbsa_gwdt *gwdt)
{
	return gwdt->options.counter(gwdt->options.data);
}

/* Nothing is to come of it any more, or for now. */
static bool stands(const struct sbsa_gwdt *gwdt)
{
	return gwdt->held || !(gwdt->wcs & WCS_EN) || gwdt->wcs & WCS_WS1;
}

/* What has happened until now. */
static void catch_up(struct sbsa_gwdt *gwdt)
{
	uint64_t now = counter(gwdt);

	if (stands(gwdt) || now <= gwdt->wcv)
		return;
	if (!(gwdt->wcs & WCS_WS0)) {
		gwdt->wcs |= WCS_WS0;
		gwdt->wcv = now + gwdt->wor;
		return;
	}
	gwdt->wcs |= WCS_WS1;
	gwdt->options.bite(gwdt->options.data, 2 * gwdt->wor / gwdt->options.frequency);
}

/* Make true what follows from the state: the alarm and the interrupt. */
static void update(struct sbsa_gwdt *gwdt)
{
	struct clock *clock = gwdt->options.clock;
	uint64_t now = counter(gwdt);
	uint64_t left = gwdt->wcv >= now ? gwdt->wcv - now : 0;

	if (!stands(gwdt)) {
		/* One that comes early is set again, so none has to be far away. */
		left = min_u64(left / gwdt->options.frequency, ALARM_MAX_S) * NS_PER_S +
		       (left % gwdt->options.frequency + 1) * NS_PER_S / gwdt->options.frequency +
		       1;
		clock_arm(clock, &gwdt->alarm, clock_now(clock) + (int64_t)left);
	} else if (gwdt->alarm.armed) {
		clock_disarm(clock, &gwdt->alarm);
	}
	irq_line_set(&gwdt->options.irq, gwdt->wcs & WCS_WS0);
}

static void alarm_fires(void *data)
{
	struct sbsa_gwdt *gwdt = data;

	catch_up(gwdt);
	update(gwdt);
}

static uint32_t read_word(struct device *device, uint32_t offset)
{
	const struct sbsa_gwdt *gwdt = to_gwdt(device);

	switch (offset) {
	case WCS:
		return gwdt->wcs;
	case WOR:
		return (uint32_t)gwdt->wor;
	case WOR_HIGH:
		return (uint32_t)(gwdt->wor >> 32);
	case WCV:
		return (uint32_t)gwdt->wcv;
	case WCV_HIGH:
		return (uint32_t)(gwdt->wcv >> 32);
	case WRR_W_IIDR:
	case W_IIDR:
		return W_IIDR_VALUE;
	default: /* WRR, or nothing */
		return 0;
	}
}

static uint64_t sbsa_gwdt_read(struct device *device, uint64_t offset, unsigned size)
{
	catch_up(to_gwdt(device));
	update(to_gwdt(device));
	return primecell_read(device, offset, size, read_word);
}

static uint64_t with_low(uint64_t old, uint32_t value)
{
	return (old & ~(uint64_t)UINT32_MAX) | value;
}

static uint64_t with_high(uint64_t old, uint32_t value)
{
	return (uint32_t)old | (uint64_t)value << 32;
}

static void refresh(struct sbsa_gwdt *gwdt)
{
	gwdt->wcs &= WCS_EN;
	if (gwdt->wcs)
		gwdt->wcv = counter(gwdt) + gwdt->wor;
}

static void write_word(struct sbsa_gwdt *gwdt, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case WRR:
		break;
	case WCS:
		gwdt->wcs = value & WCS_EN;
		break;
	case WOR:
		gwdt->wor = with_low(gwdt->wor, value);
		break;
	case WOR_HIGH:
		gwdt->wor = with_high(gwdt->wor, value & WOR_HIGH_MASK);
		break;
	case WCV:
		gwdt->wcv = with_low(gwdt->wcv, value);
		return;
	case WCV_HIGH:
		gwdt->wcv = with_high(gwdt->wcv, value);
		return;
	default: /* read-only, or nothing */
		primecell_odd_access(&gwdt->device, "write", offset, PRIMECELL_WORD);
		return;
	}
	refresh(gwdt);
}

static void sbsa_gwdt_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct sbsa_gwdt *gwdt = to_gwdt(device);

	if (!primecell_takes_write(device, offset, size))
		return;
	catch_up(gwdt);
	write_word(gwdt, (uint32_t)offset, (uint32_t)value);
	update(gwdt);
}

static const struct mmio_register registers[] = {
	MMIO_REGISTER(WRR), MMIO_REGISTER(WCS),      MMIO_REGISTER(WOR),    MMIO_REGISTER(WOR_HIGH),
	MMIO_REGISTER(WCV), MMIO_REGISTER(WCV_HIGH), MMIO_REGISTER(W_IIDR), {0},
};

const struct mmio_ops sbsa_gwdt_mmio_ops = {
	.read = sbsa_gwdt_read,
	.write = sbsa_gwdt_write,
	.registers = registers,
};

static void sbsa_gwdt_reset(struct device *device)
{
	struct sbsa_gwdt *gwdt = to_gwdt(device);

	gwdt->held = false;
	gwdt->wcs = 0;
	gwdt->wor = 0;
	gwdt->wcv = 0;
	update(gwdt);
}

/* Linux: Documentation/devicetree/bindings/watchdog/arm,sbsa-gwdt.yaml. */
static void sbsa_gwdt_describe(const struct device *device, const struct device_slot *slot,
			       struct fdt_builder *fdt)
{
	uint64_t control = slot->base + SBSA_GWDT_CONTROL;

	fdt_begin(fdt, "watchdog@%" PRIx64, control);
	fdt_label(fdt, device->name, 0);
	fdt_str(fdt, "compatible", "arm,sbsa-gwdt");
	FDT_CELLS(fdt, "reg", (uint32_t)(control >> 32), (uint32_t)control, 0, SBSA_GWDT_FRAME,
		  (uint32_t)(slot->base >> 32), (uint32_t)slot->base, 0, SBSA_GWDT_FRAME);
	fdt_spi(fdt, slot->intid, FDT_IRQ_LEVEL_HIGH);
	fdt_end(fdt);
}

static const struct state_field sbsa_gwdt_fields[] = {
	STATE_FIELD(struct sbsa_gwdt, wcs, STATE_U32),
	STATE_FIELD(struct sbsa_gwdt, wor, STATE_U64),
	STATE_FIELD(struct sbsa_gwdt, wcv, STATE_U64),
};

static int sbsa_gwdt_validate(const void *object, struct error *err)
{
	const struct sbsa_gwdt *gwdt = object;

	/* A signal needs the one before it, and a watchdog that is enabled. */
	if ((gwdt->wcs & (gwdt->wcs + 1)) || gwdt->wcs > (WCS_EN | WCS_WS0 | WCS_WS1) ||
	    gwdt->wor >> 48)
		return error_set(err, EINVAL, "the saved state is none of a watchdog's");
	return 0;
}

static const struct state_table sbsa_gwdt_state = {
	.name = "sbsa-gwdt",
	.fields = sbsa_gwdt_fields,
	.field_count = ARRAY_SIZE(sbsa_gwdt_fields),
	.object_size = sizeof(struct sbsa_gwdt),
	.validate = sbsa_gwdt_validate,
};

static int sbsa_gwdt_loaded(struct device *device, struct error *err)
{
	(void)err;
	update(to_gwdt(device));
	return 0;
}

static void sbsa_gwdt_destroy(struct device *device)
{
	struct sbsa_gwdt *gwdt = to_gwdt(device);

	clock_disarm(gwdt->options.clock, &gwdt->alarm);
	device_finish(device);
	free(gwdt);
}

static const struct device_ops sbsa_gwdt_device_ops = {
	.type = "sbsa-gwdt",
	.reset = sbsa_gwdt_reset,
	.describe = sbsa_gwdt_describe,
	.state = &sbsa_gwdt_state,
	.loaded = sbsa_gwdt_loaded,
	.destroy = sbsa_gwdt_destroy,
};

/* In between WCV is how much is left. */
void sbsa_gwdt_hold(struct device *device, bool on)
{
	struct sbsa_gwdt *gwdt = to_gwdt(device);

	if (on == gwdt->held)
		return;
	if (on) {
		catch_up(gwdt);
		if (gwdt->wcs & WCS_EN)
			gwdt->wcv -= min_u64(gwdt->wcv, counter(gwdt));
	} else if (gwdt->wcs & WCS_EN) {
		gwdt->wcv += counter(gwdt);
	}
	gwdt->held = on;
	update(gwdt);
}

int sbsa_gwdt_create(const struct sbsa_gwdt_options *options, struct device **ret)
{
	struct sbsa_gwdt *gwdt = calloc(1, sizeof(*gwdt));

	if (!gwdt)
		return -ENOMEM;
	device_init(&gwdt->device, &sbsa_gwdt_device_ops, options->name);
	gwdt->options = *options;
	gwdt->alarm =
		(struct clock_alarm){.fire = alarm_fires, .data = gwdt, .owner = &gwdt->device};
	*ret = &gwdt->device;
	return 0;
}
