// Frontend serves the web application and passes /api on to the gateway, so
// that a browser sees one origin: the refresh token can live in a cookie that
// no script reads, and nothing needs CORS.
//
// It owns no data and knows no route of the API. It guarantees:
//
//   - The page runs no script and applies no style but its own: the policy
//     names this origin, and a nonce that is fresh for every page (site.go).
//   - What is named after its content is kept for ever by browsers, the page
//     itself is asked for again each time.
//   - An event that the gateway streams is passed on at once.
//
// The application is built into dist by `npm run build` in web. A clone
// without a build compiles, and says so when it is asked for a page.
package main

import (
	"embed"
	"io/fs"
	"net/http"

	"aquaerp.fr/shared/function"
)

//go:embed all:dist
var built embed.FS

func main() {
	function.Serve("frontend", func(rt *function.Runtime) (http.Handler, error) {
		var s settings
		rt.Configure(&s)
		dist, err := fs.Sub(built, "dist")
		if err != nil {
			return nil, err
		}
		routes, err := newHandler(dist, s.GatewayURL)
		if err != nil {
			return nil, err
		}
		return rt.Measured(routes, routes), nil
	})
}

// settings of the frontend, from its environment.
type settings struct {
	GatewayURL string `envconfig:"GATEWAY_URL" required:"true"`
}

// newHandler is the whole origin: the application, and the API under /api.
func newHandler(dist fs.FS, gateway string) (*http.ServeMux, error) {
	api, err := newProxy(gateway)
	if err != nil {
		return nil, err
	}
	site, err := newSite(dist)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", api))
	mux.Handle("/", site)
	return mux, nil
}
