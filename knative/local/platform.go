package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"knative.dev/serving/pkg/apis/autoscaling"
	serving "knative.dev/serving/pkg/apis/serving/v1"

	core "k8s.io/api/core/v1"

	"aquaerp.fr/knative"
)

const (
	// stableWindow is Knative's default for the annotation window.
	stableWindow = 60 * time.Second
	// lastRequests is how long requests under way may take when the runtime stops.
	lastRequests = 3 * time.Second
)

// platform is everything that runs, in the order in which it is stopped.
type platform struct {
	pings       []*ping
	sources     []*source
	servers     []*server
	services    []*service
	deployments []*daemon
}

// server is an address that the runtime listens to.
type server struct {
	name     string
	listener net.Listener
	http.Server
}

// newPlatform reads the manifests, resolves all they refer to and listens to its addresses; it starts no program yet.
// The error names everything that is missing, not only the first thing.
func newPlatform(c config) (*platform, error) {
	paths := c.manifests
	if c.secrets != "" {
		paths = slices.Concat(paths, []string{c.secrets})
	}
	m, err := knative.Load(paths...)
	if err != nil {
		return nil, err
	}
	p := new(platform)
	if err := p.listen("activator", c.activator); err != nil {
		return nil, err
	}
	activatorURL := "http://" + p.servers[0].listener.Addr().String()
	network := []string{"HTTP_PROXY=" + activatorURL, "NO_PROXY="}

	routes := activator{}
	p.servers[0].Handler = routes
	var errs []error
	failed := func(kind, name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", kind, name, err))
		}
	}
	for _, resource := range m.Services {
		s, err := c.newService(m, resource, network)
		failed("Service", resource.Name, err)
		if err != nil {
			continue
		}
		p.services = append(p.services, s)
		for _, host := range hosts(resource.Name, resource.Namespace) {
			routes[host] = s
		}
	}
	for _, resource := range m.Deployments {
		name := resource.Name
		for n := range resource.Spec.Template.Spec.Containers {
			container := &resource.Spec.Template.Spec.Containers[n]
			program, err := c.container(m, name, resource.Namespace, container, network)
			failed("Deployment", name, err)
			p.deployments = append(p.deployments, &daemon{program: program, listens: listens(container)})
		}
	}
	for _, resource := range m.RabbitmqSources {
		s, err := c.newSource(m, resource, network)
		failed("RabbitmqSource", resource.Name, err)
		p.sources = append(p.sources, s)
	}
	proxy, err := url.Parse(activatorURL)
	failed("activator", activatorURL, err)
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}
	for _, resource := range m.PingSources {
		ping, err := newPing(resource, client)
		failed("PingSource", resource.Name, err)
		p.pings = append(p.pings, ping)
	}

	errs = append(errs, p.listen("admin", c.admin))
	for _, listen := range c.listen {
		s, found := routes[listen[0]]
		if !found {
			failed("listen", listen[0], errors.New("no such Service"))
			continue
		}
		if err := p.listen(listen[0], listen[1]); err != nil {
			errs = append(errs, err)
			continue
		}
		p.servers[len(p.servers)-1].Handler = s
	}
	if err := errors.Join(errs...); err != nil {
		for _, s := range p.servers {
			_ = s.listener.Close()
		}
		return nil, err
	}
	p.servers[1].Handler = p.admin()
	return p, nil
}

func (p *platform) listen(name, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	p.servers = append(p.servers, &server{name: name, listener: listener, Server: http.Server{ReadHeaderTimeout: 10 * time.Second}})
	return nil
}

