# guard.sh SERVER...: starts the server, unless there is no database for it. A volume that is empty although there are backups
# was lost, not new: an empty database in its place would look like a healthy one to everybody, take orders, and mix its WAL
# into the archive. Nor is a restore that was cut off a database.
set -eu
hold() {
	echo "$1: go run ./scripts/restore" | tee /dev/termination-log
	exit 1
}
[ ! -e "$PGDATA/restoring" ] || hold "The data is that of a restore that did not end. Restore again"
[ -s "$PGDATA/PG_VERSION" ] || [ -z "$(ls /backup/base 2>/dev/null)" ] ||
	hold "The data volume is empty, and there are backups. Restore"
exec "$@"
