#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed.sh PROGRAM OUTPUT: assembly that has the bytes of PROGRAM in it, packed, as init_program of
# src/cli/test.h; OUTPUT.gz is made beside it.
set -eu
gzip -9nc "$1" >"$2.gz"
cat >"$2" <<END
	.section .rodata
	.balign	8
	.global	init_program, init_program_size
	.hidden	init_program, init_program_size
init_program_size:
	.quad	end - init_program
init_program:
	.incbin	"$(readlink -f "$2.gz")"
end:
	.section .note.GNU-stack, "", %progbits
END
