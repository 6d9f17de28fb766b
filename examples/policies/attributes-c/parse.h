// The upper half of the compiler: groups, repetitions, alternatives.

static void alternatives(compiler *c);

// unsupported names what other engines have and RE2 lacks, so that a user of those
// is not told that a good expression is malformed.
static bool unsupported(compiler *c) {
	static const char *const around[] = {"?=", "?!", "?<=", "?<!"};
	for (int i = 0; i < 4; i++) {
		const char *from = c->rest.at - 1;
		if (!skips(c, around[i])) continue;
		wrong(c, "look-around is not supported (the syntax is RE2's)", since(c, from));
		return true;
	}
	if (!sees(c, "?>")) return false;
	wrong(c, "atomic groups are not supported (the syntax is RE2's)", PACER_TEXT("(?>"));
	return true;
}

// group_name moves behind the name of a group, which means nothing to a match.
static bool group_name(compiler *c, const char *from) {
	const char *name = c->rest.at;
	while (c->rest.size > 0 && is_word(*c->rest.at)) skips(c, (char[]){*c->rest.at, 0});
	if (c->rest.at > name && skips(c, ">")) return true;
	wrong(c, "invalid named capture", (pacer_text){from, (uint32_t)(c->rest.at - from)});
	return false;
}

// group_flags reads the flags of (?i) and (?i:…), behind the ?. It returns true
// when a group follows.
static bool group_flags(compiler *c, const char *from) {
	uint32_t flags = c->flags;
	for (bool off = false; c->rest.size > 0; ) {
		uint32_t flag = 0;
		if (skips(c, "i")) flag = FOLD;
		else if (skips(c, "s")) flag = DOT_NEWLINE;
		else if (skips(c, "m")) flag = LINES;
		else if (skips(c, "U")) flag = 0; // which of several matches is found does not matter
		else if (!off && skips(c, "-")) off = true;
		else if (sees(c, ")") || sees(c, ":")) {
			c->flags = flags;
			return sees(c, ":") ? skips(c, ":") : !skips(c, ")");
		} else break;
		flags = off ? flags & ~flag : flags | flag;
	}
	cut_rune(&c->rest);
	wrong(c, "invalid or unsupported Perl syntax", since(c, from));
	return false;
}

// group compiles what follows a (. It returns false for one that only sets flags.
static bool group(compiler *c) {
	const char *from = c->rest.at - 1;
	uint32_t flags = c->flags;
	if (unsupported(c)) return false;
	if (skips(c, "?P<") || skips(c, "?<")) {
		if (!group_name(c, from)) return false;
	} else if (skips(c, "?") && !group_flags(c, from)) {
		return false;
	}
	if (++c->depth > MAX_DEPTH) wrong(c, "expression nests too deeply", c->whole);
	alternatives(c);
	c->depth--;
	c->flags = flags;
	if (!skips(c, ")")) wrong(c, "missing closing )", c->whole);
	return true;
}

// literal_text compiles \Q…\E.
static uint32_t literal_text(compiler *c) {
	uint32_t last = c->re->size;
	while (c->rest.size > 0 && !skips(c, "\\E")) {
		last = c->re->size;
		emit_rune(c, cut_rune(&c->rest));
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
	if (skips_assertion(c)) return (int32_t)from;
	if (skips(c, "(")) return group(c) ? (int32_t)from : -1;
	if (skips(c, "\\Q")) {
		from = literal_text(c);
		return from < c->re->size ? (int32_t)from : -1;
	}
	if (perl_set(c)) emit_class(c, first, false);
	else if (skips(c, "[")) character_class(c);
	else if (skips(c, ".")) dot(c);
	else if (skips(c, "\\")) emit_rune(c, escaped(c));
	else emit_rune(c, cut_rune(&c->rest));
	return (int32_t)from;
}

typedef struct {
	int32_t least, most; // most -1: any number
} repetition;

// counted reads {2}, {2,} or {2,3}; anything else is text.
static bool counted(compiler *c, repetition *r) {
	pacer_text before = c->rest;
	if (!skips(c, "{")) return false;
	r->least = digits(c, 10, 6);
	r->most = !skips(c, ",") ? r->least : sees(c, "}") ? -1 : digits(c, 10, 6);
	bool is_count = r->least >= 0 && (r->most >= 0 || c->rest.at[-1] == ',');
	if (is_count && skips(c, "}")) return true;
	c->rest = before;
	return false;
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

// sequence compiles atoms and their repetitions up to a | or a ).
static void sequence(compiler *c) {
	while (c->rest.size > 0 && !sees(c, "|") && !sees(c, ")")) {
		const char *at = c->rest.at;
		repetition r, second;
		if (repeats(c, &r)) wrong(c, "missing argument to repetition operator", since(c, at));
		if (failed(c)) return;
		int32_t from = atom(c);
		at = c->rest.at;
		if (failed(c) || !repeats(c, &r)) continue;
		if (from < 0) wrong(c, "missing argument to repetition operator", since(c, at));
		skips(c, "?"); // which of several matches is found does not matter
		if (r.least > MAX_REPEAT || r.most > MAX_REPEAT || (r.most >= 0 && r.least > r.most))
			wrong(c, "invalid repeat count", since(c, at));
		bool possessive = sees(c, "+");
		if (repeats(c, &second))
			wrong(c, possessive ? "possessive quantifiers are not supported (the syntax is RE2's)"
			                    : "invalid nested repetition operator", since(c, at));
		if (!failed(c)) repeat(c, (uint32_t)from, r);
	}
}

// alternatives compiles what is separated by |.
static void alternatives(compiler *c) {
	int32_t ends = -1; // the jumps to the end, each with the place of the one before
	for (;;) {
		uint32_t from = c->re->size;
		sequence(c);
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
