/* SPDX-License-Identifier: Apache-2.0 */
/* The power of the CPUs, and its log, where armlet answers PSCI. */
#include "machine/psci.h"

#include "qmp_commands.h"

static const char *const powers[] = {[CPU_POWER_ON] = "on",
				     [CPU_POWER_OFF] = "off",
				     [CPU_POWER_ON_PENDING] = "on-pending",
				     NULL};
static const struct qmp_type power_type = {.kind = QMP_ENUM, .name = "CpuPower", .values = powers};

static const struct qmp_member cpu_members[] = {
	{.name = "cpu-index", .type = &qmp_int, .help = "as of query-cpus-fast"},
	{.name = "mpidr", .type = &qmp_int, .help = "its affinity fields, by which PSCI calls it"},
	{.name = "power", .type = &power_type, .help = "as AFFINITY_INFO tells it"},
	{.name = "present", .type = &qmp_bool, .help = "whether the guest may turn it on"},
	{0},
};
static const struct qmp_type cpu_info = {
	.kind = QMP_OBJECT, .name = "CpuPowerInfo", .members = cpu_members};
static const struct qmp_type cpu_list = {
	.kind = QMP_ARRAY, .name = "[CpuPowerInfo]", .element = &cpu_info};

static const char *const whats[] = {
	[CPU_TURNED_ON] = "on", [CPU_TURNED_OFF] = "off", [CPU_ON_REFUSED] = "refused", NULL};
static const struct qmp_type what_type = {
	.kind = QMP_ENUM, .name = "CpuPowerWhat", .values = whats};

static const struct qmp_member event_members[] = {
	{.name = "seconds", .type = &qmp_int, .help = "when, since 1970"},
	{.name = "microseconds", .type = &qmp_int, .help = "of that second"},
	{.name = "what", .type = &what_type, .help = "turned on, off, or not turned on"},
	{.name = "cpu-index", .type = &qmp_int, .help = "which CPU"},
	{.name = "by", .type = &qmp_int, .help = "the CPU that asked for it"},
	{.name = "entry",
	 .type = &qmp_int,
	 .optional = true,
	 .help = "where it begins, if it was turned on"},
	{.name = "error",
	 .type = &qmp_int,
	 .optional = true,
	 .help = "what PSCI returned, if it was refused"},
	{0},
};
static const struct qmp_type event_info = {
	.kind = QMP_OBJECT, .name = "CpuPowerEvent", .members = event_members};
static const struct qmp_type event_list = {
	.kind = QMP_ARRAY, .name = "[CpuPowerEvent]", .element = &event_info};

static const struct qmp_member psci_members[] = {
	{.name = "cpus", .type = &cpu_list, .help = "all of them"},
	{.name = "log", .type = &event_list, .help = "the last 64 changes, the oldest first"},
	{0},
};
const struct qmp_type qmp_psci_info = {
	.kind = QMP_OBJECT, .name = "PsciInfo", .members = psci_members};

static struct json_object *event_json(const struct cpu_power_event *event)
{
	struct json_object *object = json_object_new_object();

	qmp_add_int(object, "seconds", event->when.tv_sec);
	qmp_add_int(object, "microseconds", event->when.tv_nsec / 1000);
	qmp_add_string(object, "what", whats[event->what]);
	qmp_add_int(object, "cpu-index", event->cpu);
	qmp_add_int(object, "by", event->by);
	if (event->what == CPU_TURNED_ON)
		qmp_add_int(object, "entry", (int64_t)event->entry);
	if (event->what == CPU_ON_REFUSED)
		qmp_add_int(object, "error", event->refusal);
	return object;
}

int qmp_query_psci(struct qmp_call *call)
{
	struct machine *machine = qmp_machine_of(call);
	struct json_object *cpus, *log;
	struct cpu_power_event event;
	struct machine_cpu cpu;

	if (!machine_cpu(machine, 0, &cpu))
		return qmp_fail(call, QMP_GENERIC_ERROR,
				"KVM answers this guest's PSCI, or it does not run: run it with "
				"--psci armlet");
	cpus = json_object_new_array();
	log = json_object_new_array();
	for (uint32_t i = 0; machine_cpu(machine, i, &cpu); i++) {
		struct json_object *object = json_object_new_object();

		qmp_add_int(object, "cpu-index", i);
		qmp_add_int(object, "mpidr", (int64_t)cpu.mpidr);
		qmp_add_string(object, "power", powers[cpu.power]);
		qmp_add_bool(object, "present", cpu.present);
		json_object_array_add(cpus, object);
	}
	for (size_t i = 0; machine_power_event(machine, i, &event); i++)
		json_object_array_add(log, event_json(&event));
	call->answer = json_object_new_object();
	json_object_object_add(call->answer, "cpus", cpus);
	json_object_object_add(call->answer, "log", log);
	return 0;
}

const struct qmp_member qmp_present_arguments[] = {
	{.name = "cpu-index", .type = &qmp_int, .help = "which CPU"},
	{.name = "present", .type = &qmp_bool, .help = "whether the guest may turn it on"},
	{0},
};

int qmp_set_cpu_present(struct qmp_call *call)
{
	int64_t index = qmp_argument_int(call, "cpu-index", 0);
	struct error err = {0};
	int r;

	if (index < 0 || index > UINT32_MAX)
		return qmp_fail(call, QMP_GENERIC_ERROR, "there is no CPU %lld", (long long)index);
	r = machine_set_cpu_present(qmp_machine_of(call), (uint32_t)index,
				    qmp_argument_bool(call, "present", true), &err);
	return r < 0 ? qmp_fail(call, QMP_GENERIC_ERROR, "%s", err.text) : 0;
}
