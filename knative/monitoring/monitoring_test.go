package monitoring

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/migrate"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { functiontest.Main(m) }

// promtool is Prometheus's own tool, of the system's package prometheus. Where
// it is not installed tests are skipped, and fail when CI is set.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	program, err := exec.LookPath("promtool")
	if errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") == "" {
		t.Skip("promtool is not installed")
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	promtool(t, "check", "rules", "prometheus/recording.yml", "prometheus/alerts.yml")
	promtool(t, "test", "rules", "prometheus/rules_test.yml")
}

// Prometheus itself reads the question of each panel.
func TestPanelsAreReadable(t *testing.T) {
	t.Parallel()
	var panels []rule
	for _, q := range queries(t) {
		if q.Kind == Panel {
			panels = append(panels, rule{Record: fmt.Sprintf("panel:%d", len(panels)), Expr: q.Expr, Labels: map[string]string{"panel": q.Name}})
		}
	}
	type group struct {
		Name  string `json:"name"`
		Rules []any  `json:"rules"`
	}
	g := group{Name: "panels"}
	for _, p := range panels {
		g.Rules = append(g.Rules, map[string]any{"record": p.Record, "expr": p.Expr, "labels": p.Labels})
	}
	raw, err := yaml.Marshal(map[string]any{"groups": []group{g}})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "panels.yml")
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", name)
}

// Each alert is tried with what it must bear and what it must tell, says what
// is wrong and where to read what to do.
func TestAlerts(t *testing.T) {
	t.Parallel()
	tried, err := os.ReadFile("prometheus/rules_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	file, err := rules("prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			for _, kind := range []string{"quiet", "fires"} {
				if !strings.Contains(string(tried), "- name: "+r.Alert+" "+kind+"\n") {
					t.Errorf("%s: no test that it %s", r.Alert, kind)
				}
			}
			if s := r.Labels["severity"]; s != "page" && s != "ticket" {
				t.Errorf("%s: severity %q", r.Alert, s)
			}
			if r.For == "" || r.Annotations["summary"] == "" {
				t.Errorf("%s: no summary, or fires at once", r.Alert)
			}
			// That the section is there is held by the test of the book (knative/platform).
			if !strings.HasPrefix(r.Annotations["runbook"], "knative/README.md#") {
				t.Errorf("%s: its runbook %q is not in the operators' book", r.Alert, r.Annotations["runbook"])
			}
		}
	}
}

func TestDashboards(t *testing.T) {
	t.Parallel()
	var provisioned struct {
		Datasources []struct{ UID, Type string }
	}
	readYAML(t, "grafana/datasource.yaml", &provisioned)
	prometheus := source{provisioned.Datasources[0].Type, provisioned.Datasources[0].UID}
	names, err := fs.Glob(files, "grafana/dashboards/*.json")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	uids := map[string]string{}
	for _, name := range names {
		b, err := dashboard(name)
		if err != nil {
			t.Fatal(err)
		}
		if other := uids[b.UID]; b.UID == "" || b.Title == "" || other != "" {
			t.Errorf("%s: its uid is %q, as that of %q", name, b.UID, other)
		}
		uids[b.UID] = name
		for _, v := range b.Templating.List {
			if v.Datasource != prometheus || v.AllValue == "" {
				t.Errorf("%s: variable %s has no data source or no value for all", name, v.Name)
			}
		}
		ids := map[int]bool{}
		var placed []panel
		for _, p := range b.Panels {
			at := fmt.Sprintf("%s: panel %d %q", name, p.ID, p.Title)
			if ids[p.ID] || p.Title == "" {
				t.Errorf("%s: its id is another's, or it has no title", at)
			}
			ids[p.ID] = true
			g := p.GridPos
			if g.X < 0 || g.Y < 0 || g.W < 1 || g.H < 1 || g.X+g.W > 24 {
				t.Errorf("%s is off the grid: %+v", at, g)
			}
			for _, o := range placed {
				if g.X < o.GridPos.X+o.GridPos.W && o.GridPos.X < g.X+g.W && g.Y < o.GridPos.Y+o.GridPos.H && o.GridPos.Y < g.Y+g.H {
					t.Errorf("%s lies over %q", at, o.Title)
				}
			}
			placed = append(placed, p)
			if p.Type == "row" {
				continue
			}
			if len(p.Targets) == 0 || p.Datasource != prometheus {
				t.Errorf("%s asks nothing, or of %+v", at, p.Datasource)
			}
			refs := map[string]bool{}
			for _, target := range p.Targets {
				if target.Expr == "" || target.Datasource != prometheus || refs[target.RefID] {
					t.Errorf("%s: target %s has no question, no data source, or another's name", at, target.RefID)
				}
				refs[target.RefID] = true
				// "$1" is label_replace's own.
				if expr := strings.ReplaceAll(b.substitute(target.Expr), `"$1"`, ""); strings.Contains(expr, "$") {
					t.Errorf("%s: unknown variable in %s", at, expr)
				}
			}
		}
	}
	var k struct {
		ConfigMapGenerator []struct {
			Name  string
			Files []string
		}
	}
	readYAML(t, "kustomization.yaml", &k)
	for _, m := range k.ConfigMapGenerator {
		if m.Name == "grafana-dashboards" && !slices.Equal(m.Files, names) {
			t.Errorf("kustomization.yaml has the dashboards %v, and there are %v", m.Files, names)
		}
	}
}

