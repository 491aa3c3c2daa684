package terminal

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aquaerp.fr/shared/signature"
)

const secret = "secret-partage-de-test"

// service is what the terminal tells.
type service struct {
	mu     sync.Mutex
	told   []Notification
	refuse int // answers 503 so many times first
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	var n Notification
	if signature.Verify(r.Header.Get("Signature"), body, []string{secret}, time.Now(), time.Minute) != nil || json.Unmarshal(body, &n) != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if s.refuse > 0 {
		s.refuse--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	s.told = append(s.told, n)
}

// payer is somebody at the page.
type payer struct {
	t        *testing.T
	terminal *Terminal
	service  *service
	url      string
	browser  *http.Client
}

func arrive(t *testing.T) *payer {
	p := &payer{t: t, service: &service{}, browser: &http.Client{CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if req.URL.Host == "eau.example" {
			return http.ErrUseLastResponse
		}
		return nil
	}}}
	told := httptest.NewServer(p.service)
	p.terminal = New(Config{Secrets: []string{secret, "un-secret-plus-ancien"}, Notify: told.URL, Slow: time.Millisecond, Wait: func(int) time.Duration { return time.Millisecond }})
	page := httptest.NewServer(p.terminal.Web())
	p.url = page.URL
	t.Cleanup(func() { page.Close(); p.terminal.Close(); told.Close() })
	return p
}

// link is an address as the service signs it.
func (p *payer) link(commande, key string, change func(url.Values)) string {
	q := url.Values{"commande": {commande}, "montant": {"26620"}, "devise": {"EUR"}, "reference": {"F2026-000001"},
		"expire": {fmt.Sprint(time.Now().Add(time.Hour).Unix())}, "retour": {"https://eau.example/factures/1?paiement=" + commande}}
	if change != nil {
		change(q)
	}
	q.Set("signature", hex.EncodeToString(signature.MAC(key, []byte(q.Encode()))))
	return p.url + "/payer?" + q.Encode()
}

// see answers the status, the page and where it leads.
func (p *payer) see(res *http.Response, err error) (int, string, string) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, string(body), res.Header.Get("Location")
}

func (p *payer) post(path string, form url.Values) (int, string, string) {
	p.t.Helper()
	return p.see(p.browser.PostForm(p.url+path, form))
}

// tries types a number, and wants to read something.
func (p *payer) tries(commande, numero, want string) {
	p.t.Helper()
	if _, page, _ := p.post("/commandes/"+commande+"/essais", url.Values{"numero": {numero}}); !strings.Contains(page, want) {
		p.t.Errorf("%s: want %q in\n%s", numero, want, page)
	}
}

// heard waits until the service has heard so much, and says it in order.
func (p *payer) heard(n int) (etats []string) {
	p.t.Helper()
	for {
		p.service.mu.Lock()
		told := slices.Clone(p.service.told)
		p.service.mu.Unlock()
		if len(told) >= n {
			for _, one := range told {
				etats = append(etats, one.Etat)
			}
			return etats
		}
		select {
		case <-time.After(time.Millisecond):
		case <-p.t.Context().Done():
			p.t.Fatalf("heard %v", told)
		}
	}
}

func TestAddressesThatNobodySigned(t *testing.T) {
	t.Parallel()
	p := arrive(t)
	set := func(name, value string) func(url.Values) { return func(q url.Values) { q.Set(name, value) } }
	for name, c := range map[string]struct {
		link   string
		status int
	}{
		"signed":             {p.link("a", secret, nil), 200},
		"by the older":       {p.link("b", "un-secret-plus-ancien", nil), 200},
		"by nobody's":        {p.link("c", "autre", nil), 403},
		"altered":            {strings.Replace(p.link("d", secret, nil), "26620", "1", 1), 403},
		"not signed":         {p.url + "/payer?commande=e", 403},
		"nothing to pay":     {p.link("f", secret, set("montant", "0")), 400},
		"another currency":   {p.link("g", secret, set("devise", "USD")), 400},
		"back to nowhere":    {p.link("h", secret, set("retour", "javascript:alert(1)")), 400},
		"too late":           {p.link("i", secret, set("expire", "1")), 410},
		"an order that none": {p.url + "/commandes/j", 404},
	} {
		if status, page, _ := p.see(p.browser.Get(c.link)); status != c.status {
			t.Errorf("%s: status %d, want %d\n%s", name, status, c.status, page)
		}
	}
	if status, _, _ := p.see(p.browser.Get(p.link("a", secret, set("montant", "5")))); status != 400 {
		t.Errorf("another sum for the same order: status %d", status)
	}
}

