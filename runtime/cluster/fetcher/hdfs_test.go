package fetcher

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protobuf message made by hand: the library's own types are internal to it.
type message []byte

func (m message) number(field protowire.Number, value uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), value)
}

func (m message) text(field protowire.Number, value string) message {
	return protowire.AppendString(protowire.AppendTag(m, field, protowire.BytesType), value)
}

func (m message) nested(field protowire.Number, value message) message {
	return m.text(field, string(value))
}

// delimited has its length before it.
func (m message) delimited() []byte { return append(protowire.AppendVarint(nil, uint64(len(m))), m...) }

// field finds the value of a field of bytes.
func (m message) field(number protowire.Number) message {
	for rest := []byte(m); len(rest) > 0; {
		n, kind, size := protowire.ConsumeTag(rest)
		if rest = rest[size:]; n == number && kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(rest)
			return value
		}
		rest = rest[protowire.ConsumeFieldValue(n, kind, rest):]
	}
	return nil
}

// zigzag finds the value of a field of zigzag numbers.
func (m message) zigzag(number protowire.Number) int64 {
	for rest := []byte(m); len(rest) > 0; {
		n, kind, size := protowire.ConsumeTag(rest)
		if rest = rest[size:]; n == number && kind == protowire.VarintType {
			value, _ := protowire.ConsumeVarint(rest)
			return protowire.DecodeZigZag(value)
		}
		rest = rest[protowire.ConsumeFieldValue(n, kind, rest):]
	}
	return 0
}

// hadoop is a namenode and a datanode in one: just enough of both to read files, each of them one block.
type hadoop struct {
	t         *testing.T
	files     map[string]string
	name      net.Listener
	data      net.Listener
	served    sync.WaitGroup
	mu        sync.Mutex
	users     []string
	damaged   bool // checksums are wrong
	chunkless bool // chunks have no size, which no datanode says
	mute      bool // the datanode says nothing
}

func newHadoop(t *testing.T, files map[string]string) *hadoop {
	h := &hadoop{t: t, files: files}
	for _, l := range []struct {
		to    *net.Listener
		serve func(net.Conn)
	}{{&h.name, h.serveName}, {&h.data, h.serveData}} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		*l.to = listener
		h.served.Go(func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				h.served.Go(func() {
					defer conn.Close()
					l.serve(conn)
				})
			}
		})
	}
	t.Cleanup(func() {
		_, _ = h.name.Close(), h.data.Close()
		h.served.Wait() // which also shows that clients hang up
	})
	return h
}

// packet reads one with its length before it, as messages.
func packet(in io.Reader) []message {
	var size uint32
	if binary.Read(in, binary.BigEndian, &size) != nil {
		return nil
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(in, text); err != nil {
		return nil
	}
	var out []message
	for len(text) > 0 {
		m, n := protowire.ConsumeBytes(text)
		out, text = append(out, m), text[n:]
	}
	return out
}

func (h *hadoop) serveName(conn net.Conn) {
	in := bufio.NewReader(conn)
	if hello := make([]byte, 7); readAll(in, hello) != nil || string(hello[:4]) != "hrpc" {
		return
	}
	if context := packet(in); len(context) == 2 {
		h.mu.Lock()
		h.users = append(h.users, string(context[1].field(2).field(1)))
		h.mu.Unlock()
	}
	for {
		call := packet(in) // its header, the method and what it is asked
		if len(call) < 2 {
			return
		}
		head := message{}.number(1, uint64(call[0].zigzag(3)))
		answer, fault := h.answer(string(call[1].field(1)), call[2:])
		var out []byte
		if fault != "" {
			class, text, _ := strings.Cut(fault, ": ")
			out = head.number(2, 1).text(4, class).text(5, text).delimited()
		} else {
			out = append(head.number(2, 0).delimited(), answer.delimited()...)
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(out))), out...)); err != nil {
			return
		}
	}
}

func readAll(in io.Reader, p []byte) error {
	_, err := io.ReadFull(in, p)
	return err
}

func (h *hadoop) answer(method string, call []message) (message, string) {
	var path string
	if len(call) > 0 {
		path = string(call[0].field(1))
	}
	text, ok := h.files[path]
	switch {
	case path == "/forbidden":
		return nil, "org.apache.hadoop.security.AccessControlException: Permission denied: user=hugo"
	case method == "getServerDefaults":
		return message{}.nested(1, message{}.number(1, 1<<27).number(2, 512).number(3, 65536).number(4, 1).number(5, 4096)), ""
	case method == "getFileInfo" && !ok:
		return message{}, ""
	case method == "getFileInfo":
		kind := uint64(2)
		if path == "/dir" {
			kind = 1
		}
		return message{}.nested(1, message{}.number(1, kind).text(2, "").number(3, uint64(len(text))).nested(4, message{}.number(1, 0o644)).
			text(5, "hugo").text(6, "hugo").number(7, 0).number(8, 0)), ""
	case method == "getBlockLocations":
		address := h.data.Addr().(*net.TCPAddr)
		node := message{}.text(1, "127.0.0.1").text(2, "localhost").text(3, "uuid").number(4, uint64(address.Port)).number(5, 0).number(6, 0)
		block := message{}.nested(1, message{}.text(1, path).number(2, 1).number(3, 1).number(4, uint64(len(text)))).number(2, 0).
			nested(3, message{}.nested(1, node)).number(4, 0).nested(5, message{}.text(1, "").text(2, "").text(3, "").text(4, ""))
		return message{}.nested(1, message{}.number(1, uint64(len(text))).nested(2, block).number(3, 0).number(5, 1)), ""
	default:
		return nil, "java.lang.UnsupportedOperationException: " + method
	}
}

