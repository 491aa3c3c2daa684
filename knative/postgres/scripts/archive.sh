# archive_command: archive.sh PATH NAME keeps a file of WAL as /backup/wal/NAME.gz.
# It is there whole or not at all, on disk before the answer; one that is there already is never replaced. The server asks
# again until the answer is 0, and keeps its own copy meanwhile.
set -eu
dir=/backup/wal
[ -d "$dir" ] || mkdir -p "$dir"
if [ -e "$dir/$2.gz" ]; then
	case $2 in *.partial) exit 0 ;; esac # the end of a timeline, which restore.sh has kept from the stream
	# Asked a second time, since the first answer was lost? Then it is the same.
	[ "$(gzip -dc "$dir/$2.gz" | sha256sum)" = "$(sha256sum <"$1")" ] && exit 0
	echo "archive.sh: $2 is there with other content: another server archives to this volume" >&2
	exit 1
fi
gzip -1 <"$1" >"$dir/.$2"
sync "$dir/.$2"
mv "$dir/.$2" "$dir/$2.gz"
sync "$dir"

# What the stream holds of this file and of those before it is not needed any more; tail.sh still writes to the .partial.
for f in /backup/tail/*; do
	case $f in *.partial | *.history | *'*') continue ;; esac
	[ "${f##*/}" \> "$2" ] || rm -f "$f"
done
