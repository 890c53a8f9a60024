/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fake machine, the initramfs, kernel files, QMP text. */
#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm/console.h"
#include "vm/initramfs.h"
#include "vm/internal.h"
#include "vm/qmp.h"
#include "vm/vm.h"

#define KASAN                                                                  \
	"[    1.0] ========================================================\n" \
	"[    1.0] BUG: KASAN: slab-use-after-free in foo_bar+0x12/0x34\n"     \
	"[    1.0] Read of size 4 at addr ffff888004a8c810 by task a/1\n"      \
	"[    1.0] \n"                                                         \
	"[    1.0] CPU: 0 UID: 0 PID: 1 Comm: a Not tainted 6.12.0 #1\n"       \
	"[    1.0] Call Trace:\n"                                              \
	"[    1.0]  <TASK>\n"                                                  \
	"[    1.0]  dump_stack_lvl+0xb1/0xe0\n"                                \
	"[    1.0]  print_report+0xc7/0x620\n"                                 \
	"[    1.0]  kasan_report+0xdc/0x110\n"                                 \
	"[    1.0]  foo_bar+0x12/0x34\n"                                       \
	"[    1.0]  vfs_write+0x2b4/0xec0\n"                                   \
	"[    1.0]  do_syscall_64+0x3f/0xd0\n"                                 \
	"[    1.0]  </TASK>\n"                                                 \
	"[    1.0] \n"                                                         \
	"[    1.0] Allocated by task 1:\n"                                     \
	"[    1.0]  foo_alloc+0x1/0x2\n"                                       \
	"[    1.0] ========================================================\n"
#define KASAN_TITLE "KASAN: slab-use-after-free Read in foo_bar"

static void must(struct error *err)
{
	if (err)
		fail_msg("%s", error_message(err));
}

static void must_fail(struct error *err, enum error_kind kind, const char *with)
{
	assert_non_null(err);
	if (!strstr(error_message(err), with))
		fail_msg("\"%s\" lacks \"%s\"", error_message(err), with);
	assert_int_equal(error_kind(err), kind);
	error_free(err);
}

static struct vm *fake(const struct vm_fake_step *script)
{
	struct vm_config cfg = VM_CONFIG_DEFAULT;
	struct vm *vm;

	cfg.type = VM_FAKE;
	cfg.script = script;
	cfg.ready = "ready";
	cfg.silent_timeout_ms = 60000;
	must(vm_open(&cfg, &vm));
	return vm;
}

static unsigned poll_events(struct vm *vm, unsigned ms)
{
	unsigned events;

	must(vm_poll(vm, ms, &events));
	return events;
}

/* ---- the life of a guest ---- */

static void boots_and_talks(void **state)
{
	static const struct vm_fake_step script[] = {
		{ 100, VM_FAKE_CONSOLE, "[    0.1] booting\n", 0 },
		{ 200, VM_FAKE_MESSAGE, "ready", 0 },
		{ 0, VM_FAKE_ON_MESSAGE, NULL, 0 },
		{ 5, VM_FAKE_MESSAGE, "answer", 0 },
		{ 10, VM_FAKE_EXIT, NULL, 0 },
		{ 0, VM_FAKE_END, NULL, 0 },
	};
	_cleanup_(vm_closep) struct vm *vm = fake(script);

	for (int round = 0; round < 2; round++) {
		_cleanup_(buf_deinit) struct buf text = {};

		must(vm_boot(vm));
		assert_int_equal(vm_boot_ms(vm), 300);
		assert_int_equal(vm_console(vm, 0, &text), 18);
		assert_string_equal(buf_cstr(&text), "[    0.1] booting\n");
		assert_int_equal(poll_events(vm, 1000), 0);
		vm_inbox_consume(vm, 5);
		must(vm_send(vm, "go", 2));
		assert_int_equal(poll_events(vm, 1000), VM_EV_MESSAGE);
		assert_true(slice_eq(vm_inbox(vm), SLICE("answer")));
		assert_int_equal(poll_events(vm, 1000), VM_EV_DEATH);
		assert_int_equal(vm_death(vm)->kind, VM_SHUTDOWN);
		assert_int_equal(poll_events(vm, 1000), VM_EV_DEATH);
		must_fail(vm_send(vm, "go", 2), ERR_INFRA, "no messages");
	}
}

