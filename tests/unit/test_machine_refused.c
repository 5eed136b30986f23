/* SPDX-License-Identifier: Apache-2.0 */
/* Machines that cannot be: each refused with one sentence, and nothing left behind. */
#include <string.h>

#include "machine_bench.h"
#include "unit.h"

static const struct fake_step shut_down[] = {GUEST_EXITS(VCPU_EXIT_SHUTDOWN)};

static void no_kernel(struct machine_bench *bench)
{
	bench->config.kernel = NULL;
}

static void kernel_not_there(struct machine_bench *bench)
{
	bench->config.kernel = "/nonexistent/Image";
}

static void initrd_not_there(struct machine_bench *bench)
{
	bench->config.initrd = "/nonexistent/initrd";
}

static void initrd_too_large(struct machine_bench *bench)
{
	static char zeroes[16 * MIB];

	bench->config.initrd = memory_file(zeroes, sizeof(zeroes));
}

static void odd_size(struct machine_bench *bench)
{
	bench->config.mem = 16 * MIB + 4 * KIB;
}

static void balloon_too_large(struct machine_bench *bench)
{
	bench->config.balloon_count = 1;
	bench->config.balloon.size = bench->config.mem;
}

static void more_than_host(struct machine_bench *bench)
{
	bench->config.mem = 1024 * TIB;
}

static void too_many_vcpus(struct machine_bench *bench)
{
	fake_host.caps.max_vcpus = 4;
	bench->config.cpus = 5;
}

static void too_few_bits(struct machine_bench *bench)
{
	fake_host.caps.ipa_bits = 32;
	bench->config.mem = 4 * GIB;
}

static void pins_do_not_match(struct machine_bench *bench)
{
	bench->config.cpus = 3;
	bench->config.pin_count = 2;
}

static void pin_not_there(struct machine_bench *bench)
{
	bench->config.cpus = 2;
	bench->config.pin_count = 2;
	bench->config.pin[1] = 1000;
}

static void pin_nowhere(struct machine_bench *bench)
{
	bench->config.pin_count = 1;
	bench->config.pin[0] = UINT32_MAX;
}

static void no_pmu(struct machine_bench *bench)
{
	fake_host.caps.pmu = false;
	bench->config.pmu = CONFIG_ON;
}

static void no_sve(struct machine_bench *bench)
{
	fake_host.caps.sve = false;
	bench->config.sve = CONFIG_ON;
}

static void no_pauth(struct machine_bench *bench)
{
	fake_host.caps.pauth = false;
	bench->config.pauth = CONFIG_ON;
}

static void no_gicv3(struct machine_bench *bench)
{
	fake_host.caps.gicv3 = false;
	bench->config.irqchip = CONFIG_IRQCHIP_GICV3;
}

static void no_gic(struct machine_bench *bench)
{
	bench->config.irqchip = CONFIG_IRQCHIP_AUTO;
	fake_host.caps.gicv3 = false;
	fake_host.caps.gicv2 = false;
}

static void gicv2_too_small(struct machine_bench *bench)
{
	bench->config.irqchip = CONFIG_IRQCHIP_GICV2;
	bench->config.cpus = 9;
}

static void only_gicv2_too_small(struct machine_bench *bench)
{
	fake_host.caps.gicv3 = false;
	bench->config.cpus = 9;
}

static void no_kvm(struct machine_bench *bench)
{
	bench->config.kvm_device = "/dev/kvm";
	fake_host.open_error = ENOENT;
}

static void second_vcpu_fails(struct machine_bench *bench)
{
	bench->config.cpus = 2;
	fake_host.vcpu_error = ENOMEM;
	fake_host.vcpu_error_from = 1;
}

static void append_too_long(struct machine_bench *bench)
{
	static char words[4096];

	memset(words, 'x', sizeof(words) - 1);
	bench->config.append = words;
}

static void dtb_not_there(struct machine_bench *bench)
{
	bench->config.dtb = "/nonexistent/dtb";
}

static void overlay_is_none(struct machine_bench *bench)
{
	bench->config.dtb_overlays[0] = raw_kernel();
	bench->config.dtb_overlay_count = 1;
}

static void dump_nowhere(struct machine_bench *bench)
{
	bench->config.dump_dtb = "/nonexistent/dir/dtb";
}

struct refused_row {
	void (*set)(struct machine_bench *bench);
	const char *says;
};

static const struct refused_row refused_rows[] = {
	{no_kernel, "no kernel is given"},
	{kernel_not_there, "/nonexistent/Image"},
	{initrd_not_there, "/nonexistent/initrd"},
	{initrd_too_large, "initrd"},
	{odd_size, "--mem"},
	{balloon_too_large, "--balloon: size: "},
	{more_than_host, "--mem"},
	{too_many_vcpus, "--cpus: this host's KVM allows at most 4 vCPUs, not 5"},
	{too_few_bits, "--mem: 4 GiB needs 33 address bits"},
	{pins_do_not_match, "--pin: names 2 host CPUs for 3 vCPUs"},
	{pin_not_there, "--pin: this host has no CPU 1000"},
	{pin_nowhere, "--pin: this host has no CPU 4294967295"},
	{no_pmu, "--pmu=on"},
	{no_sve, "--sve=on"},
	{no_pauth, "--pauth=on"},
	{no_gicv3, "GICv3"},
	{no_gic, "no interrupt controller"},
	{gicv2_too_small, "--cpus: a GICv2 serves at most 8 vCPUs, not 9"},
	{only_gicv2_too_small, "--cpus: a GICv2 serves at most 8 vCPUs, not 9"},
	{no_kvm, "/dev/kvm"},
	{second_vcpu_fails, "vCPU 1"},
	{append_too_long, "2047"},
	{dtb_not_there, "/nonexistent/dtb"},
	{overlay_is_none, "overlay"},
	{dump_nowhere, "/nonexistent/dir/dtb"},
};

START_TEST(test_refused)
{
	const struct refused_row *row = &refused_rows[_i];
	struct machine_bench bench;
	const char *text;

	machine_bench_open(&bench);
	fake_program(0, 0, shut_down, ARRAY_SIZE(shut_down));
	row->set(&bench);
	capture_stderr();
	machine_bench_run_refused(&bench);
	text = captured_stderr();
	ck_assert_str_eq(text, "");
	ck_assert_msg(strstr(bench.err.text, row->says) != NULL, "'%s'", bench.err.text);
	ck_assert_msg(!strchr(bench.err.text, '\n'), "'%s'", bench.err.text);
	machine_bench_close(&bench);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_refused, ARRAY_SIZE(refused_rows)),
	{0},
};
const char unit_name[] = "machine_refused";
