#!/usr/bin/env bash
# Installs what "make check" and "make test" need: Debian's packages where it may (root or sudo without a password, and
# apt-get), the pinned Go tools into .cache/bin, and the UI's npm packages. Quick and without effect when all is there.
#
# What could not be installed is listed at the end; the tests that need it then skip. With FAIRLEAD_REQUIRE_ALL=1 a
# missing tool makes this script fail.
#
# A daemon that comes with a package (prometheus, alertmanager) is kept from starting; what ran before is left alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=test/setup/tools.sh
. test/setup/tools.sh

cache=$PWD/.cache
log=$cache/setup.log
mkdir -p "$cache/bin"
: >"$log"
missing=()
PATH=$PATH:/usr/sbin # where Debian keeps daemons, and not all users look
for bin in /usr/lib/postgresql/*/bin; do PATH=$PATH:$bin; done # where Debian keeps the server's programs

say() { printf 'setup: %s\n' "$*"; }

lack() { # lack TOOL WHY
	missing+=("$1: $2")
}

# Debian -----------------------------------------------------------------------------------------------------------

# One line a need: command that shows it is there | packages | services that the packages would start. Nagios wants mail to be
# sent: msmtp-mta is the one that is no daemon.
debian_needs='gcc|gcc libc6-dev|
git|git ca-certificates|
curl|curl ca-certificates|
prometheus|prometheus|prometheus
prometheus-alertmanager|prometheus-alertmanager|prometheus-alertmanager
nagios4|nagios4-core msmtp-mta|nagios4
icinga2|icinga2-bin|icinga2
initdb|postgresql|postgresql
chromium|chromium fonts-dejavu-core fonts-noto-core|'

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_use_apt() {
	command -v apt-get >/dev/null || { why='there is no apt-get here'; return 1; }
	[ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || { why='not root, and sudo asks for a password'; return 1; }
}

# The packages' scripts ask policy-rc.d whether they may start a service; ours says no. The one that stood there before
# comes back at the end.
policy=/usr/sbin/policy-rc.d
forbid_starting() {
	if [ -e $policy ]; then as_root cp -p $policy $policy.before-fairlead; fi
	printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
	as_root chmod 755 $policy
}
allow_starting() {
	if [ -e $policy.before-fairlead ]; then as_root mv $policy.before-fairlead $policy; else as_root rm -f $policy; fi
}

install_debian() {
	local packages=() services=() absent=() command names daemons bin
	while IFS='|' read -r command names daemons; do
		command -v "$command" >/dev/null && continue
		absent+=("$command")
		read -ra names <<<"$names"
		read -ra daemons <<<"$daemons"
		packages+=("${names[@]}")
		services+=("${daemons[@]}")
	done <<<"$debian_needs"
	[ ${#absent[@]} = 0 ] && return

	local why='' status=0
	if may_use_apt; then
		say "installing from Debian: ${packages[*]} (log: .cache/setup.log)"
		forbid_starting
		trap allow_starting EXIT
		as_root apt-get update >>"$log" 2>&1 || say 'apt-get update failed; trying with the lists at hand'
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}" >>"$log" 2>&1 || status=$?
		allow_starting
		trap - EXIT
		[ $status = 0 ] || why="apt-get install failed with $status, see .cache/setup.log"
		# Nor may they start with the machine: nobody asked for a Prometheus here.
		if [ -d /run/systemd/system ]; then
			for service in "${services[@]}"; do
				as_root systemctl disable --now "$service" >>"$log" 2>&1 || true
			done
		fi
	fi
	for bin in /usr/lib/postgresql/*/bin; do PATH=$PATH:$bin; done # the folder may be new
	for command in "${absent[@]}"; do
		command -v "$command" >/dev/null || lack "$command" "${why:-the package did not bring it}"
	done
}

# Go tools ----------------------------------------------------------------------------------------------------------

install_go_tools() {
	if ! command -v go >/dev/null; then
		lack go "install Go $(sed -n 's/^go //p' go.mod) or newer from go.dev/dl"
		return
	fi
	local name module version stamp
	while read -r name module version; do
		stamp=$cache/bin/.$name@$version
		[ -x "$cache/bin/$name" ] && [ -e "$stamp" ] && continue
		say "building $name $version"
		if GOBIN=$cache/bin GOFLAGS='' CGO_ENABLED=0 go install "$module@$version" >>"$log" 2>&1; then
			rm -f "$cache/bin/.$name@"*
			touch "$stamp"
		else
			lack "$name" "go install $module@$version failed, see .cache/setup.log"
		fi
	done <<<"$go_tools"
}

# Alertmanager of the version whose event recorder we read; Debian's has none. Its main package embeds its page, which the
# module does not bring: a placeholder stands for it.
install_alertmanager() {
	command -v go >/dev/null || return 0 # said above
	local version=$alertmanager_version folder build stamp=$cache/bin/.alertmanager@$alertmanager_version
	[ -x "$cache/bin/alertmanager" ] && [ -e "$stamp" ] && return
	say "building alertmanager $version"
	build=$(mktemp -d)
	if folder=$(GOFLAGS='' go mod download -json "github.com/prometheus/alertmanager@$version" 2>>"$log" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p') &&
		cp -r "$folder/." "$build" && chmod -R u+w "$build" && mkdir -p "$build/ui/app/dist" &&
		echo '<!doctype html><title>Alertmanager</title>' >"$build/ui/app/dist/index.html" &&
		(cd "$build" && GOFLAGS='' CGO_ENABLED=0 go build -o "$cache/bin/alertmanager" ./cmd/alertmanager) >>"$log" 2>&1; then
		rm -f "$cache/bin/.alertmanager@"*
		touch "$stamp"
	else
		lack alertmanager "building $version failed, see .cache/setup.log"
	fi
	rm -rf "$build"
}

# UI ----------------------------------------------------------------------------------------------------------------

# npm_is_complete FOLDER: every package of the lock file is installed in its version. (npm ci would start from nothing
# each time, and comparing dates is fooled by git and by npm install.)
npm_is_complete() {
	[ -e "$1/node_modules/.package-lock.json" ] && node -e '
		const read = (name) => JSON.parse(require("fs").readFileSync(process.argv[1] + name)).packages
		const installed = read("/node_modules/.package-lock.json")
		const lacks = ([name, wanted]) => name !== "" && !wanted.optional && installed[name]?.version !== wanted.version
		process.exit(Object.entries(read("/package-lock.json")).some(lacks) ? 1 : 0)' "$1"
}

install_npm() {
	local folder
	for folder in web/ui test/browser; do
		[ -e $folder/package-lock.json ] || continue
		if ! command -v npm >/dev/null; then
			lack node "install Node.js 20 or newer with npm ($folder needs it)"
			continue
		fi
		npm_is_complete $folder && continue
		say "npm ci in $folder"
		(cd $folder && npm ci --no-audit --no-fund) >>"$log" 2>&1 || lack "npm packages of $folder" 'npm ci failed, see .cache/setup.log'
	done
}

[ "${1:-}" = ui ] || install_debian
[ "${1:-}" = ui ] || install_go_tools
[ "${1:-}" = ui ] || install_alertmanager
install_npm

if [ ${#missing[@]} = 0 ]; then
	say 'all is there'
	exit 0
fi
say 'could not install:'
printf 'setup:   %s\n' "${missing[@]}"
if [ "${FAIRLEAD_REQUIRE_ALL:-}" = 1 ]; then
	say 'FAIRLEAD_REQUIRE_ALL=1 asks for all of them'
	exit 1
fi
say 'tests that need them will skip'
