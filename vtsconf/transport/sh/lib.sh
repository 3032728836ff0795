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
  printf '%s %s %s\n' "$vt_boot" "$1" "$vt_started"
}

vt_alive() {        # FILE that starts with an identity
  [ -f "$1" ] || return 1
  { read -r vt_was vt_pid vt_since vt_words <"$1"; } 2>/dev/null || return 1
  read -r vt_boot </proc/sys/kernel/random/boot_id
  [ "$vt_was" = "$vt_boot" ] || return 1
  vt_start_time "$vt_pid"
  [ -n "$vt_started" ] && [ "$vt_started" = "$vt_since" ]
}

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
    kill -TERM -- "-$vt_child" 2>/dev/null; sleep 2; kill -KILL -- "-$vt_child" 2>/dev/null
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
  vt_code=$({ { vt_bounded "$@" </dev/null 2>&1 3>&- 4>&-; printf '%s' "$?" >&3; } | head -c 65536 >&4; } 3>&1)
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
  else vt_frame "absent $1"
  fi
}

vt_ledger() {       # what this server remembers of our runs
  vt_any=
  for vt_entry in "$S"/pending/*/note; do
    [ -f "$vt_entry" ] || continue
    vt_any=1; vt_frame "pending"; cat -- "$vt_entry" 2>/dev/null
    [ -f "${vt_entry%/note}/decision" ] && { printf 'decision '; cat -- "${vt_entry%/note}/decision"; }
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
    vt_identity $$ >"$vt_try/identity"; } 2>/dev/null || { rm -rf -- "$vt_try"; return 2; }
  mv -T -- "$vt_try" "$S/lock" 2>/dev/null && return 0
  vt_break_dead_lock && mv -T -- "$vt_try" "$S/lock" 2>/dev/null && return 0
  rm -rf -- "$vt_try"
  return 1
}

vt_lock_is_dead() { # its process is gone and nothing of its run is armed
  vt_alive "$S/lock/identity" && return 1
  vt_run_of_lock=$(sed -n 's/^run //p' "$S/lock/note" 2>/dev/null)
  [ -z "$vt_run_of_lock" ] || [ ! -d "$S/pending/$vt_run_of_lock" ]
}

vt_break_dead_lock() {
  [ -d "$S/lock" ] || return 0
  vt_lock_is_dead || return 1
  vt_judged=$vt_run_of_lock
  # One contender only: whoever makes `taken`. If the lock was replaced since we judged it, we let go again.
  ln "$S/lock/identity" "$S/lock/taken" 2>/dev/null || return 1
  if [ "$(sed -n 's/^run //p' "$S/lock/note" 2>/dev/null)" != "$vt_judged" ] || ! vt_lock_is_dead; then
    rm -f -- "$S/lock/taken"; return 1
  fi
  vt_event unlocked "the run ${vt_judged:-?} had died before it changed anything"
  vt_drop_lock
}

vt_drop_lock() {    # removes leftovers of staging with it
  if [ -f "$S/lock/staged" ]; then
    while IFS= read -r vt_left_over; do
      case ${vt_left_over##*/} in .vtsconf.*.new) rm -f -- "$vt_left_over" ;; esac
    done <"$S/lock/staged"
  fi
  vt_gone=$S/.gone.$$.$(date +%s)
  mv -T -- "$S/lock" "$vt_gone" 2>/dev/null && rm -rf -- "$vt_gone"
  return 0
}

vt_unlock_run() {   # drop the lock if it belongs to R
  [ "$(sed -n 's/^run //p' "$S/lock/note" 2>/dev/null)" = "$R" ] && vt_drop_lock
  return 0
}

# ---- names next to a target

