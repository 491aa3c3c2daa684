package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"aquaerp.fr/shared/message"
)

const draft = "https://json-schema.org/draft/2020-12/schema"

// generate returns every document by its path in the folder.
func generate() (map[string][]byte, error) {
	files := map[string][]byte{}
	doc := newAsyncAPI()
	add := func(name string, payload any, kind string) error {
		schema, err := schemaOf(name, payload, kind == string(message.Event) || kind == "reply")
		if err != nil {
			return err
		}
		files["schemas/"+name+".json"] = schema
		doc.message(name, kind)
		return nil
	}
	for _, e := range message.Catalogue() {
		name := e.Payload.Type()
		if err := add(name, e.Payload, string(e.Kind)); err != nil {
			return nil, err
		}
		if e.Reply != nil {
			if err := add(message.ReplyType(name), e.Reply, "reply"); err != nil {
				return nil, err
			}
		}
		doc.operation(e)
	}
	if err := add(message.Problem{}.Type(), message.Problem{}, "refusal"); err != nil {
		return nil, err
	}
	raw, err := encode(doc.root)
	files["asyncapi.json"] = raw
	return files, err
}

func encode(v any) ([]byte, error) {
	raw, err := json.MarshalIndent(v, "", "  ")
	return append(raw, '\n'), err
}

// schemaOf is the JSON Schema of a payload with everything it refers to. What
// a function says may grow, so readers must pass over fields that they do not
// know (open); what it is asked is read strictly.
func schemaOf(name string, payload any, open bool) ([]byte, error) {
	r := huma.NewMapRegistry("#/$defs/", huma.DefaultSchemaNamer)
	t := reflect.TypeOf(payload)
	r.Schema(t, true, "")
	root := huma.DefaultSchemaNamer(t, "")
	raw, err := json.Marshal(map[string]any{"$defs": r.Map()})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var s map[string]any
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if open {
		for _, def := range s["$defs"].(map[string]any) {
			delete(def.(map[string]any), "additionalProperties")
		}
	}
	s["$schema"], s["$id"], s["$ref"] = draft, "https://aquaerp.fr/schemas/"+name+".json", "#/$defs/"+root
	s["title"] = name
	return encode(s)
}

// asyncAPI is the document under construction.
type asyncAPI struct {
	root                           map[string]any
	channels, operations, messages map[string]any
}

func newAsyncAPI() *asyncAPI {
	a := &asyncAPI{channels: map[string]any{}, operations: map[string]any{}, messages: map[string]any{}}
	a.root = map[string]any{
		"asyncapi": "3.0.0",
		"info": map[string]any{
			"title": "AquaERP", "version": "1.0.0",
			"description": "Every message between the functions of AquaERP: structured CloudEvents (application/cloudevents+json) on the topic exchange aquaerp.events, routed by type. Shapes only grow.",
		},
		"defaultContentType": "application/cloudevents+json",
		"channels":           a.channels,
		"operations":         a.operations,
		"components":         map[string]any{"messages": a.messages},
	}
	return a
}

// key is a message type as a key of the document.
func key(name string) string { return strings.ReplaceAll(name, ".", "_") }

func (a *asyncAPI) message(name, kind string) {
	a.messages[key(name)] = map[string]any{
		"name": name, "title": name, "summary": "A " + kind + " of " + message.Owner(name),
		"tags":    []any{map[string]any{"name": kind}},
		"payload": map[string]any{"$ref": "schemas/" + name + ".json"},
	}
	a.channels[key(name)] = map[string]any{
		"address":  name,
		"messages": map[string]any{key(name): map[string]any{"$ref": "#/components/messages/" + key(name)}},
	}
}

// operation says what the owner does with a message: it receives requests,
// and sends replies and events.
func (a *asyncAPI) operation(e message.Entry) {
	name := e.Payload.Type()
	channel := map[string]any{"$ref": "#/channels/" + key(name)}
	op := map[string]any{"action": "send", "channel": channel}
	if e.Kind != message.Event {
		op["action"] = "receive"
		op["reply"] = map[string]any{"channel": map[string]any{"$ref": "#/channels/" + key(message.ReplyType(name))}}
	}
	a.operations[key(name)] = op
}
