/* SPDX-License-Identifier: Apache-2.0 */
/* The options of QEMU's command line, and what becomes of each. */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "machine/config.h"
#include "qemu_words.h"

#define NO_DISPLAY  "armlet has no display; its console is the serial port"
#define NO_FIRMWARE "armlet boots a kernel, and has no firmware"
#define NO_STATE    "armlet does not save and load what a machine is in the middle of"
#define NO_TABLES   "there are no ACPI and SMBIOS tables; the guest has a device tree"

static const struct qemu_rule memory_rules[] = {{"size", NULL, "--mem "}, {0}};

static const struct qemu_rule machine_rules[] = {
	{"type", "virt virt-*", ""},
	{"gic-version", "2", "--irqchip=gicv2"},
	{"gic-version", "3", "--irqchip=gicv3"},
	{"gic-version", "host max", "--irqchip=auto"},
	{"dumpdtb", NULL, "--dump-dtb "},
	{"highmem", "on", ""},
	{"highmem-redists", "on", ""},
	{"highmem-ecam", "on off", ""},
	{"highmem-mmio", "on off", ""},
	{"compact-highmem", "on off", ""},
	{"its", "on off", ""},
	{"virtualization", "off", ""},
	{"secure", "off", ""},
	{"mte", "off", ""},
	{"ras", "off", ""},
	{"acpi", "off auto", ""},
	{"iommu", "none", ""},
	{"usb", "off", ""},
	{"graphics", "on off", ""},
	{"hmat", "off", ""},
	{"nvdimm", "off", ""},
	{"dtb-randomness", "on", ""},
	{"dtb-kaslr-seed", "on", ""},
	{"kernel-irqchip", "on", ""},
	{"kernel_irqchip", "on", ""},
	{"mem-merge", "on off", ""},
	{"dump-guest-core", "on off", ""},
	{0},
};

static const struct qemu_rule cpu_rules[] = {
	{"model", "host max", ""},
	{"sve", "on off", "--sve="},
	{"pauth", "on off", "--pauth="},
	{"pmu", "on off", "--pmu="},
	{"kvm-steal-time", "on off", "--steal-time="},
	{"kvm-no-adjvtime", "off", ""},
	{"aarch64", "on", ""},
	{"pauth-impdef", "on off", ""}, /* how QEMU emulates it */
	{0},
};

static const struct qemu_rule rtc_rules[] = {
	{"base", "utc", ""}, {"clock", "host", ""}, {"driftfix", "none", ""}, {0}};

static const struct qemu_rule overcommit_rules[] = {
	{"mem-lock", "on", "--lock-mem"},
	{"mem-lock", "off", ""},
	{"cpu-pm", "off", ""},
	{0},
};

static const struct qemu_rule action_rules[] = {
	{"reboot", "shutdown", "--no-reboot"},
	{"reboot", "reset", ""},
	{"shutdown", "poweroff", ""},
	{"panic", "none shutdown exit-failure", ""},
	{0},
};

static const struct qemu_rule display_rules[] = {{"type", "none", ""}, {0}};

static const struct qemu_rule object_rules[] = {
	{"qom-type", "rng-random rng-builtin iothread", ""},
	{"id", NULL, ""},
	{"filename", "/dev/urandom /dev/random /dev/hwrng", ""},
	{0},
};

static int take_memory(struct qemu *qemu, const char *value, struct error *err)
{
	_cleanup_properties_ struct qemu_properties properties = {0};
	int r = qemu_properties_read(value, "size", &properties, err);

	if (r == 0)
		r = qemu_apply(qemu, &properties, memory_rules, NULL, err);
	for (size_t i = 0; i < properties.count; i++)
		qemu->mem = qemu->mem || !strcmp(properties.list[i].name, "size");
	return r;
}

/* One or several, of which the first that works is taken: KVM does, or nothing. */
static void name_accelerators(struct qemu *qemu, const char *names)
{
	for (;; names++) {
		size_t length = strcspn(names, ":");

		qemu->accel = true;
		qemu->kvm = qemu->kvm || (length == 3 && !strncmp(names, "kvm", 3));
		names += length;
		if (!*names)
			return;
	}
}

