package policy

import (
	"io/fs"
	"syscall"
)

// inode is the file's number on its disk; 0 where there is none.
func inode(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ino
	}
	return 0
}
