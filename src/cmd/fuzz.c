/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz.c - "bugon fuzz": run programs in kernels, guided by coverage. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/io.h"
#include "base/mem.h"
#include "cmd/accel.h"
#include "cmd/cmd.h"
#include "cmd/coverage.h"
#include "cmd/descriptions.h"
#include "cmd/finding.h"
#include "cmd/fuzz_vm.h"
#include "cmd/kernel_pick.h"
#include "cmd/prog.h"
#include "store/store.h"

enum {
	MAX_VMS = 64,
	IDLE_US = 100,
	LINE_EVERY_S = 10,
	BOOT_TRIES = 3,
	CRASH_MS = 1000, /* what a dying kernel still says */
	TEXT_MAX = 64 << 20,
};

struct fuzz_opts {
	const char *kernel, *vmlinux, *dir, *workdir, *accel, *coverage, *bench;
	const char *cmdline;
	struct opt_list enable, disable, focus, seeds;
	unsigned vms, time_s, seed, memory_mib;
	bool quiet, fixed;
};

static const struct opt opts[] = {
	OPT(OPT_STR, 'k', "kernel", fuzz_opts, kernel, "FILE|DIR|NAME|auto",
	    "the kernel to boot, as for bugon run"),
	OPT(OPT_STR, 0, "vmlinux", fuzz_opts, vmlinux, "FILE",
	    "the same kernel with debug information: adds source lines"),
	OPT(OPT_STR, 'w', "workdir", fuzz_opts, workdir, "DIR",
	    "keep corpus and crashes in DIR (bugon-work)"),
	OPT(OPT_STR, 'd', "descriptions", fuzz_opts, dir, "DIR",
	    "use the descriptions of DIR (*.txt, *.const), not ours"),
	OPT(OPT_UINT, 'v', "vms", fuzz_opts, vms, "N",
	    "machines at a time (one per processor)"),
	OPT(OPT_UINT, 't', "time", fuzz_opts, time_s, "S",
	    "stop after S seconds"),
	OPT(OPT_LIST, 'e', "enable", fuzz_opts, enable, "PATTERN",
	    "only calls whose name matches, as far as they can do without "
	    "others"),
	OPT(OPT_LIST, 'x', "disable", fuzz_opts, disable, "PATTERN",
	    "no calls whose name matches"),
	OPT(OPT_LIST, 'f', "focus", fuzz_opts, focus, "FILE|FUNCTION",
	    "prefer programs that reach it: fs/ext4, bch2_copygc"),
	OPT(OPT_LIST, 's', "seed-program", fuzz_opts, seeds, "FILE",
	    "try this program first"),
	OPT(OPT_UINT, 0, "seed", fuzz_opts, seed, "N",
	    "of all that is random (the time)"),
	OPT(OPT_UINT, 'm', "guest-memory", fuzz_opts, memory_mib, "MIB",
	    "memory of each guest (512)"),
	OPT(OPT_STR, 'a', "accel", fuzz_opts, accel, "KIND",
	    "kvm, tcg or auto (KVM if it is known to work)"),
	OPT(OPT_STR, 0, "coverage", fuzz_opts, coverage, "KIND",
	    "kcov, plugin, none, or auto"),
	OPT(OPT_STR, 0, "cmdline", fuzz_opts, cmdline, "TEXT",
	    "more for the kernel's command line"),
	OPT(OPT_STR, 'b', "bench", fuzz_opts, bench, "FILE",
	    "append figures every 10 s, as lines of JSON"),
	OPT(OPT_FLAG, 0, "fixed-weights", fuzz_opts, fixed, NULL,
	    "share out time as given, do not learn where news come from"),
	OPT(OPT_FLAG, 'q', "quiet", fuzz_opts, quiet, NULL,
	    "print crashes only"),
	OPT_END,
};

