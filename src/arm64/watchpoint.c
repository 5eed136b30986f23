/* SPDX-License-Identifier: Apache-2.0 */
#include "arm64/watchpoint.h"

#include "arm64/sysreg.h"

/* DBGWCRn_EL1 (DDI 0487, D24.3.12). */
#define WCR_E         BIT(0)
#define WCR_PAC_EL1   BIT(1)
#define WCR_PAC_EL0   BIT(2)
#define WCR_LSC_LOAD  BIT(3)
#define WCR_LSC_STORE BIT(4)
#define WCR_WT        BIT(20)

/* DBGBCRn_EL1 (D24.3.2): E, and the types that match CONTEXTIDR_EL1, linked or not. */
#define BCR_E          BIT(0)
#define BCR_BT_CONTEXT 2
#define BCR_BT_LINKED  3

static unsigned bits(uint64_t value, unsigned high, unsigned low)
{
	return (unsigned)(value >> low) & (unsigned)(BIT(high - low + 1) - 1);
}

/* D2.4: to EL1, of which EL0 is always below. */
bool watchpoints_enabled(uint64_t mdscr, uint64_t pstate)
{
	if (!(mdscr & MDSCR_MDE))
		return false;
	return !(pstate & PSTATE_EL) || (mdscr & MDSCR_KDE && !(pstate & PSTATE_D));
}

/* The bytes that are watched, as far as BAS has one bit for each; MASK is in its place else. */
static bool find_byte(const struct watchpoint *watchpoint, const struct watched_access *access,
		      gva_t *ret)
{
	unsigned mask = bits(watchpoint->wcr, 28, 24);
	unsigned bas = bits(watchpoint->wcr, 12, 5);
	gva_t base = align_down(watchpoint->wvr, mask ? BIT(mask) : 8);
	gva_t last = access->addr + (access->size - 1);

	if (mask) {
		if (last < base || access->addr > base + (BIT(mask) - 1))
			return false;
		*ret = max_u64(access->addr, base);
		return true;
	}
	/* A word in the upper half of a doubleword has the low bits for itself. */
	if (watchpoint->wvr & 4) {
		base += 4;
		bas &= 0xf;
	}
	for (unsigned i = 0; i < 8; i++) {
		if (bas >> i & 1 && base + i >= access->addr && base + i <= last) {
			*ret = base + i;
			return true;
		}
	}
	return false;
}

bool watchpoint_hit(const struct watchpoint *watchpoint, const struct watched_access *access,
		    bool context, gva_t *ret_addr)
{
	uint64_t wcr = watchpoint->wcr;

	if (!(wcr & WCR_E) || !(wcr & (access->as_el0 ? WCR_PAC_EL0 : WCR_PAC_EL1)))
		return false;
	if (!(access->read && wcr & WCR_LSC_LOAD) && !(access->write && wcr & WCR_LSC_STORE))
		return false;
	if (wcr & WCR_WT && !context)
		return false;
	return find_byte(watchpoint, access, ret_addr);
}

int watchpoint_link(const struct watchpoint *watchpoint)
{
	return watchpoint->wcr & WCR_WT ? (int)bits(watchpoint->wcr, 19, 16) : -1;
}

bool watchpoint_context(uint64_t bcr, uint64_t bvr, uint64_t contextidr)
{
	unsigned type = bits(bcr, 23, 20);

	return bcr & BCR_E && (type == BCR_BT_CONTEXT || type == BCR_BT_LINKED) &&
	       (uint32_t)bvr == (uint32_t)contextidr;
}
