package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/pacer-run/pacer/runtime/deployment"
	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// problem is an answer that is nothing but a status and a message.
type problem struct {
	status  int
	message string
}

// Error returns the message of the body.
func (p *problem) Error() string { return p.message }

// sentinel problems are told apart by their value, which never changes.
const (
	errUnknownURI    = sentinel("URI not found")
	errCallbacks     = sentinel("Event subscriptions by callback are gone: follow the event stream at /v2/events")
	errMethod        = sentinel("Method Not Allowed")
	errMediaType     = sentinel("Unsupported Media Type")
	errNotAcceptable = sentinel("Not Acceptable")
	errCredentials   = sentinel("Invalid username or password.")
	errNoPrometheus  = sentinel("Prometheus reporter is disabled")
	errNoLeader      = sentinel("Could not determine the current leader")
	errNobodyLeads   = sentinel("There is no leader")
	errProxyLoop     = sentinel("Detected proxying loop.")
	errProxyRefused  = sentinel("Connection to leader refused.")
	errNoID          = sentinel("requirement failed: App Update must have app id set")
	errScaleAndWipe  = sentinel("You cannot use scale and wipe at the same time.")
)

// sentinel is an error whose text is its identity. Being a constant it cannot be
// assigned to, which an error variable can.
type sentinel string

// Error returns the message of the body.
func (e sentinel) Error() string { return string(e) }

// status is 404 unless said otherwise: most of these are about what is not there.
func (e sentinel) status() int {
	switch e {
	case errMethod:
		return http.StatusMethodNotAllowed
	case errMediaType:
		return http.StatusUnsupportedMediaType
	case errNotAcceptable:
		return http.StatusNotAcceptable
	case errCredentials:
		return http.StatusUnauthorized
	case errNoLeader:
		return http.StatusServiceUnavailable
	case errProxyLoop, errProxyRefused:
		return http.StatusBadGateway
	case errScaleAndWipe:
		return http.StatusBadRequest
	case errNoID:
		return http.StatusUnprocessableEntity
	default:
		return http.StatusNotFound
	}
}

// outage wraps the error of a command whose outcome nobody knows.
type outage struct{ cause error }

// Error says what is certain: the command was not answered.
func (o *outage) Error() string { return "the command was not answered: " + o.cause.Error() }

// Unwrap returns the cause.
func (o *outage) Unwrap() error { return o.cause }

// errorBody is the shape of every error.
type errorBody struct {
	Message     string         `json:"message"`
	Details     any            `json:"details,omitempty"`
	Deployments []deploymentID `json:"deployments,omitempty"`
}

type deploymentID struct {
	ID string `json:"id"`
}

// answerTo turns an error into the status and the body that clients know. It is
// the only place that does.
func answerTo(err error) (int, errorBody) {
	if status, body, ok := inputAnswer(err); ok {
		return status, body
	}
	var (
		plain   *problem
		fixed   sentinel
		unknown *outage
		body    = errorBody{Message: err.Error()}
	)
	switch {
	case errors.As(err, &plain):
		return plain.status, body
	case errors.As(err, &fixed):
		return fixed.status(), body
	case errors.As(err, &unknown) && errors.Is(err, context.Canceled):
		return http.StatusRequestTimeout, body // the client went away
	case errors.As(err, &unknown):
		return http.StatusServiceUnavailable, body
	}
	return refusalAnswer(err)
}

// inputAnswer is answerTo for what is wrong with the request itself.
func inputAnswer(err error) (int, errorBody, bool) {
	var (
		syntax   *spec.SyntaxError
		faults   *spec.Faults
		path     *spec.PathError
		tooLarge *http.MaxBytesError
	)
	switch {
	case errors.As(err, &syntax) && syntax.Empty:
		return http.StatusBadRequest, errorBody{Message: "Please specify data in JSON format", Details: syntax.Detail}, true
	case errors.As(err, &syntax):
		return http.StatusBadRequest, errorBody{Message: spec.MessageInvalidJSON, Details: syntax.Detail}, true
	case errors.As(err, &faults):
		return http.StatusUnprocessableEntity, errorBody{Message: faults.Message, Details: faults.Details}, true
	case errors.As(err, &path):
		return http.StatusUnprocessableEntity, invalid("/", path.Message), true
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, errorBody{Message: "Request Entity Too Large"}, true
	}
	return 0, errorBody{}, false
}

// refusalAnswer is answerTo for the core's refusals. An error of any other kind
// is a fault of ours.
func refusalAnswer(err error) (int, errorBody) {
	if status, ok := missingAnswer(err); ok {
		return status, errorBody{Message: err.Error()}
	}
	var (
		exists   *scheduler.Exists
		stale    *scheduler.Stale
		unpaused *scheduler.NotPaused
		outdated *scheduler.Outdated
		locked   *scheduler.Locked
		tooMany  *scheduler.TooManyDeployments
		ports    *scheduler.PortsExhausted
		tooLarge *scheduler.TooLarge
		twice    *scheduler.NamedTwice
		cycle    *deployment.CycleError
		body     = errorBody{Message: err.Error()}
	)
	switch {
	case errors.As(err, &exists), errors.As(err, &stale), errors.As(err, &outdated), errors.As(err, &unpaused):
		return http.StatusConflict, body
	case errors.As(err, &locked):
		for _, id := range locked.Deployments {
			body.Deployments = append(body.Deployments, deploymentID{id})
		}
		return http.StatusConflict, body
	case errors.As(err, &tooMany):
		return http.StatusForbidden, body
	case errors.As(err, &ports):
		return http.StatusUnprocessableEntity, invalid("/portDefinitions", err.Error())
	case errors.As(err, &cycle):
		return http.StatusUnprocessableEntity, invalid("/", err.Error(), "the ring is "+cycle.Names())
	case errors.As(err, &tooLarge), errors.As(err, &twice):
		return http.StatusUnprocessableEntity, invalid("/", err.Error())
	default:
		return http.StatusInternalServerError, body
	}
}

// missingAnswer is the status of refusals that name something that is not there.
func missingAnswer(err error) (int, bool) {
	var (
		app        *scheduler.NotFound
		group      *scheduler.GroupNotFound
		deployment *scheduler.DeploymentNotFound
		waiting    *scheduler.NotWaiting
		kill       *scheduler.NothingToKill
	)
	if errors.As(err, &app) || errors.As(err, &group) || errors.As(err, &deployment) || errors.As(err, &waiting) || errors.As(err, &kill) {
		return http.StatusNotFound, true
	}
	return 0, false
}

// invalid is the shape of validation for a refusal that came without a path.
func invalid(path string, messages ...string) errorBody {
	faults := spec.NewFault(path, messages[0])
	for _, m := range messages[1:] {
		faults.Add(path, m)
	}
	return errorBody{Message: faults.Message, Details: faults.Details}
}

// writeError answers with an error.
func writeError(w http.ResponseWriter, err error) {
	status, body := answerTo(err)
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, status, body)
}

// writeJSON answers with a value of this package, which always has a JSON form.
func writeJSON(w http.ResponseWriter, status int, value any) {
	writeBytes(w, status, encodeJSON(value))
}

// writeBytes answers with JSON. The length is set so that an answer may be flushed
// before the handler returns without becoming a chunked one.
func writeBytes(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the client is gone: nobody is left to tell
}

// encodeJSON keeps "<" and "&" as they are: nothing here is put into a page.
func encodeJSON(value any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic("api: a value without a JSON form: " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
