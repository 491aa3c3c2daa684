package knative_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"aquaerp.fr/knative"
)

var overlays = []string{"village", "metropole", "staging", "selfsigned", "test"}

// render is `kubectl kustomize` of an overlay.
func render(t *testing.T, overlay string) []byte {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join("overlays", overlay))
	if err != nil {
		t.Fatal(err)
	}
	text, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// check holds rendered manifests against everything we know: Kubernetes' types, Knative's validation, our rules of Knative
// objects (manifest_test.go) and of all others (lint_test.go).
func check(t *testing.T, rendered []byte) (*overlay, []error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rendered.yaml")
	if err := os.WriteFile(file, rendered, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := knative.Load(file)
	if err != nil {
		return nil, []error{err}
	}
	o, err := read(rendered)
	if err != nil {
		return nil, []error{err}
	}
	errs := o.lint()
	if err := rules(m); err != nil {
		errs = append(errs, err)
	}
	return o, errs
}

func TestOverlays(t *testing.T) {
	for _, name := range overlays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rendered := render(t, name)
			if bytes.Contains(rendered, []byte("DOMAIN")) {
				t.Error("a domain was not filled in")
			}
			o, errs := check(t, rendered)
			for _, err := range errs {
				t.Error(err)
			}
			if o == nil {
				return
			}
			for function, service := range services {
				if !o.exists("Service", "aquaerp", service) || !o.exists("ServiceAccount", "aquaerp", function) {
					t.Errorf("function %s is not deployed", function)
				}
			}
			for _, source := range sources(t) {
				if kind, name, _ := strings.Cut(source, " "); !o.exists(kind, "aquaerp", name) {
					t.Errorf("%s is not deployed", source)
				}
			}
		})
	}
}

// sources are those that there are files of, by kind and name.
func sources(t *testing.T) (all []string) {
	t.Helper()
	m, err := knative.Load("../eventing")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range m.RabbitmqSources {
		all = append(all, "RabbitmqSource "+s.Name)
	}
	for _, s := range m.PingSources {
		all = append(all, "PingSource "+s.Name)
	}
	return all
}

// What an overlay is for.
func TestOverlayChoices(t *testing.T) {
	for _, test := range []struct{ overlay, kind, name, path, want string }{
		{"village", "Certificate", "aquaerp", "spec.issuerRef.name", "letsencrypt-prod"},
		{"village", "Certificate", "aquaerp", "spec.dnsNames.1", "api.aquaerp.example"},
		{"village", "StatefulSet", "rabbitmq", "spec.replicas", "1"},
		{"metropole", "Certificate", "aquaerp", "spec.issuerRef.name", "letsencrypt-prod"},
		{"metropole", "StatefulSet", "rabbitmq", "spec.replicas", "3"},
		{"metropole", "Service", "auth-service", "spec.template.spec.containers.0.resources.requests.cpu", "100m"},
		{"metropole", "Service", "auth-service", "spec.template.spec.containers.0.resources.requests.memory", "128Mi"},
		{"staging", "Certificate", "aquaerp", "spec.issuerRef.name", "letsencrypt-staging"},
		{"staging", "ClusterIssuer", "letsencrypt-staging", "spec.acme.server", "https://acme-staging-v02.api.letsencrypt.org/directory"},
		{"selfsigned", "Certificate", "aquaerp", "spec.issuerRef.kind", "Issuer"},
		{"selfsigned", "Certificate", "aquaerp", "spec.dnsNames.0", "app.aquaerp.internal"},
		{"test", "ConfigMap", "aquaerp", "data.portal-url", "https://app.aquaerp.localhost"},
		{"test", "Deployment", "mailbox", "spec.replicas", "1"},
		{"test", "Certificate", "", "", ""},
	} {
		o, err := read(render(t, test.overlay))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, object := range o.objects {
			if object.GetKind() == test.kind && strings.HasPrefix(object.GetName(), test.name) {
				got = at(object.Object, test.path)
				break
			}
		}
		if got != test.want {
			t.Errorf("%s: %s of %s %s is %q, not %q", test.overlay, test.path, test.kind, test.name, got, test.want)
		}
	}
}

