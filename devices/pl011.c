/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: Transmitting
 *
 * A byte that is written to UARTDR is at the back end when the write returns,
 * so the transmit FIFO is always empty (TXFE) and the UART never BUSY. Bytes go
 * out even while UARTEN or TXE is off: early boot code prints before it has
 * set anything up. Each byte takes the FIFO through its trigger level, so it
 * sets TXRIS, which stays until UARTICR clears it (DDI 0183G, 2.8.3).
 *
 * DOC: When input enters the FIFO
 *
 * Input stays with the back end until the UART receives: UARTEN and RXE are
 * on, and neither loopback nor a FIFO test is. But Linux, when it opens the
 * port, switches the receiver on, then empties the FIFO and throws away what
 * was in it, and only then unmasks the receive interrupts; whatever was typed
 * ahead would be lost. So input waits for one thing more: that a receive
 * interrupt (RXIM or RTIM) is unmasked, or that the guest seems to poll: it has
 * left UARTCR, UARTLCR_H and UARTIMSC alone for PL011_POLLING_NS. An alarm
 * watches for that, and only while input waits.
 *
 * The FIFO is filled as far as it has room, and again after each read of
 * UARTDR, so input never overruns it (loopback and tests can). There is no
 * character time: the receive timeout (RTRIS) follows each arrival at once.
 *
 * DOC: Reads and writes with no exit
 *
 * The only read with a side effect is that of UARTDR while the receive FIFO
 * holds something. So the register shadow (core/mmio_shadow.h) is shown while
 * the FIFO is empty. The FIFO is refilled before this is decided, so that a
 * burst of input hides the page once and not once a byte.
 *
 * A write to UARTDR may be posted while it changes nothing that can be read:
 * TXRIS is set already, and no loopback or test is on. Linux's console writes
 * to UARTCR the value that it has, before and after each line. The first such
 * write makes the UART have the further ones dropped, until UARTCR changes.
 */
#include "devices/pl011.h"

#include "pl011_fifo.h"
#include "primecell.h"

struct pl011 {
	struct device device;
	struct char_port port;
	struct irq_line irq;
	struct clock *clock;
	struct mmio_shadow *shadow;

	struct clock_alarm polling_alarm;
	int64_t configured_at; /* the last write to UARTCR, UARTLCR_H or UARTIMSC */

	uint32_t ilpr;
	uint32_t ibrd;
	uint32_t fbrd;
	uint32_t lcr_h;
	uint32_t cr;
	uint32_t ifls;
	uint32_t imsc;
	uint32_t dmacr;
	uint32_t tcr;
	uint32_t itip;
	uint32_t itop;
	uint32_t rsr;
	uint32_t ris;

	struct pl011_fifo fifo;
	bool break_waiting; /* a break has come and is not in the FIFO yet */
};

/* The registers that just keep what is written to them. */
struct pl011_register {
	uint32_t offset;
	uint32_t mask; /* bits that exist */
	uint32_t reset;
	size_t field; /* offset in struct pl011 */
};

static const struct pl011_register pl011_registers[] = {
	{UARTILPR, 0xff, 0, offsetof(struct pl011, ilpr)},
	{UARTIBRD, 0xffff, 0, offsetof(struct pl011, ibrd)},
	{UARTFBRD, 0x3f, 0, offsetof(struct pl011, fbrd)},
	{UARTLCR_H, 0xff, 0, offsetof(struct pl011, lcr_h)},
	{UARTCR, 0xff87, UARTCR_RXE | UARTCR_TXE, offsetof(struct pl011, cr)},
	{UARTIFLS, 0x3f, 0x12, offsetof(struct pl011, ifls)},
	{UARTIMSC, UARTINT_ALL, 0, offsetof(struct pl011, imsc)},
	{UARTDMACR, 0x7, 0, offsetof(struct pl011, dmacr)},
	{UARTTCR, 0x7, 0, offsetof(struct pl011, tcr)},
	{UARTITIP, 0xc0, 0, offsetof(struct pl011, itip)},
	{UARTITOP, 0xffff, 0, offsetof(struct pl011, itop)},
};

