package knative_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"knative.dev/serving/pkg/apis/autoscaling"
	serving "knative.dev/serving/pkg/apis/serving/v1"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"aquaerp.fr/knative"
)

// services names the Knative Service of each function, and so fixes which functions there are.
var services = map[string]string{
	"gateway":      "api-gateway",
	"auth":         "auth-service",
	"contrat":      "contrat-service",
	"facture":      "facture-service",
	"intervention": "intervention-service",
	"mailer":       "mailer-service",
	"operation":    "operation-service",
	"workflow":     "workflow-service",
	"frontend":     "frontend",
}

// maxConnections is PostgreSQL's max_connections; functions may take 80 % of it, the rest is for the relay, the
// dead-letter consumer, migrations and people.
const maxConnections = 100

func TestManifests(t *testing.T) {
	m, err := knative.Load("services", "../eventing")
	if err != nil {
		t.Fatal(err)
	}
	if err := rules(m); err != nil {
		t.Error(err)
	}
	for function, name := range services {
		if !slices.ContainsFunc(m.Services, func(s *serving.Service) bool { return s.Name == name }) {
			t.Errorf("function %s has no Service %s", function, name)
		}
	}
}

// rules is what AquaERP asks of its manifests beyond what Knative does.
func rules(m *knative.Manifests) error {
	var errs []error
	connections := 0
	capacity := map[string]int64{} // requests that a Service takes at once
	for _, s := range m.Services {
		maximum, _ := strconv.Atoi(s.Spec.Template.Annotations[autoscaling.MaxScaleAnnotationKey])
		capacity[s.Name] = int64(maximum) * *s.Spec.Template.Spec.ContainerConcurrency
		for _, env := range s.Spec.Template.Spec.Containers[0].Env {
			if env.Name == "DATABASE_MAX_CONNS" {
				n, _ := strconv.Atoi(env.Value)
				connections += maximum * n
			}
		}
		for _, err := range service(s) {
			errs = append(errs, fmt.Errorf("%s: %w", s.Name, err))
		}
	}
	if connections >= maxConnections*8/10 {
		errs = append(errs, fmt.Errorf("all functions at max-scale take %d connections, %d is too many", connections, maxConnections*8/10))
	}
	for _, s := range m.RabbitmqSources {
		refuse := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("RabbitmqSource %s: %w", s.Name, fmt.Errorf(format, args...)))
		}
		resources, cluster, delivery := s.Spec.RabbitmqResourcesConfig, s.Spec.RabbitmqClusterReference, s.Spec.Delivery
		if s.Namespace != "aquaerp" {
			refuse("namespace is %q", s.Namespace)
		}
		if !resources.Predeclared || resources.Vhost != "aquaerp" {
			refuse("the queue is not a predeclared one of vhost aquaerp: our topology declares queues, with their dead letters")
		}
		if cluster == nil || cluster.ConnectionSecret == nil {
			refuse("no connectionSecret: without the cluster operator there is no other way to RabbitMQ")
		}
		if delivery == nil || delivery.Retry == nil || *delivery.Retry < 1 {
			refuse("no retry: a 503 would dead-letter the message at once")
		}
		sink := ""
		if s.Spec.Sink != nil && s.Spec.Sink.Ref != nil {
			sink = s.Spec.Sink.Ref.Name
		}
		switch takes, known := capacity[sink]; {
		case !known:
			refuse("sink %q is no Service of ours", sink)
		case resources.Parallelism == nil:
			refuse("parallelism is not chosen")
		case int64(*resources.Parallelism) > takes:
			refuse("parallelism %d is more than the %d requests %s takes at once: the rest would only wait there", *resources.Parallelism, takes, sink)
		}
	}
	for _, p := range m.PingSources {
		sink := ""
		if p.Spec.Sink.Ref != nil {
			sink = p.Spec.Sink.Ref.Name
		}
		if _, known := capacity[sink]; !known || p.Namespace != "aquaerp" {
			errs = append(errs, fmt.Errorf("PingSource %s/%s: sink %q", p.Namespace, p.Name, sink))
		}
	}
	return errors.Join(errs...)
}

