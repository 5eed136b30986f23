/* SPDX-License-Identifier: Apache-2.0 */
/* The cases of a report for people, as tools/testing/kunit/kunit.py of Linux prints them. */
#ifndef ARMLET_TRIAL_KTAP_PRINT_H
#define ARMLET_TRIAL_KTAP_PRINT_H

#include <stdio.h>

#include "trial/ktap.h"

/*
 * All cases of a finished report, what the failed ones have printed, and how many there were.
 * Control characters become '?', and what is no UTF-8: @out may be a terminal. Errors are for
 * the caller to find, by ferror().
 */
void ktap_print(const struct ktap *ktap, FILE *out, bool colours);

#endif
