/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other end of a vhost-user socket: a thread that answers as a server
 * should, until the message at which it is told to do otherwise.
 */
#ifndef ARMLET_TESTS_VHOST_USER_SERVER_H
#define ARMLET_TESTS_VHOST_USER_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/util.h"

enum server_fault {
	SERVER_GOOD,
	SERVER_SILENT,        /* takes messages, answers none */
	SERVER_CLOSES,        /* instead of an answer */
	SERVER_CUTS,          /* its answer in the middle, and closes */
	SERVER_HALF,          /* the same, and does not close */
	SERVER_WRONG_REQUEST, /* answers another one */
	SERVER_WRONG_FLAGS,
	SERVER_WRONG_SIZE,
	SERVER_WRONG_INDEX, /* of a queue */
	SERVER_REFUSES,     /* with a code, where it is one that can */
	SERVER_FAULTS,
};

#define SERVER_MESSAGES 256 /* that are remembered */
#define SERVER_QUEUES   4

struct server_options {
	uint64_t features;
	uint64_t protocol;
	uint64_t queues;
	enum server_fault fault;
	unsigned at; /* the message of the fault, from 0 */
};

struct vhost_user_server {
	struct server_options options;
	int fd;
	pthread_t thread;

	/* What it was told; to be looked at when its thread waits or has ended. */
	atomic_uint count;
	uint8_t requests[SERVER_MESSAGES];
	int memory_fd;
	uint64_t guest_addr;
	uint64_t memory_size;
	int kick_fds[SERVER_QUEUES];
	int call_fds[SERVER_QUEUES];
	uint32_t sizes[SERVER_QUEUES];
	bool enabled[SERVER_QUEUES];
};

/* One without faults that has everything. */
extern const struct server_options good_server;

/* Start it; returns the socket to it. */
int vhost_user_server_start(struct vhost_user_server *server, const struct server_options *options);

/* Its socket is closed, and its thread has ended. */
void vhost_user_server_stop(struct vhost_user_server *server);

#endif
