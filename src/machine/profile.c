/* SPDX-License-Identifier: Apache-2.0 */
/* What a trace has counted, put together. */
#include <string.h>

#include "base/ticks.h"
#include "machine_private.h"

#define EXIT_ROWS 64 /* more than there are reasons */

const char *const trace_words[TRACE_WORDS] = {"exits", "mmio", "psci", "irq", "nisv"};

static unsigned find_word(const char *word, size_t length)
{
	for (unsigned i = 0; i < TRACE_WORDS; i++) {
		if (strlen(trace_words[i]) == length && !strncmp(trace_words[i], word, length))
			return 1U << i;
	}
	return 0;
}

int trace_read_what(const char *text, unsigned *ret, struct error *err)
{
	unsigned what = 0;

	while (text) {
		size_t length = strcspn(text, ",");
		unsigned bit = find_word(text, length);

		if (!bit)
			return error_set(err, EINVAL,
					 "'%.*s' cannot be traced; that are exits, mmio, psci, irq "
					 "and nisv, with commas between them",
					 (int)length, text);
		what |= bit;
		text = text[length] ? text + length + 1 : NULL;
	}
	*ret = what ? what : TRACE_ALL;
	return 0;
}

static int init_tables(struct machine_profile *profile)
{
	struct tally *large[] = {&profile->reads, &profile->writes, &profile->posted};
	int r = tally_init(&profile->exits, EXIT_ROWS);

	for (size_t i = 0; i < ARRAY_SIZE(large) && r == 0; i++)
		r = tally_init(large[i], 2 * (size_t)TRACE_REGISTERS);
	if (r == 0)
		r = tally_init(&profile->pcs, 4 * (size_t)TRACE_PCS);
	if (r == 0)
		r = tally_init(&profile->irqs, 2 * (size_t)TRACE_IRQS);
	return r;
}

static void add_cpu(struct machine_profile *profile, const struct trace_cpu *cpu)
{
	for (unsigned i = 0; i < VCPU_EXIT_REASONS; i++) {
		struct tally_row *row = cpu->exits[i].count ? tally_row(&profile->exits, i) : NULL;

		if (row)
			tally_merge_row(row, &cpu->exits[i]);
	}
	tally_merge(&profile->reads, &cpu->reads);
	tally_merge(&profile->writes, &cpu->writes);
	tally_merge(&profile->pcs, &cpu->pcs);
	profile->estimated |= cpu->seen > TRACE_PCS_EXACT;
	profile->events += cpu->buffer.events;
	profile->vcpus++;
}

static void add_shared(struct machine_profile *profile, struct trace *trace)
{
	pthread_mutex_lock(&trace->lock);
	tally_merge(&profile->irqs, &trace->irqs);
	tally_merge(&profile->posted, &trace->posted);
	profile->events += trace->file.events + trace->shared.events;
	profile->file = trace->file.path;
	profile->file_error = trace->file.error;
	pthread_mutex_unlock(&trace->lock);
}

static void fill(struct machine *machine, int64_t cpu, struct machine_profile *profile)
{
	struct trace *trace = &machine->trace;
	uint64_t ticks = (trace->what ? ticks_now() : trace->ended) - trace->begun;
	struct tally *tables[] = {&profile->exits,  &profile->reads, &profile->writes,
				  &profile->posted, &profile->pcs,   &profile->irqs};

	profile->active = trace->what != 0;
	profile->what = trace->asked;
	profile->time = ticks_to_ns(ticks, ticks_frequency());
	trace_see_vectors(machine);
	profile->vectors = trace->vectors;
	for (uint32_t i = 0; i < trace->cpu_count; i++) {
		if (cpu < 0 || cpu == i)
			add_cpu(profile, &trace->cpus[i]);
	}
	add_shared(profile, trace);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		tally_sort(tables[i]);
}

int machine_profile(struct machine *machine, int64_t cpu, struct machine_profile **ret)
{
	_cleanup_(cleanup_machine_profile_free_) struct machine_profile *profile = NULL;
	bool held;
	int r;

	if (!machine->trace.cpu_count || cpu >= (int64_t)machine->trace.cpu_count)
		return -ESRCH;
	profile = calloc(1, sizeof(*profile));
	if (!profile)
		return -ENOMEM;
	r = init_tables(profile);
	if (r < 0)
		return r;
	held = pause_hold(machine);
	/* Who ends a boot does not wait for the vCPUs: then they are not to be looked at. */
	r = machine->outcome == MACHINE_RUNNING ? 0 : -ESRCH;
	if (r == 0)
		fill(machine, cpu, profile);
	if (held)
		pause_release(machine);
	if (r == 0)
		*ret = steal_ptr(&profile);
	return r;
}

void machine_profile_free(struct machine_profile *profile)
{
	if (!profile)
		return;
	tally_finish(&profile->exits);
	tally_finish(&profile->reads);
	tally_finish(&profile->writes);
	tally_finish(&profile->posted);
	tally_finish(&profile->pcs);
	tally_finish(&profile->irqs);
	free(profile);
}
