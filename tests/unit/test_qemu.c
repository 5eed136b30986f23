/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's command line: what its words become, and every sentence that refuses some. */
#include "qemu.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "unit.h"

#define MAX_WORDS 64

static struct qemu_command command;
static struct error err;

/* Words of a command line, separated by '|'. */
static int translate(const char *line)
{
	static char text[1024];
	char *words[MAX_WORDS + 1];
	char *rest = text;
	int count = 0;

	words[count++] = (char *)"qemu-system-aarch64";
	snprintf(text, sizeof(text), "%s", line);
	while (*line && rest && count < MAX_WORDS)
		words[count++] = strsep(&rest, "|");
	words[count] = NULL;
	err = (struct error){0};
	return qemu_translate(count, words, &command, &err);
}

/* What is there whatever is said. */
#define M "--mem|128M|"
#define C "--console|none"

static const struct {
	const char *line;
	const char *becomes; /* behind "run" */
} rows[] = {
	{"", M C},
	/* kunit.py's, of Linux 6.1 with --qemu_args='-cpu max', and later */
	{"-nodefaults|-m|1024|-kernel|Image.gz|-append|console=ttyAMA0 kunit_shutdown=reboot|"
	 "-no-reboot|-nographic|-serial|stdio|-machine|virt|-cpu|cortex-a57|-cpu|max",
	 "--mem|1024|--kernel|Image.gz|--append|console=ttyAMA0 "
	 "kunit_shutdown=reboot|--no-reboot|" C},
	{"-nodefaults|-m|1024|-kernel|Image.gz|-append|a|-no-reboot|-nographic|-accel|kvm|-accel|"
	 "hvf|-accel|tcg|-serial|stdio|-machine|virt|-cpu|max,pauth-impdef=on",
	 "--mem|1024|--kernel|Image.gz|--append|a|--no-reboot|" C},
	{"--kernel|-k|--initrd|i|-dtb|--config", "--kernel|-k|--initrd|i|--dtb|--config|" M C},
	{"-m|size=2G", "--mem|2G|" C},
	{"-smp|4", "--cpus|4|" M C},
	{"-smp|cpus=4,maxcpus=4,dies=1", "--cpus|4|" M C},
	{"-smp|cores=2,threads=2,sockets=2",
	 "--cpus|8|--topology|sockets=2,cores=2,threads=2|" M C},
	{"-smp|8,clusters=2", "--cpus|8|--topology|clusters=2|" M C},
	{"-cpu|host,sve=off,pauth=on,pmu=no,kvm-steal-time=off",
	 "--sve=off|--pauth=on|--pmu=off|--steal-time=off|" M C},
	{"-M|virt-8.2,gic-version=3,accel=kvm:tcg,highmem=on,acpi=off", "--irqchip=gicv3|" M C},
	{"-machine|type=virt,gic-version=max,nousb,dumpdtb=a,,b.dtb",
	 "--irqchip=auto|--dump-dtb|a,b.dtb|" M C},
	{"-machine|virt,gic-version=2|-enable-kvm", "--irqchip=gicv2|" M C},
	{"-accel|tcg,thread=multi|-accel|kvm,kernel-irqchip=on", M C},
	/* disks */
	{"-drive|file=a.img,format=qcow2,if=virtio,readonly=on,id=x",
	 "--disk|a.img,format=qcow2,ro|" M C},
	{"-drive|file=a,,b.img,cache=none,snapshot=on,index=1",
	 "--disk|a,,b.img,direct,ephemeral|" M C},
	{"-drive|file=a=b", "--disk|file=a=b|" M C},
	{"-hda|a|b|-cdrom|c", "--disk|a|--disk|b|--disk|c,ro|" M C},
	{"-snapshot|-cdrom|a|-drive|file=b,,ro,,c|-drive|file=d,readonly,snapshot=on|-drive|file=e,"
	 "snapshot=yes",
	 "--disk|a,ro|--disk|b,,ro,,c,ephemeral|--disk|d,ro|--disk|e,ephemeral|" M C},
	{"-snapshot|-hda|a", "--disk|a,ephemeral|" M C},
	{"-device|virtio-blk-device,drive=x,serial=S 1,logical_block_size=4096|-drive|"
	 "if=none,id=x,file=a,werror=stop,discard=unmap,aio=native|-hda|b",
	 "--disk|b|--disk|a,on-error=pause,discard=on,serial=S 1,block-size=4096|" M C},
	{"-drive|if=none,id=x,file=a|-device|virtio-blk-pci,drive=x,bus=pcie.0,addr=0x1,num-queues="
	 "2,"
	 "write-cache=off|-object|iothread,id=i",
	 "--disk|a,queues=2,cache=writethrough|" M C},
	{"-drive|if=none,id=x,file=a", M C},
	/* networks */
	{"-netdev|user,id=n,hostfwd=tcp::2222-:22,hostfwd=udp:127.0.0.1:53-10.0.2.15:5353|-device|"
	 "virtio-net-device,netdev=n,mac=52:54:00:12:34:56",
	 "--publish|2222:22|--publish|127.0.0.1:53:5353/udp|--net|user,mac=52:54:00:12:34:56|" M C},
	{"-netdev|tap,id=n,ifname=tap0,script=no,downscript=no,vhost=on|-device|virtio-net-pci,"
	 "netdev=n,"
	 "host_mtu=9000,romfile=",
	 "--net|tap=tap0,vhost=on,mtu=9000|" M C},
	{"-netdev|tap,id=n,script=no|-device|virtio-net,netdev=n", "--net|mode=tap|" M C},
	{"-nic|bridge,br=br0,model=virtio-net-pci|-nic|none|-net|none", "--net|bridge=br0|" M C},
	{"-nic|user,hostfwd=::80-:80,mac=m", "--publish|80:80|--net|user,mac=m|" M C},
	/* folders */
	{"-device|virtio-9p-device,fsdev=f,mount_tag=t|-fsdev|local,id=f,path=/"
	 "a,security_model=none,"
	 "readonly=on",
	 "--volume|/a:t:ro:fs=9p|" M C},
	{"-virtfs|local,path=/a,mount_tag=t,security_model=passthrough,id=x,multidevs=remap",
	 "--volume|/a:t:fs=9p|" M C},
	/* other devices */
	{"-device|virtio-rng-pci,rng=r|-object|rng-random,id=r,filename=/dev/urandom|-device|"
	 "virtio-balloon-device,id=b,free-page-reporting=on|-device|vhost-vsock-device,guest-cid=7|"
	 "-device|pcie-root-port,port=8,chassis=1,id=p",
	 "--balloon|--vsock|7|" M C},
	{"-device|virtio-serial-device|-device|virtserialport,chardev=c,name=org.a|-chardev|"
	 "socket,path=/a,,b,server,nowait,id=c|-chardev|pty,id=d|-device|virtconsole,chardev=d",
	 "--port|org.a=unix:/a,,b|--console|pty|"
	 "--mem|128M"},
	/* its life */
	{"-S|-s|-qmp|unix:/q,server=on,wait=off|-no-user-config|-name|a "
	 "b|-rtc|base=utc|-boot|c|-uuid|u",
	 "--freeze|--gdb=tcp:1234|--api|/q|" M C},
	{"-gdb|tcp:localhost:99", "--gdb=tcp:99|" M C},
	{"-gdb|unix:/a,,b,server=on,wait=off", "--gdb=unix:/a,,b|" M C},
	{"-gdb|none|-monitor|none|-monitor|null|-monitor|/dev/"
	 "null|-display|none|-vga|none|-parallel|none",
	 M C},
	{"-mon|m,mode=control|-chardev|socket,id=m,path=q,server=on", "--api|q|" M C},
	{"-action|reboot=shutdown,shutdown=poweroff|-overcommit|mem-lock=on",
	 "--no-reboot|--lock-mem|" M C},
	/* what the serial port's place is, is not among the words */
	{"-serial|mon:stdio", M C},
	{"-serial|chardev:c|-chardev|stdio,mux=on,id=c", M C},
	{"-device|virtconsole,chardev=c|-chardev|stdio,id=c|-serial|none",
	 "--console|stdio|--mem|128M"},
};

