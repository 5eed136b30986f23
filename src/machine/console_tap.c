/* SPDX-License-Identifier: Apache-2.0 */
#include "console_tap.h"

#include <string.h>

/* How Linux begins the line, whatever the reason (kernel/panic.c). */
static const char panic_words[] = "Kernel panic - not syncing";

/* No proper prefix of the words is also a suffix of one, so a restart needs no table. */
static void watch(struct console_tap *tap, uint8_t byte)
{
	if (byte == (uint8_t)panic_words[tap->matched])
		tap->matched++;
	else
		tap->matched = byte == (uint8_t)panic_words[0];
	if (tap->matched == sizeof(panic_words) - 1) {
		tap->panicked = true;
		tap->matched = 0;
	}
}

static void tap_transmit(void *backend, const uint8_t *data, size_t size)
{
	struct console_tap *tap = backend;

	for (size_t i = 0; i < size; i++) {
		tap->text[tap->count++ % CONSOLE_TAP_SIZE] = data[i];
		watch(tap, data[i]);
	}
	char_port_transmit(&tap->below, data, size);
}

static size_t tap_take(void *backend, uint8_t *data, size_t size)
{
	struct console_tap *tap = backend;

	return char_port_take(&tap->below, data, size);
}

static size_t tap_pending(void *backend)
{
	struct console_tap *tap = backend;

	return char_port_pending(&tap->below);
}

static bool tap_settle(void *backend, bool may_wait)
{
	struct console_tap *tap = backend;

	return char_port_settle(&tap->below, may_wait);
}

static void tap_drain(void *backend)
{
	struct console_tap *tap = backend;

	char_port_drain(&tap->below);
}

void console_tap_init(struct console_tap *tap, const struct char_port *below)
{
	tap->below = *below;
	console_tap_reset(tap);
}

struct char_port console_tap_port(struct console_tap *tap)
{
	static const struct char_port_ops ops = {
		.transmit = tap_transmit,
		.take = tap_take,
		.pending = tap_pending,
		.settle = tap_settle,
		.drain = tap_drain,
	};

	return (struct char_port){.ops = &ops, .backend = tap};
}

void console_tap_reset(struct console_tap *tap)
{
	tap->count = 0;
	tap->matched = 0;
	tap->panicked = false;
}

void console_tap_tail(const struct console_tap *tap, unsigned lines,
		      char ret[static CONSOLE_TAP_SIZE + 1])
{
	uint64_t first = tap->count > CONSOLE_TAP_SIZE ? tap->count - CONSOLE_TAP_SIZE : 0;
	uint64_t at = tap->count;
	size_t used = 0;

	while (at > first) {
		/* A newline at the very end closes the last line and opens none. */
		if (tap->text[(at - 1) % CONSOLE_TAP_SIZE] == '\n' && at != tap->count && !--lines)
			break;
		at--;
	}
	for (; at < tap->count; at++) {
		uint8_t byte = tap->text[at % CONSOLE_TAP_SIZE];

		if (byte == '\r')
			continue;
		if (byte != '\n' && byte != '\t' && (byte < ' ' || byte > '~'))
			byte = '.';
		ret[used++] = (char)byte;
	}
	ret[used] = '\0';
}
