/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Write inputs to start from: seeds FOLDER makes FOLDER/9p, /backtrace, /image, /fdt, /cmdline,
 * /config, /cpu_model, /domain, /gdb, /net, /qmp, /trace, /vhost_user, /virtqueue, /virtio and
 * /vmcore with a small file of each kind that the fuzzers should find at once.
 */
#include <elf.h>
#include <fcntl.h>
#include <linux/virtio_ring.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/fdt_builder.h"
#include "core/fxt.h"
#include "seeds.h"

#define ARM64_PE  0xaa64
#define PATH_SIZE 4096

void save(const char *folder, const char *kind, const char *name, const struct bytes *bytes)
{
	char path[PATH_SIZE];
	ssize_t done = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, kind);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%s", folder, kind, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd >= 0)
		done = write(fd, bytes->data, bytes->size);
	if (done != (ssize_t)bytes->size) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	close_fd(fd);
}

static void save_packed(const char *folder, const char *name, const struct bytes *plain)
{
	_cleanup_bytes_ struct bytes gzip = bytes_gzip(plain);
	_cleanup_bytes_ struct bytes zstd = bytes_zstd(plain);
	_cleanup_bytes_ struct bytes zboot_gzip = bytes_zboot(&gzip, "gzip", ARM64_PE);
	_cleanup_bytes_ struct bytes zboot_zstd = bytes_zboot(&zstd, "zstd22", ARM64_PE);
	char path[PATH_SIZE];

	save(folder, "image", name, plain);
	snprintf(path, sizeof(path), "%s.gz", name);
	save(folder, "image", path, &gzip);
	snprintf(path, sizeof(path), "%s.zst", name);
	save(folder, "image", path, &zstd);
	snprintf(path, sizeof(path), "%s.zboot-gzip", name);
	save(folder, "image", path, &zboot_gzip);
	snprintf(path, sizeof(path), "%s.zboot-zstd", name);
	save(folder, "image", path, &zboot_zstd);
}

static void save_elf(const char *folder, const char *name, const struct elf_file *elf)
{
	_cleanup_bytes_ struct bytes bytes = bytes_elf(elf);

	save_packed(folder, name, &bytes);
}

static void save_images(const char *folder)
{
	static const struct elf_file fixed = {
		.type = ET_EXEC,
		.machine = EM_AARCH64,
		.entry = 0x40000000,
		.segment_count = 2,
		.segments = {{0x40000000, 0x40000000, 64, 128}, {0x40001000, 0x40001000, 32, 32}},
	};
	static const struct elf_file vmlinux = {
		.big_endian = true,
		.type = ET_DYN,
		.machine = EM_AARCH64,
		.entry = UINT64_C(0xffff800080000000),
		.segment_count = 1,
		.segments = {{UINT64_C(0xffff800080000000), UINT64_C(0xffff800080000000), 64, 64}},
	};
	_cleanup_bytes_ struct bytes plain = bytes_arm64(512, 0, 4096, 0xa);
	_cleanup_bytes_ struct bytes old = bytes_arm64(512, 0x80000, 0, 0);
	_cleanup_bytes_ struct bytes efi = bytes_arm64(1024, 0, 4096, 0xa);
	_cleanup_bytes_ struct bytes raw = bytes_pattern(64);

	bytes_put_pe(&efi, ARM64_PE, 1024);
	save_packed(folder, "arm64", &plain);
	save_packed(folder, "arm64-old", &old);
	save_packed(folder, "arm64-efi", &efi);
	save_packed(folder, "raw", &raw);
	save_elf(folder, "elf", &fixed);
	save_elf(folder, "elf-vmlinux", &vmlinux);
}

static struct bytes finish(struct fdt_builder *fdt)
{
	struct bytes bytes = {0};
	struct error err;
	void *blob = NULL;

	if (fdt_builder_finish(fdt, &blob, &bytes.size, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(EXIT_FAILURE);
	}
	bytes.data = blob;
	return bytes;
}

static struct fdt_builder *begin(void)
{
	struct fdt_builder *fdt;

