#!/usr/bin/env bash
# Downloads a release of flowagg and adds it to the PATH of the job. Its SHA-256 must match the release, and its provenance must be
# the release workflow of flowagg's repository.
set -euo pipefail

repository=flowagg/flowagg

case "$RUNNER_OS $RUNNER_ARCH" in
    "Linux X64") platform=x86_64-unknown-linux-musl ;;
    "Linux ARM64") platform=aarch64-unknown-linux-musl ;;
    "macOS ARM64") platform=aarch64-apple-darwin ;;
    "macOS X64") platform=x86_64-apple-darwin ;;
    *)
        echo "::error::unsupported runner $RUNNER_OS $RUNNER_ARCH: use Linux or macOS"
        exit 2
        ;;
esac
if ! [[ $VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
    echo "::error::invalid \`version\`: use a version such as 0.1.0"
    exit 2
fi

name=flowagg-$VERSION-$platform
folder=$RUNNER_TEMP/flowagg
rm -rf "$folder"
mkdir -p "$folder/download" "$folder/bin"
cd "$folder/download"
gh release download "v$VERSION" --repo "$repository" --pattern "$name.tar.gz" --pattern "$name.tar.gz.sha256"
if command -v sha256sum >/dev/null; then
    sha256sum --check "$name.tar.gz.sha256"
else
    shasum --algorithm 256 --check "$name.tar.gz.sha256"
fi
gh attestation verify "$name.tar.gz" --repo "$repository" \
    --signer-workflow "$repository/.github/workflows/release.yml" --source-ref "refs/tags/v$VERSION"
tar -xzf "$name.tar.gz"
mv "$name/flowagg" "$folder/bin/flowagg"
echo "$folder/bin" >>"$GITHUB_PATH"