func service(s *serving.Service) (errs []error) {
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	spec := s.Spec.Template.Spec
	container := &spec.Containers[0]
	annotations := s.Spec.Template.Annotations

	function := strings.TrimPrefix(container.Image, "ko://aquaerp.fr/functions/")
	door := function == "gateway" || function == "frontend"
	if services[function] != s.Name || s.Namespace != "aquaerp" {
		refuse("image %s is not that of %s/%s", container.Image, s.Namespace, s.Name)
	}

	lintAnnotations(annotations, refuse)
	if local := s.Labels["networking.knative.dev/visibility"] == "cluster-local"; local == door {
		refuse("cluster-local is %t: only gateway and frontend are seen from outside", local)
	}

	want := map[string]string{autoscaling.MinScaleAnnotationKey: "0"}
	if door {
		want = map[string]string{
			autoscaling.ClassAnnotationKey:    autoscaling.HPA,
			autoscaling.MetricAnnotationKey:   autoscaling.CPU,
			autoscaling.TargetAnnotationKey:   "80",
			autoscaling.MinScaleAnnotationKey: "2",
			autoscaling.MaxScaleAnnotationKey: "5",
		}
	}
	for key, value := range want {
		if annotations[key] != value {
			refuse("%s is %q, not %q", key, annotations[key], value)
		}
	}
	if n, err := strconv.Atoi(annotations[autoscaling.MaxScaleAnnotationKey]); err != nil || n < 1 {
		refuse("max-scale is missing: without it PostgreSQL's connections have no bound")
	}
	if *spec.ContainerConcurrency == 0 && !door {
		refuse("containerConcurrency has no limit")
	}
	// timeoutSeconds is also what a pod gets to end in, and the queue-proxy alone drains for 30 s.
	if *spec.TimeoutSeconds < 60 {
		refuse("timeoutSeconds is %d, below 60", *spec.TimeoutSeconds)
	}
	if spec.EnableServiceLinks == nil || *spec.EnableServiceLinks || spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
		refuse("enableServiceLinks and automountServiceAccountToken must both be false")
	}
	if probe := container.ReadinessProbe; probe.HTTPGet == nil || probe.HTTPGet.Path != "/health" || probe.PeriodSeconds != 0 {
		refuse("the readiness probe is not GET /health at Knative's own pace")
	}
	if container.StartupProbe != nil {
		refuse("a startup probe slows the start down to its period")
	}
	if r := container.Resources; r.Requests.Cpu().Cmp(resource.MustParse("100m")) > 0 || r.Requests.Memory().Cmp(resource.MustParse("128Mi")) > 0 ||
		r.Limits.Cpu().String() != "200m" || r.Limits.Memory().String() != "256Mi" {
		refuse("resources are not 100m/128Mi, or less on a small node, to 200m/256Mi")
	}
	errs = append(errs, restricted(container)...)
	return append(errs, environment(function, container)...)
}