START_TEST(test_becomes)
{
	static char got[1024];

	ck_assert_msg(translate(rows[_i].line) == 0, "%s: %s", rows[_i].line, err.text);
	ck_assert_int_eq(command.wish, QEMU_RUN);
	ck_assert_str_eq(command.words[0], "run");
	ck_assert_ptr_null(command.words[command.count]);
	ck_assert_ptr_null(command.serial);
	got[0] = '\0';
	for (size_t i = 1; i < command.count; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i > 1 ? "|" : "",
			 command.words[i]);
	ck_assert_str_eq(got, rows[_i].becomes);
	qemu_command_finish(&command);
}
END_TEST

/* And `armlet run` takes them, as they are. */
START_TEST(test_parsed)
{
	static struct run_options options;
	enum options_result result;

	ck_assert_int_eq(translate(rows[_i].line), 0);
	run_options_init(&options);
	ck_assert_msg(options_parse(&run_table, (int)command.count, command.words, &options,
				    &result, &err) == 0,
		      "%s: %s", rows[_i].line, err.text);
	ck_assert_int_eq(result, OPTIONS_OK);
	ck_assert_ptr_null(options.config);
	qemu_command_finish(&command);
}
END_TEST

static const struct {
	const char *line;
	const char *says; /* the whole sentence */
} refused_rows[] = {
	{"-kernal|Image", "armlet has not the option -kernal of QEMU; did you mean -kernel?"},
	{"--xyzzyx",
	 "armlet has not the option --xyzzyx of QEMU; `armlet qemu -help` lists those that "
	 "it has"},
	{"-kernel", "-kernel needs a value: -kernel FILE"},
	{"-daemonize", "-daemonize: `armlet run --detach` has a machine in the background"},
	{"-bios|x", "-bios: armlet boots a kernel, and has no firmware"},
	{"-no-shutdown", "-no-shutdown: a guest that powers off ends its machine"},
	{"-m|1G,slots=2", "-m: armlet has not the property 'slots'"},
	{"-m|1G,maxmem=2G", "-m: armlet has not the property 'maxmem'"},
	{"-smp|0", "-smp: cpus='0' is not a number from 1 to 512"},
	{"-smp|2,maxcpus=4", "-smp: CPUs are not added later: maxcpus is as cpus"},
	{"-smp|2,dies=2", "-smp: armlet has not dies=2, but 1"},
	{"-smp|cores=x", "-smp: cores='x' is not a number from 1 to 512"},
	{"-cpu|cortex-a57", "-cpu: armlet has not model=cortex-a57, but host max"},
	{"-cpu|max,sev=on", "-cpu: armlet has not the property 'sev'; did you mean 'sve'?"},
	{"-cpu|max,sve=maybe", "-cpu: armlet has not sve=maybe, but on off"},
	{"-M|raspi3b", "-M: armlet has not type=raspi3b, but virt virt-*"},
	{"-machine|virt,secure=on", "-machine: armlet has not secure=on, but off"},
	{"-machine|virt,gic-version=4", "-machine: armlet has not gic-version=4, but 2 3 host max"},
	{"-machine|virt,memory-backend=m",
	 "-machine: armlet has not the property 'memory-backend'"},
	{"-accel|tcg",
	 "-accel: armlet runs guests by KVM alone; name kvm beside the others, or none"},
	{"-machine|virt,accel=hvf:tcg",
	 "-accel: armlet runs guests by KVM alone; name kvm beside the others, or none"},
	{"-accel|kvm,dirty-ring-size=4096", "-accel: armlet has not dirty-ring-size=4096, but 0"},
	{"-accel|", "-accel: it names no accelerator"},
	{"-drive|if=virtio", "-drive: it has no file=FILE"},
	{"-drive|if=pflash,file=x", "-drive: armlet boots a kernel, and has no firmware"},
	{"-drive|if=scsi,file=x", "-drive: armlet has not if=scsi, but virtio none"},
	{"-drive|file=x,fromat=raw",
	 "-drive: armlet has not the property 'fromat'; did you mean 'format'?"},
	{"-hda|", "-hda: it is a file, and no empty word"},
	{"-device|virtio-blk-device,drive=x",
	 "-device: virtio-blk-device: there is no -drive with id=x"},
	{"-device|virtio-blk-device",
	 "-device: virtio-blk-device: it does not say which -drive it has"},
	{"-device|virtio-blk-pci,drive=x|-drive|file=a,id=x",
	 "-device: virtio-blk-pci: the drive 'x' is a disk already; is it if=none?"},
	{"-device|virtio-blk-pci,drive=x,share-rw=on|-drive|file=a,id=x,if=none",
	 "-device: virtio-blk-pci: armlet has not the property 'share-rw'"},
	{"-device|virtio-gpu-pci",
	 "-device: armlet has not the device 'virtio-gpu-pci', but virtio's: "
	 "blk, net, 9p, serial, balloon, rng and vsock"},
	{"-device|virtoi-net", "-device: armlet has not the device 'virtoi-net'; did you mean "
			       "'virtio-net'?"},
	{"-device|id=x", "-device: it does not say which device it is"},
	{"-netdev|socket,id=n",
	 "-netdev: armlet has not the network 'socket', but user tap bridge"},
	{"-netdev|user,id=n,hostfwd=tcp:2222",
	 "-netdev: hostfwd=tcp:2222: write it as tcp::2222-:22"},
	{"-netdev|user,id=n,hostfwd=sctp::1-:2",
	 "-netdev: hostfwd=sctp::1-:2: write it as tcp::2222-:22"},
	{"-netdev|user,id=n,hostfwd=tcp::1-10.0.0.1:2",
	 "-netdev: hostfwd=tcp::1-10.0.0.1:2: the guest's "
	 "address is given by DHCP; leave it out"},
	{"-netdev|user,id=n,net=10.0.0.0/8", "-netdev: armlet has not the property 'net'"},
	{"-netdev|tap,id=n,script=/etc/up", "-netdev: armlet has not script=/etc/up, but off no"},
	{"-nic|user,model=e1000", "-nic: armlet has not model=e1000, but virtio virtio-net "
				  "virtio-net-pci virtio-net-device"},
	{"-net|nic,model=virtio|-net|user", "-net: armlet has not 'nic,model=virtio'; write -net "
					    "nic and -net user together as -nic user"},
	{"-device|virtio-net,netdev=n|-device|virtio-net,netdev=n|-netdev|user,id=n",
	 "-device: virtio-net: the network 'n' has a device already"},
	{"-fsdev|proxy,id=f,path=/a", "-fsdev: armlet shares folders as 'local', not 'proxy'"},
	{"-fsdev|local,id=f", "-fsdev: it needs path=FOLDER, which has no colon"},
	{"-virtfs|local,path=/a", "-virtfs: it needs mount_tag=TAG"},
	{"-virtfs|local,path=/a,mount_tag=t,security_model=mapped",
	 "-virtfs: armlet has not security_model=mapped, but none passthrough"},
	{"-device|virtio-rng-pci,max-bytes=1",
	 "-device: virtio-rng-pci: armlet has not the property "
	 "'max-bytes'"},
	{"-object|memory-backend-ram,id=m",
	 "-object: armlet has not qom-type=memory-backend-ram, but "
	 "rng-random rng-builtin iothread"},
	{"-serial|pty", "-serial: the serial port is on stdio, file:PATH or null, not 'pty'"},
	{"-serial|telnet::1",
	 "-serial: 'telnet' is no place that armlet knows, which are stdio, file, "
	 "unix, pty and null"},
	{"-serial|stdio|-serial|file:b",
	 "-serial: there is one serial port; a second one is virtconsole"},
	{"-serial|file:a|-device|virtconsole,chardev=c|-chardev|stdio,id=c",
	 "-serial: it goes where standard output goes, which a virtio console has"},
	{"-device|virtconsole,chardev=c|-device|virtconsole,chardev=c|-chardev|null,id=c",
	 "-device: virtconsole: there is one console already; others are ports"},
	{"-device|virtserialport,chardev=c", "-device: virtserialport: it needs a name=NAME"},
	{"-device|virtserialport,chardev=c,name=n",
	 "-device: virtserialport: there is no -chardev with id=c"},
	{"-chardev|socket,id=c,path=/a", "-chardev: armlet makes the socket itself: write "
					 "/a,server=on,wait=off"},
	{"-chardev|file,id=c", "-chardev: file needs a path"},
	{"-monitor|stdio",
	 "-monitor: armlet has not QEMU's monitor for people; -qmp has the one for "
	 "programs"},
	{"-qmp|tcp:localhost:4444,server=on",
	 "-qmp: armlet speaks QMP at unix:PATH,server=on,wait=off only"},
	{"-mon|m|-chardev|socket,id=m,path=q,server=on,reconnect=1",
	 "-chardev: armlet has not the property 'reconnect'"},
	{"-mon|m,mode=readline|-chardev|null,id=m",
	 "-mon: armlet has not mode=readline, but control"},
	{"-gdb|tcp:0.0.0.0:1234", "-gdb: gdb is let in from this host only, not at '0.0.0.0'"},
	{"-gdb|tcp::0", "-gdb: ':0' is no port; write it as tcp::1234"},
	{"-gdb|stdio", "-gdb: gdb is let in at tcp::PORT or unix:PATH,server=on"},
	{"-display|gtk", "-display: armlet has not type=gtk, but none"},
	{"-rtc|base=localtime", "-rtc: armlet has not base=localtime, but utc"},
	{"-action|reboot=pause", "-action: armlet has not reboot=pause, but shutdown reset"},
};

