/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands that ask what is counted: QMP's query-stats with KVM's counters and our own,
 * and query-blockstats.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "machine/stats.h"
#include "qmp_commands.h"

/* Of one VM or vCPU of ours: four for each network, and the few that are named below. */
#define OWN_STATS_MAX 192
#define OWN_NAME_MAX  48

/* Types. */

static const char *const provider_names[] = {"kvm", "armlet", NULL};
static const struct qmp_type stats_provider = {
	.kind = QMP_ENUM, .name = "StatsProvider", .values = provider_names};

static const char *const target_names[] = {"vm", "vcpu", NULL};
static const struct qmp_type stats_target = {
	.kind = QMP_ENUM, .name = "StatsTarget", .values = target_names};

static const char *const type_names[] = {
	[HYP_STAT_CUMULATIVE] = "cumulative",
	[HYP_STAT_INSTANT] = "instant",
	[HYP_STAT_PEAK] = "peak",
	[HYP_STAT_LINEAR_HISTOGRAM] = "linear-histogram",
	[HYP_STAT_LOG2_HISTOGRAM] = "log2-histogram",
	[HYP_STAT_TYPES] = NULL,
};
static const struct qmp_type stats_type = {
	.kind = QMP_ENUM, .name = "StatsType", .values = type_names};

/* A pure number has no unit. */
static const char *const unit_names[] = {"bytes", "seconds", "cycles", "boolean", NULL};
static const struct qmp_type stats_unit = {
	.kind = QMP_ENUM, .name = "StatsUnit", .values = unit_names};
_Static_assert(HYP_STAT_BYTES == 1 && HYP_STAT_UNITS == ARRAY_SIZE(unit_names), "each has a name");

static const struct qmp_type string_list = {
	.kind = QMP_ARRAY, .name = "[str]", .element = &qmp_string};

static const struct qmp_member request_members[] = {
	{.name = "provider", .type = &stats_provider},
	{.name = "names", .type = &string_list, .optional = true},
	{0},
};
static const struct qmp_type stats_request = {
	.kind = QMP_OBJECT, .name = "StatsRequest", .members = request_members};
static const struct qmp_type stats_request_list = {
	.kind = QMP_ARRAY, .name = "[StatsRequest]", .element = &stats_request};

const struct qmp_member qmp_stats_arguments[] = {
	{.name = "target", .type = &stats_target},
	{.name = "vcpus",
	 .type = &string_list,
	 .optional = true,
	 .help = "only these, by their qom-path; with target vcpu"},
	{.name = "providers",
	 .type = &stats_request_list,
	 .optional = true,
	 .help = "only what these count; of that only the names, if there are some"},
	{0},
};

static const struct qmp_member stats_members[] = {
	{.name = "name", .type = &qmp_string},
	{.name = "value", .type = &qmp_any},
	{0},
};
static const struct qmp_type stats = {
	.kind = QMP_OBJECT, .name = "Stats", .members = stats_members};
static const struct qmp_type stats_list = {.kind = QMP_ARRAY, .name = "[Stats]", .element = &stats};
static const struct qmp_member result_members[] = {
	{.name = "provider", .type = &stats_provider},
	{.name = "qom-path", .type = &qmp_string, .optional = true, .help = "of the vCPU"},
	{.name = "stats",
	 .type = &stats_list,
	 .help = "name and value: a number, a list of them or a boolean"},
	{0},
};
static const struct qmp_type stats_result = {
	.kind = QMP_OBJECT, .name = "StatsResult", .members = result_members};
const struct qmp_type qmp_stats_result_list = {
	.kind = QMP_ARRAY, .name = "[StatsResult]", .element = &stats_result};

