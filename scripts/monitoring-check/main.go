// Command monitoring-check puts every question of the dashboards, of the
// recording rules and of the alerts to the Prometheus of a cluster, after the
// product has been used.
//
// None may be an error. Panels and recording rules must have had an answer
// within the last hours, but for those whose silence is good news; alerts
// need have none, for what they compare is recorded.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"aquaerp.fr/knative/monitoring"
	"aquaerp.fr/scripts/cluster"
)

const usage = `go run ./scripts/monitoring-check [-for 2h]

Asks Prometheus (kubectl port-forward) whether its targets are read and its rules
work, then every question of every panel, rule and alert.`

var period = flag.Duration("for", 2*time.Hour, "how far back an answer counts")

// silent are questions that may have had no answer, by what they contain: what
// they count has not happened, or does not exist in every cluster.
var silent = []struct{ part, why string }{
	{`ALERTS{`, "no alert fires"},
	{`status="503"`, "nothing was asked to come again"},
	{`status="422"`, "nothing was refused for ever"},
	{`aquaerp_deadletter_`, "no letter died since deadletter started"},
	{`channel_messages_redelivered_total`, "the broker delivered nothing twice"},
	{`traefik_tls_certs_not_after`, "this Traefik tells no figures; that of K3s does"},
	{`kn_revision_request_queued`, "no request waited since the activator started"},
}

func main() { cluster.RunDrill("monitoring-check", usage, run) }

func run(ctx context.Context, d *cluster.Drill) error {
	queries, err := monitoring.Queries()
	if err != nil {
		return err
	}
	p, err := reach(ctx)
	if err != nil {
		return err
	}
	defer p.stop()
	if err := p.targets(ctx, d); err != nil {
		return err
	}
	if err := p.rules(ctx, d); err != nil {
		return err
	}
	d.Does("ask all %d questions", len(queries))
	asked, answered := map[monitoring.Kind]int{}, map[monitoring.Kind]int{}
	wrong := 0
	for _, q := range queries {
		series, err := p.ask(ctx, q.Expr)
		asked[q.Kind]++
		switch excuse := excused(q.Expr); {
		case err != nil:
			wrong++
			d.Fail(fmt.Errorf("%s: %w\n         %s", q.Name, err, q.Expr))
		case series > 0:
			answered[q.Kind]++
		case q.Kind == monitoring.Alert:
		case excuse != "":
			d.Saw("no answer to %s: %s", q.Name, excuse)
		default:
			d.Fail(fmt.Errorf("%s has had no answer\n         %s", q.Name, strings.Join(strings.Fields(q.Expr), " ")))
		}
	}
	d.Saw("of the questions of %d panels, %d recorded figures and %d alerts %d are errors; %d, %d and %d had an answer within %s",
		asked[monitoring.Panel], asked[monitoring.Record], asked[monitoring.Alert], wrong,
		answered[monitoring.Panel], answered[monitoring.Record], answered[monitoring.Alert], *period)
	return nil
}

func excused(expr string) string {
	for _, s := range silent {
		if strings.Contains(expr, s.part) {
			return s.why
		}
	}
	return ""
}

// prometheus is the one of the cluster.
type prometheus struct {
	url  string
	stop func()
}

// reach opens a way to Prometheus that stays open until stop.
func reach(ctx context.Context) (*prometheus, error) {
	address, stop, err := cluster.ForwardFrom(ctx, "monitoring", "service/prometheus", 9090)
	if err != nil {
		return nil, err
	}
	return &prometheus{"http://" + address, stop}, nil
}

// patience is how long Prometheus may think about a question.
const patience = time.Minute

// get asks Prometheus's API and reads the data of the answer.
func (p *prometheus) get(ctx context.Context, path string, query url.Values, into any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+path, strings.NewReader(query.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !strings.HasPrefix(path, "/api/v1/query") {
		req.Method, req.Body = http.MethodGet, nil
		req.ContentLength = 0
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var answer struct {
		Status string
		Error  string
		Data   json.RawMessage
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %w", res.Status, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", res.Status, answer.Error)
	}
	return json.Unmarshal(answer.Data, into)
}

// ask tells how many series answered within the period.
func (p *prometheus) ask(ctx context.Context, expr string) (series int, err error) {
	now := time.Now()
	var data struct{ Result []json.RawMessage }
	err = p.get(ctx, "/api/v1/query_range", url.Values{
		"query": {expr},
		"start": {strconv.FormatInt(now.Add(-*period).Unix(), 10)},
		"end":   {strconv.FormatInt(now.Unix(), 10)},
		"step":  {"60"},
	}, &data)
	return len(data.Result), err
}

// targets holds that each job of prometheus.yml reads somebody, but for those
// of functions, which may all be asleep, and of other clusters.
func (p *prometheus) targets(ctx context.Context, d *cluster.Drill) error {
	var data struct {
		ActiveTargets []struct {
			ScrapePool, Health, LastError string
		}
	}
	if err := p.get(ctx, "/api/v1/targets?state=active", nil, &data); err != nil {
		return err
	}
	up, down := map[string]int{}, map[string]string{}
	for _, t := range data.ActiveTargets {
		if t.Health == "up" {
			up[t.ScrapePool]++
		} else if t.LastError != "" {
			down[t.ScrapePool] = t.LastError
		}
	}
	for _, job := range []string{"prometheus", "functions", "queue-proxy", "knative", "eventing", "postgres", "rabbitmq", "rabbitmq-queues", "kubelet", "cadvisor"} {
		d.Check(up[job] > 0, "job %s reads nobody: %s", job, cmp.Or(down[job], "it finds no target"))
	}
	d.Saw("%d of %d targets are read", sum(up), len(data.ActiveTargets))
	return nil
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}

// rules holds that Prometheus evaluates ours without error, and tells which
// alerts fire.
func (p *prometheus) rules(ctx context.Context, d *cluster.Drill) error {
	var data struct {
		Groups []struct {
			Name  string
			Rules []struct{ Name, Health, LastError, State string }
		}
	}
	if err := p.get(ctx, "/api/v1/rules", nil, &data); err != nil {
		return err
	}
	var loaded int
	var firing []string
	for _, g := range data.Groups {
		for _, r := range g.Rules {
			loaded++
			d.Check(r.Health != "err", "rule %s: %s", r.Name, r.LastError)
			if r.State == "firing" {
				firing = append(firing, r.Name)
			}
		}
	}
	slices.Sort(firing)
	d.Check(loaded > 0, "Prometheus has no rules")
	d.Saw("%d rules are evaluated; firing: %s", loaded, cmp.Or(strings.Join(firing, ", "), "none"))
	return nil
}
