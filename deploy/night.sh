#!/bin/sh
# Run a night; try again if a run that was killed still holds it, or if luigid is down.
#
#   deploy/night.sh --dataset tickets --model bilstm
#
# The arguments are those of `pipeline nightly`; exit code and output are those of the last try.
# Until worker_disconnect_delay is over (60 s), luigid does not notice that a worker was killed:
# another run ends with exit code 10 and does nothing, or with 25 if only some tasks were held. 41
# means that luigid cannot be reached, 137 that the run was killed by SIGKILL, for example because
# memory ran out: training continues from its last saved epoch.
set -u
cd "$(dirname "$0")/.." || exit 40
PATH="$PWD/.venv/bin:$PATH"
export PATH LUIGI_CONFIG_PATH="${LUIGI_CONFIG_PATH:-deploy/nightly.cfg}"
tries="${NIGHT_TRIES-5}"
pause="${NIGHT_PAUSE-90}" # seconds; longer than worker_disconnect_delay
for value in "NIGHT_TRIES=$tries" "NIGHT_PAUSE=$pause"; do
    case ${value#*=} in
        "" | *[!0-9]*)
            echo "${value%%=*} must be a whole number, got '${value#*=}'; correct or unset it." >&2
            exit 40
            ;;
    esac
done

# Set once: a try after midnight is the same night with the same files. A --date among the arguments
# comes later and overrides this one. With --redo a try continues the decision of an earlier try.
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
