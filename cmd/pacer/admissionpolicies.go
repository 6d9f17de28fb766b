package main

import (
	"strings"

	"github.com/pacer-run/pacer/runtime/api"
	"github.com/pacer-run/pacer/runtime/policy"
)

// admissionSteps reads names of policies, each with settings behind a colon or none.
func admissionSteps(text string) []policy.AdmissionStep {
	var steps []policy.AdmissionStep
	for _, item := range listOf(text) {
		name, settings, _ := strings.Cut(item, ":")
		steps = append(steps, policy.AdmissionStep{Policy: name, Settings: settings})
	}
	return steps
}

// admission has the operator's policies review changes; nil when there are none.
func (p *policies) admission() api.Admission {
	if !p.Admits() {
		return nil
	}
	return p.Admit
}
