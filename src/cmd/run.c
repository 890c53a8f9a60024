/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.c - "bugon run": boot a kernel, run a program in it, report crashes. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/finding.h"
#include "cmd/guest.h"
#include "cmd/kernel_pick.h"
#include "cmd/payload.h"

enum {
	EXIT_CANNOT = 77,
	DEFAULT_TIMEOUT_S = 60,
	LINGER_MS = 200, /* what the kernel still prints behind an answer */
	DYING_MS = 3000, /* ... and when it is dying */
};

struct run_opts {
	const char *kernel, *vmlinux, *shell, *cmdline, *accel;
	unsigned timeout_s, memory_mib, cpus, repeat;
	bool console, json;
};

static const struct opt opts[] = {
	OPT(OPT_STR, 'k', "kernel", run_opts, kernel, "FILE|DIR|auto",
	    "the kernel to boot (bzImage or User Mode Linux), a directory with "
	    "one, or the best one found"),
	OPT(OPT_STR, 0, "vmlinux", run_opts, vmlinux, "FILE",
	    "the same kernel with debug information: adds source lines"),
	OPT(OPT_STR, 's', "shell", run_opts, shell, "FILE",
	    "run this static binary, script or C file (compiled on the fly) in "
	    "the guest; operands are its arguments"),
	OPT(OPT_UINT, 't', "timeout", run_opts, timeout_s, "S",
	    "kill the program after S seconds (60)"),
	OPT(OPT_UINT, 'n', "repeat", run_opts, repeat, "N",
	    "run it N times, in a fresh guest after each crash"),
	OPT(OPT_UINT, 'm', "memory", run_opts, memory_mib, "MIB",
	    "memory of the guest (512)"),
	OPT(OPT_UINT, 'c', "cpus", run_opts, cpus, "N",
	    "processors of the guest (1; User Mode Linux has one)"),
	OPT(OPT_STR, 'a', "accel", run_opts, accel, "KIND",
	    "kvm, tcg or auto (KVM if it is known to work)"),
	OPT(OPT_STR, 0, "cmdline", run_opts, cmdline, "TEXT",
	    "more for the kernel's command line"),
	OPT(OPT_FLAG, 'C', "console", run_opts, console, NULL,
	    "print the whole console as it comes"),
	OPT(OPT_FLAG, 'j', "json", run_opts, json, NULL,
	    "print a JSON array with an object per run"),
	OPT_END,
};

/* What one run needs and finds. */
struct run {
	const struct run_opts *opts;
	struct guest *guest;
	struct kernel_files files;
	struct buf argv; /* payload of WIRE_EXEC */
	struct json *array, *object; /* with --json */
	struct json *crashes;
	bool alive; /* the guest can run another one */
};

/* ---- output ---- */

static void show_console(void *ctx, struct slice text)
{
	fwrite(text.p, 1, text.len, stdout);
	fflush(stdout);
}

/* "[    1.234567] " or with a caller: what printk puts in front. */
static bool is_printk(struct slice line)
{
	size_t i = 1;

	if (!line.len || *line.p != '[')
		return false;
	while (i < line.len && (line.p[i] == ' ' || line.p[i] == '.' ||
				(line.p[i] >= '0' && line.p[i] <= '9')))
		i++;
	return i > 6 && i < line.len && line.p[i] == ']';
}

/* The console without the kernel's lines: what the program printed. */
static void program_output(struct slice text, struct buf *out)
{
	struct slice line;

	while (slice_line(&text, &line)) {
		if (line.len && line.p[line.len - 1] == '\r')
			line.len--;
		if (is_printk(line))
			continue;
		buf_slice(out, line);
		buf_char(out, '\n');
	}
}

static struct error *on_report(void *ctx, const struct report *r)
{
	struct run *run = ctx;
	struct finding f;

	finding_init(&f, r, &run->files);
	if (run->crashes)
		json_push(run->crashes, finding_to_json(&f, false));
	else
		finding_to_text(&f, false, stdout);
	finding_deinit(&f);
	return NULL;
}