vt_near() {         # NUMBER PATH: sets vt_new (staged), vt_old (what the swap took away), vt_aside (for an instant)
  vt_new=${2%/*}/.vtsconf.$R.$1.new
  vt_old=${2%/*}/.vtsconf.$R.$1.old
  vt_aside=$2.vtsconf-$R
}

# ---- taking back: one decision for an armed change, made by one link(2); then by whoever made it

vt_decide() {       # confirm|revert: 0 = we decided. The decision appears whole: who decided, and what.
  vt_claim=$P/.claim.$$
  { printf '%s %s\n' "$(vt_identity $$)" "$1" >"$vt_claim"; } 2>/dev/null || return 1
  ln "$vt_claim" "$P/decision" 2>/dev/null; vt_lost=$?
  rm -f -- "$vt_claim"
  return "$vt_lost"
}

vt_outcome() {      # WORD REASON: the last word on a run; the pending change becomes part of its backup
  mkdir -p "$S/backup/$R"
  printf '%s %s\n' "$1" "$2" >"$S/backup/$R/outcome"
  vt_event "$1" "$2"
  rm -rf -- "$S/backup/$R/pending"
  mv -T -- "$P" "$S/backup/$R/pending" 2>/dev/null
  vt_unlock_run
}

vt_undo_file() {    # NUMBER PATH: make PATH what it was; whatever else is found there is kept in the backup
  vt_near "$1" "$2"
  [ -e "$vt_aside" ] && mv -f -T -- "$vt_aside" "$vt_old"
  vt_oldsum=$(cat "$P/$1.oldsum" 2>/dev/null); vt_newsum=$(cat "$P/$1.newsum" 2>/dev/null)
  vt_now_is=absent
  if [ -f "$2" ]; then vt_sum "$2"; vt_now_is=$vt_digest; fi
  if [ "$vt_now_is" != "$vt_oldsum" ] && [ "$vt_now_is" != "$vt_newsum" ] && [ "$vt_now_is" != absent ]; then
    cp -p -- "$2" "$S/backup/$R/$1.edited" && vt_event edited "$2 was changed by someone else; kept as $S/backup/$R/$1.edited"
  fi
  vt_undone=0
  if [ -e "$vt_old" ]; then
    mv -f -T -- "$vt_old" "$2" || vt_undone=1
  elif [ "$vt_oldsum" = absent ]; then
    # Only what the swap put there goes: a file that someone else made meanwhile was never ours.
    if [ -e "$P/$1.swapped" ] || [ "$vt_new" -ef "$2" ]; then rm -f -- "$2" || vt_undone=1; fi
  elif [ "$vt_now_is" != "$vt_oldsum" ]; then
    cp -p -- "$S/backup/$R/$1" "$vt_new" && mv -f -T -- "$vt_new" "$2" || vt_undone=1
  fi
  [ "$vt_undone" -eq 0 ] || vt_trouble="$vt_trouble $2"
  rm -f -- "$vt_new"
  vt_meta=$(cat "$P/$1.meta" 2>/dev/null)
  [ "$vt_oldsum" = absent ] || [ "$(stat -c '%U:%G %a' -- "$2" 2>/dev/null)" = "$vt_meta" ] || {
    chown "${vt_meta% *}" "$2"; chmod "${vt_meta#* }" "$2"; } 2>/dev/null
  return 0
}

vt_undo_command() { # NUMBER SECONDS ARGV…: only if it was started
  [ -e "$P/command.$1" ] || return 0
  vt_number=$1; vt_seconds_each=$2; shift 2
  [ $# -eq 0 ] && { vt_trouble="$vt_trouble (a command that has no revert)"; return 0; }
  vt_bounded "$vt_seconds_each" "$@" </dev/null >>"$P/out" 2>&1 || vt_trouble="$vt_trouble command:$vt_number"
  return 0
}

vt_undo_restart() { # SERVICE SECONDS ARGV…: the service must run what the tree says again
  [ -e "$P/swapping" ] || return 0
  vt_service=$1; shift
  [ $# -eq 1 ] && return 0
  if vt_bounded "$@" </dev/null >>"$P/out" 2>&1; then rm -f -- "$S/restart-debt/$vt_service"
  else vt_not_restarted="$vt_not_restarted $vt_service"; fi
  return 0
}

vt_take_back() {    # REASON: the decision is ours; vt_undo (from the plan) knows the steps
  vt_trouble=; vt_not_restarted=; vt_reason=$1
  vt_identity $$ >"$P/finisher"
  printf '%s\n' "$vt_reason" >"$P/reason"
  vt_event reverting "$vt_reason"
  vt_undo
  [ -n "$vt_not_restarted" ] && vt_reason="$vt_reason; not restarted:$vt_not_restarted"
  if [ -n "$vt_trouble" ]; then
    vt_event broken "could not be taken back:$vt_trouble"
    printf 'could not be taken back:%s\n' "$vt_trouble" >"$P/broken"
    return 1
  fi
  vt_outcome reverted "$vt_reason"
}

vt_revert() {       # WORD REASON: run the program that was armed with the change
  (vt_ordinary; exec sh "$P/revert.sh" "$@" </dev/null >/dev/null 2>&1)
}

vt_watch() {        # SECONDS LONGEST: the reverter. Waits for the decision; decides when nobody else does.
  vt_identity $$ >"$P/.reverter.$$" && mv -f -- "$P/.reverter.$$" "$P/reverter"
  vt_left=$1; vt_longest=$2; vt_why="not confirmed within $1 s"
  while [ "$vt_left" -gt 0 ]; do
    [ -e "$P/decision" ] || [ ! -d "$P" ] && exit 0
    if [ -e "$P/done" ]; then vt_left=$((vt_left - 1))
    elif vt_alive "$P/applier" && [ "$vt_longest" -gt 0 ]; then vt_longest=$((vt_longest - 1))
    else vt_why="the change was cut off in the middle"; break; fi
    sleep 1
  done
  vt_decide revert || exit 0
  vt_alive "$P/applier" && kill -KILL "$vt_pid" 2>/dev/null   # it hangs: from here on it must not go on
  vt_take_back "$vt_why"
  exit 0
}

vt_settle() {       # what a dead run left armed is finished here, before anything else is looked at
  for vt_found in "$S"/pending/*/; do
    vt_found=${vt_found%/}
    [ -f "$vt_found/note" ] || continue
    if [ -f "$vt_found/decision" ]; then
      vt_alive "$vt_found/decision" || vt_alive "$vt_found/finisher" || [ -e "$vt_found/broken" ] && continue
      # One contact finishes it: whoever makes the next link. If that one dies too, the next contact goes on.
      set -- "$vt_found"/finishing.*
      ln "$vt_found/note" "$vt_found/finishing.$#" 2>/dev/null || ln "$vt_found/note" "$vt_found/finishing.0" 2>/dev/null || continue
      vt_frame "settled"
      (vt_ordinary; exec sh "$vt_found/revert.sh" finish </dev/null 2>&1)
    elif ! vt_alive "$vt_found/reverter" && ! vt_alive "$vt_found/applier"; then
      vt_frame "settled"
      (vt_ordinary; exec sh "$vt_found/revert.sh" now "its processes had died before it was confirmed" </dev/null 2>&1)
    fi
  done
  return 0
}

# ---- keeping

vt_keep() {         # the decision is ours; vt_forget (from the plan) knows the files
  vt_identity $$ >"$P/finisher"
  vt_forget
  vt_outcome confirmed "${1:-}"
  vt_prune
}

vt_forget_file() {  # NUMBER PATH: the old bytes are in the backup; a late writer's bytes are kept too
  vt_near "$1" "$2"
  if [ -f "$vt_old" ]; then
    vt_sum "$vt_old"
    [ "$vt_digest" = "$(cat "$P/$1.oldsum" 2>/dev/null)" ] || {
      cp -p -- "$vt_old" "$S/backup/$R/$1.edited" && vt_event edited "$2 was written to while it was replaced; kept as $S/backup/$R/$1.edited"; }
  fi
  rm -f -- "$vt_old" "$vt_new" "$vt_aside"
}

vt_prune() {        # backups of the last 20 runs stay
  ls -1t "$S/backup" 2>/dev/null | tail -n +21 | while IFS= read -r vt_name; do
    [ -n "$vt_name" ] && rm -rf -- "$S/backup/$vt_name"
  done
}
