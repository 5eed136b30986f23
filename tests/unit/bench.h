/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tests of whole machines and consoles need of the world: what was said
 * on standard error, a console's back end, files that vanish with the test.
 */
#ifndef ARMLET_TESTS_BENCH_H
#define ARMLET_TESTS_BENCH_H

#include <pthread.h>

#include "core/char_port.h"

#define CAPTURE_MAX 16384

/* From here on standard error goes to a memory file... */
void capture_stderr(void);
/* ... until here: what was written, as a string until the next capture. */
const char *captured_stderr(void);

/* How often @needle is in @text. */
unsigned count_text(const char *text, const char *needle);

/* A file in memory; its path can be opened while this process lives. */
const char *memory_file(const void *data, size_t size);

/* A raw binary of some bytes, as a kernel. */
const char *raw_kernel(void);

/* A back end that keeps what was printed and gives what it holds as input. */
#define TEST_PORT_SIZE 65536

struct test_port {
	pthread_mutex_t lock;
	char output[TEST_PORT_SIZE];
	size_t output_count; /* in all; what is beyond the size is only counted */
	const char *input;
	size_t settles; /* calls of settle */
	bool settled;   /* what settle() says */
	size_t drains;
};

void test_port_init(struct test_port *port);
struct char_port test_port_of(struct test_port *port);

#endif
