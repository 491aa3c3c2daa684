package traffic

import (
	"encoding/json"
	"reflect"
	"testing"
)

// serving is what Kubernetes holds of a Service with a canary, shortened.
const serving = `{
  "metadata": {"name": "facture-service", "generation": 4, "labels": {"app.kubernetes.io/name": "facture"}},
  "spec": {
    "template": {"metadata": {"annotations": {"autoscaling.knative.dev/max-scale": "4"}}},
    "traffic": [
      {"revisionName": "facture-service-00001", "percent": 90},
      {"latestRevision": true, "percent": 10, "tag": "candidate"}]},
  "status": {
    "observedGeneration": 4,
    "latestCreatedRevisionName": "facture-service-00002", "latestReadyRevisionName": "facture-service-00002",
    "conditions": [{"type": "ConfigurationsReady", "status": "True"}, {"type": "Ready", "status": "True"}],
    "traffic": [
      {"revisionName": "facture-service-00001", "latestRevision": false, "percent": 90},
      {"revisionName": "facture-service-00002", "latestRevision": true, "percent": 10, "tag": "candidate", "url": "http://candidate-facture-service"}]}}`

func read(t *testing.T, text string) (s Service) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestService(t *testing.T) {
	t.Parallel()
	s := read(t, serving)
	if s.Unit != "facture" || !s.Settled || !s.Serving || s.Broken != "" {
		t.Errorf("%+v", s)
	}
	want := []Target{{Revision: "facture-service-00001", Percent: 90}, {Revision: "facture-service-00002", Percent: 10}}
	if got := s.Routed(); !reflect.DeepEqual(got, want) {
		t.Errorf("routed %+v, want %+v", got, want)
	}
	if !s.arrived() {
		t.Error("what is asked for is there, and is not seen to be")
	}
	for name, change := range map[string]func(*Service){
		"not seen by Knative": func(s *Service) { s.Settled = false },
		"another percentage":  func(s *Service) { s.Spec[0].Percent, s.Spec[1].Percent = 50, 50 },
		"another revision":    func(s *Service) { s.Spec[0].Revision = "facture-service-00000" },
		"no tag any more":     func(s *Service) { s.Spec[1].Tag = "" },
		"one target less":     func(s *Service) { s.Spec = s.Spec[:1] },
		"latest is not ready": func(s *Service) { s.Ready = "facture-service-00001" },
	} {
		s := read(t, serving)
		if change(&s); s.arrived() {
			t.Errorf("%s: taken for arrived", name)
		}
	}
}

// A share of a Service whose traffic somebody had split by hand adds up.
func TestBetween(t *testing.T) {
	t.Parallel()
	for _, routed := range [][]Target{
		{{Revision: "a", Percent: 100}},
		{{Revision: "a", Percent: 33}, {Revision: "b", Percent: 67}},
	} {
		for percent := range 100 {
			sum := 0
			targets := Between(routed, percent)
			for _, target := range targets {
				sum += target.Percent
			}
			if last := targets[len(targets)-1]; sum != 100 || !last.Latest || last.Percent != percent || last.Tag != Candidate {
				t.Fatalf("%d %% beside %+v: %+v", percent, routed, targets)
			}
		}
	}
}

func TestKn(t *testing.T) {
	t.Parallel()
	got := Kn("facture-service", Between([]Target{{Revision: "facture-service-00001", Percent: 100}}, 10))
	want := "kn service update facture-service --namespace aquaerp --traffic facture-service-00001=90 --tag @latest=candidate --traffic @latest=10"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
