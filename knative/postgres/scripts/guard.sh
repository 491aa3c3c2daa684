# Before the server starts: a volume that is empty although there are backups was lost, not new. An empty database in its
# place would look like a healthy one to everybody, take orders, and mix its WAL into the archive.
set -eu
[ ! -s "$PGDATA/PG_VERSION" ] || exit 0
[ -d /backup/base ] && [ -n "$(ls /backup/base)" ] || exit 0
echo "The data volume is empty, and there are backups. Restore: go run ./scripts/restore" | tee /dev/termination-log
exit 1
