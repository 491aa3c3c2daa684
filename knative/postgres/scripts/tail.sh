# Streams WAL as it is written to /backup/tail: what the archive will get once a file of it is full. A lost data volume then
# costs what was written in the last moment, or nothing where synchronous_standby_names makes commits wait for this.
# It connects again by itself, for ever, and goes on after the newest file it finds, which the server must still have: so
# one that has reached the archive meanwhile goes first. archive.sh takes away the others.
# Of a new server it takes the first base backup: WAL alone restores nothing, and the night may be far.
set -eu
mkdir -p /backup/tail
child=
trap 'kill $child 2>/dev/null; exit 0' TERM INT
while :; do
	until pg_isready -q -h 127.0.0.1; do sleep 1; done # the server that initdb is done with listens on the socket only
	[ -n "$(ls /backup/base 2>/dev/null)" ] || sh /etc/postgresql/scripts/backup.sh || sleep 5

	newest=$(ls /backup/wal 2>/dev/null | grep -E '^[0-9A-F]{24}[.]gz$' | sort | tail -n 1)
	for f in /backup/tail/*.partial; do
		name=${f##*/}
		[ ! -e "$f" ] || [ "${name%.partial}" \> "${newest%.gz}" ] || rm "$f"
	done
	pg_receivewal --no-password --no-loop --synchronous --directory=/backup/tail &
	child=$!
	wait "$child" || sleep 1
done
