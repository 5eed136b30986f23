#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bisect.sh - what `git bisect run` calls in a kernel's tree: builds the kernel, boots it,
# runs a command in it, and says in git's words what came of it.
#
# Usage: git bisect run .../examples/bisect.sh [OPTION...] -- COMMAND...
#	OPTION is one of `armlet test`. With ARMLET=PROGRAM that program is run, and MAKE is
#	what builds the kernel (make -s -j$(nproc) Image).
#
# Good is a command that ends with 0. A kernel that does not build, or that armlet could not
# test (its 125), is skipped. All else is bad: also a guest that panics or hangs, whose statuses
# (255, 124) would else end the bisection.
set -u
# shellcheck disable=SC2086 # words
${MAKE:-make -s -j"$(nproc)" ARCH=arm64 Image} || exit 125
status=0
"${ARMLET:-armlet}" test --kernel arch/arm64/boot/Image "$@" || status=$?
case $status in
0 | 125) exit $status ;;
*) exit 1 ;;
esac
