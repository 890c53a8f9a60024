/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * coverage.c - QEMU's plugin against KCOV, on one kernel that has both.
 *
 *	coverage KERNEL-FILE.SH
 *
 * The same programs run with either; the plugin must see at least 95 % of the
 * functions that KCOV sees.  It sees more: KCOV leaves out the scheduler, lib/
 * and its own entry.  And it must hear next to nothing of interrupts: a program
 * that is run again and again brings hardly any new signal.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../kernel_file.h"
#include "base/vec.h"
#include "guest/guest.h"
#include "raw/raw.h"

enum {
	EXIT_SKIP = 77,
	ANSWER_MS = 60000,
	MIN_RECALL = 95, /* percent */
	WARM_UP = 300, /* runs, then as many that count the news */
	REPEATS = 1000,
};

static const char *const programs[] = {
	"r0 = openat(-100, \"/proc/self/status\\0\", 0, 0)\n"
	"read(r0, &[512], 512)\nlseek(r0, 0, 0)\nclose(r0)\n"
	"openat(-100, \"/nowhere\\0\", 0, 0)\n",

	"r0 = openat(-100, \"file\\0\", 0x42, 0x1a4)\n"
	"write(r0, \"hello\", 5)\nfsync(r0)\nftruncate(r0, 10000)\n"
	"fallocate(r0, 0, 0, 65536)\nfstat(r0, &[256])\nflock(r0, 2)\n"
	"mmap(0x20900000, 8192, 3, 1, r0, 0)\n"
	"*0x20900000 = \"dirty\"\nmsync(0x20900000, 4096, 4)\n"
	"fsetxattr(r0, \"user.x\\0\", \"value\", 5, 0)\n"
	"linkat(-100, \"file\\0\", -100, \"other\\0\", 0)\n"
	"renameat2(-100, \"file\\0\", -100, \"third\\0\", 0)\n"
	"unlinkat(-100, \"other\\0\", 0)\n",

	"r0 = socket(2, 1, 0)\nbind(r0, \"\\x02\\0\\x30\\x39\\x7f\\0\\0\\x01"
	"\\0\\0\\0\\0\\0\\0\\0\\0\", 16)\nlisten(r0, 5)\n"
	"setsockopt(r0, 1, 2, \"\\x01\\0\\0\\0\", 4)\n"
	"r1 = socket(2, 2, 0)\nsendto(r1, \"datagram\", 8, 0x40, "
	"\"\\x02\\0\\x30\\x3a\\x7f\\0\\0\\x01\\0\\0\\0\\0\\0\\0\\0\\0\", 16)\n"
	"r2 = socket(16, 3, 0)\nr3 = socket(1, 1, 0)\n"
	"getsockname(r0, &[16], \"\\x10\\0\\0\\0\")\nshutdown(r0, 2)\n",

	"r0 = epoll_create1(0)\nr1 = eventfd2(1, 0)\n"
	"epoll_ctl(r0, 1, r1, \"\\x01\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\")\n"
	"epoll_pwait(r0, &[64], 4, 0, 0, 8)\nr2 = timerfd_create(1, 0)\n"
	"timerfd_settime(r2, 0, \"\\0\\0\\0\\0\\0\\0\\0\\0\\x01\\0\\0\\0\\0\\0\\0"
	"\\0\\x01\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\", 0)\n"
	"r3 = signalfd4(-1, \"\\0\\0\\0\\0\\0\\0\\0\\x01\", 8, 0)\n"
	"r4 = inotify_init1(0)\ninotify_add_watch(r4, \"/tmp\\0\", 0xfff)\n",

	"mkdirat(-100, \"d\\0\", 0x1ff)\n"
	"mount(\"none\\0\", \"d\\0\", \"tmpfs\\0\", 0, 0)\n"
	"r0 = openat(-100, \"d/x\\0\", 0x42, 0x1ff)\nwrite(r0, \"x\", 1)\n"
	"statfs(\"d\\0\", &[128])\nclose(r0)\numount2(\"d\\0\", 0)\n",

	"mmap(0x20900000, 65536, 3, 0x32, -1, 0)\n"
	"*0x20900000 = \"touch\"\nmprotect(0x20900000, 4096, 1)\n"
	"madvise(0x20900000, 65536, 4)\n"
	"mremap(0x20904000, 4096, 8192, 1, 0)\nmlock(0x20908000, 4096)\n"
	"munmap(0x20900000, 65536)\nbrk(0)\n",

	"r0 = io_uring_setup(8, &[120])\nio_uring_enter(r0, 1, 0, 0, 0, 0)\n"
	"io_setup(4, &[8])\nr1 = memfd_create(\"m\\0\", 3)\n"
	"fcntl(r1, 1033, 15)\nr2 = userfaultfd(0)\n",

	"pipe2(&[8], 0)\nr0 = shmget(0, 4096, 0x3ff)\nshmat(r0, 0, 0)\n"
	"r1 = msgget(0, 0x3ff)\nmsgsnd(r1, \"\\x01\\0\\0\\0\\0\\0\\0\\0x\", 1, 0)\n"
	"msgrcv(r1, &[16], 1, 0, 0)\nr2 = semget(0, 1, 0x3ff)\n"
	"semctl(r2, 0, 0)\nshmctl(r0, 0, 0)\nmsgctl(r1, 0, 0)\n",

	"add_key(\"user\\0\", \"k\\0\", \"v\", 1, -2)\n"
	"prctl(15, \"name\\0\")\nprctl(22, 0)\nfutex(0x20900000, 1, 1, 0, 0, 0)\n"
	"sched_yield()\ngetrandom(&[16], 16, 0)\nuname(&[512])\nsysinfo(&[128])\n"
	"getrusage(0, &[256])\nclock_gettime(0, &[16])\ntimes(&[32])\n"
	"nanosleep(\"\\0\\0\\0\\0\\0\\0\\0\\0\\x40\\x42\\x0f\\0\\0\\0\\0\\0\", 0)\n"
	"kill(0, 0)\ngetdents64(-1, &[8], 8)\nioctl(1, 0x5401, &[64])\n",
};

