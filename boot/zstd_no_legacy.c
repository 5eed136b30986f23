/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zstd's decoders of its formats 0.5 to 0.7, of before 2017, which no unpacker gets to: it
 * asks for the magic number of RFC 8878 first (unpacker.c). libzstd has them with all
 * others in one object, and they are large; a static program takes these in their place.
 */
#include <stddef.h>

/* Whatever it returns in zstd: NULL is no context. */
#define NO(name)           \
	size_t name(void); \
	size_t name(void)  \
	{                  \
		return 0;  \
	}

#define NO_VERSION(v)                            \
	NO(ZSTDv##v##_createDCtx)                \
	NO(ZSTDv##v##_freeDCtx)                  \
	NO(ZSTDv##v##_getFrameParams)            \
	NO(ZSTDv##v##_findFrameSizeInfoLegacy)   \
	NO(ZSTDv##v##_decompress_usingDict)      \
	NO(ZBUFFv##v##_createDCtx)               \
	NO(ZBUFFv##v##_freeDCtx)                 \
	NO(ZBUFFv##v##_decompressInitDictionary) \
	NO(ZBUFFv##v##_decompressContinue)

NO_VERSION(05)
NO_VERSION(06)
NO_VERSION(07)
