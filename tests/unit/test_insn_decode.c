/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a word is taken for. The words are those that GNU as makes of the text beside them;
 * tests/guest/loads.c has the proof that what is read out of them is right.
 */
#include <stdio.h>
#include <string.h>

#include "arm64/insn.h"
#include "unit.h"

static const char *const kinds[] = {
	[INSN_OTHER] = "other",
	[INSN_UNPREDICTABLE] = "unpredictable",
	[INSN_TRANSFER] = "transfer",
	[INSN_LOAD_EXCLUSIVE] = "load-exclusive",
	[INSN_STORE_EXCLUSIVE] = "store-exclusive",
	[INSN_ATOMIC] = "atomic",
	[INSN_COMPARE] = "compare",
	[INSN_STRUCTURE] = "structure",
	[INSN_ZERO] = "zero",
	[INSN_HINT] = "hint",
	[INSN_COPY] = "copy",
	[INSN_VECTOR] = "vector",
	[INSN_FILL] = "fill",
};

static const char *const addresses[] = {
	[INSN_BASE] = "base",         [INSN_PRE] = "pre",           [INSN_POST] = "post",
	[INSN_POST_REG] = "post-reg", [INSN_REGISTER] = "register", [INSN_LITERAL] = "literal",
};

static const char *const operations[] = {"add",  "clr",  "eor",  "set", "smax",
					 "smin", "umax", "umin", "swp"};

static void tell_copy(const struct insn *insn, FILE *out)
{
	fprintf(out, "%s%s stage %u%s%s, t%u s%u n%u", insn->set ? " set" : "",
		insn->forward ? " forward" : "", insn->stage,
		insn->unprivileged ? " writes as EL0" : "",
		insn->unprivileged_read ? " reads as EL0" : "", insn->rt, insn->rs, insn->rn);
}

static void tell_vector(const struct insn *insn, FILE *out)
{
	fprintf(out, " %s %u in %u%s%s%s", insn->load ? "load" : "store", insn->size, insn->bytes,
		insn->sign ? " signed" : "", insn->first_fault ? " first-fault" : "",
		insn->non_fault ? " non-fault" : "");
	if (insn->block)
		fprintf(out, " %u", insn->block);
	if (insn->replicate)
		fputs(" to all", out);
}

/* "transfer load 4 to w, t1, [2 base +4]", and so on: as much as the kind has. */
static void tell(const struct insn *insn, char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");

	fputs(kinds[insn->kind], out);
	if (insn->kind == INSN_COPY)
		tell_copy(insn, out);
	switch (insn->kind) {
	case INSN_OTHER:
	case INSN_UNPREDICTABLE:
	case INSN_HINT:
	case INSN_COPY:
		fclose(out);
		return;
	case INSN_ZERO:
		break;
	case INSN_VECTOR:
		tell_vector(insn, out);
		break;
	case INSN_FILL:
		fprintf(out, " %s %c", insn->load ? "load" : "store", insn->predicate ? 'p' : 'z');
		break;
	case INSN_STRUCTURE:
		fprintf(out, " %s %u, %u x %u of %u", insn->load ? "load" : "store", insn->size,
			insn->count, insn->repeat, insn->bytes);
		if (insn->replicate)
			fputs(", to all", out);
		else if (!insn->whole)
			fprintf(out, ", lane %u", insn->lane);
		break;
	default:
		fprintf(out, " %s %u", insn->load ? "load" : "store", insn->size);
		if (insn->simd)
			fputs(" simd", out);
		else if (insn->load)
			fprintf(out, " to %s%s", insn->width == 8 ? "x" : "w",
				insn->sign ? " signed" : "");
		if (insn->kind == INSN_ATOMIC)
			fprintf(out, " %s s%u", operations[insn->operation], insn->rs);
		if (insn->kind == INSN_COMPARE || insn->kind == INSN_STORE_EXCLUSIVE)
			fprintf(out, " s%u", insn->rs);
		if (insn->unprivileged)
			fputs(" as EL0", out);
		fputs(insn->authenticated ? " authenticated" : "", out);
		break;
	}
	fprintf(out, ", t%u", insn->rt);
	if (insn->kind == INSN_VECTOR)
		fprintf(out, " x %u under %u", insn->count, insn->pg);
	if (insn->count == 2 && (insn->kind == INSN_TRANSFER || insn->kind == INSN_LOAD_EXCLUSIVE ||
				 insn->kind == INSN_STORE_EXCLUSIVE))
		fprintf(out, " t%u", insn->rt2);
	else if (insn->count == 2 && insn->kind == INSN_COMPARE)
		fputs(" pair", out);
	fprintf(out, ", [%u %s", insn->rn, addresses[insn->address]);
	if (insn->address == INSN_REGISTER)
		fprintf(out, " %u option %u shift %u]", insn->rm, insn->option, insn->shift);
	else if (insn->address == INSN_POST_REG)
		fprintf(out, " %u]", insn->rm);
	else
		fprintf(out, " %+lld%s]", (long long)insn->offset, insn->scaled ? " vl" : "");
	fclose(out);
}

