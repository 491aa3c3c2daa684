package function

import (
	"errors"
	"fmt"
	"time"

	"github.com/kelseyhightower/envconfig"
)

// Config is what every function reads from its environment.
type Config struct {
	Port             string        `envconfig:"PORT" default:"8080"`
	Revision         string        `envconfig:"K_REVISION" default:"local"`
	DatabaseURL      string        `envconfig:"DATABASE_URL"`
	DatabaseMaxConns int32         `envconfig:"DATABASE_MAX_CONNS" default:"4"`
	StatementTimeout time.Duration `envconfig:"DATABASE_STATEMENT_TIMEOUT" default:"30s"`
	TokenKeys        string        `envconfig:"TOKEN_KEYS"`
	FunctionURL      string        `envconfig:"FUNCTION_URL" default:"http://{service}.aquaerp.svc.cluster.local"`
	RequestTimeout   time.Duration `envconfig:"REQUEST_TIMEOUT" default:"55s"`
	DrainTimeout     time.Duration `envconfig:"DRAIN_TIMEOUT" default:"25s"`
	LogLevel         string        `envconfig:"LOG_LEVEL" default:"info"`
}

// Configure reads a function's own settings from its environment into the
// struct that into points to (envconfig tags). A missing or malformed setting
// stops the start with a message that names it. When the function only lists
// what it listens to, nothing is read.
func (rt *Runtime) Configure(into any) {
	if rt.listing {
		return
	}
	if err := readEnvironment(into); err != nil && rt.err == nil {
		rt.err = err
	}
}

// readEnvironment fills a struct by its envconfig tags. The error names the
// variable, never its value: it may be a secret.
func readEnvironment(into any) error {
	err := envconfig.Process("", into)
	var parse *envconfig.ParseError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &parse):
		return fmt.Errorf("configuration: %s cannot be read as %s", parse.KeyName, parse.TypeName)
	}
	return fmt.Errorf("configuration: %w", err)
}
