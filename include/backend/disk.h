/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: The back ends of disks
 *
 * What a path stands for:
 *
 *	nbd://, nbds://, nbd+unix://	an export of an NBD server (libnbd)
 *	a file or a block device	its bytes, as they are ("raw")
 *	an image of another format	served by a qemu-nbd of our own
 *
 * With DISK_FORMAT_AUTO the content decides: bytes that begin as a qcow2 image
 * does are one. For a file that is raw that cuts both ways: a guest could write
 * such a beginning into its first block, and the next start would follow what
 * it says, to other files of the host. So a raw disk whose format was not
 * given refuses that one write, with a line in the log; format=raw allows it,
 * and is never looked at.
 * A beginning of LUKS is no format here: the guest decrypts its disk itself.
 *
 * Files and block devices are locked as QEMU and libvirt lock theirs: one
 * writer, or any number of readers.
 */
#ifndef ARMLET_BACKEND_DISK_H
#define ARMLET_BACKEND_DISK_H

#include "core/disk.h"

enum disk_cache {
	DISK_CACHE_WRITEBACK,    /* stable when flushed */
	DISK_CACHE_WRITETHROUGH, /* stable when written */
	DISK_CACHE_UNSAFE,       /* a flush does nothing */
};

enum disk_aio { DISK_AIO_AUTO, DISK_AIO_URING, DISK_AIO_THREADS };

#define DISK_FORMAT_AUTO "auto"
#define DISK_FORMAT_RAW  "raw"

struct disk_options {
	const char *path;
	bool read_only;
	bool direct;    /* past the host's page cache; nothing to what is ephemeral */
	bool ephemeral; /* what is written is gone at the end, the file never changes */
	bool no_discard;
	enum disk_cache cache;
	enum disk_aio aio;
	const char *format;           /* as qemu-nbd names it; NULL: DISK_FORMAT_AUTO */
	uint32_t block_size;          /* bytes, a power of two from 512 to 65536; 0: its own */
	uint32_t physical_block_size; /* likewise, and not less than the former */
};

/*
 * Open what @options->path names, which is copied. Fails with a sentence that
 * begins "--disk PATH: ".
 *
 * Threads: any. A helper program that it starts (qemu-nbd) is told to end when the
 * calling thread does, so let that be the main one.
 */
int disk_open(const struct disk_options *options, struct disk **ret, struct error *err);

#endif
