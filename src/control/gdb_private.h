/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the stub for gdb share. */
#ifndef ARMLET_CONTROL_GDB_PRIVATE_H
#define ARMLET_CONTROL_GDB_PRIVATE_H

#include "backend/unix_listener.h"
#include "control/gdb.h"
#include "gdb_packet.h"
#include "machine/debug.h"
#include "machine/registers.h"

/* Signals as gdb counts them. */
enum { GDB_SIGNAL_INT = 2, GDB_SIGNAL_TRAP = 5 };

/* gdb's end of the line. */
struct gdb_session {
	struct machine *machine;
	uint32_t cpus;
	uint32_t cpu;     /* that registers and memory are of */
	uint32_t run_cpu; /* that the packets s and c are of */
	bool running;     /* gdb waits for a stop */
	bool physical;    /* addresses are physical */
	bool no_acks;
	bool detached; /* gdb takes its leave, or kills */
	bool killed;
	unsigned signal; /* of the last stop */
	struct machine_stop stop;
	struct gdb_writer out;
	char *target; /* XML of the registers; NULL: not made yet */
};

/* Perform the packet, and write the answer; the machine is paused. */
void gdb_handle(struct gdb_session *session, const char *packet, size_t size);

/* The machine has stopped: tell gdb. */
void gdb_tell_stop(struct gdb_session *session);

/* gdb_resume.c: the packets vCont, c and s. False: not to be understood; nothing is done. */
bool gdb_resume(struct gdb_session *session, const char *actions);
bool gdb_resume_one(struct gdb_session *session, bool step);

/* gdb_target.c: the registers as gdb's target description, which is the caller's; NULL: no memory.
 */
char *gdb_describe_target(struct machine *machine);

/* gdb_monitor.c: what follows the command `monitor`. */
void gdb_monitor(struct gdb_session *session, const char *hex);

/* A thread's number: the vCPU's, from 1. */
static inline uint32_t gdb_thread(uint32_t cpu)
{
	return cpu + 1;
}

/* gdb_listen.c: @where as of struct gdb_options; @ret_target is malloc()ed. */
struct gdb_listener {
	struct unix_listener local;
	int fd; /* of either kind; -1: none */
};
int gdb_listen(const char *where, struct gdb_listener *ret, char **ret_target, struct error *err);
int gdb_accept(const struct gdb_listener *listener); /* as unix_accept() */
void gdb_listener_close(struct gdb_listener *listener);

#endif
