/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window into a machine: where addresses lead to, registers, timers, devices, memory.
 * Addresses and registers are strings in hexadecimal: they have 64 bits, which not every
 * reader of JSON keeps.
 */
#include <stdio.h>

#include "base/parse.h"
#include "machine/debug.h"
#include "machine/look.h"
#include "machine/registers.h"
#include "qmp_commands.h"

#define CPU_ARGUMENT                                                                 \
	{                                                                            \
		.name = "cpu", .type = &qmp_int, .optional = true, .max = INT32_MAX, \
		.help = "the vCPU, from 0 (0)"                                       \
	}

const struct qmp_member qmp_translate_arguments[] = {
	{.name = "address", .type = &qmp_string, .help = "virtual, as 0xffff800008000000"},
	CPU_ARGUMENT,
	{.name = "brief",
	 .type = &qmp_bool,
	 .optional = true,
	 .help = "only the end of it: the IPA and what is there, or the fault"},
	{0},
};
const struct qmp_member qmp_registers_arguments[] = {CPU_ARGUMENT, {0}};

static uint32_t cpu_of(const struct qmp_call *call)
{
	return (uint32_t)qmp_argument_int(call, "cpu", 0);
}

static int no_cpu(struct qmp_call *call)
{
	return qmp_fail(call, QMP_GENERIC_ERROR, "the machine has no vCPU %u at present",
			cpu_of(call));
}

/* ---- inspect-translate -------------------------------------------------------- */

/* MAIR_EL1.Attr<n> (DDI 0487, D24.2.110); what is not here is told as its number. */
static const char *attribute_name(uint8_t attribute)
{
	switch (attribute) {
	case 0x00:
		return "Device-nGnRnE";
	case 0x04:
		return "Device-nGnRE";
	case 0x08:
		return "Device-nGRE";
	case 0x0c:
		return "Device-GRE";
	case 0x44:
		return "Normal, not cached";
	case 0xbb:
		return "Normal, write-through";
	case 0xf0:
		return "Normal, write-back, tagged";
	case 0xff:
		return "Normal, write-back";
	default:
		return NULL;
	}
}

static void add_rights(struct json_object *object, const char *name,
		       const struct stage1_rights *rights, unsigned el)
{
	char text[4] = {rights->read[el] ? 'r' : '-', rights->write[el] ? 'w' : '-',
			rights->execute[el] ? 'x' : '-'};

	qmp_add_string(object, name, text);
}

/* What a block or page has besides its address (DDI 0487, D8.3.1.2). */
static void add_leaf(struct json_object *object, const struct machine_translation *at)
{
	static const char *const shares[] = {"none", "reserved", "outer", "inner"};
	const struct stage1_path *path = &at->path;
	uint64_t desc = path->steps[path->count - 1].desc;
	uint8_t attribute = (uint8_t)(at->mair >> 8 * (desc >> 2 & 7));
	const char *name = attribute_name(attribute);

	add_rights(object, "el0", &path->rights, 0);
	add_rights(object, "el1", &path->rights, 1);
	if (name)
		qmp_add_string(object, "attributes", name);
	else
		qmp_add_hex(object, "attributes", attribute);
	qmp_add_string(object, "shareable", shares[desc >> 8 & 3]);
	qmp_add_bool(object, "accessed", desc >> 10 & 1);
	/* With FEAT_HAFDBS: it may be made writable by being written to, and has not been. */
	qmp_add_bool(object, "dirty", !(desc >> 51 & 1 && desc >> 7 & 1));
	qmp_add_bool(object, "global", !(desc >> 11 & 1));
	qmp_add_bool(object, "contiguous", desc >> 52 & 1);
}

static struct json_object *step_object(const struct machine_translation *at, unsigned index)
{
	const struct stage1_step *step = &at->path.steps[index];
	bool last = index == at->path.count - 1;
	struct json_object *object = json_object_new_object();

	qmp_add_int(object, "level", step->level);
	qmp_add_hex(object, "at", step->at);
	qmp_add_hex(object, "descriptor", step->desc);
	if (!step->leads) {
		qmp_add_string(object, "kind", step->desc & 1 ? "reserved" : "invalid");
		return object;
	}
	qmp_add_string(object, "kind", !last ? "table" : step->level == 3 ? "page" : "block");
	qmp_add_hex(object, "next", step->next);
	if (last && !at->faults)
		add_leaf(object, at);
	return object;
}

