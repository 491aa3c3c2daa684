# A base backup, verified before it counts, as /backup/base/<time of its end>; then the oldest beyond $KEEP go, and the WAL
# that only they needed.
set -eu
mkdir -p /backup/base
exec 9>/backup/lock
flock -n 9 || { echo "another backup or a restore is running" >&2; exit 1; }
# A new pod is let through to the server a second after its start, and the server may just be restarting.
for second in $(seq 60); do pg_isready -q && break || sleep 1; done

part=/backup/.base
rm -rf "$part" # of one that was cut off

echo "backup begins"
pg_basebackup --pgdata="$part" --no-password --checkpoint=fast --wal-method=stream --manifest-checksums=SHA256
pg_verifybackup "$part"
name=$(date -u +%Y%m%dT%H%M%SZ)
mv "$part" "/backup/base/$name"
sync /backup/base
echo "backup $name: $(du -sh "/backup/base/$name" | cut -f1)"

for old in $(ls /backup/base | sort | head -n "-$KEEP"); do
	rm -rf "/backup/base/$old"
	echo "backup $old: removed, $KEEP are kept"
done
oldest=$(ls /backup/base | sort | head -n 1)
first=$(sed -n 's/^START WAL LOCATION: .* (file \([0-9A-F]*\))$/\1/p' "/backup/base/$oldest/backup_label")
pg_archivecleanup -x .gz /backup/wal "$first"
echo "archive: $(ls /backup/wal | wc -l) files from $first on, $(du -sh /backup/wal | cut -f1)"