	if (fdt_builder_create(&fdt) < 0)
		exit(EXIT_FAILURE);
	fdt_builder_want_symbols(fdt);
	fdt_begin(fdt, "%s", "");
	return fdt;
}

static struct bytes make_tree(void)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = begin();

	fdt_begin(fdt, "chosen");
	fdt_str(fdt, "bootargs", "quiet");
	fdt_u64(fdt, "linux,initrd-start", 1);
	fdt_end(fdt);
	fdt_begin(fdt, "soc");
	fdt_begin(fdt, "uart");
	fdt_label(fdt, "uart0", 0);
	fdt_end(fdt);
	fdt_end(fdt);
	fdt_end(fdt);
	return finish(fdt);
}

/* One fragment for &uart0, one for /soc; with a phandle, a label and fixups of its own. */
static struct bytes make_overlay(void)
{
	_cleanup_(cleanup_fdt_builder_destroy_) struct fdt_builder *fdt = begin();

	fdt_begin(fdt, "fragment@0");
	fdt_u32(fdt, "target", 0xffffffff);
	fdt_begin(fdt, "__overlay__");
	fdt_str(fdt, "status", "okay");
	fdt_u32(fdt, "link", 1);
	fdt_end(fdt);
	fdt_end(fdt);
	fdt_begin(fdt, "fragment@1");
	fdt_str(fdt, "target-path", "/soc");
	fdt_begin(fdt, "__overlay__");
	fdt_begin(fdt, "node");
	fdt_label(fdt, "node", 1);
	fdt_end(fdt);
	fdt_end(fdt);
	fdt_end(fdt);
	fdt_begin(fdt, "__fixups__");
	fdt_str(fdt, "uart0", "/fragment@0:target:0");
	fdt_end(fdt);
	fdt_begin(fdt, "__local_fixups__");
	fdt_begin(fdt, "fragment@0");
	fdt_begin(fdt, "__overlay__");
	fdt_u32(fdt, "link", 0);
	fdt_end(fdt);
	fdt_end(fdt);
	fdt_end(fdt);
	fdt_end(fdt);
	return finish(fdt);
}

static void save_trees(const char *folder)
{
	_cleanup_bytes_ struct bytes tree = make_tree();
	_cleanup_bytes_ struct bytes overlay = make_overlay();
	uint8_t size[2] = {(uint8_t)tree.size, (uint8_t)(tree.size >> 8)};
	struct bytes head = {.data = size, .size = sizeof(size)};
	_cleanup_bytes_ struct bytes alone = bytes_concat(&head, &tree);
	_cleanup_bytes_ struct bytes both = bytes_concat(&alone, &overlay);

	save(folder, "fdt", "tree", &alone);
	save(folder, "fdt", "overlay", &both);
}

/* Command lines: their words end in NUL. */
static void save_command_lines(const char *folder)
{
	static const char spelled[] = "--kernel\0Image\0--cpus=4\0-m2G\0--pin\0"
				      "1,2-4\0--pmu";
	static const char others[] = "Image\0--sve=off\0--dtb-overlay\0a\0--network\0mode=none";
	const struct bytes first = {.data = (uint8_t *)(uintptr_t)spelled, .size = sizeof(spelled)};
	const struct bytes second = {.data = (uint8_t *)(uintptr_t)others, .size = sizeof(others)};

	save(folder, "cmdline", "spelled", &first);
	save(folder, "cmdline", "others", &second);
}