// What is asked for is recorded by a rule, or let in by prometheus.yml.
func TestMetricsAreKept(t *testing.T) {
	t.Parallel()
	recorded := map[string]bool{}
	for _, q := range queries(t) {
		if q.Kind == Record {
			recorded[q.Name] = true
		}
	}
	var config struct {
		ScrapeConfigs []struct {
			MetricRelabelConfigs []struct {
				SourceLabels []string `json:"source_labels"`
				Regex        string   `json:"regex"`
				Action       string   `json:"action"`
			} `json:"metric_relabel_configs"`
		} `json:"scrape_configs"`
	}
	readYAML(t, "prometheus/prometheus.yml", &config)
	kept := []*regexp.Regexp{regexp.MustCompile(`^(up|ALERTS)$`)}
	for _, s := range config.ScrapeConfigs {
		for _, r := range s.MetricRelabelConfigs {
			if r.Action == "keep" && slices.Equal(r.SourceLabels, []string{"__name__"}) {
				kept = append(kept, regexp.MustCompile("^(?:"+r.Regex+")$"))
			}
		}
	}
	// A name of several words is a metric's wherever it stands; functions, labels and grouping have short names or stand in braces or parentheses.
	strip := regexp.MustCompile(`"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(by|on|without|ignoring) *\([^)]*\)`)
	name := regexp.MustCompile(`[a-z_][a-z0-9_:]*[_:][a-z0-9_:]+(?: *\()?|\bup\b|\bALERTS\b`)
	used := 0
	for _, q := range queries(t) {
		for _, metric := range name.FindAllString(strip.ReplaceAllString(q.Expr, " "), -1) {
			switch {
			case strings.HasSuffix(metric, "("): // a function of PromQL
			case recorded[metric], slices.ContainsFunc(kept, func(r *regexp.Regexp) bool { return r.MatchString(metric) }):
				used++
			default:
				t.Errorf("%s asks for %s, which is neither recorded nor kept", q.Name, metric)
			}
		}
	}
	if used < 150 {
		t.Errorf("only %d metrics were recognised in all questions", used)
	}
}

// The exporter's queries are those that its role may ask, and none is missing.
func TestExporterQueries(t *testing.T) {
	t.Parallel()
	db := functiontest.NewDatabase(t)
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, db.URL(migrate.Monitor))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var asked map[string]struct {
		Query   string
		Metrics []map[string]struct{ Usage string }
	}
	readYAML(t, "exporter/queries.yaml", &asked)
	for name, q := range asked {
		rows, err := conn.Query(ctx, q.Query)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var columns []string
		for _, f := range rows.FieldDescriptions() {
			columns = append(columns, f.Name)
		}
		n := 0
		for rows.Next() {
			n++
		}
		if rows.Err() != nil || n == 0 {
			t.Errorf("%s: %d rows, %v", name, n, rows.Err())
		}
		var described []string
		for _, m := range q.Metrics {
			for column := range m {
				described = append(described, column)
			}
		}
		slices.Sort(columns)
		slices.Sort(described)
		if !slices.Equal(columns, described) {
			t.Errorf("%s has columns %v and describes %v", name, columns, described)
		}
	}
	indicators := asked["aquaerp_indicateur"].Query
	schemas, _ := conn.Query(ctx, "select schemaname from pg_views where viewname = $1 order by 1", migrate.Indicators)
	views, err := pgx.CollectRows(schemas, pgx.RowTo[string])
	if err != nil || len(views) == 0 {
		t.Fatal(views, err)
	}
	for _, schema := range views {
		if !strings.Contains(indicators, "select '"+schema+"'") || !strings.Contains(indicators, "from "+schema+".indicateur") {
			t.Errorf("the exporter does not ask schema %s", schema)
		}
	}
	// What is shown of people's affairs are numbers.
	var texts []string
	rows, _ := conn.Query(ctx, `select table_schema || '.' || column_name from information_schema.columns
		where table_name = $1 and not (column_name in ('nom', 'etat') or data_type = 'double precision')`, migrate.Indicators)
	if texts, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || len(texts) > 0 {
		t.Errorf("views show %v, %v", texts, err)
	}
	// Indicators that are asked for exist.
	asks := regexp.MustCompile(`aquaerp_indicateur_valeur\{fonction="([a-z]+)",nom="([a-z_]+)"(?:,etat="([A-Z_]+)")?`)
	for _, q := range queries(t) {
		for _, m := range asks.FindAllStringSubmatch(q.Expr, -1) {
			var exists bool
			err := conn.QueryRow(ctx, "select exists (select from ("+indicators+") as i where fonction = $1 and nom = $2 and ($3 = '' or etat = $3))", m[1], m[2], m[3]).Scan(&exists)
			if err != nil || !exists {
				t.Errorf("%s asks for %v, which no view has (%v)", q.Name, m[1:], err)
			}
		}
	}
}

func queries(t *testing.T) []Query {
	t.Helper()
	all, err := Queries()
	if err != nil || len(all) < 100 {
		t.Fatal(len(all), err)
	}
	return all
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err == nil {
		err = yaml.Unmarshal(raw, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
