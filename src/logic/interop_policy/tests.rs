//! Every mode against every outcome, and random failures.
use proptest::prelude::*;

use std::time::Duration;

use crate::base::offer::Severity;
use crate::base::time::MonoTime;
use crate::logic::interop_policy::{
    Candidate, InteropGaveUp, InteropMode, InteropPolicy, Objection, OnFailure, Reaction, Trust, Verdicts,
};

const AUTO: InteropMode = InteropMode::Auto;
const SOFTWARE: InteropMode = InteropMode::ForceSoftware;
const MUST: InteropMode = InteropMode::ForceZeroCopy(OnFailure::Fail);
const SHOULD: InteropMode = InteropMode::ForceZeroCopy(OnFailure::Downgrade);
/// The ladder's places.
const PLANE: usize = 0;
const DMABUF: usize = 1;
const UPLOAD: usize = 2;

fn ladder() -> [Candidate; 3] {
    [
        Candidate { name: "plane", zero_copy: true },
        Candidate { name: "dmabuf", zero_copy: true },
        Candidate { name: "software_upload", zero_copy: false },
    ]
}

fn policy(mode: InteropMode) -> InteropPolicy {
    InteropPolicy::new(mode, &ladder(), Vec::new()).unwrap()
}

const START: MonoTime = MonoTime::from_nanos(1_000_000_000);

/// For good.
fn no(reason: &str) -> Objection {
    Objection { reason: reason.to_owned(), passes: false }
}

/// For now.
fn not_now(reason: &str) -> Objection {
    Objection { reason: reason.to_owned(), passes: true }
}

/// What a configuration that these ways take is shown by.
fn choice(it: &InteropPolicy, takes: [bool; 3]) -> Result<usize, InteropGaveUp> {
    let ask = |way: usize| if takes[way] { Ok(()) } else { Err(no("not so")) };
    it.choose(0, false, &mut Verdicts::default(), START, ask)
}

fn fail(it: &mut InteropPolicy, way: usize, times: usize) -> Vec<Reaction> {
    (0..times).map(|_| it.failed(way, Severity::Retry, "bad match")).collect()
}

fn is_given_up(it: &InteropPolicy, way: usize) -> bool {
    matches!(it.ways[way].trust, Trust::GivenUp(_))
}

#[test]
fn each_mode_chooses_what_it_may() {
    let cases = [
        (AUTO, [true, true, true], Some(PLANE)),
        (AUTO, [false, true, true], Some(DMABUF)),
        (AUTO, [false, false, true], Some(UPLOAD)),
        (AUTO, [false, false, false], None),
        (SOFTWARE, [true, true, true], Some(UPLOAD)),
        (SOFTWARE, [true, true, false], None),
        (MUST, [false, true, true], Some(DMABUF)),
        (MUST, [false, false, true], None),
        (SHOULD, [false, true, true], Some(DMABUF)),
        (SHOULD, [false, false, true], Some(UPLOAD)),
    ];
    for (mode, takes, want) in cases {
        assert_eq!(choice(&policy(mode), takes).ok(), want, "{mode:?} {takes:?}");
    }
}

#[test]
fn each_way_is_asked_once_for_a_configuration() {
    let (it, mut verdicts, mut asked) = (policy(AUTO), Verdicts::default(), Vec::new());
    for _ in 0..3 {
        let way = it.choose(0, false, &mut verdicts, START, |way| {
            asked.push(way);
            if way == UPLOAD { Ok(()) } else { Err(no(&format!("no {way}"))) }
        });
        assert_eq!(way, Ok(UPLOAD));
    }
    assert_eq!(asked, [PLANE, DMABUF, UPLOAD]);
    assert_eq!(it.reason(UPLOAD, &verdicts).as_deref(), Some("plane: no 0"), "the first reason on the ladder");
    assert_eq!(it.reason(PLANE, &verdicts), None);
}

