/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The executor as an ordinary process (EXECUTOR=path), and the same as PID 1 of
 * a guest (and BOOT=command).  An argument is a pattern of the tests to run;
 * CONSOLE=1 shows the guest's console.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "executor_fixture.h"

static struct wire *w;
static pid_t pid;

static const struct wire_request plain = {};
static const struct wire_request keep = { .flags = WIRE_REQ_KEEP };
static const struct wire_request threads = { .flags = WIRE_REQ_THREADS };
static const struct wire_request keep_threads = { .flags = WIRE_REQ_KEEP |
							   WIRE_REQ_THREADS };
static const struct wire_request hasty = { .timeout_ms = 200 };
static const struct wire_request keep_hasty = { .flags = WIRE_REQ_KEEP,
						.timeout_ms = 200 };

static bool in_guest;
static int start(void **state)
{
	const char *exe = getenv("EXECUTOR"), *boot = getenv("BOOT");
	int fd = memfd_create("region", 0);

	if (!exe || fd < 0 || !mkdtemp(dir))
		return -1;
	in_guest = boot != NULL;
	MUST(wire_open(fd, &(struct wire_config){}, &w));
	pid = fork();
	if (!pid)
		start_child(exe, boot, fd);
	MUST(wire_wait_ready(w, 60000));
	return 0;
}

static int stop(void **state)
{
	char path[64];
	int status = 0;

	if (!w)
		return -1;
	wire_stop(w);
	waitpid(pid, &status, 0);
	wire_close(w);
	if (in_guest)
		unlink(strcat(strcpy(path, dir), "/init"));
	if (in_guest)
		unlink(strcat(strcpy(path, dir), "/initrd"));
	rmdir(dir);
	return status;
}

static void check_status(const struct wire_result *r, uint32_t status,
			 int32_t code)
{
	if (r->head.status != status || r->head.code != code)
		fail_msg("%s %d, not %s %d", wire_status_text(r->head.status),
			 r->head.code, wire_status_text(status), code);
}

static void cheap_calls(void **state)
{
	const struct wire_request *how[] = { &plain, &keep, &threads,
					     &keep_threads };

	for (size_t i = 0; i < ARRAY_LEN(how); i++) {
		struct wire_result r = run_text(
			w, "getpid()\ngetppid()\nread(0, &[8], 8)\nclose(77)\n",
			how[i]);

		check_status(&r, WIRE_DONE, 0);
		assert_int_equal(r.ncalls, 4);
		for (int c = 0; c < 4; c++)
			assert_int_equal(r.calls[c].flags,
					 WIRE_CALLED | WIRE_RETURNED);
		assert_true(r.calls[0].ret > 1);
		assert_int_equal(r.calls[1].ret, in_guest ? 1 : pid);
		assert_int_equal(r.calls[2].err, 0);
		assert_int_equal(r.calls[3].err, EBADF);
	}
}

/* The heap must not land in the programs' data area by chance. */
static void addresses_are_fixed(void **state)
{
	struct wire_result r = run_text(w, "personality(0xffffffff)\n", &plain);

	check_status(&r, WIRE_DONE, 0);
	assert_true(r.calls[0].ret & ADDR_NO_RANDOMIZE);
}

/* Bytes go in, results go round, values come out. */
static void data_flow(void **state)
{
	static const char text[] = "pipe2(&[8], 0)\n"
				   "*0x20800000 = 0x1122334455667788:8\n"
				   "pipe2(0x20800100, 0)\n"
				   "r0 = *0x20800100:4\n"
				   "r1 = *0x20800104:4\n"
				   "write(r1, \"hello\", 5)\n"
				   "r2 = read(r0, 0x20800200, 64)\n"
				   "r3 = memfd_create(\"x\\0\", 0)\n"
				   "write(r3, 0x20800200, r2)\n"
				   "lseek(r3, 4, 0)\n"
				   "*0x20800300 = r3:4\n"
				   "r4 = *0x20800300:4\n"
				   "read(r4, 0x20800400, 1)\n"
				   "r5 = *0x20800400:1\n"
				   "lseek(r3, r5, 0)\n"
				   "r6 = *0x20800000:2\n"
				   "lseek(r3, r6, 0)\n"
				   "lseek(r500, 0, 0)\n";
	const struct wire_request *how[] = { &plain, &keep };

	for (int i = 0; i < 2; i++) {
		struct wire_result r = run_text(w, text, how[i]);

		check_status(&r, WIRE_DONE, 0);
		assert_int_equal(r.ncalls, 11);
		assert_int_equal(r.calls[3].ret, 5);
		assert_int_equal(r.calls[5].ret, 5);
		assert_int_equal(r.calls[7].ret, 1);
		assert_int_equal(r.calls[8].ret, 'o');
		assert_int_equal(r.calls[9].ret, 0x7788);
		assert_int_equal(r.calls[10].err, EBADF);
	}
}

