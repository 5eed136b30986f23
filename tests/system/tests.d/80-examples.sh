# SPDX-License-Identifier: Apache-2.0
# The examples: they must do what their texts say.
# shellcheck shell=sh

# ---- examples/tinyvm.c, the teaching VMM ------------------------------------

# tinyvm [PROGRAM]: standard output in out, error in err, status in $STATUS.
# shellcheck disable=SC2034 # expect_status looks at it
tinyvm() {
	program=$(dirname "$ARMLET")/examples/tinyvm
	[ -x "$program" ] || skip "there is no examples/tinyvm beside armlet"
	STATUS=0
	"$program" "$@" >out 2>err || STATUS=$?
}

describe tinyvm "tinyvm runs its own guest: console, empty address, timer interrupt, PSCI"
test_tinyvm() {
	tinyvm
	expect_status 0
	printf '%s\n' 'Hello from a guest. This is exception level 1' \
		'Where there is no device, a word reads as 0' \
		"The timer's interrupt came; the GIC gave it the number 27" \
		'Bye.' >wanted
	cmp wanted out || fail "the guest says something else"
	expect_err '^tinyvm: nothing is at 0x0a000000, it reads as zero$' \
		'^tinyvm: the guest powered off (PSCI SYSTEM_OFF); exits: [0-9]*, '
	[ "$(wc -l <err)" -eq 2 ] || fail "tinyvm says more than two lines"
}

describe tinyvm_program "tinyvm runs a raw binary of the user's, and refuses what is none"
test_tinyvm_program() {
	tinyvm "$(payload_path null)"
	expect_status 0
	[ ! -s out ] || fail "something was printed"
	expect_err '^tinyvm: the guest powered off (PSCI SYSTEM_OFF); exits: 1, '
	: >empty
	tinyvm empty
	expect_status 1
	expect_err '^tinyvm: empty is empty$'
	tinyvm missing
	expect_status 1
	expect_err '^tinyvm: missing: No such file'
}

# ---- examples/devices.sh ------------------------------------------------------

describe example_devices "devices.sh: disks, folder, console, port, network and balloon as it tells" 90
test_example_devices() {
	guest_script <<-'END'
		echo "serial $(cat /sys/block/vda/serial), $(cat /sys/block/vda/size) sectors"
		head -n 1 /dev/vdb
		echo changed | dd of=/dev/vdb conv=fsync 2>/dev/null
		echo kept | dd of=/dev/vda conv=fsync 2>/dev/null
		mkdir /mnt
		mount -t 9p -o trans=virtio,version=9p2000.L here /mnt
		cat /mnt/note
		echo written >/mnt/other || echo "not written"
		for device in /sys/bus/virtio/devices/*; do
			echo "driver $(basename "$(readlink "$device/driver")")"
		done
		port=$(port_named org.example.agent)
		echo "port $(cat "/sys/class/virtio-ports/${port#/dev/}/name")"
		head -n 1 <"$port"
		echo over >/dev/hvc0
	END
	need_helper diod
	! emulated || upstream
	echo "the base image" >base.img
	truncate -s 1M base.img
	cp base.img base.before
	echo "from the host" >note
	ARMLET_EXAMPLE=$(cd "$(dirname "$0")/../.." && pwd)/examples/devices.sh
	: >out
	"$ARMLET_EXAMPLE" "$(kernel "$guest")" initrd -a "$words" >out 2>err &
	PID=$!
	wait_until 20 test -S agent.sock || fail "there is no socket for programs"
	connect agent.sock agent
	wait_for '^port' 60
	echo "to the agent" >&5
	finish 40
	disconnect
	! emulated || ip link del armlan
	plain_out
	expect_status 0
	expect_out '^serial data, 2097152 sectors' '^the base image' '^from the host' '^not written' \
		'^driver virtio_balloon' '^port org.example.agent' '^to the agent'
	! command -v passt >/dev/null || expect_out '^driver virtio_net'
	cmp base.img base.before || fail "the base image has changed"
	[ "$(head -c 4 data.img)" = kept ] || fail "what was written to data.img is not there"
	[ ! -e other ] || fail "the guest has written to the folder"
	[ ! -e console.sock ] || fail "a socket is left"
}
