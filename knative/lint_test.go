package knative_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	rabbitmq "knative.dev/eventing-rabbitmq/pkg/utils"
	"knative.dev/serving/pkg/apis/autoscaling"
	"knative.dev/serving/pkg/apis/serving"
	servingv1 "knative.dev/serving/pkg/apis/serving/v1"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	network "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	stream "k8s.io/apimachinery/pkg/util/yaml"
	kubernetes "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"aquaerp.fr/knative"
)

// An overlay is everything that is applied to a cluster at once.
type overlay struct {
	objects  []*unstructured.Unstructured
	pods     []*pod
	services []*pod // those of Knative Services
	budgets  []*policy.PodDisruptionBudget
	policies []*network.NetworkPolicy
	doors    []*core.Service
	accounts map[string]*core.ServiceAccount // by "namespace/name", as all that follows
	values   map[string][]string             // keys of "ConfigMap namespace/name" and "Secret namespace/name"
}

// A pod is one of those that a workload makes, as its template says.
type pod struct {
	owner       string // Kind and name
	kind        string
	namespace   string
	labels      labels.Set
	annotations map[string]string
	spec        *core.PodSpec // nil: somebody else makes it
	replicas    int64         // at least; 0: it runs to its end
	suspended   bool          // a person starts it
}

func (p *pod) door() bool { return p.labels["app.kubernetes.io/component"] == "door" }

// guests are pods that others make in our namespace, by the labels that policies may select.
var guests = []*pod{
	{owner: "a RabbitmqSource's adapter", namespace: "aquaerp", labels: labels.Set{"eventing.knative.dev/source": "rabbitmq-source-controller"}},
	{owner: "cert-manager's solver", namespace: "aquaerp", labels: labels.Set{"acme.cert-manager.io/http01-solver": "true"}},
}

// read decodes rendered manifests: Kubernetes' own kinds strictly, into its own types.
func read(rendered []byte) (*overlay, error) {
	o := &overlay{accounts: map[string]*core.ServiceAccount{}, values: map[string][]string{}}
	secrets, err := knative.Load("secrets.example.yaml")
	if err != nil {
		return nil, err
	}
	for name, keys := range secrets.Secrets {
		o.values["Secret "+name] = slices.Collect(maps.Keys(keys))
	}
	strict := serializer.NewCodecFactory(kubernetes.Scheme, serializer.EnableStrict).UniversalDeserializer()
	for documents := stream.NewYAMLReader(bufio.NewReader(bytes.NewReader(rendered))); ; {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return o, nil
		}
		if err != nil {
			return nil, err
		}
		object := new(unstructured.Unstructured)
		if err := yaml.UnmarshalStrict(document, &object.Object); err != nil {
			return nil, err
		}
		o.objects = append(o.objects, object)
		if kubernetes.Scheme.Recognizes(object.GroupVersionKind()) {
			typed, _, err := strict.Decode(document, nil, nil)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", called(object), err)
			}
			o.add(typed, object)
		} else if object.GetKind() == "Service" {
			service := new(servingv1.Service)
			if err := yaml.UnmarshalStrict(document, service); err != nil {
				return nil, fmt.Errorf("%s: %w", called(object), err)
			}
			o.knative(service, object)
		}
	}
}

