/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the guest's init share. */
#ifndef ARMLET_INIT_INIT_H
#define ARMLET_INIT_INIT_H

#include "sys.h"
#include "trial/job.h"
#include "trial/wire.h"

#define MOUNTS_MAX  64
#define MODULES_MAX 64
#define WORDS_MAX   4096 /* of the command, and of its environment */

/* What the host has written down for us (trial/job.h). Strings are in the file's bytes. */
struct job {
	const char *root; /* KIND:SOURCE; NULL: what we were unpacked to */
	const char *directory;
	const char *user;
	bool writable;
	bool terminal;
	unsigned long mask;
	unsigned long columns;
	unsigned long rows;
	const char *modules[MODULES_MAX];
	size_t module_count;
	const char *mounts[MOUNTS_MAX]; /* as JOB_MOUNT */
	size_t mount_count;
	char *words[WORDS_MAX + 1];
	size_t word_count;
	char *environment[WORDS_MAX + 1];
	size_t environment_count;
};

/* One init, in one process. */
struct init {
	struct job job;
	int port;      /* -1: there is none yet */
	int kernel;    /* /dev/kmsg, to read; -1 */
	size_t filled; /* bytes of out[] */
	uint8_t out[4 * (WIRE_HEADER + WIRE_PAYLOAD)];

	/* The frame that is being read. */
	uint8_t in[WIRE_HEADER + WIRE_PAYLOAD];
	size_t have;

	/* The command. */
	long pid;
	int input;   /* -1: closed */
	int outputs; /* what it prints, and to the other one */
	int errors;
	size_t given; /* bytes of the present STDIN that it has */
	bool input_waits;
	bool ended;
	bool acknowledged;
	int status; /* as of wait4(2) */
};

/* init.c: give up, with a sentence of what failed. */
void give_up(struct init *init, const char *what, long error) __attribute__((noreturn));

/* job.c */
void read_job(struct init *init);

/* root.c: file systems that every program expects, then the root with all that is in it. */
void mount_basics(void);
void load_modules(struct init *init);
void make_root(struct init *init);
void leave_root(void);

/* port.c */
void open_port(struct init *init);
void flush_port(struct init *init);
void send_frame(struct init *init, enum wire_kind kind, const void *payload, size_t size);
/* WIRE_NOTE or WIRE_SAY. */
void say(struct init *init, enum wire_kind kind, const char *text);
/* What @fd has now, as frames of @kind. False: it has an end, which is here. */
bool relay(struct init *init, int fd, enum wire_kind kind);

/* command.c: begins it; errno of what failed, or 0. */
long start_command(struct init *init);

/* serve.c: what the kernel has logged so far, so that it is not lost with what comes. */
void open_log(struct init *init);

/* Until the command has ended and the host has its verdict. */
void serve(struct init *init);
void send_verdict(struct init *init, enum wire_end end, uint32_t value);

#endif
