// A policy module for Pacer with one operator: with the label LICENCE=oracle-19 an app
// that has
//
//	["licences", "LICENSED"]
//
// runs on agents whose attribute names that licence, and on no more of them than there
// are seats. The attribute is a text such as oracle-19/4, or a set such as
// {oracle-19/4,matlab}: the name of the licence, and its seats unless there is no end
// of them. Agents with the same value share the seats; what follows another stroke
// tells pools apart: oracle-19/4/rack-7.
#define PACER_NAME "licence-bound"
#define PACER_VERSION "1.0.0"
#define PACER_CONSTRAINTS "LICENSED"
#include "pacer_policy.h"

// What is kept of one constraint of one app.
typedef struct {
	pacer_text licence, reason;
} bound;

// cut takes the text up to the mark off the list, which then begins behind it.
static pacer_text cut(pacer_text *list, char mark) {
	pacer_text part = {list->at, 0};
	while (part.size < list->size && part.at[part.size] != mark) part.size++;
	uint32_t taken = part.size < list->size ? part.size + 1 : part.size;
	*list = (pacer_text){list->at + taken, list->size - taken};
	return part;
}

static bool has(pacer_text text, char mark) {
	uint32_t size = text.size;
	return cut(&text, mark).size < size;
}

// Called when an app is submitted: mistakes are told here, to its author.
void *constraint_prepare(const pacer_constraint_spec *spec, uint32_t *traits) {
	pacer_text licence;
	if (spec->has_value) return pacer_invalid("LICENSED takes no value: the label LICENCE names the licence");
	if (!pacer_label(&spec->app, "LICENCE", &licence) || licence.size == 0)
		return pacer_invalid("LICENSED requires the label LICENCE with the name of the licence, such as oracle-19");
	if (has(licence, ',') || has(licence, '/'))
		return pacer_invalid("the label LICENCE must be the name of one licence, without its seats");
	bound *b = pacer_keep(sizeof *b);
	b->licence = pacer_keep_text(licence);
	b->reason = pacer_keep_text(pacer_join(PACER_TEXT("no seat is left of the licence "), licence));
	*traits = PACER_STATEFUL; // the answer depends on what is placed already
	return b;
}

// seats is how many the value has of the licence. A number that is none counts as 0:
// too few are better than too many.
static uint32_t seats(pacer_text value, pacer_text licence) {
	if (value.size >= 2 && *value.at == '{') value = (pacer_text){value.at + 1, value.size - 2};
	while (value.size > 0) {
		pacer_text item = cut(&value, ',');
		bool counted = has(item, '/');
		pacer_text name = cut(&item, '/');
		if (!pacer_same(name, licence)) continue;
		int64_t n = 0;
		if (!counted) return PACER_UNLIMITED;
		return pacer_integer(cut(&item, '/'), 0, INT32_MAX, &n) ? (uint32_t)n : 0;
	}
	return 0;
}

// Says for each value of the attribute how many more instances it takes. Slot 0, agents
// without the attribute, stays at 0.
void constraint_evaluate(void *state, const pacer_constraint_input *in, pacer_constraint_answer *out) {
	bound *b = state;
	out->reason = b->reason;
	for (uint32_t slot = 1; slot < in->values; slot++) {
		uint32_t all = seats(pacer_value(in, slot), b->licence), taken = pacer_placed(in, slot);
		out->quota[slot] = all == PACER_UNLIMITED ? all : taken < all ? all - taken : 0;
	}
}