typedef VEC(uint64_t) u64_vec;

struct symbol {
	uint64_t address;
	char name[64];
};
typedef VEC(struct symbol) symbol_vec;

struct state {
	char kernel[512];
	symbol_vec symbols;
	/* by source: which functions, of `symbols` */
	bool *seen[2];
	size_t nr_pcs[2];
};

static void must(struct error *err)
{
	if (err)
		fail_msg("%s", error_message(err));
}

/* ---- functions ---- */

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static bool load_symbols(const char *vmlinux, symbol_vec *out)
{
	char cmd[600];
	struct symbol s;
	char type;

	snprintf(cmd, sizeof(cmd), "nm '%s'", vmlinux);
	FILE *f = popen(cmd, "re");
	if (!f)
		return false;
	char line[512];
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%" SCNx64 " %c %63s", &s.address, &type,
			   s.name) == 3 &&
		    strchr("tTwW", type))
			vec_push(out, s);
	if (pclose(f) || !out->len)
		return false;
	qsort(out->data, out->len, sizeof(*out->data), by_address);
	return true;
}

/* The function that `pc` is in, or -1; of several at one address the first. */
static long function_of(const symbol_vec *t, uint64_t pc)
{
	size_t low = 0, high = t->len;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (t->data[mid].address <= pc)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return -1;
	for (low--; low && t->data[low - 1].address == t->data[low].address;)
		low--;
	return (long)low;
}

/* ---- running ---- */

static struct guest *start(const struct state *s, enum wire_cover_source source)
{
	struct guest_cover cover = { .source = source,
				     .plugin = source == WIRE_COVER_PLUGIN };
	struct vm_config cfg = VM_CONFIG_DEFAULT;
	struct guest *g;

	cfg.kernel = s->kernel;
	cfg.accel = VM_ACCEL_TCG;
	must(guest_open(&cfg, &cover, GUEST_LINK_AUTO, &g));
	must(guest_start(g));
	assert_int_equal(guest_cover_source(g), source);
	return g;
}

static void call(struct guest *g, const char *text, uint32_t flags,
		 struct wire_result *res)
{
	_cleanup_(raw_freep) struct raw *p = NULL;
	_cleanup_(buf_deinit) struct buf payload = {};
	struct wire_request req = { .kind = WIRE_PROGRAM, .flags = flags };
	bool got;

	must(raw_parse("test", slice_cstr(text), RAW_X86_64, &p));
	raw_encode(p, &payload);
	must(guest_call(g, &req, buf_as_slice(&payload), ANSWER_MS, res, &got));
	if (!got)
		fail_msg("no answer: %s", vm_death(guest_vm(g))->why);
	assert_int_equal(res->head.status, WIRE_DONE);
	assert_false(res->head.flags & WIRE_RESP_TRUNCATED);
}

