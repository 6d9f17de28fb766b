// The adapter is a policy module for Pacer around a Rego policy that OPA has compiled
// to WASM. It is linked with that into one module: each imports what the other has, and
// they share the memory of this one. It knows nothing of what the policy says.
//
//	0            OPA's stack and data, which its compiler put there
//	1 MiB        data, stack and pages of the adapter (-Wl,--global-base)
//	__heap_base  OPA's heap, which grows to the end of memory
#define PACER_NAME "rego"
#define PACER_VERSION "1.0.0"
#define PACER_ADMISSION_POLICIES "rego"
#define PACER_CONFIGURE

// OPA's heap takes it that the end of memory is its own. So the SDK gets its pages from
// here instead of growing memory: enough for an app or group of 1 MiB, twice.
enum { ADAPTER_PAGES = 192, ADAPTER_PAGE = 1 << 16 };
static unsigned adapter_grow(unsigned pages);
#define __builtin_wasm_memory_grow(memory, pages) adapter_grow(pages)
#include "pacer_policy.h"
#include "pacer_json.h"

static struct {
	_Alignas(ADAPTER_PAGE) char at[ADAPTER_PAGES][ADAPTER_PAGE];
	unsigned used;
} arena;

static unsigned adapter_grow(unsigned pages) {
	if (pages > ADAPTER_PAGES - arena.used) return UINT32_MAX;
	unsigned first = (unsigned)&arena.at[arena.used] / ADAPTER_PAGE;
	arena.used += pages;
	return first;
}

// What OPA's module has, as its ABI 1.3 says.
#define OPA(name) __attribute__((import_module("opa"), import_name(#name)))
OPA(opa_heap_ptr_get) uint32_t opa_heap_ptr_get(void);
OPA(opa_heap_ptr_set) void opa_heap_ptr_set(uint32_t at);
OPA(opa_json_parse) uint32_t opa_json_parse(const char *text, uint32_t size);
OPA(opa_json_dump) const char *opa_json_dump(uint32_t value);
OPA(builtins) uint32_t opa_builtins(void);
OPA(opa_eval)
const char *opa_eval(uint32_t reserved, uint32_t entry, uint32_t data, const char *input, uint32_t size, uint32_t heap, uint32_t format);

