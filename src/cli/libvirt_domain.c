/* SPDX-License-Identifier: Apache-2.0 */
/* A domain but for its devices: memory, vCPUs, what it boots, its life. */
#include "libvirt_domain.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "libvirt_xml.h"
#include "place.h"

#define HUGE_PAGE (2 * MIB)

static void take_virtualization(struct domain *domain, xmlNode *node, const char *text)
{
	domain_refuse(domain, node, "this domain is of '%.60s', and armlet runs those of kvm",
		      text);
}

static void take_name(struct domain *domain, xmlNode *node, const char *text)
{
	struct error err = {0};

	if (place_check_name(text, &err) == 0)
		domain_set(domain, "name", text);
	else
		domain_lack(domain, node, "%s", err.text);
}

/* Memory. */

/* A size with its unit; false: it was refused. */
static bool read_size(struct domain *domain, xmlNode *node, const char *text, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} units[] = {
		{"b", 1},
		{"bytes", 1},
		{"KB", 1000},
		{"k", KIB},
		{"KiB", KIB},
		{"M", MIB},
		{"MB", 1000000},
		{"MiB", MIB},
		{"G", GIB},
		{"GB", 1000000000},
		{"GiB", GIB},
		{"T", TIB},
		{"TB", 1000000000000},
		{"TiB", TIB},
	};
	_cleanup_xml_ char *unit = domain_attribute(node, "unit");
	uint64_t number;

	if (!domain_number(domain, node, text, &number))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcasecmp(units[i].name, unit ? unit : "KiB") != 0)
			continue;
		if (!__builtin_mul_overflow(number, units[i].bytes, ret) && *ret <= INT64_MAX)
			return true;
		domain_refuse(domain, node, "%.60s %s are too many", text, units[i].name);
		return false;
	}
	domain_refuse(domain, node, "'%.60s' is no unit of memory", unit);
	return false;
}

static void take_memory(struct domain *domain, xmlNode *node, const char *text)
{
	read_size(domain, node, text, &domain->mem);
}

static void take_current_memory(struct domain *domain, xmlNode *node, const char *text)
{
	read_size(domain, node, text, &domain->current_mem);
}

static void take_page(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *size = domain_attribute(node, "size");
	uint64_t bytes;

	(void)text;
	if (size && read_size(domain, node, size, &bytes) && bytes != HUGE_PAGE)
		domain_lack(domain, node, "huge pages are of 2 MiB");
}

static const struct domain_row size_rows[] = {IGNORED("@unit"), IGNORED("@dumpCore"), {0}};

static const struct domain_row page_rows[] = {
	IGNORED("@size"),
	IGNORED("@unit"),
	LACKING("@nodeset", "the guest's memory has no NUMA nodes"),
	{0},
};

static const struct domain_row hugepages_rows[] = {
	{.name = "page", .take = take_page, .rows = page_rows},
	{0},
};

static const struct domain_row allocation_rows[] = {
	ONLY("@mode", "ondemand", "memory is allocated as the guest touches it"),
	IGNORED("@threads"),
	{0},
};

static const struct domain_row backing_rows[] = {
	{.name = "hugepages", .key = "hugepages", .type = DOMAIN_FLAG, .rows = hugepages_rows},
	FLAG("locked", "lock-mem"),
	INSIDE("allocation", allocation_rows),
	IGNORED("nosharepages"),
	IGNORED("source"),
	IGNORED("access"),
	IGNORED("discard"),
	{0},
};

/* Virtual CPUs. */

/* The one CPU of the host that @text names; below zero: it names others. */
static int64_t one_cpu(const char *text)
{
	uint32_t cpu;
	size_t count;

	return parse_list(text, &cpu, 1, &count) == 0 && count == 1 ? (int64_t)cpu : -1;
}

static void take_cpuset(struct domain *domain, xmlNode *node, const char *text)
{
	domain->pin_all = one_cpu(text);
	if (domain->pin_all < 0)
		domain_lack(domain, node, "a vCPU is pinned to one CPU, or not at all");
}

