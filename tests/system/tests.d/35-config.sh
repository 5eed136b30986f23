# SPDX-License-Identifier: Apache-2.0
# A machine as a JSON file.
# shellcheck shell=sh

describe config_linux "a machine of a file boots, and options behind it count more" 60
test_config_linux() {
	need_guest "$guest"
	guest_script <<-'END'
		echo "memory $(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
		echo "CPUs $(grep -c ^processor /proc/cpuinfo)"
		echo "command line $(cat /proc/cmdline)"
		echo "serial $(cat /sys/block/vda/serial) $(cat /sys/block/vda/ro) $(cat /sys/block/vda/queue/logical_block_size)"
	END
	truncate -s 1M disk
	cat >machine.json <<-END
		{
		  "kernel": "none", "initrd": "initrd", "append": "$words word=\\"1 2\\"",
		  "cpus": 2, "mem": "192M",
		  "disks": [{"file": "disk", "serial": "of, json", "ro": true, "block-size": 4096}]
		}
	END
	armlet run --config machine.json -m 256 "$(kernel "$guest")"
	plain_out
	expect_status 0
	expect_silence
	expect_out '^memory 2[0-9]\{5\} kB' '^CPUs 2' '^command line .* word="1 2"' '^serial of, json 1 4096'
}

describe config_dry_run "--dry-run prints the machine; a machine of that is the same"
test_config_dry_run() {
	armlet run -k "$(payload_path null)" -c 3 -m 64M --pin 0,0,1 -d 'a,,b,ro,queues=2' -n tap=t0,mtu=1400 \
		--balloon=1M --port a=null --port 'b=unix:x' --append "quoted \"words\" and \\" --sve=off --dry-run
	expect_status 0
	expect_silence
	expect_out '"cpus": 3' '"mem": "64M"' '"file": "a,b"' '"mode": "tap"' '"size": "1M"' \
		'"append": "quoted \\"words\\" and \\\\"'
	mv out first
	armlet run --config first --dry-run
	cmp out first || fail "it is not the same"
	armlet run --config first --append other --dry-run
	expect_out '"append": "other"'
	armlet run -k "$(payload_path null)" --dry-run
	mv out null.json
	armlet run --config null.json
	expect_status 0
	expect_silence
	armlet schema
	expect_status 0
	expect_out '"block-size": {' 'https://json-schema.org/draft/2020-12/schema'
	if [ -w /dev/full ]; then
		"$ARMLET" schema >/dev/full 2>err && fail "a full disk is no trouble"
		grep -q 'standard output takes no more' err || fail "nobody told of the full disk"
	fi
}

describe bad_config "a file that is no machine: the sentence has the path and place"
test_bad_config() {
	printf '{"disks": [{"file": "a"},\n {"file": "b", "block-size": 3000}]}' >value
	refused -- '--config value: disks\[1\].block-size: 3000 is not a power of two from 512 to 65536' \
		--config value
	printf '{\n"cpus": 2,\n"mem": }' >broken
	refused -- '--config broken: this is no JSON: .* in line 3, column 8' --config broken
	printf '{"kernal": "x"}' >field
	refused -- "--config field: kernal: there is no such field; did you mean 'kernel'?" --config field
	printf '[]' >array
	refused -- '--config array: this is no machine' --config array
	: >empty
	refused -- '--config empty: this is no JSON: .* in line 1' --config empty
	head -c 2000000 /dev/zero | tr '\0' ' ' >large
	refused -- '--config large: this is too large' --config large
	refused -- '--config none: No such file' --config none
	refused -- '--config /: Is a directory' --config /
	printf '{}' >nothing
	refused -- '--config: given more than once' --config nothing --config nothing
	refused -- '--config needs a value: --config FILE' --config
	armlet schema word
	expect_refusal "'word' is not an option, and .armlet schema. takes no more"
}
