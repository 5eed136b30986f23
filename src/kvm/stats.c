/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DOC: KVM's binary statistics
 *
 * A descriptor of the VM's or of a vCPU's (KVM_GET_STATS_FD) is a file of four parts: a
 * header, a word that says whose it is, descriptors, and the values. All but the values
 * is the same as long as it is open.
 *
 * As every request to a vCPU, KVM_GET_STATS_FD waits for the end of KVM_RUN. So that of
 * a vCPU is made once, when somebody asks for the first time, and kept: reading from it
 * disturbs nobody. The VM's is made each time.
 */
#include <fcntl.h>
#include <string.h>

#include "kvm_private.h"

/* More than any KVM has. */
#define DESCRIPTORS_MAX 4096
#define NAME_SIZE_MAX   256
#define VALUES_MAX      512 /* of one: a histogram's */
#define DATA_SIZE_MAX   (1U << 20)

static int open_stats(int fd, int *ret)
{
	int stats_fd = kvm_ioctl(fd, KVM_GET_STATS_FD, NULL);

	if (stats_fd < 0)
		return stats_fd == -ENOTTY ? -EOPNOTSUPP : stats_fd;
	/* KVM leaves it open for the programs that we start. */
	fcntl(stats_fd, F_SETFD, FD_CLOEXEC);
	*ret = stats_fd;
	return 0;
}

static int read_at(int fd, uint32_t offset, void *to, size_t size)
{
	ssize_t n = pread(fd, to, size, offset);

	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -EIO;
}

/* One descriptor of @from, which are not aligned for who reads them in place. */
static struct kvm_stats_desc descriptor(const uint8_t *from)
{
	struct kvm_stats_desc desc;

	memcpy(&desc, from, sizeof(desc));
	return desc;
}

static size_t descriptor_size(const struct kvm_stats_header *header)
{
	return sizeof(struct kvm_stats_desc) + header->name_size;
}

/* Bytes of the values; 0: the descriptors are not as they are known. */
static size_t data_size(const struct kvm_stats_header *header, const uint8_t *descs)
{
	size_t size = 0;

	for (uint32_t i = 0; i < header->num_desc; i++) {
		struct kvm_stats_desc desc = descriptor(descs + i * descriptor_size(header));
		size_t end = (size_t)desc.offset + desc.size * sizeof(uint64_t);

		if (desc.size > VALUES_MAX || desc.offset % sizeof(uint64_t) || end > DATA_SIZE_MAX)
			return 0;
		size = end > size ? end : size;
	}
	return size;
}

/* What is newer than we are: a number of something. */
static enum hyp_stat_type type_of(uint32_t flags)
{
	static const enum hyp_stat_type types[] = {
		[KVM_STATS_TYPE_CUMULATIVE] = HYP_STAT_CUMULATIVE,
		[KVM_STATS_TYPE_INSTANT] = HYP_STAT_INSTANT,
		[KVM_STATS_TYPE_PEAK] = HYP_STAT_PEAK,
		[KVM_STATS_TYPE_LINEAR_HIST] = HYP_STAT_LINEAR_HISTOGRAM,
		[KVM_STATS_TYPE_LOG_HIST] = HYP_STAT_LOG2_HISTOGRAM,
	};
	uint32_t type = (flags & KVM_STATS_TYPE_MASK) >> KVM_STATS_TYPE_SHIFT;

	return type < ARRAY_SIZE(types) ? types[type] : HYP_STAT_INSTANT;
}

static enum hyp_stat_unit unit_of(uint32_t flags)
{
	static const enum hyp_stat_unit units[] = {
		[KVM_STATS_UNIT_NONE >> KVM_STATS_UNIT_SHIFT] = HYP_STAT_PURE,
		[KVM_STATS_UNIT_BYTES >> KVM_STATS_UNIT_SHIFT] = HYP_STAT_BYTES,
		[KVM_STATS_UNIT_SECONDS >> KVM_STATS_UNIT_SHIFT] = HYP_STAT_SECONDS,
		[KVM_STATS_UNIT_CYCLES >> KVM_STATS_UNIT_SHIFT] = HYP_STAT_CYCLES,
		[KVM_STATS_UNIT_BOOLEAN >> KVM_STATS_UNIT_SHIFT] = HYP_STAT_BOOLEAN,
	};
	uint32_t unit = (flags & KVM_STATS_UNIT_MASK) >> KVM_STATS_UNIT_SHIFT;

	return unit < ARRAY_SIZE(units) ? units[unit] : HYP_STAT_PURE;
}

static struct hyp_stat describe(const struct kvm_stats_desc *desc, const char *name,
				const uint8_t *data)
{
	return (struct hyp_stat){
		.name = name,
		.type = type_of(desc->flags),
		.unit = unit_of(desc->flags),
		.base = (desc->flags & KVM_STATS_BASE_MASK) == KVM_STATS_BASE_POW2 ? 2 : 10,
		.exponent = desc->exponent,
		.bucket_size = desc->bucket_size,
		.count = desc->size,
		.values = (const uint64_t *)(const void *)(data + desc->offset),
	};
}

/* The answer has the values behind its array, and behind them the descriptors with the names. */
static int read_stats(int fd, struct hyp_stats **ret)
{
	_cleanup_free_ struct hyp_stats *stats = NULL;
	_cleanup_free_ uint8_t *descs = NULL;
	struct kvm_stats_header header;
	size_t descs_size, values_size;
	uint8_t *data;
	int r = read_at(fd, 0, &header, sizeof(header));

	if (r < 0)
		return r;
	if (header.num_desc > DESCRIPTORS_MAX || header.name_size > NAME_SIZE_MAX ||
	    !header.name_size)
		return -EPROTO;
	descs_size = header.num_desc * descriptor_size(&header);
	descs = malloc(descs_size);
	r = descs ? read_at(fd, header.desc_offset, descs, descs_size) : -ENOMEM;
	if (r < 0)
		return r;
	values_size = data_size(&header, descs);
	if (!values_size)
		return -EPROTO;
	stats = malloc(sizeof(*stats) + header.num_desc * sizeof(stats->stats[0]) + values_size +
		       descs_size);
	if (!stats)
		return -ENOMEM;
	data = (uint8_t *)&stats->stats[header.num_desc];
	r = read_at(fd, header.data_offset, data, values_size);
	if (r < 0)
		return r;
	stats->count = header.num_desc;
	for (uint32_t i = 0; i < header.num_desc; i++) {
		size_t at = i * descriptor_size(&header);
		struct kvm_stats_desc desc = descriptor(descs + at);
		char *name = (char *)data + values_size + at;

		memcpy(name, descs + at + sizeof(desc), header.name_size);
		name[header.name_size - 1] = '\0';
		stats->stats[i] = describe(&desc, name, data);
	}
	*ret = steal_ptr(&stats);
	return 0;
}

int hyp_get_stats(const struct hyp *hyp, struct hyp_stats **ret)
{
	_cleanup_close_ int fd = -EBADF;
	int r = open_stats(hyp->vm_fd, &fd);

	return r < 0 ? r : read_stats(fd, ret);
}

int hyp_vcpu_open_stats(struct hyp_vcpu *vcpu)
{
	return vcpu->stats_fd < 0 ? open_stats(vcpu->fd, &vcpu->stats_fd) : 0;
}

int hyp_vcpu_get_stats(const struct hyp_vcpu *vcpu, struct hyp_stats **ret)
{
	return vcpu->stats_fd < 0 ? -EBADF : read_stats(vcpu->stats_fd, ret);
}
