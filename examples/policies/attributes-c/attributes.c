// A policy module for Pacer in C, without any library. Its operators answer as
// those that are built in:
//
//	C_LIKE expression    as LIKE: the whole value matches a regular expression
//	C_UNLIKE expression  as UNLIKE: it does not; agents without the field fit
//	C_MAX_PER n          as MAX_PER: at most n instances on each value
#define PACER_NAME "attributes-c"
#define PACER_VERSION "1.0.0"
#define PACER_CONSTRAINTS "C_LIKE", "C_UNLIKE", "C_MAX_PER"
#include "pacer_policy.h"

#include "match.h"

#include "compile.h"

#include "parse.h"

// A prepared constraint.
typedef struct {
	regex *expression; // NULL: C_MAX_PER
	bool unlike;
	uint32_t limit;
	pacer_text reason;
} constraint;

static void *prepare_expression(constraint *c, pacer_text value) {
	pacer_text fault;
	if (value.size == 0) return pacer_invalid("LIKE and UNLIKE require a non-empty, regular expression value");
	c->expression = compile(value, &fault);
	if (fault.size > 0)
		return pacer_invalid(pacer_join(PACER_TEXT("\""), value, PACER_TEXT("\" is not a valid regular expression: "), fault));
	pacer_text verb = c->unlike ? PACER_TEXT("matches \"") : PACER_TEXT("does not match \"");
	c->reason = pacer_keep_text(pacer_join(verb, value, PACER_TEXT("\"")));
	return c;
}

// The first instance of a value always fits, even when the number is 0 or negative.
static void *prepare_count(constraint *c, pacer_text value) {
	int64_t n;
	if (!pacer_integer(value, INT32_MIN, INT32_MAX, &n)) return pacer_invalid("MAX_PER requires an integer value");
	c->limit = n < 1 ? 1 : (uint32_t)n;
	c->reason = pacer_keep_text(
		pacer_join(PACER_TEXT("each value takes "), pacer_number(c->limit), PACER_TEXT(" at most")));
	return c;
}

void *constraint_prepare(const pacer_constraint_spec *spec, uint32_t *traits) {
	constraint *c = pacer_keep(sizeof *c);
	if (pacer_equal(spec->name, "C_MAX_PER")) {
		*traits = PACER_STATEFUL;
		return prepare_count(c, spec->value);
	}
	*traits = PACER_PURE_PER_VALUE;
	c->unlike = pacer_equal(spec->name, "C_UNLIKE");
	return prepare_expression(c, spec->value);
}

void constraint_evaluate(void *state, const pacer_constraint_input *in, pacer_constraint_answer *out) {
	constraint *c = state;
	out->reason = c->reason;
	if (c->unlike) out->quota[0] = PACER_UNLIMITED;
	for (uint32_t slot = 1; slot < in->values; slot++) {
		if (c->expression) {
			if (matches(c->expression, pacer_value(in, slot)) != c->unlike) out->quota[slot] = PACER_UNLIMITED;
			continue;
		}
		uint32_t placed = pacer_placed(in, slot);
		out->quota[slot] = placed < c->limit ? c->limit - placed : 0;
	}
}
