//! FFmpeg's own log: through `log` under the target "ffmpeg", a few lines a second at most, the rest counted.
//!
//! FFmpeg's "error" is mostly a damaged file, which our own error already reports in one line; so its lines are `debug`,
//! only what it calls fatal is `warn`. The last complaints of each thread are kept for a moment, so that an error of ours
//! can quote the byte or box that FFmpeg named.
use std::cell::RefCell;
use std::ffi::CStr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use ffmpeg_sys_next as ff;
use log::Level;

/// Lines that may come at once: one damaged picture's worth.
const BURST: u32 = 20;
/// How long until one more line may come. A broken stream says hundreds a second.
const REFILL: Duration = Duration::from_millis(200);
/// The longest line that is kept; FFmpeg's own limit.
const LINE_BYTES: usize = 1024;
/// Complaints kept per thread: the one that names the byte is seldom more than a few before the last.
const KEPT: usize = 4;

/// `av_log_format_line2`, whatever a `va_list` is on this machine.
type FormatLine<V> = unsafe extern "C" fn(
    *mut libc::c_void,
    libc::c_int,
    *const libc::c_char,
    V,
    *mut libc::c_char,
    libc::c_int,
    *mut libc::c_int,
) -> libc::c_int;
/// What FFmpeg calls with every line.
type Callback<V> = unsafe extern "C" fn(*mut libc::c_void, libc::c_int, *const libc::c_char, V);
/// `av_log_set_callback`, likewise.
type SetCallback<V> = unsafe extern "C" fn(Option<Callback<V>>);

/// The formatting function, its `va_list` forgotten: `install` stores it, `on_line` with the same `V` takes it back.
static FORMAT_LINE: OnceLock<usize> = OnceLock::new();

static BUCKET: Mutex<Bucket> = Mutex::new(Bucket { tokens: BURST, filled: None, swallowed: 0 });

thread_local! {
    static THREAD: RefCell<ThreadLog> = const { RefCell::new(ThreadLog { at_line_start: 1, complaints: Vec::new() }) };
}

struct ThreadLog {
    /// FFmpeg's own flag: whether the next piece begins a line.
    at_line_start: libc::c_int,
    complaints: Vec<String>,
}

/// Sends FFmpeg's lines to `on_line`.
pub(super) fn install() {
    install_with(ff::av_log_format_line2, ff::av_log_set_callback);
}

fn install_with<V: 'static>(format_line: FormatLine<V>, set_callback: SetCallback<V>) {
    if FORMAT_LINE.set(format_line as usize).is_ok() {
        // SAFETY: the callback has the signature FFmpeg asks for, never unwinds, and may run on any thread.
        unsafe { set_callback(Some(on_line::<V>)) };
    }
}

unsafe extern "C" fn on_line<V>(
    context: *mut libc::c_void,
    level: libc::c_int,
    format: *const libc::c_char,
    arguments: V,
) {
    // The low byte is the level, the rest a colour.
    let level = level & 0xff;
    if level > ff::AV_LOG_VERBOSE {
        return;
    }
    let Some(&address) = FORMAT_LINE.get() else { return };
    // SAFETY: `install_with` stored a `FormatLine<V>` of this very `V`, and a function pointer fits a `usize`.
    let format_line = unsafe { std::mem::transmute::<usize, FormatLine<V>>(address) };
    let mut line = [0u8; LINE_BYTES];
    let mut at_line_start = THREAD.try_with(|it| it.try_borrow().map_or(1, |it| it.at_line_start)).unwrap_or(1);
    // SAFETY: context, format and arguments are FFmpeg's own and used once; the buffer is ours, with its true length.
    unsafe {
        format_line(
            context,
            level,
            format,
            arguments,
            line.as_mut_ptr().cast(),
            LINE_BYTES as libc::c_int,
            &raw mut at_line_start,
        )
    };
    let text = CStr::from_bytes_until_nul(&line).map(CStr::to_string_lossy).unwrap_or_default();
    let text = text.trim();
    let _ = THREAD.try_with(|it| {
        let Ok(mut it) = it.try_borrow_mut() else { return };
        it.at_line_start = at_line_start;
        if level <= ff::AV_LOG_WARNING && !text.is_empty() {
            if it.complaints.len() == KEPT {
                it.complaints.remove(0);
            }
            it.complaints.push(text.to_owned());
        }
    });
    if !text.is_empty() {
        pass_on(severity(level), text);
    }
}

