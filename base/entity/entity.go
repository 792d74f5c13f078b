// Package entity names what signals are about: services, hosts, jobs, databases, models and data sets.
//
// An entity is identified by its workload, never by an IP address: a pod that is replaced is still the same service. A
// Ref is comparable and small, so it may be used as a map key. The package knows how to read a Ref from labels; it keeps
// no state and is safe for concurrent use.
package entity

import (
	"fmt"
	"strings"
)

// Kind says what sort of thing an entity is.
type Kind string

// The kinds of entity that labels can name. Unknown is the zero value.
const (
	Unknown  Kind = ""
	Service  Kind = "service"
	Instance Kind = "instance"
	Host     Kind = "host"
	Job      Kind = "job"
	Database Kind = "database"
	Model    Kind = "model"
	Dataset  Kind = "dataset"
)

// Ref names one entity. The zero Ref means "no entity named".
type Ref struct {
	Kind Kind
	Name string
}

// IsZero reports whether r names nothing.
func (r Ref) IsZero() bool { return r.Name == "" }

// String returns "kind:name", the form used in the API, the database and the map; "" for the zero Ref.
func (r Ref) String() string {
	if r.IsZero() {
		return ""
	}
	return string(r.Kind) + ":" + r.Name
}

// Parse reads the form that String writes. A text without a kind is an error that names the text.
func Parse(text string) (Ref, error) {
	kind, name, found := strings.Cut(text, ":")
	if !found || kind == "" || name == "" {
		return Ref{}, fmt.Errorf("entity %q: want kind:name, for instance service:checkout", text)
	}
	return Ref{Kind: Kind(kind), Name: name}, nil
}

// serviceLabels lists, in order of preference, the labels that name a service. The dotted names are
// OpenTelemetry's, the others Prometheus' and Kubernetes' customs.
var serviceLabels = []string{"service", "service.name", "service_name", "app", "app_kubernetes_io_name", "deployment", "statefulset", "daemonset"}

var instanceLabels = []string{"instance", "pod", "k8s.pod.name", "service.instance.id", "container"}

var hostLabels = []string{"node", "host", "hostname", "host.name", "k8s.node.name", "nodename"}

// Of returns the service, the instance and the host that labels name; each may be the zero Ref. get returns a label's
// value or "". A Prometheus job stands in for the service when no label names one.
func Of(get func(name string) string) (service, instance, host Ref) {
	service = first(get, Service, serviceLabels)
	if service.IsZero() {
		service = first(get, Job, []string{"job"})
	}
	return service, first(get, Instance, instanceLabels), first(get, Host, hostLabels)
}

func first(get func(string) string, kind Kind, names []string) Ref {
	for _, name := range names {
		if value := get(name); value != "" {
			return Ref{Kind: kind, Name: value}
		}
	}
	return Ref{}
}
