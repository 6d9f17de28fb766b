package zookeeper_test

import (
	"context"
	"testing"
	"time"

	"github.com/pacer-run/pacer/runtime/zookeeper"
	"github.com/pacer-run/pacer/runtime/zookeeper/zktest"
)

const (
	byAddress = `{"address":{"hostname":"m1","ip":"10.0.0.1","port":5050},"hostname":"m1","id":"a","ip":33554442,"pid":"master@9.9.9.9:1","port":1}`
	byPID     = `{"id":"b","ip":33554442,"pid":"master@10.0.0.2:5051","port":1}`
	byIP      = `{"id":"c","ip":50331658,"port":5052}`
)

// follow detects masters until the test ends.
func follow(ctx context.Context, t *testing.T, c *zookeeper.Conn, path string) <-chan string {
	t.Helper()
	leaders := make(chan string, 16)
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(done)
		_ = zookeeper.NewDetector(c, path, nil).Watch(ctx, func(m zookeeper.Master) { leaders <- m.Address })
	}()
	t.Cleanup(func() { cancel(); <-done })
	return leaders
}

func expect(ctx context.Context, t *testing.T, leaders <-chan string, want string) {
	t.Helper()
	select {
	case got := <-leaders:
		if got != want {
			t.Fatalf("leader %q, want %q", got, want)
		}
	case <-ctx.Done():
		t.Fatalf("no change of leader, want %q", want)
	}
}

func TestDetectorFollowsTheLowestMaster(t *testing.T) {
	server.Up(t)
	ctx, root := within(t), zktest.Path(t)
	masters, watcher := dial(t, server.URL(root), 0), dial(t, server.URL(root), 0)
	leaders := follow(ctx, t, watcher, root+"/mesos")
	expect(ctx, t, leaders, "")

	must(t, masters.EnsurePath(ctx, root+"/mesos/log_replicas"))
	legacy, err := masters.TakeSeat(ctx, root+"/mesos", "info_", []byte("\x0a\x01"))
	must(t, err)
	first, err := masters.TakeSeat(ctx, root+"/mesos", "json.info_", []byte(byAddress))
	must(t, err)
	expect(ctx, t, leaders, "10.0.0.1:5050")
	second, err := masters.TakeSeat(ctx, root+"/mesos", "json.info_", []byte(byPID))
	must(t, err)
	third, err := masters.TakeSeat(ctx, root+"/mesos", "json.info_", []byte(byIP))
	must(t, err)
	must(t, masters.Delete(ctx, legacy.Path(), zookeeper.AnyVersion))
	must(t, masters.Delete(ctx, first.Path(), zookeeper.AnyVersion))
	expect(ctx, t, leaders, "10.0.0.2:5051")
	must(t, masters.Delete(ctx, second.Path(), zookeeper.AnyVersion))
	expect(ctx, t, leaders, "10.0.0.3:5052")
	must(t, masters.Delete(ctx, third.Path(), zookeeper.AnyVersion))
	expect(ctx, t, leaders, "")
	_, err = masters.TakeSeat(ctx, root+"/mesos", "json.info_", []byte("{"))
	must(t, err)
	_, err = masters.TakeSeat(ctx, root+"/mesos", "json.info_", []byte(byPID))
	must(t, err)
	select {
	case got := <-leaders:
		t.Errorf("a master whose announcement cannot be read leads as %q", got)
	default:
	}
}

func TestDetectorSurvivesExpiry(t *testing.T) {
	server.Up(t)
	ctx, root := within(t), zktest.Path(t)
	masters := dial(t, server.URL(root), 0)
	must(t, masters.EnsurePath(ctx, root))
	watcher, proxy := proxied(t, root, time.Second)
	leaders := follow(ctx, t, watcher, root)
	expect(ctx, t, leaders, "")
	seat, err := watcher.TakeSeat(ctx, root, "x_", nil)
	must(t, err)
	proxy.Cut()
	gone(ctx, t, seat.Path())
	_, err = masters.TakeSeat(ctx, root, "json.info_", []byte(byIP))
	must(t, err)
	proxy.Mend()
	expect(ctx, t, leaders, "10.0.0.3:5052")
}

func TestRegistrationAnnouncesAndWithdraws(t *testing.T) {
	server.Up(t)
	ctx, root := within(t), zktest.Path(t)
	watcher := dial(t, server.URL(root), 0)
	leaders := follow(ctx, t, watcher, root+"/mesos")
	expect(ctx, t, leaders, "")
	one := zookeeper.NewRegistration(dial(t, server.URL(root), 0), root+"/mesos", nil)
	defer one.Close()
	two := zookeeper.NewRegistration(dial(t, server.URL(root), 0), root+"/mesos", nil)
	defer two.Close()
	if err := one.Register(ctx, []byte("{}")); err == nil {
		t.Error("a master without an address was announced")
	}
	must(t, one.Register(ctx, []byte(byAddress)))
	must(t, one.Lead(ctx))
	expect(ctx, t, leaders, "10.0.0.1:5050")
	must(t, two.Register(ctx, []byte(byPID)))
	one.Close()
	expect(ctx, t, leaders, "10.0.0.2:5051")
	must(t, two.Lead(ctx))
	standing, end := context.WithCancel(ctx)
	defer end()
	two.Close()
	expect(ctx, t, leaders, "")

	three := zookeeper.NewRegistration(dial(t, server.URL(root), 0), root+"/mesos", nil)
	defer three.Close()
	must(t, three.Register(standing, []byte(byIP)))
	expect(ctx, t, leaders, "10.0.0.3:5052")
	end()
	expect(ctx, t, leaders, "")
}
