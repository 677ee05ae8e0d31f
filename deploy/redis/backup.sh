#!/bin/sh
# Copies the append-only files of a server while it runs: backup.sh DATA_DIRECTORY TARGET
# The files only grow, so a copy ends where its copying did; what was written in half at its end the server drops when it
# loads. Only a rewrite changes which files count: the manifest says, and when it has changed meanwhile we begin again.
# For servers with appendonlydir: Valkey, Redis 7 and newer.
set -eu
files=$1/appendonlydir target=$2
[ ! -e "$target" ] || { echo "backup.sh: $target is there already" >&2; exit 1; }
[ -f "$files/appendonly.aof.manifest" ] || { echo "backup.sh: no append-only files in $1" >&2; exit 1; }
umask 077

for _ in 1 2 3 4 5; do
  before=$(cat "$files/appendonly.aof.manifest")
  mkdir -p "$target"
  # A file that a rewrite has just removed, or a disk that is full: no copy either way.
  if cp -R "$files" "$target/" \
      && [ "$(cat "$files/appendonly.aof.manifest")" = "$before" ] \
      && [ "$(cat "$target/appendonlydir/appendonly.aof.manifest")" = "$before" ]; then
    exit 0
  fi
  rm -rf "$target/appendonlydir"
done
echo "backup.sh: five tries made no copy: see above, or it was rewritten each time; try again later" >&2
exit 1