fn severity(level: libc::c_int) -> Level {
    match level {
        it if it <= ff::AV_LOG_FATAL => Level::Warn,
        it if it <= ff::AV_LOG_WARNING => Level::Debug,
        _ => Level::Trace,
    }
}

fn pass_on(level: Level, text: &str) {
    if !log::log_enabled!(target: "ffmpeg", level) {
        return;
    }
    let verdict = BUCKET.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
    let Some(swallowed) = verdict else { return };
    if swallowed > 0 {
        log::log!(target: "ffmpeg", level, "({swallowed} more lines swallowed)");
    }
    log::log!(target: "ffmpeg", level, "{text}");
}

/// A token bucket: a burst, then one line per `REFILL`.
struct Bucket {
    tokens: u32,
    filled: Option<Instant>,
    swallowed: u64,
}

impl Bucket {
    /// Whether a line may pass, and how many were swallowed since the last that did.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let since = now.saturating_duration_since(*self.filled.get_or_insert(now));
        let earned = u32::try_from(since.as_nanos() / REFILL.as_nanos()).unwrap_or(BURST);
        if earned > 0 {
            self.tokens = self.tokens.saturating_add(earned).min(BURST);
            self.filled = Some(now);
        }
        if self.tokens == 0 {
            self.swallowed += 1;
            return None;
        }
        self.tokens -= 1;
        Some(std::mem::take(&mut self.swallowed))
    }
}

/// Forgets what FFmpeg complained about on this thread, before a call whose complaints matter.
pub fn forget_complaints() {
    THREAD.with_borrow_mut(|it| it.complaints.clear());
}

/// What FFmpeg complained about on this thread since they were last forgotten; the last few lines, oldest first.
pub fn complaints() -> Vec<String> {
    THREAD.with_borrow(|it| it.complaints.iter().map(|it| without_prefix(it).to_owned()).collect())
}

/// FFmpeg begins lines with `[mov,mp4,m4a @ 0x55d0c8]`, which says nothing to a user.
fn without_prefix(line: &str) -> &str {
    let mut rest = line;
    while let Some((inside, after)) = rest.strip_prefix('[').and_then(|it| it.split_once(']')) {
        if !inside.contains(" @ 0x") {
            break;
        }
        rest = after.trim_start();
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_counted() {
        let start = Instant::now();
        let mut bucket = Bucket { tokens: BURST, filled: None, swallowed: 0 };
        let passed = (0..1000).filter(|_| bucket.take(start).is_some()).count();
        assert_eq!(passed, BURST as usize);
        assert_eq!(bucket.take(start + REFILL), Some(1000 - u64::from(BURST)));
        assert_eq!(bucket.take(start + REFILL), None);
    }

    #[test]
    fn addresses_are_cut_from_lines() {
        for (line, want) in [
            ("[mov,mp4 @ 0x5581] moov atom not found", "moov atom not found"),
            ("[in @ 0x1] [h264 @ 0x2] bad", "bad"),
            ("[not a prefix] text", "[not a prefix] text"),
            ("plain", "plain"),
        ] {
            assert_eq!(without_prefix(line), want);
        }
    }

    #[test]
    fn complaints_are_kept_per_thread() {
        crate::sys::ffmpeg::initialise();
        forget_complaints();
        // SAFETY: a null context and a format without arguments.
        unsafe { ff::av_log(std::ptr::null_mut(), ff::AV_LOG_ERROR, c"something at byte 17\n".as_ptr()) };
        assert_eq!(complaints(), ["something at byte 17"]);
        std::thread::spawn(|| assert!(complaints().is_empty())).join().expect("the other thread");
        forget_complaints();
        assert!(complaints().is_empty());
    }
}
