package main

import (
	"os"
	"testing"

	"github.com/pacer-run/pacer/sdk/policytest"
)

func TestVectors(t *testing.T) {
	file, err := os.Open("vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	vectors, err := policytest.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	policytest.Run(t, rackSpread{}.Prepare, vectors)
}
