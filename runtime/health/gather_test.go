package health

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var got strings.Builder
		g := NewGather(100*time.Millisecond, 3, func(results []Result) {
			mu.Lock()
			defer mu.Unlock()
			got.WriteString("|")
			for _, r := range results {
				got.WriteString(fmt.Sprint(r.Status))
			}
		})
		add := func(want string, statuses ...int) {
			t.Helper()
			for _, s := range statuses {
				g.Add(Result{Status: s})
			}
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if got.String() != want {
				t.Errorf("got %q, want %q", got.String(), want)
			}
		}
		add("", 1, 2)
		time.Sleep(50 * time.Millisecond)
		add("|123", 3) // enough
		add("|123", 4)
		time.Sleep(99 * time.Millisecond)
		add("|123|4")
		add("|123|4", 5)
		g.Flush()
		add("|123|4|5")
		time.Sleep(time.Second) // nothing is handed on twice, and nothing of nothing
		add("|123|4|5")
	})
}

// While sink blocks, Add takes as many as there may be and then blocks too.
func TestGatherBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, sum := make(chan struct{}), 0
		g := NewGather(time.Hour, 2, func(results []Result) {
			<-release
			sum += len(results)
		})
		added := 0
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for range 6 {
				g.Add(Result{})
				added++
			}
		}()
		synctest.Wait()
		if added != 1 {
			t.Errorf("%d were taken", added)
		}
		close(release)
		<-ended
		if sum != 6 {
			t.Errorf("%d came through", sum)
		}
	})
}