START_TEST(test_refused)
{
	ck_assert_int_lt(translate(refused_rows[_i].line), 0);
	ck_assert_str_eq(err.text, refused_rows[_i].says);
	ck_assert_ptr_null(command.words);
}
END_TEST

/* Too many properties, which nobody needs. */
START_TEST(test_many)
{
	char line[1024] = "-drive|file=a";

	for (int i = 0; i < 100; i++)
		strcat(line, ",index=1");
	ck_assert_int_eq(translate(line), -EINVAL);
	ck_assert_str_eq(err.text, "-drive: these are more than 64 properties");
}
END_TEST

static const struct {
	const char *line;
	const char *serial; /* NULL: standard output */
} serial_rows[] = {
	{"-nographic", NULL},
	{"-serial|stdio|-serial|null", NULL},
	{"-serial|file:/a,,b", "/a,b"},
	{"-serial|null|-serial|none", "/dev/null"},
	{"-serial|chardev:c|-chardev|file,id=c,path=log", "log"},
};

START_TEST(test_serial)
{
	ck_assert_int_eq(translate(serial_rows[_i].line), 0);
	if (serial_rows[_i].serial)
		ck_assert_str_eq(command.serial, serial_rows[_i].serial);
	else
		ck_assert_ptr_null(command.serial);
	qemu_command_finish(&command);
}
END_TEST

