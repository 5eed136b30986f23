/* SPDX-License-Identifier: Apache-2.0 */
/* A stream that is a test's: it gives what it was given, and takes as much as it may. */
#ifndef ARMLET_TESTS_PORT_END_H
#define ARMLET_TESTS_PORT_END_H

#include "core/stream.h"

#define PORT_END_SIZE 4096

struct port_end {
	struct stream stream;
	char input[PORT_END_SIZE];
	size_t input_size;
	char output[PORT_END_SIZE]; /* a string; what is beyond it is only counted */
	size_t output_count;
	size_t room; /* bytes of output that it still takes */
	bool wants_input;
	bool wants_room;
};

/* With a peer, and room without end. */
void port_end_init(struct port_end *end);

/* Each calls the client as a stream would, under its lock. */
void port_end_give(struct port_end *end, const char *text);
void port_end_make_room(struct port_end *end, size_t room);
void port_end_open(struct port_end *end, bool open);

#endif