static const char *fault_name(unsigned status)
{
	switch (status & 0x3c) {
	case 0x00:
		return "address size fault";
	case 0x04:
		return "translation fault";
	case 0x14:
		return "external abort on the walk";
	default:
		/* Those of level -1 have codes of their own. */
		return status == 0x29 ? "address size fault" : "translation fault";
	}
}

static void add_end(struct json_object *object, const struct machine *machine,
		    const struct machine_translation *at)
{
	char reg[MMIO_REGISTER_NAME_MAX];

	if (at->faults) {
		qmp_add_string(object, "fault", fault_name(at->path.status));
		return;
	}
	qmp_add_hex(object, "ipa", at->path.addr);
	if (at->path.size)
		qmp_add_int(object, "size", (int64_t)at->path.size);
	if (at->device) {
		qmp_add_string(object, "device", at->device);
		qmp_add_hex(object, "offset", at->offset);
		if (machine_register(machine, at->path.addr, reg))
			qmp_add_string(object, "register", reg);
	}
	if (at->host)
		qmp_add_hex(object, "host", (uint64_t)(uintptr_t)at->host);
	if (at->page)
		qmp_add_int(object, "host-page", (int64_t)at->page);
	if (at->physical)
		qmp_add_hex(object, "host-physical", at->physical);
}

static void add_walk(struct json_object *object, const struct machine_translation *at)
{
	struct json_object *steps = json_object_new_array();
	const struct stage1_path *path = &at->path;

	qmp_add_bool(object, "mmu", !path->flat);
	if (!path->flat) {
		qmp_add_string(object, "table", path->upper ? "TTBR1_EL1" : "TTBR0_EL1");
		qmp_add_hex(object, "base", at->stage1.ttbr[path->upper]);
		qmp_add_int(object, "granule", INT64_C(1) << path->granule);
		qmp_add_int(object, "bits", path->input);
	}
	for (unsigned i = 0; i < path->count; i++)
		json_object_array_add(steps, step_object(at, i));
	json_object_object_add(object, "steps", steps);
}

int qmp_translate(struct qmp_call *call)
{
	const char *text = qmp_argument_string(call, "address");
	bool brief = qmp_argument_bool(call, "brief", false);
	struct machine_translation at;
	uint64_t addr;

	if (parse_u64(text, &addr) < 0)
		return qmp_fail(call, QMP_GENERIC_ERROR, "'%.40s' is no address, as 0x40080000 is",
				text);
	if (machine_translate(qmp_machine_of(call), cpu_of(call), addr, &at) < 0)
		return no_cpu(call);
	call->answer = json_object_new_object();
	if (!brief) {
		qmp_add_hex(call->answer, "address", addr);
		add_walk(call->answer, &at);
		machine_find_host_page(qmp_machine_of(call), &at);
	}
	add_end(call->answer, qmp_machine_of(call), &at);
	return 0;
}

/* ---- inspect-registers ---------------------------------------------------------- */

static void add_register(struct json_object *object, const char *name, const uint8_t *value,
			 unsigned size)
{
	char text[2 * MACHINE_REGISTER_MAX + 3] = "0x";
	char *at = text + 2;
	unsigned top = size - 1;

	while (top > 0 && !value[top])
		top--;
	at += snprintf(at, 3, "%x", value[top]);
	while (top-- > 0)
		at += snprintf(at, 3, "%02x", value[top]);
	qmp_add_string(object, name, text);
}

int qmp_registers(struct qmp_call *call)
{
	struct machine *machine = qmp_machine_of(call);
	const struct machine_register *list;
	uint8_t value[MACHINE_REGISTER_MAX];
	uint32_t cpu = cpu_of(call);
	bool held;

	if (cpu >= machine_cpu_count(machine))
		return no_cpu(call);
	call->answer = json_object_new_object();
	held = machine_hold(machine);
	for (size_t i = 0; i < machine_registers(machine, &list); i++) {
		if (machine_get_register(machine, cpu, i, value) >= 0)
			add_register(call->answer, list[i].name, value, list[i].size);
	}
	machine_release(machine, held);
	return 0;
}

