package artifact

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"

	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"
)

// repository is the client for the repository of a reference.
func (s *Store) repository(ref Ref) (*remote.Repository, error) {
	repo, err := remote.NewRepository(ref.Path)
	if err != nil {
		return nil, err
	}
	credential, err := s.credentials()
	if err != nil {
		return nil, err
	}
	repo.PlainHTTP = loopback(repo.Reference.Registry)
	if s.PlainHTTP != nil {
		repo.PlainHTTP = *s.PlainHTTP
	}
	repo.Client = &auth.Client{Client: retry.NewClient(), Cache: auth.NewCache(), Credential: credential}
	return repo, nil
}

// credentials reads the file that `docker login` writes. A service may have no
// home folder, and then is nobody in particular.
func (s *Store) credentials() (auth.CredentialFunc, error) {
	anonymous := func(context.Context, string) (auth.Credential, error) { return auth.EmptyCredential, nil }
	if s.DockerConfig != "" {
		store, err := credentials.NewStore(s.DockerConfig, credentials.StoreOptions{})
		if err != nil {
			return nil, fmt.Errorf("credentials of registries: %s: %w", s.DockerConfig, err)
		}
		return credentials.Credential(store), nil
	}
	if _, err := os.UserHomeDir(); err != nil && os.Getenv("DOCKER_CONFIG") == "" {
		return anonymous, nil
	}
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, fmt.Errorf("credentials of registries: the Docker configuration: %w", err)
	}
	return credentials.Credential(store), nil
}

// loopback tells whether a registry is on this machine by its name.
func loopback(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = hostPort
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
