# Commands that run detached: they outlive the connection and the controller, and can be found again.
#
# S/jobs/ID/ is D, one job: `lock`, and for each attempt a directory J, which appears by one rename when the run begins:
#   dir/ input       where the command runs, and what it reads
#   runner session   who runs it, and the leader of its session: boot, pid, start time
#   note beat        when it began, and when it was last seen alive: the clock, and seconds since boot
#   out out.1 …      its output: the first part, and the last two
#   why              why it was ended, if it was
#   exit.CODE        an empty file, whose name is the exit code: there is no moment in which it is half there
#
# S/jobs/.bell names the run that ended last: whoever waits for one reads a line now and then, and looks when it changes.
#
# The runner holds D/lock, and so does the command, which inherits it: it is free when the last of them has ended. Without
# flock(1) the lock is a claim, and the session that it has written down. A run lives as long as its runner, or a process of
# its session, or whoever holds the lock.

vt_part=32768       # bytes of a part of the output
vt_patience=0       # hundredths of a second that an answer may wait for an end
vt_flock=; vt_new=

vt_files() { :; }   # from the plan: the files that are told with the answer

vt_job() { D=$S/jobs/$1; A=$2; J=$D/$2; }       # ID ATTEMPT

vt_first_line() {   # FILE: sets vt_line
  vt_line=
  { IFS= read -r vt_line <"$1"; } 2>/dev/null
  return 0
}

# ---- how it stands

vt_newest() {       # sets vt_attempt: the newest that ever began, 0 = none
  vt_attempt=0
  for vt_one in "$D"/[1-9]*; do
    [ ! -d "$vt_one" ] || [ "${vt_one##*/}" -le "$vt_attempt" ] || vt_attempt=${vt_one##*/}
  done
}

vt_see_exit() {     # sets vt_exit, "" while there is none
  vt_exit=
  for vt_one in "$J"/exit.*; do [ ! -e "$vt_one" ] || vt_exit=${vt_one##*.}; done
}

vt_see_members() {  # SESSION: sets vt_members, its processes
  vt_members=; vt_wanted=$1
  for vt_one in /proc/[0-9]*/stat; do
    vt_stat=
    { read -r vt_stat <"$vt_one"; } 2>/dev/null
    vt_stat=${vt_stat##*) }
    case $vt_stat in [ZX]*) continue ;; *" $vt_wanted "*) ;; *) continue ;; esac
    # shellcheck disable=SC2086  # fields of /proc/PID/stat are meant to be split
    set -- $vt_stat
    [ "$4" != "$vt_wanted" ] || { vt_one=${vt_one%/stat}; vt_members="$vt_members ${vt_one##*/}"; }
  done
}

vt_session_lives() {    # FILE with the identity of its leader; sets vt_pid and vt_members. A session outlives its leader.
  vt_first_line "$1"; vt_members=
  [ -n "$vt_line" ] || return 1
  # A number that another process has now, or from before a reboot, is not ours.
  vt_lives "$vt_line" || { [ "${vt_line%% *}" = "$vt_boot" ] && [ -z "$vt_started" ]; } || return 1
  vt_see_members "$vt_pid"
  [ -n "$vt_members" ]
}

vt_lock_is_held() {
  [ -e "$D/lock" ] && command -v flock >/dev/null 2>&1 || return 1
  (exec flock -s -n "$D/lock" true) 2>/dev/null
  [ $? -eq 1 ]
}

vt_runs() {         # [unlocked]: something of J lives; with the word, whoever else holds the lock does not count
  vt_first_line "$J/runner"
  vt_lives "$vt_line" || vt_session_lives "$J/session" || { [ -z "$1" ] && vt_lock_is_held; }
}

