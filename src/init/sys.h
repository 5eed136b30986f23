/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls of Linux on arm64, for a program without a C library. Each returns what the
 * kernel returns: -errno for a failure. Numbers, structures and flags are those of the headers
 * that every program has; of their functions none is here.
 */
#ifndef ARMLET_INIT_SYS_H
#define ARMLET_INIT_SYS_H

#include <asm/unistd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBER_OF(words) (sizeof(words) / sizeof((words)[0]))

/* Linux, arch/arm64/kernel/entry-common.c: the number in x8, arguments from x0, the result there.
 */
static inline long sys_call(long number, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory", "cc");
	return x0;
}

#define SYS0(name)             sys_call(__NR_##name, 0, 0, 0, 0, 0)
#define SYS1(name, a)          sys_call(__NR_##name, (long)(a), 0, 0, 0, 0)
#define SYS2(name, a, b)       sys_call(__NR_##name, (long)(a), (long)(b), 0, 0, 0)
#define SYS3(name, a, b, c)    sys_call(__NR_##name, (long)(a), (long)(b), (long)(c), 0, 0)
#define SYS4(name, a, b, c, d) sys_call(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), 0)
#define SYS5(name, a, b, c, d, e) \
	sys_call(__NR_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

/* text.c */

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);

bool text_equal(const char *a, const char *b);

/* What is behind @prefix in @text; NULL: it does not begin so. */
const char *text_behind(const char *text, const char *prefix);

/* Join texts in @to, which has @size bytes; what has no room is cut. Returns @to. */
#define text_join(to, size, ...) text_join_all(to, size, (const char *const[]){__VA_ARGS__, NULL})
char *text_join_all(char *to, size_t size, const char *const *parts);

/* A number in base ten; false: there is none, or something else as well. */
bool text_number(const char *text, unsigned long *ret);

/* The text of a number, in @to. */
#define TEXT_NUMBER_MAX 24
char *text_of(char to[TEXT_NUMBER_MAX], unsigned long number);

#endif
