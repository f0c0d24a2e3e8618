# shellcheck shell=bash
# How a Pi pulls plugs. Follows steps.sh.
#
# Without a switch for the HDMI cable the kernel is told that the plug is out, which it treats as one that was pulled.

connector() {
    local found
    for found in /sys/class/drm/card*-HDMI-A-$(($1 + 1)); do
        [[ -e $found/status ]] && echo "$found/status"
    done
}
set_up_outputs() {
    local at
    shift
    for at in "$@"; do unplug "$at"; done
}
unplug() { echo off >"$(connector "$1")"; }
plug() { echo detect >"$(connector "$1")"; }

# Neither is there; cases that need them are skipped.
crc_of() { return 1; }
start_recording() { return 1; }
stop_recording() { :; }

# The power is cut from outside while this waits. What was synced before is there afterwards.
cut_power() { exec sleep 2; }