// environment checks that a function gets what the runtime reads, and secrets only by reference and only its own.
func environment(function string, container *core.Container) (errs []error) {
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	want := []string{"LOG_LEVEL"}
	switch function {
	case "frontend":
		want = append(want, "GATEWAY_URL")
	case "gateway":
		want = append(want, "FUNCTION_URL", "TOKEN_KEYS")
	case "auth":
		want = append(want, "TOKEN_PRIVATE_KEY", "PORTAL_URL")
	case "facture":
		want = append(want, "PORTAL_URL", "PAIEMENT_URL", "PAIEMENT_SECRETS", "PLATEFORME_URL", "PLATEFORME_JETON_URL", "PLATEFORME_CLIENT", "PLATEFORME_SECRET")
	case "mailer":
		want = append(want, "SMTP_URL", "MAIL_FROM", "SMS_URL", "SMS_TOKEN", "SMS_SECRETS", "SMS_SENDER")
	}
	if function != "frontend" && function != "gateway" {
		want = append(want, "FUNCTION_URL", "DATABASE_URL", "DATABASE_MAX_CONNS", "TOKEN_KEYS")
	}
	secrets := map[string]string{
		"DATABASE_URL":      "postgres-" + function + "/url",
		"TOKEN_KEYS":        "token-keys/public",
		"TOKEN_PRIVATE_KEY": "token-keys/private",
		"SMTP_URL":          "smtp/url",
		"PAIEMENT_URL":      "paiement-en-ligne/url",
		"PAIEMENT_SECRETS":  "paiement-en-ligne/secrets",
		"PLATEFORME_URL":    "plateforme/url", "PLATEFORME_JETON_URL": "plateforme/jeton-url", "PLATEFORME_CLIENT": "plateforme/client", "PLATEFORME_SECRET": "plateforme/secret",
		"SMS_URL":     "sms/url",
		"SMS_TOKEN":   "sms/token",
		"SMS_SECRETS": "sms/secrets",
		"SMS_SENDER":  "sms/sender",
	}
	var got []string
	for _, env := range container.Env {
		got = append(got, env.Name)
		from := ""
		if env.ValueFrom != nil && env.ValueFrom.SecretKeyRef != nil {
			from = env.ValueFrom.SecretKeyRef.Name + "/" + env.ValueFrom.SecretKeyRef.Key
		}
		if from != secrets[env.Name] {
			refuse("%s comes from secret %q, not %q", env.Name, from, secrets[env.Name])
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		refuse("environment is %v, not %v", got, want)
	}
	return errs
}

// restricted is the profile of that name of Kubernetes' Pod Security Standards, as far as a container goes.
func restricted(container *core.Container) (errs []error) {
	s := cmp.Or(container.SecurityContext, new(core.SecurityContext))
	isFalse := func(b *bool) bool { return b != nil && !*b }
	isTrue := func(b *bool) bool { return b != nil && *b }
	if !isFalse(s.AllowPrivilegeEscalation) || !isTrue(s.RunAsNonRoot) || !isTrue(s.ReadOnlyRootFilesystem) ||
		s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) ||
		s.SeccompProfile == nil || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
		errs = append(errs, errors.New("securityContext is not restricted"))
	}
	return errs
}

