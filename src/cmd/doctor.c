/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor.c - "bugon doctor": can this machine do the work? */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/io.h"
#include "cmd/cmd.h"
#include "cmd/kernel_config.h"
#include "cmd/kernel_pick.h"
#include "cmd/payload.h"
#include "guest/guest.h"
#include "vm/vm.h"
#include "json/json.h"

enum {
	TEXT_BYTES = 512,
	VM_MIB = 512, /* default memory of a guest */
	WANT_DISK_MIB = 4096,
};

struct doctor_opts {
	const char *kernel;
	bool json;
};

static const struct opt opts[] = {
	OPT(OPT_STR, 'k', "kernel", doctor_opts, kernel, "FILE|DIR",
	    "look at this kernel, too"),
	OPT(OPT_FLAG, 'j', "json", doctor_opts, json, NULL,
	    "print a JSON array of the findings"),
	OPT_END,
};

/* How bad it is. */
enum grade { GRADE_OK, GRADE_NOTE, GRADE_MISSING };

struct doctor {
	const struct doctor_opts *opts;
	struct json *array;
	unsigned nr_kernels, nr_missing;
	char x86_kernel[4096]; /* to try KVM with */
};

static const char *const grade_names[] = { "ok", "note", "missing" };

/* A finding; `cost` and `fix` are NULL or "" if there is none. */
static void say(struct doctor *d, enum grade grade, const char *what,
		const char *detail, const char *cost, const char *fix)
{
	const char *c = cost ? cost : "", *f = fix ? fix : "";

	d->nr_missing += grade == GRADE_MISSING;
	if (d->array) {
		struct json *o = json_object_new();

		json_set(o, "check", json_text(slice_cstr(what)));
		json_set(o, "grade", json_text(slice_cstr(grade_names[grade])));
		json_set(o, "detail", json_text(slice_cstr(detail)));
		json_set(o, "cost", json_text(slice_cstr(c)));
		json_set(o, "fix", json_text(slice_cstr(f)));
		json_push(d->array, o);
		return;
	}
	printf("%-8s %-14s %s\n", grade_names[grade], what, detail);
	if (*c)
		printf("%24s%s\n", "costs: ", c);
	if (*f)
		printf("%24s%s\n", "do: ", f);
	fflush(stdout);
}

