package wasm

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/jsonvalue"
)

// jsonLanguage is one whose SDK reads JSON, with a module that shows what is in a text, and
// reviews apps.
type jsonLanguage struct {
	name    string
	fuel    int64 // that a review may cost for each byte of an app
	largest int   // KiB of an app that has to fit well into the limits
	build   func(testing.TB) []byte
}

func jsonLanguages() []jsonLanguage {
	return []jsonLanguage{
		{name: "rust", fuel: 110, largest: 1024, build: func(t testing.TB) []byte { return buildCargo(t, "runtime/policy/wasm/testdata/json-rust", "json") }},
		{name: "c", fuel: 85, largest: 1024, build: func(t testing.TB) []byte { return buildClang(t, "runtime/policy/wasm/testdata/json-c/json.c") }},
		{name: "c with wasi-libc", fuel: 85, largest: 1024, build: func(t testing.TB) []byte {
			return buildClangWith(t, "runtime/policy/wasm/testdata/json-c/json.c", true)
		}},
		{name: "assemblyscript", fuel: 160, largest: 512, build: func(t testing.TB) []byte {
			return buildAsc(t, "runtime/policy/wasm/testdata/json-assemblyscript/index.ts", "incremental")
		}},
		{name: "assemblyscript minimal", fuel: 135, largest: 512, build: func(t testing.TB) []byte {
			return buildAsc(t, "runtime/policy/wasm/testdata/json-assemblyscript/index.ts", "minimal")
		}},
	}
}

// jsonVector is one of sdk/jsonvalue/testdata/vectors.json.
type jsonVector struct {
	Text        string
	Base64      []byte
	Path        []string
	Set         *string
	Want, Error string
}

func jsonVectors(t *testing.T) []jsonVector {
	t.Helper()
	file, err := os.ReadFile("../../../sdk/jsonvalue/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []jsonVector
	if err := json.Unmarshal(file, &list); err != nil || len(list) < 250 {
		t.Fatalf("%d vectors: %v", len(list), err)
	}
	return list
}

// checkJSON asks the module all vectors.
func checkJSON(t *testing.T, m *Module) {
	t.Helper()
	for i, v := range jsonVectors(t) {
		settings := map[string]any{"path": v.Path}
		if v.Set != nil {
			settings["set"] = *v.Set
		}
		text, err := json.Marshal(settings)
		if err != nil {
			t.Fatal(err)
		}
		got, wrong := showJSON(t, m, sdk.AdmissionRequest{Settings: string(text), New: append([]byte(v.Text), v.Base64...)})
		if got != v.Want || wrong != v.Error {
			t.Errorf("%d: %.200q%q at %.200q: %.200s, %s; want %.200s, %s", i, v.Text, v.Base64, v.Path, got, wrong, v.Want, v.Error)
		}
	}
}

// checkJSONLike asks the module about texts that are nearly those of the vectors, and holds
// it to what sdk/jsonvalue says: which byte is wrong, and what becomes of a text that is
// amended.
func checkJSONLike(t *testing.T, m *Module) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	texts := jsonVectors(t)
	for range 3000 {
		text := append([]byte(texts[random.IntN(len(texts))].Text), "   "...)
		for range 1 + random.IntN(3) {
			at := random.IntN(len(text))
			with := []byte(`{}[]",:\\/u0eE+-.1a tn` + "\n\x00\xc3\xa4\xed\xa0\xf0\x9f\x98\x80")
			switch b := with[random.IntN(len(with))]; random.IntN(3) {
			case 0:
				text[at] = b
			case 1:
				text = slices.Insert(text, at, b)
			default:
				text = append(slices.Delete(text, at, at+1), ' ')
			}
		}
		v, wantErr := jsonvalue.Parse(text)
		want := []byte(nil)
		if wantErr == nil {
			want, wantErr = v.With(`"x"`, "a", "b")
		}
		got, err := showJSON(t, m, sdk.AdmissionRequest{Settings: `{"path":["a","b"],"set":"\"x\""}`, New: text})
		if (err == "") != (wantErr == nil) || wantErr != nil && err != wantErr.Error() || got != string(want) {
			t.Errorf("%.300q: %.300s, %s; want %.300s, %v", text, got, err, want, wantErr)
		}
	}
}