static void crash_is_seen(void **state)
{
	static const struct vm_fake_step script[] = {
		{ 10, VM_FAKE_CONSOLE, "ready\n", 0 },
		{ 50, VM_FAKE_CONSOLE, KASAN, 0 },
		{ 0, VM_FAKE_END, NULL, 0 },
	};
	_cleanup_(vm_closep) struct vm *vm = fake(script);
	size_t nr;

	must(vm_boot(vm));
	assert_int_equal(poll_events(vm, 1000) & VM_EV_CONSOLE, VM_EV_CONSOLE);
	while (!vm_death(vm)->kind)
		assert_true(poll_events(vm, 5000));
	assert_int_equal(vm_death(vm)->kind, VM_CRASHED);
	assert_string_equal(vm_death(vm)->why, KASAN_TITLE);
	const struct vm_crash *c = vm_crashes(vm, &nr);
	assert_int_equal(nr, 1);
	assert_string_equal(c->title, KASAN_TITLE);
	assert_true(slice_has(vm_crash_log(vm, 0), SLICE("foo_alloc")));
	assert_int_equal(vm_crash_log(vm, 1).len, 0);
	/* The next boot starts with a clean slate. */
	must(vm_boot(vm));
	assert_int_equal(vm_death(vm)->kind, VM_ALIVE);
	vm_crashes(vm, &nr);
	assert_int_equal(nr, 0);
}

/* A splat on the way is nobody's fault who comes later, and no end either. */
static void boot_splats_are_no_deaths(void **state)
{
	static const struct vm_fake_step script[] = {
		{ 10, VM_FAKE_CONSOLE, KASAN, 0 },
		{ 5000, VM_FAKE_CONSOLE, "[    2.0] up\n", 0 },
		{ 10, VM_FAKE_MESSAGE, "ready", 0 },
		{ 0, VM_FAKE_ON_MESSAGE, NULL, 0 },
		{ 50, VM_FAKE_CONSOLE, KASAN, 0 },
		{ 0, VM_FAKE_END, NULL, 0 },
	};
	_cleanup_(vm_closep) struct vm *vm = fake(script);
	size_t nr;

	for (int round = 0; round < 2; round++) {
		must(vm_boot(vm));
		assert_int_equal(vm_death(vm)->kind, VM_ALIVE);
		vm_crashes(vm, &nr);
		assert_int_equal(nr, 0);
		assert_string_equal(vm_boot_crashes(vm, &nr)->title,
				    KASAN_TITLE);
		assert_int_equal(nr, 1);
		assert_int_equal(vm_boot_end(vm), vm->console.total);
		assert_int_equal(poll_events(vm, 5000), 0);
		must(vm_send(vm, "go", 2));
		while (!vm_death(vm)->kind)
			assert_true(poll_events(vm, 5000));
		assert_int_equal(vm_death(vm)->kind, VM_CRASHED);
		const struct vm_crash *c = vm_crashes(vm, &nr);
		assert_int_equal(nr, 1);
		assert_true(c->start >= vm_boot_end(vm));
		assert_true(slice_has(vm_crash_log(vm, 0), SLICE("foo_alloc")));
		assert_int_equal(vm_crash_log(vm, 1).len, 0);
		vm_boot_crashes(vm, &nr);
		assert_int_equal(nr, 1);
	}
}

