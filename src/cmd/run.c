/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run.c - "bugon run": boot a kernel, run a program in it, report crashes. */
#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/child.h"
#include "cmd/accel.h"
#include "cmd/cmd.h"
#include "cmd/coverage.h"
#include "cmd/descriptions.h"
#include "cmd/diagnosis.h"
#include "cmd/finding.h"
#include "cmd/kernel_pick.h"
#include "cmd/payload.h"
#include "cmd/run_files.h"
#include "cmd/run_job.h"
#include "guest/guest.h"

enum {
	EXIT_CANNOT = 77,
	DEFAULT_TIMEOUT_S = 60,
	LINGER_MS = 200, /* what the kernel still prints behind an answer */
	DYING_MS = 3000, /* ... and when it is dying */
	ANSWER_MS = 5000, /* beyond the program's own timeout */
};

struct run_opts {
	const char *kernel, *vmlinux, *shell, *cmdline, *accel, *cover;
	const char *sandbox, *coverage, *link, *descriptions;
	struct opt_list files;
	unsigned timeout_s, memory_mib, cpus, repeat;
	bool console, json, repair;
};

static const struct opt opts[] = {
	OPT(OPT_STR, 'k', "kernel", run_opts, kernel, "FILE|DIR|NAME|auto",
	    "the kernel to boot (bzImage, arm64 Image or User Mode Linux), a "
	    "directory with one, one of the cache, or the best one found"),
	OPT(OPT_STR, 0, "vmlinux", run_opts, vmlinux, "FILE",
	    "the same kernel with debug information: adds source lines"),
	OPT(OPT_STR, 's', "shell", run_opts, shell, "FILE",
	    "run this static binary, script or C file (compiled on the fly) in "
	    "the guest; operands are its arguments"),
	OPT(OPT_STR, 'd', "descriptions", run_opts, descriptions, "DIR",
	    "use the descriptions of DIR (*.txt, *.const), not ours"),
	OPT(OPT_FLAG, 'r', "repair", run_opts, repair, NULL,
	    "make programs of other descriptions fit"),
	OPT(OPT_LIST, 'f', "file", run_opts, files, "FILE[:PATH]",
	    "put this file into the guest, as PATH or by its own name in /; "
	    "up to 14 times"),
	OPT(OPT_STR, 0, "sandbox", run_opts, sandbox, "KIND",
	    "run as root (none), as nobody (setuid), or as root of a user "
	    "namespace (namespace)"),
	OPT(OPT_STR, 0, "cover", run_opts, cover, "FILE",
	    "write the kernel's program counters that the programs covered"),
	OPT(OPT_STR, 0, "coverage", run_opts, coverage, "KIND",
	    "where coverage comes from: kcov (the kernel), plugin (QEMU, by "
	    "TCG), none, or auto (kcov; with --cover also plugin)"),
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
	OPT(OPT_STR, 0, "link", run_opts, link, "KIND",
	    "how to talk to the guest: serial, or auto (shared memory if the "
	    "guest can)"),
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
	FILE *cover_file; /* of --cover, as it was until the end; or NULL */
	struct pc_set pcs; /* for it */
	struct json *array, *object; /* with --json */
	struct json *crashes;
	struct guest_cover cover;
	bool alive; /* the guest can run another one */
	bool again; /* the same program runs next */
	bool boot_reported; /* what the kernel said at its start */
	bool told; /* `object` says how the run went */
	bool many; /* several runs: a snapshot may pay */
};

/* ---- output ---- */

static void show_console(void *ctx, struct slice text)
{
	fwrite(text.p, 1, text.len, stdout);
	fflush(stdout);
}

/* "[    1.234567]": what printk puts in front (kernel/printk/printk.c). */
static bool is_printk(struct slice text)
{
	enum { SECONDS = 5, MICROSECONDS = 6 };
	size_t i = 1, dot;

	if (!text.len || *text.p != '[')
		return false;
	while (i < text.len && text.p[i] == ' ')
		i++;
	while (i < text.len && isdigit((unsigned char)text.p[i]))
		i++;
	dot = i++;
	while (i < text.len && isdigit((unsigned char)text.p[i]))
		i++;
	return dot >= 1 + SECONDS && i == dot + 1 + MICROSECONDS &&
	       i < text.len && text.p[dot] == '.' && text.p[i] == ']';
}

/*
 * The console without the kernel's lines: what the program printed.  A line of
 * the kernel's begins anywhere: it does not wait for the program's newline.
 */
