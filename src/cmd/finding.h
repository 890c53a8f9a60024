/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * finding.h - a report with what the kernel's files add to it.
 *
 * report/ reads the log only; here its text gets source lines (elf/), the
 * disassembled code bytes and the people to tell (kernel/).
 */
#ifndef CMD_FINDING_H
#define CMD_FINDING_H

#include "base/buf.h"
#include "elf/elf.h"
#include "kernel/kernel.h"
#include "report/report.h"
#include "json/json.h"

/* What is known of the kernel; each may be NULL. */
struct kernel_files {
	struct symbols *symbols;
	const struct maintainers *maintainers;
};

struct finding {
	const struct report *report;
	struct buf text; /* of the report, symbolized if possible */
	size_t headline; /* offset in text */
	struct report_frame *frames;
	size_t nr_frames;
	bool symbolized; /* some frame has a source line, by us or before */
	struct buf disassembly; /* the block, or empty */
	struct slice guilty_file;
	struct recipients recipients;
};

void finding_init(struct finding *f, const struct report *r,
		  const struct kernel_files *kernel);
void finding_deinit(struct finding *f);

void finding_to_text(const struct finding *f, bool explain, FILE *out);
struct json *finding_to_json(const struct finding *f, bool explain);

#endif /* CMD_FINDING_H */
