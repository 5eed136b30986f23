/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that trace what leaves the guest, and tell of it. */
#include <stdio.h>
#include <string.h>

#include "base/ticks.h"
#include "machine/look.h"
#include "machine/stats.h"
#include "machine/trace.h"
#include "qmp_commands.h"

#define ROWS_MAX 64 /* of a table; the rest is "others" */

const struct qmp_member qmp_trace_arguments[] = {
	{.name = "what",
	 .type = &qmp_string,
	 .optional = true,
	 .help = "words with commas between them: exits, mmio, psci, irq, nisv (all of them)"},
	{.name = "file",
	 .type = &qmp_string,
	 .optional = true,
	 .help = "made anew: where each event is written to, in the Fuchsia trace format"},
	{.name = "seconds",
	 .type = &qmp_int,
	 .optional = true,
	 .min = 1,
	 .max = 86400,
	 .help = "how long (until trace-stop, or the end of the machine)"},
	{0},
};

const struct qmp_member qmp_query_trace_arguments[] = {
	{.name = "cpu",
	 .type = &qmp_int,
	 .optional = true,
	 .max = INT32_MAX,
	 .help = "only this vCPU, from 0"},
	{0},
};

int qmp_trace_start(struct qmp_call *call)
{
	struct machine_trace_request request = {
		.file = qmp_argument_string(call, "file"),
		.seconds = (uint32_t)qmp_argument_int(call, "seconds", 0),
	};
	struct error err = {0};
	int r = trace_read_what(qmp_argument_string(call, "what"), &request.what, &err);

	if (r == 0)
		r = machine_trace_start(qmp_machine_of(call), &request, &err);
	return qmp_told(call, r, &err);
}

int qmp_trace_stop(struct qmp_call *call)
{
	struct error err = {0};
	int r = machine_trace_stop(qmp_machine_of(call), &err);

	return qmp_told(call, r, &err);
}

/* ---- query-trace --------------------------------------------------------------------- */

static int64_t to_ns(uint64_t ticks)
{
	return (int64_t)ticks_to_ns(ticks, ticks_frequency());
}

static struct json_object *new_row(const struct tally_row *row, bool timed)
{
	struct json_object *object = json_object_new_object();

	qmp_add_int(object, "count", (int64_t)row->count);
	if (timed) {
		qmp_add_int(object, "total-ns", to_ns(row->total));
		qmp_add_int(object, "median-ns", to_ns(tally_percentile(row, 50)));
		qmp_add_int(object, "p99-ns", to_ns(tally_percentile(row, 99)));
		qmp_add_int(object, "max-ns", to_ns(row->max));
	}
	return object;
}

/* The rows of @tally, each with what @describe adds, and how many there were beyond them. */
static void add_table(struct json_object *answer, const char *name, const struct tally *tally,
		      void (*describe)(struct json_object *object, uint64_t key, void *data),
		      void *data)
{
	struct json_object *list = json_object_new_array();
	bool timed = strcmp(name, "posted") != 0;
	uint64_t others = tally->lost;
	char key[32];

	for (size_t i = 0; i < tally->size; i++) {
		struct json_object *object;

		if (i >= ROWS_MAX) {
			others += tally->rows[i].count;
			continue;
		}
		object = new_row(&tally->rows[i], timed);
		describe(object, tally->rows[i].key, data);
		json_object_array_add(list, object);
	}
	json_object_object_add(answer, name, list);
	snprintf(key, sizeof(key), "%s-others", name);
	if (others)
		qmp_add_int(answer, key, (int64_t)others);
}

static void describe_exit(struct json_object *object, uint64_t key, void *data)
{
	(void)data;
	qmp_add_string(object, "reason", machine_exit_name((unsigned)key));
}

static void describe_register(struct json_object *object, uint64_t key, void *data)
{
	char text[MMIO_REGISTER_NAME_MAX];
	const char *device = machine_register(data, key, text);

	qmp_add_hex(object, "address", key);
	if (!device)
		return;
	qmp_add_string(object, "device", device);
	qmp_add_string(object, "register", text);
}

static void describe_pc(struct json_object *object, uint64_t key, void *data)
{
	(void)data;
	qmp_add_hex(object, "pc", key);
}

static void describe_irq(struct json_object *object, uint64_t key, void *data)
{
	const char *owner = machine_irq_owner(data, (uint32_t)key);

	qmp_add_int(object, "intid", (int64_t)key);
	if (owner)
		qmp_add_string(object, "device", owner);
}

static struct json_object *describe_what(unsigned what)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < TRACE_WORDS; i++) {
		if (what & 1U << i)
			json_object_array_add(list, json_object_new_string(trace_words[i]));
	}
	return list;
}

static void add_head(struct json_object *answer, const struct machine_profile *profile)
{
	qmp_add_bool(answer, "active", profile->active);
	json_object_object_add(answer, "what", describe_what(profile->what));
	json_object_object_add(answer, "seconds",
			       json_object_new_double((double)profile->time / 1e9));
	qmp_add_int(answer, "vcpus", (int64_t)profile->vcpus);
	if (profile->vectors)
		qmp_add_hex(answer, "vectors", profile->vectors);
	if (!profile->file)
		return;
	qmp_add_string(answer, "file", profile->file);
	qmp_add_int(answer, "events", (int64_t)profile->events);
	if (profile->file_error)
		qmp_add_string(answer, "file-error", strerror(profile->file_error));
}

int qmp_query_trace(struct qmp_call *call)
{
	_cleanup_(cleanup_machine_profile_free_) struct machine_profile *profile = NULL;
	struct machine *machine = qmp_machine_of(call);
	int r = machine_profile(machine, qmp_argument_int(call, "cpu", -1), &profile);

	if (r < 0)
		return qmp_fail(call, QMP_GENERIC_ERROR, "%s",
				r == -ENOMEM ? "there is no memory for the answer"
					     : "nothing was traced, or not of such a vCPU");
	call->answer = json_object_new_object();
	add_head(call->answer, profile);
	add_table(call->answer, "exits", &profile->exits, describe_exit, NULL);
	add_table(call->answer, "reads", &profile->reads, describe_register, machine);
	add_table(call->answer, "writes", &profile->writes, describe_register, machine);
	add_table(call->answer, "posted", &profile->posted, describe_register, machine);
	add_table(call->answer, "interrupts", &profile->irqs, describe_irq, machine);
	add_table(call->answer, "pcs", &profile->pcs, describe_pc, NULL);
	qmp_add_bool(call->answer, "pcs-estimated", profile->estimated);
	return 0;
}
