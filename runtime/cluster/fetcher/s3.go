package fetcher

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// s3Source reads objects of S3 and of what speaks its protocol.
type s3Source struct {
	core      minio.Core
	transport *http.Transport
}

// s3Tries is how often a request is made that a server is too busy for.
const s3Tries = 3

func newS3(cfg S3, trust *tls.Config) (*s3Source, error) {
	endpoint, secure := "s3.amazonaws.com", true
	if cfg.Endpoint != "" {
		u, err := url.Parse(cfg.Endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
			return nil, fmt.Errorf("fetcher: s3 endpoint %q, expected http:// or https:// and a host", Redacted(cfg.Endpoint))
		}
		endpoint, secure = u.Host, u.Scheme == "https"
	}
	who := credentials.NewChainCredentials([]credentials.Provider{&credentials.FileAWSCredentials{}})
	if cfg.AccessKey != "" {
		who = credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey, cfg.SessionToken)
	}
	transport := newTransport(trust)
	client, err := minio.New(endpoint, &minio.Options{
		Creds: who, Secure: secure, Region: cfg.Region,
		Transport: transport, MaxRetries: s3Tries,
	})
	if err != nil {
		return nil, fmt.Errorf("fetcher: s3: %w", err)
	}
	return &s3Source{core: minio.Core{Client: client}, transport: transport}, nil
}

func (s *s3Source) open(ctx context.Context, req request) (*blob, error) {
	bucket, key := afterScheme(req.uri)
	if strings.ContainsRune(bucket, '@') {
		return nil, errors.New("credentials in the URI are not used: they belong into the settings of the cluster")
	}
	body, info, _, err := s.core.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, s3Error(err)
	}
	return &blob{ReadCloser: body, size: info.Size}, nil
}

// s3Error adds the code that S3's documentation explains.
func s3Error(err error) error {
	var e minio.ErrorResponse
	if errors.As(err, &e) && e.Code != "" {
		return fmt.Errorf("%s: %s", e.Code, e.Message)
	}
	return withoutURL(err)
}
