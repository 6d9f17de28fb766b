// Command mirror-only is a policy module for Pacer with two policies of the same name:
// as admission it lets images come from the operator's mirror alone, and points those of
// registries that are mirrored there; for fetching it forbids http: and does the same to
// addresses.
package main

import (
	"context"
	"strings"

	"github.com/pacer-run/pacer/sdk"
	"github.com/pacer-run/pacer/sdk/guest"
	"github.com/pacer-run/pacer/sdk/jsonvalue"
)

// The module is served from here on; main is never run.
var _ = guest.Register(module(&mirror{}))

func main() {}

func module(m *mirror) guest.Module {
	return guest.Module{Name: "mirror-only", Version: "1.0.0", Fetch: m, Admission: m, Configure: m.configure}
}

// mirror is the operator's settings.
type mirror struct {
	Images     string            // what names of images begin with, such as mirror.example/
	Registries map[string]string // those that are mirrored: host to folder below Images
	URIs       map[string]string // prefixes of addresses to what takes their place
}

func (m *mirror) configure(settings string) error {
	v, err := jsonvalue.Parse(settings)
	*m = mirror{v.Get("images").String(), texts(v.Get("registries")), texts(v.Get("uris"))}
	if err != nil || m.Images == "" {
		return &sdk.Invalid{Message: "mirror-only needs settings with images, the mirror that images come from"}
	}
	return nil
}

// texts are the members of an object whose values are texts.
func texts(v jsonvalue.Value) map[string]string {
	list := map[string]string{}
	for name, value := range v.Members() {
		list[name] = value.String()
	}
	return list
}

func (m *mirror) Policies() []string { return []string{"mirror-only"} }

var errSettings = &sdk.Invalid{Message: "mirror-only takes its settings from policies.yaml"}

// Review looks at the image of an app that is created or changed.
func (m *mirror) Review(_ context.Context, r sdk.AdmissionRequest) (sdk.AdmissionReview, error) {
	if r.Settings != "" {
		return sdk.AdmissionReview{}, errSettings
	}
	if r.Subject != sdk.AdmissionApp || r.New == nil {
		return sdk.AllowAdmission(), nil
	}
	app, err := jsonvalue.Parse(r.New)
	if err != nil {
		return sdk.AdmissionReview{}, err
	}
	image := app.Get("container", "docker", "image").String()
	if image == "" || strings.HasPrefix(image, m.Images) {
		return sdk.AllowAdmission(), nil
	}
	registry, name := split(image)
	folder, ok := m.Registries[registry]
	if !ok {
		reason := "images come from " + m.Images + " only, which does not mirror " + registry
		return sdk.DenyAdmission("/container/docker/image", reason), nil
	}
	amended, err := app.With(jsonvalue.Quote(m.Images+folder+name), "container", "docker", "image")
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
