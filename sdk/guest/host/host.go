// Package host is what a module may ask of Pacer beyond the question that it is
// asked: the time, random numbers, metrics, and a small store. Each group of
// functions has to be listed in the module's manifest and granted by the operator; a
// module imports those alone that it calls, so calling none needs no grant.
//
// In native tests of a policy the functions answer from the test's own process: the
// system's clock, random numbers that differ, metrics that go nowhere, and a store
// that begins empty.
package host

// Now is the time of the call, in milliseconds since 1970: it stands still while a
// call lasts. It needs the grant "now".
func Now() int64 { return now() }

// Rand is a random number. The same call, with the same bytes, gets the same ones,
// so that it can be asked again. It needs the grant "rand".
func Rand() uint64 { return random() }

// Add adds to a metric of the manifest: a counter, by 0 or more, or a gauge. It needs
// the grant "metric".
func Add(metric uint32, v float64) { metricAdd(metric, v) }

// Observe sets a gauge of the manifest or adds a value to a histogram. It needs the
// grant "metric".
func Observe(metric uint32, v float64) { metricObserve(metric, v) }

// Get returns what is kept under a key; "" when nothing is. It shows the store as it
// was when the call first looked, with the call's own changes. What is kept is common
// to all instances of the module and is lost when Pacer or the module is restarted. It
// needs the grant "kv".
func Get(key string) string { return kvGet(key) }

// Put keeps a value under a key, if the call succeeds; "" removes the key. It tells
// whether there was room: a module may keep 64 KiB, with 32 bytes for each entry. It
// needs the grant "kv".
func Put(key, value string) bool { return kvPut(key, value) }
