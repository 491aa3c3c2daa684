// Command adapter is the RabbitmqSource of one queue, for a machine without a cluster: the receive adapter of
// knative.dev/eventing-rabbitmq itself, in the environment its controller would give it, minus the Kubernetes client
// that its own main insists on.
//
// One process serves one source, as in a cluster, for a reason the adapter gives itself: when RabbitMQ has been away
// for some six seconds it ends its process, and counts on being started again.
package main

import (
	"context"
	"log"
	"os/signal"
	"syscall"

	"github.com/kelseyhightower/envconfig"
	rabbitmq "knative.dev/eventing-rabbitmq/pkg/adapter"
	"knative.dev/eventing/pkg/adapter/v2"
	"knative.dev/pkg/logging"
)

func main() {
	stopping, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	env := rabbitmq.NewEnvConfig()
	if err := envconfig.Process("", env); err != nil {
		log.Fatal(err)
	}
	client, err := adapter.NewClient(adapter.ClientConfig{Env: env})
	if err != nil {
		log.Fatal(err)
	}
	// Only the start is told of the signal. Deliveries under way keep a context that nobody cancels: cancelled ones
	// would be rejected, and good messages dead-lettered, at every stop.
	ctx := logging.WithLogger(context.Background(), env.GetLogger())
	if err := rabbitmq.NewAdapter(ctx, env, client).Start(stopping); err != nil {
		log.Fatal(err)
	}
}
