/* SPDX-License-Identifier: Apache-2.0 */
/* Memory, strings, time and PSCI. */
#include "runtime.h"

/* The compiler may call these, whatever we write; -fno-builtin keeps them from being themselves. */
void *memset(void *to, int byte, size_t size)
{
	uint8_t *at = to;

	while (size--)
		*at++ = (uint8_t)byte;
	return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
	uint8_t *at = to;
	const uint8_t *source = from;

	while (size--)
		*at++ = *source++;
	return to;
}

bool starts_with(const char *text, const char *start)
{
	while (*start) {
		if (*text++ != *start++)
			return false;
	}
	return true;
}

bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

uint64_t now(void)
{
	__asm__ volatile("isb" : : : "memory");
	return read_sysreg("cntvct_el0");
}

uint64_t frequency(void)
{
	return read_sysreg("cntfrq_el0");
}

uint64_t milliseconds(void)
{
	return now() / (frequency() / 1000);
}

void delay(uint64_t ms)
{
	uint64_t end = milliseconds() + ms;

	while (milliseconds() < end)
		;
}

int64_t hvc(uint64_t function, uint64_t x1, uint64_t x2, uint64_t x3)
{
	register uint64_t r0 __asm__("x0") = function;
	register uint64_t r1 __asm__("x1") = x1;
	register uint64_t r2 __asm__("x2") = x2;
	register uint64_t r3 __asm__("x3") = x3;

	/* SMCCC 1.1 keeps x4 on; 1.0 only x18 on. */
	__asm__ volatile("hvc #0"
			 : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
			 :
			 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
			   "x15", "x16", "x17", "memory");
	return (int64_t)r0;
}

/* PSCI's answers have 32 bits, wherever they are in. */
int64_t psci(uint64_t function, uint64_t x1, uint64_t x2, uint64_t x3)
{
	return (int32_t)hvc(function, x1, x2, x3);
}
