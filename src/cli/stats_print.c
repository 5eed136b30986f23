/* SPDX-License-Identifier: Apache-2.0 */
/* A profile for people. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "base/util.h"
#include "stats.h"

/* Linux is moved by KASLR as its image is aligned; newer ones by less. */
#define SLIDE_USUAL (2 * MIB)
#define SLIDE_LEAST (64 * KIB)
#define NAME_MAX    64
#define TIME_MAX    24

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

static const char *text(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name);

	return value ? json_object_get_string(value) : "";
}

static int64_t number(struct json_object *object, const char *name)
{
	return json_object_get_int64(member(object, name));
}

/* ---- Where the guest was ---------------------------------------------------------------- */

/*
 * Where Linux has its vectors: in one place, or with some mitigations against speculation
 * in one of three others.
 */
static const struct {
	const char *name;
	uint64_t offset;
} vectors_at[] = {
	{"vectors", 0},
	{"__bp_harden_el1_vectors", 0},
	{"__bp_harden_el1_vectors", 0x800},
	{"__bp_harden_el1_vectors", 0x1000},
};

/* How far the kernel is from where its symbols say, a multiple of @alignment. */
static bool find_slide(uint64_t vectors, const struct symbols *symbols, uint64_t alignment,
		       uint64_t *ret)
{
	uint64_t there;

	for (size_t i = 0; i < ARRAY_SIZE(vectors_at); i++) {
		if (!symbols_address(symbols, vectors_at[i].name, &there))
			continue;
		*ret = vectors - there - vectors_at[i].offset;
		if (*ret % alignment == 0)
			return true;
	}
	return false;
}

/* What is no Linux is where it says. */
static bool guess_slide(struct json_object *profile, const struct symbols *symbols, uint64_t *ret)
{
	uint64_t vectors, there;

	*ret = 0;
	if (!symbols_address(symbols, vectors_at[0].name, &there) ||
	    parse_u64(text(profile, "vectors"), &vectors) < 0)
		return true;
	return find_slide(vectors, symbols, SLIDE_USUAL, ret) ||
	       find_slide(vectors, symbols, SLIDE_LEAST, ret);
}

bool stats_name_pcs(struct json_object *profile, struct symbols *symbols)
{
	struct json_object *pcs = member(profile, "pcs");
	uint64_t slide, pc, offset;
	char name[NAME_MAX + 24];

	if (!guess_slide(profile, symbols, &slide))
		return false;
	if (slide)
		symbols_drop_modules(symbols);
	for (size_t i = 0; i < json_object_array_length(pcs); i++) {
		struct json_object *row = json_object_array_get_idx(pcs, i);
		const char *function;

		if (parse_u64(text(row, "pc"), &pc) < 0)
			continue;
		function = symbols_find(symbols, pc - slide, &offset);
		if (!function)
			continue;
		snprintf(name, sizeof(name), "%.*s+0x%" PRIx64, NAME_MAX, function, offset);
		json_object_object_add(row, "symbol", json_object_new_string(name));
	}
	return true;
}

/* ---- Tables --------------------------------------------------------------------------- */

static const char *format_time(int64_t ns, char ret[TIME_MAX])
{
	static const struct {
		int64_t unit;
		const char *name;
	} units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "us"}};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (ns >= units[i].unit) {
			snprintf(ret, TIME_MAX, "%.3g %s", (double)ns / (double)units[i].unit,
				 units[i].name);
			return ret;
		}
	}
	snprintf(ret, TIME_MAX, "%" PRId64 " ns", ns);
	return ret;
}

static void print_times(struct json_object *row)
{
	int64_t count = number(row, "count");
	char a[TIME_MAX], b[TIME_MAX], c[TIME_MAX], d[TIME_MAX];

	/* What is posted, and interrupts that are edges, take no time. */
	if (!number(row, "total-ns")) {
		printf(" %9" PRId64 "\n", count);
		return;
	}
	printf(" %9" PRId64 " %9s %9s %9s %9s\n", count, format_time(number(row, "total-ns"), a),
	       format_time(count ? number(row, "total-ns") / count : 0, b),
	       format_time(number(row, "p99-ns"), c), format_time(number(row, "max-ns"), d));
}