/* The reports in the console; of a flood, in what was kept of each crash. */
static fallible print_reports(struct run *run)
{
	struct vm *vm = guest_vm(run->guest);
	_cleanup_(buf_deinit) struct buf text = {};
	size_t nr;

	vm_crashes(vm, &nr);
	if (!nr)
		return NULL;
	uint64_t total = vm_console(vm, 0, &text);
	if (total <= VM_HEAD_BYTES + VM_TAIL_BYTES)
		return report_parse(buf_as_slice(&text), on_report, run);
	for (size_t i = 0; i < nr; i++)
		TRY(report_parse(vm_crash_log(vm, i), on_report, run));
	return NULL;
}

static void describe(const struct wire_result *res, bool got,
		     const struct vm_death *death, unsigned timeout_s,
		     struct buf *out)
{
	if (got && res->head.status == WIRE_EXITED)
		buf_printf(out, "exited with status %d", res->head.code);
	else if (got && res->head.status == WIRE_DONE)
		buf_str(out, "exited with status 0");
	else if (got && res->head.status == WIRE_KILLED)
		buf_printf(out, "killed by signal %d (%s)", res->head.code,
			   strsignal(res->head.code));
	else if (got && res->head.status == WIRE_TIMEOUT)
		buf_printf(out, "killed after %u s", timeout_s);
	else if (got && res->head.status == WIRE_ERROR)
		buf_printf(out, "could not be run: %s",
			   strerror(res->head.code));
	else if (got)
		buf_printf(out, "was refused by the executor (%u)",
			   res->head.status);
	else if (death->kind)
		buf_printf(out, "did not end: %s", death->why);
	else
		buf_str(out, "did not end: the guest hangs");
}

static void print_run(struct run *run, struct slice console, const char *how)
{
	_cleanup_(buf_deinit) struct buf output = {};
	const struct vm *vm = guest_vm(run->guest);

	program_output(console, &output);
	if (run->object) {
		json_set(run->object, "machine",
			 json_text(slice_cstr(vm_machine(vm))));
		json_set(run->object, "boot_ms", json_int(vm_boot_ms(vm)));
		json_set(run->object, "result", json_text(slice_cstr(how)));
		json_set(run->object, "output",
			 json_text(buf_as_slice(&output)));
		return;
	}
	if (!run->opts->console)
		fwrite(buf_cstr(&output), 1, output.len, stdout);
	fflush(stdout);
	fprintf(stderr, "bugon run: %s %s\n", run->opts->shell, how);
}

/* ---- running ---- */

/* The guest is silent and did not answer: ask it, then give it up. */
static void diagnose(struct run *run, struct buf *console)
{
	struct error *err = vm_diagnose(guest_vm(run->guest), console);

	if (err)
		fprintf(stderr, "bugon run: %s\n", error_message(err));
	error_free(err);
}

static fallible run_once(struct run *run)
{
	const struct run_opts *o = run->opts;
	struct vm *vm = guest_vm(run->guest);
	_cleanup_(buf_deinit) struct buf ignored = {};
	_cleanup_(buf_deinit) struct buf console = {};
	_cleanup_(buf_deinit) struct buf how = {};
	struct wire_request req = { .kind = WIRE_EXEC,
				    .timeout_ms = o->timeout_s * 1000 };
	struct wire_result res;
	bool got;

	if (!run->alive) {
		TRY(guest_start(run->guest));
		if (!run->object)
			fprintf(stderr, "bugon run: %s booted in %u ms\n",
				vm_machine(vm), vm_boot_ms(vm));
	}
	uint64_t from = vm_console(vm, 0, &ignored);
	unsigned patience_ms =
		(o->timeout_s + 5) * 1000 * (vm_slowdown() / 100);
	TRY(guest_call(run->guest, &req, buf_as_slice(&run->argv), patience_ms,
		       &res, &got));
	TRY(vm_drain(vm, got ? LINGER_MS : DYING_MS));
	vm_console(vm, from, &console);
	if (!got && !vm_death(vm)->kind)
		diagnose(run, &console);
	describe(&res, got, vm_death(vm), o->timeout_s, &how);
	print_run(run, buf_as_slice(&console), buf_cstr(&how));
	size_t nr;
	vm_crashes(vm, &nr);
	run->alive = got && !vm_death(vm)->kind && !nr;
	return print_reports(run);
}

static fallible run_all(struct run *run)
{
	for (unsigned i = 0; i < run->opts->repeat; i++) {
		if (run->array) {
			run->object = json_object_new();
			run->crashes = json_array_new();
		}
		struct error *err = run_once(run);
		if (run->array) {
			json_set(run->object, "crashes", run->crashes);
			json_push(run->array, run->object);
		}
		TRY(err);
	}
	return run->array ? json_write(run->array, stdout) : NULL;
}

