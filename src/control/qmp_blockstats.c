/* SPDX-License-Identifier: Apache-2.0 */
/* QMP's query-blockstats. */
#include "qmp_commands.h"

static const struct qmp_member counter_members[] = {
	{.name = "rd_bytes", .type = &qmp_int},
	{.name = "wr_bytes", .type = &qmp_int},
	{.name = "unmap_bytes", .type = &qmp_int},
	{.name = "rd_operations", .type = &qmp_int},
	{.name = "wr_operations", .type = &qmp_int},
	{.name = "flush_operations", .type = &qmp_int},
	{.name = "unmap_operations", .type = &qmp_int},
	{.name = "failed_rd_operations", .type = &qmp_int},
	{.name = "failed_wr_operations", .type = &qmp_int},
	{.name = "failed_flush_operations", .type = &qmp_int},
	{.name = "failed_unmap_operations", .type = &qmp_int},
	{0},
};
static const struct qmp_type device_stats = {
	.kind = QMP_OBJECT, .name = "BlockDeviceStats", .members = counter_members};
static const struct qmp_member blockstats_members[] = {
	{.name = "device", .type = &qmp_string},
	{.name = "stats",
	 .type = &device_stats,
	 .help = "bytes and operations of rd, wr, flush and unmap that the guest had answered, "
		 "and how many failed, since the machine began; writing zeroes is wr"},
	{0},
};
static const struct qmp_type blockstats = {
	.kind = QMP_OBJECT, .name = "BlockStats", .members = blockstats_members};
const struct qmp_type qmp_blockstats_list = {
	.kind = QMP_ARRAY, .name = "[BlockStats]", .element = &blockstats};

/* Of two kinds of requests, which may be the same. */
struct sum {
	uint64_t done;
	uint64_t failed;
	uint64_t bytes;
};

static struct sum sum_of(const struct disk_counters *all, unsigned ops)
{
	struct sum sum = {0};

	for (unsigned op = 0; op < DISK_OPS; op++) {
		if (!(ops & BIT(op)))
			continue;
		sum.done += counter_read(&all[op].done);
		sum.failed += counter_read(&all[op].failed);
		sum.bytes += counter_read(&all[op].bytes);
	}
	return sum;
}

static struct json_object *stats_of(const struct disk_counters *all)
{
	struct sum rd = sum_of(all, BIT(DISK_READ));
	struct sum wr = sum_of(all, BIT(DISK_WRITE) | BIT(DISK_WRITE_ZEROES));
	struct sum flush = sum_of(all, BIT(DISK_FLUSH));
	struct sum unmap = sum_of(all, BIT(DISK_DISCARD));
	const uint64_t values[] = {rd.bytes,  wr.bytes,     unmap.bytes, rd.done,
				   wr.done,   flush.done,   unmap.done,  rd.failed,
				   wr.failed, flush.failed, unmap.failed};
	struct json_object *stats = json_object_new_object();

	_Static_assert(ARRAY_SIZE(values) + 1 == ARRAY_SIZE(counter_members), "each has a value");
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		qmp_add_int(stats, counter_members[i].name, (int64_t)values[i]);
	return stats;
}

int qmp_query_blockstats(struct qmp_call *call)
{
	struct machine_disk_info disk;

	call->answer = json_object_new_array();
	for (size_t i = 0; machine_disk(qmp_machine_of(call), i, &disk); i++) {
		struct json_object *entry = json_object_new_object();

		qmp_add_string(entry, "device", disk.name);
		json_object_object_add(entry, "stats", stats_of(disk.counters));
		json_object_array_add(call->answer, entry);
	}
	return 0;
}
