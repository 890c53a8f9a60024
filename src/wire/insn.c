/* SPDX-License-Identifier: GPL-2.0-or-later */
/* insn.c - the instructions of a program, one after the other. */
#include "wire/wire.h"

/* Bytes of the operands. */
static uint64_t operand_bytes(const struct wire_insn *in)
{
	switch (in->op) {
	case WIRE_COPYIN:
		return (in->len + 7ull) & ~7ull;
	case WIRE_IMAGE:
		return in->len;
	case WIRE_CALL:
		return in->nargs * sizeof(struct wire_arg);
	case WIRE_CSUM:
		return in->nargs * sizeof(struct wire_chunk);
	case WIRE_STORE:
	case WIRE_DERIVE:
		return sizeof(struct wire_arg);
	default:
		return 0;
	}
}

bool wire_insn_next(struct slice *payload, const struct wire_insn **in,
		    struct slice *operands)
{
	uint64_t more;

	if (payload->len < sizeof(**in))
		return false;
	*in = (const void *)payload->p;
	more = operand_bytes(*in);
	if (more > payload->len - sizeof(**in))
		return false;
	*operands = (struct slice){ payload->p + sizeof(**in), (size_t)more };
	*payload = slice_from(*payload, sizeof(**in) + (size_t)more);
	return true;
}
