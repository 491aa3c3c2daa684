package signature

import (
	"errors"
	"testing"
	"time"
)

func TestVerify(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	body := []byte(`{"id":"1"}`)
	signed := Sign("new", body, now)
	for name, c := range map[string]struct {
		signature string
		body      string
		secrets   []string
		at        time.Duration
		want      error
	}{
		"as signed":              {signed, string(body), []string{"new"}, 0, nil},
		"while one is renewed":   {signed, string(body), []string{"newer", "new"}, time.Minute, nil},
		"one of two signatures":  {"v1=00," + signed, string(body), []string{"new"}, 0, nil},
		"another body":           {signed, `{"id":"2"}`, []string{"new"}, 0, ErrWrong},
		"another secret":         {signed, string(body), []string{"old"}, 0, ErrWrong},
		"no secret":              {signed, string(body), nil, 0, ErrWrong},
		"an empty secret":        {Sign("", body, now), string(body), []string{""}, 0, ErrWrong},
		"another time":           {"t=1800000001" + signed[len("t=1800000000"):], string(body), []string{"new"}, 0, ErrWrong},
		"too late":               {signed, string(body), []string{"new"}, 6 * time.Minute, ErrStale},
		"too early":              {signed, string(body), []string{"new"}, -6 * time.Minute, ErrStale},
		"nothing":                {"", string(body), []string{"new"}, 0, ErrWrong},
		"not hexadecimal":        {"t=1800000000,v1=zz", string(body), []string{"new"}, 0, ErrWrong},
		"a time that is no time": {"t=x,v1=" + Sign("new", body, now)[16:], string(body), []string{"new"}, 0, ErrWrong},
	} {
		if got := Verify(c.signature, []byte(c.body), c.secrets, now.Add(c.at), 5*time.Minute); !errors.Is(got, c.want) || (c.want == nil) != (got == nil) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestSecretsThatAnybodyGuesses(t *testing.T) {
	const one, two = "un-secret-partage", "un-autre-secret-partage"
	for text, want := range map[string]int{one: 1, one + " ," + two: 2, one + ",": 0, ",": 0, "court": 0, one + ",court": 0} {
		var s Secrets
		if err := s.Decode(text); (err == nil) != (want > 0) || err == nil && (len(s) != want || s[0] != one) {
			t.Errorf("%q: %v, %v", text, s, err)
		}
	}
}