#[test]
fn a_refusal_names_every_candidate_and_a_remedy() {
    let error = choice(&policy(MUST), [false, false, true]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no zero-copy way to the screen: plane: not so; dmabuf: not so; play with --on-zero-copy-failure downgrade"
    );
    let last = choice(&policy(AUTO), [false; 3]).unwrap_err();
    assert!(matches!(last, InteropGaveUp::LastResort { backend: "software_upload", .. }), "{last}");
    assert!(InteropPolicy::new(AUTO, &[], Vec::new()).unwrap_err().to_string().contains("no such backend"));
    assert!(matches!(InteropPolicy::new(MUST, &ladder()[2..], Vec::new()), Err(InteropGaveUp::NoZeroCopy { .. })));
    assert!(InteropPolicy::new(SHOULD, &ladder()[2..], Vec::new()).unwrap().is_downgrade(0));
    assert!(!policy(SHOULD).is_downgrade(DMABUF) && !policy(AUTO).is_downgrade(UPLOAD));
}

#[test]
fn what_there_is_not_here_is_a_reason_too() {
    let missing = || vec!["dmabuf: no extension".to_owned()];
    let it = InteropPolicy::new(AUTO, &ladder()[2..], missing()).unwrap();
    assert_eq!(it.reason(0, &Verdicts::default()).as_deref(), Some("dmabuf: no extension"));
    let it = InteropPolicy::new(AUTO, &[ladder()[0], ladder()[2]], missing()).unwrap();
    assert_eq!(it.reason(0, &Verdicts::default()), None, "nothing is better than a plane");
    let error = InteropPolicy::new(MUST, &ladder()[2..], missing()).unwrap_err();
    assert!(error.to_string().contains("dmabuf: no extension"), "{error}");
}

#[test]
fn what_must_be_drawn_may_be_copied() {
    let it = policy(MUST);
    let choose = |drawn| {
        let ask = |way| if way == UPLOAD { Ok(()) } else { Err(no("no")) };
        it.choose(0, drawn, &mut Verdicts::default(), START, ask)
    };
    assert_eq!((choose(true), choose(false).is_err()), (Ok(UPLOAD), true));
}

#[test]
fn three_failures_in_a_row_end_a_trial() {
    let mut it = policy(AUTO);
    let want = [Reaction::StepAside, Reaction::StepAside, Reaction::GiveUp("bad match (3 times in a row)".to_owned())];
    assert_eq!(fail(&mut it, PLANE, 3), want);
    assert_eq!(choice(&it, [true; 3]), Ok(DMABUF), "and for the session");
    assert_eq!(fail(&mut it, DMABUF, 2), want[..2]);
    assert_eq!(it.reason(DMABUF, &Verdicts::default()).as_deref(), Some("plane: bad match (3 times in a row)"));
}

#[test]
fn a_success_clears_the_failures_before_it() {
    let mut it = policy(AUTO);
    for _ in 0..10 {
        assert_eq!(fail(&mut it, PLANE, 2), [Reaction::StepAside, Reaction::StepAside]);
        it.succeeded(PLANE);
    }
    assert_eq!(choice(&it, [true; 3]), Ok(PLANE));
}

#[test]
fn a_trusted_way_is_set_up_anew_before_it_is_given_up() {
    let mut it = policy(AUTO);
    for _ in 0..12 {
        it.succeeded(PLANE);
    }
    assert_eq!(fail(&mut it, PLANE, 3)[2], Reaction::Rebuild);
    // On trial again.
    for _ in 0..11 {
        it.succeeded(PLANE);
    }
    assert!(matches!(&fail(&mut it, PLANE, 3)[2], Reaction::GiveUp(_)));
}

#[test]
fn eleven_frames_are_no_trust_and_failures_begin_the_trial_anew() {
    let mut it = policy(AUTO);
    for _ in 0..11 {
        it.succeeded(PLANE);
    }
    fail(&mut it, PLANE, 1);
    for _ in 0..11 {
        it.succeeded(PLANE);
    }
    assert!(matches!(&fail(&mut it, PLANE, 3)[2], Reaction::GiveUp(_)));
}

