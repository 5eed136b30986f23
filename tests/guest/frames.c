/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No guest, but a vmlinux for tests, whose functions are some that Linux has on its way to a crash
 * that somebody asks for: none has a size, so that those of any kernel fit, and each is on one
 * line.
 */
#define PLACE(symbol) __asm__ volatile(symbol ": .skip 8192")

/* GCC gives the first code to this file, whatever #line says. */
__attribute__((used)) static void first(void)
{
}

#line 338 "/build/linux/fs/proc/inode.c"
static inline __attribute__((always_inline)) void pde_write(void)
{
	PLACE("proc_reg_write");
}

#line 350 "/build/linux/fs/proc/inode.c"
__attribute__((used)) static void reg_write(void)
{
	pde_write();
}

#line 1162 "/build/linux/drivers/tty/sysrq.c"
__attribute__((used)) static void sysrq_write(void)
{
	PLACE("write_sysrq_trigger");
}

#line 1468 "/build/linux/init/main.c"
__attribute__((used)) static void start(void)
{
	PLACE("kernel_init");
}
