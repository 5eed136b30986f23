/* SPDX-License-Identifier: Apache-2.0 */
/* A console on real descriptors, with its event loop. */
#ifndef ARMLET_TESTS_CONSOLE_BENCH_H
#define ARMLET_TESTS_CONSOLE_BENCH_H

#include <stdatomic.h>

#include "control/console.h"

#define MARK (64 * KIB) /* OUTPUT_MARK of console.c */
/* CPU time of a loop that sleeps for 300 ms; one that spins takes more on any machine. */
#define ASLEEP_MS 20

struct console_bench {
	struct event_loop *loop;
	struct console *console;
	struct char_port port;
	struct event_source timer;
	struct terminal terminal;
	char keys[32];     /* 'x', 'p' and 'b', in the order in which they came */
	atomic_uint ready; /* calls of input_ready */
};

/* The test's one. */
extern struct console_bench bench;

void open_console(int in_fd, int out_fd);
void close_console(void);

/* Let the event loop run. */
void run_for(unsigned ms);

enum sink { SINK_PIPE, SINK_SOCKET, SINK_TERMINAL };

/* A pair of descriptors: what is written to [1] comes out of [0]. */
void open_sink(enum sink sink, int fds[2]);

/* The byte that stands at @at of all streams here. */
uint8_t pattern(size_t at);

/* CPU time of this process. */
int64_t cpu_ms(void);

#endif
