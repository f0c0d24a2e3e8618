# shellcheck shell=bash
# Builds what a board is made of, into the cache: the kernel, the root file system, the firmware of its codec, the player's
# libraries. hw-tests/board reads this file.
#
# Everything is named by what it is made from and made in a folder of its own that is renamed when it is complete, so what
# has its name is whole. Nothing here needs root: packages are unpacked, not installed, so their scripts do not run.

# Debian's release inside the board. Its backports have the Mesa that draws into vkms's buffers (26.1 or newer).
readonly suite=trixie
readonly mesa_wanted=26.1
# The first kernel in which vkms has YUV planes and hot-plug by configfs.
readonly kernel_wanted=7.2
# What the board's root has, with what they depend on.
readonly root_packages=(
    # A shell to live in. busybox brings what is missing, under /opt/busybox.
    base-files bash busybox-static coreutils dash diffutils findutils grep kmod mawk mount procps sed util-linux
    # To draw without a GPU.
    libdrm2 libegl1 libgbm1 libgl1-mesa-dri libgles2
    # What the player and its libraries expect of any Debian.
    libasound2t64 libexpat1 libgcc-s1 libstdc++6 libsystemd0 libudev1 zlib1g
    # To look and to disturb; kbdinfo is in kbd, cec-ctl in v4l-utils, modetest in libdrm-tests.
    alsa-utils e2fsprogs kbd libdrm-tests strace v4l-utils
)
# What a run wants besides (-p): a root of its own then, so that the usual one stays small.
packages=()
# Change it with the steps below: what was built in another way is then built again.
readonly recipe=1
# What nobody has used for so many days is removed.
readonly keep_days=14

# Where everything goes, and where this clone's part of it is: hw-tests/board says.
: "${cache:?}" "${here:?}"
kernel_folder='' root_folder='' codec_folder='' libraries_folder=''

hash_of() { sha256sum | cut -c 1-12; }

