package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"time"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/cluster"
	"aquaerp.fr/scripts/traffic"
	"aquaerp.fr/shared/message"
)

// mistakes is the share of a candidate's answers that may be server errors.
// The product means to give none; one 503 of a database that was busy for a
// moment is not the revision's fault.
const mistakes = 0.01

// reads are the questions that reach each function through the API.
var reads = map[string]string{
	"gateway": "/v1/moi", "auth": "/v1/utilisateurs", "contrat": "/v1/contrats", "facture": "/v1/lots", "intervention": "/v1/interventions",
	"mailer": "/v1/envois", "operation": "/v1/tournees", "workflow": "/v1/plans",
}

// judge watches the candidates while they have their share of the traffic.
//
// What counts is what each candidate itself says it answered, to people and to
// events: through the API its errors would hardly be seen, because the gateway
// asks again and then mostly meets the old revision. Besides, nobody may have
// been answered 5xx here, no message may have died, no pod fallen over.
func (d *deployment) judge(ctx context.Context) error {
	died, err := deadLetters(ctx)
	if err != nil {
		return err
	}
	seen, err := d.ask(ctx)
	if err != nil {
		return err
	}
	d.say("asked %d times in %v, %d answers were server errors", seen.answers, d.check, seen.errors)
	if seen.errors > 0 {
		return fmt.Errorf("%d of %d answers were server errors, the first: %s", seen.errors, seen.answers, seen.first)
	}
	now, err := deadLetters(ctx)
	if err != nil {
		return err
	}
	if now > died {
		return fmt.Errorf("%d messages died while the candidates were tried: go run ./eventing/deadletter list", now-died)
	}
	services, err := traffic.Services(ctx)
	if err != nil {
		return err
	}
	for _, name := range d.moved {
		s := services[name]
		if s.Ready != s.Created {
			return fmt.Errorf("revision %s is not ready any more: %s", s.Created, s.Broken)
		}
		own, err := answered(ctx, s.Created)
		if err != nil {
			return err
		}
		d.say("revision %s answered %d times, %d were server errors", s.Created, own.answers, own.errors)
		if float64(own.errors) > mistakes*float64(own.answers) {
			return fmt.Errorf("%d of %d answers of revision %s were server errors", own.errors, own.answers, s.Created)
		}
	}
	return nil
}

// tally counts answers.
type tally struct {
	answers, errors int
	first           string // error
}

// ask sends requests through the public hosts for as long as a canary is
// judged: ten a second, in turn to every candidate that people can reach.
func (d *deployment) ask(ctx context.Context) (tally, error) {
	public, err := cluster.Public()
	if err != nil {
		return tally{}, err
	}
	defer public.CloseIdleConnections()
	var user *client.Client
	if name := os.Getenv("AQUAERP_USER"); name != "" {
		session, err := client.Post[client.Session](ctx, client.New(cluster.API(), settling).Over(public), "/v1/sessions",
			message.Connecter{Identifiant: name, MotDePasse: os.Getenv("AQUAERP_PASSWORD")})
		if err != nil {
			return tally{}, fmt.Errorf("AQUAERP_USER cannot log in: %w", err)
		}
		// Every answer counts: nothing is asked twice.
		user = client.New(cluster.API(), 0).Over(public).WithToken(session.AccessToken)
	} else {
		d.say("no AQUAERP_USER: candidates behind the gateway are judged by what others ask of them")
	}
	var questions []func() error
	for _, name := range d.moved {
		path, behind := reads[d.unit(name)]
		switch {
		case behind && user != nil:
			questions = append(questions, func() error {
				_, err := user.Do(ctx, http.MethodGet, path, nil, "")
				return err
			})
		case d.unit(name) == "frontend":
			questions = append(questions, func() error { return get(ctx, public, cluster.App()+"/") })
		}
	}
	if len(questions) == 0 {
		questions = append(questions, func() error { return get(ctx, public, cluster.API()+"/health") })
	}
	var seen tally
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(d.check); time.Now().Before(end); seen.answers++ {
		err := questions[seen.answers%len(questions)]()
		var problem *message.Problem
		if err != nil && (!errors.As(err, &problem) || problem.Status >= http.StatusInternalServerError) {
			if seen.errors++; seen.first == "" {
				seen.first = err.Error()
			}
		}
		select {
		case <-ctx.Done():
			return seen, ctx.Err()
		case <-tick.C:
		}
	}
	return seen, nil
}

// unit is the function of a Service.
func (d *deployment) unit(service string) string { return d.before[service].Unit }

func get(ctx context.Context, public *http.Client, url string) error {
	return once(ctx, public, func() (*http.Request, error) { return http.NewRequest(http.MethodGet, url, nil) }, http.StatusOK, "")
}

// deadLetters counts the messages that wait for a person or a replay.
func deadLetters(ctx context.Context) (int, error) {
	out, err := cluster.SQL(ctx, "select coalesce(sum(died), 0) from eventing.parking_lot")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(out)
}

// answered adds up what the pods of a revision say they answered. A pod that
// went to sleep meanwhile takes its count along.
func answered(ctx context.Context, revision string) (tally, error) {
	pods, err := cluster.Pods(ctx, "serving.knative.dev/revision="+revision)
	var all tally
	for _, pod := range pods {
		if pod.Restarts > 0 {
			return all, fmt.Errorf("pod %s was restarted %d times", pod.Name, pod.Restarts)
		}
		if !pod.Ready {
			continue
		}
		own, err := metrics(ctx, pod.Name)
		if err != nil {
			return all, err
		}
		all.answers += own.answers
		all.errors += own.errors
	}
	return all, err
}

func metrics(ctx context.Context, pod string) (tally, error) {
	// A forwarded port is in no NetworkPolicy's way: it starts inside the pod.
	address, stop, err := cluster.Forward(ctx, "pod/"+pod, 9464)
	if err != nil {
		return tally{}, err
	}
	defer stop()
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(limited, http.MethodGet, "http://"+address+"/metrics", nil)
	if err != nil {
		return tally{}, err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return tally{}, fmt.Errorf("metrics of %s: %w", pod, err)
	}
	defer res.Body.Close()
	return count(res.Body)
}

// counter is a line of Prometheus' text format that counts answers of a
// status: messages of a function, requests of a door.
var counter = regexp.MustCompile(`^(?:aquaerp_message_duration_seconds|http_server_request_duration_seconds)_count\{.*?(?:http_response_status_code|status)="(\d+)".*\} (\S+)$`)

func count(text io.Reader) (t tally, err error) {
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		m := counter.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		n, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return t, err
		}
		t.answers += int(n)
		if m[1] >= "500" {
			t.errors += int(n)
		}
	}
	return t, lines.Err()
}