func TestTries(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		walk func(*payer)
		want []string
	}{
		"accepted":  {func(p *payer) { p.tries("c", Moyens[0].Numero, "Paiement accepté") }, []string{"ACCEPTE"}},
		"no spaces": {func(p *payer) { p.tries("c", "4970000000000016", "Paiement accepté") }, []string{"ACCEPTE"}},
		"refused, then accepted": {func(p *payer) {
			p.tries("c", Moyens[1].Numero, "Vous pouvez essayer un autre moyen")
			p.heard(1)
			p.tries("c", Moyens[0].Numero, "Paiement accepté")
		}, []string{"REFUSE", "ACCEPTE"}},
		"3-D Secure": {func(p *payer) {
			p.tries("c", Moyens[2].Numero, "3-D Secure")
			p.post("/commandes/c/confirmation", url.Values{"accord": {"oui"}})
		}, []string{"ACCEPTE"}},
		"3-D Secure, without consent": {func(p *payer) {
			p.tries("c", Moyens[2].Numero, "3-D Secure")
			p.post("/commandes/c/confirmation", url.Values{"accord": {"non"}})
		}, []string{"REFUSE"}},
		"a telephone over its limit": {func(p *payer) {
			p.tries("c", Moyens[8].Numero, "Sur votre téléphone")
			p.post("/commandes/c/confirmation", url.Values{"accord": {"oui"}})
		}, []string{"REFUSE"}},
		"slow":  {func(p *payer) { p.tries("c", Moyens[3].Numero, "Paiement accepté") }, []string{"ACCEPTE"}},
		"twice": {func(p *payer) { p.tries("c", Moyens[4].Numero, "Paiement accepté") }, []string{"ACCEPTE", "ACCEPTE"}},
		"a refusal after what came after": {func(p *payer) {
			p.tries("c", Moyens[5].Numero, "Vous pouvez essayer un autre moyen")
			p.tries("c", Moyens[0].Numero, "Paiement accepté")
		}, []string{"ACCEPTE", "REFUSE"}},
		"lost": {func(p *payer) { p.tries("c", Moyens[6].Numero, "Paiement accepté") }, []string{"ACCEPTE"}},
		"not heard at first": {func(p *payer) {
			p.service.refuse = 3
			p.tries("c", Moyens[0].Numero, "Paiement accepté")
		}, []string{"ACCEPTE"}},
		"given up": {func(p *payer) {
			if _, _, back := p.post("/commandes/c/abandon", nil); back != "https://eau.example/factures/1?paiement=c" {
				p.t.Errorf("sent to %s", back)
			}
			p.tries("c", Moyens[0].Numero, "Vous avez abandonné")
		}, []string{"ABANDONNE"}},
		"paid once": {func(p *payer) {
			p.tries("c", Moyens[0].Numero, "Paiement accepté")
			p.tries("c", Moyens[0].Numero, "Paiement accepté")
			p.post("/commandes/c/abandon", nil)
		}, []string{"ACCEPTE"}},
		"no test card": {func(p *payer) {
			p.tries("c", "4242 4242 4242 4242", "n’est pas un moyen d’essai")
			p.tries("c", Moyens[0].Numero, "Paiement accepté")
		}, []string{"ACCEPTE"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := arrive(t)
			p.see(p.browser.Get(p.link("c", secret, nil)))
			c.walk(p)
			if got := p.heard(len(c.want)); !slices.Equal(got, c.want) {
				t.Errorf("the service heard %v, want %v", got, c.want)
			}
			p.terminal.Settle() // and no more
			if got := p.heard(0); len(got) != len(c.want) {
				t.Errorf("the service heard %v, want %v", got, c.want)
			}
			for _, n := range p.service.told {
				if n.Commande != "c" || n.MontantCentimes != 26_620 || n.Devise != "EUR" || (n.Etat == "ABANDONNE") != (n.Transaction == "") {
					t.Errorf("told %+v", n)
				}
			}
			if name == "twice" && p.service.told[0] != p.service.told[1] {
				t.Error("told two things, not one twice")
			}
		})
	}
}

// A service that never answers is given up, and whoever tests reads why.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	p := arrive(t)
	p.service.refuse = attempts
	p.see(p.browser.Get(p.link("c", secret, nil)))
	p.tries("c", Moyens[0].Numero, "Paiement accepté")
	p.terminal.Settle()
	_, page, _ := p.see(p.browser.Get(p.url + "/"))
	if got := strings.Count(page, "503 Service Unavailable"); got != attempts || p.service.refuse != 0 {
		t.Errorf("sent %d times, want %d\n%s", got, attempts, page)
	}
}

func TestEnglish(t *testing.T) {
	t.Parallel()
	p := arrive(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.link("c", secret, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Language", "en-GB,en;q=0.8")
	if _, page, _ := p.see(p.browser.Do(req)); !strings.Contains(page, "Pay €266.20") || !strings.Contains(page, `lang="en"`) {
		t.Errorf("page: %s", page)
	}
}

func TestCardNumbers(t *testing.T) {
	t.Parallel()
	for _, m := range Moyens {
		sum := 0
		for i, r := range strings.ReplaceAll(m.Numero, " ", "") {
			d := int(r - '0')
			if i%2 == 0 {
				d *= 2
			}
			sum += d/10 + d%10
		}
		if m.Mode == "CARTE" && sum%10 != 0 {
			t.Errorf("%s has a wrong check digit", m.Numero)
		}
	}
}