/* The other registers whose words in the shadow change while it is shown. */
static const uint32_t pl011_status_registers[] = {UARTRSR, UARTFR, UARTRIS, UARTMIS};

static const struct primecell_id pl011_id = {{0x11, 0x10, 0x34, 0x00, PRIMECELL_PCELL_ID}};

static struct pl011 *to_pl011(struct device *device)
{
	return container_of(device, struct pl011, device);
}

static const struct pl011_register *find_register(uint32_t offset)
{
	for (size_t i = 0; i < ARRAY_SIZE(pl011_registers); i++) {
		if (pl011_registers[i].offset == offset)
			return &pl011_registers[i];
	}
	return NULL;
}

static uint32_t *register_field(struct pl011 *pl011, const struct pl011_register *reg)
{
	return (uint32_t *)((char *)pl011 + reg->field);
}

static uint32_t register_value(const struct pl011 *pl011, const struct pl011_register *reg)
{
	return *(const uint32_t *)((const char *)pl011 + reg->field);
}

/* UARTFR's modem bits. Nothing is wired to the inputs but, in loopback, our own outputs. */
static uint32_t modem_status(const struct pl011 *pl011)
{
	if (!(pl011->cr & UARTCR_LBE))
		return 0;
	return (pl011->cr & UARTCR_RTS ? UARTFR_CTS : 0) |
	       (pl011->cr & UARTCR_DTR ? UARTFR_DSR : 0) |
	       (pl011->cr & UARTCR_Out1 ? UARTFR_DCD : 0) |
	       (pl011->cr & UARTCR_Out2 ? UARTFR_RI : 0);
}

static void raise_modem_interrupts(struct pl011 *pl011, uint32_t changed)
{
	pl011->ris |= (changed & UARTFR_RI ? UARTINT_RIM : 0) |
		      (changed & UARTFR_CTS ? UARTINT_CTSM : 0) |
		      (changed & UARTFR_DCD ? UARTINT_DCDM : 0) |
		      (changed & UARTFR_DSR ? UARTINT_DSRM : 0);
}

static unsigned fifo_depth(const struct pl011 *pl011)
{
	return pl011->lcr_h & UARTLCR_H_FEN ? PL011_FIFO_DEPTH : 1;
}

/* Characters that set RXRIS; the reserved values of RXIFLSEL count as the highest. */
static unsigned fifo_trigger(const struct pl011 *pl011)
{
	static const uint8_t eighths[] = {1, 2, 4, 6, 7, 7, 7, 7};
	unsigned select = pl011->ifls >> UARTIFLS_RXIFLSEL_SHIFT & UARTIFLS_RXIFLSEL_MASK;

	if (!(pl011->lcr_h & UARTLCR_H_FEN))
		return 1;
	return PL011_FIFO_DEPTH / 8 * eighths[select];
}

static unsigned fifo_room(const struct pl011 *pl011)
{
	return pl011_fifo_room(&pl011->fifo, fifo_depth(pl011));
}

/* A character arrives, with its error bits as UARTDR has them (TRM 2.8.2, 2.8.4, 2.8.5). */
static void receive(struct pl011 *pl011, uint16_t character)
{
	if (!pl011_fifo_push(&pl011->fifo, fifo_depth(pl011), character)) {
		pl011->rsr |= UARTRSR_OE;
		pl011->ris |= UARTINT_OE;
		return;
	}
	pl011->ris |= UARTINT_RT | (character & UARTDR_FE ? UARTINT_FE : 0) |
		      (character & UARTDR_PE ? UARTINT_PE : 0) |
		      (character & UARTDR_BE ? UARTINT_BE : 0);
	if (pl011->fifo.count >= fifo_trigger(pl011))
		pl011->ris |= UARTINT_RX;
}

/* The guest takes a character; its errors stay in UARTRSR (TRM 3.3.2). */
static void take_character(struct pl011 *pl011)
{
	uint16_t character = pl011_fifo_pop(&pl011->fifo);

	pl011->rsr = (pl011->rsr & UARTRSR_OE) | (character & UARTDR_FE ? UARTRSR_FE : 0) |
		     (character & UARTDR_PE ? UARTRSR_PE : 0) |
		     (character & UARTDR_BE ? UARTRSR_BE : 0);
	if (pl011->fifo.count < fifo_trigger(pl011))
		pl011->ris &= ~(uint32_t)UARTINT_RX;
	if (pl011->fifo.count == 0)
		pl011->ris &= ~(uint32_t)UARTINT_RT;
}

