/* SPDX-License-Identifier: Apache-2.0 */
/* The profile that is in the file of a trace. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/tally.h"
#include "base/ticks.h"
#include "base/util.h"
#include "core/fxt_read.h"
#include "stats.h"

#define NS_PER_SECOND UINT64_C(1000000000) /* ticks, where a file does not say */

/* A table by names: the mark of a row is the place of its name, and one more. */
struct table {
	struct tally tally;
	struct {
		char *text;
		uint64_t since; /* of an interrupt: when its line went up; 0: it is down */
	} * names;
	size_t count;
};

struct summary {
	uint64_t frequency;
	uint64_t first;
	uint64_t last;
	uint64_t events;
	uint64_t vectors; /* 0: not told */
	bool estimated;   /* places are */
	struct table exits, reads, writes, posted, interrupts, pcs;
};

static const struct {
	const char *name;
	size_t offset;
	bool timed;
	size_t rows;
} tables[] = {
	{"exits", offsetof(struct summary, exits), true, 128},
	{"reads", offsetof(struct summary, reads), true, 512},
	{"writes", offsetof(struct summary, writes), true, 512},
	{"posted", offsetof(struct summary, posted), false, 512},
	{"interrupts", offsetof(struct summary, interrupts), true, 256},
	{"pcs", offsetof(struct summary, pcs), true, 4096},
};

static struct table *table_of(struct summary *summary, size_t index)
{
	return (struct table *)((char *)summary + tables[index].offset);
}

/* FNV-1a, whose collisions nobody has to fear more than a wrong name. */
static uint64_t key_of(const char *name)
{
	uint64_t key = UINT64_C(0xcbf29ce484222325);

	while (*name)
		key = (key ^ (unsigned char)*name++) * UINT64_C(0x100000001b3);
	return key;
}

static struct tally_row *row_of(struct table *table, const char *name, uint64_t key)
{
	struct tally_row *row = tally_row(&table->tally, key);

	if (row && !row->mark) {
		table->names[table->count].text = strdup(name);
		row->mark = ++table->count;
	}
	return row;
}

static void add(struct table *table, const char *name, uint64_t time, uint64_t count)
{
	struct tally_row *row = row_of(table, name, key_of(name));

	if (row)
		tally_add(row, time, (uint32_t)count);
	else
		table->tally.lost += count - 1; /* tally_row() has counted one */
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && !strcmp(text + length - end_length, end);
}

/* An access, by its register; what is posted takes no time of its own. */
static void add_access(struct summary *summary, const struct fxt_seen *seen, uint64_t time)
{
	uint64_t count = 1;

	if (seen->event == FXT_INSTANT) {
		fxt_argument(seen, "count", &count);
		add(&summary->posted, seen->name, 0, count);
	} else if (ends_with(seen->name, " write")) {
		add(&summary->writes, seen->name, time, 1);
	} else if (ends_with(seen->name, " read")) {
		add(&summary->reads, seen->name, time, 1);
	} else {
		summary->reads.tally.lost++; /* a register that there was no name for any more */
	}
}

static void add_exit(struct summary *summary, const struct fxt_seen *seen)
{
	uint64_t time = seen->last > seen->when ? seen->last - seen->when : 0;
	uint64_t pc, address, weight = 1;
	bool is_access = !strcmp(seen->category, "mmio") && fxt_argument(seen, "address", &address);
	char text[24];

	add(&summary->exits, is_access ? "MMIO" : seen->name, time, 1);
	if (is_access)
		add_access(summary, seen, time);
	if (!fxt_argument(seen, "pc", &pc))
		return;
	if (fxt_argument(seen, "pc-weight", &weight))
		summary->estimated = true;
	snprintf(text, sizeof(text), "0x%" PRIx64, pc);
	add(&summary->pcs, text, time, weight & UINT32_MAX);
}

/* A line goes up, and down again; an edge is an event by itself. */
static void add_irq(struct summary *summary, const struct fxt_seen *seen)
{
	struct table *table = &summary->interrupts;
	struct tally_row *row = row_of(table, seen->name, key_of(seen->name));
	uint64_t *since;

	if (!row)
		return;
	since = &table->names[row->mark - 1].since;
	if (seen->event == FXT_INSTANT) {
		tally_add(row, 0, 1);
	} else if (seen->event == FXT_ASYNC_BEGIN) {
		*since = seen->when;
	} else if (seen->event == FXT_ASYNC_END && *since && seen->when >= *since) {
		tally_add(row, seen->when - *since, 1);
		*since = 0;
	}
}

static void on_frequency(void *data, uint64_t ticks_per_second)
{
	struct summary *summary = data;

	summary->frequency = ticks_per_second;
}

static void on_event(void *data, const struct fxt_seen *seen)
{
	struct summary *summary = data;

	if (!strcmp(seen->name, "VBAR_EL1") && fxt_argument(seen, "address", &summary->vectors))
		return;
	if (!summary->events++ || seen->when < summary->first)
		summary->first = seen->when;
	if (seen->when > summary->last)
		summary->last = seen->when;
	if (!strcmp(seen->category, "irq"))
		add_irq(summary, seen);
	else if (seen->event == FXT_COMPLETE)
		add_exit(summary, seen);
	else if (seen->event == FXT_INSTANT && !strcmp(seen->category, "mmio"))
		add_access(summary, seen, 0);
}

/* ---- As JSON -------------------------------------------------------------------------- */