static const struct {
	const char *line;
	enum qemu_wish wish;
} wish_rows[] = {
	{"-kernel|a", QEMU_RUN},
	{"-help|-xyzzy", QEMU_HELP},
	{"--help", QEMU_HELP},
	{"-h", QEMU_HELP},
	{"-m|1G|-version", QEMU_VERSION},
	{"-cpu|help", QEMU_LIST},
	{"-device|help", QEMU_LIST},
	{"-accel|?", QEMU_LIST},
	{"-armlet-print", QEMU_PRINT},
	{"-armlet-print|-pidfile|a|-pidfile|b", QEMU_PRINT},
};

START_TEST(test_wish)
{
	ck_assert_int_eq(translate(wish_rows[_i].line), 0);
	ck_assert_int_eq(command.wish, wish_rows[_i].wish);
	ck_assert_int_eq(!command.list, command.wish != QEMU_LIST);
	if (strstr(wish_rows[_i].line, "pidfile"))
		ck_assert_str_eq(command.pidfile, "b");
	qemu_command_finish(&command);
}
END_TEST

static char *printed(void (*print)(FILE *out))
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	print(out);
	fclose(out);
	return text;
}

static void print_command(FILE *out)
{
	qemu_print(&command, out);
}

START_TEST(test_print)
{
	char *text;

	ck_assert_int_eq(translate("-append|it's a|-m|1G|-kernel||-serial|file:a b"), 0);
	text = printed(print_command);
	ck_assert_str_eq(text,
			 "armlet run --append 'it'\\''s a' --mem 1G --kernel '' --console none "
			 "</dev/null >'a b'\n");
	free(text);
	qemu_command_finish(&command);
}
END_TEST

