//! Every mode against every outcome, and random failures.
use proptest::prelude::*;

use crate::base::offer::Severity;
use crate::logic::interop_policy::{
    Candidate, Fallback, InteropGaveUp, InteropMode, InteropPolicy, OnFailure, Reaction,
};

const AUTO: InteropMode = InteropMode::Auto;
const SOFTWARE: InteropMode = InteropMode::ForceSoftware;
const MUST: InteropMode = InteropMode::ForceZeroCopy(OnFailure::Fail);
const SHOULD: InteropMode = InteropMode::ForceZeroCopy(OnFailure::Downgrade);

/// plane, dmabuf and software_upload, usable or not.
fn candidates(usable: [bool; 3]) -> Vec<Candidate> {
    let verdict = |ok: bool| if ok { Ok(()) } else { Err("not here".to_owned()) };
    vec![
        Candidate { name: "plane", zero_copy: true, verdict: verdict(usable[0]) },
        Candidate { name: "dmabuf", zero_copy: true, verdict: verdict(usable[1]) },
        Candidate { name: "software_upload", zero_copy: false, verdict: verdict(usable[2]) },
    ]
}

fn policy(mode: InteropMode) -> InteropPolicy {
    InteropPolicy::new(mode, &candidates([false, true, true])).unwrap()
}

#[test]
fn each_mode_chooses_what_it_may() {
    let cases = [
        (AUTO, [true, true, true], Some("plane")),
        (AUTO, [false, true, true], Some("dmabuf")),
        (AUTO, [false, false, true], Some("software_upload")),
        (AUTO, [false, false, false], None),
        (SOFTWARE, [true, true, true], Some("software_upload")),
        (SOFTWARE, [true, true, false], None),
        (MUST, [false, true, true], Some("dmabuf")),
        (MUST, [false, false, true], None),
        (SHOULD, [false, true, true], Some("dmabuf")),
        (SHOULD, [false, false, true], Some("software_upload")),
    ];
    for (mode, usable, want) in cases {
        let got = InteropPolicy::new(mode, &candidates(usable));
        assert_eq!(got.as_ref().ok().map(InteropPolicy::current), want, "{mode:?} {usable:?}");
    }
}

#[test]
fn a_refusal_names_every_candidate_and_a_remedy() {
    let error = InteropPolicy::new(MUST, &candidates([false, false, true])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no zero-copy way to the screen: plane: not here; dmabuf: not here; play with --on-zero-copy-failure downgrade"
    );
    assert!(InteropPolicy::new(AUTO, &[]).unwrap_err().to_string().contains("no such backend"));
    let downgraded = InteropPolicy::new(SHOULD, &candidates([false, false, true])).unwrap();
    assert_eq!(downgraded.fallback().map(|it| (it.from, it.to)), Some(("plane", "software_upload")));
    let only_software = InteropPolicy::new(SHOULD, &candidates([false, false, true])[2..]).unwrap();
    assert_eq!(only_software.fallback().map(|it| (it.from, it.to)), Some(("zero_copy", "software_upload")));
    assert_eq!(InteropPolicy::new(AUTO, &candidates([false, false, true])).unwrap().fallback(), None);
}

#[test]
fn three_failures_in_a_row_downgrade_once_with_the_reason() {
    let mut it = policy(AUTO);
    assert_eq!(it.failed(Severity::Retry, "bad match"), Reaction::DropFrame);
    assert_eq!(it.failed(Severity::Retry, "bad match"), Reaction::DropFrame);
    let fallback =
        Fallback { from: "dmabuf", to: "software_upload", reason: "bad match (3 times in a row)".to_owned() };
    assert_eq!(it.failed(Severity::Retry, "bad match"), Reaction::Downgrade(fallback.clone()));
    assert_eq!((it.current(), it.fallback()), ("software_upload", Some(&fallback)));
}

#[test]
fn a_success_clears_the_failures_before_it() {
    let mut it = policy(AUTO);
    for _ in 0..10 {
        assert_eq!(it.failed(Severity::Retry, "x"), Reaction::DropFrame);
        assert_eq!(it.failed(Severity::Retry, "x"), Reaction::DropFrame);
        it.succeeded();
    }
    assert_eq!(it.current(), "dmabuf");
}

