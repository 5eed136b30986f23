/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `armlet run` share: a run is one process, and a machine in it for each life. */
#ifndef ARMLET_CLI_RUN_H
#define ARMLET_CLI_RUN_H

#include "arm64/cpu_model.h"
#include "cli.h"
#include "control/console.h"
#include "control/console_hub.h"
#include "control/console_watch.h"
#include "control/gdb.h"
#include "control/qmp.h"
#include "machine/machine.h"
#include "machined.h"
#include "notify.h"
#include "place.h"
#include "restart.h"

/* When the guest is up (--ready). */
enum run_ready {
	RUN_READY_DRIVER,  /* a virtio driver of its works */
	RUN_READY_STARTED, /* its vCPUs run */
	RUN_READY_TEXT,    /* it has written a text on the console */
};

struct test; /* test.h */

struct run {
	struct run_options options;
	struct cpu_model cpu;    /* that options.machine.cpu is, if it is any */
	struct place place;      /* of the machine's name */
	char *state;             /* the folder of what stays of it */
	int ready_fd;            /* tells who has started us that the machine is up */
	struct console_hub *hub; /* NULL: the console is on standard input and output */
	struct event_loop *loop;
	struct terminal terminal;
	struct console *console;
	struct test *test;           /* what is tested; NULL: this is armlet run */
	struct console_watch *watch; /* NULL: no text is waited for */
	struct machine *machine;     /* NULL: between two lives */
	struct run_device *devices;  /* what was plugged in in this life */
	struct qmp_server *qmp;      /* NULL: there is no control socket */
	struct gdb_server *gdb;      /* NULL: gdb is not let in */
	struct machined *machined;
	struct event_source signals;
	struct event_source timeout;

	/* What systemd is told. */
	struct notify notify;
	struct event_source watchdog;

	/* The guest of this boot. */
	enum run_ready ready_when;
	const char *ready_text;
	bool ready;
	bool signals_end;       /* at once, without the power key */
	bool power_key_pressed; /* by a signal */

	/* The lives. */
	struct restart restart;
	struct event_source delay; /* until the next one */
	bool delay_over;
	bool has_started;   /* the vCPUs have run, in this life or another */
	int64_t started_ms; /* CLOCK_MONOTONIC, in this life; 0: they have not */
	bool end_wanted;    /* somebody wants the machine to end, or to be powered off */

	int stop_status;         /* the exit status after run_stop() */
	const char *stop_reason; /* and why, as QMP's ShutdownCause */
};

/* run.c */

void run_init(struct run *run);

/* What its options contradict, and files that are only read. */
int run_check_options(struct run *run, struct error *err);

/* Set up, all its lives, and the last words as @command. Returns the exit status. */
int run_whole(struct run *run, const char *command);

/* run_outside.c: who acts on the machine from outside. */

/* End all of it, now. */
void run_stop(struct run *run, int status, const char *reason);

/* Press the power key, if there is one; between two lives that ends all of it. */
void run_power_down(struct run *run, const char *reason);

/* What is on the terminal is the guest's, so its size is, too. */
void run_pass_size(struct run *run);

int run_watch_signals(struct run *run, struct error *err);
int run_arm_timeout(struct run *run, struct error *err);
int run_start_console(struct run *run, struct error *err);

/* run_life.c: one life after the other. */

/* Why a watchdog has bitten, as a sentence's beginning. */
void run_describe_hang(const struct machine_hang *hang, char *text, size_t size);

/* What --ready and --restart say. */
int run_read_ready(struct run *run, struct error *err);
int run_read_restart(struct run *run, struct error *err);

int run_create_machine(struct run *run, struct error *err);

/* To the end of the last life; @ret is how it was, whatever is returned. */
int run_live(struct run *run, struct qmp_end *ret, struct error *err);

/* run_devices.c: what is plugged in while it runs. */

/* As plug of struct qmp_options. */
int run_plug(struct run *run, const char *name, bool net, struct json_object *properties,
	     struct error *err);

/* It has left; or, with NULL, the machine with all of them. */
void run_forget_device(struct run *run, const char *name);

/* run_gdb.c: gdb at @where, NULL being anywhere, "none" nowhere; as debug of struct qmp_options. */
int run_start_gdb(struct run *run, const char *where, const char **ret_target, struct error *err);

/* run_notify.c: who waits for the guest, and systemd. */

/* In the environment there is something to be notified, or something that is not that. */
int run_open_notify(struct run *run, struct error *err);

void run_tell_ready(struct run *run);
void run_tell_event(struct run *run, enum machine_event event);
void run_tell_restart(struct run *run, const struct qmp_end *end);

#endif