#[test]
fn what_a_way_cannot_show_is_no_fault_of_it() {
    let mut it = policy(AUTO);
    for _ in 0..9 {
        assert_eq!(it.failed(PLANE, Severity::FallBack, "too large"), Reaction::Refuse);
    }
    assert!(!is_given_up(&it, PLANE));
    assert_eq!(it.failed(PLANE, Severity::Fatal, "gone"), Reaction::GiveUp("gone".to_owned()));
}

#[test]
fn a_lost_context_is_rebuilt_once_and_then_given_up() {
    let mut it = policy(AUTO);
    assert_eq!(it.failed(PLANE, Severity::Reconfigure, "lost"), Reaction::Rebuild);
    assert!(matches!(it.failed(PLANE, Severity::Reconfigure, "lost"), Reaction::GiveUp(_)));
    let mut it = policy(AUTO);
    assert_eq!(it.failed(PLANE, Severity::Reconfigure, "lost"), Reaction::Rebuild);
    it.succeeded(PLANE);
    assert_eq!(it.failed(PLANE, Severity::Reconfigure, "lost"), Reaction::Rebuild);
}

#[test]
fn forced_zero_copy_loses_frames_rather_than_copying_them() {
    let mut it = policy(MUST);
    assert_eq!(fail(&mut it, DMABUF, 2), [Reaction::DropFrame, Reaction::DropFrame]);
    assert!(matches!(&fail(&mut it, DMABUF, 1)[0], Reaction::GiveUp(_)));
    let error = choice(&it, [false, true, true]).unwrap_err();
    assert!(error.to_string().contains("dmabuf: bad match (3 times in a row)"), "{error}");
}

#[test]
fn the_last_resort_gives_up_an_item_and_goes_on_with_the_next() {
    let mut it = policy(SOFTWARE);
    assert!(matches!(
        it.failed(UPLOAD, Severity::FallBack, "too large"),
        Reaction::SkipItem(InteropGaveUp::LastResort { backend: "software_upload", .. })
    ));
    let reactions = fail(&mut it, UPLOAD, 3);
    assert_eq!(reactions[..2], [Reaction::DropFrame, Reaction::DropFrame]);
    assert!(matches!(&reactions[2], Reaction::SkipItem(_)));
    assert_eq!(choice(&it, [true; 3]), Ok(UPLOAD));
}

/// The way at `ms`, where the plane is answered so; and whether it was asked.
fn at(it: &InteropPolicy, verdicts: &mut Verdicts, ms: u64, plane: Result<(), Objection>) -> (usize, bool) {
    let mut asked = false;
    let ask = |way| {
        asked |= way == PLANE;
        if way == PLANE { plane.clone() } else { Ok(()) }
    };
    let way = it.choose(0, false, verdicts, START + Duration::from_millis(ms), ask).unwrap();
    (way, asked)
}

#[test]
fn what_is_refused_for_now_is_asked_again_ever_more_seldom() {
    let (it, mut verdicts) = (policy(AUTO), Verdicts::default());
    let mut asked = Vec::new();
    for ms in 0..20_000 {
        let (way, was_asked) = at(&it, &mut verdicts, ms, Err(not_now("out of memory")));
        assert_eq!(way, DMABUF);
        asked.extend(was_asked.then_some(ms));
    }
    assert_eq!(asked, [0, 500, 1_500, 3_500, 7_500, 15_500]);
    assert_eq!(it.reason(DMABUF, &verdicts).as_deref(), Some("plane: out of memory"));
    assert!(!verdicts.may_come_back(), "it never showed anything");
    assert_eq!(at(&it, &mut verdicts, 31_500, Ok(())), (PLANE, true));
    assert_eq!((it.reason(PLANE, &verdicts), at(&it, &mut verdicts, 31_501, Ok(()))), (None, (PLANE, false)));
}

#[test]
fn a_question_that_is_answered_no_stays_so() {
    let (it, mut verdicts) = (policy(AUTO), Verdicts::default());
    assert_eq!(at(&it, &mut verdicts, 0, Err(no("too wide"))), (DMABUF, true));
    assert_eq!(at(&it, &mut verdicts, 1_000_000, Ok(())), (DMABUF, false));
    // So does what was taken and never seen.
    let mut verdicts = Verdicts::default();
    assert_eq!(at(&it, &mut verdicts, 0, Ok(())), (PLANE, true));
    verdicts.object(PLANE, no("EINVAL"), START);
    assert_eq!(at(&it, &mut verdicts, 1_000_000, Ok(())), (DMABUF, false));
}

