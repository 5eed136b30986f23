/* SPDX-License-Identifier: Apache-2.0 */
/* The PL031 (DDI 0224C, chapter 3): counts seconds since 1970, can be set, and interrupts. */
#include "gic.h"
#include "runtime.h"

#define RTC(reg) (PL031_BASE + (reg))

enum {
	RTCDR = 0x00,
	RTCMR = 0x04,
	RTCLR = 0x08,
	RTCCR = 0x0c,
	RTCIMSC = 0x10,
	RTCRIS = 0x14,
	RTCMIS = 0x18,
	RTCICR = 0x1c,
	RTCPeriphID0 = 0xfe0,
};

static const uint8_t id[] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static volatile unsigned interrupts;

static void on_irq(unsigned intid)
{
	if (intid != INTID_PL031)
		return;
	interrupts++;
	write32(RTC(RTCICR), 1);
}

static void check_fresh(void)
{
	check_equal("RTCMR", read32(RTC(RTCMR)), 0);
	check_equal("RTCLR", read32(RTC(RTCLR)), 0);
	check_equal("RTCCR", read32(RTC(RTCCR)), 1);
	check_equal("RTCIMSC", read32(RTC(RTCIMSC)), 0);
	check_equal("RTCRIS", read32(RTC(RTCRIS)), 0);
	check_equal("RTCMIS", read32(RTC(RTCMIS)), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(id); i++)
		check_equal_of("identification", i, read32(RTC(RTCPeriphID0 + 4 * i)), id[i]);
}

/* "now=N" is the host's time when it started us. */
static void check_time(void)
{
	uint64_t host = option_number("now", 0);
	uint32_t start;

	if (host)
		check_range("it_is_the_hosts_time", read32(RTC(RTCDR)), host, host + 60);
	start = read32(RTC(RTCDR));
	delay(2100);
	check_range("it_counts_seconds", read32(RTC(RTCDR)) - start, 2, 4);
	write32(RTC(RTCCR), 0);
	check_equal("it_cannot_be_stopped", read32(RTC(RTCCR)), 1);
}

static void check_setting(void)
{
	write32(RTC(RTCLR), 1000);
	check_equal("RTCLR_keeps", read32(RTC(RTCLR)), 1000);
	check_range("it_is_set", read32(RTC(RTCDR)), 1000, 1001);
	write32(RTC(RTCLR), 0xffffffff);
	check("it_is_set_to_the_last_second",
	      read32(RTC(RTCDR)) == 0xffffffff || read32(RTC(RTCDR)) <= 1);
	check("it_wraps", wait_for(read32(RTC(RTCDR)) < 10, 3000));
	write32(RTC(RTCICR), 1);
}

static void check_match(void)
{
	write32(RTC(RTCLR), 5000);
	write32(RTC(RTCMR), 5002);
	write32(RTC(RTCICR), 1);
	check_equal("no_match_yet", read32(RTC(RTCRIS)), 0);
	check("match_is_raw", wait_for(read32(RTC(RTCRIS)) == 1, 4000));
	check_range("match_is_then", read32(RTC(RTCDR)), 5002, 5003);
	check_equal("masked_match", read32(RTC(RTCMIS)), 0);
	check_equal("masked_match_is_silent", interrupts, 0);
	write32(RTC(RTCIMSC), 1);
	check("unmasked_match_interrupts", wait_for(interrupts == 1, 1000));
	check_equal("RTCICR_clears", read32(RTC(RTCRIS)), 0);

	write32(RTC(RTCMR), read32(RTC(RTCDR)) + 2);
	check("match_interrupts", wait_for(interrupts == 2, 4000));
	delay(50);
	check_equal("match_interrupts_once", interrupts, 2);
	/* Only the interrupt wakes us. */
	write32(RTC(RTCMR), read32(RTC(RTCDR)) + 2);
	irqs_off();
	while (!gic_is_pending(INTID_PL031))
		wfi();
	irqs_on();
	check("match_wakes", wait_for(interrupts == 3, 1000));
	write32(RTC(RTCMR), read32(RTC(RTCDR)));
	check("match_at_once", wait_for(interrupts == 4, 1000));
	write32(RTC(RTCIMSC), 0);
}

void payload_main(void)
{
	gic_init();
	gic_init_cpu();
	irq_handler = on_irq;
	gic_enable(INTID_PL031);
	irqs_on();
	check_fresh();
	check_time();
	check_setting();
	check_match();
}
