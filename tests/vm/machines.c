/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real kernels in real machines: machines uml|qemu INIT KERNEL-FILE.SH
 *
 * Needs the kernels of ../shared/kernel (exit 77 without).  Times are printed,
 * not asserted.
 */
#include "../unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../kernel_file.h"
#include "vm/vm.h"

static char kernel[512];
static const char *init;
static bool is_uml;

static void must(struct error *err)
{
	if (err)
		fail_msg("%s", error_message(err));
}

static void must_fail(struct error *err, enum error_kind kind, const char *with)
{
	assert_non_null(err);
	print_message("# %s\n", error_message(err));
	if (!strstr(error_message(err), with))
		fail_msg("\"%s\" lacks \"%s\"", error_message(err), with);
	assert_int_equal(error_kind(err), kind);
	error_free(err);
}

static struct vm_config config(const char *cmdline)
{
	static struct vm_file file;
	struct vm_config cfg = VM_CONFIG_DEFAULT;

	file = (struct vm_file){ .path = "/init", .host = init, .mode = 0755 };
	cfg.kernel = kernel;
	cfg.files = &file;
	cfg.nr_files = 1;
	cfg.cmdline = cmdline;
	cfg.ready = "init is ready";
	cfg.accel = VM_ACCEL_TCG;
	cfg.shm_bytes = 1 << 20;
	cfg.memory_mib = 256;
	return cfg;
}

static struct vm *boot(const char *cmdline)
{
	struct vm_config cfg = config(cmdline);
	struct vm *vm;

	must(vm_open(&cfg, &vm));
	struct error *err = vm_boot(vm);
	if (err) {
		_cleanup_(buf_deinit) struct buf text = {};

		vm_console(vm, 0, &text);
		print_message("# %s\n", buf_cstr(&text));
	}
	must(err);
	print_message("# %s: ready after %u ms, slowdown %u %%\n",
		      vm_machine(vm), vm_boot_ms(vm), vm_slowdown());
	return vm;
}

static time_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static unsigned wait_death(struct vm *vm, unsigned seconds)
{
	time_t end = now_s() + seconds;
	unsigned events;

	while (!vm_death(vm)->kind && now_s() < end)
		must(vm_poll(vm, 100, &events));
	print_message("# %s\n", vm_death(vm)->why);
	return vm_death(vm)->kind;
}

/* Memory of ours, in KiB. */
static long rss_kib(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		fail();
	fclose(f);
	return pages * 4;
}

static void boots_and_shuts_down(void **state)
{
	_cleanup_(vm_closep) struct vm *vm = boot("test=shared");
	size_t bytes;
	volatile uint32_t *m = vm_shm(vm, &bytes);

	assert_int_equal(bytes, 1 << 20);
	assert_int_equal(wait_death(vm, 60), VM_SHUTDOWN);
	assert_int_equal(m[1], 1); /* the guest wrote it */
}

static void messages_go_both_ways(void **state)
{
	_cleanup_(vm_closep) struct vm *vm = boot("test=echo");
	unsigned events;

	for (int i = 0; i < 300 && vm_inbox(vm).len < 5; i++)
		must(vm_poll(vm, 100, &events));
	assert_true(slice_eq(vm_inbox(vm), SLICE("hello")));
	vm_inbox_consume(vm, 5);
	must(vm_send(vm, "World", 5));
	for (int i = 0; i < 300 && vm_inbox(vm).len < 5; i++)
		must(vm_poll(vm, 100, &events));
	assert_true(slice_eq(vm_inbox(vm), SLICE("wORLD")));
	assert_int_equal(vm_death(vm)->kind, VM_ALIVE);
}

static void crash_gets_its_title(void **state)
{
	_cleanup_(vm_closep) struct vm *vm = boot("test=crash");
	size_t nr;

	assert_int_equal(wait_death(vm, 60), VM_CRASHED);
	const struct vm_crash *c = vm_crashes(vm, &nr);
	assert_true(nr >= 1);
	assert_string_equal(c->title, "KASAN: slab-use-after-free Read in "
				      "lkdtm_READ_AFTER_FREE");
	assert_true(slice_has(vm_crash_log(vm, 0), SLICE("Allocated by")));
	/* And the VM is back. */
	must(vm_boot(vm));
	assert_int_equal(vm_death(vm)->kind, VM_ALIVE);
}

static void panic_ends_the_machine(void **state)
{
	_cleanup_(vm_closep) struct vm *vm = boot("test=die");

	assert_int_equal(wait_death(vm, 60), VM_CRASHED);
	print_message("# status %d, signal %d\n", vm_death(vm)->status,
		      vm_death(vm)->signal);
	must(vm_drain(vm, 10000));
	size_t nr;
	assert_true(vm_crashes(vm, &nr)->panicked);
}

