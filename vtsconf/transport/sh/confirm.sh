# The end of an armed change, asked for over a new connection.

vt_answer() {       # WORD TEXT
  vt_frame "result $*"; vt_frame bye
  exit 0
}

vt_answer_past() {  # the run is over: how did it end?
  [ -f "$S/backup/$R/outcome" ] || vt_answer none "nothing of that run is armed here"
  read -r vt_word vt_rest <"$S/backup/$R/outcome"
  vt_answer "$vt_word" "$vt_rest"
}

vt_wait_for_decision() {
  vt_waits=0
  while [ -d "$P" ] && [ ! -e "$P/broken" ] && [ "$vt_waits" -lt 600 ]; do sleep 0.2; vt_waits=$((vt_waits + 1)); done
  [ -e "$P/broken" ] && vt_answer broken "$(cat "$P/broken")"
  [ -d "$P" ] && vt_answer broken "the change is still being taken back"
  vt_answer_past
}

vt_must_be_armed() {
  [ -d "$P" ] || vt_answer_past
  [ -e "$P/broken" ] && vt_answer broken "$(cat "$P/broken")"
  [ -e "$P/decision" ] && vt_wait_for_decision
  return 0
}

vt_health() {       # NAME SECONDS ARGV…: a check; its failure takes the change back
  vt_query "$@"
  [ "$vt_code" = 0 ] && return 0
  vt_refuse "health check $vt_name failed"
}

vt_refuse() {       # REASON
  vt_decide revert || vt_wait_for_decision
  vt_revert decided "$1"
  vt_wait_for_decision
}

vt_accept() {
  [ -e "$P/done" ] || vt_answer none "the change is still being made"
  vt_decide confirm || vt_wait_for_decision
  vt_revert keep "$1"
  vt_wait_for_decision
}

vt_unlock() {       # force|"": only a lock that protects nothing can be removed
  R=unlock
  [ -d "$S/lock" ] || vt_answer none "there is no lock"
  vt_run_of_lock=$(sed -n 's/^run //p' "$S/lock/note" 2>/dev/null)
  if [ -n "$vt_run_of_lock" ] && [ -d "$S/pending/$vt_run_of_lock" ]; then
    vt_answer armed "the change of run $vt_run_of_lock is armed: confirm it, roll it back, or wait until it takes itself back"
  fi
  if ! vt_lock_is_dead && [ "$1" != force ]; then
    vt_answer alive "the run $vt_run_of_lock is still at work here"
  fi
  vt_event unlocked "lock of run ${vt_run_of_lock:-?} removed by hand"
  vt_drop_lock
  vt_answer unlocked "the lock of run ${vt_run_of_lock:-?} was removed"
}
