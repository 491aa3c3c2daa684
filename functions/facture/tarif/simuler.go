package tarif

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"runtime"
	"slices"
)

const (
	readSize = 256 << 10 // bytes asked of the input at a time
	maxLine  = 16 << 20  // bytes of a line; a longer one is malformed
)

// Simuler reads one JSON case a line and writes one JSON answer a line, in order, until the input ends.
//
// A line of type "facture" is answered with its [Resultat], of type "controle_grille" with its [Controle], and either with
// {"id","erreur"} and a [Code] when it has no price. A malformed line is answered with an empty id and [JSONInvalide], and
// the run goes on: one that is not JSON in UTF-8, is empty, is longer than 16 MiB, lacks a key, holds another type than
// shown in the tags of [Cas] or a number that is not written as an integer or not an int64, or an unknown type, service or
// rubrique. Keys are compared exactly, other keys are ignored, and the last of a repeated key counts. The last line may
// lack its newline.
//
// Memory is bounded whatever the number of lines; all processors work. Each answer is written as soon as the input has no
// more to give at once, so Simuler can be talked to. It returns the first error of in or out, after the answers to all whole
// lines before it, or the cause of the end of ctx; then one Read of in may still be under way, as nothing can interrupt it.
func Simuler(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	workers := runtime.GOMAXPROCS(0)
	lots := 2*workers + 2 // at work, waiting on either side of the workers, read, written
	free := make(chan *lot, lots)
	todo := make(chan *lot, lots)
	inOrder := make(chan *lot, lots) // each send has room: there are no more lots than that
	for range lots {
		free <- &lot{done: make(chan struct{}, 1)}
	}
	for range workers {
		go work(todo)
	}
	var readErr error // set before inOrder is closed
	go func() {
		defer close(inOrder)
		defer close(todo)
		r := lineReader{in: in}
		for readErr == nil && ctx.Err() == nil {
			select {
			case l := <-free:
				if readErr = r.read(l); len(l.lines) > 0 {
					inOrder <- l
					todo <- l
				}
			case <-ctx.Done():
				return
			}
		}
	}()

	for {
		select {
		case l, ok := <-inOrder:
			if !ok {
				if readErr == io.EOF {
					return nil
				}
				return cmp.Or(readErr, context.Cause(ctx))
			}
			<-l.done
			if _, err := out.Write(l.answers); err != nil {
				return err
			}
			free <- l
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// lot is a run of lines on its way from input to output.
type lot struct {
	lines   []byte // whole lines
	answers []byte
	done    chan struct{} // receives when answers are those to lines
}

// work answers lots until there are no more.
func work(todo <-chan *lot) {
	var a answerer
	for l := range todo {
		l.answers = l.answers[:0]
		for line := range bytes.Lines(l.lines) {
			l.answers = a.answer(l.answers, bytes.TrimSuffix(line, []byte{'\n'}))
		}
		l.done <- struct{}{}
	}
}

// answerer answers lines one after the other, in the same memory.
type answerer struct {
	decoder
	result Resultat
}

// answer appends the answer to a line, with a newline.
func (a *answerer) answer(dst, line []byte) []byte {
	kind := malformed
	if len(line) <= maxLine {
		kind = a.decode(line)
	}
	var code Code
	switch kind {
	case bill:
		if code = calculer(&a.cas, &a.result, nil); code == "" {
			return append(appendResultat(dst, &a.result), '\n')
		}
	case control:
		var c Controle
		if c, code = controler(&a.grille, a.rurale, a.touristique); code == "" {
			c.ID = a.cas.ID
			return append(appendControle(dst, &c), '\n')
		}
	default:
		a.cas.ID, code = "", JSONInvalide
	}
	return append(appendError(dst, a.cas.ID, code), '\n')
}

// lineReader cuts an input into lots of whole lines.
type lineReader struct {
	in      io.Reader
	partial []byte // the beginning of a line, from the last lot's read
}

// read fills a lot with what one read gives, or more until a line ends. Of a line longer than maxLine it keeps only enough
// to tell. It returns the error of the input, and only then may the lot be empty; at its end, what is left is the last line.
func (r *lineReader) read(l *lot) error {
	buf := append(l.lines[:0], r.partial...)
	for {
		buf = slices.Grow(buf, readSize)
		old := len(buf)
		n, err := r.in.Read(buf[old : old+readSize])
		buf = buf[:old+n]
		if err == io.EOF {
			l.lines = buf
			return err
		}
		end := 0
		if last := bytes.LastIndexByte(buf[old:], '\n'); last >= 0 {
			end = old + last + 1
		}
		if end > 0 || err != nil {
			l.lines, r.partial = buf[:end], append(r.partial[:0], buf[end:]...)
			return err
		}
		buf = buf[:min(len(buf), maxLine+1)]
	}
}
