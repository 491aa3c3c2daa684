package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"mime"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// letter is what we know of a dead letter.
type letter struct {
	queue       string // where it died
	event       bool   // a CloudEvent as we publish them
	source, id  string // "" and the content's SHA-256 when it is none
	messageType string
	reason      string
	deaths      []death
	contentType string
}

// death is an entry of the broker's x-death header.
type death struct {
	Queue  string    `json:"queue"`
	Reason string    `json:"reason"`
	Count  int64     `json:"count"`
	Time   time.Time `json:"time"`
}

// read never fails: whatever it is, a person must be able to see it.
func read(d amqp.Delivery) letter {
	l := letter{
		queue:       text(d.RoutingKey), // as the queues' arguments say
		reason:      "unknown",
		deaths:      deaths(d.Headers),
		contentType: text(d.ContentType),
	}
	if len(l.deaths) > 0 { // the newest is first
		l.queue, l.reason = l.deaths[0].Queue, l.deaths[0].Reason
	}
	var event struct {
		SpecVersion string `json:"specversion"`
		ID          string `json:"id"`
		Source      string `json:"source"`
		Type        string `json:"type"`
	}
	mediaType, _, err := mime.ParseMediaType(d.ContentType)
	l.event = err == nil && mediaType == "application/cloudevents+json" && json.Unmarshal(d.Body, &event) == nil &&
		event.SpecVersion != "" && event.ID != "" && event.Source != "" && event.Type != ""
	if l.event {
		l.source, l.id, l.messageType = text(event.Source), text(event.ID), text(event.Type)
		return l
	}
	sum := sha256.Sum256(d.Body)
	l.id = hex.EncodeToString(sum[:])
	return l
}

func deaths(headers amqp.Table) []death {
	list, _ := headers["x-death"].([]any)
	all := []death{} // an array in the table, never null
	for _, entry := range list {
		table, ok := entry.(amqp.Table)
		if !ok {
			continue
		}
		queue, _ := table["queue"].(string)
		reason, _ := table["reason"].(string)
		count, _ := table["count"].(int64)
		at, _ := table["time"].(time.Time)
		all = append(all, death{text(queue), text(reason), count, at.UTC()})
	}
	return all
}

// text is what PostgreSQL stores of any bytes.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
