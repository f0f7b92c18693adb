#!/bin/sh
# install.sh build|run|test|bench... - install the Debian packages that are missing.
#
# Quick when nothing is.  Uses sudo unless root.  Where installing a package would
# start a service, it is kept from starting, now and at the next boot; services that
# were there before are left as they are.

set -eu

# GROUP PACKAGE REASON
packages='
build gcc                       compiler
build make                      this Makefile
build libc6-dev                 headers of the C library
build pkg-config                asks the libraries for their flags
build libfcgi-dev               FastCGI
build libvips-dev               images, with HEIF, AVIF and JPEG XL as modules of libvips42
build libmemcached-dev          the ring of peers
build libmariadb-dev            the catalog
build libcurl4-openssl-dev      S3
build libssl-dev                SHA-256, HMAC
build libinih-dev               vitrine.ini
build libxxhash-dev             keys of the store
build libjansson-dev            info.json
build libseccomp-dev            the sandbox of the renderer
run   python3                   tests/stack
run   mariadb-server-core       primary and replicas; this package has no service
run   mariadb-client-core       its command line client
run   memcached                 peers
run   nginx                     the web server in front
run   nodejs                    the local S3
run   npm                       installs the local S3
run   mate-backgrounds          photos for the demo
run   gnome-backgrounds         large pictures for the demo
run   python3-pil               makes more sample pictures
run   fonts-dejavu-core         credits and texts are drawn with it
test  libcmocka-dev             unit tests
test  clang                     fuzzing, and a second compiler
test  libclang-rt-14-dev        libFuzzer and the sanitizers of clang
test  python3-pytest            integration tests
test  python3-pytest-xdist      several of their files at a time
test  python3-pil               looks at the pictures they get
test  fonts-dejavu-core         credits and texts are drawn with it
test  python3-botocore          a second opinion on signatures
test  libvips-tools             makes pictures in HEIC, which PIL does not write
test  libimage-exiftool-perl    a second opinion on metadata
test  apache2-bin               mod_proxy_fcgi; this package has no service
test  libapache2-mod-fcgid      mod_fcgid
test  libapache2-mod-xsendfile  X-Sendfile under Apache
test  haproxy                   the load balancer of the chaos test
test  iproute2                  its network namespaces
test  util-linux                unshare, nsenter
test  libfaketime               turns the clock of a server
test  git                       tells the style check which files are ours
bench wrk                       asks for the same picture again and again
bench libnginx-mod-http-image-filter  a peer: nginx that scales by itself
bench iipimage-server           a peer: tiles and sizes from pyramids
bench libvips-tools             makes the pyramids for it
bench plasma-workspace-wallpapers  large pictures, JPEG and PNG
'

[ $# -gt 0 ] || { echo "usage: install.sh build|run|test|bench..." >&2; exit 64; }

# s3rver needs a recent node, from wherever it comes.
has_node() {
	command -v npm >/dev/null && [ "$(node -p 'parseInt(process.versions.node)' 2>/dev/null || echo 0)" -ge 18 ]
}

wanted=$(for group in "$@"; do
	echo "$packages" | awk -v group="$group" '$1 == group { print $2 }'
done | sort -u)
present=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
	awk '$1 == "installed" { print $2 }') || true
missing=$(echo "$wanted" | grep -vxF "$present") || true
case " $(echo $missing) " in
*" nodejs "* | *" npm "*)
	if has_node; then
		missing=$(echo "$missing" | grep -vxE 'nodejs|npm') || true
	fi ;;
esac
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "install.sh: this is no Debian; please install what corresponds to:" $missing >&2
	exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "install.sh: neither root nor sudo; please have these installed:" $missing >&2
		exit 1
	fi
	as_root=sudo
fi

# invoke-rc.d(8): 101 forbids to start anything.
policy=/usr/sbin/policy-rc.d
remove_policy() {
	[ -z "$policy_is_ours" ] || $as_root rm -f $policy
	policy_is_ours=
}
policy_is_ours=
trap remove_policy EXIT
trap 'exit 130' INT TERM HUP
if [ ! -e $policy ]; then
	policy_is_ours=yes
	printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
	$as_root chmod 755 $policy
fi

echo "installing:" $missing
log=$(mktemp)
if ! { $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing; } \
    >"$log" 2>&1 </dev/null; then
	cat "$log" >&2
	rm -f "$log"
	echo "install.sh: apt-get failed" >&2
	exit 1
fi
rm -f "$log"

# Not at the next boot either.
if [ -d /run/systemd/system ]; then
	for service in haproxy memcached nginx iipimage-server:iipsrv; do
		if echo "$missing" | grep -qx "${service%:*}"; then
			$as_root systemctl --quiet disable "${service#*:}" || true
		fi
	done
fi