static int64_t to_ns(const struct summary *summary, uint64_t ticks)
{
	return (int64_t)ticks_to_ns(ticks, summary->frequency);
}

static void add_int(struct json_object *object, const char *name, int64_t value)
{
	json_object_object_add(object, name, json_object_new_int64(value));
}

static void add_text(struct json_object *object, const char *name, const char *text, size_t length)
{
	json_object_object_add(object, name, json_object_new_string_len(text, (int)length));
}

/* "serial0 UARTDR write", "serial0 INTID 33", or what stands for itself. */
static void add_name(struct json_object *object, const char *table, const char *name)
{
	size_t first = strcspn(name, " "), second;

	if (!strcmp(table, "exits") || !strcmp(table, "pcs")) {
		add_text(object, *table == 'e' ? "reason" : "pc", name, strlen(name));
		return;
	}
	if (!strncmp(name, "0x", 2)) {
		add_text(object, "address", name, first);
		return;
	}
	add_text(object, "device", name, first);
	name += first + (name[first] == ' ');
	second = strcspn(name, " ");
	if (strcmp(table, "interrupts") != 0)
		add_text(object, "register", name, second);
	else if (name[second])
		add_int(object, "intid", strtoll(name + second, NULL, 10));
}

static struct json_object *row_json(const struct summary *summary, const struct tally_row *row,
				    bool timed)
{
	struct json_object *object = json_object_new_object();

	add_int(object, "count", (int64_t)row->count);
	if (timed) {
		add_int(object, "total-ns", to_ns(summary, row->total));
		add_int(object, "median-ns", to_ns(summary, tally_percentile(row, 50)));
		add_int(object, "p99-ns", to_ns(summary, tally_percentile(row, 99)));
		add_int(object, "max-ns", to_ns(summary, row->max));
	}
	return object;
}

static struct json_object *table_json(struct summary *summary, size_t index)
{
	struct json_object *list = json_object_new_array();
	struct table *table = table_of(summary, index);

	tally_sort(&table->tally);
	for (size_t i = 0; i < table->tally.size; i++) {
		const struct tally_row *row = &table->tally.rows[i];
		struct json_object *object;
		const char *name = table->names[row->mark - 1].text;

		if (!name) /* there was no memory for it */
			continue;
		object = row_json(summary, row, tables[index].timed);
		add_name(object, tables[index].name, name);
		json_object_array_add(list, object);
	}
	return list;
}

static struct json_object *to_json(struct summary *summary)
{
	struct json_object *profile = json_object_new_object();
	uint64_t time = summary->last - summary->first;
	char vectors[24];

	json_object_object_add(profile, "active", json_object_new_boolean(false));
	json_object_object_add(profile, "seconds",
			       json_object_new_double((double)time / (double)summary->frequency));
	add_int(profile, "events", (int64_t)summary->events);
	if (summary->vectors) {
		snprintf(vectors, sizeof(vectors), "0x%" PRIx64, summary->vectors);
		add_text(profile, "vectors", vectors, strlen(vectors));
	}
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		char others[24];

		json_object_object_add(profile, tables[i].name, table_json(summary, i));
		snprintf(others, sizeof(others), "%s-others", tables[i].name);
		if (table_of(summary, i)->tally.lost)
			add_int(profile, others, (int64_t)table_of(summary, i)->tally.lost);
	}
	json_object_object_add(profile, "pcs-estimated",
			       json_object_new_boolean(summary->estimated));
	return profile;
}

/* ---- All of it ------------------------------------------------------------------------ */

static int init_table(struct table *table, size_t rows)
{
	table->names = calloc(rows, sizeof(*table->names));
	return table->names ? tally_init(&table->tally, rows) : -ENOMEM;
}

static void free_summary(struct summary *summary)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		struct table *table = table_of(summary, i);

		for (size_t n = 0; n < table->count; n++)
			free(table->names[n].text);
		free(table->names);
		tally_finish(&table->tally);
	}
	free(summary);
}

int stats_of_trace(const void *bytes, size_t size, struct json_object **ret, struct error *err)
{
	struct summary *summary = calloc(1, sizeof(*summary));
	const struct fxt_visitor visitor = {
		.frequency = on_frequency, .event = on_event, .data = summary};
	int r = summary ? 0 : -ENOMEM;

	if (!summary)
		return error_set_errno(err, ENOMEM, "the trace");
	summary->frequency = NS_PER_SECOND; /* unless it says something else */
	for (size_t i = 0; i < ARRAY_SIZE(tables) && r == 0; i++)
		r = init_table(table_of(summary, i), tables[i].rows);
	if (r < 0)
		error_set_errno(err, -r, "the trace");
	else
		r = fxt_read(bytes, size, &visitor, err);
	if (r == 0)
		*ret = to_json(summary);
	free_summary(summary);
	return r;
}

int stats_read_trace(const char *path, struct json_object **ret, struct error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat stat;
	void *bytes = NULL;
	int r;

	if (fd < 0 || fstat(fd, &stat) < 0)
		return error_set_errno(err, errno, "'%s'", path);
	if (!S_ISREG(stat.st_mode))
		return error_set(err, EINVAL, "'%s' is not a file", path);
	if (stat.st_size) {
		bytes = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (bytes == MAP_FAILED)
			return error_set_errno(err, errno, "'%s'", path);
	}
	r = stats_of_trace(bytes, (size_t)stat.st_size, ret, err);
	if (bytes)
		munmap(bytes, (size_t)stat.st_size);
	return r < 0 ? error_prefix(err, "'%s': ", path) : 0;
}
