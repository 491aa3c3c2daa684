package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"aquaerp.fr/shared/message"
)

const script = "console.log('aquaerp')"

// dist is an application as the build lays it out.
func dist(t *testing.T) fstest.MapFS {
	t.Helper()
	var zipped strings.Builder
	w := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(w, script)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{
		"index.html":            {Data: []byte(`<meta property="csp-nonce" nonce="__CSP_NONCE__"><script nonce="__CSP_NONCE__" src="/assets/app-B1.js"></script>`)},
		"robots.txt":            {Data: []byte("User-agent: *\n")},
		"assets/app-B1.js":      {Data: []byte(script)},
		"assets/app-B1.js.gz":   {Data: []byte(zipped.String())},
		"assets/app-B1.js.br":   {Data: []byte("brotli")},
		"assets/inter-C2.woff2": {Data: []byte("font")},
	}
}

// start serves an application in front of a gateway.
func start(t *testing.T, files fstest.MapFS, gateway http.HandlerFunc) *httptest.Server {
	t.Helper()
	behind := httptest.NewServer(gateway)
	t.Cleanup(behind.Close)
	h, err := newHandler(files, behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(h)
	t.Cleanup(front.Close)
	return front
}

func get(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	front := start(t, dist(t), http.NotFound)
	for _, c := range []struct {
		path, accept string
		status       int
		header       map[string]string
		body         string
	}{
		{path: "/assets/app-B1.js", accept: "identity", status: 200, body: script,
			header: map[string]string{"Cache-Control": "public, max-age=31536000, immutable", "Content-Encoding": "", "Vary": "Accept-Encoding"}},
		{path: "/assets/app-B1.js", accept: "gzip, br", status: 200, body: "brotli",
			header: map[string]string{"Content-Encoding": "br", "Content-Type": "application/javascript"}},
		{path: "/assets/inter-C2.woff2", accept: "gzip, br", status: 200, body: "font",
			header: map[string]string{"Content-Encoding": "", "Content-Type": "font/woff2"}},
		{path: "/robots.txt", status: 200, body: "User-agent: *\n", header: map[string]string{"Cache-Control": "no-cache"}},
		{path: "/assets/app-A0.js", status: 404, body: "404 page not found\n", header: map[string]string{"Cache-Control": ""}},
		{path: "/assets/", status: 404, body: "404 page not found\n"},
		{path: "/.env", status: 404, body: "404 page not found\n"},
	} {
		response, body := get(t, front.URL+c.path, "Accept-Encoding", c.accept)
		if response.StatusCode != c.status || body != c.body {
			t.Errorf("%s (%s): %d %q, want %d %q", c.path, c.accept, response.StatusCode, body, c.status, c.body)
		}
		if got := response.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: X-Content-Type-Options %q", c.path, got)
		}
		for name, want := range c.header {
			if got := response.Header.Get(name); got != want {
				t.Errorf("%s (%s): %s %q, want %q", c.path, c.accept, name, got, want)
			}
		}
	}
}

func TestEveryAddressIsThePage(t *testing.T) {
	t.Parallel()
	front := start(t, dist(t), http.NotFound)
	nonces := map[string]bool{}
	for _, path := range []string{"/", "/abonnes", "/lots/0197a1f2/", "/connexion?vers=%2Flots"} {
		response, body := get(t, front.URL+path)
		policy := response.Header.Get("Content-Security-Policy")
		nonce := regexp.MustCompile(`'nonce-(\w{20,})'`).FindStringSubmatch(policy)
		if response.StatusCode != 200 || nonce == nil {
			t.Fatalf("%s: %d, policy %q", path, response.StatusCode, policy)
		}
		if strings.Contains(body, placeholder) || strings.Count(body, `nonce="`+nonce[1]+`"`) != 2 {
			t.Errorf("%s: the page does not carry the nonce of its policy: %s", path, body)
		}
		if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if got := response.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
		nonces[nonce[1]] = true
	}
	if len(nonces) != 4 {
		t.Errorf("4 pages share %d nonces", len(nonces))
	}
}

func TestOnlyReads(t *testing.T) {
	t.Parallel()
	front := start(t, dist(t), http.NotFound)
	response, err := http.Post(front.URL+"/abonnes", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST of a page: %d, Allow %q", response.StatusCode, response.Header.Get("Allow"))
	}
}

func TestNotBuilt(t *testing.T) {
	t.Parallel()
	files := dist(t)
	delete(files, "index.html")
	response, body := get(t, start(t, files, http.NotFound).URL+"/")
	if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "npm run build") {
		t.Errorf("%d %q", response.StatusCode, body)
	}
}

func TestAPI(t *testing.T) {
	t.Parallel()
	front := start(t, dist(t), func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "aquaerp_refresh", Value: "r", HttpOnly: true})
		w.WriteHeader(http.StatusTeapot)
		_ = json.NewEncoder(w).Encode([]string{r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("X-Forwarded-For"),
			r.Header.Get("X-Forwarded-Proto"), r.Header.Get("X-Forwarded-Host")})
	})
	host := strings.TrimPrefix(front.URL, "http://")
	for _, c := range []struct {
		name   string
		header []string
		want   []string
	}{
		{"a browser", []string{"Authorization", "Bearer t"}, []string{"/v1/abonnes?q=a%2Fb", "Bearer t", "127.0.0.1", "http", host}},
		{"through an ingress", []string{"X-Forwarded-For", "192.0.2.7", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "eau.example"},
			[]string{"/v1/abonnes?q=a%2Fb", "", "192.0.2.7, 127.0.0.1", "https", "eau.example"}},
	} {
		response, body := get(t, front.URL+"/api/v1/abonnes?q=a%2Fb", c.header...)
		want, _ := json.Marshal(c.want)
		if response.StatusCode != http.StatusTeapot || strings.TrimSpace(body) != string(want) {
			t.Errorf("%s: %d %s, want %s", c.name, response.StatusCode, body, want)
		}
		if got := response.Header.Get("Set-Cookie"); got != "aquaerp_refresh=r; HttpOnly" {
			t.Errorf("%s: Set-Cookie %q", c.name, got)
		}
	}
}

// An event reaches the browser while the gateway's answer is still open: the
// gateway sends the second one only when the first has arrived.
func TestEventsPassAtOnce(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	front := start(t, dist(t), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-arrived:
			_, _ = io.WriteString(w, "data: 2\n\n")
		case <-r.Context().Done():
		}
	})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, front.URL+"/api/v1/lots/1/suivi", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var got []string
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if lines.Text() == "" {
			continue
		}
		if got = append(got, lines.Text()); len(got) == 1 {
			close(arrived)
		}
	}
	if strings.Join(got, ",") != "data: 1,data: 2" {
		t.Errorf("events %q", got)
	}
}

func TestGatewayAway(t *testing.T) {
	t.Parallel()
	behind := httptest.NewServer(http.NotFoundHandler())
	behind.Close()
	h, err := newHandler(dist(t), behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(h)
	t.Cleanup(front.Close)
	response, body := get(t, front.URL+"/api/v1/moi")
	var p message.Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != 503 || p.Status != 503 || p.Code != "indisponible" || response.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s %s", response.StatusCode, response.Header.Get("Content-Type"), body)
	}
}

func TestGatewayURL(t *testing.T) {
	t.Parallel()
	if _, err := newHandler(dist(t), "api-gateway"); err == nil {
		t.Error("an address without a host was taken")
	}
}