func (o *overlay) add(typed runtime.Object, object *unstructured.Unstructured) {
	workload := func(template *core.PodTemplateSpec, replicas int64) {
		o.pods = append(o.pods, &pod{called(object), object.GetKind(), object.GetNamespace(), template.Labels, template.Annotations, &template.Spec, replicas, false})
	}
	atLeast := func(replicas *int32) int64 {
		if replicas == nil {
			return 1
		}
		return int64(*replicas)
	}
	name := object.GetNamespace() + "/" + object.GetName()
	switch typed := typed.(type) {
	case *apps.Deployment:
		workload(&typed.Spec.Template, atLeast(typed.Spec.Replicas))
	case *apps.StatefulSet:
		workload(&typed.Spec.Template, atLeast(typed.Spec.Replicas))
	case *batch.Job:
		workload(&typed.Spec.Template, 0)
	case *batch.CronJob:
		workload(&typed.Spec.JobTemplate.Spec.Template, 0)
		o.pods[len(o.pods)-1].suspended = typed.Spec.Suspend != nil && *typed.Spec.Suspend
	case *core.Service:
		o.doors = append(o.doors, typed)
	case *core.ServiceAccount:
		o.accounts[name] = typed
	case *core.ConfigMap:
		o.values["ConfigMap "+name] = append(slices.Collect(maps.Keys(typed.Data)), slices.Collect(maps.Keys(typed.BinaryData))...)
	case *policy.PodDisruptionBudget:
		o.budgets = append(o.budgets, typed)
	case *network.NetworkPolicy:
		o.policies = append(o.policies, typed)
	}
}

// knative adds the pods of a Knative Service, with the label that Knative gives them.
func (o *overlay) knative(s *servingv1.Service, object *unstructured.Unstructured) {
	template := s.Spec.Template
	least, _ := strconv.ParseInt(template.Annotations[autoscaling.MinScaleAnnotationKey], 10, 64)
	all := labels.Merge(template.Labels, labels.Set{serving.ServiceLabelKey: s.Name})
	p := &pod{called(object), "Knative", s.Namespace, all, template.Annotations, &template.Spec.PodSpec, max(least, 1), false}
	o.pods, o.services = append(o.pods, p), append(o.services, p)
}

func called(o *unstructured.Unstructured) string { return o.GetKind() + " " + o.GetName() }