/* A control command, and frames in pieces. */
static void save_frames(const char *folder)
{
	static const uint8_t address[] = {8, 1, 1, 2, 1, 2, 3, 4, 5, 4,  0,  0,  0,  14, 14,
					  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
	static const uint8_t offloads[] = {10, 5, 0, 2, 0, 0, 0, 0, 0, 0, 0, 2,
					   0,  0, 2, 7, 0, 1, 1, 4, 0, 1, 0, 18};
	static const uint8_t table[] = {16, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 94, 0, 0, 1};
	const struct bytes first = {.data = (uint8_t *)(uintptr_t)address, .size = sizeof(address)};
	const struct bytes second = {.data = (uint8_t *)(uintptr_t)offloads,
				     .size = sizeof(offloads)};
	const struct bytes third = {.data = (uint8_t *)(uintptr_t)table, .size = sizeof(table)};

	save(folder, "net", "address", &first);
	save(folder, "net", "offloads", &second);
	save(folder, "net", "table", &third);
}

/* A queue's input, as fuzz_virtqueue.c has it: the head, then the RAM. */
#define QUEUE_SIZE   4
#define QUEUE_HEAD   18
#define QUEUE_DRIVER 0x40
#define QUEUE_DEVICE 0x60
#define QUEUE_TABLE  0x90
#define QUEUE_DATA   0xc0
#define QUEUE_RAM    UINT64_C(0x40000000)

static void put_desc(struct bytes *bytes, size_t offset, uint64_t addr, uint32_t size,
		     uint64_t tail)
{
	bytes_put(bytes, QUEUE_HEAD + offset, 8, QUEUE_RAM + addr);
	bytes_put(bytes, QUEUE_HEAD + offset + 8, 4, size);
	bytes_put(bytes, QUEUE_HEAD + offset + 12, 4, tail);
}

/* Two buffers, of a piece to be read and one to be written each: the second perhaps in a table. */
static void save_queue(const char *folder, const char *name, bool packed, bool indirect)
{
	static const uint8_t steps[] = {0x10, 0x10, 0x13, 0x12, 0x04, 0x05, 0x0f};
	uint8_t data[QUEUE_HEAD + QUEUE_DATA + 64] = {0};
	struct bytes bytes = {.data = data, .size = sizeof(data)};
	/* What stands behind addr and len: flags, next; or id, flags. */
	const unsigned shift = packed ? 16 : 0;
	const uint64_t flags = (packed ? 1 << VRING_PACKED_DESC_F_AVAIL : 0);

	bytes_put(&bytes, 0, 1, (packed ? 1 : 0) | (indirect ? 2 : 0) | 4);
	bytes_put(&bytes, 1, 2, QUEUE_SIZE);
	bytes_put(&bytes, 5, 2, QUEUE_DRIVER);
	bytes_put(&bytes, 7, 2, QUEUE_DEVICE);
	bytes_put(&bytes, 9, 1, sizeof(steps) + 1);
	memcpy(data + 10, steps, sizeof(steps));
	put_desc(&bytes, 0, QUEUE_DATA, 16,
		 (flags | VRING_DESC_F_NEXT) << shift | (packed ? 0 : 1 << 16));
	put_desc(&bytes, 16, QUEUE_DATA, 16, (flags | VRING_DESC_F_WRITE) << shift);
	put_desc(&bytes, 32, indirect ? QUEUE_TABLE : QUEUE_DATA, 32,
		 (flags | (indirect ? VRING_DESC_F_INDIRECT : 0)) << shift);
	put_desc(&bytes, QUEUE_TABLE, QUEUE_DATA, 16,
		 (uint64_t)VRING_DESC_F_NEXT << shift | (packed ? 0 : 1 << 16));
	put_desc(&bytes, QUEUE_TABLE + 16, QUEUE_DATA, 16, (uint64_t)VRING_DESC_F_WRITE << shift);
	if (!packed) {
		bytes_put(&bytes, QUEUE_HEAD + QUEUE_DRIVER + 2, 2, 2);
		bytes_put(&bytes, QUEUE_HEAD + QUEUE_DRIVER + 6, 2, 2);
	}
	save(folder, "virtqueue", name, &bytes);
}

/* Steps of fuzz_9p.c: a session, an attach, a read that is flushed; good and bad answers. */
static void save_9p(const char *folder)
{
	static const char session[] = "\0\40\25\25\0\0\0d\377\377\0\20\0\0\b\0"
				      "9P2000.L\72"
				      "\0\40\33\33\0\0\0h\1\0\1\0\0\0\377\377\377\377\4\0"
				      "root\0\0\0\0\0\0\66"
				      "\0\40\27\27\0\0\0t\2\0\1\0\0\0\0\0\0\0\0\0\0\0\20\0\0\0"
				      "\0\40\11\11\0\0\0l\3\0\2\0\2\7";
	static const char bad[] = "\0\40\25\25\0\0\0d\377\377\0\20\0\0\b\0"
				  "9P2000.L\72"
				  "\0\40\13\13\0\0\0x\2\0\1\0\0\0\1\13\13\0\0\0\7\200\0\5\0\0\0";
	const struct bytes first = {.data = (uint8_t *)(uintptr_t)session,
				    .size = sizeof(session) - 1};
	const struct bytes second = {.data = (uint8_t *)(uintptr_t)bad, .size = sizeof(bad) - 1};

	save(folder, "9p", "session", &first);
	save(folder, "9p", "bad", &second);
}

#define VHOST_USER_ANSWER 20 /* bytes: a header, and a number */

/* What a vhost-user server says to all that fuzz_vhost_user.c asks of it. */
static void save_vhost_user(const char *folder, const char *name, uint64_t protocol)
{
	/* The requests: bit 7 marks those that are only answered with REPLY_ACK. */
	static const uint8_t requests[] = {
		1,        15,      16 | 128, 17,       3 | 128,  2 | 128,  5 | 128, 8 | 128,
		10 | 128, 9 | 128, 13 | 128, 12 | 128, 18 | 128, 18 | 128, 11,
	};
	uint8_t data[ARRAY_SIZE(requests) * VHOST_USER_ANSWER] = {0};
	struct bytes bytes = {.data = data, .size = sizeof(data)};
	size_t at = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(requests); i++) {
		uint8_t request = requests[i] & 127;
		uint64_t value = request == 1 ? BIT(32) | BIT(30) : request == 15 ? protocol : 0;

		if ((requests[i] & 128 && (request == 16 || !(protocol & BIT(3)))) ||
		    (request == 17 && !(protocol & 1)))
			continue;
		bytes_put(&bytes, at, 4, request);
		bytes_put(&bytes, at + 4, 4, 5);
		bytes_put(&bytes, at + 8, 4, 8);
		bytes_put(&bytes, at + 12, 8, request == 17 ? 2 : value);
		at += VHOST_USER_ANSWER;
	}
	bytes.size = at;
	save(folder, "vhost_user", name, &bytes);
}