static void blocked_call_is_left_behind(void **state)
{
	static const char text[] = "pipe2(0x20800000, 0)\n"
				   "r0 = *0x20800000:4\n"
				   "r1 = *0x20800004:4\n"
				   "read(r0, 0x20800010, 8)\n"
				   "getpid()\n"
				   "write(r1, \"late\", 4)\n"
				   "getpid()\n";
	const struct wire_request *how[] = { &threads, &keep_threads };

	for (int i = 0; i < 2; i++) {
		struct wire_result r = run_text(w, text, how[i]);

		check_status(&r, WIRE_DONE, 0);
		assert_int_equal(r.calls[1].flags,
				 WIRE_CALLED | WIRE_BLOCKED | WIRE_RETURNED);
		assert_int_equal(r.calls[1].ret, 4);
		assert_int_equal(r.calls[4].flags, WIRE_CALLED | WIRE_RETURNED);
	}
}

/* Several calls that block for good, without and with (async). */
static void blocked_for_good(void **state)
{
	static const char pipe[] = "pipe2(0x20800000, 0)\n"
				   "r0 = *0x20800000:4\n";
	static const char text[] = "read(r0, 0x20800010, 8)\n"
				   "read(r0, 0x20800010, 8)\n"
				   "getpid()\n";
	static const char async[] = "read(r0, 0x20800010, 8) (async)\n"
				    "getpid()\n";
	struct wire_request req[] = { { .flags = WIRE_REQ_THREADS },
				      { .flags = WIRE_REQ_THREADS |
						 WIRE_REQ_KEEP } };
	char both[256];

	for (int i = 0; i < 2; i++) {
		snprintf(both, sizeof(both), "%s%s", pipe, text);
		struct wire_result r = run_text(w, both, &req[i]);

		check_status(&r, WIRE_DONE, 0);
		assert_int_equal(r.calls[1].flags, WIRE_CALLED | WIRE_BLOCKED);
		assert_int_equal(r.calls[2].flags, WIRE_CALLED | WIRE_BLOCKED);
		assert_int_equal(r.calls[3].flags, WIRE_CALLED | WIRE_RETURNED);
		/* Nobody waits for it: faster than the call's time-out. */
		snprintf(both, sizeof(both), "%s%s", pipe, async);
		req[i].call_timeout_ms = 300;
		r = run_text(w, both, &req[i]);
		check_status(&r, WIRE_DONE, 0);
		assert_int_equal(r.calls[1].flags, WIRE_CALLED | WIRE_BLOCKED);
		assert_int_equal(r.calls[2].flags, WIRE_CALLED | WIRE_RETURNED);
		assert_in_range(r.head.elapsed_ns, 0, 590000000);
	}
}

static void timeouts(void **state)
{
	const struct wire_request *how[] = { &hasty, &keep_hasty };

	for (int i = 0; i < 2; i++) {
		struct wire_result r = run_text(
			w, "getpid()\nppoll(0, 0, 0, 0)\ngetpid()\n", how[i]);

		check_status(&r, WIRE_TIMEOUT, 0);
		assert_int_equal(r.calls[0].flags, WIRE_CALLED | WIRE_RETURNED);
		assert_int_equal(r.calls[1].flags, WIRE_CALLED);
		assert_int_equal(r.calls[2].flags, 0);
		r = run_text(w, "getpid()\n", how[i]);
		check_status(&r, WIRE_DONE, 0);
	}
}

