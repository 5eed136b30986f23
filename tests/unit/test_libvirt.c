/* SPDX-License-Identifier: Apache-2.0 */
/* Domains of libvirt: what becomes of their XML, what they lack, and where they come from. */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "libvirt_bench.h"
#include "libvirt_domain.h"
#include "options_json.h"
#include "unit.h"

#define TEXT_SIZE 8192

static struct error err;

/* A libvirt of one volume and one network. */

static int volume(void *data, const char *pool, const char *name, char **ret, struct error *e)
{
	(void)data;
	if (strcmp(pool, "p") != 0 || strcmp(name, "v") != 0)
		return error_set(e, ENOENT, "no volume %s of %s", name, pool);
	*ret = strdup("/pool/v");
	return 0;
}

static int network(void *data, const char *name, char **ret, struct error *e)
{
	(void)data;
	if (strcmp(name, "default") != 0)
		return error_set(e, ENOENT, "no network %s", name);
	*ret = strdup("virbr0");
	return 0;
}

static const struct libvirt_host host = {.volume = volume, .network = network};

/* From XML. */

#define OS         DOMAIN_OS
#define DEVICE     "line 1, /domain/devices/"
#define DISK(x)    "<devices><disk type='file'><source file='/d'/>" x "</disk></devices>"
#define DISK_IS(x) "{\"disks\": [{\"file\": \"/d\", " x "}]}"
#define RAW        "\"format\": \"raw\""
#define NET(x)                                                                    \
	"<devices><interface type='bridge'><source bridge='b'/>" x "</interface>" \
	"</devices>"
#define NET_IS(x) "{\"nets\": [{\"mode\": \"tap\", \"bridge\": \"b\"" x "}]}"

