// Package fetcher puts the files that a task's command names by URI into its sandbox, as Mesos' fetcher does, before the
// executor starts.
//
// # What is as in Mesos
//
// The file's name is the text after the last slash of the URI, a query included, or output_file. What is executable gets
// mode 0755 and is never unpacked. Otherwise the ending of the name decides, in lower case only: tar, tgz, tar.gz, tbz2,
// tar.bz2, txz, tar.xz and zip are unpacked into the sandbox itself, wherever output_file puts the archive; any other gz
// is unpacked to the name without it; the rest stays as it is. The archive is kept, except when it is in the cache. The
// cache is per user and URI, asks no server again for what it has, knows the size before it takes a file, is passed by
// when that is unknown or has no room, and is empty after a restart. A transfer that stands still for a minute fails.
//
// # What is not
//
//   - Files are put in place in the order they are listed; only their transfers run side by side.
//   - Nothing leaves the sandbox: not output_file, not an entry of an archive, not a link, whether symbolic or hard. Entries
//     are not written through links either, and devices, pipes and setuid bits do not come out of archives.
//   - Archives are bounded in bytes, entries, depth and ratio, transfers in bytes.
//   - What is not whole is never seen under its name, in the sandbox or in the cache.
//   - s3, s3a, s3n, hdfs, webhdfs and swebhdfs need no Hadoop client; other schemes are refused.
//   - The password in a URI goes to the host that it names, and to none that this one redirects to.
package fetcher
