# shellcheck shell=bash
# How the virtual board pulls plugs and records. Follows steps.sh.

# A graphics card of its own with COUNT displays, all of them plugged in but those named behind.
set_up_outputs() {
    local count=$1 card=/sys/kernel/config/vkms/rig at
    shift
    mkdir "$card"
    for ((at = 0; at < count; at++)); do
        mkdir "$card/planes/primary$at" "$card/planes/cursor$at" "$card/crtcs/crtc$at" "$card/encoders/encoder$at" \
            "$card/connectors/connector$at"
        # 1 is a primary plane, 2 a cursor.
        echo 1 >"$card/planes/primary$at/type"
        echo 2 >"$card/planes/cursor$at/type"
        ln -s "$card/crtcs/crtc$at" "$card/planes/primary$at/possible_crtcs/"
        ln -s "$card/crtcs/crtc$at" "$card/planes/cursor$at/possible_crtcs/"
        ln -s "$card/crtcs/crtc$at" "$card/encoders/encoder$at/possible_crtcs/"
        ln -s "$card/encoders/encoder$at" "$card/connectors/connector$at/possible_encoders/"
    done
    for at in "$@"; do echo 2 >"$card/connectors/connector$at/status"; done
    echo 1 >"$card/enabled"
}

# 1 is connected, 2 is disconnected; the kernel sends the uevent of a real plug.
plug() { echo 1 >"/sys/kernel/config/vkms/rig/connectors/connector$1/status"; }
unplug() { echo 2 >"/sys/kernel/config/vkms/rig/connectors/connector$1/status"; }

# The checksums of the crtc behind an output: the job's own card where it has one, else the first vkms card.
crc_of() {
    local card
    for card in /sys/kernel/debug/dri/*; do
        [[ -e $card/crtc-$1/crc/data ]] && found=$card
    done
    echo "${found:?no card has crtc $1}/crtc-$1/crc/data"
}

recorder=''
# The other end of the loopback card that the player plays to as hw:Loopback,0,0.
start_recording() {
    arecord -q -D hw:Loopback,1,0 -t wav -f S16_LE -r 48000 -c 2 recording.wav 2>recorder.log &
    recorder=$!
}
stop_recording() {
    [[ -n $recorder ]] || return 0
    # It writes whole periods, an eighth of a second each.
    sleep 0.5
    kill -INT "$recorder" || true
    # It has written the length into the file's head when it has ended.
    wait "$recorder" || true
}

# Powers off as a pulled plug does: nothing is written back. The exit code goes through the host at once, for there is
# nobody left to hand it over.
cut_power() {
    echo 137 | dd of=/run/board/code conv=fsync status=none
    exec busybox poweroff -n -f
}
