# Read by the scripts that install: versions, checked downloads, and a mode that only prints.
# shellcheck shell=sh disable=SC2034
platform=${root:?}/knative/platform
# shellcheck source=/dev/null
. "$platform/versions"
sums=$platform/versions.sha256
cache=${AQUAERP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/aquaerp/platform}
dry='' record=''

say() { printf '%s\n' "== $*"; }
die() { printf '%s\n' "${0##*/}: $*" >&2; exit 1; }

# usage prints the comment at the head of the script.
usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; }

# run does a command, or with -n prints it.
run() {
  if [ "$dry" ]; then printf '+ %s\n' "$*"; else "$@"; fi
}

# put FILE MODE: writes standard input to a file of root, and sets changed if that differs from what was there.
put() {
  if [ "$dry" ]; then
    printf '+ write %s (%s)\n' "$1" "$2"
    sed 's/^/    /'
    return
  fi
  mkdir -p "$(dirname "$1")"
  (umask 077; cat >"$1.new")
  chmod "$2" "$1.new"
  if [ -e "$1" ] && cmp -s "$1" "$1.new"; then rm "$1.new"; else mv "$1.new" "$1"; changed=1; fi
}

# digest FILE
digest() { sha256sum <"$1" | cut -d' ' -f1; }

# fetch NAME URL [LIST]: downloads URL into $cache/NAME unless it is there, and lets it pass only with the checksum that
# versions.sha256 holds for NAME. With -record a file that is not in there yet is added: trust on first use, from then on
# nobody gets another file. LIST is the URL of the checksums that its makers publish: the file must be in there as well.
fetch() {
  if [ "$dry" ]; then printf '+ fetch %s\n' "$2"; return; fi
  mkdir -p "$cache"
  if [ ! -s "$cache/$1" ]; then
    curl --fail --silent --show-error --location --proto '=https' --retry 3 --output "$cache/$1.part" "$2" || die "cannot fetch $2"
    mv "$cache/$1.part" "$cache/$1"
  fi
  got=$(digest "$cache/$1")
  want=$(awk -v name="$1" '$2 == name { print $1 }' "$sums")
  if [ -z "$want" ]; then
    [ "$record" ] || die "no checksum is recorded for $1.
  It is $got.
  Compare it with what its makers publish, then run once with -record and commit knative/platform/versions.sha256."
    if [ "${3-}" ]; then
      curl --fail --silent --show-error --location --proto '=https' --retry 3 "$3" |
        awk -v sum="$got" -v name="${2##*/}" '$1 == sum && $2 == name { found = 1 } END { exit !found }' ||
        die "$3 does not list ${2##*/} with the checksum $got; $cache/$1 is not what was published"
    fi
    printf '%s  %s\n' "$got" "$1" >>"$sums"
    say "recorded $got  $1"
  elif [ "$got" != "$want" ]; then
    die "$cache/$1 has the checksum $got, not $want as recorded. Do not use it: find out why, then remove it."
  fi
}
