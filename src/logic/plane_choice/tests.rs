//! The order of what is tried, and the words for what is not.
use super::*;

const NV12: u32 = u32::from_le_bytes(*b"NV12");
const AR24: u32 = u32::from_le_bytes(*b"AR24");
const LINEAR: u64 = 0;
const SAND: u64 = 0x0700_0000_0000_0004;

const NEED: Need = Need {
    fourcc: NV12,
    modifier: LINEAR,
    turn: Rotation::None,
    color: Some((Matrix::Bt709, Range::Limited)),
    covers: true,
    above: None,
};

fn plane(level: Level) -> PlaneFacts {
    PlaneFacts {
        formats: vec![(NV12, LINEAR), (AR24, LINEAR)],
        rotations: ROTATE_0,
        matrices: vec![Matrix::Bt601, Matrix::Bt709],
        ranges: vec![Range::Limited],
        level,
        ..PlaneFacts::default()
    }
}

/// As vc4's are: the primary plane at the bottom, overlays anywhere above.
fn planes(overlays: usize) -> Vec<PlaneFacts> {
    let primary = PlaneFacts { is_primary: true, ..plane(Level::Fixed(0)) };
    std::iter::once(primary).chain((0..overlays).map(|_| plane(Level::Free { min: 1, max: 17 }))).collect()
}

fn found(planes: &[PlaneFacts], need: &Need) -> Vec<(Ground, usize, Option<usize>)> {
    arrangements(planes, need).unwrap().into_iter().map(|it| (it.ground, it.video, it.above)).collect()
}

#[test]
fn an_overlay_alone_then_the_primary_then_an_overlay_on_black() {
    let all = [(Ground::Off, 1, None), (Ground::Video, 0, None), (Ground::Black, 1, None)];
    assert_eq!(found(&planes(1), &NEED), all);
    // One that leaves part of the screen free never takes the primary plane.
    assert_eq!(found(&planes(1), &Need { covers: false, ..NEED }), [all[0], all[2]]);
    assert_eq!(found(&planes(0), &NEED), [all[1]]);
}

#[test]
fn a_picture_above_lies_above() {
    let need = Need { above: Some(AR24), ..NEED };
    let all = [
        (Ground::Off, 1, Some(2)),
        (Ground::Off, 2, Some(1)),
        (Ground::Video, 0, Some(1)),
        (Ground::Black, 1, Some(2)),
        (Ground::Black, 2, Some(1)),
    ];
    assert_eq!(found(&planes(2), &need), all);
    // In an order that cannot be changed, only one of two is above the other.
    let mut fixed = planes(2);
    (fixed[1].level, fixed[2].level) = (Level::Fixed(5), Level::Fixed(4));
    assert_eq!(found(&fixed, &need)[0], (Ground::Off, 2, Some(1)));
    for it in &mut fixed {
        it.level = Level::AsListed;
    }
    assert_eq!(found(&fixed, &need)[..2], [(Ground::Off, 1, Some(2)), (Ground::Video, 0, Some(1))]);
    assert_eq!(arrangements(&planes(0), &need).unwrap_err(), "a frame with a picture above it");
}

#[test]
fn what_another_output_has_is_left_alone() {
    let mut it = planes(2);
    it[1].is_taken = true;
    assert_eq!(found(&it, &NEED)[0], (Ground::Off, 2, None));
}

#[test]
fn what_stands_against_it_is_said() {
    let why = |need: Need| arrangements(&planes(1), &need).unwrap_err();
    assert_eq!(why(Need { fourcc: u32::from_le_bytes(*b"P010"), ..NEED }), "P010");
    assert_eq!(why(Need { modifier: SAND, ..NEED }), "NV12 with modifier 0x700000000000004");
    assert_eq!(why(Need { color: Some((Matrix::Bt2020, Range::Limited)), ..NEED }), "the matrix Bt2020");
    assert_eq!(why(Need { color: Some((Matrix::Bt709, Range::Full)), ..NEED }), "full range");
    assert_eq!(why(Need { turn: Rotation::Half, ..NEED }), "a picture turned by 180 degrees");
    let small = Need { covers: false, ..NEED };
    let said = arrangements(&planes(0), &small).unwrap_err();
    assert_eq!(said, "a picture smaller than the screen, without an overlay");
    assert_eq!(arrangements(&[], &NEED).unwrap_err(), "a frame: no plane is free");
}

#[test]
fn quarter_turns_are_never_a_planes() {
    let all = PlaneFacts { rotations: 0x3F, ..PlaneFacts::default() };
    assert_eq!((all.rotation(Rotation::Clockwise90), all.rotation(Rotation::Clockwise270)), (None, None));
    assert_eq!(all.rotation(Rotation::Half), Some(0x04));
    // Both mirrors are half a turn.
    let mirrors = PlaneFacts { rotations: 0x31, ..PlaneFacts::default() };
    assert_eq!(mirrors.rotation(Rotation::Half), Some(0x31));
    assert_eq!(PlaneFacts { rotations: 0x11, ..PlaneFacts::default() }.rotation(Rotation::Half), None);
}
