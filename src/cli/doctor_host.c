/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor_host.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/parse.h"

const char *kvm_mode_name(enum kvm_mode mode)
{
	static const char *const names[] = {
		[KVM_MODE_UNKNOWN] = "unknown", [KVM_MODE_VHE] = "VHE",
		[KVM_MODE_NVHE] = "nVHE",       [KVM_MODE_PROTECTED] = "protected",
		[KVM_MODE_NESTED] = "nested",
	};

	return names[mode];
}

const char *kvm_mode_explained(enum kvm_mode mode)
{
	static const char *const texts[] = {
		[KVM_MODE_UNKNOWN] = "this host does not tell in which mode its KVM runs",
		[KVM_MODE_VHE] = "the host kernel itself runs at EL2, so guest entry is cheap",
		[KVM_MODE_NVHE] = "the host kernel runs at EL1 and enters guests through EL2",
		[KVM_MODE_PROTECTED] = "EL2 is isolated from the host kernel (pKVM)",
		[KVM_MODE_NESTED] = "VHE, and guests may run hypervisors of their own",
	};

	return texts[mode];
}

/* The whole of a small file as a string, or an empty one. */
static void read_text(const char *path, char *text, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t n = 0;

	while (fd >= 0 && used < size - 1 && (n = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
}

static bool kernel_parameter(const char *wanted)
{
	char text[4096];
	char *rest = text;
	char *word;

	read_text("/proc/cmdline", text, sizeof(text));
	while ((word = strsep(&rest, " \n"))) {
		if (!strcmp(word, wanted))
			return true;
	}
	return false;
}

/*
 * Which timer the host kernel has taken for itself tells where it runs: at EL2
 * with VHE it owns the hypervisor timer (PPI 26, or 28), at EL1 below its own
 * EL2 it leaves the virtual one to guests and takes the physical one (PPI 30).
 * /proc/interrupts has the INTID behind the controller's name.
 */
static unsigned host_timer_intid(void)
{
	_cleanup_free_ char *text = malloc(64 * KIB);
	char *rest = text;
	char *line;

	if (!text)
		return 0;
	read_text("/proc/interrupts", text, 64 * KIB);
	while ((line = strsep(&rest, "\n"))) {
		const char *gic = strstr(line, "GIC");

		/* "kvm guest vtimer" and "kvm guest ptimer" are not the host's own. */
		if (gic && strstr(line, "arch_timer"))
			return (unsigned)strtoul(gic + strcspn(gic, " "), NULL, 10);
	}
	return 0;
}

static enum kvm_mode find_mode(void)
{
	unsigned intid;

	if (kernel_parameter("kvm-arm.mode=protected"))
		return KVM_MODE_PROTECTED;
	intid = host_timer_intid();
	if (intid == 26 || intid == 28)
		return kernel_parameter("kvm-arm.mode=nested") ? KVM_MODE_NESTED : KVM_MODE_VHE;
	if (intid == 30)
		return KVM_MODE_NVHE;
	return KVM_MODE_UNKNOWN;
}

static void read_cores(struct host_info *host)
{
	for (unsigned cpu = 0; cpu < 4096; cpu++) {
		char path[96];
		char text[64];
		uint64_t midr;
		unsigned kind = 0;

		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%u/regs/identification/midr_el1", cpu);
		read_text(path, text, sizeof(text));
		if (!text[0])
			break;
		/* An empty Variant or Revision is a kind of the same core: compare all bits. */
		midr = strtoull(text, NULL, 0);
		while (kind < host->core_kinds && host->midr[kind] != midr)
			kind++;
		if (kind == host->core_kinds && kind < HOST_MAX_CORE_KINDS)
			host->midr[host->core_kinds++] = midr;
	}
}

/* From /etc/group itself: getgrgid() would need shared libraries in a static program. */
static void find_group(gid_t gid, char *name, size_t size)
{
	FILE *groups = fopen("/etc/group", "re");
	struct group *group = NULL;

	while (groups && (group = fgetgrent(groups)) && group->gr_gid != gid)
		;
	snprintf(name, size, "%s", group ? group->gr_name : "");
	if (groups)
		fclose(groups);
}

static void read_device(struct host_info *host, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return;
	host->kvm_there = true;
	host->kvm_usable = access(path, R_OK | W_OK) == 0;
	find_group(st.st_gid, host->kvm_group, sizeof(host->kvm_group));
}

static uint64_t meminfo(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	at = at ? at + strlen(name) : "";
	return *at == ':' ? strtoull(at + 1, NULL, 10) : 0;
}

void host_info_read(struct host_info *host, const char *kvm_device)
{
	struct utsname names;
	char text[8192];

	*host = (struct host_info){0};
	if (uname(&names) == 0) {
		snprintf(host->machine, sizeof(host->machine), "%s", names.machine);
		snprintf(host->kernel, sizeof(host->kernel), "%s", names.release);
		parse_release(names.release, &host->kernel_major, &host->kernel_minor);
	}
	host->page_size = (unsigned)sysconf(_SC_PAGESIZE);
	host->cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	read_text("/proc/meminfo", text, sizeof(text));
	host->memory = meminfo(text, "MemTotal") * KIB;
	host->memory_free = meminfo(text, "MemAvailable") * KIB;
	read_text("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", text, sizeof(text));
	host->huge_pages = strtoull(text, NULL, 10);
	host->mode = find_mode();
	read_cores(host);
	read_device(host, kvm_device);
	host->has_vhost_net = access("/dev/vhost-net", F_OK) == 0;
	host->has_vhost_vsock = access("/dev/vhost-vsock", F_OK) == 0;
	host->has_tun = access("/dev/net/tun", F_OK) == 0;
}

const char *core_name(uint64_t midr)
{
	/* Implementer (31:24) and PartNum (15:4) of MIDR_EL1, from the cores' own manuals. */
	static const struct {
		unsigned implementer;
		unsigned part;
		const char *name;
	} cores[] = {
		{0x41, 0xd03, "Cortex-A53"},
		{0x41, 0xd04, "Cortex-A35"},
		{0x41, 0xd05, "Cortex-A55"},
		{0x41, 0xd07, "Cortex-A57"},
		{0x41, 0xd08, "Cortex-A72"},
		{0x41, 0xd09, "Cortex-A73"},
		{0x41, 0xd0a, "Cortex-A75"},
		{0x41, 0xd0b, "Cortex-A76"},
		{0x41, 0xd0c, "Neoverse N1"},
		{0x41, 0xd0d, "Cortex-A77"},
		{0x41, 0xd40, "Neoverse V1"},
		{0x41, 0xd41, "Cortex-A78"},
		{0x41, 0xd44, "Cortex-X1"},
		{0x41, 0xd46, "Cortex-A510"},
		{0x41, 0xd47, "Cortex-A710"},
		{0x41, 0xd48, "Cortex-X2"},
		{0x41, 0xd49, "Neoverse N2"},
		{0x41, 0xd4f, "Neoverse V2"},
		{0x41, 0xd80, "Cortex-A520"},
		{0x41, 0xd81, "Cortex-A720"},
		{0x41, 0xd82, "Cortex-X4"},
		{0xc0, 0xac3, "Ampere-1"},
		{0x61, 0x022, "Apple M1 (efficiency)"},
		{0x61, 0x023, "Apple M1 (performance)"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cores); i++) {
		if ((midr >> 24 & 0xff) == cores[i].implementer &&
		    (midr >> 4 & 0xfff) == cores[i].part)
			return cores[i].name;
	}
	return NULL;
}