struct session {
	const struct fuzz_opts *o;
	struct fuzz *f;
	struct fuzz_vm *vms[MAX_VMS];
	unsigned nvms;
	struct kernel_files files;
	struct store *store;
	FILE *bench;
	enum wire_cover_source cover; /* what was asked for */
	uint64_t start_ms, next_line_ms, lines_execs, line_ms;
	uint64_t crashes, new_bugs;
	uint8_t *enabled;
	/* Of the crash under examination. */
	struct fuzz_vm *vm;
	bool first_report;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- Which calls ---------------------------------------------------------------- */

static bool matches(const struct opt_list *patterns, const char *name)
{
	for (unsigned i = 0; i < patterns->nr; i++)
		if (!fnmatch(patterns->v[i], name, 0))
			return true;
	return false;
}

/* What --enable and --disable leave, without what nothing makes. */
static fallible choose_calls(struct session *s, const struct prog_target *t)
{
	const struct desc *d = prog_target_desc(t);
	_cleanup_(buf_deinit) struct buf why = {};
	size_t n = 0;

	s->enabled = mem_calloc(d->ncalls + 1, 1);
	for (size_t i = 0; i < d->ncalls; i++) {
		const char *name = desc_name(d, d->calls[i].name);

		s->enabled[i] =
			(!s->o->enable.nr || matches(&s->o->enable, name)) &&
			!matches(&s->o->disable, name) &&
			prog_call_is_known(t, i);
	}
	prog_enabled_close(t, s->enabled, &why);
	for (size_t i = 0; i < d->ncalls; i++)
		n += s->enabled[i];
	if (!n)
		return error_new(ERR_USAGE,
				 "no calls are left by --enable and "
				 "--disable%s%s",
				 why.len ? ":\n" : "", buf_cstr(&why));
	if (!s->o->quiet)
		fprintf(stderr, "bugon fuzz: %zu of %zu calls\n", n, d->ncalls);
	return NULL;
}

/* ---- Corpus ------------------------------------------------------------------------ */

static fallible seed_text(struct session *s, const struct prog_target *t,
			  const char *name, struct slice text)
{
	_cleanup_(prog_freep) struct prog *p = NULL;

	TRY(prog_parse(t, name, text, PROG_REPAIR, &p));
	for (size_t i = prog_ncalls(p); i--;)
		if (!s->enabled[prog_call_id(p, i)])
			prog_remove_call(p, i);
	if (prog_ncalls(p))
		fuzz_candidate(s->f, p);
	return NULL;
}

/* The last one is tried first: the seeds of the command line. */
static fallible load_seeds(struct session *s, const struct prog_target *t)
{
	struct store_program p;
	int64_t id = 0;
	bool more = true;

	while (more) {
		TRY(store_program_next(s->store, &id, &p, &more));
		if (more)
			error_free(seed_text(s, t, "corpus", p.text));
	}
	for (unsigned i = s->o->seeds.nr; i--;) {
		_cleanup_(buf_deinit) struct buf text = {};

		TRY(io_read_file(s->o->seeds.v[i], TEXT_MAX, &text));
		TRY(seed_text(s, t, s->o->seeds.v[i], buf_as_slice(&text)));
	}
	return NULL;
}

static void on_corpus(void *ctx, const struct prog *p, size_t call,
		      const uint32_t *signal, size_t n)
{
	struct session *s = ctx;
	_cleanup_(buf_deinit) struct buf text = {};
	struct store_program sp = {
		.signal = { (const char *)signal, n * sizeof(*signal) },
	};
	struct error *err;

	prog_to_text(p, &text);
	sp.text = buf_as_slice(&text);
	err = store_program_add(s->store, &sp, NULL);
	if (err)
		fprintf(stderr, "bugon fuzz: %s\n", error_message(err));
	error_free(err);
}

/* ---- Focus --------------------------------------------------------------------------- */

static bool in_focus(const struct opt_list *focus, const char *function,
		     const char *file)
{
	for (unsigned i = 0; i < focus->nr; i++)
		if (!strcmp(focus->v[i], function) ||
		    (file &&
		     slice_starts(slice_cstr(file), slice_cstr(focus->v[i]))))
			return true;
	return false;
}

/* Whether a program counter is in a file or function that was asked for. */
static unsigned focus(void *ctx, uint64_t pc)
{
	struct session *s = ctx;
	_cleanup_(buf_deinit) struct buf name = {};
	struct symbols_query q = { .address = pc };
	struct source_chain chain;
	unsigned long long offset, size;
	size_t len;

	if (!symbols_name(s->files.symbols, pc, &name))
		return 0;
	len = strcspn(buf_cstr(&name), "+");
	if (sscanf(name.data + len, "+0x%llx/0x%llx", &offset, &size) != 2)
		return 0;
	q.func = (struct slice){ name.data, len };
	q.offset_bytes = offset;
	q.size_bytes = size;
	if (symbols_lookup(s->files.symbols, &q, &chain) != SYMBOLS_FOUND) {
		name.data[len] = '\0';
		return in_focus(&s->o->focus, name.data, NULL) ? 255 : 0;
	}
	for (size_t i = 0; i < chain.nr; i++)
		if (in_focus(&s->o->focus, chain.lines[i].func,
			     chain.lines[i].file))
			return 255;
	return 0;
}

/* ---- Crashes ------------------------------------------------------------------------- */

static void keep_crash(struct session *s, const struct report *r,
		       struct slice log)
{
	_cleanup_(buf_deinit) struct buf program = {}, before = {}, alts = {};
	struct guest *g = fuzz_vm_guest(s->vm);
	struct store_crash c = { .title = r->title, .key = r->key, .log = log };
	struct finding f;
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	struct error *err;
	bool is_new = false;

