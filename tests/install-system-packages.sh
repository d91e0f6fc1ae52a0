#!/bin/sh
# What the tests need that pip does not bring: PostgreSQL's programs, from Debian's package. The test run starts a
# server of its own. To be run as root; on a machine without PostgreSQL the tests over it are skipped.
set -eu

if ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "PostgreSQL is not installed: as root on Debian, run $0; elsewhere, put initdb and postgres on the PATH" >&2
    exit 1
fi
apt-get update -q
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends postgresql