/* However many there were, those of a program are still seen. */
static void boot_splats_leave_room(void **state)
{
	static const struct vm_fake_step script[] = {
		{ 10, VM_FAKE_FLOOD, KASAN, 2 * VM_MAX_CRASHES },
		{ 10, VM_FAKE_MESSAGE, "ready", 0 },
		{ 50, VM_FAKE_CONSOLE, KASAN, 0 },
		{ 0, VM_FAKE_END, NULL, 0 },
	};
	_cleanup_(vm_closep) struct vm *vm = fake(script);
	size_t nr;

	must(vm_boot(vm));
	vm_boot_crashes(vm, &nr);
	assert_int_equal(nr, VM_MAX_CRASHES / 2);
	for (int n = 0; n < 100 && !vm_death(vm)->kind; n++)
		poll_events(vm, 5000);
	assert_int_equal(vm_death(vm)->kind, VM_CRASHED);
	vm_crashes(vm, &nr);
	assert_int_equal(nr, 1);
}

/* A panic is the end, even of a machine that then stays. */
static void boot_panic_is_fatal(void **state)
{
	static const struct vm_fake_step script[] = {
		{ 10, VM_FAKE_CONSOLE,
		  "[    1.0] Kernel panic - not syncing: the moon is full\n"
		  "[    1.0] CPU: 0 PID: 1 Comm: swapper Not tainted 6.12.0\n"
		  "[    1.0] Call Trace:\n"
		  "[    1.0]  <TASK>\n"
		  "[    1.0]  panic+0x1/0x2\n"
		  "[    1.0]  moon_init+0x1/0x2\n"
		  "[    1.0]  </TASK>\n"
		  "[    1.0] ---[ end Kernel panic - not syncing: the moon is "
		  "full ]---\n",
		  0 },
		{ 9000, VM_FAKE_CONSOLE, "ready\n", 0 },
		{ 0, VM_FAKE_END, NULL, 0 },
	};
	_cleanup_(vm_closep) struct vm *vm = fake(script);

	must_fail(vm_boot(vm), ERR_BOOT, "the moon is full");
	assert_int_equal(vm_death(vm)->kind, VM_CRASHED);
}

