# The steps of one transaction. The plan calls them in this order:
#   begin, expect…, stage…/stage_kept…/leave…, validate…, save…, debt…, arm, swap…/remove…, command…, restart…,
#   status…, done. The first that fails ends it: before `arm` nothing has been changed; after it, all goes back.

vt_armed=; vt_locked=

vt_result() {       # WORD TEXT: the answer; its body is what the failing command printed
  vt_frame "result $*"
  [ -n "$vt_locked" ] && [ -f "$S/lock/out" ] && tail -c 4096 -- "$S/lock/out" 2>/dev/null
  [ -f "$P/out" ] && tail -c 4096 -- "$P/out" 2>/dev/null
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
  vt_settle
  if ! mkdir -p -m 700 "$S" 2>/dev/null || [ ! -w "$S" ]; then
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

vt_expect() {       # PATH DIGEST|absent KEYED OWNER GROUP MODE: what the plan was made from
  vt_still_is "$@"
  [ "$2" = absent ] && return 0
  # Only what the plan speaks of: an owner or a group that nobody manages may be any.
  vt_path=$1; vt_other="owner, group or mode of $1 is not what the plan was made from"
  vt_is_owner=$(stat -c '%U %G %a' -- "$vt_path"); vt_is_mode=${vt_is_owner##* }; vt_is_owner=${vt_is_owner% *}
  [ -z "$4" ] || [ "${vt_is_owner%% *}" = "$4" ] || vt_stop stale "$vt_other"
  [ -z "$5" ] || [ "${vt_is_owner#* }" = "$5" ] || vt_stop stale "$vt_other"
  [ -z "$6" ] || [ "$vt_is_mode" = "$(printf '%o' "0$6")" ] || vt_stop stale "$vt_other"
}

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

vt_dress() {        # PATH OWNER GROUP MODE DIGEST: the staged file gets its owner and mode, and is compared
  [ "$vt_digest" = "$5" ] || vt_stop failed "$1 could not be staged whole: disk full, or the connection was cut"
  [ -z "$2$3" ] || chown -- "$2${3:+:$3}" "$vt_new" 2>>"$S/lock/out" || vt_stop failed "cannot give $1 to $2:$3"
  chmod -- "$4" "$vt_new" || vt_stop failed "cannot set mode $4 for $1"
  [ -e "$1" ] && command -v chcon >/dev/null 2>&1 && chcon --reference="$1" -- "$vt_new" 2>/dev/null
}

vt_stage() {        # NUMBER PATH BYTES OWNER GROUP MODE DIGEST: BYTES of stdin go to the staged file
  vt_place "$1" "$2"
  [ "$3" -eq 0 ] || head -c "$3" | dd of="$vt_new" bs=65536 conv=fsync 2>/dev/null
  vt_sum "$vt_new"
  vt_dress "$2" "$4" "$5" "$6" "$7"
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

vt_staged_parts() { # PATH OWNER GROUP MODE KEYED-DIGEST
  dd if=/dev/null of="$vt_new" oflag=append conv=notrunc,fsync 2>/dev/null
  vt_keyed_sum "$vt_new"
  vt_dress "$@"
}

vt_stage_kept() {   # NUMBER PATH RUN OWNER GROUP MODE DIGEST: the bytes are in the backup of RUN, and only there
  vt_place "$1" "$2"
  vt_kept=$(vt_find_kept "$2" "$3")
  [ -n "$vt_kept" ] || vt_stop failed "the backup of run $3 does not hold $2 any more"
  dd if="$S/backup/$3/$vt_kept" of="$vt_new" bs=65536 conv=fsync 2>/dev/null
  vt_keyed_sum "$vt_new"
  vt_dress "$2" "$4" "$5" "$6" "$7"
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

vt_save() {         # NUMBER PATH DIGEST|absent KEYED: the old bytes, and what is needed to take the change back
  vt_near "$1" "$2"
  vt_next=$S/pending/.new.$R
  vt_full="cannot save the old bytes of $2: is the disk full?"
  mkdir -p "$S/backup/$R" "$vt_next" && printf '%s %s\n' "$1" "$2" >>"$S/backup/$R/paths" || vt_stop failed "$vt_full"
  vt_still_is "$2" "$3" "$4"    # staging and validators may have taken long
  vt_oldsum=absent
  if [ "$3" != absent ]; then
    vt_sum "$2"; vt_oldsum=$vt_digest
    cp -p -- "$2" "$S/backup/$R/$1" || vt_stop failed "$vt_full"
    vt_sum "$S/backup/$R/$1"; [ "$vt_digest" = "$vt_oldsum" ] || vt_stop failed "$vt_full"
    [ "$4" != keyed ] || vt_still_is "$S/backup/$R/$1" "$3" keyed
  fi
  vt_newsum=absent
  [ -f "$vt_new" ] && { vt_sum "$vt_new"; vt_newsum=$vt_digest; }
  printf '%s\n' "$vt_oldsum" >"$vt_next/$1.oldsum" && printf '%s\n' "$vt_newsum" >"$vt_next/$1.newsum" ||
    vt_stop failed "$vt_full"
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
  (vt_ordinary; exec setsid sh "$P/revert.sh" watch </dev/null >/dev/null 2>&1) &
  vt_reverter_is_up
}

vt_reverter_is_up() {
  vt_waits=0
  while [ "$vt_waits" -lt 250 ]; do
    vt_claimed "$P/reverter" && return 0
    sleep 0.02; vt_waits=$((vt_waits + 1))
  done
  return 1
}

vt_arm() {          # HOLDER SECONDS PROGRAM: after this, only a confirmation keeps the change
  vt_next=$S/pending/.new.$R
  mkdir -p "$vt_next" "$S/backup/$R" || vt_stop failed "cannot write in $S"
  vt_now=$(date +%s)
  { printf 'run %s\nholder %s\nsince %s\nuntil %s\n' "$R" "$1" "$vt_now" "$((vt_now + $2))" >"$vt_next/note" &&
    ln -s "$(vt_identity $$)" "$vt_next/applier" &&
    printf '%s\n%s\n' "$L" "$3" | dd of="$vt_next/revert.sh" bs=65536 conv=fsync 2>/dev/null; } ||
    vt_stop failed "cannot write in $S: is the disk full?"
  # A revert program that was cut short would be worse than none.
  [ "$(tail -n 1 "$vt_next/revert.sh")" = "# end" ] || vt_stop failed "cannot write in $S: is the disk full?"
  [ "$(vt_run_of_lock)" = "$R" ] || vt_stop failed "the lock of this run was removed by hand"
  mv -T -- "$vt_next" "$P" || vt_stop failed "cannot arm the change in $S"
  vt_armed=1
  vt_spawn_reverter || vt_stop failed "the reverter could not be started"
  vt_event armed "takes itself back unless confirmed within $2 s"
  vt_mark "$P/swapping" || vt_stop failed "cannot write in $S"
}

vt_still_ours() {   # the reverter may have decided meanwhile: then not one byte more
  [ ! -L "$P/decision" ] && [ -d "$P" ] || vt_stop failed "the change was taken back while it was being made"
}

vt_swap() {         # NUMBER PATH: put the staged file in place; what it replaces is taken aside and looked at
  vt_still_ours
  vt_near "$1" "$2"
  if [ "$(cat "$P/$1.oldsum")" = absent ]; then
    # link(2) never overwrites: a file that someone made meanwhile stays.
    if ! ln -T -- "$vt_new" "$2" 2>>"$S/lock/out"; then
      vt_there "$2" && vt_stop stale "$2 was made by someone else meanwhile"
      vt_stop failed "cannot link $2"
    fi
    vt_mark "$P/$1.swapped"
    rm -f -- "$vt_new"
    return 0
  fi
  # mv renames what is there, whoever made it, to the side, and then ours into place: no byte is lost.
  mv -f -T --backup=simple -S ".vtsconf-$R" -- "$vt_new" "$2" 2>>"$S/lock/out" || vt_stop failed "cannot rename $2"
  vt_there "$vt_aside" || vt_stop stale "$2 was removed by someone else meanwhile"
  mv -f -T -- "$vt_aside" "$vt_old" || vt_stop failed "cannot rename $2"
  vt_taken_is_old "$1" "$2"
}

vt_taken_is_old() { # NUMBER PATH
  vt_sum "$vt_old"
  [ ! -L "$vt_old" ] && [ "$vt_digest" = "$(cat "$P/$1.oldsum")" ] || vt_stop stale "$2 was edited by someone else meanwhile"
}

vt_remove() {       # NUMBER PATH
  vt_still_ours
  vt_near "$1" "$2"
  mv -f -T -- "$2" "$vt_old" 2>>"$S/lock/out" || vt_stop failed "cannot remove $2"
  vt_taken_is_old "$1" "$2"
}

vt_swapped() {      # DIRECTORY…: names reach the disk too, where sync can be told which
  case $(sync --help 2>/dev/null) in *--data*) sync -- "$@" 2>/dev/null ;; esac
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
  vt_claimed "$P/reverter" || vt_stop failed "the reverter has died"
  vt_mark "$P/done" || vt_stop failed "cannot write in $S"
  vt_event done "waits to be confirmed"
  vt_result armed "waits to be confirmed"
  vt_end
}
