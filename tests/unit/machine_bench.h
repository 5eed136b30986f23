/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole machine on the fake hypervisor:
 *
 *	machine_bench_open(&bench);
 *	bench.config.cpus = 2;
 *	fake_program(0, 0, steps, ARRAY_SIZE(steps));
 *	ck_assert_int_eq(machine_bench_run(&bench), MACHINE_POWERED_OFF);
 *	machine_bench_close(&bench);
 */
#ifndef ARMLET_TESTS_MACHINE_BENCH_H
#define ARMLET_TESTS_MACHINE_BENCH_H

#include "bench.h"
#include "fake_hyp.h"
#include "machine/machine.h"
#include "machine_private.h"

struct machine_bench {
	struct machine_config config;
	struct event_loop *loop;
	struct test_port port;
	struct char_port console; /* the test port's, unless the test puts another here */
	void (*event)(void *data, enum machine_event event); /* as machine_options has it */
	void *event_data;
	struct machine *machine;
	bool tell_driver;
	struct error err;
};

/* A good host, a machine of 1 vCPU and 16 MiB with a raw kernel; nothing made yet. */
void machine_bench_open(struct machine_bench *bench);
void machine_bench_close(struct machine_bench *bench);

/* machine_create(); must succeed. */
struct machine *machine_bench_create(struct machine_bench *bench);

/* With the board built and running as far as its devices can tell, but no threads. */
struct machine *machine_bench_build(struct machine_bench *bench);

/* Create and run to the end; must succeed. */
enum machine_outcome machine_bench_run(struct machine_bench *bench);

/* Create and run; must fail, with bench.err. */
void machine_bench_run_refused(struct machine_bench *bench);

#endif
