# SPDX-License-Identifier: Apache-2.0
# armlet.mk - targets for a kernel's tree: include it in a makefile of your own beside the
# kernel's, as in
#
#	include Makefile
#	include /usr/share/doc/armlet/examples/armlet.mk
#
# and then: make -f my.mk armlet-test TEST="./reproduce.sh" OPTIONS="-c 2 -m 1G"
ARMLET ?= armlet
TEST ?=
OPTIONS ?=

.PHONY: armlet-test armlet-shell
armlet-test: arch/arm64/boot/Image
	$(ARMLET) test --kernel $< --output armlet-test $(OPTIONS) $(if $(TEST),-- $(TEST))

armlet-shell: arch/arm64/boot/Image
	$(ARMLET) test --kernel $< $(OPTIONS) -- sh