	finding_init(&f, r, &s->files);
	finding_to_text(&f, false, out);
	fclose(out);
	finding_deinit(&f);
	for (size_t i = 0; i < r->nr_alts; i++)
		buf_printf(&alts, "%s\n", r->alts[i]);
	if (fuzz_vm_running(s->vm))
		prog_to_text(fuzz_vm_running(s->vm), &program);
	fuzz_vm_history(s->vm, &before);
	c.alts = buf_cstr(&alts);
	c.machine = vm_machine(guest_vm(g));
	c.kernel = s->o->kernel ? s->o->kernel : "auto";
	c.report = (struct slice){ text, len };
	c.program = buf_as_slice(&program);
	c.before = buf_as_slice(&before);
	err = store_crash_add(s->store, &c, &is_new);
	if (err)
		fprintf(stderr, "bugon fuzz: %s\n", error_message(err));
	error_free(err);
	s->new_bugs += is_new;
	if (is_new) {
		printf("%s\nPROGRAM (running when it was seen; those before: "
		       "bugon crash):\n%s\n",
		       text, buf_cstr(&program));
		fflush(stdout);
	}
	free(text);
}

static fallible on_report(void *ctx, const struct report *r)
{
	struct session *s = ctx;
	_cleanup_(buf_deinit) struct buf log = {};
	struct vm *vm = guest_vm(fuzz_vm_guest(s->vm));

	/* What comes behind the first one is mostly its consequence. */
	if (!s->first_report || r->suppressed)
		return NULL;
	s->first_report = false;
	s->crashes++;
	vm_console(vm, 0, &log);
	keep_crash(s, r, buf_as_slice(&log));
	return NULL;
}

static fallible look_at_crash(struct session *s, struct fuzz_vm *v)
{
	struct vm *vm = guest_vm(fuzz_vm_guest(v));
	_cleanup_(buf_deinit) struct buf text = {};

	TRY(vm_drain(vm, CRASH_MS));
	s->vm = v;
	s->first_report = true;
	vm_console(vm, vm_boot_end(vm), &text);
	return report_parse(buf_as_slice(&text), on_report, s);
}

/* On a loaded machine a boot may take too long. */
static fallible restart(struct fuzz_vm *v)
{
	struct error *err = fuzz_vm_restart(v);

	for (unsigned i = 1;
	     i < BOOT_TRIES && err && error_kind(err) == ERR_BOOT; i++) {
		error_free(err);
		err = fuzz_vm_restart(v);
	}
	return err;
}

/* A guest that is of no use any more: what did it say? */
static fallible replace(struct session *s, struct fuzz_vm *v,
			enum fuzz_vm_event event)
{
	struct vm *vm = guest_vm(fuzz_vm_guest(v));

