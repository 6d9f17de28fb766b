package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pacer-run/pacer/runtime/cluster"
)

// leastCPUs is what an agent of the embedded cluster offers at the least. Nothing
// holds a task to its cpus, and on a machine of two cores a third of them would
// host no app that asks for one.
const leastCPUs = 4

// agentConfigs are n shares of this machine with the attributes that were asked
// for: none, one text for all agents, or one for each. An attribute replaces the
// agent's own of the same name.
func agentConfigs(n int, workDir string, attributes []string) ([]cluster.AgentConfig, error) {
	if n < 1 {
		return nil, badFlag("--agents: %d: expected at least 1", n)
	}
	if len(attributes) > 1 && len(attributes) != n {
		return nil, badFlag("--attributes: given %d times for %d agents, expected once for all or once for each", len(attributes), n)
	}
	agents, err := cluster.Shares(n, workDir)
	if err != nil {
		return nil, err
	}
	for i := range agents {
		agents[i].Hostname = loopbackName(i)
		agents[i].Resources = raiseCPUs(agents[i].Resources)
		if len(attributes) == 0 {
			continue
		}
		agents[i].Attributes = joinAttributes(agents[i].Attributes, attributes[min(i, len(attributes)-1)])
		if _, err := cluster.ParseAttributes(agents[i].Attributes); err != nil {
			return nil, badFlag("--attributes: %w", err)
		}
	}
	return agents, nil
}

// loopbackName is the host name of the i-th agent: an address of its own that
// leads to this machine all the same, so that "hostname UNIQUE" and its like mean
// what they mean on a real cluster.
func loopbackName(i int) string {
	i++ // 127.0.0.0 is no host's
	return fmt.Sprintf("127.0.%d.%d", i>>8&255, i&255)
}

// raiseCPUs brings "cpus:x;…" up to leastCPUs.
func raiseCPUs(resources string) string {
	parts := strings.Split(resources, ";")
	for i, part := range parts {
		name, value, _ := strings.Cut(part, ":")
		if cpus, err := strconv.ParseFloat(value, 64); name == "cpus" && err == nil && cpus < leastCPUs {
			parts[i] = fmt.Sprintf("cpus:%d", leastCPUs)
		}
	}
	return strings.Join(parts, ";")
}

// joinAttributes adds attributes to an agent's own, which give way to those of
// the same name.
func joinAttributes(own, added string) string {
	var parts []string
	for part := range strings.SplitSeq(own, ";") {
		name, _, _ := strings.Cut(part, ":")
		if !strings.HasPrefix(added, name+":") && !strings.Contains(added, ";"+name+":") {
			parts = append(parts, part)
		}
	}
	return strings.Join(append(parts, added), ";")
}

// executor is the command that runs one task: this binary. The path is the
// process's own, so that a binary replaced meanwhile does not matter.
func executor() []string { return []string{"/proc/self/exe", executorCommand} }

// ensureDir makes a folder and returns its absolute path.
func ensureDir(flag, dir string) (string, error) {
	if dir == "" {
		return "", badFlag("--%s is empty: expected a folder", flag)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", badFlag("--%s: %w", flag, err)
	}
	if err := os.MkdirAll(abs, 0o755); err != nil {
		return "", badFlag("--%s: %w", flag, err)
	}
	return abs, nil
}

// defaultDataDir is where `pacer dev` and `pacer cluster` keep their data unless
// told otherwise: the user's folder for data of programs, else one below the
// working directory.
func defaultDataDir(environ []string, name string) string {
	var home string
	for _, entry := range environ {
		switch key, value, _ := strings.Cut(entry, "="); key {
		case "XDG_DATA_HOME":
			if filepath.IsAbs(value) {
				return filepath.Join(value, "pacer", name)
			}
		case "HOME":
			home = value
		}
	}
	if !filepath.IsAbs(home) {
		return filepath.Join("pacer-data", name)
	}
	return filepath.Join(home, ".local", "share", "pacer", name)
}
