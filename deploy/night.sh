#!/bin/sh
# Run tonight's night; again when a run that was killed still holds it, or luigid is down.
#
#   deploy/night.sh --dataset tickets --model bilstm
#
# The words are those of `pipeline nightly`, its exit code and its line are the last try's. luigid
# takes a killed worker for alive until worker_disconnect_delay is over (60 s): until then another
# run ends with exit code 10 and has done nothing, or 25 where it held but a part. 41 is luigid that
# cannot be reached, 137 a run killed by SIGKILL, as when memory ran out: training goes on from its
# last kept epoch.
set -u
cd "$(dirname "$0")/.." || exit 40
PATH="$PWD/.venv/bin:$PATH"
export PATH LUIGI_CONFIG_PATH="${LUIGI_CONFIG_PATH:-deploy/nightly.cfg}"
tries="${NIGHT_TRIES:-5}"
pause="${NIGHT_PAUSE:-90}" # seconds; longer than worker_disconnect_delay

# Set once: a try after midnight is the same night, and fetches what came on the day of the first. A
# --date among the words comes later and holds. With --redo a try goes on with what one before it
# decided.
day="$(date +%F)"
set -- --date "$day" --today "$day" --asked "$(date +%FT%T%z)" "$@"
while :; do
    pipeline nightly "$@"
    code=$?
    tries=$((tries - 1))
    case $code in
        10 | 25 | 41 | 137) [ "$tries" -gt 0 ] || exit "$code" ;;
        *) exit "$code" ;;
    esac
    echo "The night ended with exit code $code; again in $pause s." >&2
    sleep "$pause"
done