const struct qmp_member qmp_stats_schemas_arguments[] = {
	{.name = "provider", .type = &stats_provider, .optional = true},
	{0},
};
static const struct qmp_member schema_value_members[] = {
	{.name = "name", .type = &qmp_string},
	{.name = "type", .type = &stats_type},
	{.name = "unit", .type = &stats_unit, .optional = true},
	{.name = "base", .type = &qmp_int, .optional = true},
	{.name = "exponent", .type = &qmp_int},
	{.name = "bucket-size", .type = &qmp_int, .optional = true},
	{0},
};
static const struct qmp_type stats_schema_value = {
	.kind = QMP_OBJECT, .name = "StatsSchemaValue", .members = schema_value_members};
static const struct qmp_type stats_schema_value_list = {
	.kind = QMP_ARRAY, .name = "[StatsSchemaValue]", .element = &stats_schema_value};
static const struct qmp_member schema_members[] = {
	{.name = "provider", .type = &stats_provider},
	{.name = "target", .type = &stats_target},
	{.name = "stats",
	 .type = &stats_schema_value_list,
	 .help = "name, type, unit, and the base and exponent of what the unit is counted in"},
	{0},
};
static const struct qmp_type stats_schema = {
	.kind = QMP_OBJECT, .name = "StatsSchema", .members = schema_members};
const struct qmp_type qmp_stats_schema_list = {
	.kind = QMP_ARRAY, .name = "[StatsSchema]", .element = &stats_schema};

/* Our own counters, in the form of the hypervisor's. */

struct own_stats {
	size_t count;
	struct hyp_stat stats[OWN_STATS_MAX];
	uint64_t values[OWN_STATS_MAX];
	char names[OWN_STATS_MAX][OWN_NAME_MAX];
};

#define CUMULATIVE(of)                                    \
	(struct hyp_stat)                                 \
	{                                                 \
		.type = HYP_STAT_CUMULATIVE, .unit = (of) \
	}
#define INSTANT(of)                                    \
	(struct hyp_stat)                              \
	{                                              \
		.type = HYP_STAT_INSTANT, .unit = (of) \
	}
#define NANOSECONDS                                                                               \
	(struct hyp_stat)                                                                         \
	{                                                                                         \
		.type = HYP_STAT_CUMULATIVE, .unit = HYP_STAT_SECONDS, .base = 10, .exponent = -9 \
	}

/* The name is @first-@second in small letters; @second may be NULL. */
static void add_own(struct own_stats *own, struct hyp_stat like, const char *first,
		    const char *second, uint64_t value)
{
	char *name;

	if (own->count >= OWN_STATS_MAX)
		return;
	name = own->names[own->count];
	snprintf(name, OWN_NAME_MAX, "%s%s%s", first, second ? "-" : "", second ? second : "");
	for (char *c = name; *c; c++)
		*c = *c == '_' ? '-' : (char)tolower((unsigned char)*c);
	own->values[own->count] = value;
	own->stats[own->count] = like;
	own->stats[own->count].name = name;
	own->stats[own->count].count = 1;
	own->stats[own->count].values = &own->values[own->count];
	own->count++;
}

static void count_vm(struct machine *machine, struct own_stats *own)
{
	struct machine_net_stats net;
	struct machine_usage usage;
	uint64_t actual;
	int r = 1;

	machine_usage(machine, &usage);
	add_own(own, NANOSECONDS, "cpu-time", NULL, usage.cpu_time);
	add_own(own, INSTANT(HYP_STAT_BYTES), "memory-size", NULL, usage.memory);
	add_own(own, INSTANT(HYP_STAT_BYTES), "memory-resident", NULL, usage.resident);
	if (machine_memory(machine, &actual))
		add_own(own, INSTANT(HYP_STAT_BYTES), "memory-actual", NULL, actual);
	for (size_t i = 0; r != 0; i++) {
		r = machine_net_stats(machine, i, &net);
		if (r <= 0)
			continue;
		add_own(own, CUMULATIVE(HYP_STAT_BYTES), net.name, "rx-bytes", net.rx_bytes);
		add_own(own, CUMULATIVE(HYP_STAT_PURE), net.name, "rx-packets", net.rx_packets);
		add_own(own, CUMULATIVE(HYP_STAT_BYTES), net.name, "tx-bytes", net.tx_bytes);
		add_own(own, CUMULATIVE(HYP_STAT_PURE), net.name, "tx-packets", net.tx_packets);
	}
}