static bool receiver_on(const struct pl011 *pl011)
{
	return (pl011->cr & UARTCR_UARTEN) && (pl011->cr & UARTCR_RXE);
}

/* Whether what comes in on the line can reach the FIFO at all. */
static bool line_connected(const struct pl011 *pl011)
{
	return receiver_on(pl011) && !(pl011->cr & UARTCR_LBE) && !(pl011->tcr & UARTTCR_TESTFIFO);
}

/* See "When input enters the FIFO". A clock that was set back must not make anybody wait. */
static bool guest_listens(struct pl011 *pl011)
{
	int64_t since = clock_now(pl011->clock) - pl011->configured_at;

	return (pl011->imsc & (UARTINT_RX | UARTINT_RT)) || since >= PL011_POLLING_NS || since < 0;
}

static void fill_fifo(struct pl011 *pl011)
{
	uint8_t data[PL011_FIFO_DEPTH];
	size_t count;

	if (!line_connected(pl011) || !fifo_room(pl011))
		return;
	if (!pl011->break_waiting && !char_port_pending(&pl011->port))
		return;
	if (!guest_listens(pl011)) {
		clock_arm(pl011->clock, &pl011->polling_alarm,
			  pl011->configured_at + PL011_POLLING_NS);
		return;
	}
	if (pl011->break_waiting)
		receive(pl011, UARTDR_BE);
	pl011->break_waiting = false;
	count = char_port_take(&pl011->port, data, fifo_room(pl011));
	for (size_t i = 0; i < count; i++)
		receive(pl011, data[i]);
}

/* What reading @offset gives; false if no register is there. */
static bool peek(const struct pl011 *pl011, uint32_t offset, uint32_t *ret)
{
	const struct pl011_register *reg = find_register(offset);

	if (reg) {
		*ret = register_value(pl011, reg);
		return true;
	}
	if (primecell_is_id(offset)) {
		*ret = primecell_id_word(&pl011_id, offset);
		return true;
	}
	*ret = 0;
	switch (offset) {
	case UARTDR:
		*ret = pl011_fifo_first(&pl011->fifo);
		return true;
	case UARTRSR:
		*ret = pl011->rsr;
		return true;
	case UARTFR:
		*ret = UARTFR_TXFE | (pl011->fifo.count ? 0 : UARTFR_RXFE) |
		       (fifo_room(pl011) ? 0 : UARTFR_RXFF) | modem_status(pl011);
		return true;
	case UARTRIS:
		*ret = pl011->ris;
		return true;
	case UARTMIS:
		*ret = pl011->ris & pl011->imsc;
		return true;
	case UARTICR: /* write-only */
	case UARTTDR: /* reads the transmit FIFO: always empty */
		return true;
	default:
		return false;
	}
}

static void update_shadow_word(struct pl011 *pl011, uint32_t offset)
{
	uint32_t value;

	peek(pl011, offset, &value);
	mmio_shadow_set(pl011->shadow, offset, value);
}

/* Whether a write to UARTDR sends a byte and changes nothing that can be read. */
static bool transmits_unseen(const struct pl011 *pl011)
{
	return (pl011->ris & UARTINT_TX) && !(pl011->cr & UARTCR_LBE) && !pl011->tcr;
}

static void update_shadow(struct pl011 *pl011)
{
	mmio_shadow_post(pl011->shadow, UARTDR, transmits_unseen(pl011));
	if (pl011->fifo.count > 0) {
		mmio_shadow_hide(pl011->shadow);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(pl011_registers); i++)
		mmio_shadow_set(pl011->shadow, pl011_registers[i].offset,
				register_value(pl011, &pl011_registers[i]));
	for (size_t i = 0; i < ARRAY_SIZE(pl011_status_registers); i++)
		update_shadow_word(pl011, pl011_status_registers[i]);
	mmio_shadow_show(pl011->shadow);
}

/*
 * Make true what follows from the state: first what the guest can read, then
 * the interrupt that makes it read.
 */
