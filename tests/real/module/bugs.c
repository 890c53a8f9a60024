// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bugs.c - a kernel module that crashes in the way it is told to.
 *
 *	insmod bugs.ko; echo uaf_read >/sys/kernel/debug/bugs
 *	insmod bugs.ko early=1		crash in the module's init function
 *	insmod bugs.ko seconds=30	how long the stalls last (12)
 *
 * Its only purpose is to make real console logs (make-logs.sh): every bug has
 * a function of its own, most are reached through static inline helpers, so
 * that the frames have inline callers, and contexts differ (process, timer,
 * workqueue, kthread, RCU callback). Bugs that wait or spin end by themselves
 * after `seconds`, so that the machine can still be turned off.
 *
 * To add one: write bug_NAME(), add NAME to BUGS and to kinds.txt.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

static unsigned int seconds = 12;
module_param(seconds, uint, 0644);
MODULE_PARM_DESC(seconds, "how long a stall lasts");

static bool early;
module_param(early, bool, 0444);
MODULE_PARM_DESC(early, "crash in the init function");

/* Something with a life time, a list and a count, as most kernel objects. */
struct item {
	struct list_head link;
	refcount_t refs;
	u32 len;
	u64 value;
	struct rcu_head rcu;
	struct work_struct work;
	char name[32];
};

struct item_ops {
	int (*poke)(struct item *it);
};

static char global_names[4][8] = { "one", "two", "three", "four" };
static const unsigned long sealed[2] = { 1, 2 };
static volatile unsigned int big = 40, zero; /* opaque to the compiler */
static struct dentry *control;

static struct item *item_new(void)
{
	struct item *it = kzalloc(sizeof(*it), GFP_KERNEL);

	if (!it)
		return NULL;
	INIT_LIST_HEAD(&it->link);
	refcount_set(&it->refs, 1);
	it->len = sizeof(it->name);
	return it;
}

static noinline void item_free(struct item *it)
{
	kfree(it);
}

static __always_inline u64 item_value(const struct item *it)
{
	return READ_ONCE(it->value);
}

static __always_inline u64 item_sum(const struct item *it)
{
	return item_value(it) + READ_ONCE(it->len);
}

static __always_inline void item_set(struct item *it, u64 value)
{
	WRITE_ONCE(it->value, value);
}

static __always_inline void item_store(struct item *it, u64 value)
{
	if (value != ~0ull)
		item_set(it, value);
}

static noinline void spin_for(unsigned int secs)
{
	unsigned long end = jiffies + secs * HZ;

	while (time_before(jiffies, end))
		cpu_relax();
}

static noinline int bug_uaf_read(void)
{
	struct item *it = item_new();

	item_free(it);
	return (int)item_sum(it);
}

static noinline int bug_uaf_write(void)
{
	struct item *it = item_new();

	item_free(it);
	item_store(it, zero);
	return 0;
}

static void item_release(struct rcu_head *rcu)
{
	item_free(container_of(rcu, struct item, rcu));
}

/* Freed by RCU: the report has the stack of call_rcu as well. */
static noinline int bug_uaf_rcu(void)
{
	struct item *it = item_new();

	call_rcu(&it->rcu, item_release);
	rcu_barrier();
	return (int)item_sum(it);
}

static void item_work(struct work_struct *work)
{
	struct item *it = container_of(work, struct item, work);

	item_free(it);
	item_store(it, 2);
}

static noinline int bug_uaf_work(void)
{
	struct item *it = item_new();

	INIT_WORK(&it->work, item_work);
	schedule_work(&it->work);
	msleep(200);
	return 0;
}

static int item_thread(void *data)
{
	struct item *it = data;

	item_free(it);
	return (int)item_sum(it);
}

static noinline int bug_uaf_kthread(void)
{
	struct task_struct *t =
		kthread_run(item_thread, item_new(), "bugs-reader");

	msleep(200);
	return PTR_ERR_OR_ZERO(t);
}

static __always_inline void name_set(struct item *it, unsigned int at, char c)
{
	WRITE_ONCE(((char *)it)[at], c);
}

static noinline int bug_oob_slab(void)
{
	struct item *it = item_new();

	name_set(it, sizeof(*it) + big - 32, 'x');
	item_free(it);
	return 0;
}

static noinline int bug_oob_stack(void)
{
	char local[24];
	volatile char *p = local;

	memset(local, 1, sizeof(local));
	return p[big - 14];
}

static noinline int bug_oob_global(void)
{
	volatile char *p = global_names[0];

	return p[big - 4];
}

static noinline int bug_oob_vmalloc(void)
{
	char *p = vmalloc(PAGE_SIZE);
	int ret = READ_ONCE(p[PAGE_SIZE + big]);

	vfree(p);
	return ret;
}

static noinline int bug_double_free(void)
{
	struct item *it = item_new();

	item_free(it);
	item_free(it);
	return 0;
}

static noinline int bug_invalid_free(void)
{
	struct item *it = item_new();

	item_free((struct item *)&it->value);
	return 0;
}

