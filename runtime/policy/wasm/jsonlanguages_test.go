package wasm

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pacer-run/pacer/runtime/policy/remote"
	"github.com/pacer-run/pacer/sdk"
)

// jsonLanguage is one whose SDK reads JSON, with a module that shows what is in a text, and
// reviews apps.
type jsonLanguage struct {
	name  string
	fuel  int64 // that a review may cost for each byte of an app
	build func(testing.TB) []byte
}

func jsonLanguages() []jsonLanguage {
	return []jsonLanguage{
		{name: "rust", fuel: 300, build: func(t testing.TB) []byte { return buildCargo(t, "runtime/policy/wasm/testdata/json-rust", "json") }},
		{name: "c", fuel: 170, build: func(t testing.TB) []byte { return buildClang(t, "runtime/policy/wasm/testdata/json-c/json.c") }},
		{name: "c with wasi-libc", fuel: 170, build: func(t testing.TB) []byte {
			return buildClangWith(t, "runtime/policy/wasm/testdata/json-c/json.c", true)
		}},
		{name: "assemblyscript", fuel: 520, build: func(t testing.TB) []byte {
			return buildAsc(t, "runtime/policy/wasm/testdata/json-assemblyscript/index.ts", "incremental")
		}},
		{name: "assemblyscript minimal", fuel: 460, build: func(t testing.TB) []byte {
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

// checkJSON asks the module all vectors.
func checkJSON(t *testing.T, m *Module) {
	t.Helper()
	file, err := os.ReadFile("../../../sdk/jsonvalue/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []jsonVector
	if err := json.Unmarshal(file, &list); err != nil || len(list) < 250 {
		t.Fatalf("%d vectors: %v", len(list), err)
	}
	for i, v := range list {
		settings := map[string]any{"path": v.Path}
		if v.Set != nil {
			settings["set"] = *v.Set
		}
		text, err := json.Marshal(settings)
		if err != nil {
			t.Fatal(err)
		}
		review, err := remote.Admission(m).Review(t.Context(), sdk.AdmissionRequest{
			Policy: "show", Settings: string(text), New: append([]byte(v.Text), v.Base64...),
		})
		says := ""
		invalid, fault := (*sdk.Invalid)(nil), (*sdk.Fault)(nil)
		switch {
		case errors.As(err, &invalid):
			says = invalid.Message
		case errors.As(err, &fault): // as some SDKs have it when something cannot be amended
			says = fault.Cause
		case err != nil:
			t.Fatalf("%d: %.200q: %v", i, v.Text, err)
		}
		if got := string(review.Amended); got != v.Want || strings.TrimSpace(says) != strings.TrimSpace(v.Error) {
			t.Errorf("%d: %.200q%q at %.200q: %.200s, %s; want %.200s, %s", i, v.Text, v.Base64, v.Path, got, says, v.Want, v.Error)
		}
	}
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
