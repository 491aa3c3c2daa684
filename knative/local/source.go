package main

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	rabbitmq "knative.dev/eventing-rabbitmq/pkg/apis/sources/v1alpha1"
	duck "knative.dev/pkg/apis/duck/v1"

	eventing "knative.dev/eventing/pkg/apis/duck/v1"

	"aquaerp.fr/knative"
)

// adapterLogging keeps the adapter's two lines a message out of its log.
const adapterLogging = `{"zap-logger-config": "{\"level\":\"warn\",\"encoding\":\"json\",\"outputPaths\":[\"stderr\"],\"errorOutputPaths\":[\"stderr\"],` +
	`\"encoderConfig\":{\"timeKey\":\"time\",\"levelKey\":\"level\",\"messageKey\":\"msg\",\"timeEncoder\":\"iso8601\",\"levelEncoder\":\"uppercase\"}}"}`

// source is the adapter of a RabbitmqSource, and what is known of its queue.
type source struct {
	daemon          // its mutex guards queue too
	resource string // name of the RabbitmqSource; the program, and so its log, is source-<resource>
	sink     string
	broker   string // URL, virtual host included
	queue    queue
}

// newSource is the adapter of a RabbitmqSource.
func (c config) newSource(m *knative.Manifests, resource *rabbitmq.RabbitmqSource, network []string) (*source, error) {
	s := &source{resource: resource.Name, queue: queue{Name: resource.Spec.RabbitmqResourcesConfig.QueueName}}
	var err error
	if s.broker, err = brokerURL(m, resource); err != nil {
		return nil, err
	}
	if s.sink, err = sinkURL(resource.Spec.Sink, resource.Namespace); err != nil {
		return nil, err
	}
	env := adapterEnvironment(resource, s.broker, s.sink)
	s.broker = strings.TrimSuffix(s.broker+"/"+strings.TrimPrefix(resource.Spec.RabbitmqResourcesConfig.Vhost, "/"), "/")
	s.program, err = c.program("source-"+resource.Name, filepath.Join(c.bin, "adapter"), slices.Concat(env, network))
	return s, err
}

// adapterEnvironment is what the RabbitmqSource controller gives its receive adapter
// (eventing-rabbitmq v0.48.0, pkg/reconciler/source/resources/receive_adapter.go).
func adapterEnvironment(s *rabbitmq.RabbitmqSource, broker, sink string) []string {
	resources, parallelism := s.Spec.RabbitmqResourcesConfig, 1 // the default of the resource's schema
	if resources.Parallelism != nil {
		parallelism = *resources.Parallelism
	}
	env := []string{
		"RABBIT_URL=" + broker,
		"RABBITMQ_CHANNEL_PARALLELISM=" + strconv.Itoa(parallelism),
		"RABBITMQ_EXCHANGE_NAME=" + resources.ExchangeName,
		"RABBITMQ_QUEUE_NAME=" + resources.QueueName,
		"RABBITMQ_PREDECLARED=" + strconv.FormatBool(resources.Predeclared),
		"RABBITMQ_VHOST=" + resources.Vhost,
		"K_SINK=" + sink,
		"NAME=" + s.Name,
		"NAMESPACE=" + s.Namespace,
		"K_LOGGING_CONFIG=" + adapterLogging,
		"K_OBSERVABILITY_CONFIG={}",
		"K_SINK_TIMEOUT=-1", // no timeout, which is what the controller's silence means; unset, each start logs a warning
	}
	if delivery := s.Spec.Delivery; delivery != nil {
		policy := eventing.BackoffPolicyExponential
		if delivery.BackoffPolicy != nil {
			policy = *delivery.BackoffPolicy
		}
		env = append(env, "HTTP_SENDER_BACKOFF_POLICY="+string(policy))
		if delivery.Retry != nil {
			env = append(env, fmt.Sprintf("HTTP_SENDER_RETRY=%d", *delivery.Retry))
		}
		if delivery.BackoffDelay != nil {
			env = append(env, "HTTP_SENDER_BACKOFF_DELAY="+*delivery.BackoffDelay)
		}
	}
	return env
}

// brokerURL is built as eventing-rabbitmq does, its limits included: the user and password are not escaped, and a
// port inside uri is dropped for the key port (Rabbit.RabbitMQURL in pkg/rabbit/service.go).
func brokerURL(m *knative.Manifests, s *rabbitmq.RabbitmqSource) (string, error) {
	cluster := s.Spec.RabbitmqClusterReference
	if cluster == nil || cluster.ConnectionSecret == nil {
		return "", errors.New("no connectionSecret: there is no cluster operator here to ask")
	}
	values := map[string]string{}
	for _, key := range []string{"uri", "username", "password"} {
		value, _, err := one(m.Secrets, "Secret", cluster.Namespace, cluster.ConnectionSecret.Name, key, nil)
		if err != nil {
			return "", err
		}
		values[key] = value
	}
	protocol, uri := "amqp", strings.TrimPrefix(values["uri"], "http://")
	if strings.HasPrefix(strings.ToLower(uri), "https") {
		protocol, uri = "amqps", strings.TrimPrefix(uri, "https://")
	}
	host, _, _ := strings.Cut(uri, ":")
	port := cmp.Or(m.Secrets[cluster.Namespace+"/"+cluster.ConnectionSecret.Name]["port"], "5672")
	return fmt.Sprintf("%s://%s:%s@%s:%s", protocol, values["username"], values["password"], host, port), nil
}

// sinkURL is the address of a sink; Services are the only kind of reference there is here.
func sinkURL(sink *duck.Destination, namespace string) (string, error) {
	switch {
	case sink == nil || sink.Ref == nil && sink.URI == nil:
		return "", errors.New("no sink")
	case sink.Ref == nil:
		return sink.URI.String(), nil
	case sink.Ref.Kind != "Service" || !strings.HasPrefix(sink.Ref.APIVersion, "serving.knative.dev/"):
		return "", fmt.Errorf("sink %s %s is not a Knative Service", sink.Ref.APIVersion, sink.Ref.Kind)
	}
	url := "http://" + sink.Ref.Name + "." + cmp.Or(sink.Ref.Namespace, namespace) + ".svc.cluster.local"
	if sink.URI != nil {
		url += sink.URI.String()
	}
	return url, nil
}
