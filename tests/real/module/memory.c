// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * memory.c - bugs that a load, a store or one instruction is enough for.
 */
#include <linux/delay.h>
#include <linux/kfence.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/percpu_counter.h>
#include <linux/proc_fs.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "bugs.h"

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
noinline int bug_uaf_read(void)
{
	struct item *it = item_new();

	item_free(it);
	return (int)item_sum(it);
}

noinline int bug_uaf_write(void)
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
noinline int bug_uaf_rcu(void)
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

noinline int bug_uaf_work(void)
{
	struct item *it = item_new();

	INIT_WORK(&it->work, item_work);
	schedule_work(&it->work);
	ssleep(1);
	return 0;
}

static int item_thread(void *data)
{
	struct item *it = data;

	item_free(it);
	return (int)item_sum(it);
}

noinline int bug_uaf_kthread(void)
{
	struct task_struct *t =
		kthread_run(item_thread, item_new(), "bugs-reader");

	ssleep(1);
	return PTR_ERR_OR_ZERO(t);
}

static __always_inline void name_set(struct item *it, unsigned int at, char c)
{
	WRITE_ONCE(((char *)it)[at], c);
}

noinline int bug_oob_slab(void)
{
	struct item *it = item_new();

	name_set(it, sizeof(*it) + big - 32, 'x');
	item_free(it);
	return 0;
}

noinline int bug_oob_stack(void)
{
	char local[24];
	volatile char *p = local;

	memset(local, 1, sizeof(local));
	return p[big - 14];
}

noinline int bug_oob_global(void)
{
	volatile char *p = global_names[0];

	return p[big - 4];
}

noinline int bug_oob_vmalloc(void)
{
	char *p = vmalloc(PAGE_SIZE);
	int ret = READ_ONCE(p[PAGE_SIZE + big]);

	vfree(p);
	return ret;
}

noinline int bug_double_free(void)
{
	struct item *it = item_new();

	item_free(it);
	item_free(it);
	return 0;
}

noinline int bug_invalid_free(void)
{
	struct item *it = item_new();

	item_free((struct item *)&it->value);
	return 0;
}

noinline int bug_user_copy(void)
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

noinline int bug_null_read(void)
{
	struct item *it = (struct item *)(unsigned long)zero;

	return (int)item_sum(it);
}

noinline int bug_null_call(void)
{
	struct item_ops ops = {};

	OPTIMIZER_HIDE_VAR(ops.poke);
	return ops_poke(&ops, NULL) + 1;
}

/* Not instrumented by KASAN: the processor's own NULL pointer fault. */
noinline __no_sanitize_address int bug_null_raw(void)
{
	struct item *it = (struct item *)(unsigned long)zero;

	return *(volatile int *)&it->value;
}

noinline __no_sanitize_address int bug_bad_address(void)
{
	return *(volatile int *)(0xffffc8ff00001000ul + zero);
}

noinline __no_sanitize_address int bug_gpf_raw(void)
{
	return *(volatile int *)(0x6b6b6b6b6b6b6b6bul + zero);
}

noinline int bug_gpf(void)
{
	struct item *it = (struct item *)(0x6b6b6b6b6b6b6b6bul + zero);

	return (int)item_sum(it);
}

noinline int bug_write_ro(void)
{
	WRITE_ONCE(*(unsigned long *)&sealed, 0x2a);
	return 0;
}

static __always_inline void item_check(const struct item *it)
{
	BUG_ON(it->len != 7);
}

noinline int bug_bug(void)
{
	struct item *it = item_new();

	item_check(it);
	return 0;
}

static __always_inline bool item_warn(const struct item *it)
{
	return WARN_ON(it->len != 7);
}

noinline int bug_warn(void)
{
	struct item *it = item_new();

	if (item_warn(it))
		it->len = 7;
	item_free(it);
	return 0;
}

noinline int bug_warn_msg(void)
{
	WARN(big, "bugs: %u items left behind\n", big);
	return 0;
}

noinline int bug_warn_once(void)
{
	for (int i = 0; i < 3; i++)
		WARN_ON_ONCE(big);
	return 0;
}

