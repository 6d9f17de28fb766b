// Command mirror-only is a policy module for Pacer with two policies of the same name:
// as admission it lets images come from the operator's mirror alone, and points those of
// registries that are mirrored there; for fetching it forbids http: and does the same to
// addresses.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/guest"
)

// The module is served from here on; main is never run.
var _ = guest.Register(module(&mirror{}))

func main() {}

func module(m *mirror) guest.Module {
	return guest.Module{Name: "mirror-only", Version: "1.0.0", Fetch: m, Admission: m, Configure: m.configure}
}

// mirror is the operator's settings.
type mirror struct {
	Images     string            `json:"images"`     // what names of images begin with, such as mirror.example/
	Registries map[string]string `json:"registries"` // those that are mirrored: host to folder below Images
	URIs       map[string]string `json:"uris"`       // prefixes of addresses to what takes their place
}

func (m *mirror) configure(settings string) error {
	*m = mirror{}
	if err := json.Unmarshal([]byte(settings), m); err != nil || m.Images == "" {
		return &sdk.Invalid{Message: "mirror-only needs settings with images, the mirror that images come from"}
	}
	return nil
}

func (m *mirror) Policies() []string { return []string{"mirror-only"} }

var errSettings = &sdk.Invalid{Message: "mirror-only takes its settings from policies.yaml"}

// Review looks at the image of an app that is created or changed.
func (m *mirror) Review(_ context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	if r.Settings != "" {
		return sdk.AdmissionReview{}, errSettings
	}
	if r.Subject != sdk.AdmissionApp || !bytes.Contains(r.New, []byte(`"image"`)) { // reading costs fuel
		return sdk.AllowAdmission(), nil
	}
	var app struct {
		Container struct {
			Docker struct {
				Image string `json:"image"`
			} `json:"docker"`
		} `json:"container"`
	}
	if err := json.Unmarshal(r.New, &app); err != nil {
		return sdk.AdmissionReview{}, err
	}
	image := app.Container.Docker.Image
	if image == "" || strings.HasPrefix(image, m.Images) {
		return sdk.AllowAdmission(), nil
	}
	registry, name := split(image)
	folder, ok := m.Registries[registry]
	if !ok {
		reason := "images come from " + m.Images + " only, which does not mirror " + registry
		return sdk.DenyAdmission("/container/docker/image", reason), nil
	}
	amended, err := set(r.New, m.Images+folder+name, "container", "docker", "image")
	return sdk.AdmissionReview{Amended: amended}, err
}

// split is the registry of an image and the rest of its name, as Docker understands it:
// redis:7 is library/redis:7 of docker.io.
func split(image string) (registry, name string) {
	first, rest, slash := strings.Cut(image, "/")
	if slash && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return first, rest
	}
	if !slash {
		image = "library/" + image
	}
	return "docker.io", image
}

// set is the document with another text at the path. All else stays as it was.
func set(document []byte, text string, path ...string) ([]byte, error) {
	if len(path) == 0 {
		return json.Marshal(text)
	}
	var members map[string]json.RawMessage
	err := json.Unmarshal(document, &members)
	if err == nil {
		members[path[0]], err = set(members[path[0]], text, path[1:]...)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(members)
}

func (m *mirror) Prepare(_ context.Context, f sdk.FetchSpec) (sdk.PreparedFetch, error) {
	if f.Settings != "" {
		return nil, errSettings
	}
	return m, nil
}

func (m *mirror) Close() {}

// Decide takes the longest prefix that fits, and then forbids what is not encrypted.
func (m *mirror) Decide(_ context.Context, uris []sdk.FetchURI) ([]sdk.FetchDecision, error) {
	decisions := make([]sdk.FetchDecision, len(uris))
	for i, uri := range uris {
		longest := ""
		for prefix := range m.URIs {
			if len(prefix) > len(longest) && strings.HasPrefix(uri.URI, prefix) {
				longest = prefix
			}
		}
		if longest != "" {
			uri.URI = m.URIs[longest] + uri.URI[len(longest):]
		}
		decisions[i] = sdk.AllowFetch(uri)
		if scheme, _, _ := strings.Cut(uri.URI, ":"); strings.EqualFold(strings.TrimSpace(scheme), "http") {
			decisions[i] = sdk.DenyFetch("http: is not allowed: use https:, or have the address mirrored")
		}
	}
	return decisions, nil
}
