#!/bin/sh
# Makes the file of users, with hashes instead of passwords, and becomes the server: start.sh SERVER [OPTION…]
# The passwords come by environment: FINESTRA_REDIS_PASSWORD, FINESTRA_BROKER_PASSWORD,
# FINESTRA_FLOWER_REDIS_PASSWORD and FINESTRA_OPERATOR_PASSWORD, letters and digits, each its own.
set -eu
umask 077
users=${FINESTRA_USERS_FILE:-/tmp/users.acl}

hashed() {
  printf %s "$1" | sha256sum | cut -d ' ' -f 1
}

sed -e '/^#/d' -e '/^$/d' -e ':join' -e '/\\$/{N;s/ *\\\n */ /;b join' -e '}' \
  -e "s/{finestra}/$(hashed "${FINESTRA_REDIS_PASSWORD:?}")/" \
  -e "s/{broker}/$(hashed "${FINESTRA_BROKER_PASSWORD:?}")/" \
  -e "s/{flower}/$(hashed "${FINESTRA_FLOWER_REDIS_PASSWORD:?}")/" \
  -e "s/{operator}/$(hashed "${FINESTRA_OPERATOR_PASSWORD:?}")/" \
  "$(dirname "$0")/users.acl" > "$users"
unset FINESTRA_REDIS_PASSWORD FINESTRA_BROKER_PASSWORD FINESTRA_FLOWER_REDIS_PASSWORD FINESTRA_OPERATOR_PASSWORD
exec "$@" --aclfile "$users"