#define ANY -1

/* Programs that shoot their own process in every way. */
static void suicides(void **state)
{
	static const struct {
		const char *text;
		uint32_t status;
		int32_t code;
	} cases[] = {
		{ "exit_group(7)\n", WIRE_EXITED, 7 },
		{ "exit(9)\n", WIRE_EXITED, 9 },
		{ "r0 = getpid()\nkill(r0, 9)\n", WIRE_KILLED, SIGKILL },
		{ "r0 = getpid()\nkill(r0, 6)\n", WIRE_KILLED, SIGABRT },
		{ "munmap(0x400000, 0x1000000)\n", WIRE_KILLED, SIGSEGV },
		{ "munmap(0x10000, 0x50000000)\n", WIRE_KILLED, SIGSEGV },
		{ "rt_sigreturn()\n", WIRE_KILLED, ANY },
		{ "munmap(0x20000000, 0x1000000)\nwrite(1, \"x\", 1)\n",
		  WIRE_DONE, 0 },
		{ "close_range(0, -1, 0)\n", WIRE_DONE, 0 },
		{ "fork()\nvfork()\ngetpid()\n", WIRE_DONE, 0 },
		{ "clone(0x50f00, 0x20900000, 0, 0, 0)\ngetpid()\n", WIRE_DONE,
		  0 },
		{ "r0 = getpid()\nkill(r0, 15)\ngetpid()\n", WIRE_DONE, 0 },
		{ "execve(\"/bin/true\\0\", 0, 0)\n", WIRE_EXITED, 0 },
		{ "prlimit64(0, 7, \"\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
		  "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\", 0)\n"
		  "dup(0)\n",
		  WIRE_DONE, 0 },
	};
	const struct wire_request *how[] = { &plain, &keep };

	for (size_t i = 0; i < ARRAY_LEN(cases) * 2; i++) {
		struct wire_result r;

		if (in_guest && strstr(cases[i / 2].text, "execve"))
			continue; /* there is no binary */
		r = run_text(w, cases[i / 2].text, how[i % 2]);

		if (r.head.status != cases[i / 2].status ||
		    (r.head.code != cases[i / 2].code &&
		     cases[i / 2].code != ANY))
			fail_msg("%s: %s %d", cases[i / 2].text,
				 wire_status_text(r.head.status), r.head.code);
		r = run_text(w, "getpid()\n", how[i % 2]);
		check_status(&r, WIRE_DONE, 0);
	}
}

