// A module in C with policies of all kinds, whose answers tell all that they were
// asked. kinds_test.go has the same policies in Go.
#define PACER_NAME "kinds"
#define PACER_VERSION "1.2.3"
#define PACER_CONSTRAINTS "EVERY", "EVERY_TOO", "HOST"
#define PACER_FETCH_POLICIES "every"
#define PACER_UPGRADE_STRATEGIES "every"
#define PACER_HEALTH_RULES "every"
#define PACER_ADMISSION_POLICIES "every"
#define PACER_CONFIGURE
#include "pacer_policy.h"

#define T PACER_TEXT

#ifdef __wasi__ // with a C library, whose memory and functions are used as well
#include <stdio.h>
#include <stdlib.h>

static pacer_text N(uint64_t n) {
	char *room = malloc(10000);
	int size = snprintf(room, 10000, "%llu", n);
	pacer_text text = pacer_join((pacer_text){room, (uint32_t)size});
	free(room);
	return text;
}
#else
#define N pacer_number
#endif

static pacer_text configured;

void policy_configure(pacer_text settings) {
	if (pacer_equal(settings, "{\"bad\":1}")) {
		pacer_invalid("these settings are bad");
		return;
	}
	static char room[100];
	configured = (pacer_text){memcpy(room, settings.at, settings.size), settings.size};
}

static pacer_text about(const pacer_app *app) {
	pacer_text team = T("none");
	pacer_label(app, "team", &team);
	return pacer_join(app->id, T(" "), app->version, T(" "), N(app->instances), T(" "), app->role, T(" "), team);
}

// prepared is the state of all kinds.
typedef struct {
	pacer_text about;
	pacer_text name, settings;
	uint32_t instances;
	bool enforced;
	pacer_health_check *checks;
} prepared;

static prepared *prepare(pacer_text name, pacer_text settings, const pacer_app *app) {
	if (pacer_equal(settings, "invalid")) return pacer_invalid(pacer_join(T("change "), name));
	if (pacer_equal(settings, "fault")) return pacer_fault("broken");
	if (pacer_equal(settings, "panic")) pacer_panic("at the prepared place");
	if (pacer_equal(settings, "memory")) pacer_keep(1 << 26);
	prepared *p = pacer_keep(sizeof *p);
	p->about = pacer_keep_text(about(app));
	p->name = pacer_keep_text(name);
	p->settings = pacer_keep_text(settings);
	p->instances = app->instances;
	return p;
}

void *constraint_prepare(const pacer_constraint_spec *spec, uint32_t *traits) {
	*traits = PACER_STATEFUL;
	prepared *p = prepare(spec->name, spec->value, &spec->app);
	if (p) p->about = pacer_keep_text(pacer_join(spec->field, spec->has_value ? T("=") : T("!"), p->about));
	return p;
}

static pacer_text yes(bool that) { return that ? T("yes") : T("no"); }

// host_order asks the host for something.
static pacer_text host_order(pacer_text order) {
	char *many = pacer_scratch(1000);
	memset(many, 'y', 1000);
	pacer_text longer = {many, 1000};
	if (pacer_equal(order, "now")) return N(pacer_now());
	if (pacer_equal(order, "rand")) return pacer_join(N(pacer_rand()), T(" "), N(pacer_rand()));
	if (pacer_equal(order, "put")) return pacer_join(yes(pacer_kv_put(T("a"), T("1"))), T(" "), yes(pacer_kv_put(T("b"), longer)));
	if (pacer_equal(order, "remove")) return yes(pacer_kv_put(T("a"), T("")));
	if (pacer_equal(order, "get"))
		return pacer_join(pacer_kv_get(T("a")), T(" "), N(pacer_kv_get(T("b")).size), T(" "), pacer_kv_get(T("c")));
	if (pacer_equal(order, "metrics")) {
		pacer_metric_add(1, 2);
		pacer_metric_observe(2, -3.5);
	}
	if (pacer_equal(order, "log") && pacer_log_enabled(PACER_ERROR)) pacer_log(PACER_WARNING, "a line");
	return order;
}

void constraint_evaluate(void *state, const pacer_constraint_input *in, pacer_constraint_answer *out) {
	prepared *p = state;
	if (pacer_equal(p->name, "HOST")) {
		out->reason = host_order(p->settings);
		return;
	}
	for (uint32_t slot = 0; slot < in->values; slot++) {
		pacer_text value = pacer_value(in, slot);
		uint32_t last = value.size > 0 ? (uint8_t)value.at[value.size - 1] : 0;
		out->quota[slot] = 256 * value.size + last + 100000 * pacer_placed(in, slot) + ((int32_t)slot == in->first) + in->instances;
	}
	out->flags = p->instances % 8;
	out->reason = pacer_join(p->name, T(" "), p->settings, T(" "), p->about, T(" "), configured);
}