static noinline int bug_user_copy(void)
{
	struct item *it = item_new();
	unsigned long ret;

	ret = copy_from_user(it->name, (void __user *)0x1000,
			     sizeof(it->name) + big);
	item_free(it);
	return ret ? -EFAULT : 0;
}

static __always_inline int ops_poke(const struct item_ops *ops, struct item *it)
{
	return ops->poke(it);
}

static noinline int bug_null_read(void)
{
	struct item *it = (struct item *)(unsigned long)zero;

	return (int)item_sum(it);
}

static noinline int bug_null_call(void)
{
	struct item_ops ops = {};

	OPTIMIZER_HIDE_VAR(ops.poke);
	return ops_poke(&ops, NULL) + 1;
}

/* Not instrumented by KASAN: the processor's own NULL pointer fault. */
static noinline __no_sanitize_address int bug_null_raw(void)
{
	struct item *it = (struct item *)(unsigned long)zero;

	return *(volatile int *)&it->value;
}

static noinline __no_sanitize_address int bug_bad_address(void)
{
	return *(volatile int *)(0xffffc8ff00001000ul + zero);
}

static noinline __no_sanitize_address int bug_gpf_raw(void)
{
	return *(volatile int *)(0x6b6b6b6b6b6b6b6bul + zero);
}

static noinline int bug_gpf(void)
{
	struct item *it = (struct item *)(0x6b6b6b6b6b6b6b6bul + zero);

	return (int)item_sum(it);
}

static noinline int bug_write_ro(void)
{
	WRITE_ONCE(*(unsigned long *)&sealed, 0x2a);
	return 0;
}

static __always_inline void item_check(const struct item *it)
{
	BUG_ON(it->len != 7);
}

static noinline int bug_bug(void)
{
	struct item *it = item_new();

	item_check(it);
	return 0;
}

static __always_inline bool item_warn(const struct item *it)
{
	return WARN_ON(it->len != 7);
}

static noinline int bug_warn(void)
{
	struct item *it = item_new();

	if (item_warn(it))
		it->len = 7;
	item_free(it);
	return 0;
}

static noinline int bug_warn_msg(void)
{
	WARN(big, "bugs: %u items left behind\n", big);
	return 0;
}

static noinline int bug_warn_once(void)
{
	for (int i = 0; i < 3; i++)
		WARN_ON_ONCE(big);
	return 0;
}

static __always_inline u32 average(u32 sum, u32 n)
{
	return sum / n;
}

static noinline int bug_divide(void)
{
	return average(big, zero);
}

static noinline int bug_ud2(void)
{
	asm volatile("ud2");
	return 0;
}

static noinline int bug_int3(void)
{
	asm volatile("int3");
	return 0;
}

static noinline int bug_panic(void)
{
	panic("bugs: %u of %u items are lost", big, big + 2);
}

static noinline int bug_ubsan(void)
{
	static int table[8];

	WRITE_ONCE(table[big & 15], 1);
	return table[zero];
}

static noinline int bug_refcount(void)
{
	struct item *it = item_new();

	if (refcount_dec_and_test(&it->refs))
		refcount_inc(&it->refs);
	item_free(it);
	return 0;
}

static noinline int bug_refcount_under(void)
{
	struct item *it = item_new();

	refcount_set(&it->refs, 0);
	if (refcount_dec_and_test(&it->refs))
		item_free(it);
	return 0;
}

static noinline int bug_list_add(void)
{
	static LIST_HEAD(items);
	struct item *it = item_new();

	list_add(&it->link, &items);
	list_add(&it->link, &items);
	return 0;
}

static noinline int bug_list_del(void)
{
	static LIST_HEAD(items);
	struct item *it = item_new();

	list_add_tail(&it->link, &items);
	list_del(&it->link);
	list_del(&it->link);
	return 0;
}

static noinline int recurse(int depth)
{
	volatile char frame[512];

	frame[depth & 511] = (char)depth;
	if (depth == 1 << 30)
		return 0;
	return recurse(depth + 1) + frame[depth & 511];
}

static noinline int bug_stack_overflow(void)
{
	return recurse((int)zero);
}

static noinline int bug_atomic_sleep(void)
{
	local_bh_disable();
	msleep(20);
	local_bh_enable();
	return 0;
}

static noinline int bug_spin_deadlock(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	spin_lock(&lock); /* never returns */
	return 0;
}

/* Holds the lock that it waits for: what a mutex deadlock looks like. */
static noinline int bug_mutex_deadlock(void)
{
	static DEFINE_MUTEX(lock);

	mutex_lock(&lock);
	mutex_lock(&lock); /* never returns */
	return 0;
}

static DEFINE_MUTEX(lock_a);
static DEFINE_MUTEX(lock_b);

static noinline void lock_both(struct mutex *first, struct mutex *second)
{
	mutex_lock(first);
	msleep(100);
	mutex_lock(second);
	mutex_unlock(second);
	mutex_unlock(first);
}

static int abba_thread(void *data)
{
	lock_both(&lock_b, &lock_a);
	return 0;
}