static void deaths_are_told_apart(void **state)
{
	static const struct {
		struct vm_fake_step last;
		enum vm_death_kind kind;
		const char *why;
	} rows[] = {
		{ { 1, VM_FAKE_EXIT, NULL, 0 }, VM_SHUTDOWN, "powered off" },
		{ { 1, VM_FAKE_EXIT, NULL, 3 }, VM_EXITED, "status 3" },
		{ { 1, VM_FAKE_SIGNAL, NULL, SIGABRT }, VM_EXITED, "aborted" },
		{ { 1, VM_FAKE_SIGNAL, NULL, SIGKILL }, VM_LOST, "killed" },
		{ { 1, VM_FAKE_SIGNAL, NULL, SIGSEGV }, VM_EXITED, "signal 11" },
		{ { 1, VM_FAKE_END, NULL, 0 }, VM_SILENT, "no output" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct vm_fake_step script[] = {
			{ 10, VM_FAKE_CONSOLE, "ready\n", 0 },
			rows[i].last,
			{ 0, VM_FAKE_END, NULL, 0 },
		};
		_cleanup_(vm_closep) struct vm *vm = fake(script);

		must(vm_boot(vm));
		for (int n = 0; n < 200 && !vm_death(vm)->kind; n++)
			poll_events(vm, 1000);
		assert_int_equal(vm_death(vm)->kind, rows[i].kind);
		assert_non_null(strstr(vm_death(vm)->why, rows[i].why));
	}
}

static void broken_machine_is_an_error(void **state)
{
	static const struct vm_fake_step script[] = {
		{ 10, VM_FAKE_CONSOLE, "ready\n", 0 },
		{ 10, VM_FAKE_FAIL, "the disk is full", 0 },
		{ 0, VM_FAKE_END, NULL, 0 },
	};
	_cleanup_(vm_closep) struct vm *vm = fake(script);
	unsigned events;

	must(vm_boot(vm));
	must_fail(vm_poll(vm, 1000, &events), ERR_INFRA, "the disk is full");
}

static void failed_boots_are_explained(void **state)
{
	static const struct {
		const char *console, *why;
	} rows[] = {
		{ "Kernel panic - not syncing: No working init found.  Try",
		  "no /init was found" },
		{ "Failed to execute /init (error -2)\nKernel panic - not "
		  "syncing: Requested init /init failed (error -2).",
		  "interpreter is missing" },
		{ "Failed to execute /init (error -8)\n", "architecture" },
		{ "Kernel panic - not syncing: VFS: Unable to mount root fs on "
		  "unknown-block(0,0)",
		  "CONFIG_BLK_DEV_INITRD" },
		{ "Kernel panic - not syncing: Attempted to kill init! "
		  "exitcode=0x00000100",
		  "/init died" },
		{ "[ 0.1] Kernel panic - not syncing: the moon is full\n",
		  "panic at start: [ 0.1] Kernel panic - not syncing: the moon" },
		{ KASAN, "did not report within 10 s" },
		{ KASAN, "it had reported: " KASAN_TITLE },
		{ "all is well\nlast words\n", "\"last words\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct vm_fake_step script[] = {
			{ 10, VM_FAKE_CONSOLE, rows[i].console, 0 },
			{ 0, VM_FAKE_END, NULL, 0 },
		};
		_cleanup_(vm_closep) struct vm *vm = fake(script);

		must_fail(vm_boot(vm), ERR_BOOT, rows[i].why);
	}
}

/* A boot that fails now and then does so the same way for the same seed. */
static void dice_are_seeded(void **state)
{
	static const struct vm_fake_step script[] = {
		{ 10, VM_FAKE_MAYBE, NULL, 50 },
		{ 10, VM_FAKE_EXIT, NULL, 1 },
		{ 10, VM_FAKE_CONSOLE, "ready\n", 0 },
		{ 0, VM_FAKE_END, NULL, 0 },
	};
	unsigned seen[2][2] = { 0 };

	for (int again = 0; again < 2; again++) {
		_cleanup_(vm_closep) struct vm *vm = fake(script);

		for (unsigned i = 0; i < 64; i++) {
			struct error *err = vm_boot(vm);

			seen[again][0] += err ? i : 0;
			seen[again][1] += !err;
			error_free(err);
		}
	}
	assert_int_equal(seen[0][0], seen[1][0]);
	assert_in_range(seen[0][1], 16, 48);
}

/* ---- the console ---- */

static void flood_is_bounded(void **state)
{
	static const struct vm_fake_step script[] = {
		{ 1, VM_FAKE_CONSOLE, "ready\n" KASAN, 0 },
		{ 2000, VM_FAKE_FLOOD, "sixteen letters\n", 4 * 1024 * 1024 },
		{ 1, VM_FAKE_CONSOLE, "the very end\n", 0 },
		{ 0, VM_FAKE_END, NULL, 0 },
	};
	_cleanup_(vm_closep) struct vm *vm = fake(script);
	_cleanup_(buf_deinit) struct buf text = {};

	must(vm_boot(vm));
	must(vm_drain(vm, 10000));
	uint64_t total = vm_console(vm, 0, &text);
	assert_true(total > 64 * 1024 * 1024);
	assert_true(text.len < VM_HEAD_BYTES + 2 * VM_TAIL_BYTES + 70000);
	assert_true(text.len > VM_HEAD_BYTES + VM_TAIL_BYTES);
	struct slice s = buf_as_slice(&text);
	assert_true(slice_starts(s, SLICE("ready\n[    1.0] ===")));
	assert_true(slice_has(s, SLICE(" bytes dropped]\n")));
	assert_true(slice_ends(s, SLICE("letters\nthe very end\n")));
	assert_true(slice_has(vm_crash_log(vm, 0), SLICE("foo_alloc")));
}

static void console_continues_at_an_offset(void **state)
{
	struct console c = {};
	char line[32];
	uint64_t at = 0;
	size_t sum = 0;

	console_reset(&c);
	for (int i = 0; i < 300000; i++) {
		_cleanup_(buf_deinit) struct buf piece = {};

		snprintf(line, sizeof(line), "line %d\n", i);
		console_add(&c, slice_cstr(line));
		if (i % 3)
			continue;
		at = console_read(&c, at, &piece);
		sum += piece.len;
		assert_true(slice_ends(buf_as_slice(&piece), slice_cstr(line)));
	}
	_cleanup_(buf_deinit) struct buf rest = {};
	at = console_read(&c, at, &rest);
	assert_int_equal(sum + rest.len, at);
	assert_int_equal(at, c.total);
	console_deinit(&c);
}

/* ---- files ---- */

/* What cpio -itv or our own reader would find; offsets are checked, too. */
struct member {
	unsigned mode, size, major, minor;
	const char *name, *data;
};

static unsigned field(const char *header, unsigned i)
{
	char hex[9] = { 0 };

	memcpy(hex, header + 6 + i * 8, 8);
	return (unsigned)strtoul(hex, NULL, 16);
}

static size_t next_member(const struct buf *b, size_t at, struct member *m)
{
	const char *h = b->data + at;

	assert_true(at + 110 < b->len);
	assert_memory_equal(h, "070701", 6);
	*m = (struct member){ .mode = field(h, 1),
			      .size = field(h, 6),
			      .major = field(h, 9),
			      .minor = field(h, 10),
			      .name = h + 110 };
	assert_int_equal(strlen(m->name) + 1, field(h, 11));
	at = (at + 110 + field(h, 11) + 3) & ~3ul;
	m->data = b->data + at;
	return (at + m->size + 3) & ~3ul;
}

static void initramfs_reads_back(void **state)
{
	_cleanup_(buf_deinit) struct buf b = {};
	struct member m;
	unsigned seen = 0;
	size_t at = 0;

	initramfs_begin(&b);
	must(initramfs_add(&b, &(struct vm_file){ .path = "/usr/lib/x",
						  .data = SLICE("12345"),
						  .mode = 0640 }));
	must(initramfs_add(&b, &(struct vm_file){ .path = "empty" }));
	initramfs_end(&b);
	assert_int_equal(b.len % 512, 0);
	for (;;) {
		at = next_member(&b, at, &m);
		if (!strcmp(m.name, "TRAILER!!!"))
			break;
		if (!strcmp(m.name, "dev/console")) {
			assert_int_equal(m.mode, S_IFCHR | 0600);
			assert_int_equal(m.major * 1000 + m.minor, 5001);
			seen |= 1;
		} else if (!strcmp(m.name, "usr") ||
			   !strcmp(m.name, "usr/lib")) {
			assert_int_equal(m.mode, S_IFDIR | 0755);
			seen |= m.name[3] ? 2 : 4;
		} else if (!strcmp(m.name, "usr/lib/x")) {
			assert_int_equal(m.mode, S_IFREG | 0640);
			assert_int_equal(m.size, 5);
			assert_memory_equal(m.data, "12345", 5);
			assert_int_equal(seen & 6, 6); /* parents first */
			seen |= 8;
		}
	}
	assert_int_equal(seen, 15);
}

/* cpio itself agrees. */
static void initramfs_is_cpio(void **state)
{
	_cleanup_(buf_deinit) struct buf b = {};
	char path[] = "/tmp/test-cpio-XXXXXX", cmd[128], line[256];
	unsigned lines = 0;
	int fd = mkstemp(path);

	if (system("cpio --version >/dev/null 2>&1") != 0)
		SKIP_TEST("no cpio");
	initramfs_begin(&b);
	must(initramfs_add(&b, &(struct vm_file){ .path = "/bin/self",
						  .host = "/proc/self/exe",
						  .mode = 0755 }));
	initramfs_end(&b);
	assert_int_equal(write(fd, b.data, b.len), b.len);
	close(fd);
	snprintf(cmd, sizeof(cmd), "cpio -it <%s 2>/dev/null", path);
	FILE *f = popen(cmd, "re");
	while (fgets(line, sizeof(line), f))
		lines++;
	assert_int_equal(pclose(f), 0);
	assert_int_equal(lines, 8);
	unlink(path);
}

static void initramfs_refuses(void **state)
{
	_cleanup_(buf_deinit) struct buf b = {};
	char deep[INITRAMFS_MAX_PATH + 8];

	memset(deep, 'x', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	const struct {
		struct vm_file f;
		enum error_kind kind;
		const char *why;
	} rows[] = {
		{ { .path = "/" }, ERR_INPUT, "empty" },
		{ { .path = "a/../../b" }, ERR_INPUT, ".." },
		{ { .path = ".." }, ERR_INPUT, ".." },
		{ { .path = deep }, ERR_INPUT, "too long" },
		{ { .path = "x", .host = "/nowhere" },
		  ERR_NOT_FOUND,
		  "no such" },
		{ { .path = "x", .host = "/tmp" }, ERR_INPUT, "directory" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		must_fail(initramfs_add(&b, &rows[i].f), rows[i].kind,
			  rows[i].why);
	assert_int_equal(b.len, 0);
	must(initramfs_add(&b, &(struct vm_file){ .path = "..ok/..." }));
}

static void kernels_are_told_apart(void **state)
{
	char text[64] = "#!/bin/sh\necho hello\n", arm[4096] = "MZ";
	char bz[8192] = "MZ", old[4096] = { 1, 2, 3 };
	const struct {
		const char *data;
		size_t len;
		enum vm_kernel_kind kind;
		const char *what;
	} rows[] = {
		{ text, strlen(text), VM_KERNEL_UNKNOWN, "text file" },
		{ arm, sizeof(arm), VM_KERNEL_ARM64, "arm64 Image" },
		{ bz, sizeof(bz), VM_KERNEL_BZIMAGE, "x86 bzImage" },
		{ old, sizeof(old), VM_KERNEL_UNKNOWN, "unknown" },
		{ "", 0, VM_KERNEL_UNKNOWN, "empty file" },
		{ "\x1f\x8b\x08gzip", 7, VM_KERNEL_OTHER, "gzip" },
		{ "\177ELF\1\1", 6, VM_KERNEL_UNKNOWN, "unknown" },
	};
	char path[] = "/tmp/test-kernel-XXXXXX";
	int fd = mkstemp(path);
	struct vm_kernel k;

	memcpy(arm + 0x38, "ARM\x64", 4);
	memcpy(bz + 0x1fe, "\x55\xaaxxHdrS", 8);
	memcpy(bz + 0x20e, "\x00\x10", 2);
	strcpy(bz + 0x1200, "6.12.0-test (me)");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, rows[i].data, rows[i].len, 0),
				 rows[i].len);
		must(vm_kernel_identify(path, &k));
		assert_int_equal(k.kind, rows[i].kind);
		assert_non_null(strstr(k.what, rows[i].what));
		if (k.kind == VM_KERNEL_BZIMAGE)
			assert_string_equal(k.version, "6.12.0-test (me)");
	}
	close(fd);
	unlink(path);
	must(vm_kernel_identify("/proc/self/exe", &k));
	assert_int_equal(k.kind, VM_KERNEL_OTHER);
	must_fail(vm_kernel_identify("/nowhere", &k), ERR_NOT_FOUND, "no such");
}

static void open_refuses_what_cannot_boot(void **state)
{
	struct vm_config cfg = VM_CONFIG_DEFAULT;
	struct vm *vm;

	cfg.kernel = "/proc/self/exe";
	must_fail(vm_open(&cfg, &vm), ERR_BOOT, "not a kernel");
	cfg.type = VM_UML;
	must_fail(vm_open(&cfg, &vm), ERR_BOOT, "not a User Mode Linux");
	cfg.kernel = "/nowhere";
	must_fail(vm_open(&cfg, &vm), ERR_NOT_FOUND, "/nowhere");
}

static void qemu_is_probed(void **state)
{
	struct vm_qemu q;

	vm_qemu_probe("/nowhere/qemu", &q);
	assert_false(q.usable);
	assert_non_null(strstr(q.problem, "/nowhere/qemu"));
	vm_qemu_probe("/bin/true", &q);
	assert_false(q.usable);
	assert_non_null(strstr(q.problem, "no QEMU"));
}

static void fake_qemu(const char *path, const char *does)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fprintf(f,
		"#!/bin/sh\ncase $1 in --version) echo QEMU emulator version "
		"7.2.0; exit;; esac\n%s\n",
		does);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0755), 0);
}

