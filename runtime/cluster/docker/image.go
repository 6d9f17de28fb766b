package docker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"
)

// Logins are the credentials of registries, by their names as in a docker configuration.
type Logins map[string]registry.AuthConfig

// loginEntry is a registry's entry in either form of a docker configuration.
type loginEntry struct {
	Auth          string `json:"auth"`
	Username      string `json:"username"`
	Password      string `json:"password"`
	IdentityToken string `json:"identitytoken"`
}

// ReadLogins looks for credentials where docker looks for them in a home folder: .docker/config.json, and the older
// .dockercfg. It returns none when there is neither file.
func ReadLogins(home fs.FS) (Logins, error) {
	var modern struct {
		Auths map[string]loginEntry `json:"auths"`
	}
	if text, err := fs.ReadFile(home, ".docker/config.json"); err == nil {
		if err := json.Unmarshal(text, &modern); err != nil {
			return nil, fmt.Errorf(".docker/config.json: %w", err)
		}
		return loginsOf(modern.Auths)
	}
	text, err := fs.ReadFile(home, ".dockercfg")
	if err != nil {
		return nil, nil
	}
	var old map[string]loginEntry
	if err := json.Unmarshal(text, &old); err != nil {
		return nil, fmt.Errorf(".dockercfg: %w", err)
	}
	return loginsOf(old)
}

func loginsOf(in map[string]loginEntry) (Logins, error) {
	out := Logins{}
	for name, e := range in {
		if e.Auth != "" {
			text, err := base64.StdEncoding.DecodeString(e.Auth)
			user, password, ok := strings.Cut(strings.TrimRight(string(text), "\x00"), ":")
			if err != nil || !ok {
				return nil, fmt.Errorf("credentials of %s: auth is not base64 of user:password", name)
			}
			e.Username, e.Password = user, password
		}
		out[registryName(name)] = registry.AuthConfig{
			Username: e.Username, Password: e.Password, IdentityToken: e.IdentityToken, ServerAddress: name,
		}
	}
	return out, nil
}

// registryName is the host part of a registry's address: "https://index.docker.io/v1/" is "index.docker.io".
func registryName(address string) string {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		rest = address
	}
	host, _, _ := strings.Cut(rest, "/")
	if host == "index.docker.io" || host == "registry-1.docker.io" {
		return "docker.io"
	}
	return host
}

// Pull makes sure that an image is there: it is fetched when it is not, or always with force. An image without a tag is
// the latest one.
func (e *Engine) Pull(ctx context.Context, image string, force bool, logins Logins) error {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return fmt.Errorf("image '%s': %w", image, err)
	}
	name := reference.TagNameOnly(named)
	if !force {
		if _, err := e.api.ImageInspect(ctx, name.String()); err == nil {
			return nil
		}
	}
	var options client.ImagePullOptions
	if login, ok := logins[reference.Domain(named)]; ok {
		if options.RegistryAuth, err = authconfig.Encode(login); err != nil {
			return fmt.Errorf("image '%s': credentials: %w", image, err)
		}
	}
	progress, err := e.api.ImagePull(ctx, name.String(), options)
	if err != nil {
		return err
	}
	return progress.Wait(ctx)
}
