# restore_command: fetch.sh NAME PATH takes a file of WAL out of the archive. The last one of a timeline may be there in part.
set -eu
for f in "/backup/wal/$1.gz" "/backup/wal/$1.partial.gz"; do
	[ -e "$f" ] && exec gzip -dc "$f" >"$2"
done
exit 1