static void killed_machine_is_lost(void **state)
{
	_cleanup_(vm_closep) struct vm *vm = boot("test=hang");

	kill(vm_pid(vm), SIGKILL);
	assert_int_equal(wait_death(vm, 10), VM_LOST);
	must_fail(vm_send(vm, "x", 1), ERR_INFRA, "no messages");
	_cleanup_(buf_deinit) struct buf text = {};
	struct error *err = vm_diagnose(vm, &text);
	assert_non_null(err);
	assert_int_equal(error_kind(err), ERR_INFRA);
	error_free(err);
	must(vm_boot(vm));
}

/* In a child of ours: kill the other children. */
static void kill_siblings(pid_t parent, unsigned delay_ms)
{
	char path[64];
	int pid;

	usleep(delay_ms * 1000);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent,
		 (int)parent);
	FILE *f = fopen(path, "re");
	while (f && fscanf(f, "%d", &pid) == 1)
		if (pid != getpid())
			kill(pid, SIGKILL);
	_exit(0);
}

/* Somebody kills it while it boots: an error that says so, at once. */
static void killed_while_booting(void **state)
{
	struct vm_config cfg = config("test=hang");
	_cleanup_(vm_closep) struct vm *vm = NULL;
	unsigned delays_ms[] = { 20, 50, is_uml ? 100 : 1000 };
	unsigned killed = 0;

	must(vm_open(&cfg, &vm));
	for (size_t i = 0; i < ARRAY_LEN(delays_ms); i++) {
		pid_t us = getpid(), killer = fork();

		if (!killer)
			kill_siblings(us, delays_ms[i]);
		struct error *err = vm_boot(vm);
		waitpid(killer, NULL, 0);
		if (!err) /* it was not there yet, or ready already */
			continue;
		must_fail(err, ERR_BOOT, "killed");
		killed++;
	}
	assert_true(killed > 0);
}

static void silence_is_noticed_and_diagnosed(void **state)
{
	struct vm_config cfg = config("test=hang");
	_cleanup_(vm_closep) struct vm *vm = NULL;
	_cleanup_(buf_deinit) struct buf text = {};

	cfg.silent_timeout_ms = 1500;
	must(vm_open(&cfg, &vm));
	/* Booting is silent for longer than that under TCG. */
	struct error *err = vm_boot(vm);
	if (err && !is_uml) {
		error_free(err);
		SKIP_TEST("too slow");
	}
	must(err);
	assert_int_equal(wait_death(vm, 60), VM_SILENT);
	must(vm_diagnose(vm, &text));
	assert_true(slice_has(buf_as_slice(&text), SLICE("RIP")));
	if (!is_uml)
		assert_true(slice_has(buf_as_slice(&text),
				      SLICE("sysrq: Show backtrace")));
}

/* Interrupts off: only the NMI is heard, and its panic names the place. */
static void lockup_is_diagnosed(void **state)
{
	_cleanup_(vm_closep) struct vm *vm = boot("test=lockup");
	_cleanup_(buf_deinit) struct buf text = {};

	must(vm_drain(vm, 1500));
	must(vm_diagnose(vm, &text));
	struct slice s = buf_as_slice(&text);
	assert_true(slice_has(s, SLICE("RIP=")));
	assert_false(slice_has(s, SLICE("sysrq: Show backtrace")));
	assert_true(slice_has(s, SLICE("lkdtm_HARDLOCKUP")));
}

static void flood_is_bounded(void **state)
{
	_cleanup_(vm_closep) struct vm *vm = boot("test=flood");
	_cleanup_(buf_deinit) struct buf text = {};
	long before = rss_kib();

	must(vm_drain(vm, 3000));
	uint64_t total = vm_console(vm, 0, &text);
	print_message("# %llu KiB of flood, %ld KiB more memory\n",
		      (unsigned long long)total / 1024, rss_kib() - before);
	assert_true(total > 10000);
	assert_true(text.len <= VM_HEAD_BYTES + 2 * VM_TAIL_BYTES + 70000);
	assert_true(rss_kib() - before < 40 * 1024);
}

static void missing_init_is_said(void **state)
{
	struct vm_config cfg = config(NULL);
	_cleanup_(vm_closep) struct vm *vm = NULL;
	struct vm_file script = { .path = "/init",
				  .data = SLICE("\177ELF nonsense"),
				  .mode = 0755 };

	cfg.nr_files = 0;
	must(vm_open(&cfg, &vm));
	must_fail(vm_boot(vm), ERR_BOOT, "/init");
	if (!is_uml) /* one boot is enough */
		return;
	vm_close(take_ptr(vm));
	cfg.files = &script;
	cfg.nr_files = 1;
	must(vm_open(&cfg, &vm));
	must_fail(vm_boot(vm), ERR_BOOT, "no program of this architecture");
}

