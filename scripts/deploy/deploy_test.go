package main

import (
	"encoding/json"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"aquaerp.fr/scripts/release"
)

// The stages of the real overlays: what a Job needs is there before it, and
// what runs our code comes after the migration.
func TestStages(t *testing.T) {
	t.Parallel()
	for _, overlay := range []string{"village", "metropole", "test"} {
		objects, err := release.Render(filesys.MakeFsOnDisk(), "../../knative/overlays/"+overlay)
		if err != nil {
			t.Fatal(err)
		}
		found := map[stage][]string{}
		for _, o := range objects {
			found[stageOf(o)] = append(found[stageOf(o)], o.String())
			if s := stageOf(o); len(o.Packages()) > 0 && s != stageJob && s != stageRollOut {
				t.Errorf("%s: %s runs our code before the migration", overlay, o)
			}
		}
		for stage, want := range map[stage]string{
			stageNamespace:  "namespace/aquaerp",
			stageFoundation: "serviceaccount/facture service/postgres networkpolicy/postgres",
			stageServer:     "statefulset/postgres statefulset/rabbitmq",
			stageJob:        "job/migrate job/declare",
			stageRollOut:    "service/facture-service deployment/relay deployment/deadletter rabbitmqsource/facture pingsource/workflow",
		} {
			for name := range strings.FieldsSeq(want) {
				if !strings.Contains(" "+strings.Join(found[stage], " ")+" ", " "+name+" ") {
					t.Errorf("%s: %s is not of stage %d, which has %v", overlay, name, stage, found[stage])
				}
			}
		}
		if len(found[stageServer]) != 2 {
			t.Errorf("%s: the Jobs wait for %v", overlay, found[stageServer])
		}
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	object := func(kind, name, unit string) release.Object {
		return release.Object{Kind: kind, Name: name, Unit: unit}
	}
	all := []release.Object{
		object("Namespace", "aquaerp", release.Common), object("ConfigMap", "service-abc", "settings"),
		object("ServiceAccount", "facture", "facture"), object("RabbitmqSource", "facture", "facture"), object("Deployment", "relay", "relay"),
	}
	for only, want := range map[string]string{
		"":        "namespace/aquaerp configmap/service-abc serviceaccount/facture rabbitmqsource/facture deployment/relay",
		"facture": "namespace/aquaerp configmap/service-abc serviceaccount/facture rabbitmqsource/facture",
		"relay":   "namespace/aquaerp configmap/service-abc deployment/relay",
	} {
		d := &deployment{all: all, only: strings.Fields(only)}
		if err := d.choose(); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range d.objects {
			got = append(got, o.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("-only %q: %v, want %s", only, got, want)
		}
	}
	d := &deployment{all: all, only: []string{"factures"}}
	if err := d.choose(); err == nil || !strings.Contains(err.Error(), "facture, relay") {
		t.Errorf("a unit that is none: %v", err)
	}
}

func TestUnready(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		state  string
		why    string
		failed bool
	}{
		{`{"kind":"Job","status":{}}`, "it runs", false},
		{`{"kind":"Job","status":{"conditions":[{"type":"Complete","status":"True"}]}}`, "", false},
		{`{"kind":"Job","status":{"conditions":[{"type":"Failed","status":"True","reason":"BackoffLimitExceeded"}]}}`, "BackoffLimitExceeded", true},
		{`{"kind":"Deployment","metadata":{"generation":2},"spec":{"replicas":2},"status":{"observedGeneration":2,"replicas":2,"updatedReplicas":2,"availableReplicas":2}}`, "", false},
		{`{"kind":"Deployment","metadata":{"generation":2},"spec":{"replicas":2},"status":{"observedGeneration":1,"replicas":2,"updatedReplicas":2,"availableReplicas":2}}`, "has not seen it", false},
		{`{"kind":"Deployment","metadata":{"generation":2},"spec":{"replicas":2},"status":{"observedGeneration":2,"replicas":3,"updatedReplicas":2,"availableReplicas":2}}`, "2 of 2 replicas are new", false},
		{`{"kind":"StatefulSet","spec":{"replicas":1},"status":{"updatedReplicas":1,"readyReplicas":1,"currentRevision":"a","updateRevision":"a"}}`, "", false},
		{`{"kind":"StatefulSet","spec":{"replicas":1},"status":{"updatedReplicas":1,"readyReplicas":1,"currentRevision":"a","updateRevision":"b"}}`, "are ready", false},
		{`{"kind":"DaemonSet","status":{"desiredNumberScheduled":2,"updatedNumberScheduled":2,"numberReady":1}}`, "1 of 2 pods", false},
		{`{"kind":"CronJob","metadata":{"generation":1},"status":{}}`, "", false},
		{`{"kind":"RabbitmqSource","metadata":{"generation":1},"status":{"observedGeneration":1,"conditions":[{"type":"Ready","status":"True"}]}}`, "", false},
		{`{"kind":"RabbitmqSource","metadata":{"generation":1},"status":{"observedGeneration":1,"conditions":[{"type":"Ready","status":"False","reason":"SinkMissing"}]}}`, "SinkMissing", false},
		{`{"kind":"Service","metadata":{"generation":1},"status":{"observedGeneration":1}}`, "no condition Ready yet", false},
	} {
		why, failed := unready(json.RawMessage(test.state))
		if failed != test.failed || (why == "") != (test.why == "") || !strings.Contains(why, test.why) {
			t.Errorf("%s: %q failed=%v, want %q failed=%v", test.state, why, failed, test.why, test.failed)
		}
	}
}

// The format is that of a pod's own /metrics.
func TestCount(t *testing.T) {
	t.Parallel()
	const text = `# TYPE aquaerp_message_duration_seconds histogram
aquaerp_message_duration_seconds_bucket{status="503",type="fr.aquaerp.contrat.active.v1",le="0.001"} 7
aquaerp_message_duration_seconds_count{status="200",type="fr.aquaerp.contrat.liste.v1"} 18
aquaerp_message_duration_seconds_count{status="422",type="fr.aquaerp.contrat.active.v1"} 1
aquaerp_message_duration_seconds_count{status="503",type="fr.aquaerp.contrat.active.v1"} 2
http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="500",http_route="/v1/moi"} 3
go_goroutines 12
`
	got, err := count(strings.NewReader(text))
	if want := (tally{answers: 24, errors: 5}); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}