static const struct {
	uint32_t word;
	const char *text; /* for people */
	const char *wanted;
} rows[] = {
	{0xb9400441, "ldr w1, [x2, #4]", "transfer load 4 to w, t1, [2 base +4]"},
	{0xf97fffe1, "ldr x1, [sp, #32760]", "transfer load 8 to x, t1, [31 base +32760]"},
	{0x39400083, "ldrb w3, [x4]", "transfer load 1 to w, t3, [4 base +0]"},
	{0x39c00483, "ldrsb w3, [x4, #1]", "transfer load 1 to w signed, t3, [4 base +1]"},
	{0x39800483, "ldrsb x3, [x4, #1]", "transfer load 1 to x signed, t3, [4 base +1]"},
	{0x789fe4c5, "ldrsh x5, [x6], #-2", "transfer load 2 to x signed, t5, [6 post -2]"},
	{0xb8a97907, "ldrsw x7, [x8, x9, lsl #2]",
	 "transfer load 4 to x signed, t7, [8 register 9 option 3 shift 2]"},
	{0x7863d841, "ldrh w1, [x2, w3, sxtw #1]",
	 "transfer load 2 to w, t1, [2 register 3 option 6 shift 1]"},
	{0xf82b495f, "str xzr, [x10, w11, uxtw]",
	 "transfer store 8, t31, [10 register 11 option 2 shift 0]"},
	{0x381ffc41, "strb w1, [x2, #-1]!", "transfer store 1, t1, [2 pre -1]"},
	{0xf8500041, "ldur x1, [x2, #-256]", "transfer load 8 to x, t1, [2 base -256]"},
	{0x78004841, "sttrh w1, [x2, #4]", "transfer store 2 as EL0, t1, [2 base +4]"},
	{0xf8400841, "ldtr x1, [x2]", "transfer load 8 to x as EL0, t1, [2 base +0]"},
	{0x587fffec, "ldr x12, .+1048572", "transfer load 8 to x, t12, [31 literal +1048572]"},
	{0x98ffffcc, "ldrsw x12, .-8", "transfer load 4 to x signed, t12, [31 literal -8]"},
	{0x3dc00441, "ldr q1, [x2, #16]", "transfer load 16 simd, t1, [2 base +16]"},
	{0x3c001441, "str b1, [x2], #1", "transfer store 1 simd, t1, [2 post +1]"},
	{0xbc5fcc41, "ldr s1, [x2, #-4]!", "transfer load 4 simd, t1, [2 pre -4]"},
	{0x7c65f883, "ldr h3, [x4, x5, sxtx #1]",
	 "transfer load 2 simd, t3, [4 register 5 option 7 shift 1]"},
	{0x5c000041, "ldr d1, .+8", "transfer load 8 simd, t1, [31 literal +8]"},
	{0x29000861, "stp w1, w2, [x3]", "transfer store 4, t1 t2, [3 base +0]"},
	{0xa8e00be1, "ldp x1, x2, [sp], #-512", "transfer load 8 to x, t1 t2, [31 post -512]"},
	{0xa9bf7bfd, "stp x29, x30, [sp, #-16]!", "transfer store 8, t29 t30, [31 pre -16]"},
	{0x69600861, "ldpsw x1, x2, [x3, #-256]",
	 "transfer load 4 to x signed, t1 t2, [3 base -256]"},
	{0xac5f8861, "ldnp q1, q2, [x3, #1008]", "transfer load 16 simd, t1 t2, [3 base +1008]"},
	{0x2c000861, "stnp s1, s2, [x3]", "transfer store 4 simd, t1 t2, [3 base +0]"},
	{0x6d400461, "ldp d1, d1, [x3]", "unpredictable"},
	{0xf9800020, "prfm pldl1keep, [x1]", "hint"},
	{0xf89ff020, "prfum pldl1keep, [x1, #-1]", "hint"},
	{0x88dffc41, "ldar w1, [x2]", "transfer load 4 to w, t1, [2 base +0]"},
	{0x089ffc41, "stlrb w1, [x2]", "transfer store 1, t1, [2 base +0]"},
	{0x48df7c41, "ldlarh w1, [x2]", "transfer load 2 to w, t1, [2 base +0]"},
	{0xf8bfc041, "ldapr x1, [x2]", "transfer load 8 to x, t1, [2 base +0]"},
	{0x199ff041, "ldapursb x1, [x2, #-1]", "transfer load 1 to x signed, t1, [2 base -1]"},
	{0x99005041, "stlur w1, [x2, #5]", "transfer store 4, t1, [2 base +5]"},
	{0x885f7c41, "ldxr w1, [x2]", "load-exclusive load 4 to w, t1, [2 base +0]"},
	{0x085ffc41, "ldaxrb w1, [x2]", "load-exclusive load 1 to w, t1, [2 base +0]"},
	{0xc801fc62, "stlxr w1, x2, [x3]", "store-exclusive store 8 s1, t2, [3 base +0]"},
	{0xc87f0861, "ldxp x1, x2, [x3]", "load-exclusive load 8 to x, t1 t2, [3 base +0]"},
	{0x88210c82, "stxp w1, w2, w3, [x4]", "store-exclusive store 4 s1, t2 t3, [4 base +0]"},
	{0xf8e10062, "ldaddal x1, x2, [x3]", "atomic load 8 to x add s1, t2, [3 base +0]"},
	{0x3821105f, "stclrb w1, [x2]", "atomic load 1 to w clr s1, t31, [2 base +0]"},
	{0x782143e2, "ldsmaxh w1, w2, [sp]", "atomic load 2 to w smax s1, t2, [31 base +0]"},
	{0xb8217062, "ldumin w1, w2, [x3]", "atomic load 4 to w umin s1, t2, [3 base +0]"},
	{0xf8218062, "swp x1, x2, [x3]", "atomic load 8 to x swp s1, t2, [3 base +0]"},
	{0x88a17c62, "cas w1, w2, [x3]", "compare load 4 to w s1, t2, [3 base +0]"},
	{0x48e1fc62, "casalh w1, w2, [x3]", "compare load 2 to w s1, t2, [3 base +0]"},
	{0x4862fcc4, "caspal x2, x3, x4, x5, [x6]", "compare load 8 to x s2, t4 pair, [6 base +0]"},
	{0x08227cc4, "casp w2, w3, w4, w5, [x6]", "compare load 4 to w s2, t4 pair, [6 base +0]"},
	{0x0c407041, "ld1 {v1.8b}, [x2]", "structure load 1, 1 x 1 of 8, t1, [2 base +0]"},
	{0x4cdf2041, "ld1 {v1.16b-v4.16b}, [x2], #64",
	 "structure load 1, 1 x 4 of 16, t1, [2 post +64]"},
	{0x4c83885e, "st2 {v30.4s, v31.4s}, [x2], x3",
	 "structure store 4, 2 x 1 of 16, t30, [2 post-reg 3]"},
	{0x4c404fff, "ld3 {v31.2d, v0.2d, v1.2d}, [sp]",
	 "structure load 8, 3 x 1 of 16, t31, [31 base +0]"},
	{0x0cdf0441, "ld4 {v1.4h-v4.4h}, [x2], #32",
	 "structure load 2, 4 x 1 of 8, t1, [2 post +32]"},
	{0x4d401c41, "ld1 {v1.b}[15], [x2]",
	 "structure load 1, 1 x 1 of 16, lane 15, t1, [2 base +0]"},
	{0x4d9f5841, "st1 {v1.h}[7], [x2], #2",
	 "structure store 2, 1 x 1 of 16, lane 7, t1, [2 post +2]"},
	{0x4d609041, "ld2 {v1.s, v2.s}[3], [x2]",
	 "structure load 4, 2 x 1 of 16, lane 3, t1, [2 base +0]"},
	{0x4da5a441, "st4 {v1.d-v4.d}[1], [x2], x5",
	 "structure store 8, 4 x 1 of 16, lane 1, t1, [2 post-reg 5]"},
	{0x4d40c841, "ld1r {v1.4s}, [x2]",
	 "structure load 4, 1 x 1 of 16, to all, t1, [2 base +0]"},
	{0x0ddfe041, "ld3r {v1.8b-v3.8b}, [x2], #3",
	 "structure load 1, 3 x 1 of 8, to all, t1, [2 post +3]"},
	{0xf8600441, "ldraa x1, [x2, #-4096]",
	 "transfer load 8 to x authenticated, t1, [2 base -4096]"},
	{0xf8a01c41, "ldrab x1, [x2, #8]!", "transfer load 8 to x authenticated, t1, [2 pre +8]"},
	{0xd50b7427, "dc zva, x7", "zero, t7, [7 base +0]"},
	{0xd9420861, "ldiapp x1, x2, [x3], #16", "transfer load 8 to x, t1 t2, [3 post +16]"},
	{0x99020861, "stilp w1, w2, [x3, #-8]!", "transfer store 4, t1 t2, [3 pre -8]"},
	{0xf8404421, "ldr x1, [x1], #4", "unpredictable"},
	{0xa8c10420, "ldp x0, x1, [x1], #16", "unpredictable"},
	{0xa9400421, "ldp x1, x1, [x1]", "unpredictable"},
	{0xc8027c02, "stxr w2, x2, [x0]", "unpredictable"},
	{0xc87f0421, "ldxp x1, x1, [x1]", "unpredictable"},
	{0xd9000421, "cpy or set", "other"},
	{0x48247c62, "casp x4, x5, x2, x3, [x3]", "compare load 8 to x s4, t2 pair, [3 base +0]"},
	{0x0c000400, "st4 {v0.4h-v3.4h}, [x0]", "structure store 2, 4 x 1 of 8, t0, [0 base +0]"},
	{0xf83f9020, "st64b x0, [x1]", "other"},
	{0x3d800020, "str q0, [x1]", "transfer store 16 simd, t0, [1 base +0]"},
	{0xc4c00020, "ld1sh {z0.d}, p0/z, [x1, z0.d, sxtw]", "other"},
	{0xd503201f, "nop", "other"},
	{0x8b030041, "add x1, x2, x3", "other"},
	{0x00000000, "udf #0", "other"},
	{0xffffffff, "undefined", "other"},
	{0xa400a8a3, "ld1b {z3.b}, p2/z, [x5]",
	 "vector load 1 in 1, t3 x 1 under 2, [5 base +0 vl]"},
	{0xa468a8a3, "ld1b {z3.d}, p2/z, [x5, #-8, mul vl]",
	 "vector load 1 in 8, t3 x 1 under 2, [5 base -8 vl]"},
	{0xa5c7bca3, "ld1sb {z3.h}, p7/z, [x5, #7, mul vl]",
	 "vector load 1 in 2 signed, t3 x 1 under 7, [5 base +7 vl]"},
	{0xa5a65ca3, "ld1sb {z3.s}, p7/z, [x5, x6]",
	 "vector load 1 in 4 signed, t3 x 1 under 7, [5 register 6 option 3 shift 0]"},
	{0xa5065ca3, "ld1sh {z3.d}, p7/z, [x5, x6, lsl #1]",
	 "vector load 2 in 8 signed, t3 x 1 under 7, [5 register 6 option 3 shift 1]"},
	{0xa481bca3, "ld1sw {z3.d}, p7/z, [x5, #1, mul vl]",
	 "vector load 4 in 8 signed, t3 x 1 under 7, [5 base +1 vl]"},
	{0xa55e43ff, "ld1w {z31.s}, p0/z, [sp, x30, lsl #2]",
	 "vector load 4 in 4, t31 x 1 under 0, [31 register 30 option 3 shift 2]"},
	{0xa55f43ff, "with xzr: unallocated", "other"},
	{0xa5e1a4a3, "ld1d {z3.d}, p1/z, [x5, #1, mul vl]",
	 "vector load 8 in 8, t3 x 1 under 1, [5 base +1 vl]"},
	{0xa4df64a3, "ldff1h {z3.s}, p1/z, [x5, xzr, lsl #1]",
	 "vector load 2 in 4 first-fault, t3 x 1 under 1, [5 register 31 option 3 shift 1]"},
	{0xa4d1a4a3, "ldnf1h {z3.s}, p1/z, [x5, #1, mul vl]",
	 "vector load 2 in 4 non-fault, t3 x 1 under 1, [5 base +1 vl]"},
	{0xa50fe4a3, "ldnt1w {z3.s}, p1/z, [x5, #-1, mul vl]",
	 "vector load 4 in 4, t3 x 1 under 1, [5 base -1 vl]"},
	{0xa587c4a3, "ldnt1d {z3.d}, p1/z, [x5, x7, lsl #3]",
	 "vector load 8 in 8, t3 x 1 under 1, [5 register 7 option 3 shift 3]"},
	{0xa421e4be, "ld2b {z30.b, z31.b}, p1/z, [x5, #2, mul vl]",
	 "vector load 1 in 1, t30 x 2 under 1, [5 base +2 vl]"},
	{0xa4c7c4be, "ld3h {z30.h-z0.h}, p1/z, [x5, x7, lsl #1]",
	 "vector load 2 in 2, t30 x 3 under 1, [5 register 7 option 3 shift 1]"},
	{0xa5efe4a1, "ld4d {z1.d-z4.d}, p1/z, [x5, #-4, mul vl]",
	 "vector load 8 in 8, t1 x 4 under 1, [5 base -4 vl]"},
	{0x847fe4a3, "ld1rb {z3.d}, p1/z, [x5, #63]",
	 "vector load 1 in 8 to all, t3 x 1 under 1, [5 base +63]"},
	{0x84ff84a3, "ld1rsw {z3.d}, p1/z, [x5, #252]",
	 "vector load 4 in 8 signed to all, t3 x 1 under 1, [5 base +252]"},
	{0x85ffe4a3, "ld1rd {z3.d}, p1/z, [x5, #504]",
	 "vector load 8 in 8 to all, t3 x 1 under 1, [5 base +504]"},
	{0xa50f24a3, "ld1rqw {z3.s}, p1/z, [x5, #-16]",
	 "vector load 4 in 4 16 to all, t3 x 1 under 1, [5 base -16]"},
	{0xa40604a3, "ld1rqb {z3.b}, p1/z, [x5, x6]",
	 "vector load 1 in 1 16 to all, t3 x 1 under 1, [5 register 6 option 3 shift 0]"},
	{0xa4a824a3, "ld1roh {z3.h}, p1/z, [x5, #-256]",
	 "vector load 2 in 2 32 to all, t3 x 1 under 1, [5 base -256]"},
	{0xa5a604a3, "ld1rod {z3.d}, p1/z, [x5, x6, lsl #3]",
	 "vector load 8 in 8 32 to all, t3 x 1 under 1, [5 register 6 option 3 shift 3]"},
	{0xe421e8a3, "st1b {z3.h}, p2, [x5, #1, mul vl]",
	 "vector store 1 in 2, t3 x 1 under 2, [5 base +1 vl]"},
	{0xe56648a3, "st1w {z3.d}, p2, [x5, x6, lsl #2]",
	 "vector store 4 in 8, t3 x 1 under 2, [5 register 6 option 3 shift 2]"},
	{0xe5efe8a3, "st1d {z3.d}, p2, [x5, #-1, mul vl]",
	 "vector store 8 in 8, t3 x 1 under 2, [5 base -1 vl]"},
	{0xe5cfe8a3, "words of doublewords: unallocated", "other"},
	{0xe493e8a3, "stnt1h {z3.h}, p2, [x5, #3, mul vl]",
	 "vector store 2 in 2, t3 x 1 under 2, [5 base +3 vl]"},
	{0xe40668a3, "stnt1b {z3.b}, p2, [x5, x6]",
	 "vector store 1 in 1, t3 x 1 under 2, [5 register 6 option 3 shift 0]"},
	{0xe53fe8a3, "st2w {z3.s, z4.s}, p2, [x5, #-2, mul vl]",
	 "vector store 4 in 4, t3 x 2 under 2, [5 base -2 vl]"},
	{0xe5c668a3, "st3d {z3.d-z5.d}, p2, [x5, x6, lsl #3]",
	 "vector store 8 in 8, t3 x 3 under 2, [5 register 6 option 3 shift 3]"},
	{0xe471e8a3, "st4b {z3.b-z6.b}, p2, [x5, #4, mul vl]",
	 "vector store 1 in 1, t3 x 4 under 2, [5 base +4 vl]"},
	{0x85a040c5, "ldr z5, [x6, #-256, mul vl]", "fill load z, t5, [6 base -256 vl]"},
	{0x859f1cc5, "ldr p5, [x6, #255, mul vl]", "fill load p, t5, [6 base +255 vl]"},
	{0xe58043ff, "str z31, [sp]", "fill store z, t31, [31 base +0 vl]"},
	{0xe58104cf, "str p15, [x6, #9, mul vl]", "fill store p, t15, [6 base +9 vl]"},
	{0x85c10020, "prfb pldl1keep, p0, [x1, #1, mul vl]", "other"},
	{0xc441c8a3, "ld1b {z3.d}, p2/z, [x5, z1.d]: gathered", "other"},
	{0x19010440, "cpyfp [x0]!, [x1]!, x2!", "copy forward stage 0, t0 s1 n2"},
	{0x1d410440, "cpym [x0]!, [x1]!, x2!", "copy stage 1, t0 s1 n2"},
	{0x19411440, "cpyfmwt [x0]!, [x1]!, x2!", "copy forward stage 1 writes as EL0, t0 s1 n2"},
	{0x19412440, "cpyfmrt [x0]!, [x1]!, x2!", "copy forward stage 1 reads as EL0, t0 s1 n2"},
	{0x1d04f4a3, "cpyptn [x3]!, [x4]!, x5!",
	 "copy stage 0 writes as EL0 reads as EL0, t3 s4 n5"},
	{0x19df4440, "setm [x0]!, x2!, xzr", "copy set forward stage 1, t0 s31 n2"},
	{0x19c19440, "setet [x0]!, x2!, x1", "copy set forward stage 2 writes as EL0, t0 s1 n2"},
	{0x1dc10440, "setgp [x0]!, x2!, x1", "other"},
	{0x19000440, "with x0 twice", "other"},
	{0x19c1c440, "a fourth stage", "other"},
};

