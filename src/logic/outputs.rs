//! Which card, which connectors, and which CRTC drives each of them.

/// Drivers without hardware behind them. Where there is a real card it is meant.
const VIRTUAL_DRIVERS: [&str; 2] = ["vkms", "vgem"];

/// Renderers of Mesa's that are the CPU.
const SOFTWARE_RENDERERS: [&str; 3] = ["llvmpipe", "softpipe", "swrast"];

/// One connector of a card that a display can be put on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFacts {
    /// The kernel's name: "HDMI-A-1".
    pub name: String,
    /// A display is connected and has modes.
    pub is_connected: bool,
}

/// One card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardFacts {
    /// The driver's name: "vc4".
    pub driver: String,
    /// Without writeback connectors.
    pub outputs: Vec<OutputFacts>,
}

/// Whether a driver has no hardware behind it.
pub fn is_virtual(driver: &str) -> bool {
    VIRTUAL_DRIVERS.contains(&driver)
}

/// Whether the CPU draws (`renderer` is GL's) where a GPU was to be expected.
pub fn draws_on_cpu(driver: &str, renderer: &str) -> bool {
    !is_virtual(driver) && SOFTWARE_RENDERERS.iter().any(|it| renderer.contains(it))
}

/// No card has what is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchOutput {
    /// No card has a connector at all.
    #[error("no graphics card has a connector ({cards})")]
    NoConnectors {
        /// The drivers there are.
        cards: String,
    },
    /// There is no such connector.
    #[error("there is no output {wanted}; there are {available}")]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// What there is, over all cards.
        available: String,
    },
    /// They exist, but one process drives one card.
    #[error("the outputs {wanted} are not on one graphics card")]
    Apart {
        /// What was asked for.
        wanted: String,
    },
    /// One output cannot show two things.
    #[error("the output {wanted} is named twice")]
    Twice {
        /// What was asked for.
        wanted: String,
    },
}

/// The card that has all the wanted outputs (any, where none is named): a real one rather than a virtual one, one with a
/// display connected rather than one without, else the first.
pub fn choose_card(cards: &[CardFacts], wanted: &[String]) -> Result<usize, NoSuchOutput> {
    if let Some(name) = wanted.iter().enumerate().find(|(index, it)| wanted[..*index].contains(it)) {
        return Err(NoSuchOutput::Twice { wanted: name.1.clone() });
    }
    let has = |card: &CardFacts, name: &String| card.outputs.iter().any(|it| it.name == *name);
    if cards.iter().all(|it| it.outputs.is_empty()) {
        let drivers: Vec<&str> = cards.iter().map(|it| it.driver.as_str()).collect();
        return Err(NoSuchOutput::NoConnectors { cards: drivers.join(", ") });
    }
    if let Some(name) = wanted.iter().find(|name| !cards.iter().any(|card| has(card, name))) {
        let names: Vec<&str> = cards.iter().flat_map(|it| &it.outputs).map(|it| it.name.as_str()).collect();
        return Err(NoSuchOutput::Unknown { wanted: name.clone(), available: names.join(", ") });
    }
    (0..cards.len())
        .filter(|it| !cards[*it].outputs.is_empty() && wanted.iter().all(|name| has(&cards[*it], name)))
        .min_by_key(|it| {
            let card = &cards[*it];
            (!card.outputs.iter().any(|it| it.is_connected), is_virtual(&card.driver))
        })
        .ok_or_else(|| NoSuchOutput::Apart { wanted: wanted.join(", ") })
}

/// What a connector asks of CRTCs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrtcWish {
    /// A bit for each CRTC that can drive it.
    pub possible: u32,
    /// The one that does now: taking it over saves a modeset.
    pub current: Option<u32>,
}

