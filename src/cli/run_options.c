/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `armlet run`. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cli.h"
#include "cpu_models.h"
#include "cpu_options.h"
#include "device_options.h"
#include "fault_options.h"
#include "libvirt.h"
#include "options_json.h"

#define AT(member) .offset = offsetof(struct run_options, member)
#define COUNTED(member, counter)                        \
	.offset = offsetof(struct run_options, member), \
	.count_offset = offsetof(struct run_options, counter)

static const char *const switches[] = {"auto", "on", "off", NULL};
static const char *const irqchips[] = {"auto", "gicv3", "gicv2", NULL};
static const char *const psci_answerers[] = {"kvm", "armlet", NULL};
static const char *const restarts[] = {"never", "on-failure", "always", NULL};
static const char *const levels[] = {"error", "warning", "info", "debug", NULL};

const struct option_def run_rows[] = {
	{.group = "Boot",
	 .name = "kernel",
	 .letter = 'k',
	 .argument = "FILE",
	 .type = OPTION_FILE,
	 AT(machine.kernel),
	 .help = "Image, .gz, .zst, EFI zboot, ELF or raw binary"},
	{.name = "initrd",
	 .letter = 'i',
	 .argument = "FILE",
	 .type = OPTION_FILE,
	 AT(machine.initrd),
	 .help = "initial RAM disk"},
	{.name = "append",
	 .letter = 'a',
	 .argument = "WORDS",
	 .type = OPTION_STRING,
	 AT(machine.append),
	 .help = "the kernel's command line, as it is"},
	{.name = "dtb",
	 .argument = "FILE",
	 .type = OPTION_FILE,
	 AT(machine.dtb),
	 .help = "this device tree instead of the machine's own"},
	{.name = "dtb-overlay",
	 .plural = "dtb-overlays",
	 .argument = "FILE",
	 .type = OPTION_FILES,
	 COUNTED(machine.dtb_overlays, machine.dtb_overlay_count),
	 .max = MACHINE_MAX_OVERLAYS,
	 .help = "apply an overlay to the device tree; repeat for more"},
	{.name = "dump-dtb",
	 .argument = "FILE",
	 .type = OPTION_FILE,
	 AT(machine.dump_dtb),
	 .help = "write the device tree that the guest gets to FILE"},

	{.group = "Machine",
	 .name = "cpus",
	 .letter = 'c',
	 .argument = "N",
	 .type = OPTION_U32,
	 AT(machine.cpus),
	 .min = 1,
	 .max = MACHINE_MAX_VCPUS,
	 .help = "virtual CPUs (1)"},
	{.name = "cpus-present",
	 .argument = "N",
	 .type = OPTION_U32,
	 AT(machine.cpus_present),
	 .min = 1,
	 .max = MACHINE_MAX_VCPUS,
	 .help = "CPUs that may be turned on; set-cpu-present adds others (all)"},
	{.name = "topology",
	 .argument = "PROPERTY[,PROPERTY]...",
	 .type = OPTION_RECORDS,
	 COUNTED(machine.topology, machine.topology_count),
	 .max = 1,
	 .record = topology_properties,
	 .record_size = sizeof(struct topology_config),
	 .help = "which CPUs share what: sockets=2,clusters=1,cores=4,threads=2"},
	{.name = "cpu-model",
	 .argument = "MODEL",
	 .type = OPTION_FILE,
	 AT(machine.cpu_model),
	 .choices = cpu_model_words,
	 .help = "the guest's CPU: host, a model or its file (host)"},
	{.name = "mem",
	 .letter = 'm',
	 .argument = "SIZE",
	 .type = OPTION_SIZE,
	 AT(machine.mem),
	 .min = MACHINE_MIN_MEM,
	 .max = 4096 * TIB,
	 .help = "memory: 512M, 2G; a bare number is MiB (512M)"},
	{.name = "irqchip",
	 .argument = "KIND",
	 .type = OPTION_CHOICE,
	 AT(machine.irqchip),
	 .choices = irqchips,
	 .help = "interrupt controller: auto, gicv3, gicv2 (auto)"},
	{.name = "pmu",
	 .argument = "auto|on|off",
	 .type = OPTION_SWITCH,
	 AT(machine.pmu),
	 .choices = switches,
	 .help = "performance monitors (auto: where the host has them)"},
	{.name = "sve",
	 .argument = "auto|on|off",
	 .type = OPTION_SWITCH,
	 AT(machine.sve),
	 .choices = switches,
	 .help = "Scalable Vector Extension (auto)"},
	{.name = "pauth",
	 .argument = "auto|on|off",
	 .type = OPTION_SWITCH,
	 AT(machine.pauth),
	 .choices = switches,
	 .help = "pointer authentication (auto)"},
	{.name = "psci",
	 .argument = "kvm|armlet",
	 .type = OPTION_CHOICE,
	 AT(machine.psci),
	 .choices = psci_answerers,
	 .help = "who turns CPUs on and off; armlet keeps a log of it (kvm)"},
	{.name = "steal-time",
	 .argument = "auto|on|off",
	 .type = OPTION_SWITCH,
	 AT(machine.steal_time),
	 .choices = switches,
	 .help = "tell the guest what time the host takes of its CPUs (auto)"},
	{.name = "pin",
	 .argument = "LIST",
	 .type = OPTION_LIST,
	 COUNTED(machine.pin, machine.pin_count),
	 .max = MACHINE_MAX_VCPUS,
	 .help = "host CPU of each vCPU in turn: 2,3 or 4-7"},
	{.name = "halt-poll",
	 .argument = "NS",
	 .type = OPTION_U32,
	 AT(machine.halt_poll),
	 .max = 1000000000,
	 .help = "how long the host waits awake for an idle vCPU (as it has it)"},
	{.name = "hugepages",
	 .type = OPTION_FLAG,
	 AT(machine.hugepages),
	 .help = "back the memory with reserved 2 MiB huge pages"},
	{.name = "lock-mem",
	 .type = OPTION_FLAG,
	 AT(machine.lock_mem),
	 .help = "lock the memory: the host never pages it out"},
	{.name = "nodefaults",
	 .type = OPTION_FLAG,
	 AT(machine.nodefaults),
	 .help = "no device but the PL011: no clock, no power key"},
	{.group = "Devices",
	 .name = "disk",
	 .plural = "disks",
	 .letter = 'd',
	 .argument = "FILE[,PROPERTY]...",
	 .type = OPTION_RECORDS,
	 COUNTED(machine.disks, machine.disk_count),
	 .max = MACHINE_MAX_DISKS,
	 .record = disk_properties,
	 .record_size = sizeof(struct disk_config),
	 .record_init = init_disk_config,
	 .help = "a disk: a file, a block device or an NBD URI; repeat for more"},
	{.name = "net",
	 .plural = "nets",
	 .letter = 'n',
	 .argument = "user|tap=IF|none[,PROPERTY]...",
	 .type = OPTION_RECORDS,
	 COUNTED(machine.nets, machine.net_count),
	 .max = MACHINE_MAX_NETS,
	 .record = net_properties,
	 .record_size = sizeof(struct net_config),
	 .record_init = init_net_config,
	 .record_done = settle_net_config,
	 .help = "a network: user by passt, a tap interface, or none (none)"},
	{.name = "publish",
	 .argument = "[ADDR:]HOST:GUEST[/udp]",
	 .type = OPTION_STRINGS,
	 COUNTED(machine.publish, machine.publish_count),
	 .max = MACHINE_MAX_PUBLISH,
	 .help = "a port of the host that leads to the guest's, with --net user"},
	{.name = "vsock",
	 .argument = "CID",
	 .type = OPTION_U32,
	 AT(machine.vsock_cid),
	 .min = 3,
	 .max = UINT32_MAX - 1,
	 .help = "sockets between host and guest (AF_VSOCK), the guest's CID"},
	{.name = "volume",
	 .plural = "volumes",
	 .letter = 'v',
	 .argument = "DIR:TAG[:ro]",
	 .type = OPTION_STRINGS,
	 COUNTED(machine.volumes, machine.volume_count),
	 .max = MACHINE_MAX_VOLUMES,
	 .help = "a folder of the host that the guest can mount"},
	{.name = "console",
	 .argument = "WHERE",
	 .type = OPTION_STRING,
	 AT(machine.console),
	 .help = "hvc0: stdio, pty, unix:PATH, file:PATH, null or none (null)"},
	{.name = "port",
	 .plural = "ports",
	 .argument = "NAME=WHERE",
	 .type = OPTION_STRINGS,
	 COUNTED(machine.ports, machine.port_count),
	 .max = MACHINE_MAX_PORTS,
	 .help = "/dev/virtio-ports/NAME of the guest; WHERE as for --console"},
	{.name = "balloon",
	 .argument = "SIZE",
	 .type = OPTION_RECORDS,
	 COUNTED(machine.balloon, machine.balloon_count),
	 .max = 1,
	 .record = balloon_properties,
	 .record_size = sizeof(struct balloon_config),
	 .alone = true,
	 .help = "what the guest frees returns; SIZE of its memory from the start"},
	{.name = "slots",
	 .argument = "N",
	 .type = OPTION_U32,
	 AT(machine.slots),
	 .max = MACHINE_MAX_SLOTS,
	 .help = "places for devices that come later, by device_add (0)"},
	{.name = "scratch",
	 .type = OPTION_FLAG,
	 AT(machine.scratch),
	 .help = "registers that keep what is written, for tests of drivers"},

	{.name = "fault",
	 .plural = "faults",
	 .argument = "WHERE,PROPERTY[,PROPERTY]...",
	 .type = OPTION_RECORDS,
	 COUNTED(machine.faults, machine.fault_count),
	 .max = MACHINE_MAX_FAULTS,
	 .record = fault_properties,
	 .record_size = sizeof(struct fault_config),
	 .help = "have accesses to a device, or calls of PSCI, fail; repeat for more"},

	{.group = "Process",
	 .name = "config",
	 .argument = "FILE",
	 .type = OPTION_CONFIG,
	 AT(config),
	 .read = options_read_file,
	 .only_here = true,
	 .help = "all that a JSON file says, as --dry-run prints it"},
	{.name = "libvirt",
	 .argument = "DOMAIN",
	 .type = OPTION_CONFIG,
	 AT(domain),
	 .read = libvirt_read,
	 .only_here = true,
	 .help = "a libvirt domain: a file of XML, or URI/NAME as qemu:///system/web"},
	{.name = "lenient",
	 .type = OPTION_FLAG,
	 AT(lenient),
	 .only_here = true,
	 .help = "warn of what armlet has not of the domain, instead of refusing it"},
	{.name = "dry-run",
	 .type = OPTION_FLAG,
	 AT(dry_run),
	 .only_here = true,
	 .help = "print the machine as JSON, for --config, and start nothing"},
	{.name = "name",
	 .argument = "NAME",
	 .type = OPTION_STRING,
	 AT(name),
	 .help = "what other commands call the machine; with a control socket"},
	{.name = "directory",
	 .argument = "FOLDER",
	 .type = OPTION_FILE,
	 AT(directory),
	 .help = "where names of files begin that are not absolute (the present one)"},
	{.name = "detach",
	 .type = OPTION_FLAG,
	 AT(detach),
	 .only_here = true,
	 .help = "run in the background; needs --name, for armlet console and the others"},
	{.name = "attachable",
	 .type = OPTION_FLAG,
	 AT(attachable),
	 .help = "a console for armlet console and logs, as with --detach; needs --name"},
	{.name = "ready",
	 .argument = "WHEN",
	 .type = OPTION_STRING,
	 AT(ready),
	 .help = "when the guest is up: driver, started or text=TEXT (driver)"},
	{.name = "restart",
	 .argument = "WHEN",
	 .type = OPTION_CHOICE,
	 AT(restart),
	 .choices = restarts,
	 .help = "begin anew at the end: never, on-failure or always (never)"},
	{.name = "no-reboot",
	 .type = OPTION_FLAG,
	 AT(machine.no_reboot),
	 .help = "end when the guest resets, instead of booting anew"},
	{.name = "timeout",
	 .letter = 't',
	 .argument = "SECONDS",
	 .type = OPTION_U32,
	 AT(timeout),
	 .min = 1,
	 .max = UINT32_MAX,
	 .help = "end the machine after this time, with status 124"},
	{.name = "api",
	 .argument = "SOCKET",
	 .type = OPTION_FILE,
	 AT(api),
	 .help = "control the machine by QMP on a UNIX socket that is made there"},
	{.name = "gdb",
	 .argument = "WHERE",
	 .type = OPTION_RECORDS,
	 COUNTED(gdb, gdb_count),
	 .max = 1,
	 .record = gdb_properties,
	 .record_size = sizeof(struct gdb_config),
	 .alone = true,
	 .help = "let gdb debug the guest: tcp:PORT or unix:PATH (tcp:1234)"},
	{.name = "freeze",
	 .letter = 'S',
	 .type = OPTION_FLAG,
	 AT(machine.freeze),
	 .help = "begin paused, at the first instruction; armlet resume or gdb goes on"},
	{.name = "trace",
	 .argument = "WHAT",
	 .type = OPTION_STRING,
	 AT(machine.trace),
	 .help = "what is to be in a trace: exits, mmio, psci, irq, nisv, with commas"},
	{.name = "trace-file",
	 .argument = "FILE",
	 .type = OPTION_FILE,
	 AT(machine.trace_file),
	 .help = "where it is written, for Perfetto and armlet stats (armlet.fxt)"},
	{.name = "loglevel",
	 .argument = "LEVEL",
	 .type = OPTION_CHOICE,
	 AT(log_level),
	 .choices = levels,
	 .help = "what to tell on stderr: error, warning, info, debug (warning)"},
	{.name = "kvm-device",
	 .argument = "FILE",
	 .type = OPTION_FILE,
	 AT(machine.kvm_device),
	 .help = "KVM's device (/dev/kvm)"},

	/* What kvmtool calls them. */
	{.name = "params", .argument = "WORDS", .type = OPTION_STRING, AT(machine.append)},
	{.name = "network",
	 .argument = "none",
	 .type = OPTION_RECORDS,
	 COUNTED(machine.nets, machine.net_count),
	 .max = MACHINE_MAX_NETS,
	 .record = net_properties,
	 .record_size = sizeof(struct net_config),
	 .record_init = init_net_config,
	 .record_done = settle_net_config},
	{0},
};