static const struct {
	const char *xml;    /* in a domain of its own */
	const char *config; /* NULL: {} */
	const char *lacks;  /* its only one; NULL: there is none */
} domain_rows[] = {
	{"", NULL, NULL},
	{"<name>web-1</name><uuid>x</uuid><title>t</title><description>d</description>"
	 "<metadata><x:y xmlns:x='z'/></metadata>",
	 "{\"name\": \"web-1\"}", NULL},
	{"<name>a b</name>", NULL,
	 "line 1, /domain/name: 'a b' is no name for a machine: letters, digits, '.', '_' and '-' "
	 "are, up to 64, and a letter, digit or '_' first"},

	/* Memory. */
	{"<memory>1048576</memory>", "{\"mem\": 1073741824}", NULL},
	{"<memory unit='KiB'> 1048576\n</memory>", "{\"mem\": 1073741824}", NULL},
	{"<memory unit='b'>65536</memory>", "{\"mem\": 65536}", NULL},
	{"<memory unit='MB'>1</memory>", "{\"mem\": 1000000}", NULL},
	{"<memory unit='gib' dumpCore='on'>2</memory>", "{\"mem\": 2147483648}", NULL},
	{"<memory unit='MiB'>512</memory><currentMemory unit='MiB'>512</currentMemory>",
	 "{\"mem\": 536870912}", NULL},
	{"<memory unit='MiB'>512</memory><currentMemory unit='MiB'>384</currentMemory>",
	 "{\"mem\": 536870912, \"balloon\": {\"size\": 134217728}}", NULL},
	{"<currentMemory unit='MiB'>384</currentMemory><memory unit='MiB'>512</memory>"
	 "<devices><memballoon model='none'/></devices>",
	 "{\"mem\": 536870912}", NULL},
	{"<devices><memballoon model='virtio'><stats period='10'/></memballoon></devices>",
	 "{\"balloon\": {}}", NULL},
	{"<devices><memballoon model='xen'/></devices>", "{\"balloon\": {}}",
	 DEVICE "memballoon/@model: 'xen': a balloon is a virtio one"},
	{"<memoryBacking><hugepages/><locked/><nosharepages/></memoryBacking>",
	 "{\"hugepages\": true, \"lock-mem\": true}", NULL},
	{"<memoryBacking><hugepages><page size='2' unit='M'/></hugepages></memoryBacking>",
	 "{\"hugepages\": true}", NULL},
	{"<memoryBacking><hugepages><page size='1' unit='G'/></hugepages></memoryBacking>",
	 "{\"hugepages\": true}",
	 "line 1, /domain/memoryBacking/hugepages/page: huge pages are of 2 MiB"},
	{"<memoryBacking><source type='memfd'/><access mode='shared'/>"
	 "<allocation mode='immediate'/></memoryBacking>",
	 NULL,
	 "line 1, /domain/memoryBacking/allocation/@mode: 'immediate': memory is allocated as the "
	 "guest touches it"},
	{"<maxMemory slots='16'>2097152</maxMemory>", NULL,
	 "line 1, /domain/maxMemory: memory is not added later"},

	/* Virtual CPUs. */
	{"<vcpu placement='static'>4</vcpu>", "{\"cpus\": 4}", NULL},
	{"<vcpu current='2'>4</vcpu>", "{\"cpus\": 2}",
	 "line 1, /domain/vcpu: vCPUs are not added later; there would be 2"},
	{"<vcpu cpuset='3'>2</vcpu>", "{\"cpus\": 2, \"pin\": [3, 3]}", NULL},
	{"<vcpu cpuset='0-3'>2</vcpu>", "{\"cpus\": 2}",
	 "line 1, /domain/vcpu/@cpuset: a vCPU is pinned to one CPU, or not at all"},
	{"<vcpu>2</vcpu><cputune><vcpupin vcpu='1' cpuset='5'/><vcpupin vcpu='0' cpuset='4'/>"
	 "<vcpupin vcpu='7' cpuset='1'/></cputune>",
	 "{\"cpus\": 2, \"pin\": [4, 5]}", NULL},
	{"<vcpu cpuset='1'>2</vcpu><cputune><vcpupin vcpu='1' cpuset='5'/></cputune>",
	 "{\"cpus\": 2, \"pin\": [1, 5]}", NULL},
	{"<vcpu>2</vcpu><cputune><vcpupin vcpu='1' cpuset='5'/></cputune>", "{\"cpus\": 2}",
	 "line 1, /domain/cputune: vCPUs are pinned all, or not at all"},
	{"<cputune><vcpupin vcpu='0' cpuset='1,^2'/></cputune>", NULL,
	 "line 1, /domain/cputune/vcpupin: a vCPU is pinned to one CPU, or not at all"},
	{"<cputune><shares>2048</shares></cputune>", NULL,
	 "line 1, /domain/cputune/shares: armlet limits no CPU time (systemd-run can)"},
	{"<iothreads>2</iothreads><iothreadids><iothread id='1'/></iothreadids>", NULL, NULL},
	{"<cpu mode='host-passthrough' check='none' migratable='off'>"
	 "<topology sockets='1' dies='1' cores='4' threads='1'/>"
	 "<feature policy='disable' name='sve'/><feature name='pmu'/></cpu>",
	 "{\"sve\": \"off\", \"pmu\": \"on\"}", NULL},
	{"<cpu mode='host-model'><model fallback='forbid'/></cpu>", NULL, NULL},
	{"<cpu mode='custom' match='exact'><model>cortex-a57</model></cpu>", NULL,
	 "line 1, /domain/cpu/@mode: 'custom': the guest's CPU is the host's"},
	{"<cpu match='exact'><model>cortex-a57</model></cpu>", NULL,
	 "line 1, /domain/cpu/model: 'cortex-a57': the guest's CPU is the host's"},
	{"<vcpu>4</vcpu><cpu><topology sockets='2' cores='1' threads='2'/></cpu>",
	 "{\"cpus\": 4, \"topology\": {\"sockets\": 2, \"clusters\": 1, \"threads\": 2, \"cores\": "
	 "1}}",
	 NULL},
	{"<cpu><topology sockets='1' dies='2' cores='1' threads='1'/></cpu>", NULL,
	 "line 1, /domain/cpu/topology: a socket has one die"},
	{"<cpu><feature name='sve512'/></cpu>", NULL,
	 "line 1, /domain/cpu/feature: armlet does not know the CPU's feature 'sve512'"},

	/* What it boots, and its life. */
	{"<os><kernel> /k </kernel><initrd>/i</initrd><cmdline>a=\"b c\" &lt;d&#62;</cmdline>"
	 "<dtb>/t</dtb><boot dev='hd'/></os>",
	 "{\"kernel\": \"/k\", \"initrd\": \"/i\", \"append\": \"a=\\\"b c\\\" <d>\", \"dtb\": "
	 "\"/t\"}",
	 NULL},
	{"<os><kernel/></os>", NULL, NULL},
	{"<os><loader readonly='yes' type='pflash'>/x</loader><nvram>/y</nvram></os>", NULL,
	 "line 1, /domain/os[2]/loader: armlet boots a kernel, and has no firmware"},
	{"<os firmware='efi'/>", NULL,
	 "line 1, /domain/os[2]/@firmware: armlet boots a kernel, and has no firmware"},
	{"<features><acpi/><gic version='3'/><pmu state='off'/></features>",
	 "{\"irqchip\": \"gicv3\", \"pmu\": \"off\"}", NULL},
	{"<features><gic version='2'/><pmu/></features>",
	 "{\"irqchip\": \"gicv2\", \"pmu\": \"on\"}", NULL},
	{"<features><gic version='host'/></features>", NULL, NULL},
	{"<features><gic version='4'/></features>", NULL,
	 "line 1, /domain/features/gic/@version: '4': there are versions 2 and 3"},
	{"<clock offset='utc'><timer name='rtc'/></clock><on_poweroff>destroy</on_poweroff>"
	 "<on_reboot>restart</on_reboot><on_crash>preserve</on_crash><pm/>",
	 NULL, NULL},
	{"<on_reboot>destroy</on_reboot>", "{\"no-reboot\": true}", NULL},
	{"<on_reboot>preserve</on_reboot>", NULL,
	 "line 1, /domain/on_reboot: 'preserve': a guest's reset boots it anew, or ends it"},
	{"<on_poweroff>restart</on_poweroff>", NULL,
	 "line 1, /domain/on_poweroff: 'restart': a guest that powers off ends its machine"},
	{"<seclabel type='dynamic' model='dac' relabel='yes'/><seclabel type='none'/>", NULL, NULL},
	{"<seclabel type='static'><label>x</label></seclabel>", NULL,
	 "line 1, /domain/seclabel/@type: 'static': armlet sets no security labels"},
	{"<novelty/>", NULL, "line 1, /domain/novelty: armlet has no such thing"},
	{"\n<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>"
	 "<q:arg value='-S'/></q:commandline>",
	 NULL, "line 2, /domain/q:commandline: armlet has no such thing"},
	{"<devices><name xmlns='urn:x'/></devices>", NULL,
	 "line 1, /domain/devices/*: armlet has no such thing"},

	/* Disks. */
	{DISK(""), DISK_IS(RAW), NULL},
	{DISK("<driver name='qemu' type='qcow2' cache='none' io='native' discard='unmap' "
	      "error_policy='stop' rerror_policy='stop' queues='4' iothread='1'/>"
	      "<target dev='vda' bus='virtio'/><alias name='a'/><address type='pci'/>"
	      "<backingStore type='file'><format type='raw'/><source file='/b'/></backingStore>"
	      "<boot order='1'/>"),
	 DISK_IS("\"format\": \"qcow2\", \"direct\": true, \"discard\": \"on\", \"on-error\": "
		 "\"pause\", \"queues\": 4"),
	 NULL},
	{DISK("<driver cache='directsync' io='threads' discard='ignore' error_policy='enospace'/>"),
	 DISK_IS("\"direct\": true, \"cache\": \"writethrough\", \"aio\": \"threads\", "
		 "\"discard\": \"off\", \"on-error\": \"enospc\", " RAW),
	 NULL},
	{DISK("<driver cache='unsafe' io='io_uring' error_policy='report'/>"),
	 DISK_IS("\"cache\": \"unsafe\", \"aio\": \"io_uring\", \"on-error\": \"report\", " RAW),
	 NULL},
	{DISK("<driver cache='default'/>"), DISK_IS(RAW), NULL},
	{DISK("<driver cache='warm'/>"), DISK_IS(RAW),
	 DEVICE "disk/driver/@cache: there is no cache 'warm'"},
	{DISK("<driver error_policy='ignore'/>"), DISK_IS(RAW),
	 DEVICE "disk/driver/@error_policy: 'ignore': a guest is told of errors, or waits"},
	{DISK("<driver error_policy='stop' rerror_policy='ignore'/>"),
	 DISK_IS("\"on-error\": \"pause\", " RAW),
	 DEVICE "disk/driver/@rerror_policy: 'ignore': reads and writes have one policy for "
		"errors"},
	{DISK("<readonly/><transient/><serial> s 1 </serial>"
	      "<blockio logical_block_size='512' physical_block_size='4096'/>"),
	 DISK_IS("\"ro\": true, \"ephemeral\": true, \"serial\": \"s 1\", \"block-size\": 512, "
		 "\"physical-block-size\": 4096, " RAW),
	 NULL},
	{DISK("<blockio logical_block_size='0'/>"), DISK_IS(RAW), NULL},
	{DISK("<iotune><total_bytes_sec>1</total_bytes_sec></iotune>"), DISK_IS(RAW),
	 DEVICE "disk/iotune: armlet limits no I/O (systemd-run can)"},
	{DISK("<target dev='sda' bus='scsi'/>"), DISK_IS(RAW),
	 DEVICE "disk/target/@bus: 'scsi': it would be a virtio disk"},
	{"<devices><disk type='file' device='cdrom'><source "
	 "file='/c'/><readonly/></disk></devices>",
	 "{\"disks\": [{\"file\": \"/c\", \"ro\": true, " RAW "}]}",
	 DEVICE "disk: 'cdrom': it would be a disk that can only be read"},
	{"<devices><disk device='floppy'/></devices>", NULL,
	 DEVICE "disk: there is no drive of the kind 'floppy'"},
	{"<devices><disk device='cdrom'><target dev='sda' bus='scsi'/></disk></devices>", NULL,
	 DEVICE "disk: there is nothing in this drive"},
	{"<devices><disk type='file'><source/></disk></devices>", NULL,
	 DEVICE "disk: there is nothing in this drive"},
	{"<devices><disk type='block'><source dev='nbd0'/></disk>"
	 "<disk type='file'><source file='nbd://x'/></disk></devices>",
	 "{\"disks\": [{\"file\": \"nbd0\", " RAW "}, {\"file\": \"./nbd://x\", " RAW "}]}", NULL},
	{"<devices><disk type='volume'><driver type='qcow2'/><source pool='p' volume='v'/></disk>"
	 "</devices>",
	 "{\"disks\": [{\"format\": \"qcow2\", \"file\": \"/pool/v\"}]}", NULL},
	{"<devices><disk type='volume'><source pool='p' volume='w'/></disk></devices>", NULL,
	 DEVICE "disk/source: no volume w of p"},
	{"<devices><disk type='nvme'><source type='pci'/></disk></devices>", NULL,
	 DEVICE "disk/source: a disk is a file, a block device, a volume or by nbd, not 'nvme'"},
	{"<devices><disk type='network'><driver type='raw'/><source protocol='nbd' name='a b'>"
	 "<host name='h.example' port='1'/></source></disk></devices>",
	 "{\"disks\": [{\"file\": \"nbd://h.example:1/a%20b\"}]}", NULL},
	{"<devices><disk type='network'><source protocol='nbd' tls='yes'><host name='::1'/>"
	 "</source></disk></devices>",
	 "{\"disks\": [{\"file\": \"nbds://[::1]:10809/\"}]}", NULL},
	{"<devices><disk type='network'><source protocol='nbd' name='e'>"
	 "<host transport='unix' socket='/run/n?d'/></source></disk></devices>",
	 "{\"disks\": [{\"file\": \"nbd+unix:///e?socket=/run/n%3Fd\"}]}", NULL},
	{"<devices><disk type='network'><driver type='qcow2'/><source protocol='nbd'>"
	 "<host name='h'/></source></disk></devices>",
	 "{\"disks\": [{\"file\": \"nbd://h:10809/\"}]}",
	 DEVICE "disk: an NBD server's export is taken as raw"},
	{"<devices><disk type='network'><source protocol='rbd' name='e'/></disk></devices>", NULL,
	 DEVICE "disk/source: 'rbd': of the network's disks armlet has those by nbd"},

	/* Interfaces. */
	{NET(""), NET_IS(""), NULL},
	{NET("<mac address='52:54:00:00:00:01'/><target dev='t0'/><model type='virtio'/>"
	     "<driver name='vhost' queues='2' txmode='iothread'/><mtu size='1400'/>"
	     "<link state='up'/><boot order='2'/>"),
	 NET_IS(", \"mac\": \"52:54:00:00:00:01\", \"tap\": \"t0\", \"vhost\": \"on\", "
		"\"queues\": 2, \"mtu\": 1400"),
	 NULL},
	{NET("<driver name='qemu'/>"), NET_IS(", \"vhost\": \"off\""), NULL},
	{NET("<model type='e1000'/>"), NET_IS(""),
	 DEVICE "interface/model/@type: 'e1000': it would be a virtio interface"},
	{NET("<link state='down'/>"), NET_IS(""),
	 DEVICE "interface/link/@state: 'down': a cable is plugged from the start"},
	{NET("<vlan><tag id='1'/></vlan>"), NET_IS(""),
	 DEVICE "interface/vlan: a bridge that filters VLANs has to be told itself"},
	{"<devices><interface type='ethernet'><target dev='t0' "
	 "managed='no'/></interface></devices>",
	 "{\"nets\": [{\"mode\": \"tap\", \"tap\": \"t0\"}]}", NULL},
	{"<devices><interface type='network'><source network='default'/></interface></devices>",
	 "{\"nets\": [{\"mode\": \"tap\", \"bridge\": \"virbr0\"}]}", NULL},
	{"<devices><interface type='network'><source network='default' bridge='x'/>"
	 "<target dev='vnet3'/></interface></devices>",
	 "{\"nets\": [{\"mode\": \"tap\", \"bridge\": \"virbr0\"}]}", NULL},
	{"<devices><interface type='network'><source network='n'/></interface></devices>", NULL,
	 DEVICE "interface/source: no network n"},
	{"<devices><interface type='bridge'/></devices>", NULL,
	 DEVICE "interface: it does not say what it is on"},
	{"<devices><interface type='bridge'><source/></interface></devices>", NULL,
	 DEVICE "interface: it does not say what it is on"},
	{"<devices><interface type='direct'><source dev='eth0'/></interface></devices>", NULL,
	 DEVICE "interface: there is no interface of the kind 'direct'"},
	{"<devices><interface type='user'><backend type='passt'/><target dev='t0'/>"
	 "<portForward proto='tcp' address='::1'><range start='2222' to='22'/>"
	 "<range start='80' end='81'/></portForward><portForward proto='udp'>"
	 "<range start='53'/></portForward></interface></devices>",
	 "{\"publish\": [\"[::1]:2222:22\", \"[::1]:80:80\", \"[::1]:81:81\", \"53:53/udp\"], "
	 "\"nets\": [{\"mode\": \"user\"}]}",
	 NULL},
	{"<devices><interface type='user'><portForward proto='tcp'/></interface></devices>",
	 "{\"nets\": [{\"mode\": \"user\"}]}",
	 DEVICE "interface/portForward: ports are published one by one"},
	{"<devices><interface type='user'><portForward proto='tcp'><range start='1' end='99'/>"
	 "</portForward></interface></devices>",
	 "{\"nets\": [{\"mode\": \"user\"}]}",
	 DEVICE "interface/portForward/range: there may be 64 ports at most"},

	/* Other devices. */
	{"<devices><emulator>/usr/bin/q</emulator><controller type='pci' model='pcie-root'/>"
	 "<controller type='virtio-serial'/><controller type='usb' model='none'/></devices>",
	 NULL, NULL},
	{"<devices><controller type='usb' model='qemu-xhci'/></devices>", NULL,
	 DEVICE "controller: there is no controller of the kind 'usb'"},
	{"<devices><serial type='pty'><target type='system-serial' port='0'>"
	 "<model name='pl011'/></target></serial><console type='pty'><target type='serial'/>"
	 "</console></devices>",
	 NULL, NULL},
	{"<devices><serial type='file'><source path='/x'/></serial></devices>", NULL,
	 DEVICE "serial/@type: 'file': armlet's serial port is its standard input and output"},
	{"<devices><serial type='pty'/><serial type='pty'/></devices>", NULL,
	 DEVICE "serial[2]: there is one serial port"},
	{"<devices><console type='file'><source path='/a,b'/><target type='virtio'/></console>"
	 "</devices>",
	 "{\"console\": \"file:/a,,b\"}", NULL},
	{"<devices><console type='pty'><target type='virtio'/></console>"
	 "<console type='pty'><target type='virtio'/></console></devices>",
	 "{\"console\": \"pty\"}", DEVICE "console[2]: there is one virtio console"},
	{"<devices><channel type='unix'><source mode='bind' path='/s'/>"
	 "<target type='virtio' name='org.x.0'/></channel><channel type='pty'>"
	 "<target type='virtio' name='b'/></channel></devices>",
	 "{\"ports\": [\"org.x.0=unix:/s\", \"b=pty\"]}", NULL},
	{"<devices><channel type='unix'><target type='virtio' name='a'/></channel></devices>", NULL,
	 DEVICE "channel: a port that is a unix needs a path: <source path='...'/>"},
	{"<devices><channel type='unix'><source mode='connect' path='/s'/><target type='virtio' "
	 "name='a'/></channel></devices>",
	 NULL, DEVICE "channel: a port's socket waits for others to connect (bind)"},
	{"<devices><channel type='spicevmc'><target type='virtio' name='s'/></channel></devices>",
	 NULL, DEVICE "channel: 'spicevmc': a port is a pty, a socket, a file or null"},
	{"<devices><channel type='pty'><target type='virtio' name='a=b'/></channel></devices>",
	 NULL, DEVICE "channel: a port is found by its name, which has no '='"},
	{"<devices><filesystem type='mount' accessmode='passthrough'><source dir='/f'/>"
	 "<target dir='t'/></filesystem><filesystem><driver type='virtiofs' queue='1024'/>"
	 "<source dir='/g'/><target dir='/u'/><readonly/></filesystem></devices>",
	 "{\"volumes\": [\"/f:t:fs=9p\", \"/g:/u:ro:fs=virtiofs\"]}", NULL},
	{"<devices><filesystem><source dir='/f:g'/><target dir='t'/></filesystem></devices>", NULL,
	 DEVICE "filesystem: a folder's name has no ':' here, nor a tag a ','"},
	{"<devices><filesystem type='template'><source name='x'/></filesystem></devices>", NULL,
	 DEVICE "filesystem/@type: 'template': a folder of the host is shared, and nothing else"},
	{"<devices><vsock model='virtio'><cid auto='no' address='7'/></vsock></devices>",
	 "{\"vsock\": 7}", NULL},
	{"<devices><vsock><cid auto='yes'/></vsock></devices>", NULL,
	 DEVICE "vsock: the guest's CID has to be given: <cid address='3'/>"},
	{"<devices><rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
	 "<rng model='virtio'><backend model='builtin'/></rng></devices>",
	 NULL, NULL},
	{"<devices><rng model='virtio'><backend model='random'>/x</backend></rng></devices>", NULL,
	 DEVICE "rng/backend: '/x': random bytes are the kernel's"},
	{"<devices><audio id='1' type='none'/></devices>", NULL, NULL},
	{"<devices><audio id='1' type='pulseaudio'/></devices>", NULL,
	 DEVICE "audio/@type: 'pulseaudio': there is no sound"},
	{"<devices><graphics type='vnc'/></devices>", NULL, DEVICE "graphics: there is no screen"},
	{"<devices><tpm model='tpm-tis'/></devices>", NULL, DEVICE "tpm: there is no TPM"},
	{"<devices><hostdev mode='subsystem'/></devices>", NULL,
	 DEVICE "hostdev: no device of the host is passed through"},
};