/* A verdict is for one file of QEMU, and silence is none. */
static void kvm_verdicts_are_kept_apart(void **state)
{
	char dir[] = "/tmp/test-kvm-XXXXXX", one[64], two[64], kept[64];
	struct vm_kvm v;

	vm_kvm_probe("/nowhere", NULL, &v);
	if (v.known)
		SKIP_TEST("no /dev/kvm to open");
	assert_non_null(mkdtemp(dir));
	setenv("XDG_CACHE_HOME", dir, 1);
	snprintf(one, sizeof(one), "%s/one", dir);
	snprintf(two, sizeof(two), "%s/two", dir);
	snprintf(kept, sizeof(kept), "%s/bugon/kvm", dir);
	fake_qemu(one, "exit 0");
	fake_qemu(two, "exit 0");
	vm_kvm_probe(one, "kernel", &v);
	assert_true(v.known && !v.works);
	vm_kvm_probe(one, NULL, &v);
	assert_false(v.known);
	fake_qemu(one, "echo it is broken");
	vm_kvm_probe(one, "kernel", &v);
	vm_kvm_probe(one, NULL, &v);
	assert_true(v.known && !v.works);
	assert_string_equal(v.why, "QEMU fails: it is broken");
	vm_kvm_probe(two, NULL, &v);
	assert_false(v.known);
	fake_qemu(one, "echo it was replaced");
	vm_kvm_probe(one, NULL, &v);
	assert_false(v.known);
	unlink(kept);
	unlink(one);
	unlink(two);
	*strrchr(kept, '/') = '\0';
	rmdir(kept);
	assert_int_equal(rmdir(dir), 0);
	unsetenv("XDG_CACHE_HOME");
}