START_TEST(test_help)
{
	char *text = printed(qemu_help);

	ck_assert_ptr_nonnull(strstr(text, "\n  -kernel FILE"));
	ck_assert_ptr_nonnull(strstr(text, "--freeze\n"));
	ck_assert_ptr_null(strstr(text, "daemonize"));
	for (char *rest = text, *line; (line = strsep(&rest, "\n"));)
		ck_assert_msg(strlen(line) <= 100, "%s", line);
	free(text);
}
END_TEST

START_TEST(test_nothing)
{
	ck_assert_int_eq(qemu_translate(0, (char *[]){NULL}, &command, &err), 0);
	qemu_command_finish(&command);
}
END_TEST

const struct unit_case unit_cases[] = {
	UNIT_LOOP(test_becomes, ARRAY_SIZE(rows)),
	UNIT_LOOP(test_parsed, ARRAY_SIZE(rows)),
	UNIT_LOOP(test_refused, ARRAY_SIZE(refused_rows)),
	UNIT_CASE(test_many),
	UNIT_LOOP(test_serial, ARRAY_SIZE(serial_rows)),
	UNIT_LOOP(test_wish, ARRAY_SIZE(wish_rows)),
	UNIT_CASE(test_print),
	UNIT_CASE(test_help),
	UNIT_CASE(test_nothing),
	{0},
};
const char unit_name[] = "qemu";
