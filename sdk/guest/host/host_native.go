//go:build !wasip1

package host

import (
	"math/rand/v2"
	"sync"
	"time"
)

func now() int64 { return time.Now().UnixMilli() }

func random() uint64 { return rand.Uint64() }

func metricAdd(uint32, float64) {}

func metricObserve(uint32, float64) {}

// kept is the store of the process, which stands for one module.
var kept sync.Map

func kvGet(key string) string {
	value, _ := kept.Load(key)
	text, _ := value.(string)
	return text
}

func kvPut(key, value string) bool {
	kept.Store(key, value)
	return true
}
