# shellcheck shell=bash
# What the steps of a job do on every rig. The job's script begins with this.
set -eu
player='' code=0 helpers=()

# The player's own words stay apart from the script's.
start_player() {
    lucarne "$@" --stats stats.json --framelog frames.csv 2>player.log &
    player=$!
}

signal_player() { kill "-$1" "$player"; }

finish_player() {
    code=0
    wait "$player" || code=$?
    player=''
}

start_crc() {
    cat "$(crc_of "$1")" >"crc-$1.txt" &
    helpers+=($!)
}

# Ends what still runs, and with the player's exit code.
end_job() {
    [[ -z $player ]] || finish_player
    stop_recording
    if ((${#helpers[@]})); then kill "${helpers[@]}" 2>/dev/null || true; fi
    exit "$code"
}