static fallible choose_accel(const char *name, enum vm_accel *out)
{
	if (!name || !strcmp(name, "auto"))
		*out = VM_ACCEL_AUTO;
	else if (!strcmp(name, "kvm"))
		*out = VM_ACCEL_KVM;
	else if (!strcmp(name, "tcg"))
		*out = VM_ACCEL_TCG;
	else
		return error_new(ERR_USAGE, "--accel is kvm, tcg or auto");
	return NULL;
}

static fallible open_symbols(const struct run_opts *o,
			     const struct kernel_pick *k,
			     struct symbols **symbols)
{
	const char *path = o->vmlinux  ? o->vmlinux :
			   *k->vmlinux ? k->vmlinux :
					 NULL;

	if (!path)
		return NULL;
	struct error *err = symbols_open(path, NULL, symbols);
	if (err && o->vmlinux)
		return err;
	error_free(err); /* a guess of ours that was wrong */
	return NULL;
}

/* "/bin/NAME" and the operands, each with its NUL. */
static void make_argv(const char *path, int argc, char **argv, struct buf *out)
{
	buf_add(out, path, strlen(path) + 1);
	for (int i = 0; i < argc; i++)
		buf_add(out, argv[i], strlen(argv[i]) + 1);
}

static fallible run_shell(const struct run_opts *o, int argc, char **argv)
{
	static const char path[] = "/bin/program";
	_cleanup_(buf_deinit) struct buf program = {};
	_cleanup_(symbols_closep) struct symbols *symbols = NULL;
	_cleanup_(guest_closep) struct guest *guest = NULL;
	_cleanup_(json_freep) struct json *array = NULL;
	struct vm_config cfg = VM_CONFIG_DEFAULT;
	struct kernel_pick kernel;
	struct run run = { .opts = o };

	TRY(choose_accel(o->accel, &cfg.accel));
	TRY(payload_load(o->shell, &program));
	TRY(kernel_pick(o->kernel, &kernel));
	TRY(open_symbols(o, &kernel, &symbols));
	struct vm_file file = { .path = path,
				.data = buf_as_slice(&program),
				.mode = 0755 };
	cfg.kernel = kernel.kernel;
	cfg.files = &file;
	cfg.nr_files = 1;
	cfg.cmdline = o->cmdline;
	cfg.cpus = o->cpus;
	cfg.memory_mib = o->memory_mib;
	if (o->console && !o->json)
		cfg.on_console = show_console;
	TRY(guest_open(&cfg, &guest));
	run.guest = guest;
	run.files.symbols = symbols;
	if (o->json)
		run.array = array = json_array_new();
	make_argv(path, argc, argv, &run.argv);
	struct error *err = run_all(&run);
	buf_deinit(&run.argv);
	return err;
}

static fallible run_run(const void *options, int argc, char **argv, int *status)
{
	struct run_opts o = *(const struct run_opts *)options;

	if (!o.shell)
		return error_new(ERR_USAGE, "name a program with --shell");
	o.timeout_s = o.timeout_s ? o.timeout_s : DEFAULT_TIMEOUT_S;
	o.memory_mib = o.memory_mib ? o.memory_mib : 512;
	o.cpus = o.cpus ? o.cpus : 1;
	o.repeat = o.repeat ? o.repeat : 1;
	if (o.timeout_s > 86400 || o.memory_mib < 64 || o.cpus > 256)
		return error_new(ERR_USAGE,
				 "--timeout is at most 86400, --memory at "
				 "least 64, --cpus at most 256");
	struct error *err = run_shell(&o, argc, argv);
	/* No QEMU, kernel or compiler here: the message says what to do. */
	if (err && error_kind(err) == ERR_NOT_FOUND) {
		fprintf(stderr, "bugon run: %s\n", error_message(err));
		error_free(err);
		*status = EXIT_CANNOT;
		return NULL;
	}
	return err;
}

const struct command cmd_run = {
	.name = "run",
	.args = "--shell FILE [ARG...]",
	.summary = "boot a kernel, run a program in it, report its crashes",
	.opts = opts,
	.opts_size = sizeof(struct run_opts),
	.run = run_run,
};