/* What is read is also what --config takes. */
static void check_taken(struct json_object *config)
{
	static struct run_options run;

	run_options_init(&run);
	ck_assert_msg(options_from_json(run_table.options, config, &run, &err) == 0, "%s: %s",
		      json_object_to_json_string(config), err.text);
}

START_TEST(test_domain)
{
	struct json_object *expected =
		json_tokener_parse(domain_rows[_i].config ? domain_rows[_i].config : "{}");
	struct json_object *config = NULL, *lacks = NULL;
	char text[TEXT_SIZE];
	int r;

	snprintf(text, sizeof(text), "<domain type='kvm'>" OS "%s</domain>", domain_rows[_i].xml);
	r = libvirt_domain_read(text, strlen(text), &host, &config, &lacks, &err);
	ck_assert_msg(r == 0, "%s: %s", text, err.text);
	ck_assert_ptr_nonnull(expected);
	ck_assert_msg(json_object_equal(config, expected), "%s: %s", text,
		      json_object_to_json_string(config));
	if (domain_rows[_i].lacks) {
		ck_assert_uint_ge(json_object_array_length(lacks), 1);
		ck_assert_str_eq(json_object_get_string(json_object_array_get_idx(lacks, 0)),
				 domain_rows[_i].lacks);
	}
	ck_assert_msg(json_object_array_length(lacks) == !!domain_rows[_i].lacks, "%s: %s", text,
		      json_object_to_json_string(lacks));
	if (!strstr(text, "<memory unit='b'") && !strstr(text, "'MB'"))
		check_taken(config);
	json_object_put(expected);
	json_object_put(config);
	json_object_put(lacks);
}
END_TEST

