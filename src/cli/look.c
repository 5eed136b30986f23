/* SPDX-License-Identifier: Apache-2.0 */
#include "look.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "verbs.h"

static const char *text(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value) : "";
}

static bool is_true(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) && json_object_get_boolean(value);
}

/* A number, or a string of one. */
static uint64_t number(struct json_object *object, const char *name)
{
	uint64_t value = 0;

	parse_u64(text(object, name), &value);
	return value;
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

/* ---- translate ------------------------------------------------------------------ */

static void print_leaf(struct json_object *step)
{
	printf("             EL1 %s, EL0 %s, %s, shareable: %s%s%s%s%s\n", text(step, "el1"),
	       text(step, "el0"), text(step, "attributes"), text(step, "shareable"),
	       is_true(step, "accessed") ? "" : ", never accessed",
	       is_true(step, "dirty") ? "" : ", clean",
	       is_true(step, "global") ? "" : ", not global",
	       is_true(step, "contiguous") ? ", contiguous" : "");
}

static void print_step(struct json_object *step)
{
	printf("  level %2s  at %-12s %-18s  %s", text(step, "level"), text(step, "at"),
	       text(step, "descriptor"), text(step, "kind"));
	if (*text(step, "next"))
		printf(" -> %s", text(step, "next"));
	putchar('\n');
	if (*text(step, "el1"))
		print_leaf(step);
}

static void print_end(struct json_object *at)
{
	char size[FORMAT_SIZE_MAX];

	if (*text(at, "fault")) {
		printf("  it leads nowhere: %s\n", text(at, "fault"));
		return;
	}
	printf("  IPA %s", text(at, "ipa"));
	if (member(at, "size"))
		printf(", of %s", format_size(number(at, "size"), size));
	if (*text(at, "device"))
		printf(": %s, register %s\n", text(at, "device"),
		       *text(at, "register") ? text(at, "register") : text(at, "offset"));
	else
		puts(*text(at, "host") ? ": RAM" : ": nothing is there");
	if (!*text(at, "host"))
		return;
	printf("  host %s", text(at, "host"));
	if (member(at, "host-page"))
		printf(", page of %s", format_size(number(at, "host-page"), size));
	if (*text(at, "host-physical"))
		printf(", physical %s", text(at, "host-physical"));
	putchar('\n');
}

static void print_translation(struct json_object *at)
{
	struct json_object *steps = member(at, "steps");
	char size[FORMAT_SIZE_MAX];

	printf("%s", text(at, "address"));
	if (is_true(at, "mmu"))
		printf("  by %s %s, granule %s, %s bits\n", text(at, "table"), text(at, "base"),
		       format_size(number(at, "granule"), size), text(at, "bits"));
	else
		puts("  stage 1 is off");
	for (size_t i = 0; i < json_object_array_length(steps); i++)
		print_step(json_object_array_get_idx(steps, i));
	print_end(at);
}

/* ---- regs, timers, gic ------------------------------------------------------------ */

#define NAME_WIDTH  17
#define VALUE_WIDTH 20

/* Two in a line, if both are short. */
static void print_registers(struct json_object *registers)
{
	bool half = false;

	json_object_object_foreach(registers, name, value)
	{
		const char *digits = json_object_get_string(value);
		bool fits = strlen(digits) < VALUE_WIDTH;

		if (half && !fits) {
			putchar('\n');
			half = false;
		}
		if (half || !fits)
			printf("%-*s %s\n", NAME_WIDTH, name, digits);
		else
			printf("%-*s %-*s", NAME_WIDTH, name, VALUE_WIDTH, digits);
		half = fits && !half;
	}
	if (half)
		putchar('\n');
}

static void print_timers(struct json_object *cpus)
{
	puts("CPU  TIMER     INTID  STATE                COMPARE             DUE");
	for (size_t c = 0; c < json_object_array_length(cpus); c++) {
		struct json_object *cpu = json_object_array_get_idx(cpus, c);
		struct json_object *timers = member(cpu, "timers");

		for (size_t i = 0; i < json_object_array_length(timers); i++) {
			struct json_object *timer = json_object_array_get_idx(timers, i);
			struct json_object *left = member(timer, "seconds-left");
			const char *state = !is_true(timer, "enabled")  ? "off"
					    : is_true(timer, "masked")  ? "masked"
					    : is_true(timer, "expired") ? "on, expired"
									: "on";

			printf("%-4s %-9s %-6s %-20s %-19s ", text(cpu, "cpu"), text(timer, "name"),
			       text(timer, "intid"), state, text(timer, "compare"));
			if (left)
				printf("in %.6f s\n", json_object_get_double(left));
			else
				puts("-");
		}
	}
}

/* Its last column is the CPU whose list registers the interrupt is for; most are for none. */
static void print_kvm(const char *lines)
{
	puts("\nAs KVM has it:");
	while (*lines) {
		size_t length = strcspn(lines, "\n"), end = length;

		while (end > 0 && lines[end - 1] == ' ')
			end--;
		if (end < 3 || strncmp(lines + end - 3, " -1", 3) != 0)
			printf("%.*s\n", (int)end, lines);
		lines += length + (lines[length] == '\n');
	}
}

static void print_gic(struct json_object *gic)
{
	struct json_object *list = member(gic, "interrupts");

	printf("GICv%s\n", text(gic, "version"));
	puts("INTID  CPU     NAME              ENABLED  PENDING  ACTIVE  TRIGGER  PRIORITY");
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *irq = json_object_array_get_idx(list, i);
		const char *cpu = member(irq, "cpu") ? text(irq, "cpu") : text(irq, "target");

		printf("%-6s %-7s %-17s %-8s %-8s %-7s %-8s %s\n", text(irq, "intid"), cpu,
		       *text(irq, "name") ? text(irq, "name") : "-",
		       is_true(irq, "enabled") ? "yes" : "-", is_true(irq, "pending") ? "yes" : "-",
		       is_true(irq, "active") ? "yes" : "-", text(irq, "trigger"),
		       text(irq, "priority"));
	}
	if (*text(gic, "kvm"))
		print_kvm(text(gic, "kvm"));
}

