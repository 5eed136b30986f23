/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines with a domain. */
#ifndef ARMLET_TESTS_LIBVIRT_BENCH_H
#define ARMLET_TESTS_LIBVIRT_BENCH_H

#include "cli.h"

#define DOMAIN_OS "<os><type arch='aarch64' machine='virt-7.2'>hvm</type></os>"

/* One with a storage volume and a network, which libvirt alone knows. */
#define DOMAIN_GUEST                                                        \
	"<domain type='test'><name>guest</name>"                            \
	"<uuid>be3bf5a1-c8da-4d13-b7a3-c0df58a50481</uuid>"                 \
	"<memory>262144</memory><vcpu>2</vcpu>" DOMAIN_OS                   \
	"<devices><disk type='volume'><source pool='p' volume='v'/>"        \
	"<target dev='vda' bus='virtio'/></disk><interface type='network'>" \
	"<source network='n'/><target dev='t0'/></interface></devices></domain>"

struct domain_file {
	char path[40];
};

/* A file of that text, which the caller unlinks. */
struct domain_file domain_file(const char *text);

/*
 * Parse and settle @line, whose words are separated by '|', with @file's path in place of
 * each FILE.
 */
int domain_line(const char *line, const struct domain_file *file, struct run_options *run,
		struct error *err);

#endif
