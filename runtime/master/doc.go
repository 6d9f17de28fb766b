// Package master is the framework's side of the Mesos v1 scheduler API: it finds
// the leading master, keeps a subscription there, turns what the master says into
// the core's events and the core's calls into requests.
//
//	detector ─► leader ─► SUBSCRIBE ─► RecordIO stream ─► decoder ─► Sink
//	Send ─► queue ─► one call at a time, in order ─► the same leader
//
// The types and codecs of mesos-go describe calls and events, always as protobuf:
// its JSON form fails a whole message over one enum name it does not know. Its
// HTTP client is not used, since it cannot be brought to do what a scheduler needs:
// it follows a redirect for SUBSCRIBE but sends later calls to the old address, it
// gives a subscription up over any failed call, its framing refuses records above
// 4 MiB and it has no watch over heartbeats.
//
// OFFERS, nearly all of the bytes in a large cluster, are decoded here straight
// into placement's values, in one pass and without mesos-go's structures. The facts
// of an agent are decoded only when their bytes differ from the last offer's.
package master