/* What one program does, the next must not see. */
static void reset(void **state)
{
	static const struct {
		const char *change, *look;
		int64_t ret;
	} cases[] = {
		{ "eventfd2(0, 0)\neventfd2(0, 0)\n", "eventfd2(0, 0)\n", 3 },
		{ "close(0)\nclose(1)\n", "dup(2)\n", 3 },
		{ "umask(077)\n", "umask(0)\n", 0 },
		{ "chdir(\"/proc\\0\")\n", "access(\"version\\0\", 0)\n",
		  -ENOENT },
		{ "mkdirat(-100, \"d\\0\", 0777)\n"
		  "r0 = openat(-100, \"d/f\\0\", 0x42, 0600)\n",
		  "access(\"d\\0\", 0)\n", -ENOENT },
		{ "mmap(0x30000000, 0x1000, 3, 0x32, -1, 0)\n",
		  "msync(0x30000000, 0x1000, 1)\n", -ENOMEM },
		{ "r0 = mmap(0x30000000, 0x1000, 3, 0x32, -1, 0)\n"
		  "mremap(r0, 0x1000, 0x1000, 3, 0x31000000)\n",
		  "msync(0x31000000, 0x1000, 1)\n", -ENOMEM },
		{ "munmap(0x20000000, 0x1000000)\n",
		  "msync(0x20000000, 0x1000000, 1)\n", 0 },
		{ "*0x20800000 = 0x41:8\n",
		  "r0 = *0x20800000:8\nmemfd_create(\"a\\0\", 0)\n"
		  "lseek(3, r0, 0)\n",
		  0 },
		{ "getrandom(&[64], 64, 0)\n",
		  "memfd_create(\"\\0\", 0)\nwrite(3, &[64], 64)\n"
		  "*0x20800000 = 0:8\nlseek(3, 0, 3)\n",
		  0 },
		{ "alarm(100)\n", "alarm(0)\n", 0 },
		{ "setuid(1000)\n", "getuid()\n", 0 },
		{ "setresuid(7, 7, 7)\n", "geteuid()\n", 0 },
		{ "rt_sigprocmask(0, \"\\x00\\x02\\x00\\x00\\x00\\x00\\x00\\x00"
		  "\", 0, 8)\n",
		  "rt_sigprocmask(0, 0, 0x20800000, 8)\n"
		  "r0 = *0x20800000:8\nmemfd_create(\"a\\0\", 0)\n"
		  "lseek(3, r0, 0)\n",
		  0 },
		{ "io_setup(4, 0x20800000)\n", "getpid()\n", -1 },
	};
	const struct wire_request *how[] = { &plain, &keep };

	if (geteuid())
		SKIP_TEST("not root: credentials do not change");
	for (size_t i = 0; i < ARRAY_LEN(cases) * 2; i++) {
		const char *look = cases[i / 2].look;
		int64_t want = cases[i / 2].ret, got;
		struct wire_result r;

		run_text(w, cases[i / 2].change, how[i % 2]);
		r = run_text(w, look, how[i % 2]);
		check_status(&r, WIRE_DONE, 0);
		got = (int64_t)r.calls[r.ncalls - 1].ret;
		if (got != want && want != -1)
			fail_msg("%safter\n%s%s: %lld, not %lld", look,
				 cases[i / 2].change, i % 2 ? "(kept)" : "",
				 (long long)got, (long long)want);
	}
}

static void put(struct buf *b, const void *p, size_t len)
{
	buf_add(b, p, len);
}
#define PUT(b, ...) put(b, &(__VA_ARGS__), sizeof(__VA_ARGS__))

/* A checksum, numbers as text, results of results: read back as offsets. */
static void computed(void **state)
{
	static const char bytes[16] = "\x45\x00\x00\x73\x00\x00\x40\x00";
	static const char tail[8] = "odd";
	const struct wire_request *how[] = { &plain, &keep };
	_cleanup_(buf_deinit) struct buf b = {};

	PUT(&b, (struct wire_insn){ .op = WIRE_COPYIN,
				    .result = WIRE_NO_RESULT,
				    .len = 16 });
	PUT(&b, bytes);
	PUT(&b, (struct wire_insn){ .op = WIRE_COPYIN,
				    .result = WIRE_NO_RESULT,
				    .len = 3,
				    .off = 0x100 });
	PUT(&b, tail);
	PUT(&b, (struct wire_insn){ .op = WIRE_CSUM,
				    .nargs = 2,
				    .result = WIRE_NO_RESULT,
				    .off = 0x20 });
	PUT(&b, (struct wire_chunk){ WIRE_CHUNK_DATA, 8, 0 });
	PUT(&b, (struct wire_chunk){ WIRE_CHUNK_DATA, 3, 0x100 });
	PUT(&b, (struct wire_insn){ .op = WIRE_COPYOUT,
				    .nargs = WIRE_BIG_ENDIAN,
				    .result = 0,
				    .len = 2,
				    .off = 0x20 });
	PUT(&b, (struct wire_insn){
			.op = WIRE_DERIVE, .result = 1, .from = 0, .off = 3 });
	PUT(&b, (struct wire_arg){ .value = 2 });
	PUT(&b, (struct wire_insn){ .op = WIRE_STORE,
				    .result = WIRE_NO_RESULT,
				    .off = 0x40 });
	PUT(&b, (struct wire_arg){ .kind = WIRE_RESULT,
				   .result = 1,
				   .size = 20,
				   .text = WIRE_DEC });
	PUT(&b, (struct wire_insn){
			.op = WIRE_COPYOUT, .result = 2, .len = 8, .off = 76 });
	PUT(&b, (struct wire_insn){
			.op = WIRE_DERIVE, .result = 4, .from = 3, .off = 3 });
	PUT(&b, (struct wire_arg){});
	for (uint16_t r = 0; r < 5; r++) {
		PUT(&b, (struct wire_insn){ .op = WIRE_CALL,
					    .nargs = 1,
					    .result = WIRE_NO_RESULT,
					    .nr = WIRE_PSEUDO +
						  WIRE_SYZ_CREATE_RESOURCE });
		PUT(&b, (struct wire_arg){ .kind = WIRE_RESULT,
					   .result = r,
					   .value = 99 });
	}
	PUT(&b, (struct wire_insn){ .op = WIRE_END });
	for (int i = 0; i < 2; i++) {
		struct wire_request req = *how[i];
		struct wire_result r;

		req.kind = WIRE_PROGRAM;
		MUST(wire_submit(w, &req, buf_as_slice(&b), NULL));
		MUST(wire_wait(w, 5000, &r));
		check_status(&r, WIRE_DONE, 0);
		/* 0x4500 + 0x0073 + 0x4000 + 0x6f64 + 0x6400 = 0x158d7 */
		assert_int_equal(r.calls[0].ret, 0xffff - 0x58d8);
		assert_int_equal(r.calls[1].ret, 0xa727 / 2 + 3);
		assert_memory_equal(&r.calls[2].ret, "00021398", 8);
		assert_int_equal(r.calls[3].ret, 99);
		assert_int_equal(r.calls[4].ret, 99);
	}
}