#define NO_XML "this is no XML: "

static const struct {
	const char *text;
	const char *says; /* and of what is no XML, more */
} refused_rows[] = {
	{"", NO_XML},
	{"garbage", NO_XML},
	{"<domain>\n<os>\n</domain>", NO_XML},
	{"<domain/><domain/>", NO_XML},
	{"<domain>&x;</domain>", NO_XML},
	{"<!DOCTYPE domain [<!ENTITY a 'b'><!ENTITY c '&a;&a;'>]><domain>&c;</domain>",
	 "a domain has no document type: remove <!DOCTYPE>"},
	{"<?xml version='1.0'?><!DOCTYPE domain SYSTEM 'file:///etc/passwd'><domain/>",
	 "a domain has no document type: remove <!DOCTYPE>"},
	{"<network/>", "line 1, /network: this is no domain of libvirt"},
	{"<domain xmlns='urn:x'/>", "line 1, /*: this is no domain of libvirt"},
	{"<domain type='kvm'/>", "line 1, /domain: the domain has no os/type"},
	{"\n\n<domain type='xen'>" OS "</domain>",
	 "line 3, /domain/@type: this domain is of 'xen', and armlet runs those of kvm"},
	{"<domain><os>\n<type arch='x86_64'>hvm</type></os></domain>",
	 "line 2, /domain/os/type/@arch: this machine is of 'x86_64', and armlet's are of aarch64"},
	{"<domain><os><type arch='aarch64' machine='raspi3b'>hvm</type></os></domain>",
	 "line 1, /domain/os/type/@machine: this machine is a 'raspi3b', and armlet's are as virt "
	 "is"},
	{"<domain><os><type>exe</type></os></domain>",
	 "line 1, /domain/os/type: 'exe': armlet runs whole machines, hvm"},
	{"<domain>" OS "<memory>lots\nof\nit</memory></domain>",
	 "line 1, /domain/memory: 'lots of it' is no number"},
	{"<domain>" OS "<memory unit='pages'>1</memory></domain>",
	 "line 1, /domain/memory: 'pages' is no unit of memory"},
	{"<domain>" OS "<memory unit='TiB'>9223372036854775807</memory></domain>",
	 "line 1, /domain/memory: 9223372036854775807 TiB are too many"},
	{"<domain>" OS "<memory>-1</memory></domain>", "line 1, /domain/memory: '-1' is no number"},
	{"<domain>" OS "<vcpu>two</vcpu></domain>", "line 1, /domain/vcpu: 'two' is no number"},
};

