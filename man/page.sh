#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# page.sh SCDOC - makes a manual page of standard input. Its first line asks for tbl(1), which
# scdoc 1.11 forgets, and which not every man(1) runs of itself.
printf '%s\n' "'\\\" t"
exec "$1"