/* ---- inspect-timers --------------------------------------------------------------- */

/* CNTx_CTL_EL0 (DDI 0487, D24.8.18). */
#define CTL_ENABLE  BIT(0)
#define CTL_IMASK   BIT(1)
#define CTL_ISTATUS BIT(2)

static struct json_object *timer_object(const struct machine_timers *timers, unsigned index)
{
	struct json_object *object = json_object_new_object();
	uint64_t control = timers->timers[index].control;
	int64_t left = (int64_t)(timers->timers[index].compare - timers->counter);

	qmp_add_string(object, "name", timers->timers[index].name);
	qmp_add_int(object, "intid", timers->timers[index].intid);
	qmp_add_bool(object, "enabled", control & CTL_ENABLE);
	qmp_add_bool(object, "masked", control & CTL_IMASK);
	qmp_add_bool(object, "expired", control & CTL_ISTATUS);
	qmp_add_hex(object, "compare", timers->timers[index].compare);
	/* Both count alike, but for an offset that the host may give the virtual one. */
	if (index == 0 && control & CTL_ENABLE)
		json_object_object_add(
			object, "seconds-left",
			json_object_new_double((double)left / (double)timers->frequency));
	return object;
}

static struct json_object *timers_object(const struct machine_timers *timers, uint32_t cpu)
{
	struct json_object *object = json_object_new_object();
	struct json_object *list = json_object_new_array();

	qmp_add_int(object, "cpu", cpu);
	qmp_add_int(object, "frequency", (int64_t)timers->frequency);
	qmp_add_hex(object, "counter", timers->counter);
	for (unsigned i = 0; i < ARRAY_SIZE(timers->timers); i++) {
		if (timers->timers[i].known)
			json_object_array_add(list, timer_object(timers, i));
	}
	json_object_object_add(object, "timers", list);
	return object;
}

int qmp_timers(struct qmp_call *call)
{
	struct machine *machine = qmp_machine_of(call);
	struct machine_timers timers;
	bool held = machine_hold(machine);

	call->answer = json_object_new_array();
	for (uint32_t cpu = 0; machine_timers(machine, cpu, &timers) == 0; cpu++)
		json_object_array_add(call->answer, timers_object(&timers, cpu));
	machine_release(machine, held);
	return 0;
}

/* ---- inspect-gic ------------------------------------------------------------------ */

static struct json_object *irq_object(const struct machine_irq *irq, int64_t cpu)
{
	struct json_object *object = json_object_new_object();

	qmp_add_int(object, "intid", irq->intid);
	if (cpu >= 0)
		qmp_add_int(object, "cpu", cpu);
	else
		qmp_add_hex(object, "target", irq->target);
	if (irq->name)
		qmp_add_string(object, "name", irq->name);
	qmp_add_bool(object, "enabled", irq->enabled);
	qmp_add_bool(object, "pending", irq->pending);
	qmp_add_bool(object, "active", irq->active);
	qmp_add_string(object, "trigger", irq->edge ? "edge" : "level");
	qmp_add_int(object, "priority", irq->priority);
	return object;
}

/* Those of which there is anything to tell. */
static void add_irqs(struct json_object *list, struct machine *machine, uint32_t first,
		     uint32_t end, int64_t cpu)
{
	struct machine_irq irq;

	for (uint32_t intid = first; intid < end; intid++) {
		if (machine_irq(machine, cpu < 0 ? 0 : (uint32_t)cpu, intid, &irq) == 0 &&
		    (irq.enabled || irq.pending || irq.active || irq.name))
			json_object_array_add(list, irq_object(&irq, cpu));
	}
}

int qmp_gic(struct qmp_call *call)
{
	struct machine *machine = qmp_machine_of(call);
	struct json_object *list = json_object_new_array();
	_cleanup_free_ char *text = NULL;
	bool held = machine_hold(machine);

	for (uint32_t cpu = 0; cpu < machine_cpu_count(machine); cpu++)
		add_irqs(list, machine, 0, 32, cpu);
	add_irqs(list, machine, 32, machine_irq_count(machine), -1);
	text = machine_gic_text(machine);
	machine_release(machine, held);
	call->answer = json_object_new_object();
	qmp_add_int(call->answer, "version", machine_gic_version(machine));
	json_object_object_add(call->answer, "interrupts", list);
	if (text)
		qmp_add_string(call->answer, "kvm", text);
	return 0;
}