// newService takes from a Knative Service what has a meaning on one machine.
func (c config) newService(m *knative.Manifests, resource *serving.Service, network []string) (*service, error) {
	template := resource.Spec.Template
	container := &template.Spec.Containers[0]
	number := func(key string, missing int) int {
		if n, err := strconv.Atoi(template.Annotations[key]); err == nil && n > 0 {
			return n
		}
		return missing
	}
	duration := func(key string, missing time.Duration) time.Duration {
		if d, err := time.ParseDuration(template.Annotations[key]); err == nil {
			return d
		}
		return missing
	}
	s := &service{
		concurrency: int(*template.Spec.ContainerConcurrency),
		timeout:     time.Duration(*template.Spec.TimeoutSeconds) * time.Second,
		// Knative wants either; without a maximum it is the machine that sets one.
		maximum: number(autoscaling.MaxScaleAnnotationKey, 10),
		minimum: min(number(autoscaling.MinScaleAnnotationKey, 0), 1),
		idle: duration(autoscaling.WindowAnnotationKey, stableWindow) +
			duration(autoscaling.ScaleToZeroPodRetentionPeriodKey, 0),
		probe:   "/",
		closing: make(chan struct{}),
	}
	if c.idle > 0 {
		s.minimum, s.idle = 0, c.idle
	}
	if probe := container.ReadinessProbe; probe != nil && probe.HTTPGet != nil {
		s.probe = probe.HTTPGet.Path
	} else {
		return nil, errors.New("no readinessProbe of the kind httpGet")
	}
	s.proxy = s.newProxy()
	var err error
	s.program, err = c.container(m, resource.Name, resource.Namespace, container, slices.Concat(network, []string{
		"K_SERVICE=" + resource.Name, "K_CONFIGURATION=" + resource.Name, "K_REVISION=" + resource.Name + "-00001"}))
	return s, err
}

// container is the program of a container of ours.
func (c config) container(m *knative.Manifests, name, namespace string, container *core.Container, extra []string) (program, error) {
	path, err := binary(c.bin, container.Image)
	if err != nil {
		return program{}, err
	}
	env, err := environment(m, namespace, container)
	if err != nil {
		return program{}, err
	}
	if len(container.Command) > 0 {
		return program{}, errors.New("command is not for images of ko: their program is fixed")
	}
	started, err := c.program(name, path, slices.Concat(env, extra))
	started.args = container.Args
	return started, err
}

func (c config) program(name, path string, env []string) (program, error) {
	if _, err := os.Stat(path); err != nil {
		return program{}, err
	}
	output := os.Stderr
	if c.logs != "" {
		if err := os.MkdirAll(c.logs, 0o755); err != nil {
			return program{}, err
		}
		var err error
		output, err = os.OpenFile(filepath.Join(c.logs, name+".log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			return program{}, err
		}
	}
	return program{name: name, path: path, env: env, output: output}, nil
}

// run serves until ctx is done, then stops what runs: first what sends, then the doors, then functions, then what
// publishes for them.
func (p *platform) run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	always, stopDeployments := context.WithCancel(context.WithoutCancel(ctx))
	defer stopDeployments()
	var sources, doors, functions, deployments sync.WaitGroup

	for _, d := range p.deployments {
		deployments.Go(func() { d.run(always) })
	}
	for _, s := range p.servers {
		doors.Go(func() {
			if err := s.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
				stop(fmt.Errorf("%s: %w", s.name, err))
			}
		})
	}
	byBroker := map[string][]*source{}
	for _, s := range p.sources {
		sources.Go(func() { s.run(ctx) })
		byBroker[s.broker] = append(byBroker[s.broker], s)
	}
	for url, theirs := range byBroker {
		sources.Go(func() { watchQueues(ctx, url, theirs) })
	}
	for _, ping := range p.pings {
		sources.Go(func() { ping.run(ctx) })
	}
	p.tend(ctx)

	slog.Info("stopping", "why", context.Cause(ctx))
	sources.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastRequests)
	defer cancel()
	for _, s := range p.servers {
		doors.Go(func() {
			if s.Shutdown(last) != nil {
				_ = s.Close() // a stream that does not end by itself
			}
		})
	}
	doors.Wait()
	for _, s := range p.services {
		functions.Go(s.close)
	}
	functions.Wait()
	stopDeployments()
	deployments.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// tend looks after idle processes until ctx is done.
func (p *platform) tend(ctx context.Context) {
	period := time.Second
	for _, s := range p.services {
		period = min(period, max(s.idle/4, 10*time.Millisecond))
	}
	for {
		for _, s := range p.services {
			s.tend()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(period):
		}
	}
}
