# What the lab's NetBackup stand-ins share. The caller has set here. Texts and codes: the project's notes on BMAs.
tree=${here%/usr/openv/netbackup/bin}
conf=$tree/usr/openv/netbackup/bp.conf
server=$(sed -n 's/^[ \t]*SERVER[ \t]*=[ \t]*//p' "$conf" 2>/dev/null | head -n 1)
node=$(sed -n 's/^[ \t]*CLIENT_NAME[ \t]*=[ \t]*//p' "$conf" 2>/dev/null | head -n 1)
node=${node:-${tree##*/}}
bma=netbackup
kind=user
. "$tree/usr/local/tape/lab/library.sh"

# status NUMBER TEXT: how every command ends that does not end well
status() {
    echo "EXIT STATUS $1: $2" >&2
    exit "$1"
}

# begin ACTION: what is the same for all of them
begin() {
    fault "$1" || :
    [ -n "$server" ] || status 37 "operation requested by an invalid server"
    strike
    case $mode in
        no-server) status 58 "can't connect to client" ;;
        full) if [ "$1" = archive ]; then status 96 "unable to allocate new media for backup, storage unit has none available"; fi ;;
        prompt) while :; do sleep 3600; done ;; # no question of NetBackup's is known; it waits for an operator
        exit) if [ "${number:-1}" -ne 0 ]; then status "${number:-1}" "the lab was told to end so"; fi ;;
        *) ;;
    esac
}

# english WORDS: what is printed, in German where a fault wants it
say() {
    if [ "$mode" = german ]; then echo "Vorgang abgeschlossen: 1.000 Bytes"; else echo "$1"; fi
}