kernel_recipe() {
    cat <(echo "$recipe $kernel_wanted") "$here"/kernel/config "$here"/kernel/patches/* "$here"/kernel/twin/* | hash_of
}

# Sets `kernel_folder` to the newest kernel of this recipe in the cache, if there is one.
find_kernel() {
    local all
    mapfile -t all < <(cd "$cache" && printf '%s\n' kernel-*-"$(kernel_recipe)" | sort -V)
    kernel_folder=${all[-1]-}
    [[ -x $cache/$kernel_folder/linux ]]
}

find_root() {
    root_folder=root-$suite-$({ echo "$recipe $mesa_wanted ${root_packages[*]}${packages[*]:+ ${packages[*]}}" && cat "$here/guest/start"; } | hash_of)
    [[ -d $cache/$root_folder ]]
}

# What of FFmpeg the codec's firmware is made of. No library of the host's is looked for, so it is the same everywhere.
readonly codec_ffmpeg=(
    --disable-everything --disable-autodetect --disable-programs --disable-doc --disable-network --disable-debug
    --disable-avformat --disable-avdevice --disable-avfilter --disable-swresample --enable-swscale --enable-decoder=h264
    --enable-gpl --disable-shared --enable-static
)

find_codec() {
    codec_folder=codec-$(cat <(echo "$recipe ${codec_ffmpeg[*]}") "$here"/codecd/* "$here"/kernel/twin/codec_firmware.h | hash_of)
    [[ -d $cache/$codec_folder ]]
}

# The player that goes into the board: the one that was named, else the release build of this checkout.
player() {
    local target=${CARGO_TARGET_DIR:-target}
    [[ $target == /* ]] || target=$here/../$target
    printf '%s\n' "${LUCARNE_BIN:-$target/release/lucarne}"
}

# The files of the player's libraries on this host. libavfilter, which it loads when it needs it, lies beside libavcodec.
host_libraries() {
    local linked folder filters=()
    linked=$(ldd "$(player)" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p')
    folder=$(sed -n 's/\/libavcodec\.so\..*//p' <<<"$linked")
    [[ -z $folder ]] || mapfile -t filters < <(find "$folder" -regex '.*/libavfilter\.so\.[0-9]+')
    {
        printf '%s\n' "$linked" "${filters[@]}"
        ((${#filters[@]} == 0)) || ldd "${filters[@]}" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p'
    } | sort -u
}

# The player's libraries, by what and how old they are on this host.
find_libraries() {
    local files
    libraries_folder=libraries-none
    if [[ -x $(player) ]]; then
        mapfile -t files < <(host_libraries)
        libraries_folder=libraries-$({ echo "$recipe $root_folder" && stat -L -c '%n %s %Y' "${files[@]}"; } | hash_of)
    fi
    [[ -d $cache/$libraries_folder ]]
}

# Everything a board is made of is there when this returns.
build_all() {
    mkdir -p "$cache"
    if [[ -z ${newest-} ]] && find_kernel && find_root && find_codec && find_libraries; then
        touch "$cache/$kernel_folder" "$cache/$root_folder" "$cache/$codec_folder" "$cache/$libraries_folder"
        return
    fi
    if [[ -z ${newest-} ]] && find_kernel && find_root; then
        # Made in a moment, and not to be waited for behind another checkout's kernel. Two who make them make the same.
        build_libraries
        return
    fi
    exec {build_lock}>"$cache/build.lock"
    if ! flock -n "$build_lock"; then
        say "another build is under way; waiting for it"
        flock "$build_lock"
    fi
    # What was begun and never finished is nobody's now that the lock is ours.
    rm -rf "$cache"/building.*
    if [[ -n ${newest-} ]] || ! find_kernel || ! find_root || ! find_codec; then
        check_tools
    fi
    if [[ -n ${newest-} ]] || ! find_kernel; then build_kernel; fi
    find_root || build_root
    find_codec || build_codec
    find_libraries || build_libraries
    exec {build_lock}>&-
}

# Says which packages are missing, all at once.
check_tools() {
    local tool package missing=()
    [[ $(uname -sm) == "Linux x86_64" ]] || give_up "the board is an x86-64 Linux program; this is $(uname -sm)"
    command -v apt-get >/dev/null || give_up "the board is made of Debian's packages, and this is not Debian"
    while read -r tool package; do
        command -v "$tool" >/dev/null || missing+=("$package")
    done <<'END'
bc bc
bison bison
flex flex
gcc gcc
ld binutils
make make
nasm nasm
patch patch
taskset util-linux
xz xz-utils
END
    [[ -e /usr/include/stdlib.h ]] || missing+=(libc6-dev)
    [[ -e $(gcc -print-file-name=libx264.a 2>/dev/null) ]] || missing+=(libx264-dev)
    [[ -e $keyring ]] || missing+=(debian-archive-keyring)
    ((${#missing[@]} == 0)) || give_up "missing: ${missing[*]}; run .ci/setup, or install them with apt-get"
}

readonly keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# A folder for one build, and an apt of its own in it that only knows the board's suites; with `source` it knows the
# release's sources too. It starts with no package installed, so what it fetches is complete.
new_build() {
    local mirror
    work=$(mktemp -d "$cache/building.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work"/{lists,cache/archives}/partial
    : >"$work/status"
    mirror=$(find_mirror)
    printf "deb [signed-by=$keyring] $mirror %s main\n" "$suite" "$suite-backports" >"$work/sources.list"
    [[ ${1-} != source ]] || echo "deb-src [signed-by=$keyring] $mirror $suite main" >>"$work/sources.list"
    printf 'Package: src:mesa\nPin: release n=%s-backports\nPin-Priority: 990\n' "$suite" >"$work/preferences"
    cat >"$work/apt.conf" <<END
APT::Architecture "amd64"; APT::Architectures "amd64"; APT::Install-Recommends "false"; APT::Sandbox::User "";
Acquire::Languages "none"; Acquire::Retries "3"; Debug::NoLocking "true";
Dir::Cache "$work/cache"; Dir::State::Lists "$work/lists"; Dir::State::status "$work/status";
Dir::State::extended_states "$work/extended_states"; Dir::Etc::Preferences "$work/preferences";
Dir::Etc::PreferencesParts "/dev/null"; Dir::Etc::SourceList "$work/sources.list"; Dir::Etc::SourceParts "/dev/null";
END
    apt_get update || give_up "$mirror has no $suite and $suite-backports, or cannot be reached; see above"
}

# The configuration that APT_CONFIG names is read last, so it wins over the host's; the host's proxy stays.
apt_get() { APT_CONFIG=$work/apt.conf apt-get -qq -y "$@" >"$work/log" 2>&1 </dev/null || { cat "$work/log" >&2 && return 1; }; }

# The mirror that apt is configured with: whatever calls itself Debian; or, where nothing was fetched yet that could say so,
# whatever serves this release's main.
find_mirror() {
    local release found
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    # shellcheck disable=SC2016 # apt's variables, not ours.
    found=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
    # shellcheck disable=SC2016
    [[ $found ]] || found=$(apt-get indextargets --no-release-info --format '$(REPO_URI)' \
        'Created-By: Packages' "Release: $release" 'Component: main' | head -n 1)
    [[ $found ]] || give_up "apt is not configured with any mirror of Debian"
    printf '%s\n' "${found%/}"
}

build_kernel() {
    local package version name source patch
    new_build
    # linux-source-7.3 and so on: the newest, if it is new enough.
    package=$(APT_CONFIG=$work/apt.conf apt-cache pkgnames linux-source- | grep -E '^linux-source-[0-9.]+$' | sort -V | tail -n 1)
    [[ $package && $(printf '%s\n' "linux-source-$kernel_wanted" "$package" | sort -V | head -n 1) == "linux-source-$kernel_wanted" ]] ||
        give_up "the mirror's $suite-backports has no linux-source-$kernel_wanted or newer, only: ${package:-none}"
    version=$(APT_CONFIG=$work/apt.conf apt-cache show --no-all-versions "$package" | sed -n 's/^Version: //p')
    name=kernel-$version-$(kernel_recipe)
    if [[ -d $cache/$name ]]; then
        say "$name is there already"
        rm -rf "$work"
        find_kernel
        return
    fi
    say "kernel $version: fetching and unpacking"
    (cd "$work" && apt_get download "$package" && dpkg-deb --fsys-tarfile "$package"_*.deb | tar x --to-stdout \
        "./usr/src/$package.tar.xz" | tar x -J) || give_up "$package could not be fetched and unpacked"
    source=$work/$package
    for patch in "$here"/kernel/patches/*; do
        if patch -d "$source" -s -f -p1 --dry-run <"$patch" >/dev/null; then
            patch -d "$source" -s -p1 <"$patch"
        else
            say "going on without $(basename "$patch"), which does not apply to $version: the board is slower"
        fi
    done
    # The codec is a driver of its own, beside the kernel's for tests.
    cp -r "$here/kernel/twin" "$source/drivers/media/test-drivers/bcm2835-codec-twin"
    echo 'obj-$(CONFIG_VIDEO_BCM2835_CODEC_TWIN) += bcm2835-codec-twin/' >>"$source/drivers/media/test-drivers/Makefile"
    sed -i '\|visl/Kconfig|a source "drivers/media/test-drivers/bcm2835-codec-twin/Kconfig"' \
        "$source/drivers/media/test-drivers/Kconfig"
    # This number has no question of its own in UML, so its default is what can be changed.
    sed -i '/^config HZ$/,/default/s/default 100$/default 1000/' "$source/arch/um/Kconfig"
    make -s -C "$source" ARCH=um KCONFIG_ALLCONFIG="$here/kernel/config" allnoconfig >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        give_up "the kernel could not be configured; see above"
    }
    check_kernel_config "$source"
    say "kernel $version: building, some minutes on an idle machine"
    make -s -C "$source" ARCH=um -j"$(nproc)" linux >"$work/log" 2>&1 || {
        tail -n 30 "$work/log" >&2
        give_up "the kernel could not be built; see above"
    }
    mkdir "$work/result"
    strip -o "$work/result/linux" "$source/linux"
    cp "$source/.config" "$work/result/config"
    mv -T "$work/result" "$cache/$name"
    rm -rf "$work"
    say "kernel $version: built"
    find_kernel
}

# Every option that was asked for is as it was asked for, unless this kernel has none of that name.
check_kernel_config() {
    local source=$1 line name lost=()
    while read -r line; do
        name=${line%%=*}
        case $line in
            '' | '#'*) continue ;;
            *=n) ! grep -q "^$name=" "$source/.config" || lost+=("$line") ;;
            *) grep -qxF "$line" "$source/.config" || lost+=("$line") ;;
        esac
    done <"$here/kernel/config"
    for line in "${lost[@]}"; do
        name=${line%%=*}
        if grep -rqE "^(menu)?config ${name#CONFIG_}\$" --include='Kconfig*' "$source"; then
            give_up "this kernel does not take $line; a dependency is missing in hw-tests/kernel/config"
        fi
        say "this kernel has no $name"
    done
}

build_root() {
    local result package mesa
    new_build
    result=$work/root
    say "root: fetching"
    apt_get install --download-only "${root_packages[@]}" "${packages[@]}" || give_up "the board's packages could not be fetched; see above"
    mesa=$(cd "$work/cache/archives" && echo libgl1-mesa-dri_*)
    mesa=${mesa#*_}
    dpkg --compare-versions "${mesa%%_*}" ge "$mesa_wanted" ||
        give_up "Mesa $mesa_wanted or newer is needed in $suite-backports, there is ${mesa%%_*}"
    say "root: unpacking"
    mkdir "$result"
    # base-files first: it has the links from /bin and /lib into /usr, which then stay.
    for package in "$work"/cache/archives/base-files_*.deb "$work"/cache/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar x -C "$result" --no-same-owner --keep-directory-symlink \
            --exclude=./usr/share/{doc,info,locale,man,lintian,bug} --exclude=./usr/share/gtk-doc
    done
    # What the packages' scripts would have done, as far as anyone needs it.
    printf '%s\n' 'root:x:0:0:root:/tmp:/bin/bash' 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin' >"$result/etc/passwd"
    printf '%s\n' root:x:0: tty:x:5: audio:x:29: video:x:44: input:x:106: render:x:105: nogroup:x:65534: >"$result/etc/group"
    echo '127.0.0.1 localhost' >"$result/etc/hosts"
    ln -sf mawk "$result/usr/bin/awk"
    mkdir -p "$result"/{project,opt/lucarne,opt/busybox,dev,proc,sys,run,tmp}
    for package in $("$result/usr/bin/busybox" --list); do
        [[ -e $result/usr/bin/$package || -e $result/usr/sbin/$package ]] || ln -s /usr/bin/busybox "$result/opt/busybox/$package"
    done
    install -m 755 "$here/guest/start" "$result/board-start"
    # Directories that only root may enter would be closed to whoever runs the board.
    chmod -R u+rwX "$result"
    mv -T "$result" "$cache/$root_folder"
    rm -rf "$work"
    say "root: built"
}

# The firmware of the board's codec: one static program of this release's FFmpeg, of which it takes the H.264 decoder, and
# of the host's x264. It needs nothing of the root, so the root need not change with it.
build_codec() {
    local ffmpeg result
    new_build source
    say "codec: fetching and unpacking"
    (cd "$work" && apt_get source --download-only ffmpeg && tar x -Jf ffmpeg_*.orig.tar.xz) ||
        give_up "FFmpeg's source could not be fetched and unpacked; see above"
    ffmpeg=$(cd "$work" && echo ffmpeg-*/)
    ffmpeg=$work/${ffmpeg%/}
    say "codec: building, about a minute on an idle machine"
    result=$work/result
    mkdir "$result"
    {
        (cd "$ffmpeg" && ./configure --prefix="$work/ffmpeg" "${codec_ffmpeg[@]}" && make -s -j"$(nproc)" install) &&
            gcc -O2 -static -Wall -I"$work/ffmpeg/include" -I"$here/kernel/twin" -o "$result/codecd" "$here"/codecd/*.c \
                -L"$work/ffmpeg/lib" -lavcodec -lswscale -lavutil -lx264 -lpthread -lm && strip "$result/codecd"
    } >"$work/log" 2>&1 || {
        tail -n 30 "$work/log" >&2
        give_up "the codec's firmware could not be built; see above"
    }
    mv -T "$result" "$cache/$codec_folder"
    rm -rf "$work"
    say "codec: built"
}

# Copies what the player is linked with and the board's root does not have. Built here, it needs this host's FFmpeg, and
# FFmpeg a hundred more; the root's own go first because Mesa is linked with them too.
build_libraries() {
    local library result
    result=$(mktemp -d "$cache/libraries-new.XXXXXX")
    if [[ $libraries_folder != libraries-none ]]; then
        while read -r library; do
            [[ -e $cache/$root_folder/usr/lib/x86_64-linux-gnu/${library##*/} ]] || cp -L "$library" "$result/"
        done < <(host_libraries)
    fi
    chmod 755 "$result"
    # Another run may have been quicker.
    mv -T "$result" "$cache/$libraries_folder" 2>/dev/null || rm -rf "$result"
    [[ -d $cache/$libraries_folder ]] || give_up "cannot make $cache/$libraries_folder"
}

# What nobody has used for long goes; what is in use was touched a moment ago.
prune() {
    find "$cache" -mindepth 1 -maxdepth 1 \( -name 'kernel-*' -o -name 'root-*' -o -name 'codec-*' -o \
        -name 'libraries-*' \) \
        -mtime "+$keep_days" -exec rm -rf {} +
    # Runs that were killed could not tidy up.
    find /tmp -mindepth 1 -maxdepth 1 -name 'lucarne-board.*' -user "$(id -u)" -mtime +1 -exec rm -rf {} +
}
