# The steps of one transaction. The plan calls them in this order:
#   begin, expect…, stage…, staged…, validate…, room, copy…, save…, flush, debt…, arm, swap…/make…/remove…, taken…,
#   command…, restart…, status…, done. The first that fails ends it: before `arm` nothing has been changed; after
#   it, all goes back. Digests are taken for all files at once (vt_sums); the steps after it take one each.

vt_armed=; vt_locked=; vt_one_by_one=; vt_uncopied=; vt_can_sync=; vt_reverter=

vt_result() {       # WORD TEXT: the answer; its body is what the failing command printed
  vt_frame "result $*"
  [ -n "$vt_locked" ] && [ -s "$S/lock/out" ] && tail -c 4096 -- "$S/lock/out" 2>/dev/null
  [ -s "$P/out" ] && tail -c 4096 -- "$P/out" 2>/dev/null
  return 0
}

vt_end() {          # show what is there now, and stop
  vt_look
  vt_frame bye
  exit 0
}

vt_stop() {         # WORD REASON: nothing was changed yet, or everything goes back
  vt_word=$1; shift
  if [ -n "$vt_armed" ]; then
    cat -- "$S/lock/out" >>"$P/out" 2>/dev/null
    vt_decide revert "$*" && vt_have_finished >/dev/null
    vt_await_end     # somebody takes it back, maybe not we
    [ -d "$P" ] || P=$S/backup/$R/pending
    vt_result "$vt_word" "$vt_text"
    vt_end
  fi
  vt_event "$vt_word" "$*"
  vt_result "$vt_word" "$*"
  vt_forget_run "$R"
  vt_drop_lock "$R"
  vt_end
}

vt_begin() {        # HOLDER SECONDS
  vt_next=$S/pending/.new.$R    # becomes P when the change is armed
  vt_settle
  if { [ ! -d "$S" ] && ! mkdir -p -m 700 "$S" 2>/dev/null; } || [ ! -w "$S" ]; then
    vt_result failed "the state directory $S cannot be made or written"; vt_end
  fi
  vt_lock "$@"
  case $? in
    0) vt_locked=1 ;;
    1) vt_result locked "another run holds this server"; vt_end ;;
    *) vt_result failed "nothing can be written in $S: is the disk full?"; vt_end ;;
  esac
  vt_event locked "by $1"
}

vt_dresses() {      # PATH…: owner, group and mode of these, which vt_expect takes one after another
  vt_lines=$(exec stat -c '%U %G %a' -- "$@" 2>/dev/null) ||
    vt_lines=$(for vt_path; do stat -c '%U %G %a' -- "$vt_path" || echo; done 2>/dev/null)
  vt_dressed=$vt_lines$vt_newline
}

vt_expect() {       # PATH DIGEST|absent keyed|plain: what the plan was made from; a plain digest is the next of vt_sums
  if [ "$3" = keyed ]; then vt_still_is "$@"; else vt_next_is "$1" "$2"; fi
}

vt_next_is() {      # PATH DIGEST|absent
  vt_next_sum
  [ "$vt_digest" = "$2" ] || vt_stop stale "$1 is not what the plan was made from"
}

