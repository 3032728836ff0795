# What a server does for vtsconf, in POSIX sh and coreutils. Sent with every request; the reverter keeps a copy.
#
# Words: S the state directory, R the run, N the frame mark of this request, P = S/pending/R the armed change.
# Every function is called vt_…; variables of a function start with the same letters, since sh has no locals.
# Nothing here takes a decision that the plan could take: it compares, stages, swaps, and takes back.
# Starting a process is what all this costs a server: hence one call for many files, and `read` where `cat` would do.

LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH
vt_umask=$(umask)
vt_newline='
'
vt_booted=; vt_decided=
umask 077
trap '' HUP PIPE   # a lost connection does not stop us half-way: we finish, and wait to be confirmed

vt_ordinary() { umask "$vt_umask"; trap - HUP PIPE; }   # for what is not ours: services, checks, the reverter

# ---- talking: a record is a header line that starts with the mark, and the bytes up to the next mark

vt_frame() { printf '\n%s %s\n' "$N" "$*" 2>/dev/null; }

vt_event() {    # NAME [TEXT]: for the progress line, and for both journals
  vt_frame "event $*"
  [ -d "$S" ] || return 0
  vt_clock
  printf '%s %s %s\n' "$vt_now" "$R" "$*" >>"$S/journal"
  return 0    # a full disk has no room for a journal
} 2>/dev/null

vt_clock() {        # sets vt_now, seconds since 1970: asked for once, from then on counted by the time since boot
  vt_up=0
  { read -r vt_up vt_rest </proc/uptime; } 2>/dev/null
  vt_up=${vt_up%%.*}
  [ -n "$vt_booted" ] || { vt_booted=$(exec date +%s); vt_booted=$((vt_booted - vt_up)); }
  vt_now=$((vt_booted + vt_up))
}

