// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * locks.c - bugs of locking, waiting, spinning and context.
 *
 * What waits or spins ends by itself after `seconds`, where it can.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "bugs.h"

static noinline void spin_for(unsigned int secs)
{
	unsigned long end = jiffies + secs * HZ;

	while (time_before(jiffies, end))
		cpu_relax();
}

noinline int bug_atomic_sleep(void)
{
	local_bh_disable();
	msleep(20);
	local_bh_enable();
	return 0;
}

noinline int bug_spin_deadlock(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	spin_lock(&lock); /* never returns */
	return 0;
}

/* Holds the lock that it waits for: what a mutex deadlock looks like. */
noinline int bug_mutex_deadlock(void)
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

noinline int bug_abba(void)
{
	kthread_run(abba_thread, NULL, "bugs-abba");
	lock_both(&lock_a, &lock_b);
	return 0;
}

noinline int bug_hung_completion(void)
{
	DECLARE_COMPLETION_ONSTACK(never);

	wait_for_completion(&never);
	return 0;
}

noinline int bug_hung_rwsem(void)
{
	static DECLARE_RWSEM(sem);

	down_read(&sem);
	down_write(&sem); /* never returns */
	return 0;
}

noinline int bug_hung_wait(void)
{
	DECLARE_WAIT_QUEUE_HEAD_ONSTACK(wq);

	wait_event(wq, zero);
	return 0;
}

noinline int bug_soft_lockup(void)
{
	preempt_disable();
	spin_for(seconds);
	preempt_enable();
	return 0;
}

noinline int bug_rcu_stall(void)
{
	rcu_read_lock();
	spin_for(seconds);
	rcu_read_unlock();
	return 0;
}

noinline int bug_irqs_off(void)
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

noinline int bug_timer_null(void)
{
	mod_timer(&crash_timer, jiffies + 2);
	spin_for(1);
	return 0;
}

noinline int bug_timer_stall(void)
{
	mod_timer(&spin_timer, jiffies + 2);
	msleep(500);
	return 0;
}
noinline int bug_irq_warn(void)
{
	local_irq_disable();
	WARN_ON(big);
	local_irq_enable();
	return 0;
}

/*
 * From here on, bugs that only a kernel with lock debugging notices: none of
 * them does harm at once.
 */
noinline int bug_lock_circular(void)
{
	mutex_lock(&lock_a);
	mutex_lock(&lock_b);
	mutex_unlock(&lock_b);
	mutex_unlock(&lock_a);
	mutex_lock(&lock_b);
	mutex_lock(&lock_a);
	mutex_unlock(&lock_a);
	mutex_unlock(&lock_b);
	return 0;
}

struct account {
	spinlock_t lock;
	long balance;
};

static noinline void account_init(struct account *a)
{
	spin_lock_init(&a->lock);
	a->balance = 0;
}

static __always_inline void account_move(struct account *from,
					 struct account *to, long amount)
{
	spin_lock(&from->lock);
	spin_lock(&to->lock);
	from->balance -= amount;
	to->balance += amount;
	spin_unlock(&to->lock);
	spin_unlock(&from->lock);
}

/* Two locks of one class: the order is nowhere said. */
noinline int bug_lock_recursive(void)
{
	static struct account accounts[2];

	account_init(&accounts[0]);
	account_init(&accounts[1]);
	account_move(&accounts[0], &accounts[1], big);
	return 0;
}

static struct account shared_account;

static void timer_account(struct timer_list *t)
{
	spin_lock(&shared_account.lock);
	shared_account.balance++;
	spin_unlock(&shared_account.lock);
}

static DEFINE_TIMER(account_timer, timer_account);

noinline int bug_lock_irq(void)
{
	account_init(&shared_account);
	spin_lock(&shared_account.lock);
	spin_unlock(&shared_account.lock);
	mod_timer(&account_timer, jiffies + 2);
	ssleep(1);
	return 0;
}

noinline int bug_lock_irq_order(void)
{
	static DEFINE_SPINLOCK(plain);

	account_init(&shared_account);
	mod_timer(&account_timer, jiffies + 2);
	ssleep(1);
	spin_lock(&plain);
	spin_unlock(&plain);
	spin_lock_bh(&shared_account.lock);
	spin_lock(&plain);
	spin_unlock(&plain);
	spin_unlock_bh(&shared_account.lock);
	return 0;
}

noinline int bug_lock_unbalanced(void)
{
	mutex_lock(&lock_a);
	mutex_unlock(&lock_a);
	mutex_unlock(&lock_a);
	return 0;
}

noinline int bug_lock_leaked(void)
{
	mutex_lock(&lock_a);
	return 0;
}

noinline int bug_lock_freed(void)
{
	struct account *a = kmalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return -ENOMEM;
	account_init(a);
	spin_lock(&a->lock);
	kfree(a);
	spin_unlock(&a->lock);
	return 0;
}

noinline int bug_lock_not_init(void)
{
	struct account *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return -ENOMEM;
	spin_lock(&a->lock);
	spin_unlock(&a->lock);
	return 0;
}

/* A mutex sleeps, and under PREEMPT_RT a spinlock too. */
noinline int bug_lock_context(void)
{
	static DEFINE_RAW_SPINLOCK(raw);
	static DEFINE_SPINLOCK(inner);

	raw_spin_lock(&raw);
	spin_lock(&inner);
	spin_unlock(&inner);
	raw_spin_unlock(&raw);
	return 0;
}

static __always_inline void *locked_alloc(spinlock_t *lock, size_t size)
{
	void *p;

	spin_lock(lock);
	p = kmalloc(size, GFP_KERNEL);
	spin_unlock(lock);
	return p;
}

noinline int bug_sleep_atomic(void)
{
	static DEFINE_SPINLOCK(lock);

	kfree(locked_alloc(&lock, big));
	return 0;
}

noinline int bug_sleep_rcu(void)
{
	rcu_read_lock();
	mutex_lock(&lock_a);
	mutex_unlock(&lock_a);
	rcu_read_unlock();
	return 0;
}

noinline int bug_preempt_id(void)
{
	return (int)smp_processor_id();
}

noinline int bug_rcu_unlocked(void)
{
	static int value;
	static int __rcu *pointer = (int __rcu *)&value;

	return *rcu_dereference(pointer);
}

struct session {
	struct timer_list timer;
	int id;
};

/* Freed with its timer running. */
noinline int bug_timer_freed(void)
{
	struct session *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return -ENOMEM;
	timer_setup(&s->timer, timer_spin, 0);
	mod_timer(&s->timer, jiffies + 100 * HZ);
	kfree(s);
	return 0;
}

static void work_leak(struct work_struct *work)
{
	mutex_lock(&lock_b);
}

static void work_spin(struct work_struct *work)
{
	spin_for(seconds);
}

static DECLARE_WORK(leak_work, work_leak);
static DECLARE_WORK(spin_work, work_spin);
static DECLARE_WORK(late_work, work_leak);

noinline int bug_work_leak(void)
{
	schedule_work(&leak_work);
	ssleep(1);
	return 0;
}

noinline int bug_work_lockup(void)
{
	schedule_work_on(0, &spin_work);
	schedule_work_on(0, &late_work);
	ssleep(seconds);
	return 0;
}
