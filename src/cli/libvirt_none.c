/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of all libvirt_*.c where armlet is built without them. */
#include "libvirt.h"

int libvirt_read(const struct option_table *table, const char *where, void *target,
		 struct json_object **ret, struct error *err)
{
	(void)table;
	(void)target;
	(void)ret;
	return error_set(
		err, ENOTSUP,
		"%s: this armlet was built without libvirt; use one that was built with it", where);
}
