// Package protocol is what Pacer and a policy module that is a process agree on,
// apart from the messages, which are those of sdk/policy.proto. Authors in Go need
// package process alone. For other languages:
//
// A module is one executable file. Pacer starts it with an environment of its own:
// CookieKey=CookieValue, without which it should say that it is not for people and
// exit; PLUGIN_PROTOCOL_VERSIONS, the versions of this protocol that Pacer speaks,
// separated by commas; PLUGIN_CLIENT_CERT, Pacer's certificate in PEM;
// PLUGIN_UNIX_SOCKET_DIR, where its socket belongs; and what the operator granted.
//
// The module listens on a unix socket in that folder, or on a port of the loopback
// interface, with TLS: it makes itself a certificate for localhost, asks for
// Pacer's, and takes no other. Then it writes one line to its standard output,
//
//	1|VERSION|unix|/path/of/the/socket|grpc|CERTIFICATE
//
// where VERSION is one of Pacer's, and CERTIFICATE its own, DER in base64 without
// padding. This is the handshake of hashicorp/go-plugin, whose documentation has
// the particulars. Nothing may be written to the standard output before that line.
// What is written later, and what is written to the standard error, goes to Pacer's
// log, in part when it is much.
//
// On that socket it answers the gRPC service Service, and the service
// grpc.health.v1.Health, by which the service called "plugin" is SERVING. It ends
// when it is told to by the call Shutdown of plugin.GRPCController, or by SIGTERM.
package protocol

// Version is that of the protocol, the number of the ABI's major version.
const Version = 1

// The variable by which a module knows that Pacer started it.
const (
	CookieKey   = "PACER_POLICY_MODULE"
	CookieValue = "c0a7d9d2-1f8b-4be2-a3f2-6d53c2a1f4b7"
)

// Plugin is the name of the one plugin that a module serves.
const Plugin = "policy"

// Service is the gRPC service of sdk/policy.proto.
const Service = "pacer.policy.v1.PolicyModule"

// The methods of the service.
const (
	Describe           = "Describe"
	Configure          = "Configure"
	Release            = "Release"
	ConstraintPrepare  = "ConstraintPrepare"
	ConstraintEvaluate = "ConstraintEvaluate"
	FetchPrepare       = "FetchPrepare"
	FetchDecide        = "FetchDecide"
	UpgradePrepare     = "UpgradePrepare"
	UpgradeNext        = "UpgradeNext"
	HealthPrepare      = "HealthPrepare"
	HealthJudge        = "HealthJudge"
	AdmissionReview    = "AdmissionReview"
	Converse           = "Converse" // carries calls of the others
)

// Path is how gRPC calls a method.
func Path(method string) string { return "/" + Service + "/" + method }

// Both sides gain by these, and neither depends on them: a question about some
// thousand agents goes out in one piece, and nobody measures a connection that never
// leaves the machine.
const (
	Window = 1 << 20   // of the flow control, in bytes
	Buffer = 128 << 10 // for reading and for writing, in bytes
)

// MaxMessage is how many bytes a module takes in one message.
const MaxMessage = 64 << 20
