/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The PL011's receive FIFO
 *
 * 32 characters, or one while UARTLCR_H.FEN is off (DDI 0183G, 3.3.7). The TRM
 * has drivers clear FEN to flush the *transmit* FIFO (3.3.8) and says nothing of
 * the receive FIFO. So characters that are in it when FEN goes off stay, in
 * order, and are read as usual; no more come in until the single holding
 * register would be free. Drivers rewrite UARTLCR_H whenever the settings of
 * the line change, and nothing that was typed may be lost by that.
 *
 * A character that finds no room is lost. The next one that finds room carries
 * the mark of that, UARTDR.OE (2.4.3).
 */
#ifndef ARMLET_DEVICES_PL011_FIFO_H
#define ARMLET_DEVICES_PL011_FIFO_H

#include "devices/pl011.h"

struct pl011_fifo {
	uint16_t slots[PL011_FIFO_DEPTH]; /* as UARTDR reads; zero where empty */
	uint8_t head;                     /* the next to be read */
	uint8_t count;
	bool overrun; /* a character was lost since the last that came in */
};

static inline unsigned pl011_fifo_room(const struct pl011_fifo *fifo, unsigned depth)
{
	return depth > fifo->count ? depth - fifo->count : 0;
}

/* What UARTDR reads: zero when there is nothing. */
static inline uint16_t pl011_fifo_first(const struct pl011_fifo *fifo)
{
	return fifo->slots[fifo->head];
}

/* False: there was no room, and the character is lost. */
static inline bool pl011_fifo_push(struct pl011_fifo *fifo, unsigned depth, uint16_t character)
{
	if (!pl011_fifo_room(fifo, depth)) {
		fifo->overrun = true;
		return false;
	}
	if (fifo->overrun)
		character |= UARTDR_OE;
	fifo->overrun = false;
	fifo->slots[(fifo->head + fifo->count) % PL011_FIFO_DEPTH] = character;
	fifo->count++;
	return true;
}

/* Not on an empty FIFO. */
static inline uint16_t pl011_fifo_pop(struct pl011_fifo *fifo)
{
	uint16_t character = fifo->slots[fifo->head];

	fifo->slots[fifo->head] = 0;
	fifo->head = (fifo->head + 1) % PL011_FIFO_DEPTH;
	fifo->count--;
	return character;
}

/* Whether such a FIFO can be: of loaded state, before anything else looks at it. */
static inline bool pl011_fifo_valid(const struct pl011_fifo *fifo)
{
	if (fifo->head >= PL011_FIFO_DEPTH || fifo->count > PL011_FIFO_DEPTH)
		return false;
	for (unsigned i = 0; i < PL011_FIFO_DEPTH; i++) {
		uint16_t character = fifo->slots[(fifo->head + i) % PL011_FIFO_DEPTH];

		if (character >= (i < fifo->count ? UARTDR_OE << 1 : 1))
			return false;
	}
	return true;
}

#endif