static void name_exit(struct json_object *row, char ret[NAME_MAX])
{
	snprintf(ret, NAME_MAX, "%s", text(row, "reason"));
}

static void name_access(struct json_object *row, const char *how, char ret[NAME_MAX])
{
	if (member(row, "device"))
		snprintf(ret, NAME_MAX, "%.20s %.24s %s", text(row, "device"),
			 text(row, "register"), how);
	else
		snprintf(ret, NAME_MAX, "%.20s %s, no device", text(row, "address"), how);
}

static void name_read(struct json_object *row, char ret[NAME_MAX])
{
	name_access(row, "read", ret);
}

static void name_write(struct json_object *row, char ret[NAME_MAX])
{
	name_access(row, "write", ret);
}

static void name_posted(struct json_object *row, char ret[NAME_MAX])
{
	name_access(row, "posted", ret);
}

static void name_irq(struct json_object *row, char ret[NAME_MAX])
{
	snprintf(ret, NAME_MAX, "INTID %s %.40s", text(row, "intid"), text(row, "device"));
}

static void name_pc(struct json_object *row, char ret[NAME_MAX])
{
	snprintf(ret, NAME_MAX, "%.60s",
		 member(row, "symbol") ? text(row, "symbol") : text(row, "pc"));
}

static const struct {
	const char *table;
	const char *heading; /* NULL: it goes on below the one before */
	void (*name)(struct json_object *row, char ret[NAME_MAX]);
} tables[] = {
	{"exits", "EXIT", name_exit},          {"reads", "REGISTER", name_read},
	{"writes", NULL, name_write},          {"posted", NULL, name_posted},
	{"interrupts", "INTERRUPT", name_irq}, {"pcs", "WHERE IN THE GUEST", name_pc},
};

static void print_heading(const char *heading, bool *ret_first)
{
	printf("%s%-42s %9s %9s %9s %9s %9s\n", *ret_first ? "" : "\n", heading, "COUNT", "TOTAL",
	       "MEAN", "P99", "MAX");
	*ret_first = false;
}

/* They are the guest's, or a file's: nothing of it is for the terminal. */
static void hide_controls(char *text)
{
	for (; *text; text++) {
		if (iscntrl((unsigned char)*text))
			*text = '?';
	}
}

static void print_table(struct json_object *profile, size_t index, uint32_t rows)
{
	struct json_object *list = member(profile, tables[index].table);
	size_t count = list ? json_object_array_length(list) : 0;
	char name[NAME_MAX], others[32];
	int64_t rest = 0;

	for (size_t i = 0; i < count; i++) {
		struct json_object *row = json_object_array_get_idx(list, i);

		if (i >= rows) {
			rest += number(row, "count");
			continue;
		}
		tables[index].name(row, name);
		hide_controls(name);
		printf("%-42s", name);
		print_times(row);
	}
	snprintf(others, sizeof(others), "%s-others", tables[index].table);
	rest += number(profile, others);
	if (rest)
		printf("%-42s %9" PRId64 "\n", "others", rest);
}

/* Whether a table has rows, or one that goes on below it. */
static bool has_rows(struct json_object *profile, size_t index)
{
	do {
		struct json_object *list = member(profile, tables[index].table);

		if (list && json_object_array_length(list))
			return true;
		index++;
	} while (index < ARRAY_SIZE(tables) && !tables[index].heading);
	return false;
}

void stats_print(struct json_object *profile, uint32_t rows)
{
	bool first = true;

	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		if (tables[i].heading && has_rows(profile, i))
			print_heading(tables[i].heading, &first);
		print_table(profile, i, rows);
	}
	if (first)
		puts("nothing has left the guest");
	if (json_object_get_boolean(member(profile, "pcs-estimated")))
		puts("\nWhere in the guest: of long traces, every 17th exit of a vCPU stands for "
		     "17.");
	if (member(profile, "file-error"))
		printf("\n%s is not complete: %s\n", text(profile, "file"),
		       text(profile, "file-error"));
}
