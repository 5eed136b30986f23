/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small things that every layer uses: sizes, alignment, and the cleanup
 * attributes that stand where other C code has ladders of gotos.
 *
 *	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
 *	_cleanup_free_ char *text = NULL;
 *	...
 *	*ret = steal_ptr(&text);
 */
#ifndef ARMLET_BASE_UTIL_H
#define ARMLET_BASE_UTIL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The structure that holds @member at @ptr. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)

#define BIT(n) (UINT64_C(1) << (n))

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Round to a multiple of @align, a power of two; align_up() wraps at 2^64. */
static inline uint64_t align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

static inline uint64_t align_down(uint64_t value, uint64_t align)
{
	return value & ~(align - 1);
}

static inline bool is_aligned(uint64_t value, uint64_t align)
{
	return (value & (align - 1)) == 0;
}

static inline bool is_power_of_two(uint64_t value)
{
	return value && !(value & (value - 1));
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Take the value out of a _cleanup_ variable, so that it survives the scope. */
#define steal_ptr(ptr)                                        \
	({                                                    \
		typeof(ptr) steal_at_ = (ptr);                \
		typeof(*steal_at_) steal_value_ = *steal_at_; \
		*steal_at_ = NULL;                            \
		steal_value_;                                 \
	})

static inline int steal_fd(int *fd)
{
	int value = *fd;

	*fd = -EBADF;
	return value;
}

/* Close @fd if it is one; errno is kept. Returns -EBADF for assignment. */
static inline int close_fd(int fd)
{
	if (fd >= 0) {
		int saved = errno;

		close(fd);
		errno = saved;
	}
	return -EBADF;
}

static inline void cleanup_free_(void *ptr)
{
	free(*(void **)ptr);
}

static inline void cleanup_close_(int *fd)
{
	close_fd(*fd);
}

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_free_      _cleanup_(cleanup_free_)
#define _cleanup_close_     _cleanup_(cleanup_close_)

/*
 * Define cleanup_NAME_() for a type whose destructor takes NULL:
 *
 *	DEFINE_CLEANUP(struct image *, image_close)
 *	_cleanup_(cleanup_image_close_) struct image *image = NULL;
 */
#define DEFINE_CLEANUP(type, function)                      \
	static inline void cleanup_##function##_(type *ptr) \
	{                                                   \
		function(*ptr);                             \
	}

#endif
