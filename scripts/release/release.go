// Package release reads what an overlay of the manifests consists of, for the
// programs that deploy it: its objects, the unit that each belongs to, and the
// images of ours that it runs.
//
// A unit is what is deployed or left alone as one: a function with its Service,
// source, account and budget; a program such as relay or migrate; a server. It
// is the label app.kubernetes.io/name of its objects, so that a new object
// joins its unit where it is written, and no list here has to know it.
package release

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// Units that are not a label.
const (
	Common  = "common"  // objects that name none
	Network = "network" // all NetworkPolicies: one alone opens or closes half of a flow
)

// ko marks an image that is built from a package of this module.
const ko = "ko://"

// Object is a Kubernetes resource.
type Object struct {
	APIVersion, Kind string
	Namespace, Name  string
	Unit             string
	Content          map[string]any // all of it
}

// Ref names an object to kubectl: kind.version.group/name.
func (o Object) Ref() string {
	group, version, grouped := strings.Cut(o.APIVersion, "/")
	if !grouped {
		return strings.ToLower(o.Kind) + "/" + o.Name
	}
	return fmt.Sprintf("%s.%s.%s/%s", strings.ToLower(o.Kind), version, group, o.Name)
}

// String names an object to people.
func (o Object) String() string { return strings.ToLower(o.Kind) + "/" + o.Name }

// KnativeService tells a Service of Knative from one of Kubernetes.
func (o Object) KnativeService() bool {
	return o.Kind == "Service" && strings.HasPrefix(o.APIVersion, "serving.knative.dev/")
}

// MarshalJSON is the resource itself.
func (o Object) MarshalJSON() ([]byte, error) { return json.Marshal(o.Content) }

// UnmarshalJSON reads a resource.
func (o *Object) UnmarshalJSON(raw []byte) error {
	if err := json.Unmarshal(raw, &o.Content); err != nil {
		return err
	}
	var meta struct {
		APIVersion, Kind string
		Metadata         struct {
			Name, Namespace string
			Labels          map[string]string
		}
	}
	if err := json.Unmarshal(raw, &meta); err != nil {
		return err
	}
	o.APIVersion, o.Kind, o.Name, o.Namespace = meta.APIVersion, meta.Kind, meta.Metadata.Name, meta.Metadata.Namespace
	o.Unit = cmp.Or(meta.Metadata.Labels["app.kubernetes.io/name"], Common)
	if o.Kind == "NetworkPolicy" {
		o.Unit = Network
	}
	return nil
}

// Render builds a kustomization as `kubectl kustomize` does.
func Render(files filesys.FileSystem, overlay string) ([]Object, error) {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, overlay)
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	objects := make([]Object, resources.Size())
	for i, r := range resources.Resources() {
		raw, err := r.MarshalJSON()
		if err == nil {
			err = json.Unmarshal(raw, &objects[i])
		}
		if err != nil {
			return nil, fmt.Errorf("release: %s: %w", overlay, err)
		}
	}
	return objects, nil
}

// Units lists the units of objects, sorted.
func Units(objects []Object) []string {
	var units []string
	for _, o := range objects {
		units = append(units, o.Unit)
	}
	slices.Sort(units)
	return slices.Compact(units)
}

// Packages lists the import paths whose images an object runs, sorted.
func (o Object) Packages() []string {
	var found []string
	walk(o.Content, func(s string) string {
		if path, ours := strings.CutPrefix(s, ko); ours {
			found = append(found, path)
		}
		return s
	})
	slices.Sort(found)
	return slices.Compact(found)
}

// WithImages is the object with the images of its packages in their place.
func (o Object) WithImages(images map[string]string) (Object, error) {
	var missing error
	o.Content = walk(o.Content, func(s string) string {
		path, ours := strings.CutPrefix(s, ko)
		if !ours {
			return s
		}
		if images[path] == "" {
			missing = fmt.Errorf("release: %s: no image of %s", o, path)
		}
		return images[path]
	}).(map[string]any)
	return o, missing
}

// walk copies a JSON value with each string replaced.
func walk(value any, replace func(string) string) any {
	switch v := value.(type) {
	case string:
		return replace(v)
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = walk(v[i], replace)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(v))
		for key := range v {
			object[key] = walk(v[key], replace)
		}
		return object
	}
	return value
}
