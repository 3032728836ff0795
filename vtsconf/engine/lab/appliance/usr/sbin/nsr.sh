# What the lab's NetWorker stand-ins share. The caller has set here. Texts: the project's notes on BMAs.
tree=${here%/usr/sbin}
node=${client:-${tree##*/}}
bma=networker
. "$tree/usr/local/tape/lab/library.sh"

# begin ACTION PROGRAM: what is the same for all of them
begin() {
    fault "$1" || :
    if [ "$mode" = silent ]; then exit 0; fi
    if [ -z "${server-}" ] || [ "$mode" = no-server ]; then
        echo "$2: RPC error: cannot contact the nsrd service on ${server:-localhost}" >&2
        exit 1
    fi
    strike
    case $mode in
        full)
            if [ "$1" = archive ]; then
                echo "$2: Waiting for 1 writable volume(s) to backup pool 'Default' tape(s)" >&2
                while :; do sleep 3600; done
            fi
            ;;
        prompt)
            printf 'Continue? [y/n] '
            while :; do sleep 3600; done
            ;;
        exit) if [ "${number:-1}" -ne 0 ]; then exit "${number:-1}"; fi ;;
        *) ;;
    esac
}

# save_all PROGRAM PATH…: prints what a save prints, with the save time as its key
save_all() {
    program=$1
    shift
    good=0
    bad=0
    bytes=0
    for path in "$@"; do
        note begin archive "$token" "$path"
        if [ ! -f "$path" ]; then
            echo "$program: $path: No such file or directory" >&2
            bad=$((bad + 1))
        elif [ "$mode" = partial ] && [ $((good + bad + 1)) -eq $# ]; then
            echo "$program: $path: cannot read" >&2 # a warning in the text only
        elif [ "$mode" = changes ]; then
            store "$path" "$token"
            echo "$program: $path: file changed during save" >&2
            good=$((good + 1))
        elif store "$path" "$token"; then
            good=$((good + 1))
            bytes=$((bytes + $(wc -c <"$path")))
        else
            echo "$program: write error" >&2
            bad=$((bad + 1))
        fi
        note end archive "$token" "$path"
    done
    if [ "$mode" = german ]; then
        echo "$program: $1  $bytes B 00:00:01     $good Datei(en)"
        echo "abgeschlossen Sicherungszeit=$(date +%s)"
    else
        echo "$program: $1  $bytes B 00:00:01     $good file(s)"
        echo "completed savetime=$(date +%s)"
    fi
    [ "$bad" -eq 0 ] || exit 1
}

# bring COPY…: writes each back
bring() {
    echo "Recovering $# file$([ $# -eq 1 ] || echo s) into its original location"
    good=0
    for copy in "$@"; do
        path=$(about "$copy" path)
        note begin restore "$(about "$copy" token)" "$path"
        if put "$copy" "$path"; then good=$((good + 1)); else echo "recover: $path: lost the connection" >&2; fi
        note end restore "$(about "$copy" token)" "$path"
    done
    if [ "$mode" = german ]; then echo "$good Datei(en) vom NSR-Server empfangen"; else echo "Received $good file(s) from NSR server \`$server'"; fi
    [ "$good" -eq $# ] || exit 1
}
