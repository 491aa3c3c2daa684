package main

import (
	"slices"
	"strings"
	"testing"

	"aquaerp.fr/scripts/traffic"
)

// revisions of two functions, the newest first; 00003 never got ready.
var revisions = map[string][]revision{
	"facture-service": {
		{Name: "facture-service-00004", Service: "facture-service", Ready: true},
		{Name: "facture-service-00003", Service: "facture-service"},
		{Name: "facture-service-00002", Service: "facture-service", Ready: true},
		{Name: "facture-service-00001", Service: "facture-service", Ready: true},
	},
	"auth-service": {{Name: "auth-service-00001", Service: "auth-service", Ready: true}},
}

func services(facture ...traffic.Target) map[string]traffic.Service {
	return map[string]traffic.Service{
		"facture-service": {Name: "facture-service", Unit: "facture", Status: facture},
		"auth-service":    {Name: "auth-service", Unit: "auth", Status: []traffic.Target{{Revision: "auth-service-00001", Percent: 100}}},
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	on := func(n string, percent int) traffic.Target {
		return traffic.Target{Revision: "facture-service-0000" + n, Percent: percent}
	}
	for _, test := range []struct {
		name      string
		traffic   []traffic.Target
		functions []string
		to        string
		all       bool
		want      string // or what the error says
	}{
		{"before the latest, past the one that never got ready", []traffic.Target{on("4", 100)}, []string{"facture"}, "", false, "facture-service-00002"},
		{"by the name of its Service", []traffic.Target{on("4", 100)}, []string{"facture-service"}, "", false, "facture-service-00002"},
		{"once more", []traffic.Target{on("2", 100)}, []string{"facture"}, "", false, "facture-service-00001"},
		{"a canary ends", []traffic.Target{on("2", 90), on("4", 10)}, []string{"facture"}, "", false, "facture-service-00002"},
		{"a candidate without traffic is not gone back from", []traffic.Target{on("2", 100), on("4", 0)}, []string{"facture"}, "", false, "facture-service-00001"},
		{"nothing before the first", []traffic.Target{on("1", 100)}, []string{"facture"}, "", false, "no earlier revision"},
		{"all that can", []traffic.Target{on("4", 100)}, nil, "", true, "facture-service-00002"},
		{"none can", []traffic.Target{on("1", 100)}, nil, "", true, "no function has an earlier revision"},
		{"to one that is named, also forward", []traffic.Target{on("1", 100)}, nil, "facture-service-00004", false, "facture-service-00004"},
		{"to none", []traffic.Target{on("4", 100)}, nil, "facture-service-00009", false, "no revision facture-service-00009"},
		{"a function that is none", []traffic.Target{on("4", 100)}, []string{"facture", "factures"}, "", false, "no function factures"},
	} {
		targets, err := choose(services(test.traffic...), revisions, slices.Clone(test.functions), test.to, test.all)
		var got []string
		for _, r := range targets {
			got = append(got, r.Name)
		}
		switch {
		case err != nil && !strings.Contains(err.Error(), test.want):
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		case err == nil && strings.Join(got, " ") != test.want:
			t.Errorf("%s: %v, want %s", test.name, got, test.want)
		}
	}
}
