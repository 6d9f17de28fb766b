package main

import (
	"errors"
	"fmt"
)

// Exit codes. Those from 100 on are Marathon's, so that supervisors and scripts
// that know them work unchanged.
const (
	exitOK               = 0
	exitFailed           = 1
	exitZooKeeper        = 100 // ZooKeeper could not be reached at the start
	exitLeadershipLost   = 103 // another server leads, or may
	exitSchedulerError   = 106 // Mesos refused the framework
	exitFault            = 107 // Pacer found its own state broken
	exitFrameworkRemoved = 110 // Mesos has removed the framework; an operator decides
	exitBind             = 111 // the HTTP port could not be taken
	exitFlag             = 112 // a flag, its value or a variable is wrong
)

// exitError ends the process with a code.
type exitError struct {
	code int
	err  error
}

// Error returns the cause.
func (e *exitError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *exitError) Unwrap() error { return e.err }

// exit wraps err, nil for nil.
func exit(code int, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code, err}
}

// badFlag is a mistake in the command line.
func badFlag(format string, args ...any) error {
	return &exitError{exitFlag, fmt.Errorf(format, args...)}
}

// codeOf is the exit code for the error that a command returned.
func codeOf(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &e):
		return e.code
	default:
		return exitFailed
	}
}