static int take_accel(struct qemu *qemu, const char *value, struct error *err)
{
	static const struct qemu_rule rules[] = {
		{"kernel-irqchip", "on", ""}, {"dirty-ring-size", "0", ""}, {0}};
	_cleanup_properties_ struct qemu_properties properties = {0};
	const char *name;
	int r = qemu_properties_read(value, "accel", &properties, err);

	if (r < 0)
		return r;
	name = qemu_take(&properties, "accel");
	if (!name || !*name)
		return error_set(err, EINVAL, "it names no accelerator");
	name_accelerators(qemu, name);
	/* What is beside KVM is never used, whatever is said of it. */
	return strcmp(name, "kvm") != 0 ? 0 : qemu_apply(qemu, &properties, rules, NULL, err);
}

static int take_kvm(struct qemu *qemu, const char *value, struct error *err)
{
	(void)value;
	(void)err;
	name_accelerators(qemu, "kvm");
	return 0;
}

static int take_machine(struct qemu *qemu, const char *value, struct error *err)
{
	_cleanup_properties_ struct qemu_properties properties = {0};
	const char *accel;
	int r = qemu_properties_read(value, "type", &properties, err);

	if (r < 0)
		return r;
	accel = qemu_take(&properties, "accel");
	if (accel)
		name_accelerators(qemu, accel);
	return qemu_apply(qemu, &properties, machine_rules, NULL, err);
}

static int take_cpu(struct qemu *qemu, const char *value, struct error *err)
{
	(void)err;
	qemu->cpu = value; /* the last one counts, and may undo what an earlier one asks for */
	return 0;
}

int qemu_apply_cpu(struct qemu *qemu, struct error *err)
{
	_cleanup_properties_ struct qemu_properties properties = {0};
	int r = qemu->cpu ? qemu_properties_read(qemu->cpu, "model", &properties, err) : 0;

	if (r == 0)
		r = qemu_apply(qemu, &properties, cpu_rules, NULL, err);
	return r < 0 ? error_prefix(err, "-cpu: ") : 0;
}

static int take_number(struct qemu_properties *properties, const char *name, uint64_t *ret,
		       struct error *err)
{
	const char *text = qemu_take(properties, name);

	*ret = 0;
	if (!text || (parse_u64(text, ret) == 0 && *ret >= 1 && *ret <= MACHINE_MAX_VCPUS))
		return 0;
	return error_set(err, EINVAL, "%s='%.60s' is not a number from 1 to %d", name, text,
			 MACHINE_MAX_VCPUS);
}

static int take_cpus(struct qemu *qemu, const char *value, struct error *err)
{
	static const char *const names[] = {"sockets", "clusters", "cores", "threads"};
	static const struct qemu_rule rules[] = {
		{"dies", "1", ""}, {"books", "1", ""}, {"drawers", "1", ""}, {0}};
	_cleanup_properties_ struct qemu_properties properties = {0};
	_cleanup_free_ char *topology = NULL;
	uint64_t cpus = 0, most = 0, product = 1, number;
	int r = qemu_properties_read(value, "cpus", &properties, err);

	if (r == 0)
		r = take_number(&properties, "cpus", &cpus, err);
	if (r == 0)
		r = take_number(&properties, "maxcpus", &most, err);
	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++) {
		char text[32];

		r = take_number(&properties, names[i], &number, err);
		if (r < 0 || !number)
			continue;
		product *= number;
		snprintf(text, sizeof(text), "%s%s=%" PRIu64, topology ? "," : "", names[i],
			 number);
		qemu_add(qemu, &topology, text);
	}
	if (r == 0)
		r = qemu_apply(qemu, &properties, rules, NULL, err);
	if (r < 0)
		return r;
	cpus = cpus ? cpus : most ? most : product;
	if (most && most != cpus)
		return error_set(err, EINVAL, "CPUs are not added later: maxcpus is as cpus");
	qemu_push(qemu, "--cpus");
	qemu_pushf(qemu, "%" PRIu64, cpus);
	if (topology)
		qemu_push_value(qemu, "--topology", topology);
	return 0;
}

static int take_snapshot(struct qemu *qemu, const char *value, struct error *err)
{
	(void)value;
	(void)err;
	qemu->snapshot = true;
	return 0;
}

static int take_pidfile(struct qemu *qemu, const char *value, struct error *err)
{
	(void)err;
	free(steal_ptr(&qemu->command->pidfile));
	qemu_add(qemu, &qemu->command->pidfile, value);
	return 0;
}

static int take_print(struct qemu *qemu, const char *value, struct error *err)
{
	(void)value;
	(void)err;
	qemu->command->wish = QEMU_PRINT;
	return 0;
}

