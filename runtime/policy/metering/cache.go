package metering

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
)

// Cache keeps the rewritten code of modules in a folder, since rewriting is a large part of
// what it takes to load a module that the engine has compiled before. Code from the folder
// is run as it is: nobody else may write there. The folder is of one Version.
type Cache struct{ dir string }

// NewCache returns a cache in that folder, which it makes.
func NewCache(dir string) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cache of metered code: %w", err)
	}
	return &Cache{dir}, nil
}

// Rewrite is the function Rewrite, with what the cache knows. An entry that is damaged is
// made anew; one that cannot be written is left out. A nil cache knows nothing.
func (c *Cache) Rewrite(module []byte) (*Module, error) {
	if c == nil || len(module) > maxModule {
		return Rewrite(module)
	}
	key := sha256.Sum256(module)
	file := filepath.Join(c.dir, hex.EncodeToString(key[:]))
	return rewrite(module, func(p *program) error {
		if code, ok := read(file); ok {
			p.sections.body[sectionCode] = code
			return nil
		}
		if err := p.meterCode(); err != nil {
			return err
		}
		_ = write(file, p.sections.body[sectionCode]) // the next start pays for it again
		return nil
	})
}

// read is the code in a file behind its checksum. ok is false for a file that is missing or
// damaged.
func read(file string) (code []byte, ok bool) {
	b, err := os.ReadFile(file)
	if err != nil || len(b) <= crc32.Size {
		return nil, false
	}
	code = b[crc32.Size:]
	return code, checksum(code) == binary.LittleEndian.Uint32(b)
}

// checksum finds what a disk has damaged; whoever may write to the folder can do more.
func checksum(code []byte) uint32 { return crc32.Checksum(code, crc32.MakeTable(crc32.Castagnoli)) }

// write puts the file there whole or not at all.
func write(file string, code []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(binary.LittleEndian.AppendUint32(nil, checksum(code)), code...))
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // nothing more can be done about it
	}
	return err
}
