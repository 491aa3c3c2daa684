package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"aquaerp.fr/scripts/cluster"
)

// Record is the ConfigMap that says what the cluster runs.
const Record = "release"

// Dirty ends the revision of a unit that was deployed from a checkout with
// changes that were not committed.
const Dirty = "-dirty"

// Deployed is what the record says of a unit.
type Deployed struct {
	Revision string // the commit
	At       time.Time
	Overlay  string
	Images   []string // by digest
}

// Recorded is the ConfigMap's content: a Deployed as JSON under each unit.
type Recorded struct {
	Data       map[string]string
	BinaryData map[string][]byte
}

// Read reads the record; it is empty where nothing was deployed yet.
func Read(ctx context.Context) (Recorded, error) {
	list, err := cluster.Get[struct{ Items []Recorded }](ctx, "configmap", "--field-selector=metadata.name="+Record)
	r := Recorded{}
	if len(list.Items) > 0 {
		r = list.Items[0]
	}
	if r.Data == nil {
		r.Data = map[string]string{}
	}
	if r.BinaryData == nil {
		r.BinaryData = map[string][]byte{}
	}
	return r, err
}

// Overlay is the one that is asked for, or what was deployed last.
func (r Recorded) Overlay(asked string) (string, error) {
	if asked != "" {
		return path.Clean(asked), nil
	}
	units, err := r.Units()
	if err != nil {
		return "", err
	}
	var last Deployed
	for _, d := range units {
		if d.At.After(last.At) {
			last = d
		}
	}
	if last.Overlay == "" {
		return "", errors.New("nothing was deployed yet: which overlay? -overlay, or AQUAERP_OVERLAY")
	}
	return last.Overlay, nil
}

// Units is what is recorded of each unit.
func (r Recorded) Units() (map[string]Deployed, error) {
	units := map[string]Deployed{}
	for _, unit := range slices.Sorted(maps.Keys(r.Data)) {
		var d Deployed
		if err := json.Unmarshal([]byte(r.Data[unit]), &d); err != nil {
			return nil, fmt.Errorf("release: record of %s: %w", unit, err)
		}
		units[unit] = d
	}
	return units, nil
}

// Images lists the images that an object runs, once they have digests.
func (o Object) Images() []string {
	var images []string
	walk(o.Content, func(s string) string {
		if strings.Contains(s, "@sha256:") {
			images = append(images, s)
		}
		return s
	})
	return images
}
