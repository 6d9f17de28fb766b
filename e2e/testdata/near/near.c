// A policy module whose versions differ in what they do: NEAR lets every agent do, or,
// built with TRAP, ends in a trap.
#define PACER_NAME "near"
#define PACER_VERSION VERSION
#define PACER_CONSTRAINTS "NEAR"
#include "pacer_policy.h"

void *constraint_prepare(const pacer_constraint_spec *spec, uint32_t *traits) {
	(void)spec;
	*traits = PACER_STATEFUL;
	return pacer_keep(1);
}

void constraint_evaluate(void *state, const pacer_constraint_input *in, pacer_constraint_answer *out) {
	(void)state;
#ifdef TRAP
	__builtin_trap();
#endif
	for (uint32_t i = 0; i < in->values; i++) out->quota[i] = PACER_UNLIMITED;
}

void constraint_release(void *state) { (void)state; }
