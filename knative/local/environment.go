package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	core "k8s.io/api/core/v1"

	"aquaerp.fr/knative"
)

// images is what a ko image of ours begins with; its last element is the name of the binary.
const images = "ko://aquaerp.fr/"

// binary is the program that ko would have put into the image.
func binary(bin, image string) (string, error) {
	if !strings.HasPrefix(image, images) {
		return "", fmt.Errorf("image %s does not begin with %s: only programs of this repository run here", image, images)
	}
	return filepath.Join(bin, filepath.Base(image)), nil
}

// environment resolves a container's variables as the kubelet does: envFrom first, then env, references included.
// What it cannot give (a field of the pod, a variable inside a value) is an error rather than an empty string.
func environment(m *knative.Manifests, namespace string, container *core.Container) ([]string, error) {
	var env []string
	var errs []error
	for _, from := range container.EnvFrom {
		var values map[string]string
		var err error
		switch {
		case from.SecretRef != nil:
			values, err = all(m.Secrets, "Secret", namespace, from.SecretRef.Name, from.SecretRef.Optional)
		case from.ConfigMapRef != nil:
			values, err = all(m.ConfigMaps, "ConfigMap", namespace, from.ConfigMapRef.Name, from.ConfigMapRef.Optional)
		}
		errs = append(errs, err)
		for key, value := range values {
			env = append(env, from.Prefix+key+"="+value)
		}
	}
	for _, variable := range container.Env {
		value, from := variable.Value, variable.ValueFrom
		present, err := true, error(nil)
		switch {
		case from == nil:
			if strings.Contains(value, "$(") {
				err = errors.New("$(...) inside a value is not resolved here")
			}
		case from.SecretKeyRef != nil:
			ref := from.SecretKeyRef
			value, present, err = one(m.Secrets, "Secret", namespace, ref.Name, ref.Key, ref.Optional)
		case from.ConfigMapKeyRef != nil:
			ref := from.ConfigMapKeyRef
			value, present, err = one(m.ConfigMaps, "ConfigMap", namespace, ref.Name, ref.Key, ref.Optional)
		default:
			err = errors.New("only Secrets and ConfigMaps can be referred to here")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", variable.Name, err))
		} else if present {
			env = append(env, variable.Name+"="+value)
		}
	}
	if len(container.VolumeMounts) > 0 {
		errs = append(errs, errors.New("volumes are not mounted here"))
	}
	return env, errors.Join(errs...)
}

// listens is the variable of a container that says on which of its declared ports to listen (":9464"), if there is one.
func listens(container *core.Container) string {
	for _, port := range container.Ports {
		for _, variable := range container.Env {
			if variable.Value == fmt.Sprintf(":%d", port.ContainerPort) {
				return variable.Name
			}
		}
	}
	return ""
}

func all(store map[string]map[string]string, kind, namespace, name string, optional *bool) (map[string]string, error) {
	values, found := store[namespace+"/"+name]
	if !found && (optional == nil || !*optional) {
		return nil, fmt.Errorf("%s %s/%s is missing", kind, namespace, name)
	}
	return values, nil
}

func one(store map[string]map[string]string, kind, namespace, name, key string, optional *bool) (value string, present bool, err error) {
	values, err := all(store, kind, namespace, name, optional)
	if err != nil {
		return "", false, err
	}
	value, present = values[key]
	if !present && (optional == nil || !*optional) {
		return "", false, fmt.Errorf("%s %s/%s has no key %s", kind, namespace, name, key)
	}
	return value, present, nil
}
