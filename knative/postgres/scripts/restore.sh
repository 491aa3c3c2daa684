# Puts a base backup in place of the data and replays the WAL: to its end, or to the moment $TO. The data that was there
# becomes pgdata.before, and goes when the next restore has data to put there; with DISCARD=yes it goes first, when the
# volume has no room for both. Until the end a file `restoring` marks what is not yet a database: guard.sh looks for it.
#   TO        like 2026-11-23T14:05:00Z; empty for everything there is
#   BACKUP    a name under /backup/base; empty for the newest that had ended by then
#   TIMELINE  a number, to follow another history than the latest; each restore begins a new one
# The server must be stopped: two on the same files would destroy them.
set -eu
TO=${TO:-} BACKUP=${BACKUP:-}
exec 8>"${PGDATA%/*}/lock" 9>/backup/lock
flock -n 8 || { echo "the server is running on this volume" >&2; exit 1; }
flock -n 9 || { echo "a backup is running" >&2; exit 1; }

# What the stream has beyond the archive, first: it ends with the old timeline, and a later restore may ask for it.
for f in /backup/tail/*; do
	[ -e "$f" ] || continue
	name=${f##*/}
	if [ ! -e "/backup/wal/$name.gz" ]; then
		mkdir -p /backup/wal
		gzip -1 <"$f" >"/backup/wal/.$name"
		sync "/backup/wal/.$name"
		mv "/backup/wal/.$name" "/backup/wal/$name.gz"
		echo "archive: $name, from the stream"
	fi
	rm "$f"
done
sync /backup/wal

chosen=$BACKUP
for name in $(ls /backup/base | sort); do
	echo "backup $name: $(du -sh "/backup/base/$name" | cut -f1)"
	[ -n "$BACKUP" ] || { [ -n "$TO" ] && [ "$name" \> "$(date -u -d "$TO" +%Y%m%dT%H%M%SZ)" ]; } || chosen=$name
done
[ -n "$chosen" ] && [ -d "/backup/base/$chosen" ] || { echo "no backup that had ended by ${TO:-now}" >&2; exit 1; }
echo "restoring $chosen, then the WAL up to ${TO:-its end}"

part=$PGDATA.part
rm -rf "$part"
[ ! -e "$PGDATA/restoring" ] || rm -rf "$PGDATA" # of a restore that failed: nobody's data
[ "${DISCARD:-}" != yes ] || rm -rf "$PGDATA" "$PGDATA.before"
cp -a "/backup/base/$chosen" "$part"
touch "$part/recovery.signal" "$part/restoring"
if [ -d "$PGDATA" ]; then
	rm -rf "$PGDATA.before"
	mv "$PGDATA" "$PGDATA.before"
fi
mv "$part" "$PGDATA"
sync "${PGDATA%/*}"

# Recovery, here and not in the server's own pod: nobody gets in before it is complete, and what goes wrong is seen at once.
# The archive stays on: the new timeline belongs there. The time has no Z: names of zones are not known yet when it is read.
pg_ctl start --no-wait --options="-c config_file=/etc/postgresql/postgresql.conf -c listen_addresses= -c hot_standby=off \
	-c synchronous_standby_names= -c recovery_target_timeline=${TIMELINE:-latest} -c recovery_target_action=promote \
	-c restore_command='sh /etc/postgresql/scripts/fetch.sh %f %p' ${TO:+-c recovery_target_time=$(date -u -d "$TO" +%FT%T.%6N+00)}"
until pg_isready -q; do # not before the recovery has ended
	sleep 1
	pg_ctl status >/dev/null || { echo "the recovery failed" >&2; exit 1; }
done

# An event that was published, and handled in the moments that are lost, is nowhere any more: the last day's go out again,
# and the inbox drops those that were handled before.
sql() { psql --username=postgres --dbname="$1" --no-psqlrc --tuples-only --no-align --set=ON_ERROR_STOP=1 --command="$2"; }
[ "$(sql postgres "select count(*) from pg_database where datname = 'aquaerp'")" = 0 ] || sql aquaerp "
	with again as (
		update eventing.outbox set published_at = null
		where published_at > (select max(published_at) from eventing.outbox) - interval '1 day' returning 1)
	select 'recovered; events to publish again: ' || count(*) from again"
pg_ctl stop --mode=fast --wait
rm "$PGDATA/restoring"
sync "$PGDATA"
