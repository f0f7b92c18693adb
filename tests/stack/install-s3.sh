#!/bin/sh
# install-s3.sh TARGET_DIR - put the local S3 and what it needs into a folder.
#
# Does nothing when the folder already holds exactly this.  Needs node 18 or
# later, and npm.  (s3rver says that it wants node 20; it runs on Debian 12's
# 18, and the integration tests show it.)

set -eu
target=${1:?usage: install-s3.sh TARGET_DIR}
here=$(cd "$(dirname "$0")/s3" && pwd)

mkdir -p "$target"
cp "$here"/*.js "$target"
if cmp -s "$here/package-lock.json" "$target/package-lock.json" &&
    [ -f "$target/node_modules/.package-lock.json" ]; then
	exit 0
fi
cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$target"
cd "$target"
if ! npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; then
	rm -f package-lock.json		# so that the next run tries again
	exit 1
fi