#[test]
fn a_final_failure_does_not_wait_for_two_more() {
    for severity in [Severity::FallBack, Severity::Fatal] {
        assert!(matches!(policy(AUTO).failed(severity, "no"), Reaction::Downgrade(_)));
    }
    assert!(matches!(policy(AUTO).init_failed("no"), Reaction::Downgrade(it) if it.reason == "no"));
}

#[test]
fn a_lost_context_is_rebuilt_once_and_then_given_up() {
    let mut it = policy(AUTO);
    assert_eq!(it.failed(Severity::Reconfigure, "lost"), Reaction::Rebuild);
    assert!(matches!(it.failed(Severity::Reconfigure, "lost"), Reaction::Downgrade(_)));
    let mut it = policy(AUTO);
    assert_eq!(it.failed(Severity::Reconfigure, "lost"), Reaction::Rebuild);
    it.succeeded();
    assert_eq!(it.failed(Severity::Reconfigure, "lost"), Reaction::Rebuild);
}

#[test]
fn forced_zero_copy_gives_up_or_downgrades_as_asked() {
    assert!(matches!(
        policy(MUST).failed(Severity::FallBack, "gone"),
        Reaction::GiveUp(InteropGaveUp::NoZeroCopy { reason }) if reason == "dmabuf: gone"
    ));
    assert!(matches!(policy(SHOULD).failed(Severity::FallBack, "gone"), Reaction::Downgrade(_)));
}

#[test]
fn the_last_resort_gives_up_an_item_and_goes_on_with_the_next() {
    let mut it = policy(SOFTWARE);
    assert!(matches!(
        it.failed(Severity::FallBack, "too large"),
        Reaction::GiveUp(InteropGaveUp::LastResort { backend: "software_upload", .. })
    ));
    assert_eq!(it.failed(Severity::Retry, "next item"), Reaction::DropFrame);
    assert_eq!(it.current(), "software_upload");
}

fn severity() -> impl Strategy<Value = Option<Severity>> {
    prop::sample::select(vec![
        None,
        Some(Severity::Retry),
        Some(Severity::Retry),
        Some(Severity::Reconfigure),
        Some(Severity::FallBack),
        Some(Severity::Fatal),
    ])
}

proptest! {
    /// At most one downgrade, only to software, never back, never where it is forbidden; the reason is kept.
    #[test]
    fn a_session_downgrades_at_most_once(
        mode in prop::sample::select(vec![AUTO, SOFTWARE, MUST, SHOULD]),
        usable in any::<[bool; 2]>(),
        outcomes in prop::collection::vec(severity(), 0..60),
    ) {
        let Ok(mut it) = InteropPolicy::new(mode, &candidates([usable[0], usable[1], true])) else {
            prop_assert_eq!(mode, MUST);
            return Ok(());
        };
        let mut downgrades = 0;
        let mut in_a_row = 0;
        for outcome in outcomes {
            let before = it.current();
            match outcome {
                None => {
                    it.succeeded();
                    in_a_row = 0;
                }
                Some(severity) => match it.failed(severity, "why") {
                    Reaction::DropFrame => {
                        in_a_row += 1;
                        prop_assert!(in_a_row < 3 && severity == Severity::Retry);
                    }
                    Reaction::Rebuild => {
                        in_a_row += 1;
                        prop_assert_eq!(severity, Severity::Reconfigure);
                    }
                    Reaction::Downgrade(fallback) => {
                        downgrades += 1;
                        in_a_row = 0;
                        prop_assert_eq!((fallback.from, fallback.to), (before, "software_upload"));
                        prop_assert!(fallback.reason.starts_with("why"));
                    }
                    Reaction::GiveUp(_) => {
                        in_a_row = 0;
                        prop_assert!(mode == MUST || before == "software_upload");
                        prop_assert_eq!(it.current(), before);
                    }
                },
            }
            prop_assert!(downgrades <= 1 && (mode != MUST || downgrades == 0));
            prop_assert!(downgrades == 0 || it.current() == "software_upload");
        }
    }
}
