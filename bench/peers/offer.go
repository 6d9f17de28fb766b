package main

import "fmt"

// offer is an offer as a policy would get it that is given whole offers.
type offer struct {
	ID         string            `json:"id"`
	AgentID    string            `json:"agentId"`
	Hostname   string            `json:"hostname"`
	Attributes map[string]string `json:"attributes"`
	Resources  []resource        `json:"resources"`
}

type resource struct {
	Name  string  `json:"name"`
	Type  string  `json:"type"`
	Role  string  `json:"role"`
	Value float64 `json:"value"`
}

// offersOf are offers with these racks.
func offersOf(rows []string) []offer {
	list := make([]offer, len(rows))
	for i, rack := range rows {
		list[i] = offer{
			ID:         fmt.Sprint("10e4ed4d-7949-43c1-bcda-7d1ddba5b723-O", i),
			AgentID:    fmt.Sprint("10e4ed4d-7949-43c1-bcda-7d1ddba5b723-S", i),
			Hostname:   fmt.Sprintf("agent-%05d.cluster.example.com", i),
			Attributes: map[string]string{"rack": rack, "os": "debian-12", "class": "c1", "row": "r1", "kernel": "6.1"},
			Resources: []resource{
				{"cpus", "SCALAR", "*", 32},
				{"mem", "SCALAR", "*", 65536},
				{"disk", "SCALAR", "*", 500000},
				{"gpus", "SCALAR", "*", 0},
				{"ports", "SCALAR", "*", 32000},
			},
		}
	}
	return list
}
