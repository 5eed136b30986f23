/* SPDX-License-Identifier: Apache-2.0 */
/* What must be known of an overlay before libfdt is let at it. */
#ifndef ARMLET_BOOT_DTB_OVERLAY_H
#define ARMLET_BOOT_DTB_OVERLAY_H

#include <stdbool.h>

/* Is there a fragment to apply? libfdt takes a tree with none for one that changes nothing. */
bool dtb_overlay_has_fragment(const void *blob);

/* 0 or libfdt's error. @blob has passed fdt_check_full() and is at most DTB_DEPTH_MAX deep. */
int dtb_overlay_check(const void *blob);

#endif
