# Every tape of a server: what lies at /VAULTxx/pool/cartridge, told as it is found. Nothing is written here.

vt_users() {        # numbers and names of local accounts: `find` would look each one up again for every file
  vt_frame users
  while IFS=: read -r vt_name vt_rest vt_number vt_rest; do
    printf '%s %s\n' "$vt_number" "$vt_name"
  done </etc/passwd
} 2>/dev/null

vt_amiss() { vt_frame "problem"; printf '%s' "$1: $2"; }

vt_find_tapes() {   # VAULT…: records that end with NUL. Two levels below the vault; links are not followed.
  vt_frame "tapes nul"
  (
    vt_ordinary
    exec find "$@" -mindepth 1 -maxdepth 2 -type d \( -name 'lost+found' -prune -o \
      -name '.*' -prune -printf 'h%d 0 0.0 0 0 0 %p\0' \) -o \
      -printf '%y%d %s %T@ %i %U %b %p\0'
  )
}

vt_stat_tapes() {   # VAULT…: for a `find` that has no -printf, or no fractions of a second. N is in no name.
  vt_frame "tapes mark"
  vt_stat_level 1 "$@" && vt_stat_level 2 "$@"
}

vt_stat_level() {   # LEVEL VAULT…
  vt_level=$1; shift
  (
    vt_ordinary
    exec find "$@" -mindepth "$vt_level" -maxdepth "$vt_level" -exec stat -c "%n|%y|$vt_level %f %s %Y %i %U %b$vt_newline$N rec" -- {} +
  )
}

vt_tapes() {        # VAULT…; none: all that there are
  [ $# -gt 0 ] || set -- /VAULT??
  vt_users
  vt_count=$#
  for vt_path; do
    if [ -L "$vt_path" ]; then
      vt_amiss "$vt_path" "a symbolic link to $(exec readlink -- "$vt_path"); not followed, for a tape has one name"
    elif [ ! -e "$vt_path" ]; then vt_amiss "$vt_path" "not there"
    elif [ ! -d "$vt_path" ]; then vt_amiss "$vt_path" "not a directory"
    elif [ ! -r "$vt_path" ] || [ ! -x "$vt_path" ]; then vt_amiss "$vt_path" "may not be read by this user"
    else set -- "$@" "$vt_path"
    fi
  done
  shift "$vt_count"
  vt_code=0
  if [ $# -gt 0 ]; then
    case $(exec find / -maxdepth 0 -printf '%T@' 2>/dev/null) in
      *.*) vt_find_tapes "$@" ;;
      *) vt_stat_tapes "$@" ;;
    esac
    vt_code=$?
  fi
  vt_frame "code $vt_code"
  vt_clock; vt_frame clock; printf '%s\n' "$vt_now"
  vt_frame bye
}
