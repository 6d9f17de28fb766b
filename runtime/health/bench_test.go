package health

import (
	"bufio"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/spec"
)

// servesInstances is the variable that makes the test binary a process of its own
// that answers as all instances of a benchmark: what they cost is not measured.
const servesInstances = "PACER_HEALTH_BENCH_INSTANCES"

func TestMain(m *testing.M) {
	if os.Getenv(servesInstances) != "" {
		serveInstances()
		return
	}
	os.Exit(m.Run())
}

// serveInstances listens on all addresses, prints the ports for HTTP and HTTPS,
// and ends with its input.
func serveInstances() {
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "well") })
	var ports []string
	for range 2 {
		listener, err := net.Listen("tcp4", ":0")
		if err != nil {
			panic(err)
		}
		server := httptest.NewUnstartedServer(answer)
		server.Listener.Close()
		server.Listener = listener
		if len(ports) == 0 {
			server.Start()
		} else {
			server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate()}}
			server.StartTLS()
		}
		ports = append(ports, strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	}
	fmt.Println(strings.Join(ports, " "))
	bufio.NewScanner(os.Stdin).Scan()
}

// certificate is one whose signatures are cheap, as servers have them now.
func certificate() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// instances starts the process that answers.
func instances(tb testing.TB) (http, https int) {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), servesInstances+"=1")
	input, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { input.Close(); _ = cmd.Wait() })
	if _, err := fmt.Fscan(output, &http, &https); err != nil {
		tb.Fatal(err)
	}
	return http, https
}

// load is what a prober has to carry.
type load struct {
	name           string
	protocol       spec.CheckProtocol
	connections    int // of the configuration
	targets        int
	interval       time.Duration
	settle, window time.Duration // before the measurement, when every target was asked, and of it
}

// figures are what a load cost, per probe where that has a meaning.
type figures struct {
	rate       float64       // probes per second
	p50, p99   time.Duration // from when a probe was due to its start
	cpu        time.Duration
	goroutines int
	heap       uint64 // bytes per target
}

func (l *load) measure(tb testing.TB, ports map[spec.CheckProtocol]int) figures {
	tb.Helper()
	var mu sync.Mutex
	var late []time.Duration
	bad, asked, all := "", map[Key]bool{}, make(chan struct{})
	heap := heapInUse()
	p := New(Config{Connections: l.connections, Sink: func(r Result) {
		mu.Lock()
		defer mu.Unlock()
		late = append(late, r.Late)
		if asked[r.Key] = true; len(asked) == l.targets && all != nil {
			close(all)
			all = nil
		}
		if !r.Good {
			bad = r.Cause
		}
	}})
	ctx, cancel := context.WithCancel(tb.Context())
	ended := make(chan struct{})
	go func() { p.Run(ctx); close(ended) }()
	defer func() { cancel(); <-ended }()
	targets := make([]Target, l.targets)
	for i := range targets {
		targets[i] = Target{
			Key: Key{Instance: fmt.Sprintf("load_app.%d", i)}, App: "/load/app", Protocol: l.protocol, Port: ports[l.protocol],
			Host: fmt.Sprintf("127.1.%d.%d", i/250, 1+i%250), Interval: l.interval,
		}
	}
	every := all
	p.Update(targets)
	<-every
	time.Sleep(l.settle)
	mu.Lock()
	late = late[:0]
	mu.Unlock()
	before, from := cpuTime(tb), time.Now()
	time.Sleep(l.window)
	cpu, took, goroutines := cpuTime(tb)-before, time.Since(from), runtime.NumGoroutine()
	mu.Lock()
	defer mu.Unlock()
	if bad != "" {
		tb.Fatalf("%s: a probe failed: %s", l.name, bad)
	}
	// How many there are in the window is a figure: a machine may be busy otherwise.
	if st := p.Stats(); len(late) == 0 || st.Bad+st.Dropped > 0 {
		tb.Fatalf("%s: %d probes; in all %+v", l.name, len(late), st)
	}
	slices.Sort(late)
	n := len(late)
	return figures{
		rate: float64(n) / took.Seconds(), p50: late[n/2], p99: late[n*99/100], cpu: cpu / time.Duration(n),
		goroutines: goroutines, heap: (max(heap, heapInUse()) - heap) / uint64(l.targets),
	}
}

// bare is the CPU time of a request on a kept connection with nothing around it.
func bare(tb testing.TB, port, requests int) time.Duration {
	tb.Helper()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	before := cpuTime(tb)
	for range requests {
		r, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d/", port))
		if err != nil {
			tb.Fatal(err)
		}
		_, _ = bufio.NewReader(r.Body).Discard(1 << 10)
		r.Body.Close()
	}
	return (cpuTime(tb) - before) / time.Duration(requests)
}

func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// BenchmarkProber has 10,000 checks (2,000 with TLS) made every 10 s, of instances
// with as many addresses. Its time means nothing; what counts is in its other figures: how
// late probes start, what one costs, also as a multiple of a bare request in the
// same run, and what a target takes.
func BenchmarkProber(b *testing.B) {
	plain, secure := instances(b)
	ports := map[spec.CheckProtocol]int{spec.CheckHTTP: plain, spec.CheckTCP: plain, spec.CheckHTTPS: secure}
	for _, l := range []load{
		{name: "http", protocol: spec.CheckHTTP},
		{name: "http/all-kept", protocol: spec.CheckHTTP, connections: 10_000},
		{name: "http/none-kept", protocol: spec.CheckHTTP, connections: -1},
		{name: "https", protocol: spec.CheckHTTPS, targets: 2_000},
		{name: "https/none-kept", protocol: spec.CheckHTTPS, connections: -1, targets: 2_000},
		{name: "tcp", protocol: spec.CheckTCP},
	} {
		l.targets, l.interval, l.settle, l.window = cmp.Or(l.targets, 10_000), 10*time.Second, 11*time.Second, 10*time.Second
		b.Run(l.name, func(b *testing.B) {
			floor := bare(b, plain, 2000)
			for b.Loop() {
				f := l.measure(b, ports)
				b.ReportMetric(f.rate, "probes/s")
				b.ReportMetric(f.p50.Seconds()*1000, "ms-late-p50")
				b.ReportMetric(f.p99.Seconds()*1000, "ms-late-p99")
				b.ReportMetric(f.cpu.Seconds()*1e6, "µs-cpu/probe")
				b.ReportMetric(float64(f.cpu)/float64(floor), "x-bare-request")
				b.ReportMetric(float64(f.goroutines), "goroutines")
				b.ReportMetric(float64(f.heap), "B/target")
			}
		})
	}
}

// TestBenchmark runs it at a size that takes no time.
func TestBenchmark(t *testing.T) {
	plain, secure := instances(t)
	ports := map[spec.CheckProtocol]int{spec.CheckHTTP: plain, spec.CheckTCP: plain, spec.CheckHTTPS: secure}
	for protocol := range ports {
		l := load{
			name: protocol.String(), protocol: protocol, targets: 50,
			interval: 500 * time.Millisecond, settle: 600 * time.Millisecond, window: time.Second,
		}
		if f := l.measure(t, ports); f.cpu <= 0 || f.goroutines == 0 {
			t.Errorf("%+v", f)
		}
	}
	if bare(t, plain, 10) <= 0 {
		t.Error("a request costs nothing")
	}
}
