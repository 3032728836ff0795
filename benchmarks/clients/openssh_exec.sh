# SPEC JOB: one `ssh` a server, at most 50 at once
xargs -P 50 -L 1 sh -c 'exec ssh -F ssh_config -p "$3" "$2" sh -s <"$0-$1.sh" >"$1.out"' "$2" <"$1"
