// Package monitoring holds every question that is put to Prometheus: by the
// panels of the dashboards, by the rules that record and by the alerts. Tests
// hold them against what Prometheus keeps, scripts/monitoring-check asks them
// all of a running one.
package monitoring

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"sigs.k8s.io/yaml"
)

//go:embed grafana/dashboards/*.json prometheus/recording.yml prometheus/alerts.yml
var files embed.FS

// Kind is who asks.
type Kind string

// Panels and recording rules have an answer whenever the product works; an
// alert has one when it should not.
const (
	Panel  Kind = "panel"
	Record Kind = "record"
	Alert  Kind = "alert"
)

// Query is a question in PromQL.
type Query struct {
	Kind Kind
	Name string // dashboard and panel, or the rule's own
	Expr string // without variables: of each, all values
}

// Queries are all questions, dashboards first.
func Queries() ([]Query, error) {
	names, err := fs.Glob(files, "grafana/dashboards/*.json")
	if err != nil {
		return nil, err
	}
	var all []Query
	for _, name := range names {
		d, err := dashboard(name)
		if err != nil {
			return nil, err
		}
		for _, p := range d.Panels {
			for _, t := range p.Targets {
				all = append(all, Query{Panel, d.Title + " / " + p.Title + " " + t.RefID, d.substitute(t.Expr)})
			}
		}
	}
	for _, name := range []string{"prometheus/recording.yml", "prometheus/alerts.yml"} {
		r, err := rules(name)
		if err != nil {
			return nil, err
		}
		for _, g := range r.Groups {
			for _, rule := range g.Rules {
				q := Query{Record, rule.Record, rule.Expr}
				if rule.Alert != "" {
					q = Query{Alert, rule.Alert, rule.Expr}
				}
				all = append(all, q)
			}
		}
	}
	return all, nil
}

// board is what we look at of a dashboard of Grafana.
type board struct {
	UID        string
	Title      string
	Templating struct {
		List []struct {
			Name, AllValue string
			Datasource     source
		}
	}
	Panels []panel
}

type source struct{ Type, UID string }

type panel struct {
	ID         int
	Type       string
	Title      string
	Datasource source
	GridPos    struct{ X, Y, W, H int }
	Targets    []struct {
		RefID, Expr string
		Datasource  source
	}
}

// substitute puts all values in the place of each variable.
func (b board) substitute(expr string) string {
	for _, v := range b.Templating.List {
		expr = strings.NewReplacer("${"+v.Name+"}", v.AllValue, "$"+v.Name, v.AllValue).Replace(expr)
	}
	return expr
}

func dashboard(name string) (b board, err error) {
	raw, err := files.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(raw, &b)
	}
	if err != nil {
		return b, fmt.Errorf("%s: %w", path.Base(name), err)
	}
	return b, nil
}

// ruleFile is a file of rules of Prometheus.
type ruleFile struct {
	Groups []struct {
		Name     string `json:"name"`
		Interval string `json:"interval"`
		Rules    []rule `json:"rules"`
	} `json:"groups"`
}

type rule struct {
	Record      string            `json:"record"`
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func rules(name string) (r ruleFile, err error) {
	raw, err := files.ReadFile(name)
	if err == nil {
		err = yaml.UnmarshalStrict(raw, &r)
	}
	if err != nil {
		return r, fmt.Errorf("%s: %w", path.Base(name), err)
	}
	return r, nil
}
