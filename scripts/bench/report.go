package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is all that a run found out, and what it was found out on.
type report struct {
	Schema  int       `json:"schema"`
	Commit  string    `json:"commit"`
	Go      string    `json:"go"`
	Machine string    `json:"machine"`
	Begun   time.Time `json:"begun"`
	Rounds  int       `json:"pairs"`
	Noise   []noise   `json:"noise"` // a suite each
	Figures []Figure  `json:"figures"`
	Notes   []string  `json:"notes"`

	current string // suite
}

func newReport(root string, pairs int) *report {
	r := &report{Schema: 1, Go: runtime.Version(), Begun: time.Now().UTC(), Rounds: pairs,
		Machine: fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())}
	cmd := exec.Command("git", "describe", "--always", "--dirty")
	cmd.Dir = root
	if out, err := cmd.Output(); err == nil { // a source archive has no commit
		r.Commit = strings.TrimSpace(string(out))
	}
	return r
}

// suite runs one suite and notes what the machine was doing meanwhile.
func (r *report) suite(name string, measure func() error) error {
	r.current = name
	done := progress(name)
	before := readCounters()
	begin := time.Now()
	err := measure()
	n := noise{Suite: name, Seconds: math.Round(time.Since(begin).Seconds())}
	n.since(before, time.Since(begin))
	r.Noise = append(r.Noise, n)
	if err != nil { // a suite is right as a whole or not at all
		r.Figures = slices.DeleteFunc(r.Figures, func(f Figure) bool { return f.Suite == name })
	}
	done()
	return err
}

// add completes a figure of the current suite.
func (r *report) add(f Figure) error {
	f.Suite = r.current
	err := f.compare()
	r.Figures = append(r.Figures, f)
	return err
}

// note keeps a sentence that belongs beside the figures.
func (r *report) note(format string, args ...any) {
	r.Notes = append(r.Notes, r.current+": "+fmt.Sprintf(format, args...))
}

func (r *report) write(file string) error {
	content, err := json.MarshalIndent(r, "", "  ")
	if err == nil {
		err = os.WriteFile(file, append(content, '\n'), 0o644)
	}
	return err
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "\nAquaERP %s, %s, %s; median of %d pairs (range of the true one, 95 %%)\n\n", r.Commit, r.Go, r.Machine, r.Rounds)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "SUITE\tFIGURE\tPRODUCT\tBARE\tPRODUCT AGAINST BARE\tTARGET\t")
	for _, f := range r.Figures {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t\n", f.Suite, f.Name,
			human(median(f.Product))+" "+f.Unit, human(median(f.Bare))+" "+f.Unit, f.against(), f.goal())
	}
	_ = t.Flush() // to a terminal or a pipe; nobody is left to tell
	fmt.Fprintln(w)
	for _, n := range r.Noise {
		fmt.Fprintf(w, "  %-8s %s\n", n.Suite, n)
	}
	fmt.Fprintln(w)
	for _, note := range r.Notes {
		fmt.Fprintf(w, "  %s\n", note)
	}
}

// against is the outcome of a figure in words.
func (f Figure) against() string {
	before, after := "× ", ""
	if f.As == difference {
		before, after = "+ ", " "+f.Unit
	}
	if len(f.Pairs) == 1 {
		return before + human(f.Median) + after
	}
	return fmt.Sprintf("%s%s (%s – %s)%s", before, human(f.Median), human(f.Low), human(f.High), after)
}

func (f Figure) goal() string {
	if f.Target == nil {
		return ""
	}
	sign := map[string]string{"at most": "≤", "at least": "≥"}[f.Target.Is]
	return fmt.Sprintf("%s %s: %s", sign, human(f.Target.Limit), f.Verdict)
}

// human shows three digits of a number.
func human(x float64) string {
	switch a := math.Abs(x); {
	case a >= 1e6:
		return fmt.Sprintf("%.3g M", x/1e6)
	case a >= 1e4:
		return fmt.Sprintf("%.3g k", x/1e3)
	case a >= 100:
		return fmt.Sprintf("%.0f", x)
	case a >= 10:
		return fmt.Sprintf("%.1f", x)
	case a >= 1:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.2g", x)
}

// noise is what the machine was doing during a suite, ours included. Busy is
// negative where the system does not tell.
type noise struct {
	Suite    string  `json:"suite"`
	Seconds  float64 `json:"seconds"`
	Load     float64 `json:"load"`     // average of the last minute, at the end
	Busy     float64 `json:"busy"`     // share of processor time used
	Steal    float64 `json:"steal"`    // share of processor time that the host kept
	Pressure float64 `json:"pressure"` // share of time in which something waited for a processor
}

func (n noise) String() string {
	if n.Busy < 0 {
		return fmt.Sprintf("%4.0f s; this system does not tell its load", n.Seconds)
	}
	return fmt.Sprintf("%4.0f s, load %.1f, processors busy %.0f %%, stolen %.0f %%, something waited for one %.0f %% of the time",
		n.Seconds, n.Load, 100*n.Busy, 100*n.Steal, 100*n.Pressure)
}

// counters are those of the kernel that only grow.
type counters struct {
	total, idle, steal float64 // ticks
	waited             float64 // microseconds
}

func readCounters() (c counters) {
	stat, _ := os.ReadFile("/proc/stat") // elsewhere than on Linux there is none
	var t [8]float64
	if n, _ := fmt.Sscanf(string(stat), "cpu %f %f %f %f %f %f %f %f", &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]); n == len(t) {
		for _, ticks := range t {
			c.total += ticks
		}
		c.idle, c.steal = t[3]+t[4], t[7]
	}
	pressure, _ := os.ReadFile("/proc/pressure/cpu")
	if _, total, found := strings.Cut(string(pressure), "total="); found {
		_, _ = fmt.Sscanf(total, "%f", &c.waited)
	}
	return c
}

func (n *noise) since(before counters, took time.Duration) {
	now := readCounters()
	ticks := now.total - before.total
	if ticks <= 0 {
		n.Busy = -1
		return
	}
	n.Busy = 1 - (now.idle-before.idle)/ticks
	n.Steal = (now.steal - before.steal) / ticks
	n.Pressure = (now.waited - before.waited) / float64(took.Microseconds())
	load, _ := os.ReadFile("/proc/loadavg")
	_, _ = fmt.Sscanf(string(load), "%f", &n.Load)
}