/* A driver's input, as fuzz_virtio.c has it: a split ring with a buffer for each queue. */
#define DRIVER_HEAD   8
#define DRIVER_RING   512
#define DRIVER_QUEUES 8
#define DRIVER_DATA   0x2000
#define DRIVER_SPLIT  UINT32_C(0xfffffffb) /* all features but those whose bit is 2, or 34 */

static void save_driver(const char *folder, const char *name, uint8_t device)
{
	static const uint8_t steps[] = {0x02, 0x0a, 0x12, 0x1a, 0x22, 0x05, 0x70, 0x07,
					0x06, 0x05, 0x1b, 0x02, 0x0a, 0x12, 0x07};
	uint8_t data[DRIVER_HEAD + DRIVER_QUEUES * DRIVER_RING + sizeof(steps)] = {0};
	struct bytes bytes = {.data = data, .size = sizeof(data)};

	bytes_put(&bytes, 0, 1, device);
	bytes_put(&bytes, 1, 1, 7); /* all the way up */
	bytes_put(&bytes, 2, 4, DRIVER_SPLIT);
	bytes_put(&bytes, 6, 2, DRIVER_QUEUES * DRIVER_RING);
	for (size_t i = 0; i < DRIVER_QUEUES; i++) {
		size_t ring = DRIVER_HEAD + i * DRIVER_RING;

		bytes_put(&bytes, ring, 8, QUEUE_RAM + DRIVER_DATA);
		bytes_put(&bytes, ring + 8, 4, 64);
		bytes_put(&bytes, ring + 12, 4, VRING_DESC_F_NEXT | 1 << 16);
		bytes_put(&bytes, ring + 16, 8, QUEUE_RAM + DRIVER_DATA);
		bytes_put(&bytes, ring + 24, 4, 4096);
		bytes_put(&bytes, ring + 28, 4, VRING_DESC_F_WRITE);
		bytes_put(&bytes, ring + 256 + 2, 2, 1); /* one is available */
	}
	memcpy(data + sizeof(data) - sizeof(steps), steps, sizeof(steps));
	save(folder, "virtio", name, &bytes);
}