static void update(struct pl011 *pl011)
{
	bool level = (pl011->ris & pl011->imsc) != 0;

	if (pl011->tcr & UARTTCR_ITEN) /* TRM chapter 4: the test drives the output */
		level = (pl011->itop & UARTITOP_UARTINTR) != 0;
	if (pl011->shadow)
		update_shadow(pl011);
	irq_line_set(&pl011->irq, level);
}

static void polling_alarm_fires(void *data)
{
	struct pl011 *pl011 = data;

	fill_fifo(pl011);
	update(pl011);
}

void pl011_input_ready(struct device *device)
{
	struct pl011 *pl011 = to_pl011(device);

	fill_fifo(pl011);
	update(pl011);
}

void pl011_receive_break(struct device *device)
{
	to_pl011(device)->break_waiting = true;
	pl011_input_ready(device);
}

static uint32_t read_word(struct device *device, uint32_t offset)
{
	struct pl011 *pl011 = to_pl011(device);
	uint32_t value;

	if (!peek(pl011, offset, &value))
		primecell_odd_access(device, "read", offset, PRIMECELL_WORD);
	if (offset == UARTDR && pl011->fifo.count > 0) {
		take_character(pl011);
		fill_fifo(pl011);
		update(pl011);
	}
	return value;
}

static uint64_t pl011_read(struct device *device, uint64_t offset, unsigned size)
{
	return primecell_read(device, offset, size, read_word);
}

static void transmit(struct pl011 *pl011, uint8_t byte)
{
	if (!(pl011->cr & UARTCR_LBE))
		char_port_transmit(&pl011->port, &byte, 1);
	else if (receiver_on(pl011))
		receive(pl011, byte);
	pl011->ris |= UARTINT_TX;
}

static void write_cr(struct pl011 *pl011, uint32_t value)
{
	uint32_t modem = modem_status(pl011);
	bool changes = pl011->cr != value;

	pl011->cr = value;
	raise_modem_interrupts(pl011, modem ^ modem_status(pl011));
	if (!pl011->shadow)
		return;
	if (changes)
		mmio_shadow_drop_none(pl011->shadow);
	else
		mmio_shadow_drop(pl011->shadow, UARTCR, value);
}

static void write_lcr_h(struct pl011 *pl011, uint32_t value)
{
	bool break_begins = (value & UARTLCR_H_BRK) && !(pl011->lcr_h & UARTLCR_H_BRK);

	pl011->lcr_h = value;
	if (break_begins && (pl011->cr & UARTCR_LBE) && receiver_on(pl011))
		receive(pl011, UARTDR_BE);
}

static void write_register(struct pl011 *pl011, const struct pl011_register *reg, uint32_t value)
{
	switch (reg->offset) {
	case UARTCR:
		write_cr(pl011, value);
		break;
	case UARTLCR_H:
		write_lcr_h(pl011, value);
		break;
	default:
		*register_field(pl011, reg) = value;
	}
	if (reg->offset == UARTCR || reg->offset == UARTLCR_H || reg->offset == UARTIMSC)
		pl011->configured_at = clock_now(pl011->clock);
	fill_fifo(pl011);
}

static void write_word(struct pl011 *pl011, uint32_t offset, uint32_t value)
{
	const struct pl011_register *reg = find_register(offset);

	if (reg) {
		write_register(pl011, reg, value & reg->mask);
		return;
	}
	switch (offset) {
	case UARTDR:
		transmit(pl011, (uint8_t)value);
		break;
	case UARTECR:
		pl011->rsr = 0;
		break;
	case UARTICR:
		pl011->ris &= ~value;
		break;
	case UARTTDR:
		if (pl011->tcr & UARTTCR_TESTFIFO)
			receive(pl011, value & (UARTDR_OE - 1));
		break;
	default: /* read-only, or nothing */
		primecell_odd_access(&pl011->device, "write", offset, PRIMECELL_WORD);
	}
}

static void pl011_write(struct device *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct pl011 *pl011 = to_pl011(device);

	if (!primecell_takes_write(device, offset, size))
		return;
	write_word(pl011, (uint32_t)offset, (uint32_t)value);
	update(pl011);
}

