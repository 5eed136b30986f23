/* SPDX-License-Identifier: Apache-2.0 */
/* What the translation of QEMU's command line is written with (qemu.h). */
#ifndef ARMLET_CLI_QEMU_WORDS_H
#define ARMLET_CLI_QEMU_WORDS_H

#include "qemu.h"

/* What stands behind a serial port, a port or a monitor. */
enum qemu_kind {
	QEMU_NOWHERE, /* none, null */
	QEMU_STDIO,
	QEMU_PTY,
	QEMU_FILE,
	QEMU_SOCKET,
	QEMU_TCP,
};

/* What other options find by its id. */
enum qemu_part_kind { QEMU_DRIVE, QEMU_NETDEV, QEMU_FSDEV, QEMU_CHARDEV };

struct qemu_part {
	struct qemu_part *next;
	enum qemu_part_kind kind;
	char *id;             /* NULL: it has none */
	char *text;           /* of --disk or --net; a folder; the path of a CHARDEV */
	bool plugged;         /* DRIVE, NETDEV: it is a device */
	bool ephemeral;       /* DRIVE */
	bool read_only;       /* FSDEV */
	enum qemu_kind where; /* CHARDEV */
};

/* A translation that is under way. */
struct qemu {
	struct qemu_command *command;
	struct qemu_part *parts; /* in order */
	bool no_memory;
	bool accel;   /* is named */
	bool kvm;     /* is among them */
	bool mem;     /* is said */
	bool serial;  /* likewise */
	bool console; /* a virtio one is there */
	bool stdio;   /* is what that or a port has */
	bool snapshot;
	const char *cpu; /* what is said of it; NULL: nothing */
};

/* Add words. What has no room is told at the end, by qemu->no_memory. */
void qemu_push(struct qemu *qemu, const char *word);
void qemu_push_value(struct qemu *qemu, const char *option, const char *value);
void qemu_pushf(struct qemu *qemu, const char *fmt, ...) PRINTF(2, 3);

/* Add to @text, NULL being empty; in the latter, commas are doubled. */
void qemu_add(struct qemu *qemu, char **text, const char *more);
void qemu_add_escaped(struct qemu *qemu, char **text, const char *more);

/* "word,name=value,flag,noflag"; two commas are one of the value's own. */
#define QEMU_PROPERTIES_MAX 64

struct qemu_property {
	const char *name;
	const char *value;
	bool taken;
};

struct qemu_properties {
	char *text; /* has them all */
	struct qemu_property list[QEMU_PROPERTIES_MAX];
	size_t count;
};

/* @implied: the name of a first word that stands alone; NULL: there is none. */
int qemu_properties_read(const char *text, const char *implied, struct qemu_properties *ret,
			 struct error *err);
void qemu_properties_finish(struct qemu_properties *properties);
#define _cleanup_properties_ _cleanup_(qemu_properties_finish)

/* The value of a property, which is done with; NULL: it is not there. The last one counts. */
const char *qemu_take(struct qemu_properties *properties, const char *name);

/*
 * What becomes of a property of that name and one of these values: words with blanks
 * between them, * at a word's end being any end; NULL: any. It becomes
 *
 *	""          nothing
 *	"--name"    a word
 *	"--name="   a word, with the value joined to it
 *	"--name "   two words
 *	"name"      a property of the record that is being made, likewise "name="
 */
struct qemu_rule {
	const char *name;
	const char *values;
	const char *becomes;
};

/* For all that was not taken yet. A property without a rule is refused. @record may be NULL. */
int qemu_apply(struct qemu *qemu, struct qemu_properties *properties, const struct qemu_rule *rules,
	       char **record, struct error *err);

/* Whether @word is one of @words, as in a rule. */
bool qemu_is_one_of(const char *word, const char *words);

bool qemu_is_on(const char *value);

/* A part that is added; the last one of the kind and id, or NULL with a sentence. */
struct qemu_part *qemu_part_add(struct qemu *qemu, enum qemu_part_kind kind, const char *id);
struct qemu_part *qemu_part_find(const struct qemu *qemu, enum qemu_part_kind kind, const char *id,
				 struct error *err);

/* qemu_options.c: what is known, and what becomes of it. */
struct qemu_option {
	const char *name;
	const char *argument; /* as the help shows it; NULL: it takes none */
	const char *help;
	const char *word;    /* of armlet's that it is; with an argument, which takes that */
	const char *refused; /* why armlet has not that; NULL: it has */
	const char *list;    /* the answer to `help` as its value; NULL: there is none */
	const struct qemu_rule *rules; /* for the properties that its argument is */
	const char *implied;           /* the first one's name, if it has none */
	int (*take)(struct qemu *qemu, const char *value, struct error *err);
	bool ignored;
	bool late; /* uses what others make */
};

extern const struct qemu_option qemu_options[]; /* ends with a zeroed row */

#define QEMU_MEMORY "128M" /* that QEMU's virt has */

/* What the last -cpu says. */
int qemu_apply_cpu(struct qemu *qemu, struct error *err);

/* qemu_devices.c: the options whose values are devices and what is behind them. */
int qemu_take_drive(struct qemu *qemu, const char *value, struct error *err);
int qemu_take_disk(struct qemu *qemu, const char *file, struct error *err);
int qemu_take_cdrom(struct qemu *qemu, const char *file, struct error *err);
int qemu_take_netdev(struct qemu *qemu, const char *value, struct error *err);
int qemu_take_net(struct qemu *qemu, const char *value, struct error *err);
int qemu_take_nic(struct qemu *qemu, const char *value, struct error *err);
int qemu_take_fsdev(struct qemu *qemu, const char *value, struct error *err);
int qemu_take_virtfs(struct qemu *qemu, const char *value, struct error *err);
int qemu_take_device(struct qemu *qemu, const char *value, struct error *err);

/* Make disks of the drives that are some by themselves. */
void qemu_plug_drives(struct qemu *qemu);

/* qemu_places.c: where bytes go. */
int qemu_take_chardev(struct qemu *qemu, const char *value, struct error *err);
int qemu_take_serial(struct qemu *qemu, const char *value, struct error *err);
int qemu_take_monitor(struct qemu *qemu, const char *value, struct error *err);
int qemu_take_mon(struct qemu *qemu, const char *value, struct error *err);
int qemu_take_qmp(struct qemu *qemu, const char *value, struct error *err);
int qemu_take_gdb(struct qemu *qemu, const char *value, struct error *err);

/* A virtio port or console: "null", "unix:PATH" and so on, added to @text. */
int qemu_add_where(struct qemu *qemu, const char *id, char **text, struct error *err);

#endif