/* Requests of the control socket, each in one piece behind its length. */
static void save_requests(const char *folder)
{
	static const char *const requests[] = {
		"{\"execute\":\"x\",\"arguments\":{\"word\":\"one\",\"bool\":true},\"id\":1}",
		"{\"execute\":\"x\",\"arguments\":{\"int\":-5,\"size\":4096,\"str\":\"\\u0041\"}}",
		"{\"id\":[[{}]]}{\"execute\":\"y\"}\r\n \r\n{\"execute\":\"x\"}",
		"[1,2.5,null,{\"a\":\"\\ud83d\\ude00\"}]",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	};

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		uint8_t data[256] = {(uint8_t)strlen(requests[i])};
		struct bytes bytes = {.data = data, .size = 1 + strlen(requests[i])};
		char name[16];

		memcpy(data + 1, requests[i], strlen(requests[i]));
		snprintf(name, sizeof(name), "%zu", i);
		save(folder, "qmp", name, &bytes);
	}
}

/* Packets of gdb's, whose sums need not be right. */
static void save_packets(const char *folder)
{
	static const char *const packets[] = {
		"$qSupported:x#00$QStartNoAckMode#00$qXfer:features:read:target.xml:0,fff#00",
		"$Hg2#00$g#00$p1#00$P1=01020304#00$G5a5a#00",
		"$m100,40#00$M100,2:0102#00$X100,2:a}]#00$Qqemu.PhyMemMode:1#00",
		"$Z0,1000,4#00$z2,1000,8#00$vCont;s:1;r10,20:2;c#00$vCont;C05:-1#00$s#00$c#00",
		"$qThreadExtraInfo,2#00$qfThreadInfo#00$T3#00$?#00$qRcmd,706879736963616c206f6e#00$"
		"D#00",
	};

	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		uint8_t data[256];
		struct bytes bytes = {.data = data, .size = strlen(packets[i])};
		char name[16];

		memcpy(data, packets[i], bytes.size);
		snprintf(name, sizeof(name), "%zu", i);
		save(folder, "gdb", name, &bytes);
	}
}

/* All fields of a machine, and one that cannot be. */
static void save_configurations(const char *folder)
{
	static const char all[] =
		"{\"kernel\": \"Image\", \"initrd\": \"i\", \"append\": \"x \\u00e9\", \"dtb\": "
		"\"d\","
		" \"dtb-overlays\": [\"a\", \"b\"], \"dump-dtb\": \"o\", \"cpus\": 4, \"mem\": "
		"\"1G\","
		" \"irqchip\": \"gicv3\", \"pmu\": \"on\", \"sve\": \"off\", \"pauth\": \"auto\","
		" \"pin\": [1, 2], \"hugepages\": true, \"lock-mem\": false, \"nodefaults\": true,"
		" \"disks\": [{\"file\": \"f\", \"ro\": true, \"block-size\": 4096}],"
		" \"nets\": [{\"tap\": \"t\", \"queues\": 2}, {\"mode\": \"user\"}],"
		" \"publish\": [\"1:2\"], \"vsock\": 3, \"volumes\": [\"/:r\"], \"console\": "
		"\"pty\","
		" \"ports\": [\"a=null\"], \"balloon\": {\"size\": 1048576}, \"timeout\": 1,"
		" \"api\": \"s\", \"loglevel\": \"info\", \"kvm-device\": \"k\"}";
	static const char bad[] = "{\"disks\": [{}, {\"block-size\": 3000}]}";
	const struct bytes bytes[] = {{.data = (uint8_t *)all, .size = sizeof(all) - 1},
				      {.data = (uint8_t *)bad, .size = sizeof(bad) - 1}};

	save(folder, "config", "all", &bytes[0]);
	save(folder, "config", "bad", &bytes[1]);
}