const struct option_table run_table = {
	.command = "run",
	.usage = "[OPTIONS] [KERNEL]",
	.summary = "boot a machine in the foreground",
	.options = run_rows,
	.positional = "kernel",
	.epilogue =
		"On a terminal, Ctrl-a x ends the machine, Ctrl-a p presses its power key, and\n"
		"Ctrl-a h lists the other keys. SIGTERM presses the power key, too; a second one\n"
		"ends the machine.\n\n"
		"Exit status: 0 when the guest powered off (or reset, with --no-reboot), 255 when\n"
		"it reset after a kernel panic with --no-reboot, 124 on a timeout, 125 when "
		"armlet\n"
		"could not go on, 128+N when signal N ended it.",
};

void run_options_init(struct run_options *run)
{
	*run = (struct run_options){.log_level = LOG_LEVEL_WARNING};
	machine_config_init(&run->machine);
}

void run_options_finish(struct run_options *run)
{
	json_object_put(run->config);
	json_object_put(run->domain);
	run->config = NULL;
	run->domain = NULL;
}

/* As many of the sentences as have room; what is left out is counted. */
static int refuse_lacks(const char *where, struct json_object *lacks, struct error *err)
{
	char text[ERROR_TEXT_MAX - 128] = "";
	size_t count = json_object_array_length(lacks), used = 0, said = 0;
	char more[80] = "--lenient runs it all the same";

	for (; said < count; said++) {
		const char *lack = json_object_get_string(json_object_array_get_idx(lacks, said));
		size_t size = strlen(lack) + 2;

		if (said && used + size >= sizeof(text))
			break;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", said ? "; " : "",
					 lack);
		used = used < sizeof(text) ? used : sizeof(text) - 1;
	}
	if (said < count)
		snprintf(more, sizeof(more), "and %zu more; --lenient tells of all, and runs it",
			 count - said);
	return error_set(err, EOPNOTSUPP, "--libvirt %.64s: %s; %s", where, text, more);
}

int run_options_settle(const struct run_options *run, struct error *err)
{
	struct json_object *lacks = NULL, *where = NULL;
	size_t count;

	if (!run->domain)
		return run->lenient ? error_set(err, EINVAL, "--lenient: that is for --libvirt")
				    : 0;
	json_object_object_get_ex(run->domain, "where", &where);
	json_object_object_get_ex(run->domain, "lacks", &lacks);
	count = json_object_array_length(lacks);
	if (count && !run->lenient)
		return refuse_lacks(json_object_get_string(where), lacks, err);
	for (size_t i = 0; i < count; i++)
		log_warning("--libvirt %s: %s", json_object_get_string(where),
			    json_object_get_string(json_object_array_get_idx(lacks, i)));
	return 0;
}
