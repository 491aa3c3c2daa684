package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sync/errgroup"
)

// Lines given to `facture simuler`.
const (
	someLines = 100_000
	manyLines = 1_000_000
)

// pricing measures package tarif on one processor, by its own benchmarks, and
// `facture simuler` by the processor time that it used, which other programs
// disturb least. Both are held against the plain loop of those benchmarks,
// which does the arithmetic of one ordinary bill and nothing else: no checks,
// no general case, no lines, no JSON.
func pricing(ctx context.Context, b *bench) error {
	s, err := b.newSimulation()
	if err != nil {
		return err
	}
	loop, price := b.benchmark("BoucleNue"), b.benchmark("Calculer")
	measured, err := rounds(ctx, b.pairs, loop, price, s.run(someLines))
	if err != nil {
		return err
	}
	many, err := s.run(manyLines)(ctx)
	if err != nil {
		return err
	}
	bare, some := each(measured[0], only), each(measured[2], func(v []float64) float64 { return v[1] })
	for _, f := range []Figure{
		{Name: "Calculer, one processor", Unit: "cases/s", As: ratio, Product: each(measured[1], only), Bare: bare,
			Definition: "bills of the corpus priced by tarif.Calculer a second / ordinary bills by a plain loop"},
		{Name: "simuler, JSON to JSON", Unit: "cases/s", As: ratio, Product: each(measured[2], only), Bare: bare,
			Definition: fmt.Sprintf("cases answered by `facture simuler` a second of processor time, of %d / ordinary bills by a plain loop", someLines)},
		{Name: "simuler, peak memory", Unit: "MiB", As: ratio, Product: many[1:], Bare: []float64{quantile(1)(some)},
			Definition: fmt.Sprintf("peak resident memory over %d cases / the largest over %d, of %d runs", manyLines, someLines, b.pairs)},
	} {
		if err := b.report.add(f); err != nil {
			return err
		}
	}
	b.report.note("every answer was the expected one, byte for byte; %s cases/s of processor time over 1 000 000", human(many[0]))
	return nil
}

var casesPerSecond = regexp.MustCompile(`([0-9.e+]+) cases/s`)

// benchmark runs one benchmark of package tarif, which checks its own results.
func (b *bench) benchmark(name string) arm {
	return b.benchmarkOf("functions/facture/tarif", name, "300ms")
}

// benchmarkOf runs one benchmark of a package for some time or some times. It
// returns what it says a second, and the peak resident memory in MiB.
func (b *bench) benchmarkOf(folder, name, benchtime string) arm {
	return func(ctx context.Context) ([]float64, error) {
		cmd := exec.CommandContext(ctx, filepath.Join(b.bin, filepath.Base(folder)+".test"), "-test.run=^$", "-test.bench=^Benchmark"+name+"$", "-test.cpu=1", "-test.benchtime="+benchtime)
		cmd.Dir = filepath.Join(b.root, folder)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("benchmark %s: %w\n%s", name, err, out)
		}
		m := casesPerSecond.FindSubmatch(out)
		if m == nil {
			return nil, fmt.Errorf("benchmark %s says no cases/s:\n%s", name, out)
		}
		value, err := strconv.ParseFloat(string(m[1]), 64)
		return []float64{value, float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / (1 << 10)}, err
	}
}

// simulation is the corpus, again and again.
type simulation struct {
	*bench
	cases, answers [][]byte // lines, with their newlines
}

func (b *bench) newSimulation() (*simulation, error) {
	s := &simulation{bench: b}
	for name, into := range map[string]*[][]byte{"factures.jsonl": &s.cases, "attendus.jsonl": &s.answers} {
		text, err := os.ReadFile(filepath.Join(b.root, "functions/facture/tarif/testdata", name))
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(text) {
			*into = append(*into, line)
		}
	}
	if len(s.cases) == 0 || len(s.cases) != len(s.answers) {
		return nil, fmt.Errorf("%d cases in the corpus, %d answers", len(s.cases), len(s.answers))
	}
	return s, nil
}

// run has n lines answered. It returns the cases answered by a second of
// processor time, and the peak resident memory in MiB.
func (s *simulation) run(n int) arm {
	return func(ctx context.Context) ([]float64, error) {
		cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "facture"), "simuler")
		in, err := cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		var both errgroup.Group
		both.Go(func() error {
			w := bufio.NewWriterSize(in, 1<<20)
			for i := range n {
				if _, err := w.Write(s.cases[i%len(s.cases)]); err != nil {
					return err
				}
			}
			return w.Flush()
		})
		answered := s.compare(out, n)
		if answered != nil {
			_ = cmd.Process.Kill() // which ends the writer too
		}
		written := both.Wait()
		memory := peak(cmd.Process.Pid) // while it waits for more
		_ = in.Close()                  // an error shows as an end that is not clean
		if err := cmd.Wait(); answered != nil || written != nil || err != nil {
			return nil, fmt.Errorf("simuler: %w", firstOf(answered, written, err))
		}
		if memory == 0 {
			memory = float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / (1 << 20) // in bytes, where there is no /proc
		}
		used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		return []float64{float64(n) / used.Seconds(), memory}, nil
	}
}

// compare reads n answers and holds each against the expected one.
func (s *simulation) compare(out io.Reader, n int) error {
	r := bufio.NewReaderSize(out, 1<<20)
	for i := range n {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("after %d answers of %d: %w", i, n, err)
		}
		if want := s.answers[i%len(s.answers)]; !bytes.Equal(line, want) {
			return fmt.Errorf("line %d\n got %swant %s", i+1, line, want)
		}
	}
	return nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// peak is the largest resident memory of a process so far in MiB, 0 where the
// system has no /proc. What wait(2) tells of a child is no less than its
// parent's on Linux.
func peak(pid int) float64 {
	if runtime.GOOS != "linux" {
		return 0
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	var kib float64
	if _, err := fmt.Sscan(string(after), &kib); err != nil {
		return 0
	}
	return kib / 1024
}