START_TEST(test_refused)
{
	struct json_object *config = NULL, *lacks = NULL;
	const char *text = refused_rows[_i].text;

	ck_assert_int_eq(libvirt_domain_read(text, strlen(text), &host, &config, &lacks, &err),
			 -EINVAL);
	if (!strcmp(refused_rows[_i].says, NO_XML))
		ck_assert_msg(!strncmp(err.text, NO_XML, strlen(NO_XML)) &&
				      strstr(err.text, " in line "),
			      "%s", err.text);
	else
		ck_assert_str_eq(err.text, refused_rows[_i].says);
	ck_assert_ptr_null(config);
	ck_assert_ptr_null(lacks);
}
END_TEST

/* Bytes that are not of the encoding that they claim; libxml2 has its own words for them. */
START_TEST(test_encoding)
{
	static const char text[] = "\xff\xfe<\0d\0>\0\0\xd8\0\0\0\xd8";
	struct json_object *config = NULL, *lacks = NULL;

	capture_stderr();
	ck_assert_int_eq(libvirt_domain_read(text, sizeof(text), NULL, &config, &lacks, &err),
			 -EINVAL);
	ck_assert_msg(!strncmp(err.text, NO_XML, strlen(NO_XML)), "%s", err.text);
	ck_assert_str_eq(captured_stderr(), "");
}
END_TEST

