package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func TestMain(m *testing.M) { functiontest.Main(m) }

// bundle is a gateway with its functions behind it, as in production but for
// the activator: a router that knows their addresses stands in its place.
type bundle struct {
	db      functiontest.Database
	url     string
	private jose.JSONWebKey
	keys    struct{ Private, Public string } // as `auth cles` prints them
	router  *http.ServeMux
}

// relaxed never slows a test down.
var relaxed = settings{UserRate: 1e6, UserBurst: 1e6, AddressRate: 1e6, AddressBurst: 1e6, LoginRate: 1e6, LoginBurst: 1e6}

// setup starts a gateway without functions.
func setup(t *testing.T, s settings) *bundle {
	t.Helper()
	b := &bundle{router: http.NewServeMux()}
	out, err := exec.Command(binary(t, "auth"), "cles").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(json.Unmarshal(out, &b.keys), json.Unmarshal([]byte(b.keys.Private), &b.private)); err != nil {
		t.Fatal(err)
	}
	router := httptest.NewServer(b.router)
	t.Cleanup(router.Close)
	rt, err := function.NewRuntime(t.Context(), "gateway", b.config(router.URL+"/{service}"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newGateway(rt, s).handler())
	t.Cleanup(func() { server.Close(); rt.Close(context.Background()) })
	b.url = server.URL
	return b
}

func (b *bundle) config(functionURL string) function.Config {
	return function.Config{
		Revision: "test", DatabaseMaxConns: 4, StatementTimeout: 30 * time.Second, RequestTimeout: 55 * time.Second,
		TokenKeys: b.keys.Public, FunctionURL: functionURL, LogLevel: "error",
	}
}

// database clones the test's database on first use.
func (b *bundle) database(t *testing.T) functiontest.Database {
	t.Helper()
	if b.db == (functiontest.Database{}) {
		b.db = functiontest.NewDatabase(t)
	}
	return b.db
}

// serve puts a table of the test behind the gateway, in the name of a
// function. It logs in to the database as auth: its queries touch no table.
func (b *bundle) serve(t *testing.T, name string, listens ...function.Listen) {
	t.Helper()
	c := b.config("")
	c.DatabaseURL = b.database(t).URL("auth")
	rt, err := function.NewRuntime(t.Context(), name, c)
	if err != nil {
		t.Fatal(err)
	}
	h, err := rt.Handler(listens)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rt.Close(context.Background()) })
	b.router.Handle("/"+message.Service(name)+"/", http.StripPrefix("/"+message.Service(name), h))
}

// run puts a real function behind the gateway, as a process.
func (b *bundle) run(t *testing.T, name string, env ...string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	_, port, _ := net.SplitHostPort(address)
	cmd := exec.Command(binary(t, name))
	cmd.Env = append(os.Environ(), append(env, "PORT="+port, "LOG_LEVEL=error", "TOKEN_KEYS="+b.keys.Public, "DATABASE_URL="+b.database(t).URL(name))...)
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, log.Bytes())
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		res, err := http.Get("http://" + address + "/health")
		if err == nil {
			res.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not answer: %v\n%s", name, err, log.Bytes())
		}
	}
	target, err := url.Parse("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	b.router.Handle("/"+message.Service(name)+"/", http.StripPrefix("/"+message.Service(name), httputil.NewSingleHostReverseProxy(target)))
}

// runAuth puts auth behind the gateway, with a first administrator.
func (b *bundle) runAuth(t *testing.T) {
	t.Helper()
	cmd := exec.Command(binary(t, "auth"), "premier-administrateur", "-email", "admin@regie.example")
	cmd.Env = append(os.Environ(), "DATABASE_URL="+b.database(t).URL("auth"))
	cmd.Stdin = strings.NewReader(password)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b.run(t, "auth", "TOKEN_PRIVATE_KEY="+b.keys.Private, "PORTAL_URL=https://eau.example")
}

const password = "un mot de passe long"

// binary builds a function once.
func binary(t *testing.T, name string) string {
	t.Helper()
	path, err := build(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var (
	builds   = map[string]string{}
	building sync.Mutex
)

func build(name string) (string, error) {
	building.Lock()
	defer building.Unlock()
	if path := builds[name]; path != "" {
		return path, nil
	}
	// One place, written over by the next run: tests of a process share the
	// binary, and nothing is left to clean up after the last of them.
	path := filepath.Join(os.TempDir(), fmt.Sprintf("aquaerp-gateway-test-%d", os.Getuid()), name)
	if out, err := exec.Command("go", "build", "-o", path, "aquaerp.fr/functions/"+name).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", name, err, out)
	}
	builds[name] = path
	return path, nil
}

// token is what auth would give to the identity.
func (b *bundle) token(t *testing.T, id function.Identity) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: b.private}, (&jose.SignerOptions{}).WithType(function.TokenType))
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(s).Claims(jwt.Claims{
		Subject: id.ID, Issuer: function.TokenIssuer, Audience: jwt.Audience{function.TokenAudience},
		Expiry: jwt.NewNumericDate(time.Now().Add(10 * time.Minute)),
	}).Claims(function.TokenClaims{Nom: id.Nom, Role: id.Role, AbonneID: id.AbonneID, Droits: id.Droits}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// client sends requests as one browser, with cookies and maybe a token.
type client struct {
	b     *bundle
	token string
	http  *http.Client
}

func (b *bundle) as(t *testing.T, id function.Identity) *client {
	t.Helper()
	c := b.anonymous(t)
	c.token = b.token(t, id)
	return c
}

func (b *bundle) anonymous(t *testing.T) *client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &client{b: b, http: &http.Client{Jar: jar}}
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body []byte
}

// send sends a request; headers are pairs of name and value.
func (c *client) send(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.b.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res, raw}
}

func (c *client) get(t *testing.T, path string) answer { t.Helper(); return c.send(t, "GET", path, "") }

// post sends a command with a new key.
func (c *client) post(t *testing.T, path string, body any) answer {
	t.Helper()
	return c.postWith(t, function.NewID(), path, body)
}

func (c *client) postWith(t *testing.T, key, path string, body any) answer {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return c.send(t, "POST", path, string(raw), keyHeader, key)
}

// read decodes the body of an answer that must have the status.
func read[T any](t *testing.T, a answer, status int) (v T) {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("%s %s: %s %s", a.Request.Method, a.Request.URL.Path, a.Status, a.body)
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	return v
}

// refused checks that an answer is a whole refusal and returns it.
func refused(t *testing.T, a answer, status int, code string) message.Problem {
	t.Helper()
	var p message.Problem
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Errorf("%s: %v", a.body, err)
		return p
	}
	if a.StatusCode != status || p.Status != status || p.Code != code {
		t.Errorf("%s %s: got %d %s, want %d %s: %s", a.Request.Method, a.Request.URL.Path, a.StatusCode, p.Code, status, code, a.body)
	}
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q", got)
	}
	if p.Detail == "" || p.DetailEN == "" || p.Detail == p.DetailEN || p.TypeURI == "" || p.Title == "" || p.TraceID == "" {
		t.Errorf("refusal lacks something: %s", a.body)
	}
	for _, f := range p.Errors {
		if f.Code == "" || f.Detail == "" || f.DetailEN == "" {
			t.Errorf("field lacks something: %+v", f)
		}
	}
	return p
}