/* ---- devices ---------------------------------------------------------------------- */

static void print_state(struct json_object *state, int indent);

/* Arrays of zeroes are most of what there is. */
static void print_array(const char *name, struct json_object *list, int indent)
{
	size_t count = json_object_array_length(list), last = 0;

	if (count && json_object_is_type(json_object_array_get_idx(list, 0), json_type_object)) {
		for (size_t i = 0; i < count; i++) {
			printf("%*s%s %zu\n", indent, "", name, i);
			print_state(json_object_array_get_idx(list, i), indent + 2);
		}
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (json_object_get_int64(json_object_array_get_idx(list, i)))
			last = i + 1;
	}
	printf("%*s%-24s", indent, "", name);
	for (size_t i = 0; i < last; i++)
		printf(" %s", json_object_get_string(json_object_array_get_idx(list, i)));
	if (last < count)
		printf("%s%zu of %zu are zero", last ? ", " : " ", count - last, count);
	putchar('\n');
}

static void print_state(struct json_object *state, int indent)
{
	json_object_object_foreach(state, name, value)
	{
		if (json_object_is_type(value, json_type_array))
			print_array(name, value, indent);
		else
			printf("%*s%-24s %s\n", indent, "", name, json_object_get_string(value));
	}
}

static void print_devices(struct json_object *devices)
{
	for (size_t i = 0; i < json_object_array_length(devices); i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);

		printf("%s%s: %s at %s", i ? "\n" : "", text(device, "name"), text(device, "type"),
		       text(device, "base"));
		if (member(device, "intid"))
			printf(", interrupt %s", text(device, "intid"));
		putchar('\n');
		print_state(member(device, "state"), 2);
	}
}

/* ---- memory, map -------------------------------------------------------------------- */

static int by_base(const void *a, const void *b)
{
	uint64_t one = number(*(struct json_object *const *)a, "base");
	uint64_t other = number(*(struct json_object *const *)b, "base");

	return one < other ? -1 : one > other;
}

