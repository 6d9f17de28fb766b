package fetcher

import (
	"crypto/x509"
	"fmt"
	"os"
	"time"
)

// Config describes a fetcher. Zero values of numbers and durations mean the default named with them.
type Config struct {
	// CacheDir is a folder for this fetcher alone; what an earlier one left in it is removed. Required.
	CacheDir string
	// CacheBytes is what the cache may hold, files under way included; 2 GiB. Negative = nothing is cached.
	CacheBytes int64
	// Parallel is how many URIs of one task are transferred at a time; 4.
	Parallel int
	// Stall ends a transfer in which no byte arrives for so long; 1 min.
	Stall time.Duration
	// DenyLocal refuses file URIs and plain paths.
	DenyLocal bool

	Limits Limits
	S3     S3
	HDFS   HDFS

	// RootCAs are trusted in https, ftps, swebhdfs and s3; nil = those of the system.
	RootCAs *x509.CertPool
}

// Limits bound what one URI may cost. Zero means the default named with it.
type Limits struct {
	Download int64 // bytes of a transfer; 16 GiB
	Unpacked int64 // bytes that come out of an archive; 16 GiB
	Entries  int   // entries of an archive; 200,000
	Depth    int   // elements of an entry's path; 64
	Ratio    int64 // bytes unpacked per byte of the archive; 200
	// RatioFrom is how many bytes are unpacked before the ratio counts, since small files of zeros are common; 64 MiB.
	RatioFrom int64
}

// S3 says where buckets are and who asks for them.
type S3 struct {
	// Endpoint is a URL, as https://minio.example.com:9000; empty = Amazon's.
	Endpoint string
	Region   string // empty = the endpoint is asked
	// AccessKey, SecretKey and SessionToken; without an access key the shared credentials file of AWS is used if there is
	// one, otherwise requests are not signed, which public buckets allow.
	AccessKey    string
	SecretKey    string
	SessionToken string
}

// S3FromEnv reads the variables that other clients of S3 use.
func S3FromEnv(env func(string) string) S3 {
	return S3{
		Endpoint: first(env, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"), Region: first(env, "AWS_REGION", "AWS_DEFAULT_REGION"),
		AccessKey: env("AWS_ACCESS_KEY_ID"), SecretKey: env("AWS_SECRET_ACCESS_KEY"), SessionToken: env("AWS_SESSION_TOKEN"),
	}
}

// HDFS says how hdfs URIs are read. There is no Kerberos: a cluster that demands it refuses.
type HDFS struct {
	// WebHDFS is the URL of a gateway for hdfs URIs, as http://namenode:9870 (HttpFS works as well); empty = Hadoop's own
	// protocol, spoken to the URI's host. webhdfs and swebhdfs URIs always go to their own host.
	WebHDFS string
	// User is who files are read as; empty = the task's user.
	User string
	// ConfDir has core-site.xml and hdfs-site.xml, which resolve the names of services and the default namenode of
	// hdfs:///path; empty = neither.
	ConfDir string
}

// HDFSFromEnv reads the variables that Hadoop's own client uses.
func HDFSFromEnv(env func(string) string) HDFS {
	return HDFS{User: env("HADOOP_USER_NAME"), ConfDir: env("HADOOP_CONF_DIR")}
}

func first(env func(string) string, names ...string) string {
	for _, name := range names {
		if value := env(name); value != "" {
			return value
		}
	}
	return ""
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() (Config, error) {
	if c.CacheDir == "" {
		return c, fmt.Errorf("fetcher: cache dir is empty, expected a folder")
	}
	if c.CacheBytes == 0 {
		c.CacheBytes = 2 << 30
	}
	if c.Parallel <= 0 {
		c.Parallel = 4
	}
	if c.Stall <= 0 {
		c.Stall = time.Minute
	}
	c.Limits = c.Limits.withDefaults()
	if err := os.MkdirAll(c.CacheDir, 0o700); err != nil {
		return c, fmt.Errorf("fetcher: cache dir: %w", err)
	}
	return c, nil
}

// ratioFrom is how many bytes are unpacked before an item's own ratio counts.
const ratioFrom = 1 << 20

// within are these limits, or an item's where they are lower.
func (l Limits) within(own ItemLimits) Limits {
	if own.Bytes > 0 {
		l.Download, l.Unpacked = min(l.Download, own.Bytes), min(l.Unpacked, own.Bytes)
	}
	if own.Entries > 0 {
		l.Entries = min(l.Entries, own.Entries)
	}
	if own.Depth > 0 {
		l.Depth = min(l.Depth, own.Depth)
	}
	if own.Ratio > 0 && own.Ratio <= l.Ratio {
		l.Ratio, l.RatioFrom = own.Ratio, min(l.RatioFrom, ratioFrom)
	}
	return l
}

func (l Limits) withDefaults() Limits {
	set := func(value *int64, def int64) {
		if *value <= 0 {
			*value = def
		}
	}
	set(&l.Download, 16<<30)
	set(&l.Unpacked, 16<<30)
	set(&l.Ratio, 200)
	set(&l.RatioFrom, 64<<20)
	if l.Entries <= 0 {
		l.Entries = 200_000
	}
	if l.Depth <= 0 {
		l.Depth = 64
	}
	return l
}