static void take_vcpu(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *current = domain_attribute(node, "current");
	uint64_t cpus, now;

	if (!domain_number(domain, node, text, &cpus))
		return;
	if (current && domain_number(domain, node, current, &now) && now != cpus) {
		domain_lack(domain, node, "vCPUs are not added later; there would be %" PRIu64,
			    now);
		cpus = now;
	}
	domain_set_number(domain, "cpus", cpus);
	domain->cpus = (uint32_t)min_u64(cpus, MACHINE_MAX_VCPUS);
}

static const struct domain_row vcpu_rows[] = {
	IGNORED("@placement"),
	IGNORED("@current"),
	TAKEN("@cpuset", take_cpuset),
	{0},
};

static void take_vcpupin(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *vcpu = domain_attribute(node, "vcpu");
	_cleanup_xml_ char *cpuset = domain_attribute(node, "cpuset");
	int64_t cpu = cpuset ? one_cpu(cpuset) : -1;
	uint64_t number;

	(void)text;
	if (!domain_number(domain, node, vcpu ? vcpu : "", &number))
		return;
	if (cpu < 0)
		domain_lack(domain, node, "a vCPU is pinned to one CPU, or not at all");
	else if (number < MACHINE_MAX_VCPUS)
		domain->pin[number] = cpu;
}

#define NO_QUOTA "armlet limits no CPU time (systemd-run can)"
#define NO_SCHED "armlet leaves the scheduler's policy as it is (chrt can set it)"
#define NO_PIN   "only vCPUs are pinned"

static const struct domain_row cputune_rows[] = {
	TAKEN("vcpupin", take_vcpupin),       LACKING("emulatorpin", NO_PIN),
	LACKING("iothreadpin", NO_PIN),       LACKING("shares", NO_QUOTA),
	LACKING("period", NO_QUOTA),          LACKING("quota", NO_QUOTA),
	LACKING("global_period", NO_QUOTA),   LACKING("global_quota", NO_QUOTA),
	LACKING("emulator_period", NO_QUOTA), LACKING("emulator_quota", NO_QUOTA),
	LACKING("iothread_period", NO_QUOTA), LACKING("iothread_quota", NO_QUOTA),
	LACKING("vcpusched", NO_SCHED),       LACKING("iothreadsched", NO_SCHED),
	LACKING("emulatorsched", NO_SCHED),   {0},
};

/* A model's name counts if nothing else says what the CPU is. */
static void take_cpu_model(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *mode = domain_attribute(node->parent, "mode");

	if (*text && !mode)
		domain_lack(domain, node, "'%.60s': the guest's CPU is the host's", text);
}

/* What is all cores, in one cluster after the other, needs no word. */
static void take_topology(struct domain *domain, xmlNode *node, const char *text)
{
	static const char *const names[] = {"sockets", "clusters", "threads", "cores"};
	_cleanup_xml_ char *dies = domain_attribute(node, "dies");
	struct json_object *topology = json_object_new_object();
	bool plain = true;

	(void)text;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_xml_ char *count = domain_attribute(node, names[i]);
		uint64_t number = count ? strtoull(count, NULL, 10) : 1;

		plain = plain && (number == 1 || i == ARRAY_SIZE(names) - 1);
		json_object_object_add(topology, names[i], json_object_new_uint64(number));
	}
	if (dies && strcmp(dies, "1") != 0)
		domain_lack(domain, node, "a socket has one die");
	if (plain)
		json_object_put(topology);
	else
		json_object_object_add(domain->config, "topology", topology);
}

static void take_feature(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *name = domain_attribute(node, "name");
	_cleanup_xml_ char *policy = domain_attribute(node, "policy");
	const char *how = policy ? policy : "require";

	(void)text;
	if (!name || !domain_is_one_of(name, "sve pauth pmu"))
		domain_lack(domain, node, "armlet does not know the CPU's feature '%.60s'",
			    name ? name : "");
	else if (domain_is_one_of(how, "require force"))
		domain_set(domain, name, "on");
	else if (domain_is_one_of(how, "disable forbid"))
		domain_set(domain, name, "off");
}

