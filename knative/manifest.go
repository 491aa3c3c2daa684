// Package knative reads the manifests that AquaERP runs from: Knative Services, RabbitmqSources, PingSources and the
// Deployments of eventing.
//
// It decodes them strictly into Knative's own types and applies Knative's own defaults and validation, so that what a
// cluster would refuse is refused before a cluster sees it: by the test of this folder, and by the local runtime.
// It says nothing about what AquaERP asks beyond that (connection budget, names, security); those rules are in the
// test beside it.
package knative

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	rabbitmq "knative.dev/eventing-rabbitmq/pkg/apis/sources/v1alpha1"
	sources "knative.dev/eventing/pkg/apis/sources/v1"
	"knative.dev/pkg/apis"
	serving "knative.dev/serving/pkg/apis/serving/v1"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	stream "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Manifests is what a set of files declares, with Knative's defaults filled in. Values of Secrets and ConfigMaps are
// by "namespace/name", then by key.
type Manifests struct {
	Services        []*serving.Service
	RabbitmqSources []*rabbitmq.RabbitmqSource
	PingSources     []*sources.PingSource
	Deployments     []*apps.Deployment
	Secrets         map[string]map[string]string
	ConfigMaps      map[string]map[string]string
}

// Load reads files, and the *.yaml files of folders and their subfolders (but testdata, and what tells kustomize how to
// put the others together), in the order given and by name. A Secret or ConfigMap read later replaces one of the same name; any other resource may be declared only once.
// The error names every document at fault, not only the first.
func Load(paths ...string) (*Manifests, error) {
	m := &Manifests{Secrets: map[string]map[string]string{}, ConfigMaps: map[string]map[string]string{}}
	seen := map[string]string{}
	var errs []error
	for _, path := range paths {
		errs = append(errs, filepath.WalkDir(path, func(file string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && entry.Name() == "testdata":
				return fs.SkipDir
			case entry.IsDir() || file != path && filepath.Ext(file) != ".yaml":
				return nil
			}
			errs = append(errs, m.file(file, seen))
			return nil
		}))
	}
	return m, errors.Join(errs...)
}

func (m *Manifests) file(file string, seen map[string]string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var errs []error
	documents := stream.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for n := 1; ; n++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return errors.Join(errs...)
		}
		if err == nil {
			err = m.document(document, file, seen)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: document %d: %w", file, n, err))
		}
	}
}

func (m *Manifests) document(document []byte, file string, seen map[string]string) error {
	var kind meta.PartialObjectMetadata
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return err
	}
	if strings.HasPrefix(kind.APIVersion, "kustomize.config.k8s.io/") {
		return nil
	}
	name := kind.Namespace + "/" + kind.Name
	switch id := kind.APIVersion + " " + kind.Kind + " " + name; kind.Kind {
	case "", "Secret", "ConfigMap":
	default:
		if first, twice := seen[id]; twice {
			return fmt.Errorf("%s is declared in %s already", id, first)
		}
		seen[id] = file
	}

	switch kind.APIVersion + " " + kind.Kind {
	case " ": // comments only
	case "serving.knative.dev/v1 Service":
		return decode(document, &m.Services)
	case "sources.knative.dev/v1alpha1 RabbitmqSource":
		return decode(document, &m.RabbitmqSources)
	case "sources.knative.dev/v1 PingSource":
		return decode(document, &m.PingSources)
	case "apps/v1 Deployment":
		deployment := new(apps.Deployment)
		m.Deployments = append(m.Deployments, deployment)
		return yaml.UnmarshalStrict(document, deployment)
	case "v1 Secret":
		var secret core.Secret
		if err := yaml.UnmarshalStrict(document, &secret); err != nil {
			return err
		}
		values := secret.StringData
		if values == nil {
			values = map[string]string{}
		}
		for key, value := range secret.Data {
			values[key] = string(value)
		}
		m.Secrets[name] = values
	case "v1 ConfigMap":
		var config core.ConfigMap
		if err := yaml.UnmarshalStrict(document, &config); err != nil {
			return err
		}
		m.ConfigMaps[name] = config.Data
	default:
		// The rest of what a cluster is made of (Namespace, Job, NetworkPolicy ...) starts no program that lasts.
		if kind.Kind == "" || kind.APIVersion == "" {
			return errors.New("neither kind nor apiVersion may be missing")
		}
		if strings.Contains(kind.APIVersion, "knative.dev/") {
			return fmt.Errorf("%s %s is not a kind AquaERP uses", kind.APIVersion, kind.Kind)
		}
	}
	return nil
}

// decode appends one resource of Knative's to a list. Its warnings are errors to us: they name what a next release refuses.
func decode[T any, P interface {
	*T
	apis.Defaultable
	apis.Validatable
	meta.Object
}](document []byte, list *[]*T) error {
	resource := P(new(T))
	if err := yaml.UnmarshalStrict(document, resource); err != nil {
		return err
	}
	ctx := apis.WithinCreate(apis.WithinParent(context.Background(), meta.ObjectMeta{Namespace: resource.GetNamespace()}))
	resource.SetDefaults(ctx)
	if err := resource.Validate(ctx); err != nil {
		return err
	}
	*list = append(*list, resource)
	return nil
}