static void qmp_text_is_unescaped(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "a\\r\\nb\\\"\\\\", "a\r\nb\"\\" },
		{ "\\u0041\\u00e4", "A?" },
		{ "\\u12", "u12" }, /* cut short */
		{ "tail\\", "tail\\" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_(buf_deinit) struct buf b = {};

		qmp_unescape(slice_cstr(rows[i].in), &b);
		assert_string_equal(buf_cstr(&b), rows[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boots_and_talks),
		cmocka_unit_test(crash_is_seen),
		cmocka_unit_test(boot_splats_are_no_deaths),
		cmocka_unit_test(boot_splats_leave_room),
		cmocka_unit_test(boot_panic_is_fatal),
		cmocka_unit_test(deaths_are_told_apart),
		cmocka_unit_test(broken_machine_is_an_error),
		cmocka_unit_test(failed_boots_are_explained),
		cmocka_unit_test(dice_are_seeded),
		cmocka_unit_test(flood_is_bounded),
		cmocka_unit_test(console_continues_at_an_offset),
		cmocka_unit_test(initramfs_reads_back),
		cmocka_unit_test(initramfs_is_cpio),
		cmocka_unit_test(initramfs_refuses),
		cmocka_unit_test(kernels_are_told_apart),
		cmocka_unit_test(open_refuses_what_cannot_boot),
		cmocka_unit_test(qemu_is_probed),
		cmocka_unit_test(kvm_verdicts_are_kept_apart),
		cmocka_unit_test(qmp_text_is_unescaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
