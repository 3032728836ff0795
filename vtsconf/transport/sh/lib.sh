# What a server does for vtsconf, in POSIX sh and coreutils. Sent with every request; the reverter keeps a copy.
#
# Words: S the state directory, R the run, N the frame mark of this request, P = S/pending/R the armed change.
# Every function is called vt_…; variables of a function start with the same letters, since sh has no locals.
# Nothing here takes a decision that the plan could take: it compares, stages, swaps, and takes back.

LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
vt_umask=$(umask)
umask 077
trap '' HUP PIPE   # a lost connection does not stop us half-way: we finish, and wait to be confirmed

vt_ordinary() { umask "$vt_umask"; trap - HUP PIPE; }   # for what is not ours: services, checks, the reverter

# ---- talking: a record is a header line that starts with the mark, and the bytes up to the next mark

vt_frame() { printf '\n%s %s\n' "$N" "$*" 2>/dev/null; }

vt_event() {    # NAME [TEXT]: for the progress line, and for both journals
  vt_frame "event $*"
  [ -d "$S" ] && printf '%s %s %s\n' "$(date +%s)" "$R" "$*" >>"$S/journal" 2>/dev/null
  return 0
}

# ---- who is alive: a process is named by boot, pid and start time, so that a reused pid is not taken for it