static void program_output(struct slice text, struct buf *out)
{
	struct slice line;

	while (text.len) {
		if (is_printk(text)) {
			slice_line(&text, &line);
			continue;
		}
		if (!slice_starts(text, SLICE("\r\n")))
			buf_char(out, *text.p);
		text = slice_from(text, 1);
	}
	if (out->len && out->data[out->len - 1] != '\n')
		buf_char(out, '\n');
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

/* What the kernel reported while it booted, once and as nobody's fault. */
static fallible print_boot_reports(struct run *run)
{
	struct vm *vm = guest_vm(run->guest);
	_cleanup_(buf_deinit) struct buf text = {};
	struct json *crashes = run->crashes;
	size_t nr;

	vm_boot_crashes(vm, &nr);
	if (!nr || run->boot_reported)
		return NULL;
	run->boot_reported = true;
	vm_console(vm, 0, &text);
	struct slice boot = buf_as_slice(&text);
	boot.len = MIN(boot.len, (size_t)vm_boot_end(vm));
	if (run->object)
		run->crashes = json_array_new();
	else
		fprintf(stderr, "bugon run: while it booted, before any "
				"program, the kernel reported:\n");
	struct error *err = report_parse(boot, on_report, run);
	fflush(stdout);
	if (run->object) {
		json_set(run->object, "boot_crashes", run->crashes);
		run->told = true;
	}
	run->crashes = crashes;
	return err;
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
	uint64_t total = vm_console(vm, vm_boot_end(vm), &text);
	if (total <= VM_HEAD_BYTES + VM_TAIL_BYTES)
		return report_parse(buf_as_slice(&text), on_report, run);
	for (size_t i = 0; i < nr; i++)
		TRY(report_parse(vm_crash_log(vm, i), on_report, run));
	return NULL;
}

static void describe(const struct run_job *job, const struct wire_result *res,
		     bool got, const struct vm_death *death, struct buf *out)
{
	if (got)
		run_job_describe(job, res, out);
	else if (death->kind)
		buf_printf(out, "did not end: %s", death->why);
	else
		buf_str(out, "did not end: the guest hangs");
}

static void run_to_json(struct run *run, const struct run_job *job,
			const struct wire_result *res, struct slice output,
			const char *how)
{
	const struct vm *vm = guest_vm(run->guest);
	struct json *o = run->object;

	run->told = true;
	json_set(o, "program", json_text(slice_cstr(job->name)));
	json_set(o, "machine", json_text(slice_cstr(vm_machine(vm))));
	json_set(o, "boot_ms", json_int(vm_boot_ms(vm)));
	json_set(o, "link", json_text(slice_cstr(guest_link_name(run->guest))));
	json_set(o, "result", json_text(slice_cstr(how)));
	json_set(o, "coverage",
		 json_text(slice_cstr(
			 coverage_name(guest_cover_source(run->guest)))));
	json_set(o, "output", json_text(output));
	if (job->prog)
		json_set(o, "calls",
			 res ? run_job_calls_to_json(job, res) : json_none());
	if (job->prog)
		json_set(o, "background_pcs",
			 json_int(res ? run_job_extra_pcs(res) : 0));
}

/* `res` is NULL if the guest did not answer. */
static void print_run(struct run *run, const struct run_job *job,
		      const struct wire_result *res, struct slice console,
		      const char *how)
{
	_cleanup_(buf_deinit) struct buf output = {};

	program_output(console, &output);
	if (run->object) {
		run_to_json(run, job, res, buf_as_slice(&output), how);
		return;
	}
	if (!run->opts->console)
		fwrite(buf_cstr(&output), 1, output.len, stdout);
	if (res && job->prog)
		run_job_calls_to_text(job, res, stdout);
	fflush(stdout);
	if (!res || run_job_ran(res))
		fprintf(stderr, "bugon run: %s %s\n", job->name, how);
}

/* ---- running ---- */

/*
 * The guest is silent and did not answer: ask it, then give it up.  What it
 * prints then, we provoked: it is the diagnosis and no report.
 */
static void diagnose(struct run *run)
{
	_cleanup_(buf_deinit) struct buf out = {};
	struct error *err =
		diagnosis_take(guest_vm(run->guest), run->files.symbols, &out);

	if (err)
		fprintf(stderr, "bugon run: %s\n", error_message(err));
	error_free(err);
	if (run->object)
		json_set(run->object, "diagnosis",
			 json_text(buf_as_slice(&out)));
	else
		printf("DIAGNOSIS:\n%s", buf_cstr(&out));
}

static fallible check_sandbox(const struct run *run, uint32_t sandbox)
{
	struct wire_guest w = wire_guest(guest_wire(run->guest));

	if (sandbox != WIRE_SANDBOX_NAMESPACE || w.features & WIRE_HAS_USERNS)
		return NULL;
	return error_new(ERR_INPUT,
			 "--sandbox namespace: this kernel lets nobody make "
			 "user namespaces: it needs CONFIG_USER_NS");
}

static fallible start_guest(struct run *run, uint32_t sandbox)
{
	struct vm *vm = guest_vm(run->guest);

	if (run->alive)
		return NULL;
	struct error *failed = guest_start(run->guest);
	struct error *said = print_boot_reports(run);
	if (failed)
		error_free(said);
	TRY(failed ? failed : said);
	TRY(check_sandbox(run, sandbox));
	if (run->many) {
		struct error *err = guest_snapshot(run->guest);

		run->many = false;
		/* Not every machine can: UML boots fast enough. */
		if (err && error_kind(err) != ERR_NOT_FOUND)
			return err;
		error_free(err);
	}
	if (!run->object)
		fprintf(stderr, "bugon run: %s booted in %u ms; link: %s\n",
			vm_machine(vm), vm_boot_ms(vm),
			guest_link_name(run->guest));
	return coverage_check(&run->cover, guest_cover_source(run->guest),
			      run->opts->cover != NULL, !run->object);
}

/* Calls that this kernel or bugon cannot do: the others run all the same. */
static void say_unsupported(struct run *run, const struct run_job *job)
{
	_cleanup_(buf_deinit) struct buf names = {};
	uint64_t pseudo = wire_guest(guest_wire(run->guest)).pseudo;

	run_job_unsupported(job, pseudo, &names);
	if (run->object)
		json_set(run->object, "unsupported",
			 json_text(buf_as_slice(&names)));
	else if (names.len)
		fprintf(stderr,
			"bugon run: %s: not supported by this kernel or by "
			"bugon: %s\n",
			job->name, buf_cstr(&names));
}

/*
 * What the kernel still prints behind an answer.  Before the same program runs
 * again nobody waits for it: then it is that run's, whose reports are the same.
 */
static fallible linger(struct run *run, bool got)
{
	struct vm *vm = guest_vm(run->guest);
	size_t nr;

	if (!got || !run->again)
		return vm_drain(vm, got ? LINGER_MS : DYING_MS);
	TRY(vm_drain(vm, 0));
	vm_crashes(vm, &nr);
	return nr ? vm_drain(vm, LINGER_MS) : NULL;
}

static fallible run_once(struct run *run, const struct run_job *job)
{
	struct vm *vm = guest_vm(run->guest);
	_cleanup_(buf_deinit) struct buf ignored = {};
	_cleanup_(buf_deinit) struct buf console = {};
	_cleanup_(buf_deinit) struct buf how = {};
	unsigned patience_ms = job->req.timeout_ms + ANSWER_MS;
	struct wire_result res;
	size_t nr;
	bool got, hangs;

	TRY(start_guest(run, job->req.sandbox));
	say_unsupported(run, job);
	uint64_t from = vm_console(vm, 0, &ignored);
	TRY(guest_call(run->guest, &job->req, buf_as_slice(&job->payload),
		       (unsigned)MIN((uint64_t)patience_ms * vm_slowdown() / 100,
				     (uint64_t)INT32_MAX),
		       &res, &got),
	    "%s", job->name);
	TRY(linger(run, got));
	vm_console(vm, from, &console);
	hangs = !got && !vm_death(vm)->kind;
	describe(job, &res, got, vm_death(vm), &how);
	print_run(run, job, got ? &res : NULL, buf_as_slice(&console),
		  buf_cstr(&how));
	if (got && run->opts->cover)
		run_job_add_pcs(&res, &run->pcs);
	vm_crashes(vm, &nr);
	run->alive = got && !vm_death(vm)->kind && !nr;
	if (hangs)
		diagnose(run);
	else
		TRY(print_reports(run));
	if (got && !run_job_ran(&res))
		return error_new(ERR_INPUT, "%s %s", job->name, buf_cstr(&how));
	return NULL;
}

static fallible run_and_list(struct run *run, const struct run_job *job)
{
	TRY(child_check_cancelled());
	if (!run->array)
		return run_once(run, job);
	run->told = false;
	run->object = json_object_new();
	run->crashes = json_array_new();
	struct error *err = run_once(run, job);
	json_set(run->object, "crashes", run->crashes);
	if (run->told)
		json_push(run->array, run->object);
	else
		json_free(run->object);
	return err;
}

static fallible run_each(struct run *run, const struct run_job *jobs, size_t n)
{
	for (unsigned i = 0; i < run->opts->repeat; i++) {
		run->again = n == 1 && i + 1 < run->opts->repeat;
		for (size_t k = 0; k < n; k++)
			TRY(run_and_list(run, &jobs[k]));
	}
	return NULL;
}

/* The first of two; the other one is forgotten. */
static struct error *first_error(struct error *a, struct error *b)
{
	if (!a)
		return b;
	error_free(b);
	return a;
}

/* What was found is written, whatever ended it; else the file stays. */
static fallible run_all(struct run *run, const struct run_job *jobs, size_t n)
{
	struct error *err = run_each(run, jobs, n);

	if (run->cover_file && (!err || run->pcs.pcs.len))
		err = first_error(err,
				  run_job_write_pcs(&run->pcs, run->opts->cover,
						    run->cover_file));
	if (run->array)
		err = first_error(err, json_write(run->array, stdout));
	return err;
}

static fallible choose_link(const char *name, enum guest_link *out)
{
	*out = GUEST_LINK_AUTO;
	if (name && !strcmp(name, "serial"))
		*out = GUEST_LINK_SERIAL;
	else if (name && strcmp(name, "auto") != 0)
		return error_new(ERR_USAGE, "--link is serial or auto");
	return NULL;
}

/* A file that the user named and is not there is no tool that lacks here. */
static fallible named(struct error *err)
{
	if (!err || error_kind(err) != ERR_NOT_FOUND)
		return err;
	struct error *input = error_new(ERR_INPUT, "%s", error_message(err));

	error_free(err);
	return input;
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
		return named(err);
	error_free(err); /* a guess of ours that was wrong */
	return NULL;
}

static fallible make_config(const struct run_opts *o,
			    const struct kernel_pick *kernel,
			    struct vm_config *cfg)
{
	*cfg = VM_CONFIG_DEFAULT;
	cfg->kernel = kernel->kernel;
	cfg->cmdline = o->cmdline;
	cfg->cpus = o->cpus;
	cfg->memory_mib = o->memory_mib;
	if (o->console && !o->json)
		cfg->on_console = show_console;
	return cmd_accel(o->accel, &cfg->accel);
}

/* What the machine that runs programs for `arch` is called in descriptions. */
static const struct desc_arch *desc_arch_of(enum wire_arch arch)
{
	return desc_arch_find(arch == WIRE_ARCH_ARM64 ? SLICE("arm64") :
							SLICE("amd64"));
}

/* Before it boots: what the guest would refuse. */
static fallible check_jobs(const struct guest *g, const struct run_job *jobs,
			   size_t n)
{
	size_t most = guest_max_payload(g);

	for (size_t i = 0; i < n; i++)
		if (jobs[i].payload.len > most)
			return error_new(ERR_INPUT,
					 "%s: too large: %zu bytes for the "
					 "guest, %zu are possible",
					 jobs[i].name, jobs[i].payload.len,
					 most);
	return NULL;
}

static fallible run_jobs(const struct run_opts *o,
			 const struct kernel_pick *kernel,
			 const struct run_job *jobs, size_t n,
			 struct slice program)
{
	_cleanup_(symbols_closep) struct symbols *symbols = NULL;
	_cleanup_(guest_closep) struct guest *guest = NULL;
	_cleanup_(json_freep) struct json *array = NULL;
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct vm_file files[RUN_MAX_FILES];
	struct guest_cover cover;
	struct vm_config cfg;
	enum guest_link link;

	TRY(choose_link(o->link, &link));
	TRY(make_config(o, kernel, &cfg));
	TRY(open_symbols(o, kernel, &symbols));
	cfg.files = files;
	TRY(run_files(arena, &o->files, program, files, &cfg.nr_files));
	TRY(coverage_choose(o->coverage, o->cover != NULL, kernel, cfg.accel,
			    &cover));
	if (link == GUEST_LINK_SERIAL && cover.source == WIRE_COVER_PLUGIN)
		return error_new(ERR_USAGE, "--coverage plugin needs shared "
					    "memory, not --link serial");
	TRY(guest_open(&cfg, &cover, link, &guest));
	TRY(check_jobs(guest, jobs, n));
	if (o->json)
		array = json_array_new();
	struct run run = { .opts = o,
			   .guest = guest,
			   .cover = cover,
			   .files.symbols = symbols,
			   .array = array,
			   .many = o->repeat > 1 || n > 1 };
	if (o->cover && !(run.cover_file = fopen(o->cover, "ae")))
		return error_os("%s", o->cover);
	struct error *err = run_all(&run, jobs, n);
	if (run.cover_file)
		fclose(run.cover_file);
	run_job_free_pcs(&run.pcs);
	if (symbols)
		cmd_note(&cmd_run, symbols);
	return err;
}

typedef VEC(struct run_job) job_vec;

static void jobs_deinit(job_vec *jobs)
{
	vec_for_each(jobs, job)
		run_job_deinit(job);
	vec_free(jobs);
}

static fallible load_programs(const struct run_opts *o, enum wire_arch arch,
			      int argc, char **argv, struct desc **d,
			      struct prog_target **target, job_vec *jobs)
{
	enum prog_mode mode = o->repair ? PROG_REPAIR : PROG_STRICT;
	struct run_job job;

	TRY(named(cmd_descriptions(o->descriptions, desc_arch_of(arch), d)));
	*target = prog_target_new(*d);
	for (int i = 0; i < argc; i++) {
		TRY(named(run_job_program(argv[i], *target, mode, &job)));
		vec_push(jobs, job);
	}
	return NULL;
}

static fallible load_and_run(const struct run_opts *o, int argc, char **argv)
{
	_cleanup_(buf_deinit) struct buf program = {};
	_cleanup_(desc_freep) struct desc *d = NULL;
	_cleanup_(prog_target_freep) struct prog_target *target = NULL;
	_cleanup_(jobs_deinit) job_vec jobs = {};
	struct kernel_pick kernel;
	enum wire_arch arch;
	struct run_job job;
	uint32_t sandbox;

	TRY(run_job_sandbox(o->sandbox, &sandbox));
	TRY(kernel_pick(o->kernel, &kernel));
	arch = guest_arch(kernel.kernel);
	if (o->shell) {
		TRY(payload_load(o->shell, arch, &program));
		run_job_binary(o->shell, argc, argv, &job);
		vec_push(&jobs, job);
	}
	if (!o->shell)
		TRY(load_programs(o, arch, argc, argv, &d, &target, &jobs));
	vec_for_each(&jobs, j) {
		j->req.timeout_ms = o->timeout_s * 1000;
		j->req.sandbox = sandbox;
	}
	return run_jobs(o, &kernel, jobs.data, jobs.len,
			buf_as_slice(&program));
}

/* The guest and all files are gone by now: interrupted, we die of the signal. */
static fallible finish(struct error *err, int *status)
{
	if (child_cancelled()) {
		fprintf(stderr, "bugon run: interrupted\n");
		error_free(err);
		fflush(stdout);
		child_reraise();
	}
	/* No QEMU, kernel or compiler here: the message says what to do. */
	if (err && error_kind(err) == ERR_NOT_FOUND) {
		fprintf(stderr, "bugon run: %s\n", error_message(err));
		error_free(err);
		*status = EXIT_CANNOT;
		return NULL;
	}
	return err;
}

static fallible run_run(const void *options, int argc, char **argv, int *status)
{
	struct run_opts o = *(const struct run_opts *)options;

	if (!o.shell && !argc)
		return error_new(ERR_USAGE, "name a program, or a binary or C "
					    "file with --shell");
	if (o.shell && argc >= (int)WIRE_MAX_ARGV)
		return error_new(
			ERR_USAGE,
			"--shell: at most %u arguments for the program",
			WIRE_MAX_ARGV - 1);
	o.timeout_s = o.timeout_s ? o.timeout_s : DEFAULT_TIMEOUT_S;
	o.memory_mib = o.memory_mib ? o.memory_mib : 512;
	o.cpus = o.cpus ? o.cpus : 1;
	o.repeat = o.repeat ? o.repeat : 1;
	if (o.timeout_s > 86400 || o.memory_mib < 64 || o.cpus > 256)
		return error_new(ERR_USAGE,
				 "--timeout is at most 86400, --memory at "
				 "least 64, --cpus at most 256");
	child_catch_signals();
	return finish(load_and_run(&o, argc, argv), status);
}

const struct command cmd_run = {
	.name = "run",
	.args = "PROGRAM... | --shell FILE [ARG...]",
	.summary = "boot a kernel, run programs in it, report its crashes",
	.opts = opts,
	.opts_size = sizeof(struct run_opts),
	.run = run_run,
};