/* Posted bytes, which are nearly all writes that there are, go out together. */
static void pl011_write_run(struct device *device, uint64_t offset, unsigned size,
			    const uint64_t *values, size_t count)
{
	struct pl011 *pl011 = to_pl011(device);
	uint8_t bytes[64];
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		/* Nothing in such a run changes whether the next write is like it. */
		if (offset != UARTDR || !transmits_unseen(pl011)) {
			pl011_write(device, offset, size, values[i]);
			continue;
		}
		bytes[used++] = (uint8_t)values[i];
		if (used == sizeof(bytes)) {
			char_port_transmit(&pl011->port, bytes, used);
			used = 0;
		}
	}
	if (used)
		char_port_transmit(&pl011->port, bytes, used);
}

static const struct mmio_register registers[] = {
	MMIO_REGISTER(UARTDR),
	MMIO_REGISTER(UARTRSR),
	MMIO_REGISTER(UARTFR),
	MMIO_REGISTER(UARTILPR),
	MMIO_REGISTER(UARTIBRD),
	MMIO_REGISTER(UARTFBRD),
	MMIO_REGISTER(UARTLCR_H),
	MMIO_REGISTER(UARTCR),
	MMIO_REGISTER(UARTIFLS),
	MMIO_REGISTER(UARTIMSC),
	MMIO_REGISTER(UARTRIS),
	MMIO_REGISTER(UARTMIS),
	MMIO_REGISTER(UARTICR),
	MMIO_REGISTER(UARTDMACR),
	MMIO_REGISTER(UARTTCR),
	MMIO_REGISTER(UARTITIP),
	MMIO_REGISTER(UARTITOP),
	MMIO_REGISTER(UARTTDR),
	{PRIMECELL_ID, PRIMECELL_SIZE - 1, "PeriphID"},
	{0},
};

const struct mmio_ops pl011_mmio_ops = {
	.read = pl011_read,
	.write = pl011_write,
	.write_run = pl011_write_run,
	.registers = registers,
};

/* The values of TRM table 3-1; the shadow is not told yet. */
static void set_reset_values(struct pl011 *pl011)
{
	for (size_t i = 0; i < ARRAY_SIZE(pl011_registers); i++)
		*register_field(pl011, &pl011_registers[i]) = pl011_registers[i].reset;
	pl011->rsr = 0;
	pl011->ris = 0;
	pl011->fifo = (struct pl011_fifo){0};
	pl011->break_waiting = false;
	pl011->configured_at = clock_now(pl011->clock);
}

static void pl011_reset(struct device *device)
{
	struct pl011 *pl011 = to_pl011(device);

	clock_disarm(pl011->clock, &pl011->polling_alarm);
	if (pl011->shadow)
		mmio_shadow_withdraw(pl011->shadow);
	set_reset_values(pl011);
	update(pl011);
}

void pl011_hand_over(struct device *device)
{
	struct pl011 *pl011 = to_pl011(device);

	/* 24 MHz / (16 * 115200) = 13 + 1/64, nearly (TRM 3.3.6). */
	pl011->ibrd = 13;
	pl011->fbrd = 1;
	pl011->lcr_h = UARTLCR_H_FEN | UARTLCR_H_WLEN_8;
	pl011->cr = UARTCR_UARTEN | UARTCR_TXE;
	if (pl011->shadow)
		mmio_shadow_drop_none(pl011->shadow);
	update(pl011);
}

/* Linux: Documentation/devicetree/bindings/serial/pl011.yaml. */
static void pl011_describe(const struct device *device, const struct device_slot *slot,
			   struct fdt_builder *fdt)
{
	static const char compatible[] = "arm,pl011\0" PRIMECELL_COMPATIBLE;
	static const char clock_names[] = "uartclk\0apb_pclk";

	fdt_begin(fdt, "serial@%" PRIx64, slot->base);
	fdt_label(fdt, device->name, 0);
	fdt_strings(fdt, "compatible", compatible, sizeof(compatible));
	primecell_describe(&pl011_id, slot, fdt);
	FDT_CELLS(fdt, "clocks", FDT_PHANDLE_APB_PCLK, FDT_PHANDLE_APB_PCLK);
	fdt_strings(fdt, "clock-names", clock_names, sizeof(clock_names));
	fdt_end(fdt);
}