/// A CRTC for each connector, none twice, as many as possible their present ones; `None` where that cannot be.
pub fn assign_crtcs(wishes: &[CrtcWish], taken: u32) -> Option<Vec<u32>> {
    let Some((first, rest)) = wishes.split_first() else { return Some(Vec::new()) };
    let free = first.possible & !taken;
    let current = first.current.filter(|it| *it < u32::BITS);
    let candidates = current.into_iter().chain((0..u32::BITS).filter(|it| Some(*it) != current));
    for crtc in candidates.filter(|it| free & (1 << it) != 0) {
        if let Some(mut others) = assign_crtcs(rest, taken | 1 << crtc) {
            others.insert(0, crtc);
            return Some(others);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(driver: &str, outputs: &[(&str, bool)]) -> CardFacts {
        let outputs = outputs
            .iter()
            .map(|(name, is_connected)| OutputFacts { name: (*name).into(), is_connected: *is_connected });
        CardFacts { driver: driver.into(), outputs: outputs.collect() }
    }

    #[track_caller]
    fn check(cards: &[CardFacts], wanted: &[&str], want: Result<usize, &str>) {
        let wanted: Vec<String> = wanted.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(choose_card(cards, &wanted).map_err(|it| it.to_string()), want.map_err(str::to_owned));
    }

    #[test]
    fn a_card_is_chosen_by_what_is_on_it() {
        let v3d = card("v3d", &[]);
        let vc4 = card("vc4", &[("HDMI-A-1", false), ("HDMI-A-2", false)]);
        let vkms = card("vkms", &[("Virtual-1", true)]);
        let plugged = card("vc4", &[("HDMI-A-1", false), ("HDMI-A-2", true)]);
        check(&[v3d.clone(), vc4.clone()], &[], Ok(1));
        check(&[vkms.clone(), v3d.clone(), plugged.clone()], &[], Ok(2));
        check(&[vc4.clone(), vkms.clone()], &[], Ok(1));
        check(&[vkms.clone(), vc4.clone()], &["HDMI-A-2", "HDMI-A-1"], Ok(1));
        check(
            &[vkms.clone(), vc4.clone()],
            &["HDMI-A-3"],
            Err("there is no output HDMI-A-3; there are Virtual-1, HDMI-A-1, HDMI-A-2"),
        );
        check(
            &[vkms.clone(), vc4.clone()],
            &["HDMI-A-1", "Virtual-1"],
            Err("the outputs HDMI-A-1, Virtual-1 are not on one graphics card"),
        );
        check(&[vc4], &["HDMI-A-1", "HDMI-A-1"], Err("the output HDMI-A-1 is named twice"));
        check(&[v3d, card("vgem", &[])], &[], Err("no graphics card has a connector (v3d, vgem)"));
    }

    #[test]
    fn a_cpu_that_draws_is_normal_only_where_there_is_no_gpu() {
        for (driver, renderer, want) in [
            ("vc4", "V3D 4.2.14.0", false),
            ("vc4", "llvmpipe (LLVM 19.1.7, 128 bits)", true),
            ("i915", "softpipe", true),
            ("vkms", "llvmpipe (LLVM 19.1.7, 256 bits)", false),
        ] {
            assert_eq!(draws_on_cpu(driver, renderer), want, "{driver}: {renderer}");
        }
    }

    #[test]
    fn each_connector_gets_a_crtc_of_its_own() {
        let wish = |possible, current| CrtcWish { possible, current };
        for (wishes, taken, want) in [
            (vec![wish(0b11, None), wish(0b11, None)], 0, Some(vec![0, 1])),
            // The first may not take what the second alone can have.
            (vec![wish(0b11, None), wish(0b01, None)], 0, Some(vec![1, 0])),
            (vec![wish(0b11, Some(1)), wish(0b11, Some(0))], 0, Some(vec![1, 0])),
            (vec![wish(0b11, Some(0)), wish(0b01, None)], 0, Some(vec![1, 0])),
            (vec![wish(0b01, None), wish(0b01, None)], 0, None),
            (vec![wish(0b11, Some(0))], 0b01, Some(vec![1])),
            (vec![wish(0b110, Some(40))], 0, Some(vec![1])),
            (vec![], 0, Some(vec![])),
        ] {
            assert_eq!(assign_crtcs(&wishes, taken), want, "{wishes:?}");
        }
    }
}