vt_expect_dress() { # PATH OWNER GROUP MODE: the next of vt_dresses; what nobody manages is "" and may be any
  vt_is_mode=${vt_dressed%%"$vt_newline"*}; vt_dressed=${vt_dressed#*"$vt_newline"}
  vt_is_owner=${vt_is_mode% *}; vt_is_mode=${vt_is_mode##* }
  [ -z "$2" ] || [ "${vt_is_owner%% *}" = "$2" ] || vt_stop_undressed "$1"
  [ -z "$3" ] || [ "${vt_is_owner#* }" = "$3" ] || vt_stop_undressed "$1"
  [ -z "$4" ] || [ "$vt_is_mode" = "$4" ] || vt_stop_undressed "$1"
}

vt_stop_undressed() { vt_stop stale "owner, group or mode of $1 is not what the plan was made from"; }

vt_still_is() {     # PATH DIGEST|absent KEYED
  vt_is=absent
  if [ -f "$1" ] && [ ! -L "$1" ]; then
    if [ "$3" = keyed ]; then vt_keyed_sum "$1"; else vt_sum "$1"; fi
    vt_is=$vt_digest
  elif vt_there "$1"; then vt_is="not a file"
  fi
  [ "$vt_is" = "$2" ] || vt_stop stale "$1 is not what the plan was made from"
}

vt_expect_check() { # NAME fails|passes SECONDS ARGV…: a command's check still answers as it did
  vt_name=$1; vt_wish=$2; shift 2
  if vt_logged "$@"; then vt_is=passes; else vt_is=fails; fi
  [ "$vt_is" = "$vt_wish" ] || vt_stop stale "the check of command $vt_name now $vt_is"
  vt_mark "$S/lock/out"
}

vt_compared() { vt_event compared "$1 paths are what the plan was made from"; }

vt_place() {        # NUMBER PATH: room and a name for the staged file
  vt_near "$1" "$2"
  [ -d "${2%/*}/" ] || vt_stop failed "the directory ${2%/*} does not exist"
  vt_longest=${2##*/}.vtsconf-$R
  [ ${#vt_longest} -le 255 ] || vt_stop failed "the name of $2 is too long"
  printf '%s\n' "$vt_new" >>"$S/lock/staged" 2>/dev/null || vt_stop failed "cannot write in $S: is the disk full?"
  vt_mark "$vt_new" || vt_stop failed "cannot write in ${2%/*}: is it read-only, or the disk full?"
}

vt_stage() {        # NUMBER PATH BYTES: BYTES of stdin go to the staged file
  vt_place "$1" "$2"
  [ "$3" -eq 0 ] || head -c "$3" >"$vt_new" 2>/dev/null
}

vt_stage_text() {   # NUMBER PATH TEXT
  vt_place "$1" "$2"
  printf '%s' "$3" >"$vt_new"
} 2>/dev/null

vt_whole() {        # NUMBER PATH DIGEST keyed|plain: the staged file has these bytes; a plain digest is the next of vt_sums
  if [ "$4" = keyed ]; then vt_near "$1" "$2"; vt_keyed_sum "$vt_new"; else vt_next_sum; fi
  [ "$vt_digest" = "$3" ] || vt_stop failed "$2 could not be staged whole: disk full, or the connection was cut"
}

vt_chown() {        # OWNER[:GROUP] FILE…: many at once; where that fails, vt_dress finds out which
  chown -- "$@" 2>/dev/null || vt_one_by_one=1
}

vt_chmod() {        # MODE FILE…
  chmod -- "$@" 2>/dev/null || vt_one_by_one=1
}

vt_dress() {        # NUMBER PATH OWNER GROUP MODE: what many at once could not do
  vt_near "$1" "$2"
  if [ -n "$vt_one_by_one" ]; then
    [ -z "$3$4" ] || chown -- "$3${4:+:$4}" "$vt_new" 2>>"$S/lock/out" || vt_stop failed "cannot give $2 to $3:$4"
    chmod -- "$5" "$vt_new" || vt_stop failed "cannot set mode $5 for $2"
  fi
  [ -e /sys/fs/selinux/enforce ] || [ -e /selinux/enforce ] || return 0
  [ -e "$2" ] && command -v chcon >/dev/null 2>&1 && chcon --reference="$2" -- "$vt_new" 2>/dev/null
}

vt_stage_parts() {  # NUMBER PATH: a file that is put together from stdin and from live bytes, part by part
  vt_place "$1" "$2"
}

vt_part() {         # BYTES of stdin
  [ "$1" -eq 0 ] || head -c "$1" >>"$vt_new" 2>/dev/null
}

vt_part_live() {    # FIRST BYTES PATH: bytes that are known to this server only
  tail -c "+$1" -- "$3" | head -c "$2" >>"$vt_new" 2>/dev/null
}

vt_stage_kept() {   # NUMBER PATH RUN: the bytes are in the backup of RUN, and only there
  vt_place "$1" "$2"
  vt_kept=$(vt_find_kept "$2" "$3")
  [ -n "$vt_kept" ] || vt_stop failed "the backup of run $3 does not hold $2 any more"
  cat -- "$S/backup/$3/$vt_kept" >"$vt_new" 2>/dev/null
}

vt_find_kept() {    # PATH RUN: the number under which RUN saved PATH
  while read -r vt_number vt_saved; do
    [ "$vt_saved" = "$1" ] && printf '%s' "$vt_number" && return
  done <"$S/backup/$2/paths" 2>/dev/null
}

vt_staged() { vt_event staged "$1 files"; }

vt_validate() {     # NUMBER PATH ARGV…: the word {} stands for the staged file
  vt_near "$1" "$2"; vt_target=$2; shift 2
  vt_words=$#
  while [ "$vt_words" -gt 0 ]; do
    vt_arg=$1; shift
    [ "$vt_arg" = '{}' ] && vt_arg=$vt_new
    set -- "$@" "$vt_arg"
    vt_words=$((vt_words - 1))
  done
  vt_logged 60 "$@" || vt_stop failed "the validator of $vt_target says no"
  vt_mark "$S/lock/out"
}

vt_validated() { vt_event validated; }

vt_room() {         # REVERT: a place for the old bytes, and for what takes them back
  mkdir -p "$S/backup/$R" "$vt_next" && printf '%s%s\n' "$L" "$1" >"$vt_next/revert.sh" ||
    vt_stop failed "cannot write in $S: is the disk full?"
}

vt_copy() {         # NUMBER PATH: what is not a file any more, vt_save tells
  [ -f "$2" ] && [ ! -L "$2" ] || return 0
  cp -p -- "$2" "$S/backup/$R/$1" || vt_uncopied="$vt_uncopied $1 "
}

vt_able() {         # DIGEST: a revert program that was cut short would be worse than none; the next of vt_sums
  vt_next_sum
  [ "$vt_digest" = "$1" ] || vt_stop failed "cannot write in $S: is the disk full?"
}

vt_save() {         # NUMBER PATH DIGEST|absent keyed|plain STAGED|"": the next of vt_sums are PATH, its copy, what is staged
  vt_full="cannot save the old bytes of $2: is the disk full?"
  vt_next_sum; vt_oldsum=$vt_digest
  # Staging and validators may have taken long.
  if [ "$4" = keyed ]; then vt_still_is "$2" "$3" keyed
  elif [ "$vt_oldsum" != "$3" ]; then vt_stop stale "$2 is not what the plan was made from"; fi
  if [ "$3" != absent ]; then
    vt_next_sum
    case $vt_uncopied in *" $1 "*) vt_stop failed "$vt_full" ;; esac
    [ "$vt_digest" = "$vt_oldsum" ] || vt_stop failed "$vt_full"
    [ "$4" != keyed ] || vt_still_is "$S/backup/$R/$1" "$3" keyed
  fi
  vt_newsum=absent
  [ -z "$5" ] || { vt_next_sum; vt_newsum=$vt_digest; }
  printf '%s\n' "$vt_oldsum" >"$vt_next/$1.oldsum" && printf '%s\n' "$vt_newsum" >"$vt_next/$1.newsum" &&
    printf '%s %s\n' "$1" "$2" >>"$S/backup/$R/paths" || vt_stop failed "$vt_full"
}

vt_flush() {        # FILE…: on the disk, before anything is renamed. `sync` of old coreutils knows no files, and fails.
  sync -d -- "$@" 2>/dev/null && { vt_can_sync=1; return; }
  for vt_path; do
    dd if=/dev/null of="$vt_path" oflag=append conv=nocreat,notrunc,fsync 2>/dev/null && continue
    vt_still_locked
    vt_stop failed "cannot write $vt_path to the disk: is it full?"
  done
}

vt_still_locked() { # a person may have removed the lock, and what it knew to be staged
  vt_run_in "$S/lock/note"
  [ "$vt_noted" = "$R" ] || vt_stop failed "the lock of this run was removed by hand"
}

vt_saved() { vt_event saved "as $S/backup/$R"; }

vt_debt() {         # SERVICE
  vt_owe "$1" || vt_stop failed "cannot write in $S: is the disk full?"
}

vt_indebted() { vt_event indebted "$*"; }

vt_spawn_reverter() {   # out of this session's reach; systemd would end our children with the session
  if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1 &&
    systemd-run --quiet --no-block --unit "vtsconf-revert-$R" sh "$P/revert.sh" watch >/dev/null 2>&1; then
    vt_reverter_is_up && return 0
  fi
  # It tells its identity as soon as it has its claim; if it dies before that, this ends with nothing.
  vt_reverter=$( (vt_ordinary; exec setsid sh "$P/revert.sh" watch </dev/null 2>/dev/null) & )
  [ -n "$vt_reverter" ]
}

vt_reverter_is_up() {
  vt_waits=0
  while [ "$vt_waits" -lt 250 ]; do
    vt_claimed "$P/reverter" && vt_reverter=$vt_was && return 0
    sleep 0.02; vt_waits=$((vt_waits + 1))
  done
  return 1
}

vt_arm() {          # HOLDER SECONDS: after this, only a confirmation keeps the change
  vt_clock; vt_identify $$
  { printf 'run %s\nholder %s\nsince %s\nuntil %s\n' "$R" "$1" "$vt_now" "$((vt_now + $2))" >"$vt_next/note" &&
    printf '%s\n' "$vt_identity" >"$vt_next/applier"; } || vt_stop failed "cannot write in $S: is the disk full?"
  vt_still_locked
  mv -T -- "$vt_next" "$P" || vt_stop failed "cannot arm the change in $S"
  vt_armed=1
  vt_spawn_reverter || vt_stop failed "the reverter could not be started"
  vt_event armed "takes itself back unless confirmed within $2 s"
  vt_mark "$P/swapping" || vt_stop failed "cannot write in $S"
}

vt_still_ours() {   # the reverter may have decided meanwhile: then not one byte more
  [ ! -L "$P/decision" ] && [ -d "$P" ] || vt_stop failed "the change was taken back while it was being made"
}

vt_make() {         # NUMBER PATH: the staged file gets its name
  vt_still_ours
  vt_near "$1" "$2"
  # link(2) never overwrites: a file that someone made meanwhile stays.
  if ! ln -T -- "$vt_new" "$2" 2>>"$S/lock/out"; then
    vt_there "$2" && vt_stop stale "$2 was made by someone else meanwhile"
    vt_stop failed "cannot link $2"
  fi
  vt_mark "$P/$1.swapped"
}

vt_swap() {         # NUMBER PATH: put the staged file in place; what it replaces is taken aside, for vt_taken
  vt_still_ours
  vt_near "$1" "$2"
  # mv renames what is there, whoever made it, to the side, and then ours into place: no byte is lost.
  mv -f -T --backup=simple -S ".vtsconf-$R" -- "$vt_new" "$2" 2>>"$S/lock/out" || vt_stop failed "cannot rename $2"
  vt_there "$vt_aside" || vt_stop stale "$2 was removed by someone else meanwhile"
  mv -f -T -- "$vt_aside" "$vt_old" || vt_stop failed "cannot rename $2"
}

vt_remove() {       # NUMBER PATH
  vt_still_ours
  vt_near "$1" "$2"
  mv -f -T -- "$2" "$vt_old" 2>>"$S/lock/out" || vt_stop failed "cannot remove $2"
}

vt_taken() {        # NUMBER PATH: what was taken aside is what was saved; the next of vt_sums
  vt_next_sum; vt_sums_of "$1"
  [ "$vt_digest" = "$vt_oldsum" ] || vt_stop stale "$2 was edited by someone else meanwhile"
}

vt_swapped() {      # DIRECTORY…: names reach the disk too, where sync can be told which
  [ -z "$vt_can_sync" ] || sync -- "$@" 2>/dev/null
  vt_event swapped "$# directories"
}

vt_command() {      # NUMBER NAME SECONDS ARGV…
  vt_still_ours
  vt_number=$1; vt_name=$2; shift 2
  vt_mark "$P/command.$vt_number" || vt_stop failed "cannot write in $S"
  vt_logged "$@" || vt_stop failed "command $vt_name failed"
  vt_event ran "$vt_name"
}

vt_restart() {      # SERVICE SECONDS ARGV…
  vt_still_ours
  vt_service=$1; shift
  vt_logged "$@" || vt_stop failed "the restart of $vt_service failed"
  rm -f -- "$S/restart-debt/$vt_service"
  vt_event restarted "$vt_service"
}

vt_status() {       # SERVICE SECONDS ARGV…: it may take ten seconds to come up
  vt_service=$1; shift
  vt_tries=0
  until vt_logged "$@"; do
    vt_tries=$((vt_tries + 1))
    [ "$vt_tries" -lt 10 ] || vt_stop failed "the status check of $vt_service fails after the restart"
    vt_still_ours
    sleep 1
  done
  vt_event checked "$vt_service"
}

vt_done() {         # the clock of the confirmation starts
  vt_still_ours
  vt_mark "$S/lock/out"
  vt_lives "$vt_reverter" || vt_stop failed "the reverter has died"
  vt_mark "$P/done" || vt_stop failed "cannot write in $S"
  vt_event done "waits to be confirmed"
  vt_result armed "waits to be confirmed"
  vt_end
}
