package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// FirstAdministrator makes the user who makes the others, by auth's own
// command inside a pod of auth, which a request through the public host wakes.
// It returns the pod's name. Made before, the user stays.
func FirstAdministrator(ctx context.Context, email, password string) (pod string, err error) {
	public, err := Public()
	if err != nil {
		return "", err
	}
	var refusal error
	_, err = Until(ctx, time.Minute, func(ctx context.Context) (bool, error) {
		if err := wakeAuth(ctx, public); err != nil {
			return false, err
		}
		pods, err := Pods(ctx, Of("auth-service"))
		ready := Serving(pods)
		if err != nil || len(ready) == 0 {
			return false, err
		}
		pod = ready[0].Name
		_, refusal = KubectlWith(ctx, strings.NewReader(password+"\n"), "exec", "--stdin", pod, "--container", ready[0].Program, "--",
			"/ko-app/auth", "premier-administrateur", "-email", email)
		return refusal == nil, refusal
	})
	return pod, errors.Join(err, refusal)
}

// wakeAuth asks who nobody is.
func wakeAuth(ctx context.Context, public *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, API()+"/v1/sessions", strings.NewReader(`{"identifiant":"personne@aquaerp.example","mot_de_passe":"personne-du-tout"}`))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := public.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	// Slowed down after several tries, it is awake all the same.
	if err == nil && res.StatusCode != http.StatusUnauthorized && res.StatusCode != http.StatusTooManyRequests {
		err = fmt.Errorf("a login of nobody: %s: %.200s", res.Status, body)
	}
	return err
}