static const struct state_field pl011_fields[] = {
	STATE_FIELD(struct pl011, ilpr, STATE_U32),
	STATE_FIELD(struct pl011, ibrd, STATE_U32),
	STATE_FIELD(struct pl011, fbrd, STATE_U32),
	STATE_FIELD(struct pl011, lcr_h, STATE_U32),
	STATE_FIELD(struct pl011, cr, STATE_U32),
	STATE_FIELD(struct pl011, ifls, STATE_U32),
	STATE_FIELD(struct pl011, imsc, STATE_U32),
	STATE_FIELD(struct pl011, dmacr, STATE_U32),
	STATE_FIELD(struct pl011, tcr, STATE_U32),
	STATE_FIELD(struct pl011, itip, STATE_U32),
	STATE_FIELD(struct pl011, itop, STATE_U32),
	STATE_FIELD(struct pl011, rsr, STATE_U32),
	STATE_FIELD(struct pl011, ris, STATE_U32),
	STATE_ARRAY(struct pl011, fifo.slots, STATE_U16),
	STATE_FIELD(struct pl011, fifo.head, STATE_U8),
	STATE_FIELD(struct pl011, fifo.count, STATE_U8),
	STATE_FIELD(struct pl011, fifo.overrun, STATE_BOOL),
	STATE_FIELD(struct pl011, break_waiting, STATE_BOOL),
};

static int pl011_validate(const void *object, struct error *err)
{
	const struct pl011 *pl011 = object;
	uint32_t impossible = pl011->fifo.count ? 0 : UARTINT_RX | UARTINT_RT;
	bool valid = pl011_fifo_valid(&pl011->fifo) && pl011->rsr < UARTRSR_OE << 1 &&
		     !(pl011->ris & (~(uint32_t)UARTINT_ALL | impossible));

	for (size_t i = 0; i < ARRAY_SIZE(pl011_registers); i++) {
		const struct pl011_register *reg = &pl011_registers[i];

		valid = valid && !(register_value(pl011, reg) & ~reg->mask);
	}
	return valid ? 0 : error_set(err, EINVAL, "the saved state is none of a PL011's");
}

static const struct state_table pl011_state = {
	.name = "pl011",
	.fields = pl011_fields,
	.field_count = ARRAY_SIZE(pl011_fields),
	.object_size = sizeof(struct pl011),
	.validate = pl011_validate,
};

static int pl011_loaded(struct device *device, struct error *err)
{
	struct pl011 *pl011 = to_pl011(device);

	(void)err;
	pl011->configured_at = clock_now(pl011->clock);
	if (pl011->shadow)
		mmio_shadow_drop_none(pl011->shadow);
	update(pl011);
	return 0;
}

static void pl011_destroy(struct device *device)
{
	struct pl011 *pl011 = to_pl011(device);

	clock_disarm(pl011->clock, &pl011->polling_alarm);
	if (pl011->shadow)
		mmio_shadow_withdraw(pl011->shadow);
	device_finish(device);
	free(pl011);
}

static const struct device_ops pl011_device_ops = {
	.type = "pl011",
	.reset = pl011_reset,
	.describe = pl011_describe,
	.state = &pl011_state,
	.loaded = pl011_loaded,
	.destroy = pl011_destroy,
};

int pl011_create(const struct pl011_options *options, struct device **ret)
{
	struct pl011 *pl011 = calloc(1, sizeof(*pl011));

	if (!pl011)
		return -ENOMEM;
	device_init(&pl011->device, &pl011_device_ops, options->name);
	pl011->port = options->port;
	pl011->irq = options->irq;
	pl011->clock = options->clock;
	pl011->shadow = options->shadow;
	pl011->polling_alarm = (struct clock_alarm){
		.fire = polling_alarm_fires,
		.data = pl011,
		.owner = &pl011->device,
	};
	set_reset_values(pl011);
	if (pl011->shadow)
		primecell_shadow_id(&pl011_id, pl011->shadow);
	update(pl011);
	*ret = &pl011->device;
	return 0;
}
