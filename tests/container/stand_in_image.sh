#!/usr/bin/env bash
# Makes stand-ins for the images that a machine without an image registry cannot pull, and prints the tag of the one
# asked for. They lie in the engine only and are made again when this script, Debian's release or the Python changes.
#
#   stand_in_image.sh python [INTERPRETER]   minimal Debian and this machine's Python in /usr/local
#   stand_in_image.sh postgres               minimal Debian and Debian's PostgreSQL, started as the official image is
#
# Packages come from where this machine's own apt gets them. Needs root, mmdebstrap and a Docker engine.
set -euo pipefail

kind=${1:?python or postgres}
python=${2:-python3}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC1091
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
bundle=/etc/ssl/certs/ca-certificates.crt

debian() { # debian FOLDER OPTION...: a minimal Debian in FOLDER
    local folder=$1 sources=()
    shift
    mapfile -t sources < <(find /etc/apt -maxdepth 2 \( -name '*.sources' -o -name '*.list' \) -size +0)
    mmdebstrap --quiet --variant=minbase --format=directory \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --dpkgopt='path-exclude=/usr/share/doc/*' "$@" "$release" "$folder" "${sources[@]}" >&2
}

import() { # import FOLDER CHANGE...: the folder as an image
    local folder=$1 changes=()
    shift
    for change in "$@"; do changes+=(--change "$change"); done
    tar --create --directory "$folder" . | docker import "${changes[@]}" - "$tag" >/dev/null
    # What an older version of this script made goes, where no container uses it.
    docker image ls --format '{{.Repository}}:{{.Tag}}' "${tag%%:*}" | grep --invert-match --line-regexp --fixed-strings "$tag" |
        xargs --no-run-if-empty docker image rm >/dev/null 2>&1 || true
}

add_python() { # the interpreter without what was installed into it, and the libraries that Debian's minimum lacks
    local root=$1 prefix=$2 version=$3
    mkdir -p "$root/usr/local/bin" "$root/usr/local/lib"
    cp "$prefix/bin/python$version" "$root/usr/local/bin/"
    ln -s "python$version" "$root/usr/local/bin/python3"
    ln -s python3 "$root/usr/local/bin/python"
    tar --create --directory "$prefix/lib" --exclude='site-packages/*' --exclude=__pycache__ --exclude='config-*' \
        --exclude="python$version/test" --exclude=idlelib --exclude=tkinter --exclude=turtledemo \
        --exclude='_tkinter*' "python$version" | tar --extract --directory "$root/usr/local/lib"
    find "$prefix/lib" -maxdepth 1 -name 'libpython*.so*' -exec cp -P {} "$root/usr/local/lib/" \;
    { find "$root/usr/local/lib" -name '*.so' -print0 && printf '%s\0' "$root/usr/local/bin/python$version"; } |
        LD_LIBRARY_PATH="$prefix/lib" xargs -0 ldd 2>/dev/null | awk '$3 ~ /^\// {print $3}' | sort -u |
        while read -r library; do
            name=$(basename "$library")
            find "$root/usr/lib" "$root/usr/local/lib" -name "$name" | grep -q . || cp -L "$library" "$root/usr/local/lib/"
        done
    chroot "$root" ldconfig
}

add_package_access() { # how this machine's pip reaches its packages, folders of this machine aside
    local root=$1 name value
    mkdir -p "$root/etc/ssl/certs"
    cp "$bundle" "$root$bundle"
    {
        echo '[global]'
        for name in index-url extra-index-url trusted-host proxy timeout; do
            value=$("$python" -m pip config get "global.$name" 2>/dev/null || true)
            case $value in '' | *file:* | /*) ;; *) echo "$name = $value" ;; esac
        done
        echo "cert = $bundle"
    } >"$root/etc/pip.conf"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $kind in
python)
    read -r prefix version full < <("$python" -c \
        'import sys, platform as p; print(sys.base_prefix, "%d.%d" % sys.version_info[:2], p.python_version())')
    tag=bazar-stand-in-python:$full-$(cat "${BASH_SOURCE[0]}" "$bundle" | sha256sum | head -c 12)
    docker image inspect "$tag" >/dev/null 2>&1 && { echo "$tag"; exit; }
    debian "$work/root"
    add_python "$work/root" "$prefix" "$version"
    add_package_access "$work/root"
    import "$work/root" 'CMD ["python3"]' 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin'
    ;;
postgres)
    tag=bazar-stand-in-postgres:$release-$(cat "${BASH_SOURCE[0]}" "$here/postgres-entrypoint.sh" | sha256sum | head -c 12)
    docker image inspect "$tag" >/dev/null 2>&1 && { echo "$tag"; exit; }
    # shellcheck disable=SC2016  # mmdebstrap says what $1 is
    debian "$work/root" --include=postgresql \
        --essential-hook='mkdir -p "$1/etc/postgresql-common" && echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"'
    install -m 0755 "$here/postgres-entrypoint.sh" "$work/root/usr/local/bin/docker-entrypoint.sh"
    mkdir "$work/root/docker-entrypoint-initdb.d"
    chroot "$work/root" install --directory --owner postgres --group postgres --mode 0700 /var/lib/postgresql/data
    binaries=$(cd "$work/root" && echo usr/lib/postgresql/*/bin)
    import "$work/root" 'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["postgres"]' \
        'ENV PGDATA=/var/lib/postgresql/data' 'VOLUME /var/lib/postgresql/data' \
        "ENV PATH=/$binaries:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    ;;
*)
    echo "python or postgres, not $kind" >&2
    exit 2
    ;;
esac
echo "$tag"
