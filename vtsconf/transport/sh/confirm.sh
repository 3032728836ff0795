# The end of an armed change, asked for over a new connection.

vt_answer() {       # WORD TEXT; the body is what could not be taken back had to say
  vt_frame "result $*"
  [ "$1" != broken ] || tail -c 4096 -- "$P/out" 2>/dev/null
  vt_frame bye
  exit 0
}

vt_answer_past() {  # the run is over: how did it end?
  vt_past
  vt_answer "$vt_word" "$vt_text"
}

vt_wait_for_end() {
  vt_await_end
  vt_answer "$vt_word" "$vt_text"
}

vt_must_be_armed() {
  [ -d "$P" ] || vt_answer_past
  [ ! -L "$P/decision" ] || vt_wait_for_end
}

vt_health() {       # NAME SECONDS ARGV…: a check; its failure takes the change back
  vt_query "$@"
  [ "$vt_code" = 0 ] && return 0
  vt_refuse "health check $vt_name failed"
}

vt_refuse() {       # REASON
  vt_decide revert "$1" && vt_have_finished >/dev/null
  vt_wait_for_end
}

vt_try_again() {    # what could not be taken back once may go back now
  [ ! -e "$P/broken" ] && return
  rm -f -- "$P/broken"
  vt_have_finished >/dev/null
}

vt_accept() {
  [ -e "$P/done" ] || vt_answer none "the change is still being made"
  vt_decide confirm "$1" && vt_have_finished >/dev/null
  vt_wait_for_end
}

vt_unlock() {       # force|"": only a lock that protects nothing can be removed
  R=unlock
  [ -d "$S/lock" ] || vt_answer none "there is no lock"
  vt_run_in "$S/lock/note"; vt_locked_by=$vt_noted
  P=$S/pending/$vt_locked_by
  if [ -e "$P/broken" ] && [ "$1" = force ]; then
    R=$vt_locked_by; vt_outcome broken "given up by hand"
    vt_answer unlocked "the change of run $R was given up half taken back: look at the server"
  fi
  if [ -n "$vt_locked_by" ] && [ -d "$P" ]; then
    vt_answer armed "the change of run $vt_locked_by is armed: confirm it, roll it back, or wait until it takes itself back"
  fi
  if ! vt_lock_is_dead && [ "$1" != force ]; then
    vt_answer alive "the run $vt_locked_by is still at work here"
  fi
  vt_drop_lock "$vt_locked_by"
  vt_forget_run "$vt_locked_by"
  vt_event unlocked "lock of run ${vt_locked_by:-?} removed by hand"
  vt_answer unlocked "the lock of run ${vt_locked_by:-?} was removed"
}
