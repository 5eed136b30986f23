/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The counter
 *
 * The RTC counts seconds, modulo 2^32: those of the clock that it was given
 * plus @offset, which a write to RTCLR sets. It starts as the clock's own
 * seconds since 1970, which is what operating systems take it for.
 *
 * The hardware starts when RTCCR bit 0 is first set, and cannot be stopped but
 * by a reset (DDI 0224C, 3.3.4). A machine's RTC lives on a battery, so ours
 * has always been started: RTCCR reads one and ignores writes. For the same
 * reason a reset of the machine clears what the interrupt depends on, but not
 * the time of day: @offset stays.
 *
 * DOC: Matches
 *
 * RTCRIS is set when the counter comes to equal RTCMR: by counting, or because
 * either was written. It is an event, not a level: RTCICR clears it within the
 * same second for good. As nobody sees RTCRIS but by an access (or by the
 * interrupt, while that is unmasked), the counter's way since the last look,
 * @seen to now, is searched for a match at each access, and an alarm is set
 * only while an interrupt could come of it. When the host's clock is set back,
 * the search starts anew from there.
 */
#include "devices/pl031.h"

#include "primecell.h"

#define COUNTER_PERIOD (UINT64_C(1) << 32)

struct pl031 {
	struct device device;
	struct irq_line irq;
	struct clock *clock;
	struct clock_alarm alarm;

	uint32_t offset; /* counter less the clock's seconds */
	uint32_t match;
	uint32_t load;
	uint32_t imsc;
	uint32_t ris;
	uint64_t seen; /* second of the clock up to which matches were looked for */
};

static const struct primecell_id pl031_id = {{0x31, 0x10, 0x04, 0x00, PRIMECELL_PCELL_ID}};

static struct pl031 *to_pl031(struct device *device)
{
	return container_of(device, struct pl031, device);
}

/* The clock's second; nothing is before 1970. */
static uint64_t clock_second(const struct pl031 *pl031)
{
	int64_t now = clock_now(pl031->clock);

	return now > 0 ? (uint64_t)now / NS_PER_S : 0;
}

/* What RTCDR was or will be at @second. */
static uint32_t counter_at(const struct pl031 *pl031, uint64_t second)
{
	return (uint32_t)second + pl031->offset;
}

/* Seconds from @second to the next match after it: 1 to 2^32. */
static uint64_t to_next_match(const struct pl031 *pl031, uint64_t second)
{
	uint32_t distance = pl031->match - counter_at(pl031, second);

	return distance ? distance : COUNTER_PERIOD;
}

/* Look for matches up to now. */
static void look_for_match(struct pl031 *pl031)
{
	uint64_t now = clock_second(pl031);

	if (now > pl031->seen && to_next_match(pl031, pl031->seen) <= now - pl031->seen)
		pl031->ris = RTCINT;
	pl031->seen = now;
}

/* RTCMR or RTCLR was written: they may have become equal by that. */
static void match_now(struct pl031 *pl031)
{
	if (counter_at(pl031, pl031->seen) == pl031->match)
		pl031->ris = RTCINT;
}

/* When the clock will be at the next match; its nanoseconds end in the year 2262. */
static int64_t next_deadline(const struct pl031 *pl031)
{
	uint64_t second = pl031->seen + to_next_match(pl031, pl031->seen);

	return (int64_t)min_u64(second, INT64_MAX / NS_PER_S) * NS_PER_S;
}

/* Make true what follows from the state: the alarm and the interrupt. */
static void update(struct pl031 *pl031)
{
	if (pl031->imsc && !pl031->ris) {
		clock_arm(pl031->clock, &pl031->alarm, next_deadline(pl031));
	} else if (pl031->alarm.armed) {
		clock_disarm(pl031->clock, &pl031->alarm);
	}
	irq_line_set(&pl031->irq, pl031->ris & pl031->imsc);
}

static void alarm_fires(void *data)
{
	struct pl031 *pl031 = data;

	look_for_match(pl031);
	update(pl031);
}

static uint32_t read_word(struct device *device, uint32_t offset)
{
	struct pl031 *pl031 = to_pl031(device);

	if (primecell_is_id(offset))
		return primecell_id_word(&pl031_id, offset);
	look_for_match(pl031);
	update(pl031);
	switch (offset) {
	case RTCDR:
		return counter_at(pl031, pl031->seen);
	case RTCMR:
		return pl031->match;
	case RTCLR:
		return pl031->load;
	case RTCCR:
		return RTCCR_START;
	case RTCIMSC:
		return pl031->imsc;
	case RTCRIS:
		return pl031->ris;
	case RTCMIS:
		return pl031->ris & pl031->imsc;
	case RTCICR: /* write-only */
		return 0;
	default:
		primecell_odd_access(device, "read", offset, PRIMECELL_WORD);
		return 0;
	}
}

static uint64_t pl031_read(struct device *device, uint64_t offset, unsigned size)
{
	return primecell_read(device, offset, size, read_word);
}