// checkJSONNumbers asks the module about numbers of all lengths, which have to be rounded as
// strconv rounds them.
func checkJSONNumbers(t *testing.T, m *Module) {
	t.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	var texts, want []string
	for range 2000 {
		n := strconv.FormatFloat(math.Float64frombits(random.Uint64()&^(1<<63)), 'e', random.IntN(25)-1, 64)
		if random.IntN(2) == 0 {
			n = fmt.Sprintf("%d.%de%d", random.Uint64()>>random.IntN(64), random.Uint64()>>random.IntN(64), random.IntN(60)-30)
		}
		f, err := strconv.ParseFloat(n, 64)
		if math.IsNaN(f) || math.IsInf(f, 0) && err == nil {
			continue
		}
		texts = append(texts, n)
		if err != nil {
			want = append(want, "- -")
			continue
		}
		want = append(want, fmt.Sprintf("- %016x", math.Float64bits(f)))
	}
	var shown []string
	for some := range slices.Chunk(texts, 50) {
		got, wrong := showJSON(t, m, sdk.AdmissionRequest{Settings: `{}`, New: []byte("[" + strings.Join(some, ",") + "]")})
		if wrong != "" {
			t.Fatalf("%q: %s", some, wrong)
		}
		shown = append(shown, strings.Split(strings.Trim(got, "[]"), ",")...)
	}
	if len(shown) != len(want) {
		t.Fatalf("%d of %d numbers", len(shown), len(want))
	}
	for i := range want {
		if shown[i] != want[i] {
			t.Errorf("%s is %s, want %s", texts[i], shown[i], want[i])
		}
	}
}

// showJSON asks the policy show. The second result is what it says is wrong.
func showJSON(t *testing.T, m *Module, r sdk.AdmissionRequest) (shown, wrong string) {
	t.Helper()
	r.Policy = "show"
	review, err := remote.Admission(m).Review(t.Context(), r)
	invalid, fault := (*sdk.Invalid)(nil), (*sdk.Fault)(nil)
	switch {
	case errors.As(err, &invalid):
		wrong = invalid.Message
	case errors.As(err, &fault): // as some SDKs have it when something cannot be amended
		wrong = fault.Cause
	case err != nil:
		t.Fatalf("%.200q: %v", r.New, err)
	}
	return string(review.Amended), wrong
}

// What is in a text, and which byte of one is wrong, is the same in all languages.
func TestLanguagesJSON(t *testing.T) {
	for _, l := range jsonLanguages() {
		t.Run(l.name, func(t *testing.T) {
			m, err := load(t, l.build(t), DefaultLimits())
			if err != nil {
				t.Fatal(err)
			}
			checkJSON(t, m)
			checkJSONLike(t, m)
			checkJSONNumbers(t, m)
			checkReview(t, m)
		})
	}
}

// appOf is an app of so many bytes, nearly all of them environment and labels.
func appOf(size int, image string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `{"id":"/shop/web","cmd":null,"args":[],"instances":3,"cpus":0.5,"mem":256,"disk":0,"container":{"type":"DOCKER",`+
		`"docker":{"image":%q,"network":"BRIDGE","portMappings":[{"containerPort":8080,"hostPort":0,"protocol":"tcp"}]}},"env":{"FIRST":""`, image)
	for i := 0; b.Len() < size*9/10; i++ {
		fmt.Fprintf(&b, `,"SHOP_WEB_SETTING_%d":"https://service-%d.shop.example:8443/path?x=%d"`, i, i, i)
	}
	b.WriteString(`},"labels":{"team":"shop"`)
	for i := 0; b.Len() < size-70; i++ {
		fmt.Fprintf(&b, `,"label-%d":"v%d"`, i, i)
	}
	b.WriteString(`},"upgradeStrategy":{"maximumOverCapacity":1}}`)
	return []byte(b.String())
}

// reviewApp has the module review an app, and returns the fuel for each of its bytes. The
// cheapest of some reviews counts: into the others falls a collection of garbage, or they
// are the first to need so much memory.
func reviewApp(t *testing.T, m *Module, size int, image string) int64 {
	t.Helper()
	app := appOf(size, image)
	want := ""
	if !strings.HasPrefix(image, "mirror.example/") {
		want = strings.Replace(string(app), image, "mirror.example/"+image, 1)
	}
	least := int64(1 << 62)
	for range 3 {
		before := m.FuelUsed()
		review, err := remote.Admission(m).Review(t.Context(), sdk.AdmissionRequest{
			Policy: "review", Verb: sdk.AdmissionCreate, Subject: sdk.AdmissionApp, ID: "/shop/web", New: app,
		})
		if err != nil || review.Denied || string(review.Amended) != want {
			t.Fatalf("%d bytes: %v, denied %t, %d bytes amended", size, err, review.Denied, len(review.Amended))
		}
		least = min(least, m.FuelUsed()-before)
	}
	return least / int64(len(app))
}

// checkReview sees to it that the module finds what it looks for.
func checkReview(t *testing.T, m *Module) {
	t.Helper()
	for text, path := range map[string]string{
		`{"labels":{}}`: "/labels/team",
		`{"labels":{"team":"a"},"env":{"PASSWORD":"x"}}`: "/env/PASSWORD",
		`{"labels":{"team":"a"},"env":{"X":"PASSWORD"}}`: "",
	} {
		review, err := remote.Admission(m).Review(t.Context(), sdk.AdmissionRequest{Policy: "review", New: []byte(text)})
		if err != nil || review.Path != path {
			t.Errorf("%s: %q, %v", text, review.Path, err)
		}
	}
	reviewApp(t, m, 1<<10, "mirror.example/redis:7")
	reviewApp(t, m, 1<<10, "redis:7")
}