/* A hundred things are named; of more, nothing comes. */
START_TEST(test_many_lacks)
{
	struct json_object *config = NULL, *lacks = NULL;
	static char text[TEXT_SIZE];

	for (int count = 100; count <= 101; count++) {
		size_t used = (size_t)snprintf(text, sizeof(text), "<domain>" OS);
		int r;

		for (int i = 0; i < count; i++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "<x/>");
		snprintf(text + used, sizeof(text) - used, "</domain>");
		r = libvirt_domain_read(text, strlen(text), NULL, &config, &lacks, &err);
		ck_assert_int_eq(r, count > 100 ? -EINVAL : 0);
		if (r == 0)
			ck_assert_uint_eq(json_object_array_length(lacks), 100);
		else
			ck_assert_str_eq(err.text, "line 1, /domain/x[101]: there is too much in "
						   "this domain that armlet has not");
		json_object_put(config);
		json_object_put(lacks);
		config = lacks = NULL;
	}
}
END_TEST

/* The XML of a domain that runs tells more, if nobody can be asked. */
START_TEST(test_running)
{
	static const char text[] =
		"<domain type='kvm' id='3'>" OS "<devices><interface type='network'>"
		"<source network='n' portid='x' bridge='virbr1'/><target dev='vnet3'/>"
		"</interface></devices></domain>";
	struct json_object *config = NULL, *lacks = NULL;

	ck_assert_int_eq(libvirt_domain_read(text, strlen(text), NULL, &config, &lacks, &err), 0);
	ck_assert_str_eq(json_object_to_json_string_ext(config, JSON_C_TO_STRING_PLAIN),
			 "{\"nets\":[{\"mode\":\"tap\",\"bridge\":\"virbr1\"}]}");
	ck_assert_uint_eq(json_object_array_length(lacks), 0);
	json_object_put(config);
	json_object_put(lacks);
}
END_TEST