/* ---- inspect-devices -------------------------------------------------------------- */

#define DEPTH 8

/* Objects within objects, the innermost last. */
struct view {
	struct json_object *open[DEPTH];
	unsigned depth;
};

static void view_numbers(void *data, const struct state_field *field, const void *elements)
{
	const struct view *view = data;
	struct json_object *in = view->open[view->depth];
	struct json_object *list;

	if (field->count == 1) {
		uint64_t value = state_number(field, elements, 0);

		if (field->type == STATE_BOOL)
			qmp_add_bool(in, field->name, value);
		else
			qmp_add_hex(in, field->name, value);
		return;
	}
	list = json_object_new_array();
	for (uint32_t i = 0; i < field->count; i++)
		json_object_array_add(
			list, json_object_new_int64((int64_t)state_number(field, elements, i)));
	json_object_object_add(in, field->name, list);
}

static void view_begin(void *data, const struct state_field *field, uint32_t index)
{
	struct view *view = data;
	struct json_object *object = json_object_new_object(), *list;
	struct json_object *in = view->open[view->depth];

	if (!json_object_object_get_ex(in, field->name, &list)) {
		list = json_object_new_array();
		json_object_object_add(in, field->name, list);
	}
	(void)index;
	json_object_array_add(list, object);
	if (view->depth + 1 < DEPTH)
		view->open[++view->depth] = object;
}

static void view_end(void *data)
{
	struct view *view = data;

	if (view->depth > 0)
		view->depth--;
}

static struct json_object *device_object(const struct device *device,
					 const struct device_slot *slot)
{
	struct json_object *object = json_object_new_object();
	struct view view = {.open = {json_object_new_object()}};
	const struct state_viewer viewer = {
		.numbers = view_numbers, .begin = view_begin, .end = view_end, .data = &view};

	qmp_add_string(object, "name", device->name);
	qmp_add_string(object, "type", device->ops->type);
	qmp_add_hex(object, "base", slot->base);
	qmp_add_hex(object, "size", slot->size);
	if (slot->intid)
		qmp_add_int(object, "intid", slot->intid);
	device_lock((struct device *)device);
	state_view(device->ops->state, device, &viewer);
	device_unlock((struct device *)device);
	json_object_object_add(object, "state", view.open[0]);
	return object;
}

int qmp_inspect_devices(struct qmp_call *call)
{
	struct machine *machine = qmp_machine_of(call);
	const struct device *device;
	struct device_slot slot;

	call->answer = json_object_new_array();
	for (size_t i = 0; (device = machine_device(machine, i, &slot)); i++)
		json_object_array_add(call->answer, device_object(device, &slot));
	return 0;
}

/* ---- inspect-memory --------------------------------------------------------------- */

static void add_place(struct json_object *list, const char *name, const char *kind, gpa_t base,
		      uint64_t size)
{
	struct json_object *object = json_object_new_object();

	qmp_add_string(object, "name", name);
	qmp_add_string(object, "kind", kind);
	qmp_add_hex(object, "base", base);
	qmp_add_hex(object, "size", size);
	json_object_array_add(list, object);
}

int qmp_inspect_memory(struct qmp_call *call)
{
	const struct machine *machine = qmp_machine_of(call);
	struct machine_gic_place gic;
	struct machine_area area;
	struct device_slot slot;
	const struct device *device;

	call->answer = json_object_new_array();
	for (size_t i = 0; machine_area(machine, i, &area); i++)
		add_place(call->answer, area.name, area.read_only ? "read-only" : "memory",
			  area.base, area.size);
	for (size_t i = 0; (device = machine_device(machine, i, &slot)); i++)
		add_place(call->answer, device->name, "registers", slot.base, slot.size);
	for (size_t i = 0; machine_gic_place(machine, i, &gic); i++) {
		if (gic.size)
			add_place(call->answer, gic.name, "gic", gic.base, gic.size);
	}
	return 0;
}
