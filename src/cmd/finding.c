/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/finding.h"

#include <stdlib.h>

#include "base/mem.h"

static void add_text(struct finding *f, struct symbols *symbols)
{
	struct slice text = f->report->text;
	size_t n = f->report->headline;
	struct slice before = { text.p, n }, rest = slice_from(text, n);

	if (symbols) {
		symbolize_text(symbols, before, &f->text);
		f->headline = f->text.len;
		symbolize_text(symbols, rest, &f->text);
	} else {
		f->headline = n;
		buf_slice(&f->text, text);
	}
}

static void add_frames(struct finding *f)
{
	struct slice text = slice_from(buf_as_slice(&f->text), f->headline);

	f->frames = mem_calloc(REPORT_MAX_FRAMES, sizeof(*f->frames));
	f->nr_frames = report_frames(text, f->frames, REPORT_MAX_FRAMES);
	for (size_t i = 0; i < f->nr_frames; i++)
		f->symbolized |= f->frames[i].file.len > 0;
}

/*
 * The crash is in a module without debug information, the rest of the stack
 * has lines: those are of its callers, who are not to blame.
 */
static bool in_unknown_module(const struct finding *f)
{
	struct slice blamed = slice_cstr(f->report->frame);

	for (size_t i = 0; i < f->nr_frames; i++)
		if (f->frames[i].module.len && !f->frames[i].file.len &&
		    slice_starts(f->frames[i].function, blamed))
			return blamed.len > 0;
	return false;
}

void finding_init(struct finding *f, const struct report *r,
		  const struct kernel_files *kernel)
{
	struct disasm_opts opts = { .hang = r->type == REPORT_HANG };

	*f = (struct finding){ .report = r };
	add_text(f, kernel->symbols);
	add_frames(f);
	struct slice text = buf_as_slice(&f->text);
	if (!in_unknown_module(f))
		f->guilty_file = report_guilty_file(slice_cstr(r->title), text);
	if (!slice_has(text, SLICE("\nCode disassembly (best guess)")))
		disasm_append(slice_from(text, f->headline), &opts,
			      &f->disassembly);
	if (kernel->maintainers && f->guilty_file.len)
		maintainers_find(kernel->maintainers, f->guilty_file,
				 &f->recipients);
}

void finding_deinit(struct finding *f)
{
	buf_deinit(&f->text);
	free(f->frames);
	buf_deinit(&f->disassembly);
	recipients_deinit(&f->recipients);
}

void finding_to_text(const struct finding *f, bool explain, FILE *out)
{
	const struct report *r = f->report;

	fprintf(out, "TITLE: %s\n", r->title);
	for (size_t i = 0; i < r->nr_alts; i++)
		fprintf(out, "ALT: %s\n", r->alts[i]);
	if (r->type != REPORT_UNKNOWN)
		fprintf(out, "TYPE: %s\n", report_type_name(r->type));
	if (*r->frame)
		fprintf(out, "FRAME: %s\n", r->frame);
	if (r->corrupted)
		fprintf(out, "CORRUPTED: %s\n", r->corrupted);
	if (r->suppressed)
		fputs("SUPPRESSED: Y\n", out);
	if (r->panicked)
		fputs("PANICKED: Y\n", out);
	if (r->has_executor)
		fprintf(out, "EXECUTOR: proc=%u, id=%u\n", r->executor_proc,
			r->executor_id);
	if (f->guilty_file.len)
		fprintf(out, "FILE: " SLICE_FMT "\n",
			SLICE_ARG(f->guilty_file));
	fprintf(out, "KEY: %s\n", r->key);
	if (f->recipients.to.len + f->recipients.cc.len) {
		_cleanup_(buf_deinit) struct buf lines = {};

		recipients_to_text(&f->recipients, &lines);
		fputs(buf_cstr(&lines), out);
	}
	if (explain)
		fprintf(out, "WHY:\n%s", r->explanation);
	fprintf(out, "\n%s%s\n", buf_cstr(&f->text), buf_cstr(&f->disassembly));
}

static struct json *frames_json(const struct finding *f)
{
	const struct report_frame *frames = f->frames;
	struct json *array = json_array_new();

	for (size_t i = 0; i < f->nr_frames; i++) {
		struct json *o = json_object_new();

		json_set(o, "function", json_text(frames[i].function));
		json_set(o, "offset", json_int((int64_t)frames[i].offset));
		json_set(o, "size", json_int((int64_t)frames[i].size));
		json_set(o, "file", json_text(frames[i].file));
		json_set(o, "line", json_int(frames[i].line));
		json_set(o, "inline", json_flag(frames[i].is_inline));
		json_set(o, "module", json_text(frames[i].module));
		json_set(o, "guess", json_flag(frames[i].is_guess));
		json_push(array, o);
	}
	return array;
}

static struct json *executor_json(const struct report *r)
{
	if (!r->has_executor)
		return json_none();
	struct json *o = json_object_new();

	json_set(o, "proc", json_int(r->executor_proc));
	json_set(o, "id", json_int(r->executor_id));
	return o;
}

struct json *finding_to_json(const struct finding *f, bool explain)
{
	const struct report *r = f->report;
	struct json *o = json_object_new();
	struct json *alts = json_array_new();
	struct json *to = json_array_new(), *cc = json_array_new();
	_cleanup_(buf_deinit) struct buf text = {};

	for (size_t i = 0; i < r->nr_alts; i++)
		json_push(alts, json_text(slice_cstr(r->alts[i])));
	for (size_t i = 0; i < f->recipients.to.len; i++)
		json_push(to, json_text(f->recipients.to.data[i]));
	for (size_t i = 0; i < f->recipients.cc.len; i++)
		json_push(cc, json_text(f->recipients.cc.data[i]));
	buf_slice(&text, buf_as_slice(&f->text));
	/* The log as it was, unless it has become a document for people. */
	if (f->symbolized)
		buf_slice(&text, buf_as_slice(&f->disassembly));
	json_set(o, "title", json_text(slice_cstr(r->title)));
	json_set(o, "alt_titles", alts);
	json_set(o, "type", json_text(slice_cstr(report_type_name(r->type))));
	json_set(o, "frame", json_text(slice_cstr(r->frame)));
	json_set(o, "corrupted", json_flag(r->corrupted != NULL));
	json_set(o, "corrupted_reason",
		 json_text(slice_cstr(r->corrupted ? r->corrupted : "")));
	json_set(o, "suppressed", json_flag(r->suppressed));
	json_set(o, "panicked", json_flag(r->panicked));
	json_set(o, "executor", executor_json(r));
	json_set(o, "start", json_int((int64_t)r->start));
	json_set(o, "end", json_int((int64_t)r->end));
	json_set(o, "guilty_file", json_text(f->guilty_file));
	json_set(o, "maintainers", to);
	json_set(o, "cc", cc);
	json_set(o, "key", json_text(slice_cstr(r->key)));
	json_set(o, "frames", frames_json(f));
	json_set(o, "report", json_text(buf_as_slice(&text)));
	json_set(o, "disassembly", json_text(buf_as_slice(&f->disassembly)));
	if (explain)
		json_set(o, "explanation",
			 json_text(slice_cstr(r->explanation)));
	return o;
}