// Each case spoils a manifest that is good in one place, and names the complaint that must come.
func TestManifestsRefused(t *testing.T) {
	const source = `
apiVersion: sources.knative.dev/v1alpha1
kind: RabbitmqSource
metadata: {name: facture, namespace: aquaerp}
spec:
  rabbitmqClusterReference: {connectionSecret: {name: rabbitmq}}
  rabbitmqResourcesConfig: {predeclared: true, queueName: aquaerp.facture, vhost: aquaerp, parallelism: 10}
  delivery: {retry: 5, backoffPolicy: exponential, backoffDelay: PT0.2S}
  sink: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: facture-service}}
---
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: {name: relances, namespace: aquaerp}
spec:
  schedule: "0 6 * * *"
  sink: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: facture-service}}
`
	good, err := os.ReadFile("services/facture.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, old, new, want string }{
		{"good", "", "", ""},
		{"typing error in a field", "containerConcurrency", "containerConcurency", "unknown field"},
		{"typing error in an annotation", "autoscaling.knative.dev/max-scale", "autoscaling.knative.dev/max-scales", "annotation autoscaling.knative.dev/max-scales is unknown"},
		{"annotation one level too high", "  labels:\n", "  annotations: {autoscaling.knative.dev/max-scale: \"3\"}\n  labels:\n", `must be put under "spec.template.metadata.annotations"`},
		{"minimum above maximum", `min-scale: "0"`, `min-scale: "5"`, "max-scale=4 is less than min-scale=5"},
		{"no maximum", `        autoscaling.knative.dev/max-scale: "4"` + "\n", "", "max-scale is missing"},
		{"not a number", `max-scale: "4"`, `max-scale: "four"`, "invalid value: four"},
		{"window too short", "window: 30s", "window: 3s", "expected 6s <= 3s"},
		{"timeout beyond Knative's", "timeoutSeconds: 120", "timeoutSeconds: 900", "expected 0 <= 900 <= 600"},
		{"timeout below the drain", "timeoutSeconds: 120", "timeoutSeconds: 30", "timeoutSeconds is 30"},
		{"no concurrency limit", "containerConcurrency: 10", "containerConcurrency: 0", "no limit"},
		{"two ports", "          env:\n", "          ports: [{containerPort: 1}, {containerPort: 2}]\n          env:\n", "more than one container port"},
		{"lifecycle", "          env:\n", "          lifecycle: {preStop: {exec: {command: [sleep]}}}\n          env:\n", "must not set the field(s)"},
		{"too many connections", `value: "4"`, `value: "20"`, "take 80 connections"},
		{"secret of another", "postgres-facture", "postgres-contrat", `secret "postgres-contrat/url", not "postgres-facture/url"`},
		{"secret in the open", "valueFrom: {secretKeyRef: {name: token-keys, key: public}}", "value: \"{}\"", `TOKEN_KEYS comes from secret ""`},
		{"variable left out", "            - name: FUNCTION_URL\n              value: http://{service}.aquaerp.svc.cluster.local\n", "", "environment is"},
		{"probe elsewhere", "path: /health", "path: /", "GET /health"},
		{"probe once a second", "httpGet: {path: /health}", "httpGet: {path: /health}\n            periodSeconds: 1", "Knative's own pace"},
		{"more memory", "memory: 256Mi", "memory: 512Mi", "resources are not"},
		{"as root", "runAsNonRoot: true", "runAsNonRoot: false", "not restricted"},
		{"privilege escalation", "            allowPrivilegeEscalation: false\n", "            allowPrivilegeEscalation: true\n", "not restricted"},
		{"capabilities misspelled (a warning of Knative's)", "drop: [ALL]", "drop: [all]", "Must be spelled as 'ALL'"},
		{"service links", "enableServiceLinks: false", "enableServiceLinks: true", "must both be false"},
		{"seen from outside", "    networking.knative.dev/visibility: cluster-local", "    #", "cluster-local is false"},
		{"image of another", "functions/facture", "functions/contrat", "is not that of"},
		{"declared twice", "---\n", "---\napiVersion: sources.knative.dev/v1\nkind: PingSource\nmetadata: {name: relances, namespace: aquaerp}\nspec: {sink: {uri: http://x}}\n---\n", "is declared in"},
		{"a kind of Knative's that we do not use", "kind: PingSource", "kind: ApiServerSource", "not a kind AquaERP uses"},
		{"queue declared by the source", "predeclared: true", "exchangeName: x", "not a predeclared one"},
		{"queue without a name of the field", "queueName", "queue", "unknown field"},
		{"no retry", "retry: 5, ", "", "no retry"},
		{"more parallel than the sink", "parallelism: 10", "parallelism: 41", "parallelism 41 is more than the 40"},
		{"parallelism out of bounds", "parallelism: 10", "parallelism: 1001", "expected 1 <= 1001 <= 1000"},
		{"sink that is not there", "kind: Service, name: facture-service}}\n---", "kind: Service, name: factures}}\n---", `sink "factures"`},
		{"schedule that never comes", `"0 6 * * *"`, `"0 25 * * *"`, "invalid value"},
		{"ping to nobody", "kind: Service, name: facture-service}}\n ", "kind: Service, name: nobody}}\n ", `sink "nobody"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			whole := string(good) + "---" + source + " "
			spoilt := strings.Replace(whole, test.old, test.new, 1)
			if test.want != "" && spoilt == whole {
				t.Fatalf("%q is not in the manifest", test.old)
			}
			file := filepath.Join(t.TempDir(), "facture.yaml")
			if err := os.WriteFile(file, []byte(spoilt), 0o600); err != nil {
				t.Fatal(err)
			}
			m, err := knative.Load(file)
			if err == nil {
				err = rules(m)
			}
			switch {
			case test.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case test.want != "" && err == nil:
				t.Errorf("accepted; want %q", test.want)
			case err != nil && !strings.Contains(err.Error(), test.want):
				t.Errorf("refused for another reason: %v; want %q", err, test.want)
			}
		})
	}
}
