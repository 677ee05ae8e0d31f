#!/bin/sh
# Each service anew, one after the other: the next only when the one before is healthy, so that of two receivers one
# is always there. Without names: all that can be rolled. Run it beside docker-compose.yml.
set -eu
[ $# -gt 0 ] || set -- receiver receiver2 api worker flower
for service in "$@"; do
    docker compose up --detach --no-deps --force-recreate --wait "$service"
done