static PRINTF(5, 6) void sayf(struct doctor *d, enum grade grade,
			      const char *what, const char *cost,
			      const char *fmt, ...)
{
	char detail[TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(detail, sizeof(detail), fmt, ap);
	va_end(ap);
	say(d, grade, what, detail, cost, NULL);
}

/* ---- machines ---- */

static void check_qemu(struct doctor *d)
{
	struct vm_qemu q;

	vm_qemu_probe(NULL, &q);
	if (q.usable)
		sayf(d, GRADE_OK, "qemu", NULL, "%s %u.%u", q.program, q.major,
		     q.minor);
	else
		say(d, GRADE_MISSING, "qemu", q.problem,
		    "only User Mode Linux kernels can be booted",
		    "apt install qemu-system-x86");
	const char *arm64 = getenv("BUGON_QEMU_ARM64");
	vm_qemu_probe(arm64 && *arm64 ? arm64 : "qemu-system-aarch64", &q);
	if (q.usable)
		sayf(d, GRADE_OK, "qemu arm64", NULL, "%s %u.%u", q.program,
		     q.major, q.minor);
	else
		say(d, GRADE_NOTE, "qemu arm64", q.problem, "no arm64 guests",
		    "apt install qemu-system-arm");
}

/* ---- bugon's own ---- */

/* A file of ours that was found at `path`, unless `err`, which is freed. */
static void check_own(struct doctor *d, const char *what, const char *path,
		      struct error *err, enum grade grade, const char *cost)
{
	if (err)
		say(d, grade, what, error_message(err), cost, NULL);
	else
		say(d, GRADE_OK, what, path, NULL, NULL);
	error_free(err);
}

static void check_own_files(struct doctor *d)
{
	char path[4096];
	struct error *err;

	err = guest_find_executor(WIRE_ARCH_X86_64, path, sizeof(path));
	check_own(d, "executor", path, err, GRADE_MISSING,
		  "nothing runs in x86-64 and User Mode Linux guests");
	err = guest_find_executor(WIRE_ARCH_ARM64, path, sizeof(path));
	check_own(d, "executor arm64", path, err, GRADE_NOTE,
		  "nothing runs in arm64 guests");
	err = guest_find_plugin(path, sizeof(path));
	check_own(d, "plugin", path, err, GRADE_NOTE,
		  "no coverage of kernels without KCOV");
}

static void check_kvm(struct doctor *d)
{
	const char *cost = "guests run under TCG, much slower";
	struct vm_kvm kvm;
	struct vm_qemu q;

	vm_qemu_probe(NULL, &q);
	vm_kvm_probe(q.program,
		     q.usable && *d->x86_kernel ? d->x86_kernel : NULL, &kvm);
	if (kvm.works)
		say(d, GRADE_OK, "kvm", "guests run", NULL, NULL);
	else if (!kvm.known)
		say(d, GRADE_NOTE, "kvm",
		    "not tried: needs QEMU and an x86 kernel", NULL,
		    "bugon doctor --kernel BZIMAGE");
	else if (strstr(kvm.why, "group kvm"))
		say(d, GRADE_NOTE, "kvm", kvm.why, cost,
		    "adduser $USER kvm, then log in again");
	else
		say(d, GRADE_NOTE, "kvm", kvm.why, cost,
		    "enable (nested) virtualization of this machine, or use a "
		    "User Mode Linux kernel");
}

/* ---- kernels ---- */

static void check_config(struct doctor *d, const struct kernel_pick *k,
			 const char *name)
{
	static const struct {
		const char *name;
		bool essential;
		const char *cost;
	} wanted[] = {
#define CONFIG(name, essential, cost) { #name, essential, cost },
#include "cmd/doctor.def"
#undef CONFIG
	};
	_cleanup_(buf_deinit) struct buf text = {};
	struct error *err =
		kernel_config_read(*k->config ? k->config : k->kernel, &text);

	if (err) {
		say(d, GRADE_NOTE, name,
		    "configuration unknown: no file \"config\" beside it and "
		    "none embedded",
		    NULL, NULL);
		error_free(err);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		char what[TEXT_BYTES];

		if (kernel_config_has(&text, wanted[i].name))
			continue;
		snprintf(what, sizeof(what), "built without CONFIG_%s",
			 wanted[i].name);
		say(d, wanted[i].essential ? GRADE_MISSING : GRADE_NOTE, name,
		    what, wanted[i].cost, NULL);
	}
}

static void check_kernel(void *ctx, const struct kernel_pick *k)
{
	struct doctor *d = ctx;
	struct vm_kernel kind;
	const char *slash = strrchr(k->kernel, '/');
	const char *name = slash ? slash + 1 : k->kernel;
	struct error *err = vm_kernel_identify(k->kernel, &kind);

	if (err || kind.kind == VM_KERNEL_UNKNOWN ||
	    kind.kind == VM_KERNEL_OTHER) {
		sayf(d, GRADE_NOTE, name, "it cannot be booted", "%s: %s",
		     k->kernel, err ? error_message(err) : kind.what);
		error_free(err);
		return;
	}
	d->nr_kernels++;
	if (kind.kind == VM_KERNEL_BZIMAGE && !*d->x86_kernel)
		snprintf(d->x86_kernel, sizeof(d->x86_kernel), "%s", k->kernel);
	sayf(d, GRADE_OK, name, NULL, "%s: %s%s%.40s%s", k->kernel, kind.what,
	     *kind.version ? ", " : "", kind.version,
	     *k->vmlinux ? "; with symbols" : "");
	check_config(d, k, name);
}

static fallible check_kernels(struct doctor *d)
{
	if (d->opts->kernel) {
		struct kernel_pick k;

		TRY(kernel_pick(d->opts->kernel, &k));
		check_kernel(d, &k);
	}
	kernel_pick_all(check_kernel, d);
	if (!d->nr_kernels)
		say(d, GRADE_MISSING, "kernel",
		    "none in $BUGON_KERNELS, the cache or /boot",
		    "nothing to boot until --kernel names one",
		    "bugon kernel fetch (coverage and KASAN need a kernel "
		    "built for it: bugon kernel build)");
	return NULL;
}

/* ---- the host ---- */

static unsigned long meminfo_mib(const char *key)
{
	_cleanup_(buf_deinit) struct buf b = {};
	struct error *err = io_read_file("/proc/meminfo", 65536, &b);
	const char *at = err ? NULL : strstr(buf_cstr(&b), key);

	error_free(err);
	return at ? strtoul(at + strlen(key), NULL, 10) / 1024 : 0;
}

static void check_memory(struct doctor *d)
{
	unsigned long total = meminfo_mib("MemTotal:");
	unsigned long free_mib = meminfo_mib("MemAvailable:");
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	sayf(d, free_mib >= 2 * VM_MIB ? GRADE_OK : GRADE_MISSING, "memory",
	     free_mib >= 2 * VM_MIB ? NULL : "guests will fail to start",
	     "%lu MiB free of %lu: about %lu guests of %d MiB", free_mib, total,
	     free_mib / VM_MIB, VM_MIB);
	sayf(d, GRADE_OK, "processors", NULL, "%ld, at %u %% of the usual time",
	     cpus, vm_slowdown());
}

static void check_space(struct doctor *d, const char *dir, unsigned long want,
			const char *cost)
{
	struct statvfs s;
	unsigned long mib = 0;

	if (statvfs(dir, &s) == 0)
		mib = (unsigned long)(s.f_bavail * s.f_frsize >> 20);
	sayf(d, mib >= want ? GRADE_OK : GRADE_NOTE, "disk",
	     mib >= want ? NULL : cost, "%s: %lu MiB free", dir, mib);
}

static void check_disk(struct doctor *d)
{
	const char *tmp = getenv("TMPDIR"), *home = getenv("HOME");

	check_space(d, home && *home ? home : "/", WANT_DISK_MIB,
		    "no room to build or keep kernels");
	check_space(d, tmp && *tmp ? tmp : "/tmp", 1024, "compiling may fail");
	check_space(d, "/dev/shm", VM_MIB,
		    "User Mode Linux guests find no room for their memory");
}

static bool in_path(const char *program, char *out, size_t size)
{
	const char *path = getenv("PATH");

	if (strchr(program, '/')) {
		snprintf(out, size, "%s", program);
		return access(program, X_OK) == 0;
	}
	for (const char *p = path; p && *p;) {
		size_t n = strcspn(p, ":");

		snprintf(out, size, "%.*s/%s", (int)MIN(n, (size_t)1024), p,
			 program);
		if (access(out, X_OK) == 0)
			return true;
		p += n + (p[n] == ':');
	}
	return false;
}

static void check_tool(struct doctor *d, const char *program, enum grade grade,
		       const char *cost, const char *package)
{
	char found[2048], fix[128];

	if (in_path(program, found, sizeof(found))) {
		sayf(d, GRADE_OK, program, NULL, "%.400s", found);
		return;
	}
	snprintf(fix, sizeof(fix), "apt install %s", package);
	say(d, grade, program, "not installed", cost, fix);
}

static void check_tools(struct doctor *d)
{
	static const struct {
		const char *program, *cost, *package;
	} wanted[] = {
		{ "gcc", "no kernel builds", "gcc libc6-dev" },
		{ "clang", "kernels cannot be built with clang (KMSAN, CFI)",
		  "clang" },
		{ "make", "no kernel builds", "make" },
		{ "flex", "no kernel builds", "flex libelf-dev libssl-dev" },
		{ "bison", "no kernel builds", "bison" },
		{ "bc", "no kernel builds", "bc" },
		{ "git", "no bisection", "git" },
	};
	const char *packages;
	const char *cc = payload_compiler(WIRE_ARCH_X86_64, &packages);

	check_tool(d, cc, GRADE_MISSING, "no C reproducers (bugon run --shell)",
		   packages);
	cc = payload_compiler(WIRE_ARCH_ARM64, &packages);
	check_tool(d, cc, GRADE_NOTE, "no C reproducers for arm64 guests",
		   packages);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		check_tool(d, wanted[i].program, GRADE_NOTE, wanted[i].cost,
			   wanted[i].package);
}

static fallible doctor_run(const void *options, int argc, char **argv,
			   int *status)
{
	struct doctor d = { .opts = options };
	_cleanup_(json_freep) struct json *array = NULL;

	if (argc)
		return error_new(ERR_USAGE, "no operands are expected");
	if (d.opts->json)
		d.array = array = json_array_new();
	check_own_files(&d);
	check_qemu(&d);
	TRY(check_kernels(&d));
	check_kvm(&d); /* tries it with a kernel from before */
	check_memory(&d);
	check_disk(&d);
	check_tools(&d);
	*status = d.nr_missing ? 1 : 0;
	return array ? json_write(array, stdout) : NULL;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.args = "",
	.summary =
		"say what this machine lacks, what that costs and what to do",
	.opts = opts,
	.opts_size = sizeof(struct doctor_opts),
	.run = doctor_run,
};
