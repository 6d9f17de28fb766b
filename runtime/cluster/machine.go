package cluster

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Ports that Mesos gives to an agent unless told otherwise; the last one is left out to make the shares even.
const (
	firstPort = 31000
	portCount = 1000
)

// Shares divides this machine into n agents of equal size by the rules of a real agent's own detection: all cpus, memory
// less 1 GB and the disk of workDir less 5 GB (half of either where that is little). Each agent has ports of its own and
// the attribute rack_id:rack-1 … rack-n. Their host name is left to Config.
func Shares(n int, workDir string) ([]AgentConfig, error) {
	if n < 1 || n > portCount {
		return nil, fmt.Errorf("cluster: %d agents on this machine, expected 1 to %d", n, portCount)
	}
	mem, err := totalMemory()
	if err != nil {
		return nil, err
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(workDir, &fs); err != nil {
		return nil, fmt.Errorf("cluster: size of the disk of %s: %w", workDir, err)
	}
	disk := fs.Blocks * uint64(fs.Bsize) >> 20
	// Whole MB, and cpus to a tenth rounded down: shares never add up to more than there is.
	cpus := float64(runtime.NumCPU()*10/n) / 10
	mem, disk = usable(mem, 1024)/uint64(n), usable(disk, 5*1024)/uint64(n)
	out := make([]AgentConfig, n)
	for i := range out {
		low, high := firstPort+i*portCount/n, firstPort+(i+1)*portCount/n-1
		out[i] = AgentConfig{
			Attributes: fmt.Sprintf("rack_id:rack-%d", i+1),
			Resources:  fmt.Sprintf("cpus:%g;mem:%d;disk:%d;ports:[%d-%d]", cpus, mem, disk, low, high),
		}
	}
	return out, nil
}

// usable keeps a reserve for the machine itself, or half where twice the reserve is not there. All in MB.
func usable(total, reserve uint64) uint64 {
	if total < 2*reserve {
		return total / 2
	}
	return total - reserve
}

// totalMemory is the machine's memory in MB.
func totalMemory() (uint64, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, fmt.Errorf("cluster: size of memory: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "MemTotal:"); ok {
			kb, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb >> 10, err
		}
	}
	return 0, fmt.Errorf("cluster: size of memory: no MemTotal in /proc/meminfo")
}
