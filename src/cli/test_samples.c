/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many exits to user space a guest had, and when: looked at by a timer, first often, then,
 * as there is room for so many samples only, ever more seldom. Only --output pays for it.
 */
#include <time.h>

#include "base/now.h"
#include "machine/stats.h"
#include "test.h"

#define SAMPLE_NS (10 * UINT64_C(1000000)) /* at first */

static uint64_t count_exits(const struct test *test)
{
	const struct machine *machine = test->run.machine;
	uint64_t exits = 0;

	for (uint32_t i = 0; i < test->run.options.machine.cpus; i++) {
		for (unsigned kind = 0; machine_exit_name(kind); kind++)
			exits += machine_vcpu_exits(machine, i, kind);
	}
	return exits;
}

static void take_sample(struct test *test)
{
	if (test->sample_count == TEST_SAMPLES) {
		for (size_t i = 0; i < TEST_SAMPLES / 2; i++)
			test->samples[i] = test->samples[2 * i];
		test->sample_count = TEST_SAMPLES / 2;
		test->sample_ns *= 2;
		event_timer_set(&test->sampler, test->sample_ns, test->sample_ns);
	}
	test->samples[test->sample_count++] =
		(struct test_sample){.ms = now_ms(), .exits = count_exits(test)};
}

static void on_sample(void *data, unsigned events)
{
	struct test *test = data;

	(void)events;
	take_sample(test);
}

int test_begin_samples(struct test *test, struct error *err)
{
	int r;

	if (!test->options.output)
		return 0;
	test->sampler = (struct event_source){.fd = -1, .callback = on_sample, .data = test};
	r = event_loop_add_timer(test->run.loop, &test->sampler, CLOCK_MONOTONIC);
	test->sample_ns = SAMPLE_NS;
	if (r == 0)
		r = event_timer_set(&test->sampler, SAMPLE_NS, SAMPLE_NS);
	take_sample(test);
	return r < 0 ? error_set_errno(err, -r, "--output: a timer") : 0;
}

uint64_t test_guest_us(const struct test *test, int64_t ms)
{
	return ms && test->guest_ms && ms > test->guest_ms ? (uint64_t)(ms - test->guest_ms) * 1000
							   : 0;
}

/* A machine that was reset counts anew. */
size_t test_spans(const struct test *test, struct boot_chart_span spans[static TEST_SAMPLES])
{
	size_t count = 0;

	for (size_t i = 1; i < test->sample_count && test->guest_ms; i++) {
		const struct test_sample *last = &test->samples[i - 1], *sample = &test->samples[i];

		spans[count++] = (struct boot_chart_span){
			.begin_us = test_guest_us(test, last->ms),
			.end_us = test_guest_us(test, sample->ms),
			.exits = sample->exits > last->exits ? sample->exits - last->exits : 0,
		};
	}
	return count;
}
