"""What a server does with bconsole, in POSIX sh: a text that never changes; all values come as words or files. Pure.

Facts it is made of, found with Bacula 9.6.7: bconsole's exit code says only that it could talk to the Director; `wait` does
not time out, so `llist` is polled with our own clock; a job that waits for a tape says so in its log, its status stays R; the
catalogue has a job before `run` has said its JobId.

What it prints: lines of ours begin with "= ", lines of Bacula with "| ", so that no text of Bacula's can pass for ours.
"""

from __future__ import annotations

NAME = "bacula.sh"

# Files beside it: `paths` (one a line, for the file daemon), `selection` (file="…" of a restore), `folders` (path="…" a line).
SCRIPT = r"""# Archives, restores, locates or cancels one thing with bconsole.
# Words: ACTION DIR TOKEN, then JOB LIST for every job that archives: its name, and the list that its FileSet reads here.
# Environment: BCONSOLE, BCONSOLE_CONFIG, CLIENT, RESTORE_JOB, VERIFY_JOB ("": do not verify), WANTED (number of paths),
# and in seconds ANSWER_WITHIN, GIVE_UP, TAPE_WAIT, LIMIT; HISTORY: how many jobs are looked at before all of them.
set -u
LC_ALL=C; export LC_ALL
umask 077
trap '' HUP PIPE
action=$1 here=$2 token=$3
shift 3
held=
me=

say() { printf '= %s\n' "$*"; }
end() { say "end $*"; exit "$code"; }
code=3

now() { date +%s; }

# ---- asking: one call of the console, bounded in time and size

ask() {         # COMMAND…: its answer is in $here/answer; not 0 when the Director did not answer to the end
  printf '%s\n' "$@" quit >"$here/ask" || return 1
  (ulimit -f 1000000; exec "$BCONSOLE" -n -c "$BCONSOLE_CONFIG") <"$here/ask" >"$here/answer" 2>&1 &
  asked=$!
  (trap 'kill "$nap" 2>/dev/null; exit' TERM; nap=; sleep "$ANSWER_WITHIN" & nap=$!; wait "$nap"; kill -9 "$asked"
  ) </dev/null >/dev/null 2>&1 &
  watch=$!
  wait "$asked" 2>/dev/null
  answered=$?
  kill "$watch" 2>/dev/null
  wait "$watch" 2>/dev/null
  return "$answered"
}

tell() { tail -n "$1" "$here/answer" | cut -c 1-500 | sed 's/^/| /'; }

unanswered() { say "unanswered $answered"; tell 20; }

# Records of llist, one a line: JOBID NAME TYPE STATUS FILES ERRORS COMMENT. Bareos and PostgreSQL write names in lower case.
records='
function give() { if (id != "") print id, name, type, status, files, errors, comment; id = "" }
function number(text) { gsub(/[^0-9]/, "", text); return text == "" ? "0" : text }
{ sub(/\r$/, "") }
/^[|+]/ { exit }
/^ *[A-Za-z]+: / || /^ *[A-Za-z]+:$/ {
  at = index($0, ":"); key = tolower(substr($0, 1, at - 1)); value = substr($0, at + 2); gsub(/ /, "", key)
  if (key == "jobid") { give(); id = number(value); name = type = status = comment = "-"; files = errors = 0 }
  else if (value != "" && value !~ / /) {
    if (key == "name") name = value; if (key == "type") type = value; if (key == "jobstatus") status = value
    if (key == "jobfiles") files = number(value); if (key == "joberrors") errors = number(value)
    if (key == "comment") comment = value
  }
}
END { give() }'

records_of() {  # HOW NAME…: the records of these jobs, the newest first, to $here/jobs
  how=$1; shift
  : >"$here/jobs"
  for name; do
    ask "llist job=$name$how" || { unanswered; return 1; }
    # An empty answer must say that it is empty: silence is no answer.
    grep -q -i -e '^ *JobId: ' -e '^No results to list' "$here/answer" || { unanswered; return 1; }
    awk "$records" "$here/answer" >>"$here/jobs"
  done
}

# Which of the records are meant: by their comment, and whether they have ended.
active='$4 !~ /^[TWEefADI]$/'
pick() {        # CONDITION on a record, c is our mark: JobIds, the newest last
  awk -v c="$token" -v wanted="$WANTED" -v job="${slot-}" "$1 { print \$1 }" "$here/jobs" | sort -n
}
# A copy that a later verification could not read is none.
condemned() {
  awk -v v="$token-verify-" 'index($7, v) == 1 && ($4 ~ /^[DEe]$/ || ($4 == "f" && $5 > 0)) { print substr($7, length(v) + 1) }' \
    "$here/jobs"
}
copies() {      # CONDITION: JobIds of archived copies under our mark
  condemned >"$here/condemned"
  pick "\$7 == c && \$3 == \"B\" && \$4 == \"T\" && $1" | while read -r copy; do
    grep -q -x "$copy" "$here/condemned" || echo "$copy"
  done
}

look() {        # ALL or NEW: what is known under our mark
  set -- "$1" $names $VERIFY_NAME "$RESTORE_JOB"
  if [ "$1" = new ]; then shift; records_of " order=desc limit=$HISTORY" "$@"; else shift; records_of " order=desc" "$@"; fi
}

# ---- one at a time: the text of a symbolic link appears whole and at once; it names a process by boot, pid and start

start_of() {    # PID: when it was started, "" if it is not there
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
  line=${line##*) }
  set -- $line
  [ "$1" = Z ] || printf %s "${20}"
}
boot=
{ read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
me="$boot:$$:$(start_of $$)"

lives() {       # BOOT:PID:START
  was_pid=${1#*:}; was_start=${was_pid#*:}; was_pid=${was_pid%%:*}
  [ "${1%%:*}" = "$boot" ] && [ -n "$was_start" ] && [ "$(start_of "$was_pid")" = "$was_start" ]
}

hold() {        # LINK: it is ours until we end
  if ! ln -s "$me" "$1" 2>/dev/null; then
    was=$(readlink "$1") || return 1
    lives "$was" && return 1
    mv "$1" "$1.$$" 2>/dev/null || return 1
    now_moved=$(readlink "$1.$$")
    rm -f "$1.$$"
    [ "$now_moved" = "$was" ] || { ln -s "$now_moved" "$1" 2>/dev/null; return 1; }
    ln -s "$me" "$1" 2>/dev/null || return 1
  fi
  held="$held
$1"
}
free() {        # LINK
  [ "$(readlink "$1" 2>/dev/null)" != "$me" ] || rm -f "$1"
}
let_go() { printf '%s\n' "$held" | while IFS= read -r link; do [ -z "$link" ] || free "$link"; done; }
trap let_go EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

patiently() {   # COMMAND…: until it holds, or the time of an answer is over
  tries=0
  until "$@"; do
    [ "$tries" -lt "$ANSWER_WITHIN" ] || return 1
    tries=$((tries + 1))
    sleep 1
  done
}

# ---- following a job to its end

status_of() { awk "$records" "$here/answer" | awk -v id="$1" '$1 == id { print $4; exit }'; }

# The last message of the log says that the job waits for a person to bring a tape.
waits() {
  awk '/^\| [^ ]+ JobId [0-9,]+: / { waits = 0 } /is waiting\. Cannot find any appendable|Please mount |Cannot find any appendable/ { waits = 1 }
    END { exit !waits }' "$here/answer"
}

cancel() { ask "cancel jobid=$1"; say "cancelled $1 $2"; tell 5; }

follow() {      # JOBID: until its end, or ours; then its log and its record
  began=$(now); seen=; quiet=; tapeless=; cancelled=
  while :; do
    at=$(now)
    if ask "llist jobid=$1" "list joblog jobid=$1"; then
      quiet=
      status=$(status_of "$1")
      [ "$status" = "$seen" ] || say "status $1 ${status:--} $((at - began))"
      seen=$status
      case $status in T|W|E|e|f|A|D|I) report "$1"; return 0 ;; esac
      if waits; then tapeless=${tapeless:-$at}; else tapeless=; fi
    else
      quiet=${quiet:-$at}
      [ $((at - quiet)) -lt "$GIVE_UP" ] || { unanswered; say "lost $1"; return 1; }
    fi
    if [ -n "$cancelled" ]; then
      [ $((at - cancelled)) -lt "$GIVE_UP" ] || { report "$1"; say "still $1 ${seen:--}"; return 1; }
    elif [ -n "$tapeless" ] && [ $((at - tapeless)) -ge "$TAPE_WAIT" ]; then
      cancel "$1" "it waited $((at - tapeless)) s for a tape"; cancelled=$at
    elif [ $((at - began)) -ge "$LIMIT" ]; then
      cancel "$1" "it was not done after $((at - began)) s"; cancelled=$at
    fi
    pause=$(((at - began) / 20 + 1))
    [ "$pause" -le 30 ] || pause=30
    sleep "$pause"
  done
}

report() {      # JOBID: from the answer that is there, the record first and then the log, which is a table
  say "log $1"
  sed -n '/^+--/,$p' "$here/answer" | grep -v -e '^+--' -e '^\\' -e '^You have messages' -e '^quit' -e '^[| ]*$' |
    tail -n 60 | cut -c 1-400 | sed 's/^| *//; s/  *|*$//; s/^/| /'
  say "record $1"
  sed '/^[+|]/,$d' "$here/answer" | grep '^ *[A-Za-z]*: ' | head -n 60 | cut -c 1-400 | sed 's/^ */| /'
}

submitted() {   # COMMAND: sets jobid; says why there is none
  jobid=
  ask "$1" || { unanswered; return 1; }
  jobid=$(sed -n 's/^Job queued\. JobId=\([0-9][0-9]*\).*/\1/p' "$here/answer" | tail -n 1)
  [ -n "$jobid" ] || { say refused; tell 20; return 1; }
}

# ---- the actions

archive() {
  patiently hold "$lists/$token.lock" || end busy this tape is archived by another run
  look new || end unasked
  jobid=$(copies '$6 == 0 && $5 == wanted' | tail -n 1)
  [ -n "$jobid" ] || jobid=$(pick "\$7 == c && $active" | tail -n 1)
  if [ -n "$jobid" ]; then
    say "found $jobid"
  else
    start "$@"
  fi
  follow "$jobid" || end unfinished
  [ -z "$VERIFY_JOB" ] || [ "$(status_of "$jobid")" != T ] || verify "$jobid"
  code=0
  end archive
}

start() {       # JOB LIST…: takes a free one and runs it
  patiently take "$@" || end busy every job of the settings is in use
  say "slot $slot"
  { cp "$here/paths" "$list.new" && chmod 644 "$list.new" && mv "$list.new" "$list"; } 2>/dev/null || end no list "$list"
  [ "$(readlink "$list.lock")" = "$me" ] || end busy "$slot" was taken by another run
  submitted "run job=$slot level=Full comment=\"$token\" yes" && { say "run $jobid"; return; }
  [ "$answered" -ne 0 ] || end refused
  # The console was lost, and the Director may have heard it all the same.
  look new || end unknown
  jobid=$(pick "\$7 == c && $active" | tail -n 1)
  [ -n "$jobid" ] || end unheard
  say "found $jobid"
}

take() {        # JOB LIST…: a job that nobody uses, neither a run of ours nor the Director
  while [ $# -gt 1 ]; do
    slot=$1 list=$2
    shift 2
    hold "$list.lock" || continue
    if records_of ' order=desc limit=20' "$slot" && [ -z "$(pick "\$2 == job && $active")" ]; then return 0; fi
    free "$list.lock"
  done
  return 1
}

verify() {      # JOBID: reads it back from the tape
  copy=$1
  say "verify $copy"
  jobid=$(pick "\$7 == c \"-verify-$copy\" && (\$4 == \"T\" || $active)" | tail -n 1)
  if [ -n "$jobid" ]; then
    say "found $jobid"
  else
    submitted "run job=$VERIFY_JOB jobid=$copy comment=\"$token-verify-$copy\" yes" || end unverified
    say "run $jobid"
  fi
  follow "$jobid" || end unfinished
}

restore() {
  patiently hold "$lists/$token.restore.lock" || end busy this tape is restored by another run
  look new || end unasked
  jobid=$(pick "\$7 == c \"-restore\" && $active" | tail -n 1)
  if [ -n "$jobid" ]; then
    say "found $jobid"
  else
    newest || end none
    read -r selection <"$here/selection"
    where="where=/ replace=always comment=\"$token-restore\" done yes"
    submitted "restore client=$CLIENT restorejob=$RESTORE_JOB jobid=$copy $selection $where" || end refused
    say "run $jobid"
  fi
  follow "$jobid" || end unfinished
  code=0
  end restore
}

newest() {      # sets copy and copies: first among the newest jobs, then among all
  for depth in new all; do
    look "$depth" || end unasked
    copies=$(copies 1)
    copy=$(printf '%s\n' "$copies" | tail -n 1)
    [ -z "$copy" ] || return 0
  done
  return 1
}

locate() {
  if newest; then
    for copy in $copies; do show "$copy"; done
  fi
  code=0
  end locate
}

show() {        # JOBID: its record, its files in the folders that were asked for, its tapes
  ask "llist jobid=$1" || { unanswered; end unasked; }
  report "$1"
  ask ".bvfs_update jobid=$1" || { unanswered; end unasked; }
  number=0
  while IFS= read -r folder; do
    ask ".bvfs_lsfiles jobid=$1 $folder" || { unanswered; end unasked; }
    say "folder $1 $number"
    awk -F '\t' 'NF == 6' "$here/answer" | sed 's/^/| /'
    number=$((number + 1))
  done <"$here/folders"
  ask "llist jobmedia jobid=$1" || { unanswered; end unasked; }
  sed -n 's/^ *[Vv]olume[Nn]ame: *\([^ ]*\) *$/\1/p' "$here/answer" | sort -u | while read -r volume; do
    say "media $1 $volume"
  done
}

stop() {
  look new || end unasked
  for jobid in $(pick "(\$7 == c || index(\$7, c \"-\") == 1) && $active"); do
    cancel "$jobid" 'as was asked'
  done
  code=0
  end cancel
}

names=
lists=
for word; do
  case $word in
    /*) lists=${lists:-${word%/*}} ;;
    *) names="$names $word" ;;
  esac
done
[ "$action" = locate ] || { [ -d "$lists" ] && [ -w "$lists" ]; } || end no list "$lists"
case $action in
  archive) archive "$@" ;;
  restore) restore ;;
  locate) locate ;;
  cancel) stop ;;
esac
"""