/* On the command line. */

/* Its options stand where it does, and --lenient anywhere. */
START_TEST(test_file)
{
	struct domain_file file = domain_file(DOMAIN_GUEST);
	static struct run_options run;
	static char says[1024];

	ck_assert_int_eq(
		domain_line("-c|7|-m|1G|--libvirt|FILE|-c|4|-k|Image|-d|a", &file, &run, &err),
		-EOPNOTSUPP);
	snprintf(
		says, sizeof(says),
		"--libvirt %s: line 1, /domain/devices/disk/source: where a storage volume is only "
		"libvirt knows: name the domain as URI/NAME; line 1, "
		"/domain/devices/interface/source: the bridge of a network only libvirt knows: "
		"name the domain as URI/NAME; --lenient runs it all the same",
		file.path);
	ck_assert_str_eq(err.text, says);
	run_options_finish(&run);
	for (int i = 0; i < 2; i++) {
		const char *line =
			i ? "--libvirt=FILE|-c|4|--lenient" : "--lenient|--libvirt|FILE|-c|4";
		struct json_object *printed;
		const char *said;

		capture_stderr();
		ck_assert_int_eq(domain_line(line, &file, &run, &err), 0);
		said = captured_stderr();
		ck_assert_uint_eq(count_text(said, "\n"), 2);
		ck_assert_uint_eq(count_text(said, "armlet: --libvirt /tmp/armlet-libvirt-"), 2);
		ck_assert_uint_eq(count_text(said, "line 1, /domain/devices/disk/source: where"),
				  1);
		ck_assert_str_eq(run.name, "guest");
		ck_assert_uint_eq(run.machine.cpus, 4);
		ck_assert_uint_eq(run.machine.mem, 256 * MIB);
		ck_assert_uint_eq(run.machine.disk_count + run.machine.net_count, 0);
		printed = options_to_json(run_table.options, &run);
		ck_assert_ptr_null(json_object_object_get(printed, "libvirt"));
		json_object_put(printed);
		run_options_finish(&run);
	}
	unlink(file.path);
}
END_TEST