// serveData sends a block in one packet with a checksum per 512 bytes, then an empty one that is the last.
func (h *hadoop) serveData(conn net.Conn) {
	in := bufio.NewReader(conn)
	if op := make([]byte, 3); readAll(in, op) != nil || op[2] != 0x51 {
		return
	}
	size, err := binary.ReadUvarint(in)
	request := make(message, size)
	if err != nil || readAll(in, request) != nil {
		return
	}
	if h.mute {
		_, _ = in.ReadByte() // until the client hangs up
		return
	}
	chunk := uint64(512)
	if h.chunkless {
		chunk = 0
	}
	text := []byte(h.files[string(request.field(1).field(1).field(1).field(1))]) // the block's pool is the path
	checksum := message{}.number(1, 1).number(2, chunk)
	out := message{}.number(1, 0).nested(4, message{}.nested(1, checksum).number(2, 0)).delimited()
	var sums []byte
	for at := 0; at < len(text); at += 512 {
		sum := crc32.ChecksumIEEE(text[at:min(at+512, len(text))])
		if h.damaged {
			sum++
		}
		sums = binary.BigEndian.AppendUint32(sums, sum)
	}
	out = append(out, dataPacket(0, false, sums, text)...)
	out = append(out, dataPacket(len(text), true, nil, nil)...)
	_, _ = conn.Write(out)
	_, _ = in.ReadByte() // until the client hangs up
}

func dataPacket(offset int, last bool, sums, text []byte) []byte {
	head := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), uint64(offset))
	head = protowire.AppendFixed64(protowire.AppendTag(head, 2, protowire.Fixed64Type), 0)
	head = protowire.AppendVarint(protowire.AppendTag(head, 3, protowire.VarintType), protowire.EncodeBool(last))
	head = protowire.AppendFixed32(protowire.AppendTag(head, 4, protowire.Fixed32Type), uint32(len(text)))
	out := binary.BigEndian.AppendUint32(nil, uint32(4+len(sums)+len(text)))
	out = binary.BigEndian.AppendUint16(out, uint16(len(head)))
	return append(append(append(out, head...), sums...), text...)
}

func TestHDFS(t *testing.T) {
	long := strings.Repeat("0123456789", 1000)
	h := newHadoop(t, map[string]string{"/a/x": "from hdfs", "/long": long, "/dir": "", "/a b%20?": "odd name", "/empty": ""})
	base := "hdfs://" + h.name.Addr().String()
	cfg := Config{HDFS: HDFS{User: "hugo"}}
	fetched(t, cfg, base+"/a/x", "from hdfs")
	fetched(t, cfg, base+"/a b%20?", "odd name")
	fetched(t, cfg, base+"/long", "10000 bytes")
	fetched(t, cfg, base+"/empty", "")
	failed(t, cfg, base+"/missing", "file does not exist")
	failed(t, cfg, base+"/dir", "is a folder")
	failed(t, cfg, base+"/forbidden", "permission denied")
	failed(t, cfg, "hdfs://127.0.0.1:1/x", "connect", "refused")
	failed(t, cfg, "hdfs:///x", "names no namenode")
	fetched(t, Config{}, "hdfs://eve@"+h.name.Addr().String()+"/a/x", "from hdfs")
	if last := h.users[len(h.users)-1]; h.users[0] != "hugo" || last != "eve" {
		t.Errorf("users %q", h.users)
	}
}

// A configuration of Hadoop resolves the name of a service, and the URI without one.
func TestHDFSConfiguration(t *testing.T) {
	h := newHadoop(t, map[string]string{"/x": "text"})
	dir := t.TempDir()
	property := func(name, value string) string {
		return fmt.Sprintf("<property><name>%s</name><value>%s</value></property>", name, value)
	}
	must(t, os.WriteFile(filepath.Join(dir, "core-site.xml"), []byte("<configuration>"+property("fs.defaultFS", "hdfs://blue")+"</configuration>"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "hdfs-site.xml"), []byte("<configuration>"+property("dfs.nameservices", "blue")+
		property("dfs.ha.namenodes.blue", "nn1, nn2")+property("dfs.namenode.rpc-address.blue.nn1", "127.0.0.1:1")+
		property("dfs.namenode.rpc-address.blue.nn2", h.name.Addr().String())+"</configuration>"), 0o644))
	env := map[string]string{"HADOOP_USER_NAME": "hugo", "HADOOP_CONF_DIR": dir}
	cfg := Config{HDFS: HDFSFromEnv(func(name string) string { return env[name] })}
	fetched(t, cfg, "hdfs://blue/x", "text")
	fetched(t, cfg, "hdfs:///x", "text")
	failed(t, Config{HDFS: HDFS{ConfDir: filepath.Join(dir, "none")}}, "hdfs:///x", "fetch")
}

// What datanodes do wrong fails the task, and nothing else.
func TestHDFSFaults(t *testing.T) {
	for text, set := range map[string]func(*hadoop){
		"invalid checksum":          func(h *hadoop) { h.damaged = true },
		"makes no sense":            func(h *hadoop) { h.chunkless = true },
		"nothing arrived for 100ms": func(h *hadoop) { h.mute = true },
	} {
		h := newHadoop(t, map[string]string{"/x": strings.Repeat("text", 1000)})
		set(h)
		failed(t, Config{Stall: 100 * time.Millisecond}, "hdfs://"+h.name.Addr().String()+"/x", text)
	}
}
