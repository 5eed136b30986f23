/* SPDX-License-Identifier: Apache-2.0 */
/* How much of us is in memory while the guest runs. */
#ifndef ARMLET_BASE_FOOTPRINT_H
#define ARMLET_BASE_FOOTPRINT_H

/*
 * Let go of the program's own code, and of what malloc() keeps in hand: parsing,
 * unpacking and building are done, and what is needed again comes back page by
 * page from the page cache, with its neighbours. So it is best the last thing before a wait
 * (event_loop_before_rest()). Any thread, at any time.
 */
void footprint_trim(void);

#endif