/* Pseudo-calls, with bad pointers, too; they leave nothing behind. */
static void pseudo_calls(void **state)
{
	static const char text[] =
		"syz_open_procfs(0, \"maps\\0\")\n"
		"syz_open_procfs(-1, 0x10)\n"
		"syz_open_dev(\"/dev/nul#\\0\", 0, 0)\n"
		"syz_memcpy_off(0x20800000, 8, \"0123456789abcdef\", 4, 8)\n"
		"r0 = *0x20800008:1\n"
		"syz_create_resource(r0)\n"
		"syz_memcpy_off(0x10, 0, 0x20800000, 0, 8)\n"
		"syz_genetlink_get_family_id(\"nlctrl\\0\", -1)\n"
		"syz_clone(0x11, 0, 0, 0, 0, 0)\n"
		"syz_clone3(0x10, 88)\n"
		"syz_pidfd_open(1, 0)\n"
		"syz_io_uring_submit(0x10, 0x20, 0x30, 0x40)\n"
		"syz_mount_image(\"ext4\\0\", \"m\\0\", 0, 0, 0, 8)\n"
		"syscall(0xffffffff)\n";
	static const int errs[] = { 0,	    EFAULT, ENOENT, 0,	    0,
				    EFAULT, 0,	    0,	    EFAULT, EINVAL,
				    EFAULT, EINVAL, ENOSYS };
	const struct wire_request *how[] = { &plain, &keep, &keep_threads };

	for (size_t i = 0; i < ARRAY_LEN(how); i++) {
		struct wire_result r = run_text(w, text, how[i]);

		check_status(&r, WIRE_DONE, 0);
		assert_int_equal(r.ncalls, ARRAY_LEN(errs));
		for (uint32_t c = 0; c < r.ncalls; c++)
			if (r.calls[c].err != errs[c])
				fail_msg("call %u: errno %d, not %d", c,
					 r.calls[c].err, errs[c]);
		assert_int_equal(r.calls[0].ret, 3);
		assert_int_equal(r.calls[4].ret, '4');
		assert_int_equal(r.calls[6].ret, 16);
	}
}

/* The tap device is there for programs that use it, and gone behind them. */
static void tap_device(void **state)
{
	static const char use[] =
		"syz_emit_ethernet(14, \"aaaaaabbbbbbzz\", 0)\n"
		"access(\"/sys/class/net/syz_tun\\0\", 0)\n";
	static const char look[] = "access(\"/sys/class/net/syz_tun\\0\", 0)\n";
	const struct wire_request *how[] = { &plain, &keep };

	if (!in_guest || !(wire_guest(w).pseudo >> WIRE_SYZ_EMIT_ETHERNET & 1))
		SKIP_TEST("no tap device, or not on this machine");
	for (int i = 0; i < 4; i++) {
		struct wire_result r = run_text(w, use, how[i % 2]);

		check_status(&r, WIRE_DONE, 0);
		assert_int_equal(r.calls[0].ret, 14);
		assert_int_equal(r.calls[1].err, 0);
		r = run_text(w, look, how[i % 2]);
		assert_int_equal(r.calls[0].err, ENOENT);
	}
}