/* Of what is lacking, as much is told as there is room for. */
START_TEST(test_many_told)
{
	static char text[TEXT_SIZE];
	static struct run_options run;
	size_t used = (size_t)snprintf(text, sizeof(text), "<domain>" OS "<devices>");
	struct domain_file file;

	for (int i = 0; i < 40; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "<video/>\n");
	snprintf(text + used, sizeof(text) - used, "</devices></domain>");
	file = domain_file(text);
	ck_assert_int_eq(domain_line("--libvirt|FILE", &file, &run, &err), -EOPNOTSUPP);
	ck_assert_msg(strstr(err.text, "line 3, /domain/devices/video[3]: there is no screen; "),
		      "%s", err.text);
	ck_assert_msg(strstr(err.text, " more; --lenient tells of all, and runs it"), "%s",
		      err.text);
	run_options_finish(&run);
	unlink(file.path);
}
END_TEST

static const struct {
	const char *line;
	const char *text; /* of the file */
	int r;
	const char *says; /* behind "--libvirt ", and the file's name if it begins with ':' */
} line_rows[] = {
	{"--libvirt|/none/such.xml", "", -ENOENT, "/none/such.xml: No such file or directory"},
	{"--libvirt|/tmp", "", -EISDIR, "/tmp: Is a directory"},
	{"--libvirt|web", "", -ENOENT,
	 "web: this is no file, and no URI/NAME such as qemu:///system/web"},
	{"--libvirt|FILE", "<domain>" OS "<vcpu>0</vcpu></domain>", -EINVAL,
	 ": cpus: 0 is not a number from 1 to 512"},
	{"--libvirt|FILE", "<domain>" OS DISK("<blockio logical_block_size='3'/>") "</domain>",
	 -EINVAL, ": disks[0].block-size: 3 is not a power of two from 512 to 65536"},
};

START_TEST(test_line)
{
	struct domain_file file = domain_file(line_rows[_i].text);
	bool named = line_rows[_i].says[0] == ':';
	static struct run_options run;
	char says[512];

	snprintf(says, sizeof(says), "--libvirt %s%s", named ? file.path : "", line_rows[_i].says);
	ck_assert_int_eq(domain_line(line_rows[_i].line, &file, &run, &err), line_rows[_i].r);
	ck_assert_str_eq(err.text, says);
	ck_assert_ptr_null(run.domain);
	unlink(file.path);
}
END_TEST

START_TEST(test_options)
{
	struct domain_file file = domain_file("<domain>" OS "</domain>");
	static struct run_options run;

	ck_assert_int_eq(domain_line("--lenient", &file, &run, &err), -EINVAL);
	ck_assert_str_eq(err.text, "--lenient: that is for --libvirt");
	ck_assert_int_eq(domain_line("--libvirt|FILE|--libvirt|FILE", &file, &run, &err), -EINVAL);
	ck_assert_str_eq(err.text, "--libvirt: given more than once");
	run_options_finish(&run);
	unlink(file.path);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_domain, ARRAY_SIZE(domain_rows)),
	UNIT_LOOP(test_refused, ARRAY_SIZE(refused_rows)),
	UNIT_CASE(test_encoding),
	UNIT_CASE(test_many_lacks),
	UNIT_CASE(test_running),
	UNIT_CASE(test_file),
	UNIT_CASE(test_many_told),
	UNIT_LOOP(test_line, ARRAY_SIZE(line_rows)),
	UNIT_CASE(test_options),
	{0},
};
const char unit_name[] = "libvirt";
