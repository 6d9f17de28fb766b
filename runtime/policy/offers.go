package policy

import (
	"context"
	"fmt"
	"strings"

	"github.com/pacer-run/pacer/sdk"
)

// offers is what there is of one kind of policy, under the names by which users
// ask for it. The catalog's lock guards it.
type offers[P any] struct {
	noun  string   // what the names are: "operator"
	names []string // in the order in which they came
	by    map[string]offer[P]
}

// offer is one policy and where it comes from.
type offer[P any] struct {
	policy P
	origin *origin
}

// add makes the policy the one of that name. Names are taken once.
func (o *offers[P]) add(name string, policy P, from *origin) {
	if o.by == nil {
		o.by = map[string]offer[P]{}
	}
	o.by[name] = offer[P]{policy, from}
	o.names = append(o.names, name)
	from.names = append(from.names, name)
}

func (o *offers[P]) addBuiltin(name string, policy P, from *origin) error {
	if _, taken := o.by[name]; taken {
		return fmt.Errorf("two built-in policies offer the %s %s", o.noun, name)
	}
	o.add(name, policy, from)
	return nil
}

// lookup finds who offers the name. One that is not known yet may come with a
// module that is still loading: ctx says how long to wait for it.
func lookup[P any](ctx context.Context, c *Catalog, o *offers[P], name string) (offer[P], error) {
	if found, ok := find(c, o, name); ok {
		return found, nil
	}
	select {
	case <-c.loaded:
	case <-ctx.Done():
		return offer[P]{}, fmt.Errorf("policy modules are still loading: %w", context.Cause(ctx))
	}
	if found, ok := find(c, o, name); ok {
		return found, nil
	}
	return offer[P]{}, unknown(c, o)
}

func find[P any](c *Catalog, o *offers[P], name string) (offer[P], bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	found, ok := o.by[name]
	return found, ok
}

// unknown tells the names there are, and which modules might have had more.
func unknown[P any](c *Catalog, o *offers[P]) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	last := len(o.names) - 1
	if last < 0 {
		return &sdk.Invalid{Message: "no " + o.noun + " is available"}
	}
	var message strings.Builder
	message.WriteString(o.noun + " must be one of the following " + strings.Join(o.names[:last], ", "))
	if last > 0 {
		message.WriteString(" or ")
	}
	message.WriteString(o.names[last])
	for _, from := range c.origins {
		if from.state == Failed {
			message.WriteString("; the policy module " + from.file + " could not be loaded: " + from.cause)
		}
	}
	return &sdk.Invalid{Message: message.String()}
}