static void write_word(struct pl031 *pl031, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case RTCMR:
		pl031->match = value;
		match_now(pl031);
		break;
	case RTCLR:
		pl031->load = value;
		pl031->offset = value - (uint32_t)pl031->seen;
		match_now(pl031);
		break;
	case RTCCR: /* started already */
		break;
	case RTCIMSC:
		pl031->imsc = value & RTCINT;
		break;
	case RTCICR:
		pl031->ris &= ~value;
		break;
	default: /* read-only, or nothing */
		primecell_odd_access(&pl031->device, "write", offset, PRIMECELL_WORD);
	}
}

static void pl031_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct pl031 *pl031 = to_pl031(device);

	if (!primecell_takes_write(device, offset, size))
		return;
	look_for_match(pl031);
	write_word(pl031, (uint32_t)offset, (uint32_t)value);
	update(pl031);
}

static const struct mmio_register registers[] = {
	MMIO_REGISTER(RTCDR),
	MMIO_REGISTER(RTCMR),
	MMIO_REGISTER(RTCLR),
	MMIO_REGISTER(RTCCR),
	MMIO_REGISTER(RTCIMSC),
	MMIO_REGISTER(RTCRIS),
	MMIO_REGISTER(RTCMIS),
	MMIO_REGISTER(RTCICR),
	{PRIMECELL_ID, PRIMECELL_SIZE - 1, "PeriphID"},
	{0},
};

const struct mmio_ops pl031_mmio_ops = {
	.read = pl031_read,
	.write = pl031_write,
	.registers = registers,
};

static void pl031_reset(struct device *device)
{
	struct pl031 *pl031 = to_pl031(device);

	pl031->match = 0;
	pl031->load = 0;
	pl031->imsc = 0;
	pl031->ris = 0;
	pl031->seen = clock_second(pl031);
	update(pl031);
}

/* Linux: Documentation/devicetree/bindings/rtc/arm,pl031.yaml. */
static void pl031_describe(const struct device *device, const struct device_slot *slot,
			   struct fdt_builder *fdt)
{
	static const char compatible[] = "arm,pl031\0" PRIMECELL_COMPATIBLE;

	fdt_begin(fdt, "rtc@%" PRIx64, slot->base);
	fdt_label(fdt, device->name, 0);
	fdt_strings(fdt, "compatible", compatible, sizeof(compatible));
	primecell_describe(&pl031_id, slot, fdt);
	fdt_u32(fdt, "clocks", FDT_PHANDLE_APB_PCLK);
	fdt_str(fdt, "clock-names", "apb_pclk");
	fdt_end(fdt);
}

static const struct state_field pl031_fields[] = {
	STATE_FIELD(struct pl031, offset, STATE_U32), STATE_FIELD(struct pl031, match, STATE_U32),
	STATE_FIELD(struct pl031, load, STATE_U32),   STATE_FIELD(struct pl031, imsc, STATE_U32),
	STATE_FIELD(struct pl031, ris, STATE_U32),    STATE_FIELD(struct pl031, seen, STATE_U64),
};

static int pl031_validate(const void *object, struct error *err)
{
	const struct pl031 *pl031 = object;

	if (pl031->imsc > RTCINT || pl031->ris > RTCINT)
		return error_set(err, EINVAL, "the saved state is none of a PL031's");
	return 0;
}

static const struct state_table pl031_state = {
	.name = "pl031",
	.fields = pl031_fields,
	.field_count = ARRAY_SIZE(pl031_fields),
	.object_size = sizeof(struct pl031),
	.validate = pl031_validate,
};

/*
 * A match that the machine slept through is found soon, by the alarm or the
 * next access: @seen is left as it was saved, unless the clock is behind it.
 */
static int pl031_loaded(struct device *device, struct error *err)
{
	struct pl031 *pl031 = to_pl031(device);

	(void)err;
	if (clock_second(pl031) < pl031->seen)
		look_for_match(pl031);
	update(pl031);
	return 0;
}

static void pl031_destroy(struct device *device)
{
	struct pl031 *pl031 = to_pl031(device);

	clock_disarm(pl031->clock, &pl031->alarm);
	device_finish(device);
	free(pl031);
}

static const struct device_ops pl031_device_ops = {
	.type = "pl031",
	.reset = pl031_reset,
	.describe = pl031_describe,
	.state = &pl031_state,
	.loaded = pl031_loaded,
	.destroy = pl031_destroy,
};

uint32_t pl031_time_offset(const struct device *device)
{
	return container_of(device, const struct pl031, device)->offset;
}

int pl031_create(const struct pl031_options *options, struct device **ret)
{
	struct pl031 *pl031 = calloc(1, sizeof(*pl031));

	if (!pl031)
		return -ENOMEM;
	device_init(&pl031->device, &pl031_device_ops, options->name);
	pl031->irq = options->irq;
	pl031->clock = options->clock;
	pl031->offset = options->time_offset;
	pl031->alarm = (struct clock_alarm){
		.fire = alarm_fires,
		.data = pl031,
		.owner = &pl031->device,
	};
	pl031_reset(&pl031->device);
	*ret = &pl031->device;
	return 0;
}
