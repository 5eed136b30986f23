#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kselftest.sh - runs tests of kselftest in a guest, and judges by each of them.
#
# Usage: kselftest.sh KERNEL DIR [-c COLLECTION]... [-t COLLECTION:TEST]... [-- OPTION...]
#	DIR is what a kernel's tree has installed, for arm64:
#	  make -C tools/testing/selftests TARGETS='breakpoints timers' install KSFT_INSTALL_PATH=DIR
#	-c and -t are those of its run_kselftest.sh, OPTION is one of `armlet test`. With
#	ARMLET=PROGRAM that program is run.
#
# The status is 0 if no test has failed, else 1, and the tests are told as they end; with
# --output FOLDER behind the -- they are in its junit.xml.
set -u
[ $# -ge 2 ] || { sed -n '3,12s/^# \{0,1\}//p' "$0" >&2; exit 125; }
kernel=$1 tests=$2 which=''
shift 2
while [ $# -gt 0 ] && [ "$1" != -- ]; do
	which="$which $1"
	shift
done
[ $# -eq 0 ] || shift
# shellcheck disable=SC2086 # words
exec "${ARMLET:-armlet}" test --kernel "$kernel" --ktap --volume "$tests:/kselftest" "$@" -- \
	/kselftest/run_kselftest.sh $which
