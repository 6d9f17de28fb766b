// Package zookeeper is Pacer's way to ZooKeeper: a connection that outlives
// restarts of the servers, and the two things that Mesos keeps there, the
// announcement of a master and the watch for the leading one.
//
// It is the only package that knows the client library. What the library does
// not promise is settled here, once: session states are never dropped, a watch
// that ends for any reason says so, every call honours its context, a call whose
// outcome is unknown says that it is, and host names are resolved at each
// attempt to connect.
package zookeeper