static void save_cpu_models(const char *folder)
{
	static const char fields[] =
		"{\"name\": \"n\", \"description\": \"d\", \"registers\": {"
		"\"ID_AA64ISAR0_EL1\": {\"AES\": 2, \"SHA1\": \"0x1\"}, \"MIDR_EL1\": "
		"\"0x410fd0c1\","
		" \"CTR_EL0\": 1, \"ID_AA64MMFR0_EL1\": {\"TGran4\": 15, \"PARange\": 2}}}";
	static const char bad[] = "{\"registers\": {\"CTR_EL0\": {\"IDCC\": 16}}}";
	const struct bytes bytes[] = {{.data = (uint8_t *)fields, .size = sizeof(fields) - 1},
				      {.data = (uint8_t *)bad, .size = sizeof(bad) - 1}};

	save(folder, "cpu_model", "fields", &bytes[0]);
	save(folder, "cpu_model", "bad", &bytes[1]);
}

/* A kernel's VMCOREINFO, behind the page's number. */
static void save_vmcoreinfo(const char *folder)
{
	static const char text[] = "OSRELEASE=6.1.0-arm64\nPAGESIZE=4096\n"
				   "SYMBOL(_stext)=ffff800008010000\nNUMBER(VA_BITS)=48\n"
				   "NUMBER(kimage_voffset)=0xffff7fffc8000000\n"
				   "NUMBER(PHYS_OFFSET)=0x40000000\nKERNELOFFSET=0\n";
	const Elf64_Nhdr header = {.n_namesz = 11, .n_descsz = sizeof(text) - 1};
	uint8_t data[1 + sizeof(header) + 12 + sizeof(text)] = {0};
	const struct bytes bytes = {.data = data, .size = sizeof(data) - 1};

	memcpy(data + 1, &header, sizeof(header));
	memcpy(data + 1 + sizeof(header), "VMCOREINFO", 11);
	memcpy(data + 1 + sizeof(header) + 12, text, sizeof(text) - 1);
	save(folder, "vmcore", "linux", &bytes);
}

#define OS "<os><type arch='aarch64' machine='virt'>hvm</type><kernel>/k</kernel></os>"

/* Domains of libvirt: with what most have, with each kind of device, and with a document type. */
static void save_domains(const char *folder)
{
	static const char *const domains[] = {
		"<domain type='kvm'><name>a</name><memory unit='MiB'>256</memory><currentMemory>"
		"131072</currentMemory><vcpu cpuset='1' current='1'>2</vcpu><cputune><vcpupin "
		"vcpu='0' cpuset='1'/></cputune>" OS
		"<features><acpi/><gic version='3'/></features>"
		"<cpu mode='host-passthrough'><topology sockets='1' cores='2' threads='1'/></cpu>"
		"<on_reboot>destroy</on_reboot><devices><memballoon model='virtio'/></devices>"
		"</domain>",
		"<domain>" OS "<devices><disk type='file' device='cdrom'><driver type='raw' "
		"cache='none' io='native' discard='unmap' error_policy='stop' queues='2'/><source "
		"file='/d'/><target bus='virtio'/><readonly/><serial>s</serial><blockio "
		"logical_block_size='512'/></disk><disk type='network'><source protocol='nbd' "
		"name='e' tls='yes'><host name='h' port='1'/></source></disk><disk type='volume'>"
		"<source pool='p' volume='v'/></disk></devices></domain>",
		"<domain>" OS
		"<devices><interface type='network'><mac address='52:54:00:00:00:01'/>"
		"<source network='n'/><target dev='t'/><driver name='vhost' "
		"queues='2'/></interface>"
		"<interface type='user'><portForward proto='udp' address='::1'><range start='1' "
		"end='3' to='5'/></portForward></interface></devices></domain>",
		"<domain>" OS
		"<devices><serial type='pty'/><console type='file'><source path='/a,b'/>"
		"<target type='virtio'/></console><channel type='unix'><source mode='bind' "
		"path='/s'/><target type='virtio' name='n'/></channel><filesystem type='mount'>"
		"<driver type='virtiofs'/><source dir='/f'/><target "
		"dir='t'/><readonly/></filesystem>"
		"<vsock><cid address='3'/></vsock><rng><backend "
		"model='random'>/dev/urandom</backend>"
		"</rng><graphics/></devices></domain>",
		"<!DOCTYPE domain [<!ENTITY a 'b'>]><domain>&a;<![CDATA[x]]><?y?></domain>",
	};

	for (size_t i = 0; i < ARRAY_SIZE(domains); i++) {
		const struct bytes bytes = {.data = (uint8_t *)(uintptr_t)domains[i],
					    .size = strlen(domains[i])};
		char name[16];

		snprintf(name, sizeof(name), "%zu", i);
		save(folder, "domain", name, &bytes);
	}
}