void *fetch_prepare(const pacer_fetch_spec *spec) {
	prepared *p = prepare(spec->name, spec->settings, &spec->app);
	if (p) p->enforced = spec->enforced;
	return p;
}

void fetch_decide(void *state, const pacer_fetch_uri *uri, pacer_fetch_decision *out) {
	prepared *p = state;
	if (pacer_begins(uri->uri, T("http:"))) {
		out->denied = true;
		out->reason = pacer_join(p->enforced ? T("enforced ") : T("not enforced "), p->about, T(" "), uri->uri);
		return;
	}
	out->fetch.uri = pacer_join(p->settings, uri->uri);
	out->fetch.extract = uri->executable;
	out->fetch.executable = uri->cache;
	out->fetch.cache = uri->extract;
	out->fetch.dest_path = pacer_join(uri->dest_path, T("/"), p->name);
	if (p->enforced) {
		out->sha256 = T("abcd");
		out->limit_bytes = (1ull << 40) + p->instances;
		out->limit_entries = 1;
		out->limit_depth = 2;
		out->limit_ratio = 300;
	}
}

void *upgrade_prepare(const pacer_upgrade_spec *spec) { return prepare(spec->name, T(""), &spec->app); }

void upgrade_next(void *state, const pacer_upgrade_state *now, pacer_upgrade_step *out) {
	prepared *p = state;
	out->start = now->old + 10 * now->old_dying + 100 * now->old_healthy + 1000 * now->fresh + 10000 * now->fresh_healthy +
		100000 * now->fresh_ready;
	out->kill = now->instances + 100 * now->min_healthy + 10000 * now->max_total;
	out->ask_after_millis = now->millis + now->now_millis;
	out->outcome = now->promotions % 3;
	out->reason = pacer_join(p->name, T(" "), p->about, T(" "), N((uint64_t)(1000 * now->minimum_health_capacity)), T(" "),
		N((uint64_t)(1000 * now->maximum_over_capacity)));
	out->memory = pacer_join(now->memory, T("\0more"));
}

void *health_prepare(const pacer_health_spec *spec) {
	prepared *p = prepare(spec->name, T(""), &spec->app);
	p->checks = pacer_keep(spec->check_count * sizeof *p->checks);
	for (uint32_t i = 0; i < spec->check_count; i++) {
		p->checks[i] = spec->checks[i];
		p->checks[i].protocol = pacer_keep_text(spec->checks[i].protocol);
	}
	return p;
}

void health_judge(void *state, const pacer_health_history *h, pacer_health_verdict *out) {
	prepared *p = state;
	const pacer_health_check *check = &p->checks[h->check];
	out->state = h->results % 3;
	out->replace = out->state == PACER_UNHEALTHY && !check->by_mesos;
	out->reason = pacer_join(p->about, T(" "), check->protocol, T(" "), N(check->interval_millis), T(" "), N(check->timeout_millis),
		T(" "), N(check->grace_millis), T(" "), N(check->max_consecutive_failures), T(" "), N(h->age_millis), T(" "),
		N(h->first_success), T(" "), N(h->last_success), T(" "), N(h->last_failure), T(" "), h->last_failure_cause, T(" "),
		N(h->consecutive_failures), T(" "), N(h->recent), T(" "), N(pacer_failures(h, 10)), T(" "), N(pacer_failures(h, 64)));
}

static pacer_text json(pacer_text text) { return text.size > 0 ? text : T("null"); }

void admission_review(const pacer_admission_request *r, pacer_admission_review *out) {
	if (pacer_equal(r->settings, "invalid")) {
		pacer_invalid(pacer_join(T("change "), r->name));
		return;
	}
	out->denied = pacer_equal(r->user, "mallory");
	if (out->denied) {
		out->reason = pacer_join(r->user, T(" "), N(r->verb), T(" "), N(r->subject));
		out->path = T("/cpus");
		return;
	}
	if (!r->force) out->amended = pacer_join(T("["), json(r->before), T(","), json(r->after), T("]"));
	pacer_text *warnings = pacer_scratch((r->above_count + 1) * sizeof *warnings);
	warnings[0] = pacer_join(r->name, T(" "), r->id, T(" "), N(r->now_millis), T(" "), r->settings);
	for (uint32_t i = 0; i < r->above_count; i++) {
		const pacer_group_use *g = &r->above[i];
		warnings[i + 1] = pacer_join(g->id, T(" "), N(g->apps), T(" "), N(g->instances), T(" "), N((uint64_t)(1000 * g->cpus)), T(" "),
			N((uint64_t)(1000 * g->mem)), T(" "), N((uint64_t)(1000 * g->disk)), T(" "), N(g->gpus));
	}
	out->warnings = warnings;
	out->warning_count = r->above_count + 1;
}
