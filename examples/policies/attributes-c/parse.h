// The upper half of the compiler: groups, repetitions, alternatives.

static void alternatives(compiler *c);

// not_group refuses what follows a (. It names what other engines have and RE2 lacks, so
// that a user of those is not told that a good expression is malformed.
static void not_group(compiler *c, const char *what, const char *from) {
	static const char *const around[] = {"(?=", "(?!", "(?<=", "(?<!"};
	pacer_text part = since(c, from);
	for (int i = 0; i < 4; i++)
		if (pacer_begins(part, pacer_text_of(around[i]))) what = "look-around is not supported (the syntax is RE2's)";
	if (pacer_begins(part, PACER_TEXT("(?>"))) what = "atomic groups are not supported (the syntax is RE2's)";
	wrong(c, what, part);
}

// group_name moves behind the name of a group, which means nothing to a match. It
// returns false when there is none.
static bool group_name(compiler *c, const char *from) {
	if (c->rest.size > 3 && sees(c, "?P<")) skips(c, "?P<");
	else if (c->rest.size > 2 && sees(c, "?<")) skips(c, "?<");
	else return false;
	const char *name = c->rest.at;
	bool good = true;
	while (c->rest.size > 0 && *c->rest.at != '>') good = is_word(cut_rune(&c->rest)) && good;
	good = good && c->rest.at > name;
	if (!skips(c, ">") || !good) not_group(c, "invalid named capture", from);
	return true;
}

// group_flags reads the flags of (?i) and (?i:…), behind the ?. It returns true
// when a group follows.
static bool group_flags(compiler *c, const char *from) {
	uint32_t flags = c->flags;
	bool off = false, some = false;
	while (c->rest.size > 0) {
		uint32_t flag = 0;
		if (skips(c, "i")) flag = FOLD;
		else if (skips(c, "s")) flag = DOT_NEWLINE;
		else if (skips(c, "m")) flag = LINES;
		else if (skips(c, "U")) flag = 0; // which of several matches is found does not matter
		else if (!off && skips(c, "-")) {
			off = true;
			some = false;
			continue;
		} else if ((sees(c, ")") || sees(c, ":")) && (some || !off)) {
			c->flags = flags;
			return sees(c, ":") ? skips(c, ":") : !skips(c, ")");
		} else break;
		some = true;
		flags = off ? flags & ~flag : flags | flag;
	}
	cut_rune(&c->rest);
	not_group(c, "invalid or unsupported Perl syntax", from);
	return false;
}

// group compiles what follows a (. It returns false for one that only sets flags.
static bool group(compiler *c) {
	const char *from = c->rest.at - 1;
	uint32_t flags = c->flags;
	if (!group_name(c, from) && skips(c, "?") && !group_flags(c, from)) return false;
	if (++c->depth > MAX_DEPTH) wrong(c, "expression nests too deeply", c->whole);
	alternatives(c);
	c->depth--;
	c->flags = flags;
	if (!skips(c, ")")) wrong(c, "missing closing )", c->whole);
	return true;
}

// literal_text compiles \Q…\E. It returns where the last rune of it begins, which is what
// a repetition repeats; -1: there is none.
static int32_t literal_text(compiler *c) {
	int32_t last = -1;
	while (c->rest.size > 0 && !skips(c, "\\E")) {
		const char *at = c->rest.at;
		last = (int32_t)c->re->size;
		emit_rune(c, cut_rune(&c->rest), at);
	}
	return last;
}

static bool skips_assertion(compiler *c) {
	instruction i = {0};
	if (skips(c, "^")) i.op = c->flags & LINES ? LINE_BEGIN : TEXT_BEGIN;
	else if (skips(c, "$")) i.op = c->flags & LINES ? LINE_END : TEXT_END;
	else if (skips(c, "\\A")) i.op = TEXT_BEGIN;
	else if (skips(c, "\\z")) i.op = TEXT_END;
	else if (skips(c, "\\b")) i.op = WORD_EDGE;
	else if (skips(c, "\\B")) i.op = NO_WORD_EDGE;
	else return false;
	emit(c, i);
	return true;
}

// dot is . without the newline, as a class that is negated.
static void dot(compiler *c) {
	uint32_t first = c->ranges;
	if (c->flags & DOT_NEWLINE) {
		emit(c, (instruction){ANY, false, 0, 0});
		return;
	}
	add_range(c, '\n', '\n');
	emit_class(c, first, true);
}

// atom compiles what a repetition can follow. It returns where that begins, -1 for
// what cannot be repeated.
static int32_t atom(compiler *c) {
	uint32_t from = c->re->size, first = c->ranges;
	const char *at = c->rest.at;
	c->copies = 1;
	if (skips_assertion(c)) return (int32_t)from;
	if (skips(c, "(")) return group(c) ? (int32_t)from : -1;
	if (skips(c, "\\Q")) return literal_text(c);
	if (perl_set(c)) emit_class(c, first, false);
	else if (skips(c, "[")) character_class(c);
	else if (skips(c, ".")) dot(c);
	else emit_rune(c, skips(c, "\\") ? escaped(c) : cut_rune(&c->rest), at);
	return (int32_t)from;
}

typedef struct {
	int32_t least, most; // most -1: any number
} repetition;

// count reads a count; a large one is just larger than all that are allowed. It returns
// -1 for none: 01 is no number.
static int32_t count(compiler *c) {
	pacer_text before = c->rest;
	int32_t value = -1;
	while (c->rest.size > 0 && digit(*c->rest.at, 10) >= 0) {
		if (value == 0 && c->rest.at == before.at + 1) return -1;
		value = 10 * (value < 0 ? 0 : value) + digit(cut_rune(&c->rest), 10);
		if (value > MAX_REPEAT) value = MAX_REPEAT + 1;
	}
	return value;
}

