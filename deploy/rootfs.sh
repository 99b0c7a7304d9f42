#!/usr/bin/env bash
# Lays out deploy/rootfs, the whole file system of the container image: in
# `system` the two programs and the shared libraries that they name, in `owned`
# what belongs to the node's user. The image is built from scratch, so no base
# image has to be fetched from anywhere.
#
#   deploy/rootfs.sh [PROFILE]     a cargo profile, `quick` unless told otherwise
set -euo pipefail
cd "$(dirname "$0")/.."

profile=${1:-quick}
cargo build --profile "$profile" --locked -p quoris-server -p quoris-cluster-cli
built=target/$([ "$profile" = dev ] && echo debug || echo "$profile")

root=deploy/rootfs/system
rm -rf deploy/rootfs
mkdir -p "$root/bin" "$root/etc" "$root/tmp" deploy/rootfs/owned/data
install -m 755 -s "$built/quoris-node" "$built/cluster-cli" "$root/bin/"

# What the loader would load, and the loader itself, at the paths that the
# programs name. glibc finds DNS by itself; nothing else is opened at run time.
ldd "$root/bin/quoris-node" "$root/bin/cluster-cli" |
    grep -o '/[^ ]*\.so[^ ]*' | sort -u |
    while read -r library; do install -D -m 755 "$library" "$root$library"; done

echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
echo 'quoris:x:10001:10001::/data:/nonexistent' >"$root/etc/passwd"
echo 'quoris:x:10001:' >"$root/etc/group"
echo "$root: $(du -sh "$root" | cut -f1) from profile $profile"
