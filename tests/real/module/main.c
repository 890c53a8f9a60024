// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * main.c - a kernel module that crashes in the way it is told to.
 *
 *	insmod bugs.ko; echo uaf_read >/dev/bugs
 *	insmod bugs.ko early=1		crash in the module's init function
 *	insmod bugs.ko seconds=30	how long the stalls last (12)
 *
 * Its only purpose is to make real console logs (make-logs.sh): every bug has
 * a function of its own, most are reached through static inline helpers, so
 * that the frames have inline callers, and contexts differ (process, timer,
 * workqueue, kthread, RCU callback). Bugs that wait or spin end by themselves
 * after `seconds`, so that the machine can still be turned off.
 *
 * To add one: write bug_NAME(), add NAME to bugs.def and a line to kinds.txt.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "bugs.h"

unsigned int seconds = 12;
module_param(seconds, uint, 0644);
MODULE_PARM_DESC(seconds, "how long a stall lasts");

static bool early;
module_param(early, bool, 0444);
MODULE_PARM_DESC(early, "crash in the init function");

volatile unsigned int big = 40, zero;

static const struct {
	const char *name;
	int (*run)(void);
} bugs[] = {
#define X(name) { #name, bug_##name },
#include "bugs.def"
#undef X
};

static ssize_t control_write(struct file *file, const char __user *text,
			     size_t len, loff_t *off)
{
	char name[32] = "";
	size_t n = min(len, sizeof(name) - 1);

	if (copy_from_user(name, text, n))
		return -EFAULT;
	for (size_t i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (sysfs_streq(name, bugs[i].name)) {
			int ret = bugs[i].run();

			return ret < 0 ? ret : len;
		}
	}
	return -EINVAL;
}

static const struct file_operations control_ops = {
	.owner = THIS_MODULE,
	.write = control_write,
};

static struct miscdevice control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bugs",
	.fops = &control_ops,
};

/* __init: the frame is in .init.text, which is freed after loading. */
static noinline int __init crash_early(void)
{
	return bug_null_read() + 1;
}

static int __init bugs_init(void)
{
	return early ? crash_early() : misc_register(&control);
}

static void __exit bugs_exit(void)
{
	misc_deregister(&control);
}

module_init(bugs_init);
module_exit(bugs_exit);
MODULE_DESCRIPTION("crashes in the way it is told to");
MODULE_LICENSE("GPL");