static __always_inline u32 average(u32 sum, u32 n)
{
	return sum / n;
}

noinline int bug_divide(void)
{
	return average(big, zero);
}

noinline int bug_ud2(void)
{
	asm volatile("ud2");
	return 0;
}

noinline int bug_int3(void)
{
	asm volatile("int3");
	return 0;
}

noinline int bug_panic(void)
{
	panic("bugs: %u of %u items are lost", big, big + 2);
}

noinline int bug_ubsan(void)
{
	static int table[8];

	WRITE_ONCE(table[big & 15], 1);
	return table[zero];
}

noinline int bug_refcount(void)
{
	struct item *it = item_new();

	if (refcount_dec_and_test(&it->refs))
		refcount_inc(&it->refs);
	item_free(it);
	return 0;
}

noinline int bug_refcount_under(void)
{
	struct item *it = item_new();

	refcount_set(&it->refs, 0);
	if (refcount_dec_and_test(&it->refs))
		item_free(it);
	return 0;
}

noinline int bug_list_add(void)
{
	static LIST_HEAD(items);
	struct item *it = item_new();

	list_add(&it->link, &items);
	list_add(&it->link, &items);
	return 0;
}

noinline int bug_list_del(void)
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

noinline int bug_stack_overflow(void)
{
	return recurse((int)zero);
}
noinline int bug_bad_rss(void)
{
	percpu_counter_add(&current->mm->rss_stat[MM_ANONPAGES], 5);
	return 0;
}

noinline int bug_cache_busy(void)
{
	struct kmem_cache *cache =
		kmem_cache_create("bugs_items", 128, 0, 0, NULL);

	if (!kmem_cache_alloc(cache, GFP_KERNEL))
		return -ENOMEM;
	kmem_cache_destroy(cache);
	return 0;
}

noinline int bug_proc_twice(void)
{
	proc_mkdir("bugs_twice", NULL);
	proc_mkdir("bugs_twice", NULL);
	return 0;
}

noinline int bug_kmalloc_huge(void)
{
	void *p = kmalloc(((size_t)big << 20) + 1, GFP_KERNEL);

	kfree(p);
	return p ? 0 : -ENOMEM;
}

/* Only KFENCE's pool has a guard page behind the object. */
static char *kfence_alloc_one(void)
{
	for (int i = 0; i < 20000; i++) {
		char *p = kmalloc(128, GFP_KERNEL);

		if (!p || is_kfence_address(p))
			return p;
		kfree(p);
		usleep_range(100, 200);
	}
	return NULL;
}

noinline int bug_kfence_uaf(void)
{
	char *p = kfence_alloc_one();

	kfree(p);
	return p ? READ_ONCE(p[big]) : -ENOENT;
}

noinline int bug_kfence_oob(void)
{
	char *p = kfence_alloc_one();

	if (!p)
		return -ENOENT;
	/* The object is at either end of its page: one side is a guard. */
	if (offset_in_page(p))
		WRITE_ONCE(p[128 + zero], 'x');
	else
		WRITE_ONCE(p[-1 - (int)zero], 'x');
	return 0;
}

noinline int bug_kfence_free(void)
{
	char *p = kfence_alloc_one();

	kfree(p);
	kfree(p);
	return 0;
}

static noinline void smash(char *buf, unsigned int len)
{
	for (unsigned int i = 0; i < len; i++)
		WRITE_ONCE(buf[i], 0x41);
}

/* Past the array, where the compiler's canary is. */
noinline int bug_stack_smash(void)
{
	char buf[16];

	smash(buf, sizeof(buf) + 16 + zero);
	return buf[zero];
}

noinline int bug_usercopy(void)
{
	char *p = kzalloc(64, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
	return copy_to_user((void __user *)0x10000, p, 64 + big) ? -EFAULT : 0;
}

noinline int bug_shift(void)
{
	return (int)big << big;
}

noinline int bug_bad_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return -ENOMEM;
	page->mapping = (void *)0x2a0;
	__free_page(page);
	return 0;
}

noinline int bug_page_twice(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page)
		return -ENOMEM;
	__free_page(page);
	__free_page(page);
	return 0;
}
