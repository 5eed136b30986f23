/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vmlinux of a kernel: the ELF file that it is made of, with its symbols and perhaps what
 * debuggers want. It is read piece by piece, and may be damaged or change meanwhile.
 *
 * Threads: one at a time.
 */
#ifndef ARMLET_TRIAL_VMLINUX_H
#define ARMLET_TRIAL_VMLINUX_H

#include "base/error.h"
#include "trial/backtrace.h"

/* Its descriptor; fails with a sentence for what is no ELF file of arm64 with symbols. */
int vmlinux_open(const char *path, struct error *err);

/*
 * That of @kernel: itself, vmlinux or vmlinux-VERSION beside it, at the top of the tree whose
 * arch/arm64/boot it is in, or where distributions install it for debuggers. Its descriptor and
 * its path, which is the caller's to free; -ENOENT: there is none.
 */
int vmlinux_find(const char *kernel, char **ret_path);

/*
 * The addresses of @backtrace's symbols, by name and size; those that are not found, or might be
 * one of two, keep 0. What the kernel prints as size goes up to the next symbol, and so may be a
 * bit more than the symbol's own. Returns how many were found, or fails with a sentence.
 */
int vmlinux_look_up(int fd, struct backtrace *backtrace, struct error *err);

#endif