static const struct domain_row cpu_rows[] = {
	ONLY("@mode", "host-passthrough host-model maximum", "the guest's CPU is the host's"),
	IGNORED("@match"),
	IGNORED("@check"),
	IGNORED("@migratable"),
	IGNORED("@deprecated_features"),
	TAKEN("model", take_cpu_model),
	IGNORED("vendor"),
	TAKEN("topology", take_topology),
	TAKEN("feature", take_feature),
	LACKING("cache", "the guest's caches are the host's"),
	LACKING("numa", "the guest's memory has no NUMA nodes"),
	LACKING("maxphysaddr", "addresses are as KVM has them"),
	{0},
};

/* What it boots. */

static void take_os_type(struct domain *domain, xmlNode *node, const char *text)
{
	if (strcmp(text, "hvm") != 0)
		domain_refuse(domain, node, "'%.60s': armlet runs whole machines, hvm", text);
	domain->has_type = true;
}

static void take_arch(struct domain *domain, xmlNode *node, const char *text)
{
	domain_refuse(domain, node, "this machine is of '%.60s', and armlet's are of aarch64",
		      text);
}

static void take_machine(struct domain *domain, xmlNode *node, const char *text)
{
	if (strncmp(text, "virt-", 5) != 0)
		domain_refuse(domain, node,
			      "this machine is a '%.60s', and armlet's are as virt is", text);
}

static const struct domain_row os_type_rows[] = {
	{.name = "@arch", .fine = "aarch64", .take = take_arch},
	{.name = "@machine", .fine = "virt", .take = take_machine},
	{0},
};

#define NO_FIRMWARE "armlet boots a kernel, and has no firmware"

static const struct domain_row os_rows[] = {
	LACKING("@firmware", NO_FIRMWARE),
	{.name = "type", .take = take_os_type, .rows = os_type_rows},
	STRING("kernel", "kernel"),
	STRING("initrd", "initrd"),
	STRING("cmdline", "append"),
	STRING("dtb", "dtb"),
	LACKING("loader", NO_FIRMWARE),
	LACKING("shim", NO_FIRMWARE),
	IGNORED("nvram"),    /* of the firmware, which is named */
	IGNORED("firmware"), /* likewise */
	IGNORED("boot"),
	IGNORED("bootmenu"),
	IGNORED("bios"),
	LACKING("smbios", "there are no SMBIOS tables"),
	LACKING("acpi", "there are no ACPI tables"),
	{0},
};

/* Its features and its life. */

static void take_gic(struct domain *domain, xmlNode *node, const char *text)
{
	if (!strcmp(text, "2"))
		domain_set(domain, "irqchip", "gicv2");
	else if (!strcmp(text, "3"))
		domain_set(domain, "irqchip", "gicv3");
	else
		domain_lack(domain, node, "'%.60s': there are versions 2 and 3", text);
}

static void take_pmu(struct domain *domain, xmlNode *node, const char *text)
{
	_cleanup_xml_ char *state = domain_attribute(node, "state");

	(void)text;
	domain_set(domain, "pmu", state ? state : "on");
}

static const struct domain_row gic_rows[] = {
	{.name = "@version", .fine = "host", .take = take_gic},
	{0},
};

static const struct domain_row feature_rows[] = {
	IGNORED("acpi"),
	INSIDE("gic", gic_rows),
	TAKEN("pmu", take_pmu),
	{0},
};

static void take_on_reboot(struct domain *domain, xmlNode *node, const char *text)
{
	if (!strcmp(text, "destroy"))
		domain_set_flag(domain, "no-reboot");
	else
		domain_lack(domain, node, "'%.60s': a guest's reset boots it anew, or ends it",
			    text);
}

static const struct domain_row label_rows[] = {
	ONLY("@type", "none dynamic", "armlet sets no security labels"),
	IGNORED("@model"),
	IGNORED("@relabel"),
	IGNORED("label"),
	IGNORED("baselabel"),
	IGNORED("imagelabel"),
	{0},
};