static void print_memory(struct json_object *places)
{
	char size[FORMAT_SIZE_MAX];

	json_object_array_sort(places, by_base);
	puts("BASE            END             SIZE      KIND       NAME");
	for (size_t i = 0; i < json_object_array_length(places); i++) {
		struct json_object *place = json_object_array_get_idx(places, i);
		uint64_t base = number(place, "base"), bytes = number(place, "size");

		printf("0x%-13" PRIx64 " 0x%-13" PRIx64 " %-9s %-10s %s\n", base, base + bytes - 1,
		       format_size(bytes, size), text(place, "kind"), text(place, "name"));
	}
}

#define MAP_LINE "+------------------------------------------+"

/* From the top of the memory to its bottom; what nothing is at is a gap. */
static void print_map(struct json_object *places)
{
	uint64_t below = 0;
	char size[FORMAT_SIZE_MAX];

	json_object_array_sort(places, by_base);
	for (size_t i = json_object_array_length(places); i-- > 0;) {
		struct json_object *place = json_object_array_get_idx(places, i);
		uint64_t base = number(place, "base"), bytes = number(place, "size");

		/* A shadow is where the registers are. */
		if (!strcmp(text(place, "kind"), "read-only"))
			continue;
		if (base + bytes != below) {
			if (below)
				printf("%20s:\n", "");
			printf("0x%016" PRIx64 " " MAP_LINE "\n", base + bytes);
		}
		printf("%18s | %-30.30s %9s |\n", "", text(place, "name"),
		       format_size(bytes, size));
		printf("0x%016" PRIx64 " " MAP_LINE "\n", base);
		below = base;
	}
}

/* ---- All of them -------------------------------------------------------------------- */

static const struct view {
	const char *command;
	bool of_cpu;
	bool has_address;
	void (*print)(struct json_object *answer);
} views[] = {
	{"inspect-translate", true, true, print_translation},
	{"inspect-registers", true, false, print_registers},
	{"inspect-timers", false, false, print_timers},
	{"inspect-gic", false, false, print_gic},
	{"inspect-devices", false, false, print_devices},
	{"inspect-memory", false, false, print_memory},
	{"inspect-memory", false, false, print_map},
};
/* In the order of the views. */
const char *const look_words[] = {"translate", "regs",   "timers", "gic",
				  "devices",   "memory", "map",    NULL};

static size_t find(const char *word)
{
	size_t i = 0;

	while (look_words[i] && strcmp(word, look_words[i]) != 0)
		i++;
	return i;
}

bool look_knows(const char *word)
{
	return look_words[find(word)];
}

static int ask(const struct look_options *options, const struct view *view,
	       struct json_object **ret, struct error *err)
{
	_cleanup_(cleanup_qmp_link_close_) struct qmp_link *link = NULL;
	struct json_object *arguments;
	int r = verb_connect(options->name, &link, err);

	if (r < 0)
		return r;
	arguments = json_object_new_object();
	if (view->of_cpu)
		json_object_object_add(arguments, "cpu", json_object_new_int64(options->cpu));
	if (view->has_address)
		json_object_object_add(arguments, "address",
				       json_object_new_string(options->address));
	return qmp_link_execute(link, view->command, arguments, ret, err);
}

int look(const struct look_options *options, struct error *err)
{
	const struct view *view = &views[find(options->what)];
	struct json_object *answer = NULL;
	int r;

	if (view->has_address != (options->address != NULL))
		return error_set(err, EINVAL, "%s",
				 view->has_address
					 ? "name an address: armlet inspect NAME translate ADDRESS"
					 : "only translate takes an address");
	r = ask(options, view, &answer, err);
	if (r < 0)
		return r;
	if (options->json)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PRETTY |
								    JSON_C_TO_STRING_SPACED));
	else
		view->print(answer);
	json_object_put(answer);
	return fflush(stdout) < 0 ? error_set_errno(err, errno, "standard output") : 0;
}