// counted reads {2}, {2,} or {2,3}; anything else is text.
static bool counted(compiler *c, repetition *r) {
	pacer_text before = c->rest;
	if (!skips(c, "{")) return false;
	r->least = r->most = count(c);
	bool good = r->least >= 0;
	if (skips(c, ",")) {
		r->most = count(c);
		good = good && (r->most >= 0 || sees(c, "}"));
	}
	if (!good || !skips(c, "}")) {
		c->rest = before;
		return false;
	}
	bool bad = r->least > MAX_REPEAT || r->most > MAX_REPEAT || (r->most >= 0 && r->least > r->most);
	if (bad) wrong(c, "invalid repeat count", since(c, before.at));
	return !bad;
}

static bool repeats(compiler *c, repetition *r) {
	*r = (repetition){0, -1};
	if (skips(c, "*")) return true;
	if (skips(c, "+")) return r->least = 1, true;
	if (skips(c, "?")) return r->most = 1, true;
	return counted(c, r);
}

// repeat makes what was compiled from a place on repeat.
static void repeat(compiler *c, uint32_t from, repetition r) {
	uint32_t n = c->re->size - from;
	instruction skip = {SPLIT, false, 1, (int32_t)n + 1};
	if (r.most == 0) {
		c->re->size = from;
	} else if (r.least == 0 && r.most < 0) {
		skip.y++;
		insert(c, from, skip);
		emit(c, (instruction){JUMP, false, -(int32_t)n - 1, 0});
	} else if (r.least == 0) {
		insert(c, from, skip);
		for (int32_t k = 1; k < r.most; k++) copy(c, from, n + 1);
	} else {
		for (int32_t k = 1; k < r.least; k++) copy(c, from, n);
		if (r.most < 0) emit(c, (instruction){SPLIT, false, -(int32_t)n, 1});
		for (int32_t k = r.least; k < r.most; k++) {
			emit(c, skip);
			copy(c, from, n);
		}
	}
}

// repeat_last applies a repetition, written from a place on, to what was compiled from
// last on; repeated is where a repetition begins that it follows, or NULL.
static void repeat_last(compiler *c, repetition r, int32_t last, const char *at, const char *repeated) {
	skips(c, "?"); // which of several matches is found does not matter
	if (repeated) {
		bool possessive = c->rest.at[-1] == '+';
		wrong(c, possessive ? "possessive quantifiers are not supported (the syntax is RE2's)"
		                    : "invalid nested repetition operator", since(c, repeated));
	}
	if (last < 0) wrong(c, "missing argument to repetition operator", since(c, at));
	int32_t most = r.most < 0 ? r.least : r.most;
	c->copies = r.most == 0 ? 1 : c->copies * (most > 1 ? most : 1);
	if (c->copies > MAX_REPEAT && most > 1) wrong(c, "invalid repeat count", since(c, at));
	if (!failed(c)) repeat(c, (uint32_t)last, r);
}

// sequence compiles atoms and their repetitions up to a | or a ).
static void sequence(compiler *c) {
	int32_t last = -1, copies = 1;
	const char *repeated = NULL;
	c->copies = 1;
	while (c->rest.size > 0 && !sees(c, "|") && !sees(c, ")")) {
		const char *at = c->rest.at;
		repetition r;
		if (repeats(c, &r)) {
			repeat_last(c, r, last, at, repeated);
			repeated = at;
			continue;
		}
		if (failed(c)) return;
		int32_t before = c->copies, from = atom(c);
		repeated = NULL;
		if (from < 0) { // flags are passed over: a(?i)* is a*
			c->copies = before;
			continue;
		}
		last = from;
		if (before > copies) copies = before;
	}
	if (copies > c->copies) c->copies = copies;
}

// alternatives compiles what is separated by |.
static void alternatives(compiler *c) {
	int32_t ends = -1, copies = 1; // ends: the jumps to the end, each with the place of the one before
	for (;;) {
		uint32_t from = c->re->size;
		sequence(c);
		if (c->copies > copies) copies = c->copies;
		if (failed(c) || !skips(c, "|")) break;
		insert(c, from, (instruction){SPLIT, false, 1, (int32_t)(c->re->size - from) + 2});
		emit(c, (instruction){JUMP, false, ends, 0});
		ends = (int32_t)c->re->size - 1;
	}
	while (ends >= 0 && !failed(c)) {
		int32_t before = c->re->code[ends].x;
		c->re->code[ends].x = (int32_t)c->re->size - ends;
		ends = before;
	}
	c->copies = copies;
}

static void *kept(const void *from, uint32_t size) { return memcpy(pacer_keep(size), from, size); }

// compile makes a program of an expression. When it is none, it says why in fault.
static regex *compile(pacer_text expression, pacer_text *fault) {
	regex *re = pacer_keep(sizeof *re);
	re->code = pacer_scratch(MAX_CODE * sizeof *re->code);
	re->ranges = pacer_scratch(MAX_RANGES * sizeof *re->ranges);
	compiler c = {.whole = expression, .rest = expression, .re = re};
	alternatives(&c);
	if (c.rest.size > 0) wrong(&c, "unexpected )", expression);
	emit(&c, (instruction){.op = MATCH});
	*fault = c.fault;
	re->code = kept(re->code, re->size * sizeof *re->code);
	re->ranges = kept(re->ranges, c.ranges * sizeof *re->ranges);
	re->now = pacer_keep(re->size * sizeof *re->now);
	re->next = pacer_keep(re->size * sizeof *re->next);
	re->stack = pacer_keep((2 * re->size + 1) * sizeof *re->stack);
	re->seen = pacer_keep(re->size * sizeof *re->seen);
	return re;
}