// at is a value inside an object by its path, as text.
func at(value any, path string) string {
	for step := range strings.SplitSeq(path, ".") {
		switch inside := value.(type) {
		case map[string]any:
			value = inside[step]
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n >= len(inside) {
				return ""
			}
			value = inside[n]
		default:
			return ""
		}
	}
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

// lint is what we ask of everything that runs on a cluster, in the manner of kube-linter.
func (o *overlay) lint() (errs []error) {
	about := func(who string) func(string, ...any) {
		return func(format string, args ...any) { errs = append(errs, fmt.Errorf(who+": "+format, args...)) }
	}
	for _, object := range o.objects {
		o.lintObject(object, about(called(object)))
	}
	for name, account := range o.accounts {
		if account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken && tokens["ServiceAccount "+account.Name] == "" {
			about("ServiceAccount " + name)("its pods are given a token")
		}
	}
	for _, p := range o.pods {
		o.lintPod(p, about(p.owner))
		o.lintReferences(p, about(p.owner))
		o.lintCover(p, about(p.owner))
		o.lintReach(p, about(p.owner))
	}
	for _, s := range o.doors {
		o.lintService(s, about("Service "+s.Name))
	}
	for _, b := range o.budgets {
		o.lintBudget(b, about("PodDisruptionBudget "+b.Name))
	}
	for _, p := range o.policies {
		o.lintPolicy(p, about("NetworkPolicy "+p.Name))
	}
	return errs
}

// components are the values of app.kubernetes.io/component.
var components = []string{"door", "function", "eventing", "database", "broker", "monitoring", "network", "mail", "job"}

// annotations are those of Knative that take effect where we put them; Knative ignores what it does not know.
var annotations = []string{
	autoscaling.ClassAnnotationKey, autoscaling.MetricAnnotationKey, autoscaling.TargetAnnotationKey,
	autoscaling.MinScaleAnnotationKey, autoscaling.MaxScaleAnnotationKey,
	autoscaling.WindowAnnotationKey, autoscaling.ScaleToZeroPodRetentionPeriodKey,
	serving.QueueSidecarCPUResourceRequestAnnotationKey, serving.QueueSidecarMemoryResourceRequestAnnotationKey,
	rabbitmq.CPURequestAnnotation, rabbitmq.CPULimitAnnotation,
	rabbitmq.MemoryRequestAnnotation, rabbitmq.MemoryLimitAnnotation,
}

// rights are the roles that there may be. None may write, or read a Secret.
var rights = map[string]string{
	"aquaerp-prometheus-nodes": "Prometheus reads what the kubelets measure: processor, memory and disks",
	"aquaerp-prometheus-pods":  "Prometheus finds the pods that it reads",
}

func (o *overlay) lintObject(object *unstructured.Unstructured, refuse func(string, ...any)) {
	lintLabels(object.GetLabels(), refuse)
	lintAnnotations(object.GetAnnotations(), refuse)
	namespaced := !slices.Contains([]string{"Namespace", "ClusterRole", "ClusterRoleBinding", "ClusterIssuer"}, object.GetKind())
	switch group := object.GroupVersionKind().Group; {
	case group == rbac.GroupName:
		if strings.HasSuffix(object.GetKind(), "Binding") {
			if role := at(object.Object, "roleRef.name"); rights[role] == "" {
				refuse("rights are not given here: %s", role)
			}
			break // in the namespaces of those that are read, too
		}
		if rights[object.GetName()] == "" {
			refuse("rights are not given here")
		}
		granted, _, _ := unstructured.NestedSlice(object.Object, "rules")
		for n := range granted {
			rule := granted[n].(map[string]any)
			for _, verb := range rule["verbs"].([]any) {
				if !slices.Contains([]any{"get", "list", "watch"}, verb) {
					refuse("may %v", verb)
				}
			}
			if resources, _ := rule["resources"].([]any); slices.Contains(resources, any("secrets")) || slices.Contains(resources, any("*")) {
				refuse("may read Secrets")
			}
		}
	case namespaced && object.GetNamespace() != "aquaerp" && object.GetNamespace() != "monitoring":
		refuse("namespace %s is not ours", object.GetNamespace())
	}
	switch object.GetKind() {
	case "Secret":
		refuse("Secrets are made by scripts/secrets, never kept here")
	case "Ingress", "Route", "DomainMapping":
		refuse("routes are made by Knative: only gateway and frontend are seen from outside")
	case "RabbitmqSource":
		o.mustHave("Secret", object.GetNamespace(), at(object.Object, "spec.rabbitmqClusterReference.connectionSecret.name"), []string{"uri", "username", "password", "port"}, refuse)
		o.mustHaveAccount(object.GetNamespace(), at(object.Object, "spec.serviceAccountName"), refuse)
	case "StatefulSet":
		if name := at(object.Object, "spec.serviceName"); !o.exists("Service", object.GetNamespace(), name) {
			refuse("Service %s does not exist", name)
		}
	case "Certificate":
		kind, name := at(object.Object, "spec.issuerRef.kind"), at(object.Object, "spec.issuerRef.name")
		namespace := object.GetNamespace()
		if kind == "ClusterIssuer" {
			namespace = ""
		}
		if !o.exists(kind, namespace, name) {
			refuse("%s %s does not exist", kind, name)
		}
	}
}

func lintLabels(got map[string]string, refuse func(string, ...any)) {
	for key, want := range map[string][]string{
		"app.kubernetes.io/name":       nil,
		"app.kubernetes.io/component":  components,
		"app.kubernetes.io/part-of":    {"aquaerp"},
		"app.kubernetes.io/managed-by": {"kustomize"},
	} {
		if value := got[key]; value == "" || want != nil && !slices.Contains(want, value) {
			refuse("label %s is %q", key, value)
		}
	}
}

func lintAnnotations(got map[string]string, refuse func(string, ...any)) {
	for key := range got {
		if domain, _, _ := strings.Cut(key, "/"); strings.HasSuffix(domain, "knative.dev") && !slices.Contains(annotations, key) {
			refuse("annotation %s is unknown", key)
		}
	}
}

// images are those that we do not build, by their exact tag, and why they are in.
var images = map[string]string{
	"postgres:15":              "the database",
	"rabbitmq:3.10-management": "the broker, with the plugins that are not in the plain image",
	"prom/prometheus:v2.42.0":  "measures and alerts",
	"grafana/grafana:12.2.1":   "dashboards",
	"quay.io/prometheuscommunity/postgres-exporter:v0.17.1": "what PostgreSQL tells Prometheus",
}

// tokens are who may speak to Kubernetes, and why.
var tokens = map[string]string{
	"ServiceAccount sources": "a RabbitmqSource's adapter does not start without a token; no role is bound to it",
	"StatefulSet prometheus": "Prometheus asks which pods there are",
}

func (o *overlay) lintPod(p *pod, refuse func(string, ...any)) {
	spec := p.spec
	lintLabels(p.labels, func(format string, args ...any) { refuse("pod: "+format, args...) })
	lintAnnotations(p.annotations, refuse)
	if spec.HostNetwork || spec.HostPID || spec.HostIPC {
		refuse("pod is in namespaces of the host")
	}
	for _, v := range spec.Volumes {
		if v.HostPath != nil {
			refuse("volume %s is a hostPath", v.Name)
		}
	}
	if spec.EnableServiceLinks == nil || *spec.EnableServiceLinks {
		refuse("enableServiceLinks is not false: every Service would add its variables to every pod")
	}
	if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken && tokens[p.owner] == "" {
		refuse("pod is given a token")
	}
	if s := spec.SecurityContext; p.kind != "Knative" && // a Knative Service has none, unless a feature gate of Knative's is opened
		(s == nil || s.RunAsNonRoot == nil || !*s.RunAsNonRoot || s.SeccompProfile == nil || s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault) {
		refuse("pod: securityContext is not restricted")
	}
	probed := 0
	for i := range spec.Containers {
		c := &spec.Containers[i]
		lintContainer(c, func(format string, args ...any) { refuse(c.Name+": "+format, args...) })
		// Without a readinessProbe a pod is sent requests before it listens. A livenessProbe is no rule: one that
		// restarts what is only busy does more harm than it mends.
		if c.ReadinessProbe != nil {
			probed++
		} else if p.replicas > 0 && len(c.Ports) > 0 {
			refuse("%s: has a port, and no readiness probe", c.Name)
		}
	}
	if p.replicas > 0 && probed == 0 {
		refuse("no readiness probe")
	}
	for i := range spec.InitContainers {
		c := &spec.InitContainers[i]
		lintContainer(c, func(format string, args ...any) { refuse(c.Name+": "+format, args...) })
	}
}

func lintContainer(c *core.Container, refuse func(string, ...any)) {
	if program, ours := strings.CutPrefix(c.Image, "ko://aquaerp.fr/"); ours {
		if _, err := os.Stat(filepath.Join("..", program, "main.go")); err != nil {
			refuse("image %s: no program is there", c.Image)
		}
	} else if images[c.Image] == "" {
		refuse("image %s is not allowed", c.Image)
	}
	for _, of := range []core.ResourceName{core.ResourceCPU, core.ResourceMemory} {
		if _, set := c.Resources.Requests[of]; !set {
			refuse("no request of %s", of)
		}
		if _, set := c.Resources.Limits[of]; !set {
			refuse("no limit of %s", of)
		}
	}
	for _, port := range c.Ports {
		if port.HostPort != 0 {
			refuse("takes port of the host %d", port.HostPort)
		}
	}
	for _, err := range restricted(c) {
		refuse("%w", err)
	}
	if s := c.SecurityContext; s != nil && s.Capabilities != nil && len(s.Capabilities.Add) > 0 {
		refuse("adds capabilities")
	}
	if s := c.SecurityContext; s != nil && s.Privileged != nil && *s.Privileged {
		refuse("is privileged")
	}
}

// lintReferences follows what a pod names. Optional is for make run, which has no telemetry, and for a service without a
// payment provider: a name that nobody makes is wrong all the same.
func (o *overlay) lintReferences(p *pod, refuse func(string, ...any)) {
	o.mustHaveAccount(p.namespace, p.spec.ServiceAccountName, refuse)
	for _, c := range slices.Concat(p.spec.InitContainers, p.spec.Containers) {
		for _, e := range c.Env {
			if from := e.ValueFrom; from != nil && from.SecretKeyRef != nil {
				o.mustHave("Secret", p.namespace, from.SecretKeyRef.Name, []string{from.SecretKeyRef.Key}, refuse)
			} else if from != nil && from.ConfigMapKeyRef != nil {
				o.mustHave("ConfigMap", p.namespace, from.ConfigMapKeyRef.Name, []string{from.ConfigMapKeyRef.Key}, refuse)
			}
		}
		for _, from := range c.EnvFrom {
			if from.SecretRef != nil {
				o.mustHave("Secret", p.namespace, from.SecretRef.Name, nil, refuse)
			} else if from.ConfigMapRef != nil {
				o.mustHave("ConfigMap", p.namespace, from.ConfigMapRef.Name, nil, refuse)
			}
		}
		for _, m := range c.VolumeMounts {
			if !slices.ContainsFunc(p.spec.Volumes, func(v core.Volume) bool { return v.Name == m.Name }) && p.kind != "StatefulSet" {
				refuse("%s: volume %s does not exist", c.Name, m.Name)
			}
		}
	}
	for _, v := range p.spec.Volumes {
		keys := func(items []core.KeyToPath) (keys []string) {
			for _, item := range items {
				keys = append(keys, item.Key)
			}
			return keys
		}
		switch {
		case v.Secret != nil:
			o.mustHave("Secret", p.namespace, v.Secret.SecretName, keys(v.Secret.Items), refuse)
		case v.ConfigMap != nil:
			o.mustHave("ConfigMap", p.namespace, v.ConfigMap.Name, keys(v.ConfigMap.Items), refuse)
		case v.PersistentVolumeClaim != nil:
			if name := v.PersistentVolumeClaim.ClaimName; !o.exists("PersistentVolumeClaim", p.namespace, name) && !o.template(p.namespace, name) {
				refuse("PersistentVolumeClaim %s does not exist", name)
			}
		}
	}
}

func (o *overlay) exists(kind, namespace, name string) bool {
	return slices.ContainsFunc(o.objects, func(object *unstructured.Unstructured) bool {
		return object.GetKind() == kind && object.GetNamespace() == namespace && object.GetName() == name
	})
}

// template says whether a StatefulSet makes the claim: its template's name, its own and a number.
func (o *overlay) template(namespace, claim string) bool {
	return slices.ContainsFunc(o.objects, func(object *unstructured.Unstructured) bool {
		return object.GetKind() == "StatefulSet" && object.GetNamespace() == namespace &&
			strings.HasPrefix(claim, at(object.Object, "spec.volumeClaimTemplates.0.metadata.name")+"-"+object.GetName()+"-")
	})
}

func (o *overlay) mustHave(kind, namespace, name string, keys []string, refuse func(string, ...any)) {
	has, exists := o.values[kind+" "+namespace+"/"+name]
	if !exists {
		refuse("%s %s does not exist", kind, name)
		return
	}
	for _, key := range keys {
		if !slices.Contains(has, key) {
			refuse("%s %s has no key %s", kind, name, key)
		}
	}
}

func (o *overlay) mustHaveAccount(namespace, name string, refuse func(string, ...any)) {
	switch {
	case name == "" || name == "default":
		refuse("it runs as account default, which is everybody's")
	case o.accounts[namespace+"/"+name] == nil:
		refuse("ServiceAccount %s does not exist", name)
	}
}

// selected are the pods of a namespace that a selector finds.
func (o *overlay) selected(namespace string, selector *meta.LabelSelector) (pods []*pod) {
	s, err := meta.LabelSelectorAsSelector(selector)
	if err != nil {
		return nil
	}
	for _, p := range slices.Concat(o.pods, guests) {
		if p.namespace == namespace && s.Matches(p.labels) {
			pods = append(pods, p)
		}
	}
	return pods
}

func (o *overlay) lintService(s *core.Service, refuse func(string, ...any)) {
	if s.Spec.Type != "" && s.Spec.Type != core.ServiceTypeClusterIP {
		refuse("type %s: what is public passes through Knative's routes", s.Spec.Type)
	}
	pods := o.selected(s.Namespace, &meta.LabelSelector{MatchLabels: s.Spec.Selector})
	if len(pods) == 0 || len(s.Spec.Selector) == 0 {
		refuse("it selects no pod")
		return
	}
	for _, port := range s.Spec.Ports {
		if port.TargetPort.StrVal != "" && !slices.ContainsFunc(pods[0].spec.Containers, func(c core.Container) bool {
			return slices.ContainsFunc(c.Ports, func(p core.ContainerPort) bool { return p.Name == port.TargetPort.StrVal })
		}) {
			refuse("%s has no container port %s", pods[0].owner, port.TargetPort.StrVal)
		}
	}
}

func (o *overlay) lintBudget(b *policy.PodDisruptionBudget, refuse func(string, ...any)) {
	pods := o.selected(b.Namespace, b.Spec.Selector)
	if len(pods) == 0 {
		refuse("it selects no pod")
	}
	for _, p := range pods {
		if least := b.Spec.MinAvailable; least != nil && (least.StrVal != "" || int64(least.IntVal) >= p.replicas) {
			refuse("it lets no pod go: %s has %d", p.owner, p.replicas)
		}
		if most := b.Spec.MaxUnavailable; most != nil && (most.StrVal != "" || most.IntVal < 1) {
			refuse("it lets no pod go")
		}
	}
}

// lintPolicy finds selectors that are misspelled: whatever they name in namespaces of ours must be there.
func (o *overlay) lintPolicy(p *network.NetworkPolicy, refuse func(string, ...any)) {
	if len(o.selected(p.Namespace, &p.Spec.PodSelector)) == 0 {
		refuse("it selects no pod")
	}
	peers := func(peers []network.NetworkPolicyPeer, nobody string) {
		for _, peer := range peers {
			namespace := p.Namespace
			if peer.NamespaceSelector != nil {
				namespace = peer.NamespaceSelector.MatchLabels[core.LabelMetadataName]
				if namespace == "" {
					refuse("a peer's namespace is not named")
				}
			}
			if (namespace == "aquaerp" || namespace == "monitoring") && peer.PodSelector != nil && len(o.selected(namespace, peer.PodSelector)) == 0 {
				refuse("%s", nobody)
			}
		}
	}
	for _, rule := range p.Spec.Ingress {
		peers(rule.From, "it lets in nobody that there is")
		if len(rule.From) == 0 || len(rule.Ports) == 0 {
			refuse("it lets in everybody, or on every port")
		}
	}
	for _, rule := range p.Spec.Egress {
		peers(rule.To, "it lets out to nobody that there is")
		if len(rule.Ports) == 0 {
			refuse("it lets out on every port")
		}
	}
}

// silent are workloads that speak to nobody.
var silent = map[string]string{
	"CronJob restore": "it works on volumes alone",
}

// lintCover asks that everything is denied to a pod that is not allowed, and that what a pod needs was thought of.
func (o *overlay) lintCover(p *pod, refuse func(string, ...any)) {
	denied := map[network.PolicyType]bool{}
	allowed := silent[p.owner] != ""
	for _, policy := range o.policies {
		selector, err := meta.LabelSelectorAsSelector(&policy.Spec.PodSelector)
		if err != nil || policy.Namespace != p.namespace || !selector.Matches(p.labels) {
			continue
		}
		rules := map[network.PolicyType]int{network.PolicyTypeIngress: len(policy.Spec.Ingress), network.PolicyTypeEgress: len(policy.Spec.Egress)}
		for _, direction := range policy.Spec.PolicyTypes {
			if selector.Empty() && rules[direction] == 0 {
				denied[direction] = true
			}
			allowed = allowed || !selector.Empty()
		}
	}
	for _, direction := range []network.PolicyType{network.PolicyTypeIngress, network.PolicyTypeEgress} {
		if !denied[direction] {
			refuse("no default deny of %s in namespace %s", direction, p.namespace)
		}
	}
	if !allowed {
		refuse("no policy lets anything in or out of it, and it is not said why")
	}
}

// lintReach asks that whoever is given the address of a server may reach it, as far as both ends' policies go.
func (o *overlay) lintReach(p *pod, refuse func(string, ...any)) {
	for _, c := range p.spec.Containers {
		for _, e := range c.Env {
			if e.ValueFrom == nil || e.ValueFrom.SecretKeyRef == nil {
				continue
			}
			server, _, _ := strings.Cut(e.ValueFrom.SecretKeyRef.Name, "-")
			port, is := map[string]int32{"postgres": 5432, "rabbitmq": 5672}[server]
			if !is || p.labels["app.kubernetes.io/name"] == server {
				continue
			}
			for _, to := range o.selected(p.namespace, &meta.LabelSelector{MatchLabels: map[string]string{"app.kubernetes.io/name": server}}) {
				if !o.reaches(p, to, port) {
					refuse("it has a secret of %s, and no policy lets it go there", to.owner)
				}
			}
		}
	}
}

// reaches says whether policies let one pod connect to another.
func (o *overlay) reaches(from, to *pod, port int32) bool {
	out, in := false, false
	for _, policy := range o.policies {
		selector, err := meta.LabelSelectorAsSelector(&policy.Spec.PodSelector)
		if err != nil {
			return false
		}
		admits := func(peers []network.NetworkPolicyPeer, ports []network.NetworkPolicyPort, other *pod) bool {
			return slices.ContainsFunc(ports, func(p network.NetworkPolicyPort) bool { return p.Port != nil && p.Port.IntVal == port }) &&
				slices.ContainsFunc(peers, func(peer network.NetworkPolicyPeer) bool {
					return peer.NamespaceSelector == nil && peer.PodSelector != nil && slices.Contains(o.selected(policy.Namespace, peer.PodSelector), other)
				})
		}
		if policy.Namespace == from.namespace && selector.Matches(from.labels) {
			for _, rule := range policy.Spec.Egress {
				out = out || admits(rule.To, rule.Ports, to)
			}
		}
		if policy.Namespace == to.namespace && selector.Matches(to.labels) {
			for _, rule := range policy.Spec.Ingress {
				in = in || admits(rule.From, rule.Ports, from)
			}
		}
	}
	return out && in
}

// cpu is what a pod requests in thousandths of a core: its containers together, or the largest that runs before them.
func (p *pod) cpu() int64 {
	var sum, before int64
	for _, c := range p.spec.Containers {
		sum += c.Resources.Requests.Cpu().MilliValue()
	}
	for _, c := range p.spec.InitContainers {
		before = max(before, c.Resources.Requests.Cpu().MilliValue())
	}
	if p.kind == "Knative" {
		queue := resource.MustParse("25m") // Knative's default for its queue-proxy
		if own := p.annotations[serving.QueueSidecarCPUResourceRequestAnnotationKey]; own != "" {
			queue = resource.MustParse(own)
		}
		sum += queue.MilliValue()
	}
	return max(sum, before)
}

// cpu is what everything that is always on requests, receive adapters included, and what all Jobs do.
func (o *overlay) cpu() (always, jobs int64) {
	for _, p := range o.pods {
		if p.replicas == 0 {
			if !p.suspended {
				jobs += p.cpu()
			}
		} else if p.kind != "Knative" {
			always += p.replicas * p.cpu()
		}
	}
	for _, object := range o.objects {
		if object.GetKind() == "RabbitmqSource" {
			adapter := resource.MustParse(object.GetAnnotations()[rabbitmq.CPURequestAnnotation])
			always += adapter.MilliValue()
		}
	}
	return always, jobs
}
