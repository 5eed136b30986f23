/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The back ends of streams (core/stream.h), as people describe them:
 *
 *	null                     nobody, ever
 *	stdio                    standard input and output
 *	pty                      a pseudoterminal; stream->where is its name
 *	fd:N                     a descriptor that is open already, for both ways
 *	unix:PATH                a socket to connect to, one peer at a time
 *	file:PATH[,OPTION...]    output into a file, behind what it has
 *	    max-size=SIZE        PATH is made PATH.1 before it grows beyond (K, M, G; bytes)
 *	    keep=N               that many old files are kept: PATH.1 to PATH.N (default: 1)
 *
 * A comma in a path is written twice.
 *
 * Sockets and files are for their owner only (0600). The socket is removed at
 * the end; one that a dead process has left is replaced. A file that cannot be
 * written, as on a full disk, costs its output, which is counted and logged
 * once, and stops nobody.
 */
#ifndef ARMLET_BACKEND_STREAM_H
#define ARMLET_BACKEND_STREAM_H

#include "base/error.h"
#include "core/event_loop.h"
#include "core/stream.h"

/* Open what @spec describes; it watches in @loop, which outlives it. Fails with a sentence. */
int stream_open(const char *spec, struct event_loop *loop, struct stream **ret, struct error *err);

/* A stream on two descriptors that stay the caller's; -1: no input, or output is dropped. */
int stream_open_fds(int in_fd, int out_fd, struct event_loop *loop, struct stream **ret,
		    struct error *err);

#endif