static void collect(struct state *s, enum wire_cover_source source)
{
	_cleanup_(guest_closep) struct guest *g = start(s, source);
	int at = source == WIRE_COVER_PLUGIN;

	s->seen[at] = calloc(s->symbols.len, sizeof(bool));
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		struct wire_result res;

		call(g, programs[i], WIRE_REQ_COVER, &res);
		for (uint32_t c = 0; c < res.ncalls; c++) {
			struct wire_u64s pcs = wire_pcs(&res, c);

			assert_true(pcs.len);
			assert_false(res.calls[c].flags & WIRE_COVER_FULL);
			s->nr_pcs[at] += pcs.len;
			for (uint32_t k = 0; k < pcs.len; k++) {
				long f = function_of(&s->symbols, pcs.data[k]);

				if (f >= 0)
					s->seen[at][f] = true;
			}
		}
	}
}

/* ---- tests ---- */

static void test_recall(void **state)
{
	struct state *s = *state;
	size_t kcov = 0, plugin = 0, both = 0;

	collect(s, WIRE_COVER_KCOV);
	collect(s, WIRE_COVER_PLUGIN);
	for (size_t i = 0; i < s->symbols.len; i++) {
		kcov += s->seen[0][i];
		plugin += s->seen[1][i];
		both += s->seen[0][i] && s->seen[1][i];
		if (s->seen[0][i] && !s->seen[1][i])
			printf("# only by KCOV: %s\n", s->symbols.data[i].name);
	}
	printf("# functions: KCOV %zu, plugin %zu, both %zu: recall %.1f %%; "
	       "PCs: %zu and %zu\n",
	       kcov, plugin, both, 100.0 * (double)both / (double)kcov,
	       s->nr_pcs[0], s->nr_pcs[1]);
	assert_true(kcov > 500);
	assert_true(both * 100 >= kcov * MIN_RECALL);
	free(s->seen[0]);
	free(s->seen[1]);
}

/* Runs of one program that brought anything new, once all should be known. */
static unsigned noise(struct state *s, enum wire_cover_source source,
		      size_t *signals)
{
	_cleanup_(guest_closep) struct guest *g = start(s, source);
	unsigned runs = 0;

	*signals = 0;
	for (unsigned i = 0; i < WARM_UP + REPEATS; i++) {
		struct wire_result res;
		size_t news = 0;

		call(g, programs[0],
		     WIRE_REQ_SIGNAL | WIRE_REQ_KEEP | WIRE_REQ_THREADS, &res);
		for (uint32_t c = 0; c < res.ncalls; c++) {
			struct wire_u32s u = wire_signals(&res, c);

			wire_max_add(guest_wire(g), u.data, u.len);
			news += u.len;
		}
		if (i >= WARM_UP) {
			runs += news > 0;
			*signals += news;
		}
	}
	return runs;
}

static void test_noise(void **state)
{
	static const enum wire_cover_source of[] = { WIRE_COVER_KCOV,
						     WIRE_COVER_PLUGIN };
	unsigned runs[2];

	for (int i = 0; i < 2; i++) {
		size_t signals;

		runs[i] = noise(*state, of[i], &signals);
		printf("# %s: %u of %u runs of a known program brought %zu new "
		       "signals\n",
		       i ? "plugin" : "KCOV", runs[i], REPEATS, signals);
	}
	assert_true(runs[1] <= REPEATS / 10);
}

int main(int argc, char **argv)
{
	static struct state s;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(test_recall, &s),
		cmocka_unit_test_prestate(test_noise, &s),
	};
	struct vm_qemu qemu;
	char vmlinux[512];

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2)
		return 2;
	vm_qemu_probe(NULL, &qemu);
	if (!qemu.usable) {
		printf("1..0 # SKIP %s\n", qemu.problem);
		return EXIT_SKIP;
	}
	if (!kernel_file(argv[1], "x86-6.12/bzImage", s.kernel,
			 sizeof(s.kernel)) ||
	    !kernel_file(argv[1], "x86-6.12/vmlinux", vmlinux,
			 sizeof(vmlinux)) ||
	    !load_symbols(vmlinux, &s.symbols)) {
		printf("1..0 # SKIP no x86-6.12 in ../shared/kernel, or no "
		       "nm\n");
		return EXIT_SKIP;
	}
	int failed = cmocka_run_group_tests_name("coverage", tests, NULL, NULL);

	vec_free(&s.symbols);
	return failed;
}
