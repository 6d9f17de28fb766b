package host

import "unsafe"

//go:wasmimport policy_v1 now_ms
func now() int64

//go:wasmimport policy_v1 rand_u64
func random() uint64

//go:wasmimport policy_v1 metric_add
func metricAdd(metric uint32, v float64)

//go:wasmimport policy_v1 metric_observe
func metricObserve(metric uint32, v float64)

//go:wasmimport policy_v1 kv_get
func get(key unsafe.Pointer, size uint32, into unsafe.Pointer, room uint32) int32

//go:wasmimport policy_v1 kv_put
func put(key unsafe.Pointer, size uint32, value unsafe.Pointer, length uint32) int32

func pointer(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }

// kvGet asks again with more room if the first was not enough.
func kvGet(key string) string {
	value := make([]byte, 256)
	for {
		size := get(pointer(key), uint32(len(key)), unsafe.Pointer(unsafe.SliceData(value)), uint32(len(value)))
		if size <= 0 {
			return ""
		}
		if int(size) <= len(value) {
			return string(value[:size])
		}
		value = make([]byte, size)
	}
}

func kvPut(key, value string) bool {
	return put(pointer(key), uint32(len(key)), pointer(value), uint32(len(value))) == 0
}
