package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/google/uuid"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/stack"
	"aquaerp.fr/shared/message"
)

// sleeper is the function that is woken.
const sleeper = "contrat-service"

// cold measures first answers: of an empty server and of contrat started by
// hand, and of contrat woken by the runtime, its process having been ended
// before. Programs are in the page cache, as on a node that ran them once.
func cold(ctx context.Context, b *bench) error {
	activator, err := b.activator(ctx)
	if err != nil {
		return err
	}
	session, err := client.Post[client.Session](ctx, client.New(b.product.API, time.Minute), "/v1/sessions",
		message.Connecter{Identifiant: login, MotDePasse: password})
	if err != nil {
		return err
	}
	health := func(ctx context.Context) (*http.Request, error) {
		req, err := get(ctx, activator+"/health")
		if err == nil {
			req.Host = sleeper
		}
		return req, err
	}
	query := func(ctx context.Context) (*http.Request, error) {
		return ask(ctx, activator, message.TableauContrats{}, session.AccessToken)
	}
	// A start is short, so its pairs may be many.
	measured, err := rounds(ctx, 3*b.pairs, b.direct("empty"), b.direct("contrat"), b.wake(health), b.wake(query))
	if err != nil {
		return err
	}
	for i, f := range []Figure{
		{Name: "function started by hand", As: ratio, Target: atMost(1.5),
			Definition: "exec of contrat to its answer to /health / the same of an empty net/http server"},
		{Name: "function woken", As: difference, Target: atMost(150),
			Definition: "request of /health, through the activator, to the answer of sleeping contrat - the empty server"},
		{Name: "function woken for a query", As: difference, Target: atMost(150),
			Definition: "the dashboard's query with a token, through the activator, to the answer of sleeping contrat from PostgreSQL - the empty server"},
	} {
		f.Unit, f.Product, f.Bare = "ms", each(measured[i+1], only), each(measured[0], only)
		if err := b.report.add(f); err != nil {
			return err
		}
	}
	return nil
}

// activator is the address through which functions are reached by name.
func (b *bench) activator(ctx context.Context) (string, error) {
	req, err := get(ctx, b.product.Admin+"/status")
	if err != nil {
		return "", err
	}
	res, err := fresh.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var status struct{ Addresses map[string]string }
	err = json.NewDecoder(res.Body).Decode(&status)
	return status.Addresses["activator"], err
}

// direct starts a program by hand and measures the time to its first answer.
func (b *bench) direct(program string) arm {
	return func(ctx context.Context) ([]float64, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		address := l.Addr().String()
		_, port, _ := net.SplitHostPort(address)
		if err := l.Close(); err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(ctx, filepath.Join(b.bin, program))
		cmd.Env = []string{"PORT=" + port}
		begin := time.Now()
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		defer func() {
			_ = cmd.Process.Kill() // it has nothing to save
			_ = cmd.Wait()
		}()
		for deadline := begin.Add(10 * time.Second); ; time.Sleep(200 * time.Microsecond) {
			req, err := get(ctx, "http://"+address+"/health")
			if err != nil {
				return nil, err
			}
			switch err := answered(req); {
			case err == nil:
				return []float64{milliseconds(time.Since(begin))}, nil
			case !errors.Is(err, syscall.ECONNREFUSED) || time.Now().After(deadline):
				return nil, fmt.Errorf("%s: %w", program, err)
			}
		}
	}
}

func get(ctx context.Context, url string) (*http.Request, error) {
	return http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
}

// ask is a query as the gateway sends it.
func ask(ctx context.Context, address string, query message.Message, token string) (*http.Request, error) {
	body, err := json.Marshal(query)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Host = sleeper
	for name, value := range map[string]string{
		"Ce-Specversion": "1.0", "Ce-Id": uuid.NewString(), "Ce-Source": "/bench", "Ce-Type": query.Type(),
		"Content-Type": "application/json", "Authorization": "Bearer " + token,
	} {
		req.Header.Set(name, value)
	}
	return req, nil
}

// fresh opens a connection for every request, as a first request does.
var fresh = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// answered sends a request and reads the answer, which must be 200 and say something.
func answered(req *http.Request) error {
	res, err := fresh.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && (res.StatusCode != http.StatusOK || len(body) == 0) {
		err = fmt.Errorf("%s: %.200s", res.Status, body)
	}
	return err
}

// wake measures the time to the answer of a function that sleeps.
func (b *bench) wake(request func(context.Context) (*http.Request, error)) arm {
	return func(ctx context.Context) ([]float64, error) {
		if err := b.sleeps(ctx); err != nil {
			return nil, err
		}
		req, err := request(ctx)
		if err != nil {
			return nil, err
		}
		begin := time.Now()
		err = answered(req)
		return []float64{milliseconds(time.Since(begin))}, err
	}
}

// sleeps ends the processes of the function and returns once none is left.
func (b *bench) sleeps(ctx context.Context) error {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		programs, err := b.product.Programs(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(programs, func(p stack.Program) bool { return p.Kind == "service" && p.Name == sleeper })
		if i < 0 {
			return errors.New("the runtime knows no " + sleeper)
		}
		if len(programs[i].PIDs) == 0 {
			return nil
		}
		if _, err := b.product.Kill(ctx, programs[i]); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s does not end", sleeper)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