/* fuzz_loads: an instruction of each kind, and tables that map what it touches. */
static void save_loads(const char *root)
{
	static const uint32_t words[] = {
		0xa8c10801, 0xf9400001, 0x3c810400, 0x4cdf2041, 0xc85f7c01, 0xc8037c01,
		0xf8210002, 0x48227c04, 0xd50b7420, 0xf8200401, 0x0d40c401, 0x78002801,
	};
	/* As struct header there, and a page of level 1: RAM at RAM, and at 0. */
	struct {
		uint64_t x[4], tcr, sctlr, ttbr[2], pir;
		uint32_t word;
		uint8_t access, flags, pad[2];
		uint64_t table[512];
	} input = {
		.x = {0x1000, 0x40001000, 1, 2},
		.tcr = 25 | 25 << 16 | UINT64_C(2) << 30 | UINT64_C(5) << 32,
		.sctlr = 1,
		.ttbr = {0x40000000, 0x40000000},
		.table = {0x40000441, 0x40000441},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const struct bytes bytes = {.data = (uint8_t *)&input, .size = sizeof(input)};
		char name[16];

		input.word = words[i];
		input.flags = (uint8_t)(i % 2 | (i % 3 == 0 ? 4 : 0) | 4 << 4);
		snprintf(name, sizeof(name), "%zu", i);
		save(root, "loads", name, &bytes);
	}
}

/* An exit, an interrupt and where the vectors are; then functions, in a list or an ELF file. */
static size_t put_trace(uint64_t *words)
{
	static const char *const strings[] = {"mmio", "serial0 UARTDR read", "pc",      "address",
					      "irq",  "serial0 INTID 33",    "VBAR_EL1"};
	const struct fxt_kind read = {FXT_COMPLETE, 1, 1, 2}, up = {FXT_ASYNC_BEGIN, 1, 5, 6},
			      down = {FXT_ASYNC_END, 1, 5, 6}, vectors = {FXT_INSTANT, 1, 1, 7};
	size_t count = fxt_put_begin(words, 62500000);
	struct fxt_writer writer;

	for (uint16_t i = 0; i < ARRAY_SIZE(strings); i++)
		count += fxt_put_string(words + count, (uint16_t)(i + 1), strings[i]);
	count += fxt_put_thread(words + count, 1, 2, 3);
	writer = fxt_begin(words + count, 100);
	fxt_add_word(&writer, FXT_POINTER, 3, 0xffff800008020010);
	fxt_add_word(&writer, FXT_POINTER, 4, 0x9000000);
	count += fxt_end_word(&writer, read, 200);
	writer = fxt_begin(words + count, 110);
	count += fxt_end_word(&writer, up, 33);
	writer = fxt_begin(words + count, 190);
	count += fxt_end_word(&writer, down, 33);
	writer = fxt_begin(words + count, 210);
	fxt_add_word(&writer, FXT_POINTER, 4, 0xffff800008010800);
	return count + fxt_end(&writer, vectors);
}