static const struct domain_row domain_rows[] = {
	{.name = "@type", .fine = "kvm qemu hvf test", .take = take_virtualization},
	IGNORED("@id"),
	TAKEN("name", take_name),
	IGNORED("uuid"),
	IGNORED("hwuuid"),
	IGNORED("title"),
	IGNORED("description"),
	IGNORED("metadata"),
	{.name = "memory", .take = take_memory, .rows = size_rows},
	{.name = "currentMemory", .take = take_current_memory, .rows = size_rows},
	LACKING("maxMemory", "memory is not added later"),
	INSIDE("memoryBacking", backing_rows),
	LACKING("memtune", "armlet limits no memory (systemd-run can)"),
	LACKING("numatune", "memory is where the host puts it (numactl can tell it)"),
	LACKING("blkiotune", "armlet limits no I/O (systemd-run can)"),
	{.name = "vcpu", .take = take_vcpu, .rows = vcpu_rows},
	LACKING("vcpus", "vCPUs are not added later"),
	IGNORED("iothreads"), /* each disk has one */
	IGNORED("iothreadids"),
	INSIDE("cputune", cputune_rows),
	IGNORED("resource"),
	INSIDE("os", os_rows),
	LACKING("sysinfo", "there are no SMBIOS tables"),
	LACKING("genid", "there is no VM generation ID"),
	INSIDE("features", feature_rows),
	INSIDE("cpu", cpu_rows),
	IGNORED("clock"),
	ONLY("on_poweroff", "destroy", "a guest that powers off ends its machine"),
	{.name = "on_reboot", .fine = "restart", .take = take_on_reboot},
	IGNORED("on_crash"),
	IGNORED("on_lockfailure"),
	IGNORED("pm"),
	LACKING("perf", "armlet counts no events (perf can)"),
	INSIDE("seclabel", label_rows),
	LACKING("launchSecurity", "guests have no memory that the host cannot read"),
	INSIDE("devices", domain_device_rows),
	{0},
};

/* All of it. */

static void finish_memory(struct domain *domain)
{
	uint64_t away = domain->current_mem && domain->current_mem < domain->mem
				? domain->mem - domain->current_mem
				: 0;
	struct json_object *balloon;

	if (domain->mem)
		domain_set_number(domain, "mem", domain->mem);
	if (domain->no_balloon || (!domain->has_balloon && !away))
		return;
	balloon = json_object_new_object();
	if (away >= MIB)
		json_object_object_add(balloon, "size", json_object_new_uint64(away));
	json_object_object_add(domain->config, "balloon", balloon);
}

/* A vCPU that is not pinned by itself is where all are. */
static void finish_pins(struct domain *domain, xmlNode *root)
{
	struct json_object *list = json_object_new_array();
	uint32_t pinned = 0;

	for (uint32_t i = 0; i < domain->cpus; i++) {
		int64_t cpu = domain->pin[i] >= 0 ? domain->pin[i] : domain->pin_all;

		pinned += cpu >= 0;
		json_object_array_add(list, json_object_new_int64(cpu));
	}
	if (pinned && pinned == domain->cpus) {
		json_object_object_add(domain->config, "pin", list);
		return;
	}
	if (pinned)
		domain_lack(domain, domain_child(root, "cputune"),
			    "vCPUs are pinned all, or not at all");
	json_object_put(list);
}

static int read_domain(struct domain *domain, xmlNode *root)
{
	if (root->ns || strcmp((const char *)root->name, "domain") != 0) {
		domain_refuse(domain, root, "this is no domain of libvirt");
		return domain->r;
	}
	domain_walk(domain, root, domain_rows);
	if (!domain->has_type)
		domain_refuse(domain, root, "the domain has no os/type");
	finish_memory(domain);
	finish_pins(domain, root);
	return domain->r;
}

int libvirt_domain_read(const char *text, size_t size, const struct libvirt_host *host,
			struct json_object **ret_config, struct json_object **ret_lacks,
			struct error *err)
{
	struct domain domain = {.host = host, .err = err, .cpus = 1, .pin_all = -1};
	xmlDoc *doc = domain_parse_xml(text, size, err);

	if (!doc)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(domain.pin); i++)
		domain.pin[i] = -1;
	domain.config = json_object_new_object();
	domain.part = domain.config;
	domain.lacks = json_object_new_array();
	if (read_domain(&domain, xmlDocGetRootElement(doc)) == 0) {
		*ret_config = steal_ptr(&domain.config);
		*ret_lacks = steal_ptr(&domain.lacks);
	}
	json_object_put(domain.config);
	json_object_put(domain.lacks);
	xmlFreeDoc(doc);
	return domain.r;
}