vt_start_time() {   # PID: sets vt_started, "" when there is no such process
  vt_started=
  { read -r vt_stat </proc/"$1"/stat; } 2>/dev/null || return 0
  vt_stat=${vt_stat##*) }
  # shellcheck disable=SC2086  # fields of /proc/PID/stat are meant to be split
  set -- $vt_stat
  [ "$1" = Z ] || vt_started=${20}
}

vt_identity() {     # PID: prints it
  read -r vt_boot </proc/sys/kernel/random/boot_id
  vt_start_time "$1"
  printf '%s %s %s' "$vt_boot" "$1" "$vt_started"
}

vt_alive() {        # LINK to an identity
  vt_was=$(readlink -- "$1" 2>/dev/null) || return 1
  read -r vt_boot </proc/sys/kernel/random/boot_id
  vt_pid=${vt_was#* }; vt_since=${vt_pid#* }; vt_pid=${vt_pid%% *}
  [ "${vt_was%% *}" = "$vt_boot" ] || return 1
  vt_start_time "$vt_pid"
  [ -n "$vt_started" ] && [ "$vt_started" = "$vt_since" ]
}

# ---- who may: a fact that must appear whole, at once, and on a full disk too, is the text of a symbolic link

vt_claim() {        # NAME: 0 = ours. Whoever makes the next of NAME.0, NAME.1 … has it for as long as it lives.
  vt_turn=0
  while [ -L "$1.$vt_turn" ]; do
    vt_alive "$1.$vt_turn" && return 1
    vt_turn=$((vt_turn + 1))
  done
  ln -s "$(vt_identity $$)" "$1.$vt_turn" 2>/dev/null
}

vt_claimed() {      # NAME: somebody who has it lives
  for vt_one in "$1".*; do vt_alive "$vt_one" && return 0; done
  return 1
}

vt_there() { [ -e "$1" ] || [ -L "$1" ]; }

vt_mark() { printf '' >"$1"; } 2>/dev/null   # never `: >FILE`: where that fails, a POSIX sh ends

# ---- running a command of the plan: its words only, never a function of ours; bounded in time

vt_bounded() {      # SECONDS ARGV…: exit code of ARGV; 124 or 137 when it had to be ended
  vt_seconds=$1; shift
  if command -v timeout >/dev/null 2>&1; then
    (vt_ordinary; exec timeout -k 2 "$vt_seconds" "$@")
    return
  fi
  # coreutils before 7.0: a process group of its own, and a watch that ends it
  (vt_ordinary; exec setsid "$@") &
  vt_child=$!
  (
    vt_left=$vt_seconds
    while [ "$vt_left" -gt 0 ]; do
      sleep 1; vt_left=$((vt_left - 1))
      kill -0 "$vt_child" 2>/dev/null || exit 0
    done
    # No `--`: dash and busybox take it for a process.
    kill -TERM "-$vt_child" 2>/dev/null; sleep 2; kill -KILL "-$vt_child" 2>/dev/null
  ) >/dev/null 2>&1 </dev/null &
  vt_watch_pid=$!
  wait "$vt_child"; vt_code=$?
  kill "$vt_watch_pid" 2>/dev/null
  [ "$vt_code" -eq 143 ] && vt_code=124
  return "$vt_code"
}

vt_logged() {       # SECONDS ARGV…: output to S/lock/out, so that a daemon that keeps it open holds nobody up
  vt_bounded "$@" </dev/null >"$S/lock/out" 2>&1
}

vt_query() {        # NAME SECONDS ARGV…: frames the first 64 KiB of the output, then the exit code
  vt_name=$1; shift
  vt_frame "query $vt_name"
  exec 4>&1
  vt_code=$({ { vt_bounded "$@" </dev/null 2>&1 3>&- 4>&-; printf '%s' "$?" >&3; } | { head -c 65536 >&4; cat >/dev/null; }; } 3>&1)
  exec 4>&-
  vt_frame "exit $vt_name $vt_code"
}

# ---- reading

vt_stats() {        # PATH…: one line for each that is there (hex type and mode, names, times, size, inode)
  [ $# -eq 0 ] && return 0
  stat -c '%f %U %G %a %Y %Z %s %i %n' -- "$@" 2>/dev/null
  return 0
}

vt_hidden() {       # PATH: true when a directory above it cannot be searched, so that we cannot know
  vt_up=$1
  while :; do
    vt_up=${vt_up%/*}
    [ -n "$vt_up" ] || return 1
    [ -d "$vt_up" ] || continue
    [ -x "$vt_up" ] && return 1
    return 0
  done
}

vt_file() {         # NUMBER LIMIT PATH
  if [ -L "$3" ]; then
    vt_frame "link $1"; readlink -- "$3" 2>/dev/null
  elif [ -f "$3" ]; then
    if [ -r "$3" ]; then vt_frame "file $1"; head -c "$2" -- "$3" 2>/dev/null; else vt_frame "unreadable $1"; fi
  elif [ -e "$3" ]; then vt_frame "other $1"
  elif vt_hidden "$3"; then vt_frame "unreadable $1"
  elif [ -d "${3%/*}/" ]; then vt_frame "absent $1"
  else vt_frame "absent $1 nofolder"
  fi
}

vt_ledger() {       # what this server remembers of our runs
  vt_any=
  for vt_entry in "$S"/pending/*/note; do
    [ -f "$vt_entry" ] || continue
    vt_any=1; vt_frame "pending"; cat -- "$vt_entry" 2>/dev/null
    [ -L "${vt_entry%/note}/decision" ] && { printf 'decision '; readlink -- "${vt_entry%/note}/decision"; }
  done
  if [ -d "$S/lock" ]; then vt_any=1; vt_frame "lock"; cat -- "$S/lock/note" 2>/dev/null; fi
  for vt_entry in "$S"/restart-debt/*; do
    [ -f "$vt_entry" ] || continue
    vt_any=1; vt_frame "debt ${vt_entry##*/}"; cat -- "$vt_entry" 2>/dev/null
  done
  [ -n "$vt_any" ] && { vt_frame "clock"; date +%s; }
  return 0
}

# ---- digests

vt_sum() {          # FILE: sets vt_digest
  vt_digest=$(sha256sum <"$1" 2>/dev/null); vt_digest=${vt_digest%% *}
}

vt_keyed_sum() {    # FILE: the same with the controller's key before the bytes, for files that hold a secret
  vt_digest=$({ printf '%s' "$K"; cat -- "$1"; } 2>/dev/null | sha256sum); vt_digest=${vt_digest%% *}
}

# ---- the lock: a directory that appears in one rename with its note inside

vt_lock() {         # HOLDER SECONDS: 0 = ours
  mkdir -p -m 700 "$S" "$S/pending" "$S/backup" "$S/restart-debt" 2>/dev/null
  vt_try=$S/.lock.$R.$$
  vt_now=$(date +%s)
  mkdir "$vt_try" 2>/dev/null || return 2
  { printf 'run %s\nholder %s\nsince %s\nuntil %s\n' "$R" "$1" "$vt_now" "$((vt_now + $2))" >"$vt_try/note" &&
    ln -s "$(vt_identity $$)" "$vt_try/identity"; } 2>/dev/null || { rm -rf -- "$vt_try"; return 2; }
  mv -T -- "$vt_try" "$S/lock" 2>/dev/null && return 0
  vt_break_dead_lock && mv -T -- "$vt_try" "$S/lock" 2>/dev/null && return 0
  rm -rf -- "$vt_try"
  return 1
}

vt_run_of_lock() { sed -n 's/^run //p' "$S/lock/note" 2>/dev/null; }

vt_lock_is_dead() { # its process is gone and nothing of its run is armed
  vt_alive "$S/lock/identity" && return 1
  vt_locked_by=$(vt_run_of_lock)
  [ -z "$vt_locked_by" ] || [ ! -d "$S/pending/$vt_locked_by" ]
}

vt_break_dead_lock() {
  [ -d "$S/lock" ] || return 0
  vt_lock_is_dead || return 1
  vt_drop_lock "$vt_locked_by" || return 1
  vt_forget_run "$vt_locked_by"
  vt_event unlocked "the run ${vt_locked_by:-?} had died before it changed anything"
}

vt_drop_lock() {    # RUN: the lock, and leftovers of staging. 1 = it is not of RUN, or someone else does it.
  # Whoever has the claim looks again: the lock may have been replaced since it was judged.
  vt_claim "$S/lock/taken" || return 1
  if [ "$(vt_run_of_lock)" != "$1" ]; then rm -f -- "$S/lock/taken.$vt_turn"; return 1; fi
  if [ -f "$S/lock/staged" ]; then
    while IFS= read -r vt_left_over; do
      case ${vt_left_over##*/} in .vtsconf.*.new) rm -f -- "$vt_left_over" ;; esac
    done <"$S/lock/staged"
  fi
  vt_gone=$S/.gone.$$.$(date +%s)
  mv -T -- "$S/lock" "$vt_gone" 2>/dev/null && rm -rf -- "$vt_gone"
  return 0
}

vt_forget_run() {   # RUN that never armed anything: neither its debts nor its copies mean anything
  [ -n "$1" ] && [ ! -e "$S/backup/$1/outcome" ] && [ ! -e "$S/backup/$1/pending" ] || return 0
  for vt_entry in "$S"/restart-debt/*; do
    [ "$(sed -n 's/^run //p' "$vt_entry" 2>/dev/null)" = "$1" ] && rm -f -- "$vt_entry"
  done
  rm -rf -- "$S/pending/.new.$1" "$S/backup/$1"
}

# ---- names next to a target

vt_near() {         # NUMBER PATH: sets vt_new (staged), vt_old (what the swap took away), vt_aside (for an instant)
  vt_new=${2%/*}/.vtsconf.$R.$1.new
  vt_old=${2%/*}/.vtsconf.$R.$1.old
  vt_aside=$2.vtsconf-$R
}

# ---- taking back: one decision for an armed change, made by one symlink(2); whoever comes first carries it out

vt_decide() {       # confirm|revert WHY: 0 = we decided
  ln -s "$*" "$P/decision" 2>/dev/null || ln -s "$1" "$P/decision" 2>/dev/null   # a full disk has no room for long ones
}

vt_outcome() {      # WORD REASON: the last word on a run; the pending change becomes part of its backup
  mkdir -p "$S/backup/$R"
  printf '%s %s\n' "$1" "$2" >"$S/backup/$R/outcome"
  vt_event "$1" "$2"
  rm -rf -- "$S/backup/$R/pending"
  mv -T -- "$P" "$S/backup/$R/pending" 2>/dev/null
  vt_drop_lock "$R"
  vt_prune
}

vt_rescue() {       # NUMBER FILE PATH: bytes in FILE that somebody else wrote into PATH are kept, room or no room
  [ -f "$2" ] && [ ! -L "$2" ] || return 0
  vt_sum "$2"
  case $vt_digest in "$(cat "$P/$1.oldsum")" | "$(cat "$P/$1.newsum")") return 0 ;; esac
  vt_kept=$S/backup/$R/$1.edited
  cp -p -- "$2" "$vt_kept" 2>/dev/null || { rm -f -- "$vt_kept"; vt_kept=$3.vtsconf-edited; mv -f -T -- "$2" "$vt_kept"; }
  vt_event edited "$3 was changed by someone else; kept as $vt_kept"
}

vt_undo_file() {    # NUMBER PATH: undo what the swap did; what it had not come to stays as it is
  vt_near "$1" "$2"; vt_undone=0
  vt_there "$vt_aside" && mv -f -T -- "$vt_aside" "$vt_old"
  if vt_there "$vt_old"; then
    vt_rescue "$1" "$2" "$2"
    [ ! -d "$vt_old" ] || rm -f -- "$2"    # a directory that someone put there: no rename brings it over a file
    mv -f -T -- "$vt_old" "$2" || vt_undone=1
  elif [ "$(cat "$P/$1.oldsum")" = absent ]; then
    # Only what the swap put there goes: a file that someone else made meanwhile was never ours.
    if [ -e "$P/$1.swapped" ] || [ "$vt_new" -ef "$2" ]; then
      vt_rescue "$1" "$2" "$2"; rm -f -- "$2" || vt_undone=1
    fi
  elif [ ! -e "$vt_new" ] && vt_sum "$2" && [ "$vt_digest" = "$(cat "$P/$1.newsum")" ]; then
    cp -p -- "$S/backup/$R/$1" "$vt_new" && mv -f -T -- "$vt_new" "$2" || vt_undone=1
  fi
  [ "$vt_undone" -eq 0 ] || { vt_trouble="$vt_trouble $2"; return 0; }
  rm -f -- "$vt_new" "$P/$1.swapped"
}

vt_undo_command() { # NUMBER SECONDS ARGV…: only if it was started
  [ -e "$P/command.$1" ] || return 0
  vt_number=$1; vt_seconds_each=$2; shift 2
  [ $# -eq 0 ] && { vt_trouble="$vt_trouble (a command that has no revert)"; return 0; }
  if vt_bounded "$vt_seconds_each" "$@" </dev/null >>"$P/out" 2>&1; then rm -f -- "$P/command.$vt_number"
  else vt_trouble="$vt_trouble command:$vt_number"; fi
}

vt_undo_restart() { # SERVICE SECONDS [ARGV…]: the service must run what the tree says again
  if [ $# -eq 2 ] || [ ! -e "$P/swapping" ]; then vt_forgive "$1"; return; fi
  vt_service=$1; shift
  vt_owe "$vt_service"
  if vt_bounded "$@" </dev/null >>"$P/out" 2>&1; then rm -f -- "$S/restart-debt/$vt_service"
  else vt_not_restarted="$vt_not_restarted $vt_service"; fi
}

vt_owe() {          # SERVICE: from here on this server knows that SERVICE has to be restarted
  [ -f "$S/restart-debt/$1" ] || printf 'run %s\nsince %s\n' "$R" "$(date +%s)" >"$S/restart-debt/$1"
} 2>/dev/null

vt_forgive() {      # SERVICE: this run has not restarted it, and its files are what they were
  [ "$(sed -n 's/^run //p' "$S/restart-debt/$1" 2>/dev/null)" != "$R" ] || rm -f -- "$S/restart-debt/$1"
}

vt_take_back() {    # REASON; vt_undo (from the plan) knows the steps
  vt_trouble=; vt_not_restarted=
  vt_event reverting "$1"
  vt_undo
  if [ -n "$vt_trouble" ]; then
    vt_event broken "could not be taken back:$vt_trouble"
    printf 'could not be taken back:%s (%s)\n' "$vt_trouble" "$1" >"$P/broken"
    return 1
  fi
  vt_outcome reverted "$1${vt_not_restarted:+; not restarted:$vt_not_restarted}"
}

vt_finish() {       # carry out what was decided: one process at a time, and if it dies, the next one goes on
  vt_claim "$P/finisher" || return 1
  vt_decided=$(readlink -- "$P/decision")
  case $vt_decided in
    confirm*) vt_keep "${vt_decided#confirm}" ;;
    *) vt_take_back "${vt_decided#revert }" ;;
  esac
}

vt_have_finished() {    # the same, by the program that was armed with the change; its events are its answer
  (vt_ordinary; exec sh "$P/revert.sh" finish </dev/null 2>&1)
}

vt_await_end() {    # sets vt_word and vt_text; whoever finishes it may be at work for long
  vt_idle=0
  while [ -d "$P" ] && [ ! -e "$P/broken" ] && [ "$vt_idle" -lt 100 ]; do
    vt_claimed "$P/finisher" || vt_idle=$((vt_idle + 1))
    sleep 0.2
  done
  vt_word=broken; vt_text="the change is armed, and nothing takes it back"
  if [ -e "$P/broken" ]; then vt_text=$(cat "$P/broken"); elif [ ! -d "$P" ]; then vt_past; fi
}

vt_past() {         # how the run ended: sets vt_word and vt_text
  vt_word=; vt_text=
  { read -r vt_word vt_text <"$S/backup/$R/outcome"; } 2>/dev/null
  [ -n "$vt_word" ] || case $(readlink -- "$S/backup/$R/pending/decision") in
    confirm*) vt_word=confirmed ;;
    revert*) vt_word=reverted ;;
    *) vt_word=none; vt_text="nothing of that run is armed here" ;;
  esac
}

vt_watch() {        # SECONDS LONGEST: the reverter. Decides when nobody else does; leaves when all is finished.
  vt_claim "$P/reverter" || exit 0
  vt_left=$1; vt_longest=$2; vt_why="not confirmed within $1 s"
  while [ -d "$P" ] && [ ! -e "$P/broken" ]; do
    if [ -L "$P/decision" ]; then vt_finish && continue
    elif [ "$vt_left" -le 0 ]; then
      vt_decide revert "$vt_why" && vt_stop_applier && continue
    elif [ -e "$P/done" ]; then vt_left=$((vt_left - 1))
    elif vt_alive "$P/applier" && [ "$vt_longest" -gt 0 ]; then vt_longest=$((vt_longest - 1))
    else vt_why="the change was cut off in the middle"; vt_left=0; continue
    fi
    sleep 1
  done
  exit 0
}

vt_stop_applier() { # it hangs, or is slow to answer: from here on it must not go on
  vt_alive "$P/applier" && kill -KILL "$vt_pid" 2>/dev/null
  return 0
}

# ---- settling: what a dead run left is finished by the next contact, before anything else is looked at

vt_settle() {
  vt_settle_armed
  if [ -d "$S/lock" ] && vt_lock_is_dead; then vt_frame "settled"; (N=-; vt_break_dead_lock); fi
  return 0
}

vt_settle_armed() {
  for vt_found in "$S"/pending/*/note; do
    [ -f "$vt_found" ] && (P=${vt_found%/note}; vt_settle_one)
  done
}

vt_settle_one() {
  [ -e "$P/broken" ] || vt_claimed "$P/finisher" && return
  if [ ! -L "$P/decision" ]; then
    vt_claimed "$P/reverter" || vt_alive "$P/applier" && return
    vt_decide revert "its processes had died before it was confirmed"
  fi
  vt_frame "settled"
  vt_have_finished
}

# ---- keeping

vt_keep() {         # WHO; vt_forget (from the plan) knows the files
  vt_forget
  vt_outcome confirmed "${1# }"
}

vt_forget_file() {  # NUMBER PATH: the old bytes are in the backup; a late writer's bytes are kept too
  vt_near "$1" "$2"
  vt_rescue "$1" "$vt_old" "$2"
  rm -f -- "$vt_old" "$vt_new" "$vt_aside"
}

vt_prune() {        # backups of the last 20 runs stay; by name, which begins with the controller's time
  ls -1r "$S/backup" 2>/dev/null | tail -n +21 | while IFS= read -r vt_name; do
    [ "$vt_name" = "$R" ] || rm -rf -- "$S/backup/$vt_name"
  done
  rm -rf -- "$S"/.gone.*
  for vt_try in "$S"/.lock.*; do vt_alive "$vt_try/identity" || rm -rf -- "$vt_try"; done
}