static struct bytes symbols_elf(void)
{
	static const char names[] = "\0vectors\0pl011_write";
	const Elf64_Sym symbols[] = {
		{.st_name = 1, .st_info = STT_NOTYPE, .st_shndx = 1, .st_value = 0x10800},
		{.st_name = 9, .st_info = STT_FUNC, .st_shndx = 1, .st_value = 0x20000},
	};
	const Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_machine = EM_AARCH64,
		.e_shoff = sizeof(header),
		.e_shnum = 2,
	};
	const Elf64_Shdr sections[] = {
		{.sh_type = SHT_SYMTAB,
		 .sh_link = 1,
		 .sh_offset = sizeof(header) + 2 * sizeof(Elf64_Shdr),
		 .sh_size = sizeof(symbols)},
		{.sh_type = SHT_STRTAB,
		 .sh_offset = sizeof(header) + 2 * sizeof(Elf64_Shdr) + sizeof(symbols),
		 .sh_size = sizeof(names)},
	};
	struct bytes bytes =
		bytes_pattern(sizeof(header) + sizeof(sections) + sizeof(symbols) + sizeof(names));

	memcpy(bytes.data, &header, sizeof(header));
	memcpy(bytes.data + sizeof(header), sections, sizeof(sections));
	memcpy(bytes.data + sections[0].sh_offset, symbols, sizeof(symbols));
	memcpy(bytes.data + sections[1].sh_offset, names, sizeof(names));
	return bytes;
}

static void save_trace(const char *folder)
{
	static const char list[] = "ffff800008010800 T vectors\nffff800008020000 t pl011_write\n"
				   "ffff80000a000000 t probe\t[module]\n";
	const struct bytes list_bytes = {.data = (uint8_t *)list, .size = sizeof(list) - 1};
	_cleanup_bytes_ struct bytes elf = symbols_elf();
	const struct bytes *const symbols[] = {&list_bytes, &elf};
	static const char *const names[] = {"list", "elf"};
	uint8_t input[4096];

	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		uint64_t words[256];
		size_t first = put_trace(words) * sizeof(*words);
		const struct bytes all = {.data = input, .size = 1 + first + symbols[i]->size};

		/* Rounded up, so that nothing of the trace is missing. */
		input[0] = (uint8_t)((first * 255 + all.size - 2) / (all.size - 1));
		memcpy(input + 1, words, first);
		memcpy(input + 1 + first, symbols[i]->data, symbols[i]->size);
		save(folder, "trace", names[i], &all);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "Usage: seeds FOLDER\n");
		return EXIT_FAILURE;
	}
	mkdir(argv[1], 0777);
	save_images(argv[1]);
	save_trees(argv[1]);
	save_command_lines(argv[1]);
	save_configurations(argv[1]);
	save_domains(argv[1]);
	save_frames(argv[1]);
	save_trial(argv[1]);
	save_vmcoreinfo(argv[1]);
	save_cpu_models(argv[1]);
	save_loads(argv[1]);
	save_9p(argv[1]);
	save_trace(argv[1]);
	save_backtrace(argv[1]);
	save_vhost_user(argv[1], "all", UINT64_MAX);
	save_vhost_user(argv[1], "least", 0);
	save_queue(argv[1], "split", false, false);
	save_queue(argv[1], "split-indirect", false, true);
	save_queue(argv[1], "packed", true, false);
	save_queue(argv[1], "packed-indirect", true, true);
	save_requests(argv[1]);
	save_packets(argv[1]);
	save_driver(argv[1], "rng", 0);
	save_driver(argv[1], "console", 1);
	save_driver(argv[1], "ports", 2);
	save_driver(argv[1], "balloon", 3);
	save_driver(argv[1], "balloon-without-hints", 4);
	save_driver(argv[1], "disk", 5);
	save_driver(argv[1], "disk-that-holds", 6);
	return EXIT_SUCCESS;
}
