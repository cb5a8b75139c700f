#!/bin/sh
# Installs flowagg @VERSION@ from its GitHub release: downloads the archive for this machine, compares its SHA-256 with the one in
# this script, and copies the program to a folder. It does not need root, and changes nothing else.
#
#   sh install.sh             install into ~/.local/bin
#   sh install.sh --to DIR    install into another folder
#
# FLOWAGG_DOWNLOAD_URL sets another download URL, such as a mirror. The SHA-256 must be the same.
set -eu

version='@VERSION@'
# SHA-256 and name of each archive, which `cargo xtask release` inserts.
checksums='
@CHECKSUMS@
'
url=${FLOWAGG_DOWNLOAD_URL:-https://github.com/flowagg/flowagg/releases/download/v$version}

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

usage() {
    printf 'Install flowagg %s.\n\nUsage: sh install.sh [--to DIR]\n\n' "$version"
    printf '  --to DIR  Install into this folder [default: ~/.local/bin]\n'
}

platform() {
    case "$(uname -s) $(uname -m)" in
        "Linux x86_64" | "Linux amd64") echo x86_64-unknown-linux-musl ;;
        "Linux aarch64" | "Linux arm64") echo aarch64-unknown-linux-musl ;;
        "Darwin arm64" | "Darwin aarch64") echo aarch64-apple-darwin ;;
        "Darwin x86_64") echo x86_64-apple-darwin ;;
        *) fail "$(uname -s) on $(uname -m) is not supported" ;;
    esac
}

sha256() {
    if has sha256sum; then
        sum=$(sha256sum <"$1")
    elif has shasum; then
        sum=$(shasum -a 256 <"$1")
    else
        sum=$(openssl dgst -sha256 -r <"$1")
    fi
    echo "${sum%% *}"
}

download() {
    if has curl; then
        curl --fail --silent --show-error --location --retry 3 --output "$2" "$1"
    else
        wget -q -O "$2" "$1"
    fi || fail "could not download $1"
}

# Only the last line calls main, so a truncated script does nothing.
main() {
    to=
    while [ $# -gt 0 ]; do
        case $1 in
            --to)
                [ $# -ge 2 ] || fail "\`--to\` requires a folder"
                to=$2
                shift 2
                ;;
            --help | -h)
                usage
                exit
                ;;
            *) fail "unknown argument \`$1\`; run with \`--help\` for usage" ;;
        esac
    done
    [ -n "$to" ] || to=${HOME:?}/.local/bin
    has curl || has wget || fail "\`curl\` or \`wget\` is required to download the program"
    has sha256sum || has shasum || has openssl ||
        fail "\`sha256sum\`, \`shasum\` or \`openssl\` is required to check the download; nothing was downloaded"

    platform=$(platform)
    name=flowagg-$version-$platform
    expected=$(printf '%s' "$checksums" | sed -n "s/^\([0-9a-f]\{64\}\)  $name\.tar\.gz\$/\1/p")
    [ -n "$expected" ] || fail "this release has no archive for $platform"

    folder=$(mktemp -d)
    temporary=$to/.flowagg.$$
    trap 'rm -rf "$folder" "$temporary"' EXIT
    trap 'exit 1' HUP INT TERM
    download "$url/$name.tar.gz" "$folder/$name.tar.gz"
    actual=$(sha256 "$folder/$name.tar.gz")
    [ "$actual" = "$expected" ] ||
        fail "the SHA-256 of $url/$name.tar.gz is $actual, expected $expected; nothing was installed"

    tar -xzf "$folder/$name.tar.gz" -C "$folder"
    mkdir -p "$to"
    # Renamed within the folder, so that a running program is replaced atomically.
    cp "$folder/$name/flowagg" "$temporary"
    chmod 755 "$temporary"
    mv -f "$temporary" "$to/flowagg"
    printf 'installed: flowagg %s in %s\n' "$version" "$to"
    case :$PATH: in
        *:"$to":*) ;;
        *) printf 'next: add %s to PATH\n' "$to" ;;
    esac
}

main "$@"