static void invalid_requests(void **state)
{
	struct wire_request req = { .kind = WIRE_PROGRAM };
	struct wire_insn in[2] = { { .op = 77 } };
	struct wire_result r;

	MUST(wire_submit(w, &req, (struct slice){ (char *)in, sizeof(in) },
			 NULL));
	MUST(wire_wait(w, 5000, &r));
	check_status(&r, WIRE_INVALID, 0);
	in[0] = (struct wire_insn){ .op = WIRE_COPYIN, .len = 1u << 31 };
	MUST(wire_submit(w, &req, (struct slice){ (char *)in, sizeof(in) },
			 NULL));
	MUST(wire_wait(w, 5000, &r));
	check_status(&r, WIRE_INVALID, 0);
	/* No end. */
	in[0] = in[1] = (struct wire_insn){ .op = WIRE_CALL,
					    .result = WIRE_NO_RESULT,
					    .nr = 39 };
	MUST(wire_submit(w, &req, (struct slice){ (char *)in, sizeof(in) },
			 NULL));
	MUST(wire_wait(w, 5000, &r));
	check_status(&r, WIRE_INVALID, 32);
	req.kind = 999;
	MUST(wire_submit(w, &req, SLICE(""), NULL));
	MUST(wire_wait(w, 5000, &r));
	check_status(&r, WIRE_INVALID, 0);
}

static void binaries(void **state)
{
	struct wire_request req = { .kind = WIRE_EXEC, .timeout_ms = 300 };
	struct wire_result r;

	if (in_guest)
		SKIP_TEST("no binaries in this guest");
	MUST(wire_submit(w, &req, SLICE("/bin/sh\0-c\0exit 42\0"), NULL));
	MUST(wire_wait(w, 5000, &r));
	check_status(&r, WIRE_EXITED, 42);
	MUST(wire_submit(w, &req, SLICE("/nonexistent\0"), NULL));
	MUST(wire_wait(w, 5000, &r));
	check_status(&r, WIRE_ERROR, ENOENT);
	MUST(wire_submit(w, &req,
			 SLICE("/bin/sleep\0"
			       "100\0"),
			 NULL));
	MUST(wire_wait(w, 5000, &r));
	check_status(&r, WIRE_TIMEOUT, 0);
	MUST(wire_submit(w, &req, SLICE("/bin/sh\0-c\0kill -11 $$\0"), NULL));
	MUST(wire_wait(w, 5000, &r));
	check_status(&r, WIRE_KILLED, SIGSEGV);
}

static void files(void **state)
{
	char path[] = "/tmp/bugon-test-XXXXXX";
	struct wire_request req = { .kind = WIRE_FILE,
				    .mode = 0755,
				    .bulk_size = 20 };
	struct wire_result r;

	if (in_guest)
		SKIP_TEST("no shell in this guest");
	close(mkstemp(path));
	MUST(wire_bulk_write(w, 0, SLICE("#!/bin/sh\nexit 13\n\n\n")));
	MUST(wire_submit(w, &req, (struct slice){ path, sizeof(path) }, NULL));
	MUST(wire_wait(w, 5000, &r));
	check_status(&r, WIRE_DONE, 0);
	req = (struct wire_request){ .kind = WIRE_EXEC };
	MUST(wire_submit(w, &req, (struct slice){ path, sizeof(path) }, NULL));
	MUST(wire_wait(w, 5000, &r));
	unlink(path);
	check_status(&r, WIRE_EXITED, 13);
}

static uint32_t count_signals(const struct wire_result *r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->ncalls; i++)
		n += wire_signals(r, i).len;
	return n;
}

