package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/pacer-run/pacer/runtime/store"
	"github.com/pacer-run/pacer/runtime/store/storetest"
	"github.com/pacer-run/pacer/runtime/zookeeper"
	"github.com/pacer-run/pacer/runtime/zookeeper/zktest"
)

var server = store.SharedServer

type memoryBackend struct{ last *store.Memory }

func (b *memoryBackend) Open(testing.TB) store.Store {
	b.last = b.last.Reopen()
	return b.last
}
func (b *memoryBackend) Shared() bool { return false }

type boltBackend struct {
	path  string
	small bool // the log
}

func (b boltBackend) Open(t testing.TB) store.Store {
	t.Helper()
	open := store.OpenBolt
	if b.small {
		open = store.OpenSmallBolt
	}
	s, err := open(b.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
func (b boltBackend) Shared() bool { return false }

type zkBackend struct{ url string }

func (b zkBackend) Open(t testing.TB) store.Store {
	t.Helper()
	c := dial(t, b.url)
	s := store.OpenZooKeeper(c, c.URL().Path())
	t.Cleanup(func() { s.Close() })
	return s
}
func (b zkBackend) Shared() bool { return true }

func dial(t testing.TB, text string) *zookeeper.Conn {
	t.Helper()
	u, err := zookeeper.ParseURL(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := zookeeper.Dial(u, zookeeper.Options{SessionTimeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestMemory(t *testing.T) {
	storetest.Run(t, func(testing.TB) storetest.Backend { return &memoryBackend{store.NewMemory()} })
}

func TestBolt(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Backend {
		return boltBackend{path: filepath.Join(t.TempDir(), "a", "b", "state.db")}
	})
}

func TestBoltWithASmallLog(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Backend {
		return boltBackend{path: filepath.Join(t.TempDir(), "state.db"), small: true}
	})
}

func TestZooKeeper(t *testing.T) {
	server().Up(t)
	storetest.Run(t, func(t testing.TB) storetest.Backend { return zkBackend{server().URL(zktest.Path(t) + "/state")} })
}

func TestZooKeeperWithCredentials(t *testing.T) {
	server().Up(t)
	path := zktest.Path(t)
	b := zkBackend{"zk://me:secret@" + server().Address() + path}
	storetest.Commit(t, storetest.Begin(t, b.Open(t)), "a", "1")
	stranger := zkBackend{server().URL(path)}.Open(t)
	storetest.Same(t, map[string]string{"a": "1"}, storetest.Dump(t, stranger))
	if _, err := stranger.Begin(storetest.Within(t)); !errors.Is(err, zookeeper.ErrNoAuth) {
		t.Errorf("a stranger began a term: %v", err)
	}
}

func TestBoltFileIsPrivateAndLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := store.OpenBolt(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	storetest.Begin(t, s)
	for _, file := range []string{path, path + ".wal"} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", file, info.Mode(), err)
		}
	}
	// flock works between two opens of one process as between two processes.
	if _, err := store.OpenBolt(path); !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("second open: %v", err)
	}
}

func TestBoltRefusesWhatItDidNotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.OpenBolt(path); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("open of another file: %v", err)
	}
	path = filepath.Join(t.TempDir(), "state.db")
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("meta"))
		if err != nil {
			return err
		}
		return b.Put([]byte("epoch"), []byte("x"))
	})
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	s, err := store.OpenBolt(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Begin(context.Background()); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("begin with a broken epoch: %v", err)
	}
}