vt_tell() {         # FILE of a few lines: prints it
  { while IFS= read -r vt_line; do printf '%s\n' "$vt_line"; done <"$1"; } 2>/dev/null
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

vt_identify() {     # PID: sets vt_identity
  { read -r vt_boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
  vt_start_time "$1"
  vt_identity="$vt_boot $1 $vt_started"
}

vt_lives() {        # IDENTITY: that process is there; sets vt_pid
  { read -r vt_boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
  vt_pid=${1#* }; vt_since=${vt_pid#* }; vt_pid=${vt_pid%% *}
  [ -n "$vt_pid" ] && [ "${1%% *}" = "$vt_boot" ] || return 1
  vt_start_time "$vt_pid"
  [ -n "$vt_started" ] && [ "$vt_started" = "$vt_since" ]
}

vt_alive() {        # FILE that holds an identity; it came here by a rename, so it is whole
  vt_was=
  { read -r vt_was <"$1"; } 2>/dev/null
  vt_lives "$vt_was"
}

# ---- who may: a fact that must appear whole, at once, and on a full disk too, is the text of a symbolic link

vt_holds() {        # LINK to an identity that is alive
  [ -L "$1" ] && vt_was=$(exec readlink -- "$1" 2>/dev/null) && vt_lives "$vt_was"
}

vt_claim() {        # NAME: 0 = ours. Whoever makes the next of NAME.0, NAME.1 … has it for as long as it lives.
  vt_turn=0
  while [ -L "$1.$vt_turn" ]; do
    vt_holds "$1.$vt_turn" && return 1
    vt_turn=$((vt_turn + 1))
  done
  vt_identify $$
  ln -s "$vt_identity" "$1.$vt_turn" 2>/dev/null
}

vt_claimed() {      # NAME: somebody who has it lives
  for vt_one in "$1".*; do vt_holds "$vt_one" && return 0; done
  return 1
}

vt_there() { [ -e "$1" ] || [ -L "$1" ]; }

vt_mark() { printf '' >"$1"; } 2>/dev/null   # never `: >FILE`: where that fails, a POSIX sh ends

# ---- running a command of the plan: its words only, never a function of ours; bounded in time

vt_bounded() {      # SECONDS ARGV…: exit code of ARGV; 124 or 137 when it had to be ended
  vt_seconds=$1; shift
  if command -v timeout >/dev/null 2>&1; then
    (vt_ordinary; exec timeout -k 2 "$vt_seconds" "$@")
    vt_code=$?
    # 125: the command's own, or that of a `timeout` that knows no -k and has run nothing (coreutils before 8.5)
    [ "$vt_code" -eq 125 ] && ! timeout -k 2 9 true 2>/dev/null || return "$vt_code"
  fi
  # An old system: a process group of its own, and a watch that ends it.
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
  vt_code=$({ { vt_bounded "$@" </dev/null 2>&1 3>&- 4>&-; printf '%s' "$?" >&3; } |
    { head -c 65536 >&4; read -r vt_more && exec cat >/dev/null; }; } 3>&1)
  exec 4>&-
  vt_frame "exit $vt_name $vt_code"
}

# ---- reading

vt_stats() {        # PATH…: sets vt_lines, one for each that is there (hex type and mode, names, times, size, inode)
  vt_lines=$(exec stat -c '%f %U %G %a %Y %Z %s %i %n' -- "$@" 2>/dev/null)
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

vt_show() {         # FIRST LIMIT PATH…: everything about these; paths are numbered from FIRST
  vt_number=$1; vt_limit=$2; shift 2
  vt_show_between vt_show_together "$@" && return
  # Something was changed meanwhile, or vanished: each alone, so that only what still changes is not known.
  vt_number=$((vt_number - $#))
  vt_show_between vt_show_each "$@"
}

vt_show_between() { # FUNCTION PATH…: shows the paths between two `stat`s; 0 = they agree
  vt_how=$1; shift
  vt_stats "$@"; vt_before=$vt_lines
  vt_frame stats 1; printf '%s\n' "$vt_before"
  "$vt_how" "$@"
  vt_stats "$@"
  vt_frame stats 2; printf '%s\n' "$vt_lines"
  [ "$vt_before" = "$vt_lines" ]
} 2>/dev/null

vt_show_together() { # PATH…: files that can be read in one record
  vt_count=$#; vt_numbers=
  for vt_path; do
    if [ -f "$vt_path" ] && [ ! -L "$vt_path" ] && [ -r "$vt_path" ]; then
      set -- "$@" "$vt_path"; vt_numbers="$vt_numbers $vt_number"
    else vt_show_one "$vt_path"
    fi
    vt_number=$((vt_number + 1))
  done
  shift "$vt_count"
  [ $# -eq 0 ] || { vt_frame "files$vt_numbers"; head -q -c "$vt_limit" -- "$@" 2>/dev/null; }
}

vt_show_each() {
  for vt_path; do vt_show_one "$vt_path"; vt_number=$((vt_number + 1)); done
}

vt_show_one() {     # PATH, number vt_number
  if [ -L "$1" ]; then
    vt_frame "link $vt_number"; readlink -- "$1" 2>/dev/null
  elif [ -f "$1" ]; then
    if [ -r "$1" ]; then vt_frame "file $vt_number"; head -c "$vt_limit" -- "$1" 2>/dev/null
    else vt_frame "unreadable $vt_number"; fi
  elif [ -e "$1" ]; then vt_frame "other $vt_number"
  elif vt_hidden "$1"; then vt_frame "unreadable $vt_number"
  elif [ -d "${1%/*}/" ]; then vt_frame "absent $vt_number"
  else vt_frame "absent $vt_number nofolder"
  fi
}

vt_ledger() {       # what this server remembers of our runs
  vt_any=
  for vt_entry in "$S"/pending/*/note; do
    [ -f "$vt_entry" ] || continue
    vt_any=1; vt_frame "pending"; vt_tell "$vt_entry"
    [ -L "${vt_entry%/note}/decision" ] && { printf 'decision '; readlink -- "${vt_entry%/note}/decision"; }
  done
  if [ -d "$S/lock" ]; then vt_any=1; vt_frame "lock"; vt_tell "$S/lock/note"; fi
  for vt_entry in "$S"/restart-debt/*; do
    [ -f "$vt_entry" ] || continue
    vt_any=1; vt_frame "debt ${vt_entry##*/}"; vt_tell "$vt_entry"
  done
  [ -n "$vt_any" ] && { vt_frame "clock"; vt_clock; printf '%s\n' "$vt_now"; }
  return 0
}

# ---- digests

vt_sum() {          # FILE: sets vt_digest
  vt_digest=$(exec sha256sum <"$1" 2>/dev/null); vt_digest=${vt_digest%% *}
}

vt_keyed_sum() {    # FILE: the same with the controller's key before the bytes, for files that hold a secret
  vt_digest=$({ printf '%s' "$K"; exec cat -- "$1"; } 2>/dev/null | exec sha256sum); vt_digest=${vt_digest%% *}
}

vt_sums() {         # FILE…: what vt_next_sum gives, one after another
  vt_count=$#; vt_kinds=; vt_digests=
  for vt_path; do
    if [ -f "$vt_path" ] && [ ! -L "$vt_path" ]; then set -- "$@" "$vt_path"; vt_kinds="$vt_kinds f"
    elif vt_there "$vt_path"; then vt_kinds="$vt_kinds o"
    else vt_kinds="$vt_kinds a"; fi
  done
  shift "$vt_count"
  vt_lines=
  [ $# -eq 0 ] || vt_lines=$(exec sha256sum -- "$@" 2>/dev/null) ||
    vt_lines=$(for vt_path; do sha256sum <"$vt_path" || echo unreadable; done 2>/dev/null)
  for vt_kind in $vt_kinds; do
    case $vt_kind in
      a) vt_digest=absent ;;
      o) vt_digest="not a file" ;;
      *) vt_digest=${vt_lines%%"$vt_newline"*}; vt_lines=${vt_lines#*"$vt_newline"}
        vt_digest=${vt_digest%% *}; vt_digest=${vt_digest#\\} ;;    # the backslash says that the name has one
    esac
    vt_digests=$vt_digests$vt_digest$vt_newline
  done
}

vt_next_sum() {     # sets vt_digest, of the next file: its digest, "absent" or "not a file"
  vt_digest=${vt_digests%%"$vt_newline"*}; vt_digests=${vt_digests#*"$vt_newline"}
}

# ---- the lock: a directory that appears in one rename with its note inside

vt_lock() {         # HOLDER SECONDS: 0 = ours
  [ -d "$S/pending" ] && [ -d "$S/backup" ] && [ -d "$S/restart-debt" ] ||
    mkdir -p -m 700 "$S" "$S/pending" "$S/backup" "$S/restart-debt" 2>/dev/null
  vt_try=$S/.lock.$R.$$
  vt_clock; vt_identify $$
  mkdir "$vt_try" 2>/dev/null || return 2
  { printf 'run %s\nholder %s\nsince %s\nuntil %s\n' "$R" "$1" "$vt_now" "$((vt_now + $2))" >"$vt_try/note" &&
    printf '%s\n' "$vt_identity" >"$vt_try/identity"; } 2>/dev/null || { rm -rf -- "$vt_try"; return 2; }
  mv -T -- "$vt_try" "$S/lock" 2>/dev/null && return 0
  vt_break_dead_lock && mv -T -- "$vt_try" "$S/lock" 2>/dev/null && return 0
  rm -rf -- "$vt_try"
  return 1
}

vt_run_in() {       # NOTE, which begins with "run RUN": sets vt_noted
  vt_word=; vt_noted=
  { read -r vt_word vt_noted <"$1"; } 2>/dev/null
  [ "$vt_word" = run ] || vt_noted=
}

vt_lock_is_dead() { # its process is gone and nothing of its run is armed
  vt_alive "$S/lock/identity" && return 1
  vt_run_in "$S/lock/note"; vt_locked_by=$vt_noted
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
  vt_run_in "$S/lock/note"
  if [ "$vt_noted" != "$1" ]; then rm -f -- "$S/lock/taken.$vt_turn"; return 1; fi
  vt_clean_staged
  # A run that was armed keeps its lock's note beside its copies: nothing more to remove.
  if [ -n "$1" ] && [ -e "$S/backup/$1/outcome" ] && ! vt_there "$S/backup/$1/held"; then
    mv -T -- "$S/lock" "$S/backup/$1/held" 2>/dev/null && return 0
  fi
  vt_gone=$S/.gone.$$.$vt_started.$1
  mv -T -- "$S/lock" "$vt_gone" 2>/dev/null && rm -rf -- "$vt_gone"
  return 0
}

vt_clean_staged() { # staged files that the lock knows of
  [ -f "$S/lock/staged" ] || return 0
  set --
  while IFS= read -r vt_left_over; do
    case ${vt_left_over##*/} in .vtsconf.*.new) ! vt_there "$vt_left_over" || set -- "$@" "$vt_left_over" ;; esac
  done <"$S/lock/staged"
  [ $# -eq 0 ] || rm -f -- "$@"
}

vt_forget_run() {   # RUN that never armed anything: neither its debts nor its copies mean anything
  [ -n "$1" ] && [ ! -e "$S/backup/$1/outcome" ] && [ ! -e "$S/backup/$1/pending" ] || return 0
  for vt_entry in "$S"/restart-debt/*; do
    vt_run_in "$vt_entry"
    [ "$vt_noted" = "$1" ] && rm -f -- "$vt_entry"
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
  vt_decided=$*
  ln -s "$*" "$P/decision" 2>/dev/null && return
  vt_decided=$1; ln -s "$1" "$P/decision" 2>/dev/null && return   # a full disk has no room for long ones
  vt_decided=; return 1
}

vt_outcome() {      # WORD REASON: the last word on a run; the pending change becomes part of its backup
  [ -d "$S/backup/$R" ] || mkdir -p "$S/backup/$R"
  printf '%s %s\n' "$1" "$2" >"$S/backup/$R/outcome"
  vt_event "$1" "$2"
  ! vt_there "$S/backup/$R/pending" || rm -rf -- "$S/backup/$R/pending"
  mv -T -- "$P" "$S/backup/$R/pending" 2>/dev/null
  vt_drop_lock "$R"
  vt_prune
}

vt_rescue() {       # NUMBER FILE PATH: bytes in FILE that somebody else wrote into PATH are kept, room or no room
  [ -f "$2" ] && [ ! -L "$2" ] || return 0
  vt_sum "$2"
  vt_is_ours "$1" || vt_keep_edit "$@"
}

vt_sums_of() {      # NUMBER: sets vt_oldsum and vt_newsum, of the file before and after the change
  vt_oldsum=; vt_newsum=
  { read -r vt_oldsum <"$P/$1.oldsum"; read -r vt_newsum <"$P/$1.newsum"; } 2>/dev/null
  return 0
}

vt_is_ours() {      # NUMBER: vt_digest is one of the two
  vt_sums_of "$1"
  [ "$vt_digest" = "$vt_oldsum" ] || [ "$vt_digest" = "$vt_newsum" ]
}

vt_keep_edit() {    # NUMBER FILE PATH
  vt_kept=$S/backup/$R/$1.edited
  cp -p -- "$2" "$vt_kept" 2>/dev/null || { rm -f -- "$vt_kept"; vt_kept=$3.vtsconf-edited; mv -f -T -- "$2" "$vt_kept"; }
  vt_event edited "$3 was changed by someone else; kept as $vt_kept"
}

vt_undo_file() {    # NUMBER PATH: undo what the swap did; what it had not come to stays as it is
  vt_near "$1" "$2"; vt_sums_of "$1"; vt_undone=0
  vt_there "$vt_aside" && mv -f -T -- "$vt_aside" "$vt_old"
  if vt_there "$vt_old"; then
    vt_rescue "$1" "$2" "$2"
    [ ! -d "$vt_old" ] || rm -f -- "$2"    # a directory that someone put there: no rename brings it over a file
    mv -f -T -- "$vt_old" "$2" || vt_undone=1
  elif [ "$vt_oldsum" = absent ]; then
    # Only what the swap put there goes: a file that someone else made meanwhile was never ours.
    if [ -e "$P/$1.swapped" ] || [ "$vt_new" -ef "$2" ]; then
      vt_rescue "$1" "$2" "$2"; rm -f -- "$2" || vt_undone=1
    fi
  elif [ ! -e "$vt_new" ] && vt_sum "$2" && [ "$vt_digest" = "$vt_newsum" ]; then
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
  [ -f "$S/restart-debt/$1" ] && return
  vt_clock
  printf 'run %s\nsince %s\n' "$R" "$vt_now" >"$S/restart-debt/$1"
} 2>/dev/null

vt_forgive() {      # SERVICE: this run has not restarted it, and its files are what they were
  vt_run_in "$S/restart-debt/$1"
  [ "$vt_noted" != "$R" ] || rm -f -- "$S/restart-debt/$1"
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
  [ -n "$vt_decided" ] || vt_decided=$(exec readlink -- "$P/decision")
  case $vt_decided in
    confirm*) vt_keep "${vt_decided#confirm}" ;;
    *) vt_take_back "${vt_decided#revert }" ;;
  esac
}

vt_have_finished() {    # the same, by the program that was armed with the change; its events are its answer
  (vt_ordinary; exec sh "$P/revert.sh" finish "$vt_decided" </dev/null 2>&1)
}

vt_await_end() {    # sets vt_word and vt_text; whoever finishes it may be at work for long
  vt_idle=0
  while [ -d "$P" ] && [ ! -e "$P/broken" ] && [ "$vt_idle" -lt 100 ]; do
    vt_claimed "$P/finisher" || vt_idle=$((vt_idle + 1))
    sleep 0.2
  done
  # The lock goes last: who asks again at once must not find it.
  while vt_run_in "$S/lock/note"; [ "$vt_noted" = "$R" ] && vt_claimed "$S/backup/$R/pending/finisher"; do sleep 0.2; done
  vt_word=broken; vt_text="the change is armed, and nothing takes it back"
  if [ -e "$P/broken" ]; then { IFS= read -r vt_text <"$P/broken"; } 2>/dev/null; elif [ ! -d "$P" ]; then vt_past; fi
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
  printf '%s' "$vt_identity"; exec >/dev/null 2>&1    # who armed the change waits for this
  vt_left=$1; vt_longest=$2; vt_why="not confirmed within $1 s"
  while [ -d "$P" ] && [ ! -e "$P/broken" ]; do
    if [ -L "$P/decision" ]; then vt_finish && continue
    elif [ "$vt_left" -le 0 ]; then
      vt_decide revert "$vt_why" && vt_stop_applier && continue
    elif [ -e "$P/done" ]; then vt_left=$((vt_left - 1))
    elif vt_alive "$P/applier" && [ "$vt_longest" -gt 0 ]; then vt_longest=$((vt_longest - 1))
    elif [ -e "$P/done" ]; then continue    # it ended between these two looks
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
  vt_ours=$P
  for vt_found in "$S"/pending/*/note; do
    [ ! -f "$vt_found" ] || { P=${vt_found%/note}; vt_settle_one; }
  done
  P=$vt_ours; vt_decided=
}

vt_settle_one() {
  [ -e "$P/broken" ] || vt_claimed "$P/finisher" && return
  vt_decided=
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
  vt_near "$1" "$2"; vt_next_sum
  case $vt_digest in absent | "not a file") return 0 ;; esac
  vt_is_ours "$1" || vt_keep_edit "$1" "$vt_old" "$2"
}

vt_tidy() {         # FILE…: names of ours that have done their work
  rm -f -- "$@"
}

vt_prune() {        # backups of the last 20 runs stay; by name, which begins with the controller's time
  set -- "$S"/backup/*
  while [ $# -gt 20 ]; do
    [ "$1" = "$S/backup/$R" ] || rm -rf -- "$1"
    shift
  done
  for vt_try in "$S"/.gone.*; do [ ! -d "$vt_try" ] || rm -rf -- "$vt_try"; done
  for vt_try in "$S"/.lock.*; do
    [ ! -d "$vt_try" ] || vt_alive "$vt_try/identity" || rm -rf -- "$vt_try"
  done
}

: end of the library
