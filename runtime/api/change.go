package api

import (
	"net/http"

	"github.com/pacer-run/pacer/runtime/scheduler"
	"github.com/pacer-run/pacer/runtime/spec"
)

// staleRetries is how often a change is derived anew when somebody else changed
// the app in between.
const staleRetries = 5

// deploymentHeader names the deployment that a change began.
const deploymentHeader = "Marathon-Deployment-Id"

// deploymentResult is the answer of changes.
type deploymentResult struct {
	Version      string `json:"version"`
	DeploymentID string `json:"deploymentId"`
}

// createApp carries out POST /v2/apps.
func (s *server) createApp(core Core, w http.ResponseWriter, r *http.Request) error {
	data, err := s.body(w, r)
	if err != nil {
		return err
	}
	u, err := spec.ParseUpdate(data, spec.Whole, false)
	if err != nil {
		return err
	}
	if err := s.noteUnknown(w, r, u); err != nil {
		return err
	}
	roles := core.Snapshot().Tree.Roles(*u.ID, s.Settings)
	app := u.App(*u.ID, roles.Default, s.Settings)
	if err := s.validate(r, roles, u, app, nil); err != nil {
		return err
	}
	terms, err := termsOf(r, app)
	if err != nil {
		return err
	}
	c, err := s.commit(core, w, r, creating(r, app, terms))
	defer c.done()
	if err != nil {
		return err
	}
	created := *c.change.Put[0].App
	created.Version = c.reply.Version
	s.announce(r, &created)
	answerCreated(w, r, c.reply, &created)
	return nil
}

// creating brings a new app. When there is one already the core says so, and nothing
// is tried again.
func creating(r *http.Request, app *spec.App, terms scheduler.Terms) derivation {
	tried := false
	return func(snapshot *scheduler.Snapshot) (change scheduler.ChangeTree, err error) {
		if tried && snapshot.Tree.App(app.ID) != nil {
			return change, &scheduler.Exists{App: app.ID}
		}
		tried = true
		return scheduler.ChangeTree{Put: []scheduler.PutApp{{App: app}}, Force: flag(r, "force", false), Terms: terms}, nil
	}
}

// answerCreated shows the app as it was sent: its ports are assigned by then,
// but clients of the API know the answer without them.
func answerCreated(w http.ResponseWriter, r *http.Request, reply scheduler.Reply, app *spec.App) {
	body := appendCounts(app.AppendFields([]byte{'{'}, false), counts{})
	body = append(appendDeployments(body, []string{reply.DeploymentID}), '}')
	w.Header().Set(deploymentHeader, reply.DeploymentID)
	w.Header().Set("Location", rootURL(r)+string(app.ID))
	writeBytes(w, http.StatusCreated, body)
	flush(w)
}

// flush sends an answer off before the handler returns: the events that were
// held back for it follow then.
func flush(w http.ResponseWriter) {
	http.NewResponseController(w).Flush() // where it cannot, it goes when the handler returns
}

// rootURL is the server as the client has reached it.
func rootURL(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// changeApp carries out PUT and PATCH of one app. PATCH is a partial update of
// an app that is there; PUT is one too unless told otherwise, and creates.
func (s *server) changeApp(core Core, w http.ResponseWriter, r *http.Request) error {
	t, err := appTarget(r)
	switch {
	case err != nil:
		return err
	case t.part != "":
		return errMethod
	case t.wildcard:
		return errUnknownURI
	}
	data, err := s.body(w, r)
	if err != nil {
		return err
	}
	updates, err := s.appUpdate(w, r, t.id, data)
	if err != nil {
		return err
	}
	c, err := s.commit(core, w, r, s.putting(r, updates))
	defer c.done()
	if err != nil {
		return err
	}
	for _, app := range c.reply.Apps {
		s.announce(r, app)
	}
	status := http.StatusOK
	if created(c.change) {
		status = http.StatusCreated
		w.Header().Set("Location", rootURL(r)+string(t.id))
	}
	answerDeployment(w, status, c.reply)
	return nil
}

// appUpdate reads what is to become of one app.
func (s *server) appUpdate(w http.ResponseWriter, r *http.Request, id spec.PathID, data []byte) ([]*spec.Update, error) {
	u, err := spec.ParseUpdate(data, formOf(r), true)
	if err != nil {
		return nil, err
	}
	u.ID = &id
	return []*spec.Update{u}, s.noteUnknown(w, r, u)
}

// changeApps carries out PUT and PATCH of a list, as one deployment.
func (s *server) changeApps(core Core, w http.ResponseWriter, r *http.Request) error {
	data, err := s.body(w, r)
	if err != nil {
		return err
	}
	updates, err := s.appUpdates(w, r, data)
	if err != nil {
		return err
	}
	c, err := s.commit(core, w, r, s.putting(r, updates))
	defer c.done()
	if err != nil {
		return err
	}
	answerDeployment(w, http.StatusOK, c.reply)
	return nil
}

// appUpdates reads what is to become of several apps.
func (s *server) appUpdates(w http.ResponseWriter, r *http.Request, data []byte) ([]*spec.Update, error) {
	updates, err := spec.ParseUpdates(data, formOf(r))
	if err != nil {
		return nil, err
	}
	for _, u := range updates {
		if u.ID == nil {
			return nil, errNoID
		}
	}
	return updates, s.noteUnknown(w, r, updates...)
}

// formOf says how a body is meant: PATCH is always partial, and so is PUT until
// the query says otherwise.
func formOf(r *http.Request) spec.Form {
	if r.Method == http.MethodPut && !flag(r, "partialUpdate", true) {
		return spec.Whole
	}
	return spec.Partial
}

// deleteApp carries out everything that is deleted below /v2/apps/. An app's
// own deletion is forced unless told otherwise. An app's id may end with "restart" here and nowhere else.
func (s *server) deleteApp(core Core, w http.ResponseWriter, r *http.Request) error {
	t, err := appTarget(r)
	if t.isApp(core.Snapshot()) {
		err = nil
	}
	switch {
	case t.part == "tasks" && t.item != "":
		return s.killTask(core, w, r, t) // whatever is wrong with the path
	case err != nil:
		return err
	case t.wildcard || t.item != "":
		return errUnknownURI
	case t.part == "tasks":
		return s.killTasks(core, w, r, t)
	case t.part == "versions":
		return errMethod
	case t.part == "restart":
		return &scheduler.NotFound{App: t.id + "/restart"} // no app has such a name
	}
	return s.deploy(core, w, r, removingApp(r, t.id))
}

// removingApp takes an app away, whoever holds it unless told otherwise.
func removingApp(r *http.Request, id spec.PathID) derivation {
	return func(snapshot *scheduler.Snapshot) (scheduler.ChangeTree, error) {
		change := scheduler.ChangeTree{Remove: []spec.PathID{id}, Force: flag(r, "force", true)}
		return onApp(r, snapshot, id, change)
	}
}

// answerDeployment answers a change. The id is in the header as well, since some
// clients read only that.
func answerDeployment(w http.ResponseWriter, status int, reply scheduler.Reply) {
	w.Header().Set(deploymentHeader, reply.DeploymentID)
	writeJSON(w, status, deploymentResult{Version: reply.Version.String(), DeploymentID: reply.DeploymentID})
	flush(w)
}
