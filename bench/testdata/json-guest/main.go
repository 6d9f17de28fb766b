// Command json-guest is the module that Pacer's are not: it gets whole offers as JSON,
// and answers in JSON.
package main

import (
	"encoding/json"
	"regexp"
	"unsafe"
)

type offer struct {
	ID         string            `json:"id"`
	AgentID    string            `json:"agentId"`
	Hostname   string            `json:"hostname"`
	Attributes map[string]string `json:"attributes"`
	Resources  []struct {
		Name  string  `json:"name"`
		Type  string  `json:"type"`
		Role  string  `json:"role"`
		Value float64 `json:"value"`
	} `json:"resources"`
}

var (
	in, out []byte
	racks   = regexp.MustCompile(`\A(?:rack-[0-2][0-9]-row[0-5])\z`)
)

//go:wasmexport buffer
func buffer(size uint32) uint32 {
	in = make([]byte, size)
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(in))))
}

// judge answers how many bytes the answer has: a list of booleans.
//
//go:wasmexport judge
func judge() uint32 {
	var offers []offer
	if json.Unmarshal(in, &offers) != nil {
		return 0
	}
	fits := make([]bool, len(offers))
	for i, o := range offers {
		fits[i] = racks.MatchString(o.Attributes["rack"])
	}
	out, _ = json.Marshal(fits)
	return uint32(len(out))
}

func main() {}
