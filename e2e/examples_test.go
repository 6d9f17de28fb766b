package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// TestExamples submits every example app as a reader of the documentation would:
// each comes to run with all its instances.
func TestExamples(t *testing.T) {
	policies := t.TempDir()
	module(t, "../examples/policies/rack-spread", filepath.Join(policies, "rack-spread.wasm"))
	_, a := dev(t, dataDir(t), "--policy-dir", policies)
	files, err := filepath.Glob("../examples/apps/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("examples %v, %v: want some", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var example struct {
				ID        string
				Instances int
			}
			if err := json.Unmarshal(body, &example); err != nil {
				t.Fatal(err)
			}
			a.must(t, "POST", "/v2/apps?strict=true", string(body))
			a.running(t, example.ID, example.Instances)
		})
	}
}