#[test]
fn what_was_seen_before_rests_and_comes_back() {
    let (it, mut verdicts) = (policy(AUTO), Verdicts::default());
    assert_eq!(at(&it, &mut verdicts, 0, Ok(())), (PLANE, true));
    verdicts.seen(PLANE);
    verdicts.object(PLANE, no("EINVAL"), START);
    assert!(verdicts.may_come_back());
    assert_eq!(at(&it, &mut verdicts, 499, Ok(())), (DMABUF, false));
    // The question too may fail while all commits do.
    assert_eq!(at(&it, &mut verdicts, 500, Err(no("EINVAL"))), (DMABUF, true));
    assert_eq!(at(&it, &mut verdicts, 1_499, Ok(())), (DMABUF, false));
    assert_eq!(at(&it, &mut verdicts, 1_500, Ok(())), (PLANE, true));
    // One that fails again soon is left alone for longer; a dozen good frames make it as new.
    for (frames, wait_ms) in [(11, 2_000), (12, 500)] {
        let (it, mut verdicts) = (policy(AUTO), verdicts.clone());
        (0..frames).for_each(|_| verdicts.seen(PLANE));
        verdicts.object(PLANE, no("EINVAL"), START);
        assert_eq!(at(&it, &mut verdicts, wait_ms - 1, Ok(())), (DMABUF, false));
        assert_eq!(at(&it, &mut verdicts, wait_ms, Ok(())), (PLANE, true));
    }
}

fn outcome() -> impl Strategy<Value = Option<Severity>> {
    prop::sample::select(vec![
        None,
        None,
        None,
        Some(Severity::Retry),
        Some(Severity::Retry),
        Some(Severity::Reconfigure),
        Some(Severity::FallBack),
        Some(Severity::Fatal),
    ])
}

proptest! {
    /// Whatever happens: a way that is given up is never used again, the last resort never is given up, what the mode
    /// forbids is never chosen, and every frame ends after a bounded number of tries.
    #[test]
    fn a_session_only_steps_down(
        mode in prop::sample::select(vec![AUTO, SOFTWARE, MUST, SHOULD]),
        frames in prop::collection::vec((prop::collection::vec(outcome(), 12), any::<[bool; 2]>()), 0..60),
    ) {
        let mut it = policy(mode);
        for (outcomes, takes) in frames {
            let mut verdicts = Verdicts::default();
            let (mut from, mut outcomes) = (0, outcomes.into_iter());
            let given_up = [PLANE, DMABUF, UPLOAD].map(|way| is_given_up(&it, way));
            loop {
                let takes = [takes[0], takes[1], true];
                let ask = |way: usize| if takes[way] { Ok(()) } else { Err(no("no")) };
                let Ok(way) = it.choose(from, false, &mut verdicts, START, ask) else { break };
                prop_assert!(takes[way] && from <= way && !given_up[way]);
                prop_assert!(mode != MUST || way != UPLOAD);
                prop_assert!(mode != SOFTWARE || way == UPLOAD);
                let Some(severity) = outcomes.next().expect("a frame is tried more than twelve times") else {
                    it.succeeded(way);
                    break;
                };
                match it.failed(way, severity, "why") {
                    Reaction::StepAside => from = way + 1,
                    Reaction::Rebuild => {}
                    Reaction::Refuse => verdicts.object(way, no("why"), START),
                    Reaction::GiveUp(reason) => prop_assert!(reason.starts_with("why") && way != UPLOAD),
                    Reaction::DropFrame => break,
                    Reaction::SkipItem(_) => {
                        prop_assert!(way == UPLOAD);
                        break;
                    }
                }
            }
            prop_assert!(!is_given_up(&it, UPLOAD));
        }
    }
}
