// Sets the colour scheme before the first paint; the policy of the page forbids inline scripts.
(function () {
  var scheme = localStorage.getItem('aquaerp-scheme')
  if (scheme !== 'light' && scheme !== 'dark') scheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  document.documentElement.setAttribute('data-mantine-color-scheme', scheme)
})()