// What OPA's module needs. Functions that its compiler leaves to the host there are none
// of here: policy_configure refuses a policy that uses any.
PACER__EXPORT("opa_abort") void adapter_abort(const char *message) { pacer_panic(message); }
#define BUILTIN(n, ...) \
	PACER__EXPORT("opa_builtin" #n) uint32_t adapter_builtin##n(__VA_ARGS__) { pacer_panic("a function of Rego that is not there"); }
BUILTIN(0, uint32_t id, uint32_t context)
BUILTIN(1, uint32_t id, uint32_t context, uint32_t a)
BUILTIN(2, uint32_t id, uint32_t context, uint32_t a, uint32_t b)
BUILTIN(3, uint32_t id, uint32_t context, uint32_t a, uint32_t b, uint32_t c)
BUILTIN(4, uint32_t id, uint32_t context, uint32_t a, uint32_t b, uint32_t c, uint32_t d)

extern char __global_base, __heap_base;

static struct {
	uint32_t data, heap; // the document data, and where the heap is free behind it
} rego;

// The settings become data.settings.
void policy_configure(pacer_text settings) {
	if (opa_heap_ptr_get() > (uint32_t)&__global_base) {
		pacer_fault("the Rego policy has more than 1 MiB of data");
		return;
	}
	opa_heap_ptr_set((uint32_t)&__heap_base);
	pacer_text missing = pacer_text_of(opa_json_dump(opa_builtins()));
	if (!pacer_equal(missing, "{}")) {
		pacer_fault(pacer_join(PACER_TEXT("the Rego policy calls functions that OPA leaves to the host: "), missing));
		return;
	}
	if (settings.size == 0) settings = PACER_TEXT("{}");
	pacer_text data = pacer_join(PACER_TEXT("{\"settings\":"), settings, PACER_TEXT("}"));
	rego.data = opa_json_parse(data.at, data.size);
	if (rego.data == 0) pacer_invalid("the settings are not JSON");
	rego.heap = (opa_heap_ptr_get() + 7) & ~7u;
}

// decimal is a number of at most three decimals, as resources are.
static pacer_text decimal(double n) {
	uint64_t thousandths = n > 0 && n < 9e15 ? (uint64_t)(n * 1000 + 0.5) : 0;
	pacer_text rest = pacer_number(1000 + thousandths % 1000);
	return pacer_join(pacer_number(thousandths / 1000), PACER_TEXT("."), ((pacer_text){rest.at + 1, 3}));
}

static pacer_text above_json(const pacer_admission_request *r) {
	pacer_text list = PACER_TEXT("[");
	for (uint32_t i = 0; i < r->above_count; i++) {
		const pacer_group_use *g = &r->above[i];
		list = pacer_join(list, i > 0 ? PACER_TEXT(",{\"id\":") : PACER_TEXT("{\"id\":"), pacer_json_quote(g->id),
			PACER_TEXT(",\"apps\":"), pacer_number(g->apps), PACER_TEXT(",\"instances\":"), pacer_number(g->instances),
			PACER_TEXT(",\"cpus\":"), decimal(g->cpus), PACER_TEXT(",\"mem\":"), decimal(g->mem),
			PACER_TEXT(",\"disk\":"), decimal(g->disk), PACER_TEXT(",\"gpus\":"), pacer_number(g->gpus), PACER_TEXT("}"));
	}
	return pacer_join(list, PACER_TEXT("]"));
}

static pacer_text or_null(pacer_text json) { return json.size > 0 ? json : PACER_TEXT("null"); }

// input_json is the request as Rego sees it: README.md has the fields.
static pacer_text input_json(const pacer_admission_request *r) {
	static const char *const verbs[] = {"", "create", "update", "delete"}, *const subjects[] = {"", "app", "group"};
	return pacer_join(PACER_TEXT("{\"verb\":\""), pacer_text_of(verbs[r->verb & 3]), PACER_TEXT("\",\"subject\":\""),
		pacer_text_of(subjects[r->subject % 3]), PACER_TEXT("\",\"id\":"), pacer_json_quote(r->id), PACER_TEXT(",\"user\":"),
		pacer_json_quote(r->user), PACER_TEXT(",\"options\":"), pacer_json_quote(r->settings), PACER_TEXT(",\"force\":"),
		r->force ? PACER_TEXT("true") : PACER_TEXT("false"), PACER_TEXT(",\"now_millis\":"), pacer_number(r->now_millis),
		PACER_TEXT(",\"old\":"), or_null(r->before), PACER_TEXT(",\"new\":"), or_null(r->after), PACER_TEXT(",\"above\":"),
		above_json(r), PACER_TEXT("}"));
}

// Every review begins with the heap as it was configured: nothing of one is left for
// the next.
void admission_review(const pacer_admission_request *r, pacer_admission_review *out) {
	if (r->verb == 0) return; // about the settings, which were checked when it was configured
	pacer_text input = input_json(r);
	pacer_json results, decision = {0};
	if (!pacer_json_parse(pacer_text_of(opa_eval(0, 0, rego.data, input.at, input.size, rego.heap, 0)), &results)) return;
	pacer_json_item it = pacer_json_items(results);
	if (pacer_json_next(&it)) decision = pacer_json_get(it.value, "result");
	if (pacer_json_kind(decision) == PACER_JSON_ABSENT) {
		pacer_fault("the Rego policy has no decision");
		return;
	}
	pacer_json allow = pacer_json_get(decision, "allow"), amended = pacer_json_get(decision, "amended");
	if (pacer_json_kind(allow) != PACER_JSON_BOOL) {
		pacer_fault("the decision of the Rego policy has no allow that is true or false");
		return;
	}
	out->denied = !pacer_json_true(allow);
	out->reason = pacer_json_text(pacer_json_get(decision, "reason"));
	out->path = pacer_json_text(pacer_json_get(decision, "path"));
	if (!out->denied && pacer_json_kind(amended) != PACER_JSON_NULL) out->amended = amended.raw;
	static pacer_text warnings[16];
	it = pacer_json_items(pacer_json_get(decision, "warnings"));
	while (out->warning_count < 16 && pacer_json_next(&it)) warnings[out->warning_count++] = pacer_json_text(it.value);
	out->warnings = warnings;
}
