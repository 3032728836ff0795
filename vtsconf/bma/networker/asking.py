"""What a server does to ask NetWorker's catalogue, in POSIX sh: a text that never changes; all values come as words. Pure.

`mminfo` knows save sets and no files; the file index knows files and no save set's name. So `mminfo` is asked by the mark, and
`nsrinfo` for the exact path in each save time that it tells [sol-nsrinfo: `-N`, `-t`, one name a line; rear: `N objects found`].

What it prints: "= asked", the lines of mminfo as they are, then for each save time "= index TIME" and the lines of nsrinfo
behind "| ", at last "= end". Where mminfo's last line has no end, nothing comes behind it, or it would be taken for a whole one.
"""

from __future__ import annotations

NAME = "asking.sh"
SCRIPT = r"""# Words: DIR MMINFO NSRINFO SERVER QUERY REPORT CLIENT PATH…; a CLIENT of "" is this host.
set -u
LC_ALL=C; export LC_ALL
dir=$1 mminfo=$2 nsrinfo=$3 server=$4 query=$5 report=$6 client=$7
shift 7
echo '= asked'
"$mminfo" -s "$server" -a -q "$query" -r "$report" >"$dir/saved" 2>&1 </dev/null || { code=$?; cat "$dir/saved"; exit "$code"; }
while IFS= read -r line; do printf '%s\n' "$line"; done <"$dir/saved"
[ -z "$line" ] || { printf %s "$line"; exit 0; }
sed -n 's|^ *[0-9][0-9]*  *\([0-9][0-9]*/[0-9][0-9]*/[0-9][0-9]*\)  *\([0-9:]*\)  *\([AP]M\)\{0,1\}.*|\1 \2 \3|p' "$dir/saved" |
  sed 's/ *$//' | sort -u >"$dir/times"
[ -n "$client" ] || client=$(hostname) || exit 1
while IFS= read -r when; do
  printf '= index %s\n' "$when"
  for path; do
    "$nsrinfo" -s "$server" -N "$path" -t "$when" "$client" >"$dir/index" 2>&1 </dev/null
    code=$?
    sed 's/^/| /' "$dir/index"
    grep -q '^[0-9][0-9]* objects* found' "$dir/index" && continue
    [ "$code" -ne 0 ] || code=1
    printf '\n= unheard %s\n' "$code"
    exit "$code"
  done
done <"$dir/times"
echo '= end'
"""