vt_see_job() {      # [unlocked]: sets vt_is, vt_exit, vt_attempt and J
  vt_newest; J=$D/$vt_attempt; vt_is=none; vt_exit=
  [ "$vt_attempt" -gt 0 ] || return 0
  vt_see_exit; vt_is=ended
  [ -z "$vt_exit" ] || return 0
  vt_is=running
  vt_runs "$1" && return 0
  vt_see_exit; vt_is=ended      # it may have ended just now
  [ -n "$vt_exit" ] || vt_is=lost
}

vt_see_times() {    # sets vt_began and vt_beaten: seconds since 1970, by this server's clock as it is now
  vt_first_line "$J/note"; vt_began=${vt_line%% *}; vt_began_up=${vt_line#* }
  vt_beaten=$vt_began; vt_beaten_up=$vt_began_up
  vt_first_line "$J/beat"; [ -z "$vt_line" ] || { vt_beaten=${vt_line%% *}; vt_beaten_up=${vt_line#* }; }
  vt_first_line "$J/runner"
  # The clock may have been set since: seconds since boot are not.
  [ "${vt_line%% *}" = "$vt_boot" ] || return 0
  [ -z "$vt_began_up" ] || vt_began=$((vt_now - vt_up + vt_began_up))
  [ -z "$vt_beaten_up" ] || vt_beaten=$((vt_now - vt_up + vt_beaten_up))
}

vt_see_parts() {    # sets vt_last: the number of the newest part of the output
  vt_last=0
  for vt_one in "$J"/out.*; do
    [ ! -e "$vt_one" ] || [ "${vt_one##*.}" -le "$vt_last" ] || vt_last=${vt_one##*.}
  done
}

vt_tell_job() {     # ID BYTES: of a running job's newest output; of one that has ended, all that was kept
  vt_see_job
  if [ "$vt_is" = none ]; then vt_frame "run $1 $A none - 0 0 whole"; return 0; fi
  vt_see_times; vt_see_parts
  vt_cut=whole; [ "$vt_last" -le 2 ] || vt_cut=cut
  vt_first_line "$J/why"
  vt_frame "run $1 $vt_attempt $vt_is ${vt_exit:--} ${vt_began:-0} ${vt_beaten:-0} $vt_cut $vt_line"
  vt_show_output "$2" 2>/dev/null
  return 0
}

vt_show_output() {  # BYTES
  vt_bytes=$1
  case $vt_last in
    0) set -- "$J/out" ;;
    1) set -- "$J/out" "$J/out.1" ;;
    *) set -- "$J/out" "$J/out.$((vt_last - 1))" "$J/out.$vt_last" ;;
  esac
  if [ "$vt_is" != running ]; then cat -- "$@"; return; fi
  [ $# -lt 3 ] || shift
  tail -q -c "$vt_bytes" -- "$@"
}

vt_see_clock() { vt_identify $$; vt_clock; vt_frame clock; printf '%s\n' "$vt_now"; }

vt_ring() { printf '%s\n' "$J" >"$S/jobs/.bell"; } 2>/dev/null

vt_hear() { vt_first_line "$S/jobs/.bell"; vt_heard=$vt_line; }     # before the look: what ends after it, rings

vt_await_ring() {   # until any run of this server ends, or there is no patience left
  vt_nap=4
  while [ "$vt_patience" -gt 0 ]; do
    [ "$vt_nap" -ge 70 ] || vt_nap=$((vt_nap + vt_nap / 4 + 1))
    vt_rest=0.$vt_nap; [ "$vt_nap" -ge 10 ] || vt_rest=0.0$vt_nap
    vt_patience=$((vt_patience - vt_nap))
    sleep "$vt_rest" 2>/dev/null || { sleep 1; vt_patience=$((vt_patience - 100)); }    # one that knows no fractions
    vt_frame "event waiting"      # silence would be taken for a server that hangs
    vt_first_line "$S/jobs/.bell"
    [ "$vt_line" = "$vt_heard" ] || return 0
  done
}

vt_all_run() {      # ID…
  for vt_name; do
    vt_job "$vt_name" 0; vt_see_job
    [ "$vt_is" = running ] || return 1
  done
}

vt_jobs() {         # BYTES ID…: how these stand; with patience, as soon as one of them, or any other, has ended
  vt_each=$1; shift
  vt_hear
  ! vt_all_run "$@" || vt_await_ring
  vt_see_clock
  for vt_name; do vt_job "$vt_name" 0; vt_tell_job "$vt_name" "$vt_each"; done
}

vt_tapes_are() {    # PATH…: one line for each that is there
  vt_frame "stats"
  stat -c '%f %s %i %Y %b %B %U|%y|%n' -- "$@" 2>/dev/null
  return 0
}

vt_bye() { vt_frame bye; exit 0; }

vt_cannot() {       # REASON: and nothing was started
  [ -z "$vt_new" ] || rm -rf -- "$vt_new"
  vt_frame "result failed $*"
  vt_bye
}

vt_answer_job() {   # what there is, started by us or not; with patience, when it has ended
  while vt_hear; vt_see_job; [ "$vt_is" = running ] && [ "$vt_patience" -gt 0 ]; do vt_await_ring; done
  vt_see_clock
  vt_tell_job "${D##*/}" 4096
  vt_files
  vt_bye
}

# ---- starting: all is laid down under a name that means nothing; the runner, alone in the lock, makes it an attempt

vt_prepare() {      # the job may have this attempt already
  vt_new=
  vt_newest
  [ "$vt_attempt" -lt "$A" ] || vt_answer_job
  [ -d "$D" ] || mkdir -p -m 700 "$S" "$S/jobs" "$D" 2>/dev/null
  vt_new=$D/.new.$N
  mkdir "$vt_new" "$vt_new/dir" 2>/dev/null || vt_cannot "nothing can be written in $D: is the disk full, or not ours?"
  command -v setsid >/dev/null 2>&1 || vt_cannot "this server has no setsid, without which nothing can run detached"
}

vt_put() {          # NAME BYTES of stdin
  vt_mark "$vt_new/$1" && { [ "$2" -eq 0 ] || head -c "$2" >"$vt_new/$1"; } 2>/dev/null
}

vt_put_program() { printf '%s\n' "$L$RUN" >"$vt_new/run.sh"; } 2>/dev/null

vt_whole() {        # NAME BYTES …: all came here, and went to the disk
  vt_names=; vt_sizes=
  while [ $# -gt 0 ]; do vt_names="$vt_names $1"; vt_sizes="$vt_sizes$2$vt_newline"; shift 2; done
  # shellcheck disable=SC2086  # names that have no blanks
  vt_lines=$(cd "$vt_new" && exec stat -c %s -- $vt_names 2>/dev/null)
  [ "$vt_lines$vt_newline" = "$vt_sizes" ] || vt_cannot "not all could be written in $D: disk full, or the connection was cut"
}

vt_launch() {       # the runner says one line as soon as it is decided, and is on its own from there
  vt_said=
  [ ! -d /run/systemd/system ] || ! command -v systemd-run >/dev/null 2>&1 ||
    vt_said=$( (vt_ordinary; exec systemd-run --quiet --scope setsid sh "$vt_new/run.sh" "$vt_new" </dev/null 2>/dev/null) & )
  [ -n "$vt_said" ] || [ ! -e "$vt_new/run.sh" ] ||
    vt_said=$( (vt_ordinary; exec setsid sh "$vt_new/run.sh" "$vt_new" </dev/null 2>/dev/null) & )
  case $vt_said in
    refused* | busy*) rm -rf -- "$vt_new"; vt_frame "result $vt_said"; vt_bye ;;
    failed*) vt_cannot "${vt_said#failed }" ;;
  esac
  rm -rf -- "$vt_new"
  vt_newest
  [ "$vt_attempt" -gt 0 ] || vt_cannot "its runner ended before it began: is the disk full?"
  vt_answer_job
}

# ---- the runner

vt_say() { printf '%s\n' "$*"; exit 0; } 2>/dev/null

vt_lock_job() {     # 0 = ours, as long as we or the command live
  if command -v flock >/dev/null 2>&1; then
    vt_mark_more "$D/lock" || return 1
    exec 9>>"$D/lock"
    flock -n 9 2>/dev/null && [ "$D/lock" -ef /proc/self/fd/9 ]    # it may have been forgotten meanwhile
  else
    vt_flock=none
    vt_claim "$D/holder"
  fi
}

vt_mark_more() { printf '' >>"$1"; } 2>/dev/null

vt_take_job() {     # alone from here on; somebody else may have begun it, or an older attempt may run
  vt_waits=0
  until vt_lock_job; do
    vt_see_job unlocked
    [ "$vt_attempt" -lt "$A" ] && [ "$vt_is" != running ] || vt_say there
    vt_waits=$((vt_waits + 1))
    [ "$vt_waits" -lt 100 ] || vt_say_who_holds_it
    sleep 0.05
  done
  vt_see_job unlocked
  # Of an older one something may live, although it has let go of the lock.
  [ "$vt_attempt" -lt "$A" ] && [ "$vt_is" != running ] || vt_say there
  J=$D/$A
}

vt_say_who_holds_it() {
  vt_see_job
  [ "$vt_is" != running ] || vt_say there
  exec 9>&-
  vt_holders=
  for vt_one in /proc/[0-9]*/fd/9; do
    [ ! "$vt_one" -ef "$D/lock" ] || { vt_one=${vt_one%/fd/9}; vt_holders="$vt_holders ${vt_one##*/}"; }
  done
  vt_say "failed attempt $vt_attempt has left something behind that holds the lock of this job (process${vt_holders:- not known})"
}

vt_refuse() { rm -rf -- "$vt_new"; vt_say "refused $*"; }

vt_guard() {        # PATH SIZE INODE SECONDS FRACTION; "" may be any
  [ -f "$1" ] && [ ! -L "$1" ] || vt_refuse "$1 is not there, or is not a file"
  vt_path=$1; vt_size=$2; vt_inode=$3; vt_seconds=$4; vt_fraction=$5
  vt_line=$(exec stat -c '%s %i %Y %y' -- "$1" 2>/dev/null) || vt_refuse "$1 cannot be looked at"
  # shellcheck disable=SC2086  # words are meant to be split
  set -- $vt_line
  vt_line=${5#*.}; [ "$vt_line" != "$5" ] || vt_line=000000000
  [ -z "$vt_size" ] || [ "$1" = "$vt_size" ] || vt_refuse "$vt_path has $1 bytes, not $vt_size"
  [ -z "$vt_inode" ] || [ "$2" = "$vt_inode" ] || vt_refuse "$vt_path is another file than it was"
  [ -z "$vt_seconds" ] || [ "$3" = "$vt_seconds" ] || vt_refuse "$vt_path was written to since"
  [ -z "$vt_fraction" ] || [ "$vt_line" = "$vt_fraction" ] || vt_refuse "$vt_path was written to since"
}

vt_absent() { ! vt_there "$1" || vt_refuse "$1 is there"; }

vt_only() {         # PATH VAULT…: no other file of this name in any pool of these, names or globs beside its own vault
  vt_path=$1; vt_name=${1##*/}; vt_root=${1%/*/*/*}; vt_ifs=$IFS; IFS=; shift
  for vt_one; do
    for vt_other in "$vt_root"/$vt_one/*/"$vt_name"; do
      ! vt_there "$vt_other" || [ "$vt_other" -ef "$vt_path" ] || vt_refuse "$vt_other has the same name"
    done
  done
  IFS=$vt_ifs
}

vt_after() {        # ID: nothing of that job lives
  vt_mine=$D; D=$S/jobs/$1
  ! vt_lock_is_held || vt_refuse "something of $1 is still at work"
  D=$vt_mine
}

vt_check() {        # SECONDS ARGV…: must end with 0
  (exec 9>&-; vt_bounded "$@") </dev/null >/dev/null 2>&1 && return 0
  rm -rf -- "$vt_new"
  shift; vt_say "busy the check \`$*\` does not pass"
}

vt_run() {          # NEW SECONDS ARGV…
  vt_new=$1; vt_limit=$2; shift 2
  vt_take_job
  vt_guards          # from the plan
  vt_lay_down || vt_say "failed nothing can be written in $D: is the disk full?"
  exec 8<>"$vt_new/pipe" 7<"$vt_new/pipe"
  rm -f -- "$vt_new/pipe" "$vt_new/run.sh"
  mv -T -- "$vt_new" "$J" 2>/dev/null || vt_say "failed nothing can be written in $D: is the disk full?"
  printf 'began\n' 2>/dev/null; exec >/dev/null 2>&1
  # Closed by `exec`: for a function's redirections dash keeps copies of what they close, and this one must not hold the lock.
  (exec 7<&- 8>&- 9>&-; vt_keep_output) <&7 &
  vt_logger=$!
  (exec 7<&- 8>&- 9>&-; vt_watch_run) &
  vt_watcher=$!
  vt_input=$J/input; [ -s "$vt_input" ] || vt_input=/dev/null
  (exec 7<&- 8>&-; vt_become "$@") <"$vt_input" >&8 2>&1 &
  vt_child=$!
  exec 7<&- 8>&-
  wait "$vt_child"; vt_code=$?
  vt_end_rest
  kill "$vt_watcher" 2>/dev/null
  vt_await_output
  vt_first_line "$J/why"
  case $vt_line in "ended after"*) vt_code=124 ;; esac
  vt_beat
  until vt_mark "$J/exit.$vt_code" || [ ! -d "$J" ]; do sleep 1; vt_beat; done    # until there is room again
  vt_ring
} 2>/dev/null

vt_lay_down() {     # what the run must have on the disk before it begins
  vt_identify $$; vt_clock
  printf '%s\n' "$vt_identity" >"$vt_new/runner" && printf '%s %s\n' "$vt_now" "$vt_up" >"$vt_new/note" &&
    mkfifo -m 600 "$vt_new/pipe"
} 2>/dev/null

vt_become() {       # ARGV…: the command, in a session of its own, which is written down first
  read -r vt_self vt_rest </proc/self/stat
  vt_identify "$vt_self"
  printf '%s\n' "$vt_identity" >"$J/session" || exit 126
  # Without flock: whoever has claimed the job since then has either seen this session, or is seen here.
  [ "$vt_flock" != none ] || ! vt_there "$D/holder.$((vt_turn + 1))" || exit 126
  cd "$J/dir" || exit 126
  vt_environment     # from the plan
  vt_ordinary
  exec setsid "$@"
}

vt_beat() { vt_clock; printf '%s %s\n' "$vt_now" "$vt_up" >"$J/beat"; } 2>/dev/null

vt_watch_run() {    # beats, and ends it when its time is over. Counts seconds that it slept: clocks jump.
  trap 'kill "$vt_nap" 2>/dev/null; exit 0' TERM
  vt_left=$vt_limit
  while [ "$vt_left" -gt 0 ]; do
    vt_beat
    vt_step=10; [ "$vt_left" -ge 10 ] || vt_step=$vt_left
    sleep "$vt_step" &
    vt_nap=$!; wait "$vt_nap"
    vt_left=$((vt_left - vt_step))
  done
  vt_session_lives "$J/session" || exit 0
  printf 'ended after %s s\n' "$vt_limit" >"$J/why"
  vt_end_session 10
}

vt_end_session() {  # SECONDS between TERM and KILL, which goes on until all have ended; 0 = they have; sets vt_how
  vt_how=TERM; vt_ticks=0; vt_most=$(($1 * 5))
  vt_session_lives "$J/session" || return 0
  vt_signal TERM
  while vt_session_lives "$J/session"; do
    [ "$vt_ticks" -lt "$vt_most" ] || { vt_how=KILL; vt_signal KILL; }
    [ "$vt_ticks" -lt $((vt_most + 50)) ] || return 1
    sleep 0.2; vt_ticks=$((vt_ticks + 1))
  done
}

vt_signal() {       # NAME: to the whole session, whatever process groups it has made of itself
  kill -"$1" "-$vt_pid" 2>/dev/null
  for vt_one in $vt_members; do kill -"$1" "$vt_one" 2>/dev/null; done
}

vt_end_rest() {     # what the command left behind in its session has ten seconds to end by itself
  vt_ticks=0
  while vt_session_lives "$J/session"; do
    if [ "$vt_ticks" -ge 50 ]; then
      [ -s "$J/why" ] || printf 'what it left running was ended\n' >"$J/why"
      until vt_end_session 5; do :; done
      return
    fi
    sleep 0.2; vt_ticks=$((vt_ticks + 1))
  done
}

vt_await_output() { # a daemon may hold it open
  vt_ticks=0
  while vt_start_time "$vt_logger"; [ -n "$vt_started" ] && [ "$vt_ticks" -lt 100 ]; do
    sleep 0.02; vt_ticks=$((vt_ticks + 1))
  done
}

vt_keep_output() {  # stdin, as it comes: its first part, and the last two. `dd` takes what one read gives and loses nothing.
  vt_file=$J/out; vt_number=0
  while :; do
    vt_size=0
    while [ "$vt_size" -lt "$vt_part" ]; do
      vt_dd=$(exec dd bs=4096 count=8 2>&1 >>"$vt_file")
      case $vt_dd in
        "0+0 records in"*) exit 0 ;;
        *"records in"*) ;;
        *) exec cat >/dev/null ;;   # it cannot be kept; the command must not stand still for that
      esac
      vt_dd=${vt_dd##*records out?}; vt_dd=${vt_dd%% *}
      case $vt_dd in "" | *[!0-9]*) ;; *) vt_size=$((vt_size + vt_dd)) ;; esac
    done
    vt_number=$((vt_number + 1)); vt_file=$J/out.$vt_number
    rm -f -- "$J/out.$((vt_number - 2))"
  done
}

# ---- ending and forgetting

vt_end_job() {      # ends this attempt, if it is the one that runs
  vt_see_job
  if [ "$vt_is" = running ] && [ "$vt_attempt" = "$A" ]; then
    [ -s "$J/why" ] || printf 'ended as asked\n' >"$J/why"
    if vt_end_session 10 && [ "$vt_how" = KILL ]; then printf 'killed as asked: it did not end by itself\n' >"$J/why"; fi
    vt_ticks=0
    while vt_see_job; [ "$vt_is" = running ] && [ "$vt_ticks" -lt 150 ]; do sleep 0.1; vt_ticks=$((vt_ticks + 1)); done
    [ "$vt_is" != running ] || printf 'something of it does not end, or has left its session\n' >"$J/why"
  fi 2>/dev/null
  vt_answer_job
}

vt_forget_job() {   # ID: unless it runs
  vt_job "$1" 0
  [ -d "$D" ] || { vt_frame "forgotten $1"; return 0; }
  (
    vt_lock_job && vt_see_job unlocked && [ "$vt_is" != running ] || exit 1
    mv -T -- "$D" "$S/jobs/.gone.$N.$1"
  ) 2>/dev/null || return 0
  rm -rf -- "$S/jobs/.gone.$N.$1"
  vt_frame "forgotten $1"
}

vt_forget_jobs() {  # ID…: and the questions that belong to it, whose names begin with its own and a dash
  for vt_name; do
    for vt_own in "$S/jobs/$vt_name"-*; do [ ! -d "$vt_own" ] || vt_forget_job "${vt_own##*/}" >/dev/null; done
    vt_forget_job "$vt_name"
  done
}

: end of the jobs
