# The lab's tape library, read by the stand-ins of backup clients. Real copies, one folder for each:
#
#     LAB/library/BMA/NODE/N.PID/{data,path,token,when,size,kind,…}   a copy that is whole
#     LAB/library/log                                            begin|end BMA ACTION PID TOKEN PATH
#
# A copy gets its name when it is whole, so that a client that was killed has left none or a good one.
# The caller has set: tree (the server's folder), bma, node.
library=${tree%/*}/library
shelf=$library/$bma/$node
mode=
number=

# fault ACTION: is one on for it (archive, restore, locate, probe)? Sets mode and number.
# A fault that names no action is on for all but the probe; one that is meant to strike once goes out by that.
fault() {
    mode=
    number=
    for file in "$tree/faults/bma" "$tree/faults/bma.once"; do
        [ -f "$file" ] || continue
        found=
        value=
        actions=
        for word in $(cat "$file"); do
            case $word in
                archive | restore | locate | probe) actions="$actions $word" ;;
                [0-9]*) value=$word ;;
                *) found=$word ;;
            esac
        done
        case "${actions:- archive restore locate} " in *" $1 "*) ;; *) continue ;; esac
        case $file in *.once) rm "$file" 2>/dev/null || continue ;; esac
        mode=$found
        number=$value
        return 0
    done
    return 1
}

# What every client does the same way under a fault, before it does anything else.
strike() {
    case $mode in
        hang) while :; do sleep 3600; done ;;
        silent) exit 0 ;;
        slow) sleep "${number:-5}" ;;
        flood) awk 'BEGIN { for (i = 0; i < 131072; i++) printf "Rebuilding the list of what was said before, line %08d of it, and on it goes\n", i }' ;;
        *) ;;
    esac
}

# note begin|end ACTION TOKEN PATH
note() {
    mkdir -p "$library" || exit 1
    printf '%s %s %s %s %s %s\n' "$1" "$bma" "$2" "$$" "${3:--}" "$4" >>"$library/log"
}

# store PATH TOKEN: one more copy; sets copy to its folder. Nothing is taken back when the same tape comes twice.
copies=0
store() {
    copies=$((copies + 1))
    new=$shelf/.new.$$.$copies
    mkdir -p "$new" || return 1
    cp "$1" "$new/data" || return 1
    if [ "$mode" = short ]; then
        head -c $(($(wc -c <"$1") - 1)) "$1" >"$new/data"
    fi
    printf '%s\n' "$1" >"$new/path"
    printf '%s\n' "$2" >"$new/token"
    printf '%s\n' "${kind-}" >"$new/kind"
    date '+%Y-%m-%d %H:%M:%S' >"$new/when"
    date +%s >"$new/savetime"
    echo $(($(wc -c <"$new/data"))) >"$new/size"
    case $mode in
        changes | changes-silently) printf x >>"$1" ;;
        rewrites) rewrite "$1" || return 1 ;;
        *) ;;
    esac
    copy=
    case $mode in lies | changes) rm -r "$new" && return 0 ;; *) ;; esac
    copy=$shelf/$(date +%s).$$.$copies
    mv "$new" "$copy" || return 1
    if [ "$mode" = dies ]; then kill -9 $$; fi
}

# rewrite PATH: other bytes, and the size, time and inode that it had. Only a checksum tells.
rewrite() {
    touch -r "$1" "$new/time" || return 1
    printf x | dd of="$1" bs=1 conv=notrunc 2>/dev/null || return 1
    touch -r "$new/time" "$1" || return 1
    rm "$new/time"
}

# of PATH TOKEN: the names of its copies, the oldest first; an empty PATH or TOKEN stands for any, PATH may end with /*.
of() {
    for folder in "$shelf"/[0-9]*.*.*; do
        [ -d "$folder" ] || continue
        if [ -n "$2" ]; then read -r there <"$folder/token" && [ "$there" = "$2" ] || continue; fi
        IFS= read -r there <"$folder/path"
        case $1 in
            "" | "$there") ;;
            */\*) case $there in "${1%\*}"*) ;; *) continue ;; esac ;;
            *) continue ;;
        esac
        echo "${folder##*/}"
    done
}

# about COPY WHAT: its path, token, when, savetime, size, kind
about() {
    IFS= read -r value <"$shelf/$1/$2" 2>/dev/null || value=
    printf '%s\n' "$value"
}

# put COPY PATH: write it back. A fault leaves a part of it, as a real client that lost its server.
put() {
    if [ "$mode" = partial ]; then
        head -c $(($(about "$1" size) / 2)) "$shelf/$1/data" >"$2"
        return 1
    fi
    cp "$shelf/$1/data" "$2"
}
