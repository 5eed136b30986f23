# SPDX-License-Identifier: Apache-2.0
# A machine as a domain of libvirt: its XML, and libvirt itself with its driver for tests,
# which needs no daemon and knows what a file says.
# shellcheck shell=sh

# a_domain [TYPE]: a domain of that virtualization, with standard input behind what all have.
a_domain() {
	cat <<-END
		<domain type='${1:-kvm}'>
		  <name>libvirt-guest</name>
		  <memory unit='MiB'>256</memory>
		  <currentMemory unit='MiB'>224</currentMemory>
		  <vcpu placement='static'>2</vcpu>
		  <cputune>
		    <vcpupin vcpu='0' cpuset='0'/>
		    <vcpupin vcpu='1' cpuset='0'/>
		  </cputune>
		  <os>
		    <type arch='aarch64' machine='virt'>hvm</type>
		    <kernel>$(kernel "$guest")</kernel>
		    <initrd>$DIR/initrd</initrd>
		    <cmdline>$words word=&quot;1 2&quot;</cmdline>
		  </os>
		  <features><acpi/></features>
		  <cpu mode='host-passthrough'/>
		  <clock offset='utc'/>
		  <on_poweroff>destroy</on_poweroff>
		  <on_reboot>destroy</on_reboot>
	END
	cat
	echo '</domain>'
}

