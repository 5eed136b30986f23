/* SPDX-License-Identifier: Apache-2.0 */
/* What crt0.S and the C code agree on. */
#ifndef ARMLET_GUEST_CPUS_H
#define ARMLET_GUEST_CPUS_H

#define MAX_CPUS   512
#define STACK_SIZE 2048
#define FRAME_SIZE 272 /* struct exception_frame */

#endif