static void no_serial_console_is_said(void **state)
{
	struct vm_config cfg = config("test=hang console=tty0 "
				      "8250.nr_uarts=0");
	_cleanup_(vm_closep) struct vm *vm = NULL;

	cfg.boot_timeout_ms = 6000;
	must(vm_open(&cfg, &vm));
	must_fail(vm_boot(vm), ERR_BOOT, "no serial console");
}

static void too_little_memory_is_said(void **state)
{
	struct vm_config cfg = config(NULL);
	_cleanup_(vm_closep) struct vm *vm = NULL;

	cfg.memory_mib = 24;
	cfg.boot_timeout_ms = 5000;
	must(vm_open(&cfg, &vm));
	must_fail(vm_boot(vm), ERR_BOOT, "too little memory");
}

/* QEMU would fail to map it, UML to get further than its first line. */
static void too_much_memory_is_refused(void **state)
{
	struct vm_config cfg = config(NULL);
	struct vm *vm;

	cfg.memory_mib = 100000000;
	must_fail(vm_open(&cfg, &vm), ERR_BOOT, "100000000 MiB of memory");
}

static void bad_arguments_are_quoted(void **state)
{
	struct vm_config cfg = config(NULL);
	_cleanup_(vm_closep) struct vm *vm = NULL;

	cfg.extra_args = "-device no-such-device";
	must(vm_open(&cfg, &vm));
	must_fail(vm_boot(vm), ERR_BOOT, "no-such-device");
}

static void snapshot_brings_it_back(void **state)
{
	_cleanup_(vm_closep) struct vm *vm = boot("test=echo");
	unsigned events;

	for (int i = 0; i < 100 && vm_inbox(vm).len < 5; i++)
		must(vm_poll(vm, 100, &events));
	must(vm_snapshot(vm));
	for (int round = 0; round < 4; round++) {
		must(vm_send(vm, "a", 1));
		for (int i = 0; i < 300 && !vm_inbox(vm).len; i++)
			must(vm_poll(vm, 100, &events));
		assert_true(slice_eq(vm_inbox(vm), SLICE("A")));
		kill(vm_pid(vm), SIGKILL);
		assert_int_equal(wait_death(vm, 10), VM_LOST);
		must(vm_boot(vm));
		print_message("# restored in %u ms\n", vm_boot_ms(vm));
	}
}

static bool find_kernel(const char *script)
{
	struct vm_qemu q;

	if (is_uml)
		return kernel_file(script, "uml-6.17/linux", kernel,
				   sizeof(kernel));
	vm_qemu_probe(NULL, &q);
	return q.usable &&
	       kernel_file(script, "x86-6.12/bzImage", kernel, sizeof(kernel));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest uml[] = {
		cmocka_unit_test(boots_and_shuts_down),
		cmocka_unit_test(messages_go_both_ways),
		cmocka_unit_test(crash_gets_its_title),
		cmocka_unit_test(panic_ends_the_machine),
		cmocka_unit_test(killed_machine_is_lost),
		cmocka_unit_test(killed_while_booting),
		cmocka_unit_test(silence_is_noticed_and_diagnosed),
		cmocka_unit_test(flood_is_bounded),
		cmocka_unit_test(missing_init_is_said),
		cmocka_unit_test(too_little_memory_is_said),
		cmocka_unit_test(too_much_memory_is_refused),
	};
	const struct CMUnitTest qemu[] = {
		cmocka_unit_test(boots_and_shuts_down),
		cmocka_unit_test(crash_gets_its_title),
		cmocka_unit_test(killed_while_booting),
		cmocka_unit_test(silence_is_noticed_and_diagnosed),
		cmocka_unit_test(missing_init_is_said),
		cmocka_unit_test(no_serial_console_is_said),
		cmocka_unit_test(too_little_memory_is_said),
		cmocka_unit_test(too_much_memory_is_refused),
		cmocka_unit_test(lockup_is_diagnosed),
		cmocka_unit_test(bad_arguments_are_quoted),
		cmocka_unit_test(snapshot_brings_it_back),
	};

	if (argc != 4)
		return 2;
	is_uml = !strcmp(argv[1], "uml");
	init = argv[2];
	if (!find_kernel(argv[3])) {
		puts("1..0 # SKIP no kernel or no QEMU");
		return 77;
	}
	return is_uml ? cmocka_run_group_tests(uml, NULL, NULL) :
			cmocka_run_group_tests(qemu, NULL, NULL);
}