# a_guest [PORT]: prints what it finds, waits for a word, and resets.
a_guest() {
	{
		[ $# -eq 0 ] || echo "port_named $1 >/dev/null"
		cat <<-'END'
			echo "memory $(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
			echo "CPUs $(grep -c ^processor /proc/cpuinfo)"
			echo "command line $(cat /proc/cmdline)"
			for disk in /sys/block/vd*; do
				echo "${disk##*/} $(cat "$disk/serial") $(cat "$disk/ro")" \
					"$(cat "$disk/queue/logical_block_size") $(head -c 5 "/dev/${disk##*/}" | tr -d '\0')"
			done
			for port in /sys/class/virtio-ports/*; do
				[ ! -s "$port/name" ] || echo "port $(cat "$port/name")"
			done
			echo "entropy $(cat /sys/class/misc/hw_random/rng_current)"
			grep -qx 0x0013 /sys/bus/virtio/devices/*/device && echo "sockets"
			mkdir -p /mnt
			mount -t 9p -o ro,trans=virtio,version=9p2000.L stuff /mnt 2>/dev/null &&
				echo "shared $(cat /mnt/word)"
			[ ! -e /sys/class/net/eth0 ] || {
				ifconfig eth0 10.77.1.2 netmask 255.255.255.0 up
				echo "address $(cat /sys/class/net/eth0/address)"
				ping -c 1 -w 20 10.77.1.1 >/dev/null && echo "the host answers"
			}
			echo ready
			read -r word
			dd if=/dev/zero of=/dev/vda bs=512 count=1 conv=fsync 2>/dev/null
			reboot -f
		END
	} | guest_script
}

# a_disk FILE WORD
a_disk() {
	truncate -s 1M "$1"
	printf '%s' "$2" | dd of="$1" conv=notrunc 2>/dev/null
}

pinned() {
	[ "$(cat /proc/"$PID"/task/*/comm | grep -c '^vcpu')" -eq 2 ] || fail "there are not two vCPUs"
	for task in /proc/"$PID"/task/*; do
		case $(cat "$task/comm") in
		vcpu*) grep -q '^Cpus_allowed_list:[^0-9]*0$' "$task/status" || fail "$task is not pinned" ;;
		esac
	done
}

describe libvirt_file "a domain's XML boots: memory, vCPUs, pins, disks, a folder, ports, its name and end" 120
test_libvirt_file() {
	need_helper diod
	need_libvirt
	load vhost_vsock /dev/vhost-vsock
	a_guest org.armlet.test
	mkdir shared
	echo stuff >shared/word
	a_disk first one
	a_disk second two
	a_domain >guest.xml <<-END
		  <devices>
		    <emulator>/usr/bin/qemu-system-aarch64</emulator>
		    <disk type='file' device='disk'>
		      <driver name='qemu' type='raw' cache='none' discard='unmap'/>
		      <source file='$DIR/first'/>
		      <target dev='vda' bus='virtio'/>
		      <serial>FIRST</serial>
		      <transient/>
		    </disk>
		    <disk type='file' device='disk'>
		      <source file='$DIR/second'/>
		      <target dev='vdb' bus='virtio'/>
		      <readonly/>
		      <serial>SECOND</serial>
		      <blockio logical_block_size='4096' physical_block_size='4096'/>
		    </disk>
		    <controller type='virtio-serial' index='0'/>
		    <serial type='pty'><target port='0'/></serial>
		    <console type='pty'><target type='serial' port='0'/></console>
		    <channel type='unix'>
		      <source mode='bind' path='$DIR/port'/>
		      <target type='virtio' name='org.armlet.test'/>
		    </channel>
		    <filesystem type='mount' accessmode='passthrough'>
		      <source dir='$DIR/shared'/>
		      <target dir='stuff'/>
		      <readonly/>
		    </filesystem>
		    <vsock model='virtio'><cid auto='no' address='77'/></vsock>
		    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
		    <memballoon model='virtio'/>
		  </devices>
	END
	open_pipe
	start run --libvirt guest.xml <pipe 3>&-
	wait_for '^ready' 60
	pinned
	[ -S port ] || fail "the port has no socket"
	"$ARMLET" ps -q | grep -qx libvirt-guest || fail "it does not have the domain's name"
	tell go
	farewell
	expect_status 0
	expect_silence
	expect_out '^memory 2[0-9]\{5\} kB' '^CPUs 2' '^command line .* word="1 2"' '^vda FIRST 0 512 one' \
		'^vdb SECOND 1 4096 two' '^port org.armlet.test' '^entropy virtio_rng' '^sockets' '^shared stuff'
	[ "$(grep -c '^ready' out)" -eq 1 ] || fail "it booted anew"
	[ "$(head -c 3 first)" = one ] || fail "what was transient has stayed"

	armlet run --libvirt guest.xml -m 320 -d other --dry-run
	expect_status 0
	expect_silence
	expect_out '"name": "libvirt-guest"' '"mem": "320M"' '"size": "32M"' '"no-reboot": true' \
		'"ephemeral": true' '"file": "other"' "\"org.armlet.test=unix:$DIR/port\""
	mv out first.json
	armlet run --config first.json --dry-run
	cmp out first.json || fail "it is not the same"
}

describe libvirt_uri "a domain by its URI boots, with a storage volume and a network's bridge" 120
test_libvirt_uri() {
	need_libvirt
	need_root
	load tun /dev/net/tun
	a_bridge armbr0 10.77.1.1
	a_guest
	mkdir pool
	a_disk pool/volume three
	{
		echo '<node>'
		a_domain test <<-END
			  <devices>
			    <disk type='volume' device='disk'>
			      <driver name='qemu' type='raw'/>
			      <source pool='images' volume='volume'/>
			      <target dev='vda' bus='virtio'/>
			    </disk>
			    <interface type='network'>
			      <mac address='52:54:00:12:34:56'/>
			      <source network='inside'/>
			      <model type='virtio'/>
			    </interface>
			  </devices>
		END
		cat <<-END
			<network><name>inside</name><bridge name='armbr0'/></network>
			<pool type='dir'><name>images</name><target><path>$DIR/pool</path></target>
			<volume><name>volume</name><capacity>1048576</capacity></volume></pool></node>
		END
	} >node.xml
	open_pipe
	start run --libvirt "test://$DIR/node.xml/libvirt-guest" -c 1 --pin 1 <pipe 3>&-
	wait_for '^ready' 60
	tell go
	farewell
	expect_status 0
	expect_silence
	expect_out '^CPUs 1' '^vda .* 0 512 three' '^address 52:54:00:12:34:56' '^the host answers'
	cmp -s -n 512 pool/volume /dev/zero || fail "what was written is not there"

	refused -- "--libvirt .*/other: libvirt has no domain 'other' there" \
		--libvirt "test://$DIR/node.xml/other"
	refused -- '--libvirt test:///none/x: libvirt says: ' --libvirt test:///none/x
	refused -- "this machine is of 'i686', and armlet's are of aarch64" --libvirt test:///default/test
	armlet create web --libvirt "test://$DIR/node.xml/libvirt-guest"
	on_exit "'$ARMLET' rm web"
	expect_status 0
	"$ARMLET" ls --json | grep -q "\"$DIR/pool/volume\"" || fail "it is not kept as it is"
}

describe libvirt_lenient "what a domain has and armlet has not is refused by its name, or warned of"
test_libvirt_lenient() {
	need_libvirt
	cat >guest.xml <<-END
		<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
		  <os><type arch='aarch64' machine='virt'>hvm</type><kernel>$(payload_path null)</kernel></os>
		  <devices>
		    <graphics type='vnc'/>
		    <tpm model='tpm-tis'/>
		  </devices>
		  <qemu:commandline><qemu:arg value='-S'/></qemu:commandline>
		</domain>
	END
	refused -- 'run: --libvirt guest.xml: line 4, /domain/devices/graphics: there is no screen; line 5, /domain/devices/tpm: there is no TPM; line 7, /domain/qemu:commandline: armlet has no such thing; --lenient runs it all the same$' \
		--libvirt guest.xml
	for words in '--lenient --libvirt guest.xml' '--libvirt guest.xml --lenient'; do
		# shellcheck disable=SC2086 # two words
		armlet run $words
		expect_status 0
		[ "$(wc -l <err)" -eq 3 ] || fail "standard error is not three lines"
		expect_err '^armlet: --libvirt guest.xml: line 4, /domain/devices/graphics: there is no screen$' \
			': line 5, /domain/devices/tpm: ' ': line 7, /domain/qemu:commandline: '
	done
	armlet create web --libvirt guest.xml
	expect_refusal '--lenient runs it all the same$'
	refused -- '--lenient: that is for --libvirt' --lenient -k "$(payload_path null)"
}

describe bad_libvirt "a file that is no domain of ours: the sentence has the path and place"
test_bad_libvirt() {
	need_libvirt
	refused -- '--libvirt none.xml: No such file or directory' --libvirt none.xml
	refused -- '--libvirt /: Is a directory' --libvirt /
	refused -- '--libvirt web: this is no file, and no URI/NAME such as qemu:///system/web' --libvirt web
	refused -- '--libvirt needs a value: --libvirt DOMAIN' --libvirt
	head -c 2000000 /dev/zero | tr '\0' ' ' >large
	refused -- '--libvirt large: this is too large' --libvirt large
	printf 'garbage' >value
	refused -- '--libvirt value: this is no XML: .* in line 1' --libvirt value
	head -c 20000 /dev/urandom >value
	refused -- '--libvirt value: this is no XML' --libvirt value
	printf '<domain>\n<os>\n</domain>' >value
	refused -- '--libvirt value: this is no XML: .* in line 3' --libvirt value
	{
		echo '<!DOCTYPE domain [<!ENTITY a0 "ha">'
		for level in 1 2 3 4 5 6 7 8 9; do
			entity="&a$((level - 1));"
			echo "<!ENTITY a$level \"$entity$entity$entity$entity$entity$entity$entity$entity\">"
		done
		echo ']><domain><name>&a9;</name></domain>'
	} >value
	refused -- '--libvirt value: a domain has no document type' --libvirt value
	printf '<network/>' >value
	refused -- '--libvirt value: line 1, /network: this is no domain of libvirt' --libvirt value
	printf '<domain type="kvm">\n<os>\n<type arch="x86_64" machine="pc">hvm</type></os></domain>' >value
	refused -- "--libvirt value: line 3, /domain/os/type/@arch: this machine is of 'x86_64'" --libvirt value
	printf '<domain><os><type>hvm</type></os><vcpu>0</vcpu></domain>' >value
	refused -- '--libvirt value: cpus: 0 is not a number from 1 to 512' --libvirt value
	printf '<domain><os><type>hvm</type></os></domain>' >value
	refused -- '--libvirt: given more than once' --libvirt value --libvirt value
}

describe bad_libvirt_none "a domain, and an armlet that was built without libvirt"
test_bad_libvirt_none() {
	: >guest.xml
	armlet run --libvirt guest.xml
	grep -q 'built without' err || skip "this armlet was built with libvirt"
	expect_refusal '--libvirt guest.xml: this armlet was built without libvirt; use one that was built with it$'
}
