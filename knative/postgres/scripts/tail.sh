# Streams WAL as it is written to /backup/tail: what the archive will get once a file of it is full. A lost data volume then
# costs what was written in the last moment, or nothing where synchronous_standby_names makes commits wait for this.
# It connects again by itself, for ever; archive.sh takes away what the archive has.
set -eu
mkdir -p /backup/tail
trap 'kill "$child" 2>/dev/null; exit 0' TERM INT
while :; do
	pg_receivewal --host=/run/postgresql --username=postgres --no-password --no-loop --synchronous --directory=/backup/tail &
	child=$!
	wait "$child" || sleep 1
done