static const char open_text[] = "r0 = openat(-100, \"/dev/null\\0\", 2, 0)\n"
				"write(r0, \"x\", 1)\nclose(r0)\n";

/* Signals and PCs cross once; what the table has does not cross at all. */
static void check_coverage(uint32_t flags)
{
	struct wire_request req = { .flags = flags | WIRE_REQ_SIGNAL |
					     WIRE_REQ_COVER };
	struct wire_result r;
	uint32_t all, again;

	run_text(w, open_text, &req); /* caches warm up */
	req.flags |= WIRE_REQ_ALL_SIGNAL;
	r = run_text(w, open_text, &req);
	check_status(&r, WIRE_DONE, 0);
	all = count_signals(&r);
	assert_in_range(all, 100, 20000);
	for (uint32_t i = 0; i < r.ncalls; i++) {
		assert_in_range(wire_pcs(&r, i).len, 10, r.calls[i].trace_len);
		assert_true(wire_pcs(&r, i).data[0] > 0x60000000);
		wire_max_add(w, wire_signals(&r, i).data,
			     wire_signals(&r, i).len);
	}
	req.flags &= ~WIRE_REQ_ALL_SIGNAL;
	r = run_text(w, open_text, &req);
	again = count_signals(&r);
	print_message("# %u signals, %u of them new the next time\n", all,
		      again);
	assert_in_range(again, 0, all / 4);
	req.flags = (flags & WIRE_REQ_KEEP) | WIRE_REQ_CMP;
	r = run_text(w, open_text, &req);
	assert_in_range(wire_cmps(&r, 0).len, 20, 4096);
	assert_int_equal(count_signals(&r), 0);
}

static void coverage(void **state)
{
	if (!(wire_guest(w).features & WIRE_HAS_KCOV))
		SKIP_TEST("no KCOV here");
	/* Since Linux 5.5 whoever has one has the other. */
	assert_true(wire_guest(w).features & WIRE_HAS_KCOV_REMOTE);
	check_coverage(0);
	check_coverage(WIRE_REQ_KEEP);
}

/* A call that fills KCOV's buffer leaves room for the next ones. */
static void long_traces(void **state)
{
	struct wire_request req = { .flags = WIRE_REQ_COVER,
				    .timeout_ms = 20000 };
	struct wire_result r;

	if (!(wire_guest(w).features & WIRE_HAS_KCOV))
		SKIP_TEST("no KCOV here");
	for (int i = 0; i < 2; i++) {
		r = run_text(w,
			     "openat(-100, \"/nowhere\\0\", 0, 0)\n"
			     "openat(-100, \"/nowhere\\0\", 0, 0) "
			     "(rerun: 20000)\n"
			     "openat(-100, \"/nowhere\\0\", 0, 0)\n",
			     &req);
		check_status(&r, WIRE_DONE, 0);
		assert_in_range(wire_pcs(&r, 0).len, 50, 2000);
		assert_in_range(wire_pcs(&r, 1).len, 50, 2000);
		assert_in_range(wire_pcs(&r, 2).len, 50, 2000);
		assert_false(r.calls[0].flags & WIRE_COVER_FULL);
		assert_true(r.calls[1].flags & WIRE_COVER_FULL);
		assert_false(r.calls[2].flags & WIRE_COVER_FULL);
		req.flags |= WIRE_REQ_KEEP;
	}
}

