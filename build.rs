//! Turns the FFmpeg version that ffmpeg-sys-next found into `cfg(ffmpeg_X_Y)`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // ffmpeg-sys-next declares `links = "ffmpeg"`, so what it found arrives here as DEP_FFMPEG_*.
    for version in ["5_1", "6_0", "6_1", "7_0", "7_1", "8_0", "8_1", "9_0"] {
        println!("cargo::rustc-check-cfg=cfg(ffmpeg_{version})");
        if std::env::var(format!("DEP_FFMPEG_FFMPEG_{version}")).is_ok_and(|it| it == "true") {
            println!("cargo::rustc-cfg=ffmpeg_{version}");
        }
    }
}
