package executor

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// process is what /proc says about one process.
type process struct {
	pid, parent, session int
	start                uint64
	zombie               bool
}

// processes lists what runs now. Processes that end meanwhile are left out.
func processes() ([]process, error) {
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, fmt.Errorf("executor: list processes: %w", err)
	}
	out := make([]process, 0, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(filepath.Base(name))
		if err != nil {
			continue
		}
		if p, ok := inspect(pid); ok {
			out = append(out, p)
		}
	}
	return out, nil
}

// inspect reads one process; false when there is none of that pid.
func inspect(pid int) (process, bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, false
	}
	// The command name may hold blanks and parentheses itself: the fields proper begin after the last one.
	end := bytes.LastIndexByte(text, ')')
	if end < 0 {
		return process{}, false
	}
	f := strings.Fields(string(text[end+1:]))
	if len(f) < 20 {
		return process{}, false
	}
	p := process{pid: pid, zombie: f[0] == "Z" || f[0] == "X"}
	p.parent, _ = strconv.Atoi(f[1])
	p.session, _ = strconv.Atoi(f[3])
	p.start, _ = strconv.ParseUint(f[19], 10, 64)
	return p, true
}

// Alive tells whether the process that had this pid and start time still runs.
func Alive(pid int, start uint64) bool {
	p, ok := inspect(pid)
	return ok && p.start == start && !p.zombie
}

// descendants are the living processes below pid, whatever their group or session; pid itself is not among them.
func descendants(pid int) ([]int, error) {
	all, err := processes()
	if err != nil {
		return nil, err
	}
	children := map[int][]process{}
	for _, p := range all {
		children[p.parent] = append(children[p.parent], p)
	}
	var out []int
	for queue := []int{pid}; len(queue) > 0; queue = queue[1:] {
		for _, p := range children[queue[0]] {
			queue = append(queue, p.pid)
			if !p.zombie {
				out = append(out, p.pid)
			}
		}
	}
	return out, nil
}

// signalTree sends sig to every living process below pid and says how many there were.
func signalTree(pid int, sig syscall.Signal) (int, error) {
	pids, err := descendants(pid)
	for _, p := range pids {
		// A process that ended since the listing is no error, and one that escaped our rights is seen in the next count.
		_ = syscall.Kill(p, sig)
	}
	return len(pids), err
}

// bootID identifies the time since the machine was started; empty where the kernel does not say.
func bootID() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// sweep kills what an executor that died itself left behind: the task's process, its session, everything below them and
// every process whose environment carries the marker of this run. It is for a dead executor only: a living one does it.
func sweep(task Record, marker string) error {
	if task.Boot != bootID() {
		task = Record{} // the pid means nothing any more
	}
	for {
		all, err := processes()
		if err != nil {
			return err
		}
		killed := false
		for _, p := range all {
			if p.zombie || p.pid == os.Getpid() {
				continue
			}
			// A session id is only trusted while its leader's pid is not in other hands.
			leader, led := inspect(task.PID)
			own := task.PID > 0 && p.session == task.PID && (!led || leader.start == task.Start)
			if own || carries(p.pid, marker) {
				killed = syscall.Kill(p.pid, syscall.SIGKILL) == nil || killed
			}
		}
		if !killed {
			return nil
		}
	}
}

// carries tells whether the process was started with marker as one of its environment variables.
func carries(pid int, marker string) bool {
	env, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil || marker == "" {
		return false
	}
	for entry := range bytes.SplitSeq(env, []byte{0}) {
		if string(entry) == marker {
			return true
		}
	}
	return false
}