static void count_vcpu(struct machine *machine, uint32_t index, struct own_stats *own)
{
	uint64_t sum = 0;
	const char *name;

	for (unsigned kind = 0; machine_exit_name(kind); kind++)
		sum += machine_vcpu_exits(machine, index, kind);
	add_own(own, NANOSECONDS, "cpu-time", NULL, machine_vcpu_cpu_time(machine, index));
	add_own(own, CUMULATIVE(HYP_STAT_PURE), "exits", NULL, sum);
	for (unsigned kind = 0; (name = machine_exit_name(kind)); kind++)
		add_own(own, CUMULATIVE(HYP_STAT_PURE), "exits", name,
			machine_vcpu_exits(machine, index, kind));
}

/* Whose counters: of a provider and, with @vcpu, of that vCPU. */
struct source {
	const char *provider;
	const char *path; /* of the vCPU; NULL: the VM's */
	uint32_t vcpu;
};

struct seen {
	void (*see)(const struct seen *seen, const struct source *source,
		    const struct hyp_stat *stats, size_t count);
	struct json_object *answer;
	const struct json_object *names; /* NULL: all */
};

static void look_at_own(struct machine *machine, const struct source *source,
			const struct seen *seen)
{
	struct own_stats own;

	own.count = 0;
	if (source->path)
		count_vcpu(machine, source->vcpu, &own);
	else
		count_vm(machine, &own);
	seen->see(seen, source, own.stats, own.count);
}

/* A host that does not count has nothing to be seen. */
static int look_at_kvm(struct qmp_call *call, const struct source *source, const struct seen *seen)
{
	struct machine *machine = qmp_machine_of(call);
	_cleanup_free_ struct hyp_stats *found = NULL;
	int r = source->path ? machine_vcpu_hyp_stats(machine, source->vcpu, &found)
			     : machine_hyp_stats(machine, &found);

	if (r == -EOPNOTSUPP)
		return 0;
	if (r < 0)
		return qmp_fail(call, QMP_GENERIC_ERROR, "KVM's counters of %s cannot be read: %s",
				source->path ? source->path : "the machine", strerror(-r));
	seen->see(seen, source, found->stats, found->count);
	return 0;
}

static int look_at(struct qmp_call *call, const struct source *source, const struct seen *seen)
{
	if (source->provider == provider_names[0])
		return look_at_kvm(call, source, seen);
	look_at_own(qmp_machine_of(call), source, seen);
	return 0;
}

/* query-stats. */

static bool is_listed(const struct json_object *list, const char *text)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		if (!strcmp(json_object_get_string(json_object_array_get_idx(list, i)), text))
			return true;
	}
	return !list;
}

static struct json_object *value_of(const struct hyp_stat *stat)
{
	struct json_object *list;

	if (stat->unit == HYP_STAT_BOOLEAN && stat->count == 1)
		return json_object_new_boolean(stat->values[0] != 0);
	if (stat->type != HYP_STAT_LINEAR_HISTOGRAM && stat->type != HYP_STAT_LOG2_HISTOGRAM &&
	    stat->count == 1)
		return json_object_new_uint64(stat->values[0]);
	list = json_object_new_array();
	for (uint32_t i = 0; i < stat->count; i++)
		json_object_array_add(list, json_object_new_uint64(stat->values[i]));
	return list;
}

/* As QEMU: where nothing is of the names that are asked for, there is no result. */
static void see_values(const struct seen *seen, const struct source *source,
		       const struct hyp_stat *found, size_t count)
{
	struct json_object *list = json_object_new_array();
	struct json_object *result;

	for (size_t i = 0; i < count; i++) {
		struct json_object *entry;

		if (!is_listed(seen->names, found[i].name))
			continue;
		entry = json_object_new_object();
		qmp_add_string(entry, "name", found[i].name);
		json_object_object_add(entry, "value", value_of(&found[i]));
		json_object_array_add(list, entry);
	}
	if (!json_object_array_length(list)) {
		json_object_put(list);
		return;
	}
	result = json_object_new_object();
	qmp_add_string(result, "provider", source->provider);
	if (source->path)
		qmp_add_string(result, "qom-path", source->path);
	json_object_object_add(result, "stats", list);
	json_object_array_add(seen->answer, result);
}

