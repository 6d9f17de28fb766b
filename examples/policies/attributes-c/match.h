// Regular expressions as programs, and the machine that runs them. It keeps the set
// of all instructions that could be next, so its time grows with the length of the
// value times that of the program, whatever the expression: there is no backtracking.

enum { MAX_RUNE = 0x10ffff, NO_RUNE = -1 };

typedef struct {
	enum {
		MATCH,
		RUNE,        // x is the rune
		CLASS,       // one of the y ranges from x on, or none of them if negated
		ANY,         // any rune
		JUMP,        // go on at x from here
		SPLIT,       // go on at x and at y from here
		TEXT_BEGIN,  // the rest takes no rune
		TEXT_END,
		LINE_BEGIN,
		LINE_END,
		WORD_EDGE,
		NO_WORD_EDGE,
	} op;
	bool negated;
	int32_t x, y;
} instruction;

typedef struct {
	int32_t low, high;
} range;

typedef struct {
	instruction *code;
	uint32_t size;
	range *ranges;
	// What the machine works with; none of it outlives a match.
	uint32_t *now, *next, *stack; // of size, size and 2 * size + 1
	uint32_t *seen;               // by instruction: the step in which it was met
	uint32_t step;
} regex;

// cut_rune takes the first rune off valid UTF-8.
static int32_t cut_rune(pacer_text *text) {
	if (text->size == 0) return NO_RUNE;
	const uint8_t *p = (const uint8_t *)text->at;
	uint32_t more = p[0] < 0x80 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
	if (more >= text->size) more = text->size - 1;
	int32_t rune = more == 0 ? p[0] : p[0] & (0x3f >> more);
	for (uint32_t i = 1; i <= more; i++) rune = rune << 6 | (p[i] & 0x3f);
	text->at += more + 1;
	text->size -= more + 1;
	return rune;
}

static bool is_word(int32_t r) {
	return (r >= '0' && r <= '9') || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || r == '_';
}

// holds tells whether an instruction that takes no rune lets the machine pass
// between two runes.
static bool holds(const instruction *i, int32_t before, int32_t after) {
	switch (i->op) {
	case TEXT_BEGIN: return before == NO_RUNE;
	case TEXT_END: return after == NO_RUNE;
	case LINE_BEGIN: return before == NO_RUNE || before == '\n';
	case LINE_END: return after == NO_RUNE || after == '\n';
	case WORD_EDGE: return is_word(before) != is_word(after);
	default: return is_word(before) == is_word(after);
	}
}

// reach adds to the list what can take the next rune, from an instruction on.
static uint32_t reach(regex *re, uint32_t *list, uint32_t n, uint32_t from, int32_t before, int32_t after) {
	uint32_t *top = re->stack;
	*top++ = from;
	while (top > re->stack) {
		uint32_t at = *--top;
		const instruction *i = &re->code[at];
		if (re->seen[at] == re->step) continue;
		re->seen[at] = re->step;
		if (i->op <= ANY) {
			list[n++] = at;
		} else if (i->op == JUMP) {
			*top++ = at + (uint32_t)i->x;
		} else if (i->op == SPLIT) {
			*top++ = at + (uint32_t)i->y;
			*top++ = at + (uint32_t)i->x;
		} else if (holds(i, before, after)) {
			*top++ = at + 1;
		}
	}
	return n;
}

static bool takes(const regex *re, const instruction *i, int32_t rune) {
	if (i->op == RUNE) return i->x == rune;
	if (i->op != CLASS) return i->op == ANY;
	const range *r = re->ranges + i->x;
	for (int32_t n = i->y; n > 0; n--, r++)
		if (r->low <= rune && rune <= r->high) return !i->negated;
	return i->negated;
}

static void new_step(regex *re) {
	if (++re->step == 0) { // the marks of 4 billion steps ago would count
		memset(re->seen, 0, re->size * sizeof *re->seen);
		re->step = 1;
	}
}

// matches tells whether the expression matches the whole text.
static bool matches(regex *re, pacer_text text) {
	int32_t before = NO_RUNE, rune = cut_rune(&text);
	new_step(re);
	uint32_t n = reach(re, re->now, 0, 0, before, rune);
	while (rune != NO_RUNE && n > 0) {
		int32_t after = cut_rune(&text);
		uint32_t reached = 0;
		// Most expressions are at one instruction nearly always, and go on to the next.
		if (n == 1) {
			const instruction *only = &re->code[re->now[0]];
			if (!takes(re, only, rune)) return false;
			if (only[1].op <= ANY) {
				re->now[0]++;
				rune = after;
				continue;
			}
		}
		new_step(re);
		for (uint32_t k = 0; k < n; k++) {
			uint32_t at = re->now[k];
			if (takes(re, &re->code[at], rune)) reached = reach(re, re->next, reached, at + 1, rune, after);
		}
		uint32_t *list = re->now;
		re->now = re->next;
		re->next = list;
		n = reached;
		rune = after;
	}
	for (uint32_t k = 0; rune == NO_RUNE && k < n; k++)
		if (re->code[re->now[k]].op == MATCH) return true;
	return false;
}
