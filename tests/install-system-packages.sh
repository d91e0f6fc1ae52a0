#!/bin/sh
# What the tests need that pip does not bring, from Debian's packages: PostgreSQL's programs (the test run starts a
# server of its own), Spin and a C compiler (the model of the purchase protocol), curl (the README), Chromium (the
# pages), wrk and nginx (the benchmark). To be run as root; on a machine without them the tests over them are skipped.
set -eu

missing=
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing="$missing postgresql"
command -v spin >/dev/null || missing="$missing spin"
command -v gcc >/dev/null || missing="$missing gcc libc6-dev"
command -v curl >/dev/null || missing="$missing curl"
command -v chromium >/dev/null || missing="$missing chromium"
command -v wrk >/dev/null || missing="$missing wrk"
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "not installed:$missing; as root on Debian, run $0" >&2
    exit 1
fi
apt-get update -q
# shellcheck disable=SC2086 # a list of names
DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
