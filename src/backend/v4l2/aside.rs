//! Calls that a dead firmware keeps for seconds: drivers wait for its answer, and nothing ends that wait. They are made on a
//! thread of their own, so that another decoder can take over meanwhile.
use std::sync::mpsc;
use std::thread::Builder;
use std::time::Duration;

/// Opening a codec takes some ten milliseconds. With what went before it, a picture stands for less than a second.
pub(super) const OPENS_WITHIN: Duration = Duration::from_millis(500);
/// Closing one that failed; nobody needs to know that it is done.
pub(super) const CLOSES_WITHIN: Duration = Duration::from_millis(100);

/// What `work` returns, if it does so in time. If not it goes on by itself, and what it returns is dropped there. The error
/// is the system's, when it has no thread left to give.
pub(super) fn in_time<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<Option<T>> {
    let (tell, told) = mpsc::sync_channel(1);
    Builder::new().name("v4l2".to_owned()).spawn(move || {
        // Nobody listens any more when it comes too late.
        let _late = tell.send(work());
    })?;
    Ok(told.recv_timeout(limit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late_is_left_to_itself() {
        let (go_on, wait) = mpsc::channel::<()>();
        let (said, dropped) = mpsc::channel::<()>();
        let late = in_time(Duration::from_millis(1), move || {
            let _ = wait.recv();
            said
        });
        assert!(matches!(late, Ok(None)));
        drop(go_on);
        assert!(dropped.recv().is_err(), "what came of it was dropped in the end");
        assert_eq!(in_time(Duration::from_secs(60), || 1).unwrap(), Some(1));
    }
}
