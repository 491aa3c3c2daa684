package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	for printed, want := range map[string]string{
		"   1.0s  saw    x\n  61.2s  drill-scale  PASS  contrat-service grew to 3 pods; asleep\n": "contrat-service grew to 3 pods; asleep",
		"   1.0s  drill-cold  FAIL  the ratio is 1.200\n":                                         "the ratio is 1.200",
		"   9.9s  deployed\n": "deployed",
		"":                    "",
	} {
		if got := verdict(printed); got != want {
			t.Errorf("verdict of %q is %q, want %q", printed, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	got := table([]result{
		{name: "road", evidence: "60 households", took: 61 * time.Second},
		{name: "restore", err: errors.New("psql | grep:\nnothing"), took: time.Second},
	}, 62*time.Second)
	for _, want := range []string{"| road | 60 households | 61 | PASS |\n", `| restore | psql \| grep: nothing | 1 | FAIL |` + "\n", "| all | | 62 | |\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}