	if (event == FUZZ_VM_CRASHED || event == FUZZ_VM_DIED)
		TRY(look_at_crash(s, v));
	if (event == FUZZ_VM_DIED && s->first_report && !s->o->quiet)
		fprintf(stderr, "bugon fuzz: %s\n", vm_death(vm)->why);
	if (event == FUZZ_VM_HANGS && !s->o->quiet)
		fprintf(stderr, "bugon fuzz: a guest hangs\n");
	return restart(v);
}

/* ---- Figures ---------------------------------------------------------------------------- */

static void print_line(struct session *s, uint64_t now)
{
	struct fuzz_stats st;
	double rate;

	fuzz_stats(s->f, &st);
	rate = (double)(st.execs - s->lines_execs) * 1000 /
	       (double)(now - s->line_ms ? now - s->line_ms : 1);
	s->lines_execs = st.execs;
	s->line_ms = now;
	if (!s->o->quiet)
		fprintf(stderr,
			"%6.0f s: %llu programs, %.0f/s; corpus %zu, signal "
			"%zu, covered %zu; triage %zu, smash %zu; %llu "
			"crashes, %llu new\n",
			(double)(now - s->start_ms) / 1000,
			(unsigned long long)st.execs, rate, st.corpus,
			st.signal, st.pcs, st.triage + st.candidates, st.smash,
			(unsigned long long)s->crashes,
			(unsigned long long)s->new_bugs);
	if (!s->bench)
		return;
	fprintf(s->bench,
		"{\"time_s\": %.1f, \"execs\": %llu, \"corpus\": %zu, "
		"\"signal\": %zu, \"covered\": %zu, \"crashes\": %llu, "
		"\"bugs\": %llu",
		(double)(now - s->start_ms) / 1000,
		(unsigned long long)st.execs, st.corpus, st.signal, st.pcs,
		(unsigned long long)s->crashes,
		(unsigned long long)s->new_bugs);
	for (unsigned k = 0; k < FUZZ_NKINDS; k++)
		fprintf(s->bench, ", \"%s\": [%llu, %llu, %llu]",
			fuzz_kind_name(k), (unsigned long long)st.execs_of[k],
			(unsigned long long)st.news_of[k],
			(unsigned long long)(st.ns_of[k] / 1000000));
	fprintf(s->bench, "}\n");
	fflush(s->bench);
}

/* ---- The session ----------------------------------------------------------------------------- */

static bool is_over(const struct session *s)
{
	return child_cancelled() ||
	       (s->o->time_s &&
		now_ms() - s->start_ms >= 1000ull * s->o->time_s);
}

static fallible turn(struct session *s, bool *idle)
{
	for (unsigned i = 0; i < s->nvms; i++) {
		enum fuzz_vm_event event;

		TRY(fuzz_vm_step(s->vms[i], 0, &event));
		if (event == FUZZ_VM_BUSY)
			*idle = false;
		else if (event != FUZZ_VM_IDLE)
			TRY(replace(s, s->vms[i], event));
	}
	return NULL;
}

static fallible run_loop(struct session *s)
{
	for (unsigned i = 0; i < s->nvms; i++)
		TRY(fuzz_vm_restart(s->vms[i]));
	if (guest_cover_source(fuzz_vm_guest(s->vms[0])) == WIRE_COVER_NONE &&
	    s->cover != WIRE_COVER_NONE)
		return error_new(ERR_INPUT,
				 "this kernel gives no coverage: it needs "
				 "CONFIG_KCOV, or QEMU without KVM for the "
				 "plugin; --coverage none goes on without");
	s->start_ms = s->line_ms = now_ms();
	s->next_line_ms = s->start_ms + LINE_EVERY_S * 1000;
	while (!is_over(s)) {
		bool idle = true;
		uint64_t now = now_ms();

		TRY(turn(s, &idle));
		if (idle)
			usleep(IDLE_US);
		if (now < s->next_line_ms)
			continue;
		print_line(s, now);
		s->next_line_ms += LINE_EVERY_S * 1000;
	}
	print_line(s, now_ms());
	return NULL;
}

static fallible open_vms(struct session *s, const struct vm_config *cfg,
			 const struct guest_cover *cover)
{
	for (unsigned i = 0; i < s->o->vms; i++) {
		TRY(fuzz_vm_open(cfg, cover, i, s->f, &s->vms[i]));
		s->nvms++;
	}
	return NULL;
}

static fallible run_session(struct session *s, const struct vm_config *cfg,
			    const struct guest_cover *cover,
			    const struct prog_target *t)
{
	struct fuzz_config fc = {
		.target = t,
		.enabled = s->enabled,
		.seed = s->o->seed ? s->o->seed : (uint64_t)time(NULL),
		.fixed_weights = s->o->fixed,
		.faults = true, /* without them the first one hits nothing */
		.comparisons = cover->source != WIRE_COVER_PLUGIN,
		.on_corpus = on_corpus,
		.corpus_ctx = s
	};
	struct error *err;

	if (s->o->focus.nr) {
		if (!s->files.symbols)
			return error_new(ERR_USAGE,
					 "--focus needs --vmlinux: the kernel "
					 "with debug information");
		fc.focus = focus;
		fc.focus_ctx = s;
	}
	s->cover = cover->source;
	s->f = fuzz_new(&fc);
	err = load_seeds(s, t);
	if (!err)
		err = open_vms(s, cfg, cover);
	if (!err)
		err = run_loop(s);
	while (s->nvms)
		fuzz_vm_close(s->vms[--s->nvms]);
	fuzz_free(s->f);
	return err;
}

static fallible prepare(struct session *s)
{
	const struct fuzz_opts *o = s->o;
	_cleanup_(desc_freep) struct desc *desc = NULL;
	_cleanup_(prog_target_freep) struct prog_target *t = NULL;
	_cleanup_(symbols_closep) struct symbols *symbols = NULL;
	struct vm_config cfg = VM_CONFIG_DEFAULT;
	struct guest_cover cover;
	struct kernel_pick kernel;
	const struct desc_arch *arch;

	TRY(kernel_pick(o->kernel, &kernel));
	TRY(cmd_accel(o->accel, &cfg.accel));
	TRY(coverage_choose(o->coverage, true, &kernel, cfg.accel, &cover));
	TRY(cmd_desc_arch(guest_arch(kernel.kernel) == WIRE_ARCH_ARM64 ?
				  "arm64" :
				  "amd64",
			  &arch));
	TRY(cmd_descriptions(o->dir, arch, &desc));
	t = prog_target_new(desc);
	if (o->vmlinux || *kernel.vmlinux)
		TRY(symbols_open(o->vmlinux ? o->vmlinux : kernel.vmlinux, NULL,
				 &symbols));
	s->files.symbols = symbols;
	TRY(choose_calls(s, t));
	TRY(store_open(o->workdir, STORE_WRITE, &s->store));
	if (o->bench && !(s->bench = fopen(o->bench, "ae")))
		return error_os("%s", o->bench);
	cfg.kernel = kernel.kernel;
	cfg.cmdline = o->cmdline;
	cfg.memory_mib = o->memory_mib;
	return run_session(s, &cfg, &cover, t);
}

static fallible run_fuzz(const void *options, int argc, char **argv,
			 int *status)
{
	struct fuzz_opts o = *(const struct fuzz_opts *)options;
	struct session s = { .o = &o };
	struct error *err;

	if (argc)
		return error_new(ERR_USAGE, "no operands: programs go to "
					    "--seed-program");
	o.vms = o.vms ? o.vms : (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	o.vms = MIN(o.vms, (unsigned)MAX_VMS);
	o.memory_mib = o.memory_mib ? o.memory_mib : 512;
	o.workdir = o.workdir ? o.workdir : "bugon-work";
	child_catch_signals();
	err = prepare(&s);
	if (s.store)
		store_close(s.store);
	if (s.bench)
		fclose(s.bench);
	free(s.enabled);
	if (err && error_kind(err) == ERR_CANCELLED) {
		error_free(err);
		err = NULL;
	}
	return err;
}

const struct command cmd_fuzz = {
	.name = "fuzz",
	.args = "",
	.summary = "run programs in kernels until they crash, guided by "
		   "coverage",
	.opts = opts,
	.opts_size = sizeof(struct fuzz_opts),
	.run = run_fuzz,
};