static noinline int bug_abba(void)
{
	kthread_run(abba_thread, NULL, "bugs-abba");
	lock_both(&lock_a, &lock_b);
	return 0;
}

static noinline int bug_hung_completion(void)
{
	DECLARE_COMPLETION_ONSTACK(never);

	wait_for_completion(&never);
	return 0;
}

static noinline int bug_hung_rwsem(void)
{
	static DECLARE_RWSEM(sem);

	down_read(&sem);
	down_write(&sem); /* never returns */
	return 0;
}

static noinline int bug_hung_wait(void)
{
	DECLARE_WAIT_QUEUE_HEAD_ONSTACK(wq);

	wait_event(wq, zero);
	return 0;
}

static noinline int bug_soft_lockup(void)
{
	preempt_disable();
	spin_for(seconds);
	preempt_enable();
	return 0;
}

static noinline int bug_rcu_stall(void)
{
	rcu_read_lock();
	spin_for(seconds);
	rcu_read_unlock();
	return 0;
}

static noinline int bug_irqs_off(void)
{
	unsigned long flags;

	local_irq_save(flags);
	mdelay(seconds * 1000);
	local_irq_restore(flags);
	return 0;
}

static void timer_spin(struct timer_list *t)
{
	spin_for(seconds);
}

static void timer_crash(struct timer_list *t)
{
	bug_null_read();
}

static DEFINE_TIMER(crash_timer, timer_crash);
static DEFINE_TIMER(spin_timer, timer_spin);

static noinline int bug_timer_null(void)
{
	mod_timer(&crash_timer, jiffies + 2);
	spin_for(1);
	return 0;
}

static noinline int bug_timer_stall(void)
{
	mod_timer(&spin_timer, jiffies + 2);
	msleep(500);
	return 0;
}

static noinline int bug_bad_rss(void)
{
	percpu_counter_add(&current->mm->rss_stat[MM_ANONPAGES], 5);
	return 0;
}

static noinline int bug_cache_busy(void)
{
	struct kmem_cache *cache =
		kmem_cache_create("bugs_items", 128, 0, 0, NULL);

	if (!kmem_cache_alloc(cache, GFP_KERNEL))
		return -ENOMEM;
	kmem_cache_destroy(cache);
	return 0;
}

static noinline int bug_proc_twice(void)
{
	proc_mkdir("bugs_twice", NULL);
	proc_mkdir("bugs_twice", NULL);
	return 0;
}

static noinline int bug_kmalloc_huge(void)
{
	void *p = kmalloc(((size_t)big << 20) + 1, GFP_KERNEL);

	kfree(p);
	return p ? 0 : -ENOMEM;
}

static noinline int bug_irq_warn(void)
{
	local_irq_disable();
	WARN_ON(big);
	local_irq_enable();
	return 0;
}

#define BUGS(X)                                                                        \
	X(uaf_read)                                                                    \
	X(uaf_write) X(uaf_rcu) X(uaf_work) X(uaf_kthread) X(oob_slab) X(              \
		oob_stack) X(oob_global) X(oob_vmalloc) X(double_free)   \
		X(invalid_free) X(user_copy) X(null_read) X(null_call) X(null_raw) X(  \
			bad_address) X(gpf) X(gpf_raw) X(write_ro) X(bug) X(warn)      \
			X(warn_msg) X(warn_once) X(divide) X(ud2) X(int3) X(panic) X(  \
				ubsan) X(refcount) X(refcount_under) X(list_add)       \
				X(list_del) X(stack_overflow) X(atomic_sleep) X(       \
					spin_deadlock) X(mutex_deadlock) X(abba)       \
					X(hung_completion) X(hung_rwsem) X(            \
						hung_wait) X(soft_lockup) X(rcu_stall) \
						X(irqs_off) X(timer_null) X(           \
							timer_stall) X(bad_rss)        \
							X(cache_busy) X(               \
								proc_twice)            \
								X(kmalloc_huge)        \
									X(irq_warn)

static const struct {
	const char *name;
	int (*run)(void);
} bugs[] = {
#define ENTRY(b) { #b, bug_##b },
	BUGS(ENTRY)
#undef ENTRY
};

static ssize_t control_write(struct file *file, const char __user *text,
			     size_t len, loff_t *off)
{
	char name[32];
	long got = strncpy_from_user(name, text, min(len + 1, sizeof(name)));

	if (got < 0)
		return got;
	name[min_t(size_t, len, sizeof(name) - 1)] = '\0';
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

/* __init: the frame is in .init.text, which is freed after loading. */
static noinline int __init crash_early(void)
{
	return bug_null_read() + 1;
}

static int __init bugs_init(void)
{
	if (early)
		return crash_early();
	control = debugfs_create_file("bugs", 0200, NULL, NULL, &control_ops);
	return PTR_ERR_OR_ZERO(control);
}

static void __exit bugs_exit(void)
{
	debugfs_remove(control);
}

module_init(bugs_init);
module_exit(bugs_exit);
MODULE_DESCRIPTION("crashes in the way it is told to");
MODULE_LICENSE("GPL");
