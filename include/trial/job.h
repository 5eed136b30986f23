/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the init in the guest of `armlet test` is to do: a file of texts, each with a zero byte
 * behind it, KEY=VALUE. Keys that name several things are repeated, in order. The host writes
 * it into the initramfs (job_*() in src/trial/job.c); src/init reads it, so this header is one
 * for a program without a C library as well.
 */
#ifndef ARMLET_TRIAL_JOB_H
#define ARMLET_TRIAL_JOB_H

#define JOB_FOLDER  ".armlet"
#define JOB_INIT    JOB_FOLDER "/init"
#define JOB_FILE    JOB_FOLDER "/job"
#define JOB_MODULES JOB_FOLDER "/modules"

#define JOB_MODULE      "module=" /* a file to load, in this order */
#define JOB_ROOT        "root="   /* KIND:TAG or disk:DEVICE; none: the initramfs */
#define JOB_WRITABLE    "rw="     /* 1: what is written there stays; else it is in memory */
#define JOB_MOUNT       "mount="  /* TAG:KIND:ro|rw|over:PATH */
#define JOB_DIRECTORY   "cwd="
#define JOB_USER        "user="  /* USER or USER:GROUP, by name or number */
#define JOB_MASK        "umask=" /* in base ten */
#define JOB_TERMINAL    "tty="   /* 1: the command gets one */
#define JOB_COLUMNS     "columns="
#define JOB_ROWS        "rows="
#define JOB_ENVIRONMENT "env="
#define JOB_WORD        "arg="

/* KIND is "virtiofs", "9p" or this: by virtiofs it is TAG, and by 9p TAG with this behind. */
#define JOB_EITHER "either"
#define JOB_SECOND "9"

/* How init tells of itself when there is no port: on the console, by the kernel's log. */
#define JOB_COMPLAINT "armlet-init: "

#endif
