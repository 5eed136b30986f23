/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypercalls beside PSCI (SMCCC, DEN0028): entropy (TRNG, DEN0098), stolen time (DEN0057)
 * and the host's clock (KVM's own, Linux: Documentation/virt/kvm/arm/ptp_kvm.rst).
 */
#include "runtime.h"

#define NOT_SUPPORTED UINT64_MAX
#define SECOND        UINT64_C(1000000000)

enum {
	SMCCC_VERSION = 0x80000000,
	TRNG_VERSION = 0x84000050,
	TRNG_FEATURES = 0x84000051,
	TRNG_GET_UUID = 0x84000052,
	TRNG_RND32 = 0x84000053,
	KVM_FEATURES = 0x86000000,
	KVM_PTP = 0x86000001,
	KVM_UID = 0x8600ff01,
	TRNG_RND64 = 0xc4000053,
	PV_TIME_FEATURES = 0xc5000020,
	PV_TIME_ST = 0xc5000021,
};

struct answer {
	uint64_t x[4];
};

static struct answer call(uint64_t function, uint64_t argument)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = argument;
	register uint64_t x2 __asm__("x2") = 0;
	register uint64_t x3 __asm__("x3") = 0;

	__asm__ volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
	return (struct answer){{x0, x1, x2, x3}};
}

static void check_trng(void)
{
	struct answer first, second;
	unsigned ones = 0;

	check_range("TRNG_VERSION", call(TRNG_VERSION, 0).x[0], 0x10000, 0x7fffffff);
	check_equal("TRNG_RND64_is_there", call(TRNG_FEATURES, TRNG_RND64).x[0], 0);
	check_equal("TRNG_RND32_is_there", call(TRNG_FEATURES, TRNG_RND32).x[0], 0);
	check("it_has_a_uuid", call(TRNG_GET_UUID, 0).x[0] != NOT_SUPPORTED);
	check_equal("no_more_than_192_bits", call(TRNG_RND64, 193).x[0], (uint64_t)-2);
	first = call(TRNG_RND64, 192);
	second = call(TRNG_RND64, 192);
	check_equal("TRNG_RND64", first.x[0] | second.x[0], 0);
	for (unsigned i = 1; i < 4; i++) {
		check_equal_of("another_word", i, first.x[i] == second.x[i], 0);
		for (uint64_t bits = first.x[i]; bits; bits &= bits - 1)
			ones++;
	}
	/* 192 coins: this is seven deviations wide. */
	check_range("bits_that_are_set", ones, 48, 144);
	first = call(TRNG_RND64, 8);
	check_equal("no_more_than_asked_for", first.x[1] | first.x[2] | (first.x[3] & ~0xffull), 0);
}

static void check_stolen_time(void)
{
	uint64_t at = call(PV_TIME_ST, 0).x[0];

	if (option_is("steal", "off")) {
		check_equal("no_stolen_time", at, NOT_SUPPORTED);
		return;
	}
	check_equal("PV_TIME_FEATURES", call(PV_TIME_FEATURES, PV_TIME_ST).x[0], 0);
	check_equal("PV_TIME_ST", at, 0x090a0000);
	check_equal("revision", read32(at), 0);
	check_equal("attributes", read32(at + 4), 0);
	check_range("stolen_time", read64(at + 8), 0, 1000 * SECOND);
}

static void check_ptp(void)
{
	struct answer answer;
	uint64_t time, counter, before;

	check_equal("KVM_UID", call(KVM_UID, 0).x[0], 0xb66fb428);
	check_equal("KVM_PTP_is_there", call(KVM_FEATURES, 0).x[0] >> 1 & 1, 1);
	before = now();
	answer = call(KVM_PTP, 0);
	check("KVM_PTP", answer.x[0] != NOT_SUPPORTED);
	time = (answer.x[0] << 32 | answer.x[1]) / SECOND;
	counter = answer.x[2] << 32 | answer.x[3];
	check_range("the_host_s_time", time, read32(PL031_BASE) - 3, read32(PL031_BASE) + 3);
	check_range("at_our_counter", counter, before, now());
}

void payload_main(void)
{
	check_range("SMCCC_VERSION", call(SMCCC_VERSION, 0).x[0], 0x10001, 0x7fffffff);
	check_trng();
	check_stolen_time();
	check_ptp();
	check_equal("no_such_call", call(0x8600ff7f, 0).x[0], NOT_SUPPORTED);
}