static int look_at_target(struct qmp_call *call, const char *provider, const struct seen *seen)
{
	bool vcpus = !strcmp(qmp_argument_string(call, "target"), "vcpu");
	struct source source = {.provider = provider};
	char path[QMP_CPU_PATH_MAX];
	int r = 0;

	if (!vcpus)
		return look_at(call, &source, seen);
	for (uint32_t i = 0; i < qmp_server_of(call)->options.config->cpus && r == 0; i++) {
		source.vcpu = i;
		source.path = qmp_cpu_path(i, path);
		if (is_listed(qmp_argument(call, "vcpus"), path))
			r = look_at(call, &source, seen);
	}
	return r;
}

/* That of the table with the name in @request, an object. */
static const char *provider_in(const struct json_object *request)
{
	const char *wanted = json_object_get_string(json_object_object_get(request, "provider"));

	return !strcmp(wanted, provider_names[0]) ? provider_names[0] : provider_names[1];
}

int qmp_query_stats(struct qmp_call *call)
{
	const struct json_object *providers = qmp_argument(call, "providers");
	struct seen seen = {.see = see_values};
	int r = 0;

	if (strcmp(qmp_argument_string(call, "target"), "vcpu") != 0 && qmp_argument(call, "vcpus"))
		return qmp_fail(call, QMP_GENERIC_ERROR, "Parameter 'vcpus' is unexpected");
	call->answer = seen.answer = json_object_new_array();
	for (size_t i = 0; !providers && provider_names[i] && r == 0; i++)
		r = look_at_target(call, provider_names[i], &seen);
	for (size_t i = 0; providers && i < json_object_array_length(providers) && r == 0; i++) {
		const struct json_object *request = json_object_array_get_idx(providers, i);

		seen.names = json_object_object_get(request, "names");
		r = look_at_target(call, provider_in(request), &seen);
	}
	return r;
}

/* query-stats-schemas. */

static void see_schema(const struct seen *seen, const struct source *source,
		       const struct hyp_stat *found, size_t count)
{
	struct json_object *schema = json_object_new_object();
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < count; i++) {
		struct json_object *value = json_object_new_object();

		qmp_add_string(value, "name", found[i].name);
		qmp_add_string(value, "type", type_names[found[i].type]);
		if (found[i].unit != HYP_STAT_PURE)
			qmp_add_string(value, "unit", unit_names[found[i].unit - HYP_STAT_BYTES]);
		if (found[i].exponent)
			qmp_add_int(value, "base", found[i].base);
		qmp_add_int(value, "exponent", found[i].exponent);
		if (found[i].type == HYP_STAT_LINEAR_HISTOGRAM)
			qmp_add_int(value, "bucket-size", found[i].bucket_size);
		json_object_array_add(list, value);
	}
	qmp_add_string(schema, "provider", source->provider);
	qmp_add_string(schema, "target", target_names[source->path ? 1 : 0]);
	json_object_object_add(schema, "stats", list);
	json_object_array_add(seen->answer, schema);
}

int qmp_query_stats_schemas(struct qmp_call *call)
{
	const char *wanted = qmp_argument_string(call, "provider");
	struct seen seen = {.see = see_schema};
	char path[QMP_CPU_PATH_MAX];
	int r = 0;

	call->answer = seen.answer = json_object_new_array();
	for (size_t i = 0; provider_names[i] && r == 0; i++) {
		struct source source = {.provider = provider_names[i]};

		if (wanted && strcmp(wanted, provider_names[i]) != 0)
			continue;
		r = look_at(call, &source, &seen);
		source.path = qmp_cpu_path(0, path);
		if (r == 0)
			r = look_at(call, &source, &seen);
	}
	return r;
}
