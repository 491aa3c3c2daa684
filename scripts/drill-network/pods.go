package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"aquaerp.fr/scripts/cluster"
)

func pod(w who) string { return "drill-network-" + w.name }

// start starts the pods and returns their addresses by the names of their
// owners. The one outside listens, on a port of mail and on another.
func start(ctx context.Context, all []who) (map[string]string, error) {
	type object = map[string]any
	namespace := object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": outside}}
	if err := apply(ctx, outside, namespace); err != nil {
		return nil, err
	}
	space := map[string][]object{}
	for _, w := range all {
		container := object{
			"name": "shell", "image": *image, "command": []string{"sleep", "600"}, // forgotten, it ends by itself
			"resources": object{"requests": object{"cpu": "1m", "memory": "8Mi"}, "limits": object{"cpu": "100m", "memory": "32Mi"}},
			// Never ready: a Service that selects these labels sends it nothing.
			"readinessProbe": object{"exec": object{"command": []string{"false"}}, "periodSeconds": 60},
			"securityContext": object{
				"allowPrivilegeEscalation": false, "runAsNonRoot": true, "runAsUser": 65534, "readOnlyRootFilesystem": true,
				"capabilities": object{"drop": []string{"ALL"}}, "seccompProfile": object{"type": "RuntimeDefault"},
			},
		}
		secure := object{"runAsNonRoot": true, "seccompProfile": object{"type": "RuntimeDefault"}}
		if w.namespace == outside {
			container["command"] = []string{"sh", "-c", "httpd -p 587 -h /tmp && httpd -p 8080 -h /tmp && exec sleep 600"}
			secure["sysctls"] = []object{{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}}
		}
		space[w.namespace] = append(space[w.namespace], object{
			"apiVersion": "v1", "kind": "Pod",
			"metadata": object{"name": pod(w), "namespace": w.namespace, "labels": w.labels},
			"spec": object{
				"containers": []object{container}, "securityContext": secure, "restartPolicy": "Never",
				"automountServiceAccountToken": false, "enableServiceLinks": false, "terminationGracePeriodSeconds": 0,
			},
		})
	}
	for name, pods := range space {
		if err := apply(ctx, name, object{"apiVersion": "v1", "kind": "List", "items": pods}); err != nil {
			return nil, err
		}
	}
	addresses := map[string]string{}
	for _, w := range all {
		if _, err := cluster.Until(ctx, time.Minute, func(ctx context.Context) (bool, error) {
			p, err := cluster.Get[struct {
				Status struct{ Phase, PodIP string }
			}](ctx, "pod", pod(w), "--namespace", w.namespace)
			addresses[w.name] = p.Status.PodIP
			return p.Status.Phase == "Running", err
		}); err != nil {
			return nil, fmt.Errorf("pod of %s: %w", w.name, err)
		}
	}
	return addresses, nil
}

func apply(ctx context.Context, namespace string, object map[string]any) error {
	text, err := json.Marshal(object)
	if err != nil {
		return err
	}
	_, err = cluster.KubectlWith(ctx, bytes.NewReader(text), "apply", "--namespace", namespace, "--filename", "-")
	return err
}

// clean removes what start made, whatever has become of the drill.
func clean(all []who) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	pods := map[string][]string{}
	for _, w := range all {
		pods[w.namespace] = append(pods[w.namespace], pod(w))
	}
	delete(pods, outside) // they go with it
	var errs []error
	for namespace, names := range pods {
		_, err := cluster.Kubectl(ctx, append([]string{"delete", "pod", "--namespace", namespace, "--ignore-not-found", "--wait=false"}, names...)...)
		errs = append(errs, err)
	}
	_, err := cluster.Kubectl(ctx, "delete", "namespace", outside, "--ignore-not-found", "--wait=false")
	return errors.Join(append(errs, err)...)
}