START_TEST(test_rows)
{
	struct insn insn = insn_decode(rows[_i].word);
	char text[160] = "";

	tell(&insn, text, sizeof(text));
	ck_assert_msg(strcmp(text, rows[_i].wanted) == 0, "%08x, %s: %s, not %s", rows[_i].word,
		      rows[_i].text, text, rows[_i].wanted);
}
END_TEST

/*
 * Every word has an answer whose parts are within their bounds: 2 million of them, one after
 * the other in an order that meets all; with ARMLET_LONG that is all 2^32.
 */
START_TEST(test_bounds)
{
	uint64_t count = getenv("ARMLET_LONG") ? BIT(32) : 2000000;
	uint32_t word = 0x9e3779b9;

	for (uint64_t i = 0; i < count; i++) {
		struct insn insn;

		word = word * 1664525 + 1013904223;
		insn = insn_decode(word);
		if (insn.kind == INSN_OTHER || insn.kind == INSN_UNPREDICTABLE)
			continue;
		ck_assert(insn.rt < 32 && insn.rt2 < 32 && insn.rn < 32 && insn.rs < 32);
		if (insn.kind == INSN_HINT || insn.kind == INSN_ZERO || insn.kind == INSN_COPY)
			continue;
		ck_assert(is_power_of_two(insn.size) && insn.size <= 16);
		ck_assert(insn.simd || insn.size <= 8);
		if (insn.kind == INSN_STRUCTURE) {
			ck_assert(insn.count >= 1 && insn.repeat >= 1 &&
				  insn.count * insn.repeat <= 4);
			ck_assert(insn.bytes == 8 || insn.bytes == 16);
			ck_assert(insn.lane * insn.size < 16);
		} else if (insn.kind == INSN_VECTOR) {
			ck_assert(insn.count >= 1 && insn.count <= 4 && insn.pg < 8);
			ck_assert(is_power_of_two(insn.bytes) && insn.bytes >= insn.size &&
				  insn.bytes <= 8);
		} else {
			ck_assert(insn.count == 1 || insn.count == 2);
		}
	}
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_rows, ARRAY_SIZE(rows)),
	UNIT_CASE(test_bounds),
	{0},
};
const char unit_name[] = "insn_decode";
