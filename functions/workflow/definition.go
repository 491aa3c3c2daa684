package main

import (
	"encoding/json"
	"fmt"
	"slices"
)

// definition is a version of a process.
//
// Its steps are listed so that each comes after those it waits for: the list
// is its own proof that the graph has no cycle. Branches run side by side and
// meet in a step that names them all.
type definition struct {
	Code        string      `json:"-"`
	Version     int         `json:"-"`
	Titre       string      `json:"titre"`
	Declencheur string      `json:"declencheur"` // type of the event that starts a plan
	Annulation  string      `json:"annulation"`  // type of the event that cancels it
	Etapes      []etapeType `json:"etapes"`
}

// etapeType is a step of a definition. Action, Date, Evenement and Echec are
// names in the vocabulary.
type etapeType struct {
	Code   string   `json:"code"`
	Titre  string   `json:"titre"`
	Nature string   `json:"nature"`
	Apres  []string `json:"apres"` // steps that must be done before; none: at the start

	Action     string     `json:"action"`
	Parametres parametres `json:"parametres"`
	Delai      int        `json:"delai_minutes"` // without an answer by then, an ACTION has failed

	Date string `json:"date"` // an ATTENTE_DATE ends on that day

	Evenement string `json:"evenement"` // an ATTENTE_EVENEMENT ends with it...
	Echec     string `json:"echec"`     // ...or fails with that one
	ReprendA  string `json:"reprend_a"` // where a failed plan starts again; the step itself when empty
}

// The natures of steps.
const (
	action           = "ACTION"
	attenteDate      = "ATTENTE_DATE"
	attenteEvenement = "ATTENTE_EVENEMENT"
	fin              = "FIN"
)

// lireDefinition reads and checks a version.
func lireDefinition(code string, version int, contenu []byte) (*definition, error) {
	d := &definition{Code: code, Version: version}
	if err := json.Unmarshal(contenu, d); err != nil {
		return nil, fmt.Errorf("definition %s v%d: %w", code, version, err)
	}
	if err := d.verifier(); err != nil {
		return nil, fmt.Errorf("definition %s v%d: %w", code, version, err)
	}
	return d, nil
}

// verifier tells what keeps a definition from running to its end.
func (d *definition) verifier() error {
	rang := map[string]int{}
	suivie := make([]bool, len(d.Etapes))
	for i, e := range d.Etapes {
		if _, deja := rang[e.Code]; deja || e.Code == "" {
			return fmt.Errorf("step %q has no code of its own", e.Code)
		}
		for _, avant := range e.Apres {
			j, connue := rang[avant]
			if !connue {
				return fmt.Errorf("step %s comes after %q, which is not before it", e.Code, avant)
			}
			suivie[j] = true
		}
		rang[e.Code] = i
		if err := e.verifier(); err != nil {
			return fmt.Errorf("step %s: %w", e.Code, err)
		}
		if _, connue := rang[e.ReprendA]; e.ReprendA != "" && !connue {
			return fmt.Errorf("step %s starts again at %q, which is not before it", e.Code, e.ReprendA)
		}
		if last := i == len(d.Etapes)-1; (e.Nature == fin) != last {
			return fmt.Errorf("step %s: the last step, and no other, is of nature %s", e.Code, fin)
		}
	}
	for i, e := range d.Etapes {
		if !suivie[i] && e.Nature != fin {
			return fmt.Errorf("step %s leads nowhere", e.Code)
		}
	}
	if len(d.Etapes) == 0 {
		return fmt.Errorf("no steps")
	}
	return nil
}

func (e *etapeType) verifier() error {
	known := func(ok bool, kind, name string) error {
		if !ok {
			return fmt.Errorf("no %s is named %q", kind, name)
		}
		return nil
	}
	switch e.Nature {
	case action:
		if e.Delai <= 0 {
			return fmt.Errorf("an %s needs a time to answer", action)
		}
		_, ok := actions[e.Action]
		return known(ok, "action", e.Action)
	case attenteDate:
		_, ok := dates[e.Date]
		return known(ok, "date", e.Date)
	case attenteEvenement:
		if _, ok := evenements[e.Evenement]; !ok {
			return known(ok, "event", e.Evenement)
		}
		if e.Echec == "" {
			return nil
		}
		if e.ReprendA == "" || e.ReprendA == e.Code {
			// The event that failed it would fail it again.
			return fmt.Errorf("a wait that may fail starts again at a step before it")
		}
		_, ok := evenements[e.Echec]
		return known(ok, "event", e.Echec)
	case fin:
		return nil
	}
	return known(false, "nature", e.Nature)
}

// depuis are the step at rang and all that come after it.
func (d *definition) depuis(rang int) []int {
	out, codes := []int{rang}, []string{d.Etapes[rang].Code}
	for i := rang + 1; i < len(d.Etapes); i++ {
		if slices.ContainsFunc(d.Etapes[i].Apres, func(a string) bool { return slices.Contains(codes, a) }) {
			out, codes = append(out, i), append(codes, d.Etapes[i].Code)
		}
	}
	return out
}

func (d *definition) rang(code string) int {
	return slices.IndexFunc(d.Etapes, func(e etapeType) bool { return e.Code == code })
}
