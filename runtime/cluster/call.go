package cluster

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

func badRequest(body string) *refusal { return &refusal{http.StatusBadRequest, body} }

// invalidCall is the answer to a call that could be read but makes no sense.
func invalidCall(why string) *refusal {
	return badRequest("Failed to validate scheduler::Call: " + why)
}

// decodeCall reads a call's body. JSON goes through the bindings' decoder as far as that goes: it refuses a whole call
// for an unknown enum name inside, where a real master takes the field as unset.
func decodeCall(media string, body []byte) (*scheduler.Call, *refusal) {
	call := &scheduler.Call{}
	if media == mediaProto {
		if err := call.Unmarshal(body); err != nil {
			return nil, badRequest("Failed to parse body into Call protobuf")
		}
		return call, nil
	}
	var shape map[string]json.RawMessage
	if !json.Valid(body) {
		return nil, badRequest("Failed to parse body into JSON: syntax error at line 1 near: " + syntaxRest(body))
	}
	if json.Unmarshal(body, &shape) != nil {
		return nil, badRequest("Failed to convert JSON into Call protobuf: Expecting a JSON object")
	}
	var kind string
	_ = json.Unmarshal(shape["type"], &kind)
	if _, known := scheduler.Call_Type_value[kind]; !known {
		return nil, invalidCall("Expecting 'type' to be present")
	}
	if err := call.UnmarshalJSON(knownCapabilities(body)); err != nil {
		return nil, badRequest("Failed to convert JSON into Call protobuf: " + err.Error())
	}
	if missing := missingFields(call); len(missing) > 0 {
		return nil, badRequest("Failed to convert JSON into Call protobuf: Missing required fields: " + strings.Join(missing, ", "))
	}
	return call, nil
}

// knownCapabilities takes capabilities out of a call that the bindings have no name for: frameworks may be newer than
// this cluster, and a real master overlooks what it does not know. Anything unexpected is left to the decoder.
func knownCapabilities(body []byte) []byte {
	if !bytes.Contains(body, []byte(`"capabilities"`)) {
		return body
	}
	// Numbers stay texts, so that none loses digits on the way.
	in := json.NewDecoder(bytes.NewReader(body))
	in.UseNumber()
	var call map[string]any
	if in.Decode(&call) != nil {
		return body
	}
	for _, name := range []string{"subscribe", "update_framework"} {
		part, _ := call[name].(map[string]any)
		info, _ := part["framework_info"].(map[string]any)
		list, ok := info["capabilities"].([]any)
		if !ok {
			continue
		}
		info["capabilities"] = slices.DeleteFunc(list, func(one any) bool {
			capability, _ := one.(map[string]any)
			kind, isText := capability["type"].(string)
			_, known := mesos.FrameworkInfo_Capability_Type_value[kind]
			return isText && !known
		})
	}
	out, err := json.Marshal(call)
	if err != nil {
		return body
	}
	return out
}

// syntaxRest is the part of a broken JSON text that a real master quotes: what follows the opening brace.
func syntaxRest(body []byte) string {
	rest := bytes.TrimLeft(body, "{ \t\n")
	return strings.ToValidUTF8(string(rest[:min(len(rest), 64)]), "")
}

// missingFields names required fields that JSON left out; the binary form cannot be decoded without them.
func missingFields(call *scheduler.Call) []string {
	var out []string
	need := func(name, value string) {
		if value == "" {
			out = append(out, name)
		}
	}
	if c := call.Subscribe; c != nil && c.FrameworkInfo != nil {
		need("subscribe.framework_info.user", c.FrameworkInfo.User)
		need("subscribe.framework_info.name", c.FrameworkInfo.Name)
	}
	if c := call.Kill; c != nil {
		need("kill.task_id", c.TaskID.Value)
	}
	if c := call.Acknowledge; c != nil {
		need("acknowledge.agent_id", c.AgentID.Value)
		need("acknowledge.task_id", c.TaskID.Value)
	}
	return out
}

// validateCall checks what every call needs, in the order of a real master.
func validateCall(call *scheduler.Call) *refusal {
	if call.Type == scheduler.Call_UNKNOWN {
		// A real master of this version ends itself here.
		return &refusal{http.StatusNotImplemented, "Received UNKNOWN call type"}
	}
	if !hasPayload(call) {
		return invalidCall("Expecting '" + strings.ToLower(call.Type.String()) + "' to be present")
	}
	if call.Type == scheduler.Call_SUBSCRIBE {
		return validateSubscribe(call)
	}
	if call.FrameworkID == nil {
		return invalidCall("Expecting 'framework_id' to be present")
	}
	if call.Type == scheduler.Call_ACKNOWLEDGE {
		// An all-zero value is refused too: its version and variant are not those of a UUID.
		id, err := uuid.FromBytes(call.Acknowledge.UUID)
		if err != nil || id.Variant() != uuid.RFC4122 {
			return invalidCall("Not a valid UUID")
		}
	}
	return nil
}

// validateSubscribe checks what must hold before there can be a stream. What else may be wrong is told on the stream.
func validateSubscribe(call *scheduler.Call) *refusal {
	info := call.Subscribe.FrameworkInfo
	if info == nil {
		return invalidCall("Expecting 'subscribe.framework_info' to be present")
	}
	if call.GetFrameworkID().GetValue() != info.GetID().GetValue() {
		return invalidCall("'framework_id' differs from 'subscribe.framework_info.id'")
	}
	return nil
}

// hasPayload tells whether the sub-message that the call's type needs is there.
func hasPayload(call *scheduler.Call) bool {
	switch call.Type {
	case scheduler.Call_SUBSCRIBE:
		return call.Subscribe != nil
	case scheduler.Call_ACCEPT:
		return call.Accept != nil
	case scheduler.Call_DECLINE:
		return call.Decline != nil
	case scheduler.Call_ACCEPT_INVERSE_OFFERS:
		return call.AcceptInverseOffers != nil
	case scheduler.Call_DECLINE_INVERSE_OFFERS:
		return call.DeclineInverseOffers != nil
	case scheduler.Call_KILL:
		return call.Kill != nil
	case scheduler.Call_SHUTDOWN:
		return call.Shutdown != nil
	case scheduler.Call_ACKNOWLEDGE:
		return call.Acknowledge != nil
	case scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS:
		return call.AcknowledgeOperationStatus != nil
	case scheduler.Call_RECONCILE:
		return call.Reconcile != nil
	case scheduler.Call_RECONCILE_OPERATIONS:
		return call.ReconcileOperations != nil
	case scheduler.Call_MESSAGE:
		return call.Message != nil
	case scheduler.Call_REQUEST:
		return call.Request != nil
	case scheduler.Call_UPDATE_FRAMEWORK:
		return call.UpdateFramework != nil
	default:
		return true // TEARDOWN, REVIVE and SUPPRESS have none or may leave it out
	}
}
