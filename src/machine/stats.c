/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/counter.h"
#include "machine_private.h"
#include "virtio/virtio_net.h"

static struct vcpu *find_vcpu(const struct machine *machine, uint32_t index)
{
	return index < machine->board.vcpu_count ? &machine->board.vcpus[index] : NULL;
}

/* The hypervisor's. */

int machine_hyp_stats(struct machine *machine, struct hyp_stats **ret)
{
	return machine->board.hyp ? hyp_get_stats(machine->board.hyp, ret) : -EOPNOTSUPP;
}

/* Of all vCPUs, which leave the guest for a moment; that has to be done once in a boot. */
static int open_stats(struct machine *machine)
{
	bool held = pause_hold(machine);
	int r = 0;

	for (uint32_t i = 0; i < machine->board.vcpu_count && r == 0; i++)
		r = hyp_vcpu_open_stats(machine->board.vcpus[i].hyp);
	if (held)
		pause_release(machine);
	return r;
}

int machine_vcpu_hyp_stats(struct machine *machine, uint32_t index, struct hyp_stats **ret)
{
	const struct vcpu *vcpu = find_vcpu(machine, index);
	int r = vcpu ? hyp_vcpu_get_stats(vcpu->hyp, ret) : -ENODEV;

	if (r != -EBADF)
		return r;
	r = open_stats(machine);
	return r < 0 ? r : hyp_vcpu_get_stats(vcpu->hyp, ret);
}

/* Our own. */

const char *machine_exit_name(unsigned kind)
{
	return kind < VCPU_EXIT_REASONS ? vcpu_exit_name((enum vcpu_exit_reason)kind) : NULL;
}

uint64_t machine_vcpu_exits(const struct machine *machine, uint32_t index, unsigned kind)
{
	const struct vcpu *vcpu = find_vcpu(machine, index);

	return vcpu && kind < VCPU_EXIT_REASONS ? counter_read(&vcpu->exits[kind]) : 0;
}

static uint64_t read_clock(clockid_t clock)
{
	struct timespec time = {0};

	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * UINT64_C(1000000000) + (uint64_t)time.tv_nsec;
}

uint64_t machine_vcpu_cpu_time(const struct machine *machine, uint32_t index)
{
	const struct vcpu *vcpu = find_vcpu(machine, index);
	clockid_t clock;

	if (!vcpu || !vcpu->started || pthread_getcpuclockid(vcpu->thread, &clock))
		return 0;
	return read_clock(clock);
}

/* proc(5), /proc/self/statm: its second number is of pages. */
static uint64_t resident(void)
{
	_cleanup_close_ int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[128] = "";
	const char *second;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return 0;
	second = strchr(text, ' ');
	return second ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

void machine_usage(const struct machine *machine, struct machine_usage *ret)
{
	*ret = (struct machine_usage){
		.cpu_time = read_clock(CLOCK_PROCESS_CPUTIME_ID),
		.memory = machine->mem->size,
		.resident = resident(),
	};
}

/* Networks. */

static int read_interface(const char *name, const char *counter, uint64_t *ret)
{
	_cleanup_close_ int fd = -EBADF;
	char path[128], text[32] = "";

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", name, counter);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (read(fd, text, sizeof(text) - 1) <= 0)
		return -EIO;
	*ret = strtoull(text, NULL, 10);
	return 0;
}

/* What a tap receives, the guest has sent. */
static int read_tap(const char *name, struct machine_net_stats *ret)
{
	int r = read_interface(name, "tx_bytes", &ret->rx_bytes);

	if (r == 0)
		r = read_interface(name, "tx_packets", &ret->rx_packets);
	if (r == 0)
		r = read_interface(name, "rx_bytes", &ret->tx_bytes);
	if (r == 0)
		r = read_interface(name, "rx_packets", &ret->tx_packets);
	return r;
}

int machine_net_stats(const struct machine *machine, size_t index, struct machine_net_stats *ret)
{
	const struct machine_net *net;
	struct virtio_net_traffic traffic;
	int r;

	if (index >= machine->net_count)
		return 0;
	net = machine->nets[index];
	*ret = (struct machine_net_stats){.name = net->name};
	if (net->tap) {
		r = read_tap(net->tap->peer, ret);
		return r < 0 ? r : 1;
	}
	if (!machine->board.virtio_count)
		return -EAGAIN;
	traffic = virtio_net_traffic(net->device);
	ret->rx_bytes = traffic.received_bytes;
	ret->rx_packets = traffic.received;
	ret->tx_bytes = traffic.sent_bytes;
	ret->tx_packets = traffic.sent;
	return 1;
}