const struct qemu_option qemu_options[] = {
#define VALUE(option, what, becomes)                                                       \
	{                                                                                  \
		.name = (option), .argument = (what), .word = (becomes), .help = (becomes) \
	}
#define IGNORED(option, what)                                                            \
	{                                                                                \
		.name = (option), .argument = (what), .ignored = true, .help = "ignored" \
	}
#define REFUSED(option, what, why)                                     \
	{                                                              \
		.name = (option), .argument = (what), .refused = (why) \
	}
	VALUE("kernel", "FILE", "--kernel"),
	VALUE("initrd", "FILE", "--initrd"),
	VALUE("append", "WORDS", "--append"),
	VALUE("dtb", "FILE", "--dtb"),
	{.name = "m",
	 .argument = "[size=]SIZE",
	 .take = take_memory,
	 .help = "--mem (" QEMU_MEMORY ")"},
	{.name = "smp",
	 .argument = "[cpus=]N[,cores=N]...",
	 .take = take_cpus,
	 .help = "--cpus, --topology"},
	{.name = "cpu",
	 .argument = "host|max[,FEATURE=on|off]...",
	 .take = take_cpu,
	 .list = "host\nmax\n",
	 .help = "--sve, --pauth, --pmu, --steal-time; the last one counts"},
	{.name = "machine",
	 .argument = "virt[,PROPERTY]...",
	 .take = take_machine,
	 .list = "virt\n",
	 .help = "--irqchip (gic-version=2|3|host|max), --dump-dtb (dumpdtb=FILE)"},
	{.name = "M",
	 .argument = "virt[,PROPERTY]...",
	 .take = take_machine,
	 .list = "virt\n",
	 .help = "as -machine"},
	{.name = "accel",
	 .argument = "NAME",
	 .take = take_accel,
	 .list = "kvm\n",
	 .help = "kvm; what is named beside it is ignored"},
	{.name = "enable-kvm", .take = take_kvm, .help = "as -accel kvm"},
	{.name = "drive",
	 .argument = "file=FILE[,PROPERTY]...",
	 .take = qemu_take_drive,
	 .help = "--disk, if it is not if=none"},
	{.name = "hda", .argument = "FILE", .take = qemu_take_disk, .help = "--disk"},
	{.name = "hdb", .argument = "FILE", .take = qemu_take_disk, .help = "--disk"},
	{.name = "hdc", .argument = "FILE", .take = qemu_take_disk, .help = "--disk"},
	{.name = "hdd", .argument = "FILE", .take = qemu_take_disk, .help = "--disk"},
	{.name = "cdrom", .argument = "FILE", .take = qemu_take_cdrom, .help = "--disk FILE,ro"},
	{.name = "snapshot", .take = take_snapshot, .help = "each --disk is ephemeral"},
	{.name = "netdev",
	 .argument = "user|tap|bridge,id=ID[,PROPERTY]...",
	 .take = qemu_take_netdev,
	 .help = "--net of a -device; --publish (hostfwd=...)"},
	{.name = "nic",
	 .argument = "user|tap|bridge|none[,PROPERTY]...",
	 .take = qemu_take_nic,
	 .help = "--net, --publish"},
	{.name = "net", .argument = "none", .take = qemu_take_net, .help = "ignored"},
	{.name = "fsdev",
	 .argument = "local,id=ID,path=FOLDER[,readonly=on]",
	 .take = qemu_take_fsdev,
	 .help = "--volume of a -device"},
	{.name = "virtfs",
	 .argument = "local,path=FOLDER,mount_tag=TAG[,readonly=on]",
	 .take = qemu_take_virtfs,
	 .late = true,
	 .help = "--volume FOLDER:TAG:fs=9p"},
	{.name = "chardev",
	 .argument = "stdio|file|socket|pty|null,id=ID[,PROPERTY]...",
	 .take = qemu_take_chardev,
	 .help = "what a -device, -serial or -mon has"},
	{.name = "device",
	 .argument = "DEVICE[,PROPERTY]...",
	 .take = qemu_take_device,
	 .late = true,
	 .list = "virtio-blk-device\nvirtio-net-device\nvirtio-9p-device\nvirtio-serial-device\n"
		 "virtconsole\nvirtserialport\nvirtio-balloon-device\nvirtio-rng-device\n"
		 "vhost-vsock-device\n",
	 .help = "--disk, --net, --volume, --console, --port, --balloon, --vsock"},
	{.name = "object",
	 .argument = "rng-random|rng-builtin|iothread,id=ID",
	 .rules = object_rules,
	 .implied = "qom-type",
	 .help = "ignored: there is entropy, and a thread for each disk"},
	{.name = "serial",
	 .argument = "stdio|mon:stdio|file:PATH|null|none",
	 .take = qemu_take_serial,
	 .late = true,
	 .help = "where standard output goes"},
	{.name = "monitor",
	 .argument = "none|null",
	 .take = qemu_take_monitor,
	 .late = true,
	 .help = "ignored"},
	{.name = "mon",
	 .argument = "chardev=ID,mode=control",
	 .take = qemu_take_mon,
	 .late = true,
	 .help = "--api"},
	{.name = "qmp",
	 .argument = "unix:PATH,server=on,wait=off",
	 .take = qemu_take_qmp,
	 .late = true,
	 .help = "--api PATH"},
	{.name = "gdb",
	 .argument = "tcp::PORT|unix:PATH,server=on",
	 .take = qemu_take_gdb,
	 .late = true,
	 .help = "--gdb"},
	{.name = "s", .word = "--gdb=tcp:1234", .help = "--gdb=tcp:1234"},
	{.name = "S", .word = "--freeze", .help = "--freeze"},
	{.name = "no-reboot", .word = "--no-reboot", .help = "--no-reboot"},
	{.name = "action",
	 .argument = "reboot=shutdown",
	 .rules = action_rules,
	 .help = "--no-reboot"},
	{.name = "overcommit",
	 .argument = "mem-lock=on",
	 .rules = overcommit_rules,
	 .help = "--lock-mem"},
	{.name = "pidfile",
	 .argument = "FILE",
	 .take = take_pidfile,
	 .help = "has the process's number while it runs"},
	{.name = "rtc",
	 .argument = "base=utc",
	 .rules = rtc_rules,
	 .implied = "base",
	 .help = "ignored"},
	{.name = "display",
	 .argument = "none",
	 .rules = display_rules,
	 .implied = "type",
	 .help = "ignored"},
	{.name = "vga",
	 .argument = "none",
	 .rules = display_rules,
	 .implied = "type",
	 .help = "ignored"},
	{.name = "parallel",
	 .argument = "none",
	 .rules = display_rules,
	 .implied = "type",
	 .help = "ignored"},
	IGNORED("nographic", NULL),
	IGNORED("nodefaults", NULL),
	IGNORED("no-user-config", NULL),
	IGNORED("nodefconfig", NULL),
	IGNORED("no-acpi", NULL),
	IGNORED("name", "TEXT"),
	IGNORED("uuid", "UUID"),
	IGNORED("boot", "TEXT"),
	IGNORED("msg", "TEXT"),
	IGNORED("L", "FOLDER"),
	{.name = "armlet-print",
	 .take = take_print,
	 .help = "print the armlet run that it is, and start nothing"},
	{.name = "help", .help = "show this help"},
	{.name = "h", .help = NULL},
	{.name = "version", .help = "print the version"},

	REFUSED("daemonize", NULL, "`armlet run --detach` has a machine in the background"),
	REFUSED("no-shutdown", NULL, "a guest that powers off ends its machine"),
	REFUSED("bios", "FILE", NO_FIRMWARE),
	REFUSED("pflash", "FILE", NO_FIRMWARE),
	REFUSED("vnc", "WHERE", NO_DISPLAY),
	REFUSED("spice", "WHERE", NO_DISPLAY),
	REFUSED("sdl", NULL, NO_DISPLAY),
	REFUSED("curses", NULL, NO_DISPLAY),
	REFUSED("usb", NULL, "there is no USB; devices are virtio's"),
	REFUSED("blockdev", "NODE", "write it as -drive file=FILE,format=FORMAT,if=none,id=ID"),
	REFUSED("incoming", "WHERE", NO_STATE),
	REFUSED("loadvm", "NAME", NO_STATE),
	REFUSED("acpitable", "FILE", NO_TABLES),
	REFUSED("smbios", "TEXT", NO_TABLES),
	REFUSED("fw_cfg", "TEXT", "there is no fw_cfg, which is for firmware"),
	REFUSED("numa", "NODE", "the guest's memory has no NUMA nodes"),
	{0},
};
