package tarif

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

var streamed = flag.Int("cas", 200_000, "cases that TestConstantMemory streams")

// cycle gives a text again and again, up to so many lines.
type cycle struct {
	text  []byte
	at    int
	lines int
}

func (c *cycle) Read(p []byte) (n int, err error) {
	for n < len(p) && c.lines > 0 {
		rest := c.text[c.at:]
		line := rest[:bytes.IndexByte(rest, '\n')+1]
		k := copy(p[n:], line)
		n += k
		if c.at += k; k == len(line) {
			c.lines--
		}
		c.at %= len(c.text)
	}
	if n == 0 {
		err = io.EOF
	}
	return n, err
}

// meter compares what is written with a text that comes again and again, and weighs the live heap at two points.
type meter struct {
	t      *testing.T
	text   []byte
	at     int
	lines  int
	points []int // lines after which to weigh
	heap   []uint64
}

func (m *meter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), len(m.text)-m.at)
		if !bytes.Equal(rest[:n], m.text[m.at:m.at+n]) {
			m.t.Fatalf("after %d lines: got %s", m.lines, rest[:n])
		}
		m.at = (m.at + n) % len(m.text)
		rest = rest[n:]
	}
	m.lines += bytes.Count(p, []byte{'\n'})
	if len(m.points) > 0 && m.lines >= m.points[0] {
		m.points = m.points[1:]
		m.heap = append(m.heap, liveHeap())
	}
	return len(p), nil
}

func liveHeap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestConstantMemory(t *testing.T) {
	corpus := append(bytes.Join(corpusLines(t, "factures.jsonl"), []byte("\n")), '\n')
	var answers bytes.Buffer
	if err := Simuler(t.Context(), bytes.NewReader(corpus), &answers); err != nil {
		t.Fatal(err)
	}
	m := &meter{t: t, text: answers.Bytes(), points: []int{10_000, *streamed}}
	if err := Simuler(t.Context(), &cycle{text: corpus, lines: *streamed}, m); err != nil {
		t.Fatal(err)
	}
	if m.lines != *streamed || len(m.heap) != 2 {
		t.Fatalf("%d answers to %d cases, weighed %v", m.lines, *streamed, m.heap)
	}
	t.Logf("%d cases, all answered as the first time; live heap %d KiB after 10 000, %d KiB at the end", m.lines, m.heap[0]>>10, m.heap[1]>>10)
	if m.heap[1] > m.heap[0]+4<<20 {
		t.Errorf("the live heap grew by %d KiB", (m.heap[1]-m.heap[0])>>10)
	}
}

// blank is a line that does not end.
type blank struct{}

func (blank) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// A line past the limit is not kept, however long.
func TestEndlessLine(t *testing.T) {
	before := liveHeap()
	m := &meter{t: t, text: []byte(malformedLine + "\n"), points: []int{1}}
	if err := Simuler(t.Context(), io.LimitReader(blank{}, 16*maxLine), m); err != nil {
		t.Fatal(err)
	}
	if m.lines != 1 || m.heap[0] > before+4*maxLine {
		t.Errorf("%d answers; the live heap went from %d to %d KiB", m.lines, before>>10, m.heap[0]>>10)
	}
}

// A short case by its id, its answer, and the answer to a line that is no case.
const (
	controlCase   = `{"type":"controle_grille","id":"%s","grille":{"code":"g","service":"eau","du":"2025-01-01","au":"2026-01-01","part_fixe_an":1,"tranches":[{"prix_m3":1}],"tva_pm":55},"rurale":false,"touristique":false}`
	controlAnswer = `{"id":"%s","part_fixe_ue":1,"variable_120_ue":120,"conforme":true}`
	malformedLine = `{"id":"","erreur":"json_invalide"}`
)

func simulate(t *testing.T, in io.Reader) (string, error) {
	t.Helper()
	var out strings.Builder
	err := Simuler(t.Context(), in, &out)
	return out.String(), err
}

func TestLines(t *testing.T) {
	one, answer := fmt.Sprintf(controlCase, "1"), fmt.Sprintf(controlAnswer, "1")
	spaces := strings.Repeat(" ", maxLine-len(one))
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"empty line", "\n", malformedLine + "\n"},
		{"no last newline", one, answer + "\n"},
		{"carriage return", one + "\r\n\r\n" + one + "\r", answer + "\n" + malformedLine + "\n" + answer + "\n"},
		{"longest line", one + spaces + "\n" + one, answer + "\n" + answer + "\n"},
		{"too long", one + "\n" + one + spaces + " \n" + one, answer + "\n" + malformedLine + "\n" + answer + "\n"},
		{"far too long", one + spaces + spaces + "\n" + one, malformedLine + "\n" + answer + "\n"},
		{"too long at the end", spaces + one + " ", malformedLine + "\n"},
		{"two on a line", one + one, malformedLine + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, reader := range []io.Reader{strings.NewReader(c.in), iotest.DataErrReader(strings.NewReader(c.in)), iotest.HalfReader(strings.NewReader(c.in))} {
				if got, err := simulate(t, reader); err != nil || got != c.want {
					t.Errorf("%T: got %.300q, %v; want %q", reader, got, err, c.want)
				}
			}
		})
	}
	small := one + "\n\n" + one
	if got, err := simulate(t, iotest.OneByteReader(strings.NewReader(small))); err != nil || got != answer+"\n"+malformedLine+"\n"+answer+"\n" {
		t.Errorf("byte by byte: %q, %v", got, err)
	}
}

// Whoever writes a line and waits for its answer gets it.
func TestConversation(t *testing.T) {
	in, ask := io.Pipe()
	hear, out := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Simuler(t.Context(), in, out) }()
	answers := bufio.NewScanner(hear)
	for i := range 100 {
		id := fmt.Sprint(i)
		if _, err := fmt.Fprintf(ask, controlCase+"\n", id); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(controlAnswer, id); !answers.Scan() || answers.Text() != want {
			t.Fatalf("got %q, want %q", answers.Text(), want)
		}
	}
	if err := ask.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestSimulerErrors(t *testing.T) {
	one, answer := fmt.Sprintf(controlCase, "1"), fmt.Sprintf(controlAnswer, "1")
	broken := errors.New("broken")
	got, err := simulate(t, io.MultiReader(strings.NewReader(one+"\n"+one), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) || got != answer+"\n" {
		t.Errorf("input breaks in a line: %q, %v", got, err)
	}

	in, out := io.Pipe()
	if err := in.CloseWithError(broken); err != nil {
		t.Fatal(err)
	}
	if err := Simuler(t.Context(), &cycle{text: []byte(one + "\n"), lines: 1e6}, out); !errors.Is(err, broken) {
		t.Errorf("output breaks: %v", err)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	silent, _ := io.Pipe()
	cancel(broken)
	if err := Simuler(ctx, silent, io.Discard); !errors.Is(err, broken) {
		t.Errorf("canceled on a silent input: %v", err)
	}
}
