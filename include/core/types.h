/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, as types: which space a number belongs to is part of its name. */
#ifndef ARMLET_CORE_TYPES_H
#define ARMLET_CORE_TYPES_H

#include <stdint.h>

typedef uint64_t gpa_t; /* intermediate physical address (IPA): what the guest calls physical */
typedef uint64_t gva_t; /* virtual address of the guest */

#endif
