# Stands in for OpenWrt where one of its service scripts is tried on another system: /etc/rc.common, /lib/functions.sh and
# procd, as far as such a script uses them.
#
# Usage: openwrt.sh SCRIPT UCI_FILE ACTION
#
# UCI files are almost shell: read with functions of the names `config`, `option` and `list`, they are. What the script tells
# procd is printed, a line each.
# shellcheck shell=dash
set -eu

script="$1" uci_file="$2" action="$3"
sections=

config() {
	section="$2"
	sections="$sections $2:$1"
}
option() {
	eval "uci_${section}_$1=\$2"
}
list() {
	eval "count=\$((\${uci_${section}_$1_count:-0} + 1))"
	eval "uci_${section}_$1_count=$count uci_${section}_$1_$count=\$2"
}

config_load() {
	# shellcheck source=/dev/null
	. "$uci_file"
}
config_get() {
	eval "$1=\${uci_$2_$3:-\${4:-}}"
}
config_get_bool() {
	config_get "$@"
	eval "case \$$1 in 1 | on | true | yes | enabled) $1=1 ;; *) $1=0 ;; esac"
}
config_foreach() {
	local found
	for found in $sections; do
		[ "${found#*:}" != "$2" ] || "$1" "${found%%:*}"
	done
}
config_list_foreach() {
	local list_section="$1" list_name="$2" number=1 count item
	shift 2
	eval "count=\${uci_${list_section}_${list_name}_count:-0}"
	while [ "$number" -le "$count" ]; do
		eval "item=\$uci_${list_section}_${list_name}_$number"
		local callback="$1"
		shift
		"$callback" "$item" "$@"
		set -- "$callback" "$@"
		number=$((number + 1))
	done
}

say() {
	printf '%s' "$1"
	shift
	[ $# -eq 0 ] || printf ' [%s]' "$@"
	printf '\n'
}
for command in procd_open_instance procd_set_param procd_append_param procd_close_instance \
	procd_add_reload_trigger user_add group_add_next mkdir chmod chown; do
	eval "$command() { say $command \"\$@\"; }"
done
user_exists() { return 1; }
group_exists() { return 1; }

# shellcheck source=/dev/null
. "$script"
"$action"
