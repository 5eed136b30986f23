/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's vhost: ioctls of <linux/vhost.h> on a device that each vhost opens anew. */
#include <linux/vhost.h>
#include <string.h>
#include <sys/ioctl.h>

#include "virtio/vhost.h"

struct vhost_kernel {
	struct vhost vhost;
	int fd;
	int tap_fd; /* of vhost-net; not ours */
};

static struct vhost_kernel *to_kernel(struct vhost *vhost)
{
	return container_of(vhost, struct vhost_kernel, vhost);
}

static int do_ioctl(const struct vhost_kernel *kernel, unsigned long request, const void *argument)
{
	return ioctl(kernel->fd, request, argument) < 0 ? -errno : 0;
}

static int get_features(struct vhost *vhost, uint64_t *ret)
{
	uint64_t features = 0;
	int r = do_ioctl(to_kernel(vhost), VHOST_GET_FEATURES, &features);

	if (r == 0)
		*ret = features;
	return r;
}

static int set_features(struct vhost *vhost, uint64_t features)
{
	return do_ioctl(to_kernel(vhost), VHOST_SET_FEATURES, &features);
}

static int set_memory(struct vhost *vhost, const struct guest_mem *mem)
{
	struct {
		struct vhost_memory table;
		struct vhost_memory_region region;
	} memory = {
		.table = {.nregions = 1},
		.region =
			{
				.guest_phys_addr = mem->base,
				.memory_size = mem->size,
				.userspace_addr = (uintptr_t)mem->host,
			},
	};

	return do_ioctl(to_kernel(vhost), VHOST_SET_MEM_TABLE, &memory);
}

static int set_vring(struct vhost *vhost, unsigned index, const struct vhost_vring *vring)
{
	const struct vhost_kernel *kernel = to_kernel(vhost);
	const struct vhost_vring_state size = {.index = index, .num = vring->size};
	const struct vhost_vring_state base = {.index = index, .num = vring->base};
	const struct vhost_vring_addr areas = {
		.index = index,
		.desc_user_addr = (uintptr_t)vring->desc,
		.used_user_addr = (uintptr_t)vring->device,
		.avail_user_addr = (uintptr_t)vring->driver,
	};
	const struct vhost_vring_file kick = {.index = index, .fd = vring->kick_fd};
	const struct vhost_vring_file call = {.index = index, .fd = vring->call_fd};
	const struct vhost_vring_file fault = {.index = index, .fd = vring->err_fd};
	int r = do_ioctl(kernel, VHOST_SET_VRING_NUM, &size);

	if (r == 0)
		r = do_ioctl(kernel, VHOST_SET_VRING_BASE, &base);
	if (r == 0)
		r = do_ioctl(kernel, VHOST_SET_VRING_ADDR, &areas);
	if (r == 0)
		r = do_ioctl(kernel, VHOST_SET_VRING_CALL, &call);
	if (r == 0)
		r = do_ioctl(kernel, VHOST_SET_VRING_ERR, &fault);
	if (r == 0)
		r = do_ioctl(kernel, VHOST_SET_VRING_KICK, &kick);
	return r;
}

/* Where the ring is; the kernel lets go of its eventfds, which are not its any more. */
static int leave_vring(const struct vhost_kernel *kernel, unsigned index, uint32_t *ret_base)
{
	const struct vhost_vring_file none = {.index = index, .fd = VHOST_FILE_UNBIND};
	struct vhost_vring_state base = {.index = index};
	int r = do_ioctl(kernel, VHOST_SET_VRING_KICK, &none);

	if (r == 0)
		r = do_ioctl(kernel, VHOST_GET_VRING_BASE, &base);
	if (r == 0)
		r = do_ioctl(kernel, VHOST_SET_VRING_CALL, &none);
	if (r == 0)
		r = do_ioctl(kernel, VHOST_SET_VRING_ERR, &none);
	if (r == 0)
		*ret_base = base.num;
	return r;
}

static void destroy(struct vhost *vhost)
{
	close_fd(to_kernel(vhost)->fd);
	free(to_kernel(vhost));
}

static int create(int fd, const struct vhost_ops *ops, struct vhost_kernel **ret)
{
	_cleanup_close_ int owned = fd;
	_cleanup_free_ struct vhost_kernel *kernel = calloc(1, sizeof(*kernel));
	int r;

	if (!kernel)
		return -ENOMEM;
	kernel->fd = fd;
	kernel->tap_fd = -1;
	r = vhost_init(&kernel->vhost, ops);
	if (r == 0)
		r = do_ioctl(kernel, VHOST_SET_OWNER, NULL);
	if (r < 0)
		return r;
	steal_fd(&owned);
	*ret = steal_ptr(&kernel);
	return 0;
}

/* vhost-net: each ring has its end of the tap. */

static int net_set_backend(struct vhost *vhost, unsigned index, int fd)
{
	const struct vhost_vring_file backend = {.index = index, .fd = fd};

	return do_ioctl(to_kernel(vhost), VHOST_NET_SET_BACKEND, &backend);
}

static int net_start_vring(struct vhost *vhost, unsigned index)
{
	return net_set_backend(vhost, index, to_kernel(vhost)->tap_fd);
}

static int net_stop_vring(struct vhost *vhost, unsigned index, uint32_t *ret_base)
{
	int r = net_set_backend(vhost, index, VHOST_FILE_UNBIND);

	return r < 0 ? r : leave_vring(to_kernel(vhost), index, ret_base);
}

static const struct vhost_ops net_ops = {
	.get_features = get_features,
	.set_features = set_features,
	.set_memory = set_memory,
	.set_vring = set_vring,
	.start_vring = net_start_vring,
	.stop_vring = net_stop_vring,
	.destroy = destroy,
};

int vhost_kernel_net_create(int fd, int tap_fd, struct vhost **ret)
{
	struct vhost_kernel *kernel = NULL;
	int r = create(fd, &net_ops, &kernel);

	if (r < 0)
		return r;
	kernel->tap_fd = tap_fd;
	*ret = &kernel->vhost;
	return 0;
}

/* vhost-vsock: both rings run together, or none: one alone the kernel refuses. */

#define VSOCK_RINGS (BIT(0) | BIT(1))

static int vsock_stop_vring(struct vhost *vhost, unsigned index, uint32_t *ret_base)
{
	return leave_vring(to_kernel(vhost), index, ret_base);
}

static int vsock_run(struct vhost *vhost, bool on)
{
	const int running = on;

	if (on && vhost->started != VSOCK_RINGS)
		return 0;
	return do_ioctl(to_kernel(vhost), VHOST_VSOCK_SET_RUNNING, &running);
}

static const struct vhost_ops vsock_ops = {
	.get_features = get_features,
	.set_features = set_features,
	.set_memory = set_memory,
	.set_vring = set_vring,
	.stop_vring = vsock_stop_vring,
	.run = vsock_run,
	.destroy = destroy,
};

int vhost_kernel_vsock_create(int fd, uint64_t cid, struct vhost **ret)
{
	struct vhost_kernel *kernel = NULL;
	int r = create(fd, &vsock_ops, &kernel);

	if (r == 0)
		r = do_ioctl(kernel, VHOST_VSOCK_SET_GUEST_CID, &cid);
	if (r < 0) {
		if (kernel)
			destroy(&kernel->vhost);
		return r;
	}
	*ret = &kernel->vhost;
	return 0;
}
