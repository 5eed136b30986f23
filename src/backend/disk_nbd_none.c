/* SPDX-License-Identifier: Apache-2.0 */
/* In the place of disk_nbd.c and disk_image.c where libnbd is not linked. */
#include "disk_open.h"

int disk_nbd_open(const struct disk_options *options, struct disk **ret, struct error *err)
{
	(void)ret;
	return error_set(err, ENOTSUP,
			 "--disk %s: this armlet was built without libnbd, so it cannot reach an "
			 "NBD server; use one that was built with it",
			 options->path);
}

int disk_image_open(const struct disk_options *options, const char *format, struct disk **ret,
		    struct error *err)
{
	(void)ret;
	return error_set(err, ENOTSUP,
			 "--disk %s: this is an image of format %s, and this armlet was built "
			 "without libnbd, which all formats but raw need; convert the image by "
			 "qemu-img convert -O raw",
			 options->path, format);
}
