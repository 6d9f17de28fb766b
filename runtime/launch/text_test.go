package launch_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gogo/protobuf/proto"
	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// showTask shows a task of the wire as JSON with the names of Mesos' messages. A
// value that fits has a line of its own; what is not set is left out.
func showTask(t *testing.T, wire []byte) string {
	t.Helper()
	var info mesos.TaskInfo
	if err := info.Unmarshal(wire); err != nil {
		t.Fatal(err)
	}
	for name, limit := range info.Limits {
		if math.IsInf(limit.Value, 1) { // JSON has no word for it
			limit.Value = math.MaxFloat64
			info.Limits[name] = limit
		}
	}
	text, err := json.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	addCSI(t, tree, wire)
	var b strings.Builder
	show(&b, prune(tree), "")
	return strings.ReplaceAll(b.String(), "1.7976931348623157e+308", "Infinity") + "\n"
}

// prune drops what is null.
func prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if value == nil {
				delete(v, key)
			} else {
				v[key] = prune(value)
			}
		}
	case []any:
		for i := range v {
			v[i] = prune(v[i])
		}
	}
	return v
}

// widest is how long a line may be that holds a whole value.
const widest = 110

// show appends a value, in one line if it fits.
func show(b *strings.Builder, v any, indent string) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // it came from JSON
	}
	text := strings.TrimSpace(line.String())
	if object, ok := v.(map[string]any); ok && (len(text) > widest || indent == "") {
		b.WriteString("{\n")
		for _, key := range slices.Sorted(maps.Keys(object)) {
			fmt.Fprintf(b, "%s %s: ", indent, key)
			show(b, object[key], indent+" ")
			b.WriteString("\n")
		}
		b.WriteString(indent + "}")
		return
	}
	if list, ok := v.([]any); ok && len(text) > widest {
		b.WriteString("[\n")
		for _, item := range list {
			b.WriteString(indent + " ")
			show(b, item, indent+" ")
			b.WriteString("\n")
		}
		b.WriteString(indent + "]")
		return
	}
	b.WriteString(text)
}

// The messages down to a CSI volume, as Mesos 1.11 defines them. mesos-go is older.
type (
	csiTask struct {
		Container *csiContainer `protobuf:"bytes,9,opt,name=container"`
	}
	csiContainer struct {
		Volumes []*csiHolder `protobuf:"bytes,2,rep,name=volumes"`
	}
	csiHolder struct {
		Source *csiSource `protobuf:"bytes,5,opt,name=source"`
	}
	csiSource struct {
		Type   *int32     `protobuf:"varint,1,opt,name=type"`
		Volume *csiVolume `protobuf:"bytes,6,opt,name=csi_volume"`
	}
	csiVolume struct {
		Plugin *string    `protobuf:"bytes,1,req,name=plugin_name" json:"plugin_name,omitempty"`
		Static *csiStatic `protobuf:"bytes,2,opt,name=static_provisioning" json:"static_provisioning,omitempty"`
	}
	csiStatic struct {
		ID         *string                  `protobuf:"bytes,1,req,name=volume_id" json:"volume_id,omitempty"`
		Capability *csiCapability           `protobuf:"bytes,2,req,name=volume_capability" json:"volume_capability,omitempty"`
		ReadOnly   *bool                    `protobuf:"varint,3,opt,name=readonly" json:"readonly,omitempty"`
		Stage      map[string]*mesos.Secret `protobuf:"bytes,4,rep,name=node_stage_secrets" json:"node_stage_secrets,omitempty" protobuf_key:"bytes,1,opt,name=key" protobuf_val:"bytes,2,opt,name=value"`
		Publish    map[string]*mesos.Secret `protobuf:"bytes,5,rep,name=node_publish_secrets" json:"node_publish_secrets,omitempty" protobuf_key:"bytes,1,opt,name=key" protobuf_val:"bytes,2,opt,name=value"`
		Context    map[string]string        `protobuf:"bytes,6,rep,name=volume_context" json:"volume_context,omitempty" protobuf_key:"bytes,1,opt,name=key" protobuf_val:"bytes,2,opt,name=value"`
	}
	csiCapability struct {
		Block *csiBlock `protobuf:"bytes,1,opt,name=block" json:"block,omitempty"`
		Mount *csiMount `protobuf:"bytes,2,opt,name=mount" json:"mount,omitempty"`
		Mode  *csiMode  `protobuf:"bytes,3,req,name=access_mode" json:"access_mode,omitempty"`
	}
	csiBlock struct{}
	csiMount struct {
		FSType *string  `protobuf:"bytes,1,opt,name=fs_type" json:"fs_type,omitempty"`
		Flags  []string `protobuf:"bytes,2,rep,name=mount_flags" json:"mount_flags,omitempty"`
	}
	csiMode struct {
		Mode *int32 `protobuf:"varint,1,req,name=mode" json:"mode,omitempty"`
	}
)

func (m *csiTask) Reset()               { *m = csiTask{} }
func (m *csiTask) String() string       { return "" }
func (m *csiTask) ProtoMessage()        {}
func (m *csiContainer) Reset()          { *m = csiContainer{} }
func (m *csiContainer) String() string  { return "" }
func (m *csiContainer) ProtoMessage()   {}
func (m *csiHolder) Reset()             { *m = csiHolder{} }
func (m *csiHolder) String() string     { return "" }
func (m *csiHolder) ProtoMessage()      {}
func (m *csiSource) Reset()             { *m = csiSource{} }
func (m *csiSource) String() string     { return "" }
func (m *csiSource) ProtoMessage()      {}
func (m *csiVolume) Reset()             { *m = csiVolume{} }
func (m *csiVolume) String() string     { return "" }
func (m *csiVolume) ProtoMessage()      {}
func (m *csiStatic) Reset()             { *m = csiStatic{} }
func (m *csiStatic) String() string     { return "" }
func (m *csiStatic) ProtoMessage()      {}
func (m *csiCapability) Reset()         { *m = csiCapability{} }
func (m *csiCapability) String() string { return "" }
func (m *csiCapability) ProtoMessage()  {}
func (m *csiBlock) Reset()              { *m = csiBlock{} }
func (m *csiBlock) String() string      { return "" }
func (m *csiBlock) ProtoMessage()       {}
func (m *csiMount) Reset()              { *m = csiMount{} }
func (m *csiMount) String() string      { return "" }
func (m *csiMount) ProtoMessage()       {}
func (m *csiMode) Reset()               { *m = csiMode{} }
func (m *csiMode) String() string       { return "" }
func (m *csiMode) ProtoMessage()        {}

// addCSI puts the CSI volumes of the wire into the tree, where mesos-go has only
// the number of their kind.
func addCSI(t *testing.T, tree map[string]any, wire []byte) {
	t.Helper()
	var task csiTask
	if err := proto.Unmarshal(wire, &task); err != nil {
		t.Fatal(err)
	}
	if task.Container == nil {
		return
	}
	for i, v := range task.Container.Volumes {
		if v.Source == nil || v.Source.Volume == nil {
			continue
		}
		text, err := json.Marshal(v.Source.Volume)
		if err != nil {
			t.Fatal(err)
		}
		var volume any
		if err := json.Unmarshal(text, &volume); err != nil {
			t.Fatal(err)
		}
		source := tree["container"].(map[string]any)["volumes"].([]any)[i].(map[string]any)["source"].(map[string]any)
		source["csi_volume"] = volume
	}
}