// Each case spoils the overlay of the tests in one place, and names the complaint that must come.
func TestOverlaysRefused(t *testing.T) {
	good := string(render(t, "test"))
	document := func(kind, name string) string { // of good, as it is written there
		for _, text := range strings.Split(good, "\n---\n") {
			var object unstructured.Unstructured
			if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
				t.Fatal(err)
			}
			if object.GetKind() == kind && strings.HasPrefix(object.GetName(), name) {
				return text
			}
		}
		t.Fatalf("no %s %s", kind, name)
		return ""
	}
	for _, test := range []struct{ name, kind, object, old, new, want string }{
		{"good", "Deployment", "relay", "", "", ""},
		{"typing error", "Deployment", "relay", "replicas:", "replica:", `unknown field "replica"`},
		{"typing error in a policy", "NetworkPolicy", "nothing", "policyTypes:", "policyType:", `unknown field "spec.policyType"`},
		{"no label", "Deployment", "relay", "    app.kubernetes.io/component: eventing\n    app.kubernetes.io/managed-by", "    app.kubernetes.io/managed-by", "label app.kubernetes.io/component"},
		{"no label on the pod", "Deployment", "relay", "        app.kubernetes.io/part-of: aquaerp\n", "", "pod: label app.kubernetes.io/part-of"},
		{"another namespace", "ConfigMap", "aquaerp", "namespace: aquaerp", "namespace: default", "namespace default is not ours"},
		{"a secret in git", "ServiceAccount", "relay", "automountServiceAccountToken: false\nkind: ServiceAccount", "kind: Secret", "Secrets are made by scripts/secrets"},
		{"as root", "Deployment", "relay", "runAsNonRoot: true", "runAsNonRoot: false", "not restricted"},
		{"pod without a seccomp profile", "Deployment", "relay", "        runAsNonRoot: true\n        seccompProfile:\n          type: RuntimeDefault\n", "        runAsNonRoot: true\n", "pod: securityContext is not restricted"},
		{"privileged", "Deployment", "relay", "          allowPrivilegeEscalation: false\n", "          allowPrivilegeEscalation: true\n          privileged: true\n", "not restricted"},
		{"capability", "Deployment", "relay", "            drop:\n", "            add: [NET_BIND_SERVICE]\n            drop:\n", "adds capabilities"},
		{"network of the host", "Deployment", "relay", "      enableServiceLinks: false\n", "      enableServiceLinks: false\n      hostNetwork: true\n", "namespaces of the host"},
		{"port of the host", "Deployment", "relay", "- containerPort: 9464\n", "- containerPort: 9464\n          hostPort: 9464\n", "port of the host"},
		{"folder of the host", "Deployment", "mailbox", "emptyDir:\n          sizeLimit: 1Gi", "hostPath:\n          path: /var", "hostPath"},
		{"no limit", "Deployment", "relay", "          limits:\n", "          requests:\n", "already set in map"},
		{"no memory limit", "Deployment", "relay", "            cpu: 500m\n            memory: 128Mi\n", "            cpu: 500m\n", "no limit of memory"},
		{"no request", "Deployment", "mailbox", "            cpu: 5m\n", "", "no request of cpu"},
		{"no probe", "Deployment", "relay", "readinessProbe", "livenessProbe", "no readiness probe"},
		{"links to services", "Deployment", "relay", "enableServiceLinks: false", "enableServiceLinks: true", "enableServiceLinks"},
		{"the default account", "Deployment", "relay", "serviceAccountName: relay", "serviceAccountName: default", "account default"},
		{"an account that is not there", "Deployment", "relay", "serviceAccountName: relay", "serviceAccountName: nobody", "ServiceAccount nobody does not exist"},
		{"a token", "Deployment", "relay", "automountServiceAccountToken: false", "automountServiceAccountToken: true", "is given a token"},
		{"a token with the account", "ServiceAccount", "relay", "automountServiceAccountToken: false", "automountServiceAccountToken: true", "pods are given a token"},
		{"an image of nobody", "Deployment", "mailbox", "ko://aquaerp.fr/scripts/mailbox", "docker.io/library/busybox:1", "image docker.io/library/busybox:1 is not allowed"},
		{"a moving tag", "StatefulSet", "rabbitmq", "rabbitmq:3.10-management", "rabbitmq:latest", "image rabbitmq:latest is not allowed"},
		{"no such program", "Deployment", "mailbox", "scripts/mailbox", "scripts/mailer", "no program"},
		{"annotation misspelled", "RabbitmqSource", "auth", "rabbitmq.eventing.knative.dev/cpu-request", "rabbitmq.eventing.knative.dev/cpu-requests", "annotation rabbitmq.eventing.knative.dev/cpu-requests is unknown"},
		{"annotation of a service misspelled", "Service", "auth-service", "queue.sidecar.serving.knative.dev/cpu-resource-request", "queue.sidecar.serving.knative.dev/cpu-request", "cpu-request is unknown"},
		{"a setting that is not there", "Service", "auth-service", "key: portal-url", "key: portal", "has no key portal"},
		{"settings that are not there", "Service", "facture-service", "name: service-", "name: servise-", "does not exist"},
		{"secret that is not made", "Deployment", "relay", "name: rabbitmq-relay", "name: rabbitmq-relais", "Secret rabbitmq-relais does not exist"},
		{"key that is not made", "Deployment", "relay", "key: amqp", "key: uri", "Secret rabbitmq-relay has no key uri"},
		{"secret of a source", "RabbitmqSource", "auth", "name: rabbitmq-auth", "name: rabbitmq-aut", "Secret rabbitmq-aut does not exist"},
		{"account of a source", "RabbitmqSource", "auth", "serviceAccountName: sources", "serviceAccountName: source", "ServiceAccount source does not exist"},
		{"volume claim that is not there", "CronJob", "backup", "claimName: postgres-backup", "claimName: backup", "PersistentVolumeClaim backup does not exist"},
		{"governing service", "StatefulSet", "rabbitmq", "serviceName: rabbitmq-nodes", "serviceName: rabbitmq-node", "Service rabbitmq-node does not exist"},
		{"service of nobody", "Service", "mailbox", "selector:\n    app.kubernetes.io/name: mailbox", "selector:\n    app.kubernetes.io/name: mailboxes", "selects no pod"},
		{"port that is not there", "Service", "mailbox", "targetPort: smtp", "targetPort: mail", "no container port mail"},
		{"open to the world", "Service", "mailbox", "spec:\n", "spec:\n  type: NodePort\n", "type NodePort"},
		{"budget of nobody", "PodDisruptionBudget", "gateway", "serving.knative.dev/service: api-gateway", "serving.knative.dev/service: gateway", "selects no pod"},
		{"budget that never lets go", "PodDisruptionBudget", "gateway", "maxUnavailable: 1", "minAvailable: 2", "lets no pod go"},
		{"policy of nobody", "NetworkPolicy", "mailbox", "podSelector:\n    matchLabels:\n      app.kubernetes.io/name: mailbox", "podSelector:\n    matchLabels:\n      app.kubernetes.io/name: mail", "selects no pod"},
		{"policy for nobody", "NetworkPolicy", "mailbox", "app.kubernetes.io/name: mailer", "app.kubernetes.io/name: mail", "lets in nobody that there is"},
		{"a client that may not go out", "NetworkPolicy", "postgres-clients", "      - facture\n", "", "Service facture-service: it has a secret of StatefulSet postgres, and no policy"},
		{"a client that is not let in", "NetworkPolicy", "rabbitmq", "          - relay\n", "", "Deployment relay: it has a secret of StatefulSet rabbitmq, and no policy"},
		{"everything open", "NetworkPolicy", "nothing", "\n  - Egress", "", "no default deny of Egress"},
		{"a policy that opens all", "NetworkPolicy", "nothing", "spec:\n", "spec:\n  ingress: [{}]\n", "no default deny of Ingress"},
		{"a workload without a policy", "Deployment", "mailbox", "        app.kubernetes.io/name: mailbox\n", "        app.kubernetes.io/name: postbox\n", "no policy lets anything"},
		{"rights", "ServiceAccount", "relay", "apiVersion: v1\nautomountServiceAccountToken: false\nkind: ServiceAccount", "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nrules: []", "rights are not given here"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			part := document(test.kind, test.object)
			spoilt := strings.Replace(part, test.old, test.new, 1)
			if test.want != "" && spoilt == part {
				t.Fatalf("%q is not in\n%s", test.old, part)
			}
			_, errs := check(t, []byte(strings.Replace(good, part, spoilt, 1)))
			var complaints []string
			for _, err := range errs {
				complaints = append(complaints, err.Error())
			}
			switch all := strings.Join(complaints, "\n"); {
			case test.want == "" && all != "":
				t.Errorf("refused: %s", all)
			case !strings.Contains(all, test.want):
				t.Errorf("want %q, got %q", test.want, all)
			}
		})
	}
}

// The requests of a village fit on its node. What the scheduler adds up is what is asked for, not what is used.
func TestVillageFits(t *testing.T) {
	// A node of two cores, of which Kubernetes, Knative and Traefik take 1025m with their own requests.
	const room = 975
	o, err := read(render(t, "village"))
	if err != nil {
		t.Fatal(err)
	}
	always, jobs := o.cpu()
	doors, functions := int64(0), int64(0) // one pod of each
	for _, s := range o.services {
		if one := s.cpu(); s.door() {
			doors += one
		} else {
			functions += one
		}
	}
	const most, old = 5, 2 // pods of a door at the most, and revisions of it that config-gc keeps, with a pod each
	t.Logf("always on %dm, a pod of both doors %dm, of all functions %dm, jobs %dm", always, doors, functions, jobs)
	// A door that scales out must not keep a function from waking, even in the middle of a deployment.
	if need := always + (most+old)*doors + functions + jobs; need > room {
		t.Errorf("doors at their largest and every function awake ask for %dm of %dm", need, room)
	}
}