/* Bring an image, set up a loop device, mount it, write: all in programs. */
static void mount_image(void **state)
{
	static const char text[] =
		"r0 = openat(-100, \"/tmp/ext4.img\\0\", 2, 0)\n"
		"r1 = openat(-100, \"/dev/loop0\\0\", 2, 0)\n"
		"ioctl(r1, 0x4c00, r0)\n"
		"mkdirat(-100, \"m\\0\", 0777)\n"
		"mount(\"/dev/loop0\\0\", \"m\\0\", \"ext4\\0\", 0, 0)\n"
		"r2 = openat(-100, \"m/new\\0\", 0x42, 0644)\n"
		"write(r2, \"hello\", 5)\n"
		"fsync(r2)\n";
	static char image[4 << 20];
	struct wire_request req = { .kind = WIRE_FILE, .mode = 0600 };
	const char *root = getenv("ROOT");
	struct wire_result r;
	char cmd[256];
	FILE *f;

	if (!in_guest)
		SKIP_TEST("not on this machine");
	snprintf(cmd, sizeof(cmd),
		 "zstd -dcq %s/../shared/kernel/images/ext4.img.zst",
		 root ? root : ".");
	f = popen(cmd, "r");
	req.bulk_size = (uint32_t)fread(image, 1, sizeof(image), f);
	if (pclose(f) || !req.bulk_size)
		SKIP_TEST("no image, or no zstd");
	MUST(wire_bulk_write(w, 0, (struct slice){ image, req.bulk_size }));
	MUST(wire_submit(w, &req, SLICE("/tmp/ext4.img\0"), NULL));
	MUST(wire_wait(w, 5000, &r));
	check_status(&r, WIRE_DONE, 0);
	/* Three times: the loop device and the mount must be gone again. */
	for (int turn = 0; turn < 3; turn++) {
		r = run_text(w, text,
			     &(struct wire_request){
				     .flags = WIRE_REQ_COVER |
					      (turn ? WIRE_REQ_KEEP : 0) });
		check_status(&r, WIRE_DONE, 0);
		for (uint32_t i = 0; i < r.ncalls; i++)
			if (r.calls[i].err)
				fail_msg("turn %d: call %u: errno %d", turn, i,
					 r.calls[i].err);
		assert_in_range(r.calls[4].trace_len, 5000, 1u << 20);
	}
	print_message("# mount: %u blocks, %u different\n",
		      r.calls[4].trace_len, wire_pcs(&r, 4).len);
}

static void sandboxes(void **state)
{
	struct wire_request req = { .sandbox = WIRE_SANDBOX_SETUID };
	struct wire_result r;

	if (!in_guest && geteuid())
		SKIP_TEST("not root");
	for (int i = 0; i < 2; i++) {
		r = run_text(w, "getuid()\ngetgid()\nchroot(\".\\0\")\n", &req);
		check_status(&r, WIRE_DONE, 0);
		assert_int_equal(r.calls[0].ret, 65534);
		assert_int_equal(r.calls[1].ret, 65534);
		assert_int_equal(r.calls[2].err, EPERM);
		req.flags = WIRE_REQ_KEEP;
	}
	if (!(wire_guest(w).features & WIRE_HAS_USERNS))
		SKIP_TEST("no user namespaces here");
	req.sandbox = WIRE_SANDBOX_NAMESPACE;
	r = run_text(w, "getuid()\nchroot(\".\\0\")\n", &req);
	check_status(&r, WIRE_DONE, 0);
	assert_int_equal(r.calls[0].ret, 0);
	assert_int_equal(r.calls[1].err, 0);
}

static void workers_are_reused(void **state)
{
	uint32_t before = wire_guest(w).workers, fresh;

	for (int i = 0; i < 20; i++)
		run_text(w, "getpid()\n", &plain);
	fresh = wire_guest(w).workers;
	assert_int_equal(fresh - before, 20);
	for (int i = 0; i < 200; i++)
		run_text(w, "getpid()\n", &keep_threads);
	assert_int_equal(wire_guest(w).workers - fresh, 1);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cheap_calls),
		cmocka_unit_test(addresses_are_fixed),
		cmocka_unit_test(data_flow),
		cmocka_unit_test(blocked_call_is_left_behind),
		cmocka_unit_test(blocked_for_good),
		cmocka_unit_test(timeouts),
		cmocka_unit_test(suicides),
		cmocka_unit_test(reset),
		cmocka_unit_test(computed),
		cmocka_unit_test(pseudo_calls),
		cmocka_unit_test(tap_device),
		cmocka_unit_test(invalid_requests),
		cmocka_unit_test(binaries),
		cmocka_unit_test(files),
		cmocka_unit_test(coverage),
		cmocka_unit_test(long_traces),
		cmocka_unit_test(mount_image),
		cmocka_unit_test(sandboxes),
		cmocka_unit_test(workers_are_reused),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, start, stop);
}
