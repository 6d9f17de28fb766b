package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// Labels of an app that say how its deployments are carried out when a request
// does not.
const (
	timeoutLabel  = "PACER_DEPLOYMENT_TIMEOUT"
	rollbackLabel = "PACER_DEPLOYMENT_ROLLBACK"
)

// termsOf reads what a deployment is asked for with: from the query, else from
// the labels of the apps that the change is about. Of several apps the shortest
// timeout holds, and one that wants to be rolled back is enough. nil apps are
// left out.
func termsOf(r *http.Request, apps ...*spec.App) (scheduler.Terms, error) {
	terms := scheduler.Terms{By: authorOf(r)}
	for _, app := range apps {
		if app == nil {
			continue
		}
		// The labels were judged when the app was defined.
		timeout, err := parseTimeout(app.Labels[timeoutLabel])
		if err == nil && timeout > 0 && (terms.Timeout == 0 || timeout < terms.Timeout) {
			terms.Timeout = timeout
		}
		if undo, err := parseSwitch(app.Labels[rollbackLabel]); err == nil && undo {
			terms.RollBack = true
		}
	}
	query := r.URL.Query()
	if query.Has("timeout") {
		timeout, err := parseTimeout(query.Get("timeout"))
		if err != nil {
			return terms, &problem{http.StatusUnprocessableEntity, "query parameter timeout: " + err.Error()}
		}
		terms.Timeout = timeout
	}
	if query.Has("rollback") {
		undo, err := parseSwitch(query.Get("rollback"))
		if err != nil {
			return terms, &problem{http.StatusUnprocessableEntity, "query parameter rollback: " + err.Error()}
		}
		terms.RollBack = undo
	}
	return terms, nil
}

// checkTermLabels judges the labels that termsOf reads.
func checkTermLabels(app *spec.App, faults *spec.Faults) {
	if _, err := parseTimeout(app.Labels[timeoutLabel]); err != nil {
		faults.Add("/labels/"+timeoutLabel, err.Error())
	}
	if _, err := parseSwitch(app.Labels[rollbackLabel]); err != nil {
		faults.Add("/labels/"+rollbackLabel, err.Error())
	}
}

// parseTimeout reads a Go duration or a number of seconds; "" is 0, which is none.
func parseTimeout(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	long := text
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		long += "s"
	}
	timeout, err := time.ParseDuration(long)
	if err != nil || timeout < 0 {
		return 0, fmt.Errorf("got %s, expected a duration such as 10m or a number of seconds", text)
	}
	return timeout, nil
}

// parseSwitch reads "true" or "false" in any case; "" is false.
func parseSwitch(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true":
		return true, nil
	case "false", "":
		return false, nil
	}
	return false, fmt.Errorf("got %s, expected true or false", text)
}

// authorOf is who sends a request. A name is kept no longer than names are: it
// is stored with the deployment.
func authorOf(r *http.Request) scheduler.Author {
	const longest = 100
	user, _, _ := r.BasicAuth()
	return scheduler.Author{User: strings.ToValidUTF8(user[:min(len(user), longest)], ""), Address: clientIP(r)}
}
